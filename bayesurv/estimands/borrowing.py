"""Borrow external evidence on a log hazard ratio, and only as far as the data agree with it.

The prior is a mixture: a weight on what other studies found, the rest on a vague distribution.
Data that agree with the evidence raise its weight, data in conflict with it lower it:

    posterior weight_k = weight_k m_k / sum_j weight_j m_j,    m_k = integral L(b) prior_k(b) db

and the posterior is the mixture of the posteriors under each component with these weights.

Source: Schmidli et al., Biometrics 2014.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.summary import CI_PROB
from bayesurv.models.distributions import Normal
from bayesurv.models.mixture import NormalMixture, pooled, posterior_weights

WEIGHT = 0.5
VAGUE = Normal(0, 1)
CONFLICT_TAIL = 0.05  # two-sided prior predictive probability below which data are in conflict


@dataclass(frozen=True)
class Borrowing:
    """The robust prior of a log hazard ratio: evidence, its weight, and a vague distribution.

    The weight is shared equally by several pieces of evidence; it is that before the data.

    Raises
    ------
    InputError
        There is no evidence, or the weight is not from 0 to 1.
    """

    evidence: tuple[Normal, ...]
    weight: float = WEIGHT
    vague: Normal = VAGUE

    def __post_init__(self) -> None:
        faults = weight_faults(self.weight)
        if not self.evidence:
            faults.append(Fault("evidence: none is given; name at least one"))
        if faults:
            raise InputError(faults)

    @property
    def components(self) -> tuple[Normal, ...]:
        """The evidence, and the vague distribution last."""
        return (*self.evidence, self.vague)

    def weights(self, weight: ArrayLike | None = None) -> np.ndarray:
        """Prior weight of each component, `(..., component)`, at this or another weight."""
        given = np.asarray(self.weight if weight is None else weight, dtype=float)[..., None]
        share = np.repeat(given / len(self.evidence), len(self.evidence), axis=-1)
        return np.concatenate([share, 1 - given], axis=-1)

    @property
    def mixture(self) -> NormalMixture:
        """The prior as a mixture."""
        means, sds = zip(*((c.mu, c.sigma) for c in self.components), strict=True)
        return NormalMixture.of(self.weights(), means, sds)

    @property
    def pooled(self) -> Normal:
        """All evidence as if it came from one study, each piece weighing by its precision."""
        return Normal(*pooled([e.mu for e in self.evidence], [e.sigma for e in self.evidence]))


def weight_faults(weight: float) -> list[Fault]:
    """What is wrong with the prior weight of the evidence."""
    if 0 <= weight <= 1:
        return []
    message = f"weight: {weight:g} is not from 0 to 1; it is the prior probability that the "
    return [Fault(message + "evidence holds here, such as 0.5", value=weight)]


@dataclass(frozen=True, eq=False)
class Summary:
    """A posterior of the log hazard ratio in numbers, each of shape `(...)`.

    hazard_ratio : posterior median, with the equal-tailed interval from lower to upper.
    prob_benefit : P(hazard ratio < 1); mcse its Monte-Carlo error, 0 where it is exact.
    sd : standard deviation of the log hazard ratio.
    """

    hazard_ratio: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    prob_benefit: np.ndarray
    sd: np.ndarray
    mcse: np.ndarray


class Posteriors(Protocol):
    """The posterior of the log hazard ratio under each component of a prior."""

    def summary(self, weights: np.ndarray) -> Summary:
        """Their mixture with posterior weights `(..., component)`."""
        ...

    def density(self, weights: np.ndarray, log_ratio: np.ndarray) -> np.ndarray:
        """Density of one mixture at log hazard ratios, with posterior weights `(component,)`."""
        ...


@dataclass(frozen=True, eq=False)
class NormalPosteriors:
    """Normal posteriors, which a normal likelihood makes of normal priors.

    means, sds : `(..., component)`.
    """

    means: np.ndarray
    sds: np.ndarray
    ci_prob: float = CI_PROB

    def summary(self, weights: np.ndarray) -> Summary:
        """Their mixture, exactly."""
        mixture = NormalMixture.of(weights, self.means, self.sds)
        tail = (1 - self.ci_prob) / 2
        middle, lower, upper = (np.exp(mixture.ppf(p)) for p in (0.5, tail, 1 - tail))
        chance = mixture.cdf(0.0)
        return Summary(middle, lower, upper, chance, mixture.std(), np.zeros_like(chance))

    def density(self, weights: np.ndarray, log_ratio: np.ndarray) -> np.ndarray:
        """Their mixture's density."""
        return np.exp(NormalMixture.of(weights, self.means, self.sds).logpdf(log_ratio))


@dataclass(frozen=True, eq=False)
class Borrowed:
    """What the data say with evidence borrowed, without it, and with all of it pooled.

    estimate, standard_error : `(...)` log hazard ratio that the data alone give, as a normal
        approximation of their likelihood.
    log_marginal : `(..., component)` of the data under each component of the prior, up to a
        constant that they share.
    posteriors : under each component.
    pooled : under all evidence at its full weight, as if it came from the same study.
    allocation : share of the patients who are treated, by which precision is told in events.
    """

    prior: Borrowing
    estimate: np.ndarray
    standard_error: np.ndarray
    log_marginal: np.ndarray
    posteriors: Posteriors
    pooled: Summary
    allocation: float

    def weights(self, weight: ArrayLike | None = None) -> np.ndarray:
        """Posterior weight of each component, `(..., component)`, at a prior weight."""
        return posterior_weights(self.prior.weights(weight), self.log_marginal)

    @cached_property
    def borrowing(self) -> Summary:
        """Under the mixture."""
        return self.posteriors.summary(self.weights())

    @cached_property
    def without(self) -> Summary:
        """Under the vague component alone."""
        return self.posteriors.summary(self.weights(0.0))

    @property
    def conflict(self) -> tuple[np.ndarray, np.ndarray]:
        """Distance of the estimate from each component, in prior predictive sds, and its tail.

        z = (estimate - mean) / sqrt(sd^2 + standard_error^2), with the two-sided probability of
        one further out, each `(..., component)`.

        Source: Box, JRSS A 1980.
        """
        from scipy.special import ndtr

        means, sds = self.prior.mixture.means, self.prior.mixture.sds
        away = np.asarray(self.estimate)[..., None] - means
        z = away / np.hypot(sds, np.asarray(self.standard_error)[..., None])
        return z, 2 * ndtr(-np.abs(z))

    def events(self, precision: ArrayLike) -> np.ndarray:
        """How many events have this precision of the log hazard ratio.

        events = precision / (p (1 - p)), p being the share of the patients who are treated: the
        log-rank information of a two-arm study is p (1 - p) an event, 1/4 in equal arms.
        """
        return np.asarray(precision) / (self.allocation * (1 - self.allocation))

    @property
    def prior_events(self) -> float:
        """How many events the mixture is worth before the data, by its expected information."""
        return float(self.events(self.prior.mixture.information()))

    @property
    def component_events(self) -> np.ndarray:
        """How many events each component is worth by itself, `(component,)`."""
        return self.events(self.prior.mixture.sds**-2.0)

    @property
    def events_borrowed(self) -> np.ndarray:
        """How many events the precision is worth that borrowing added to the posterior, `(...)`.

        From its variance with and without evidence; below 0 where evidence in conflict with the
        data makes the answer less certain.
        """
        return self.events(self.borrowing.sd**-2 - self.without.sd**-2)


def borrow(
    estimate: ArrayLike,
    standard_error: ArrayLike,
    evidence: Normal | Sequence[Normal],
    weight: float = WEIGHT,
    vague: Normal = VAGUE,
    *,
    allocation: float = 0.5,
    ci_prob: float = CI_PROB,
) -> Borrowed:
    """Borrow evidence for a log hazard ratio that is known with a standard error, exactly.

    The likelihood is normal, so that every component has a conjugate posterior.

    Parameters
    ----------
    estimate, standard_error
        Log hazard ratio and its standard error, one or, as arrays of shape `(...)`, one for each
        member of an ensemble.
    evidence
        What other studies found for the same log hazard ratio.
    weight, vague
        Prior probability that the evidence holds here, and the prior where it does not.
    allocation
        Share of the patients who are treated.
    ci_prob
        Probability of the credible intervals.

    Raises
    ------
    InputError
        The weight is not from 0 to 1, a standard error is not above 0, or the estimate not finite.
    """
    prior = Borrowing(
        (evidence,) if isinstance(evidence, Normal) else tuple(evidence), weight, vague
    )
    found, error = np.broadcast_arrays(
        np.asarray(estimate, dtype=float), np.asarray(standard_error, dtype=float)
    )
    if not (np.isfinite(found).all() and np.isfinite(error).all() and (error > 0).all()):
        message = "estimate: a log hazard ratio is finite, and its standard error above 0"
        raise InputError([Fault(message)])
    updated = prior.mixture.updated(found, error)
    posterior, one = updated.posterior, prior.pooled
    together = NormalMixture.of([1.0], [one.mu], [one.sigma]).updated(found, error).posterior
    return Borrowed(
        prior,
        found,
        error,
        updated.log_marginal,
        NormalPosteriors(posterior.means, posterior.sds, ci_prob),
        NormalPosteriors(together.means, together.sds, ci_prob).summary(together.weights),
        allocation,
    )
