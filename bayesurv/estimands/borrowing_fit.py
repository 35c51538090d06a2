"""Borrow external evidence in a fit: its posterior under each component of the prior, exactly.

A chain cannot be trusted to go between the two modes that a robust prior in conflict with data
makes. So each component is fitted by itself: the draws of the fit are moved to the posterior under
that component alone, and the ratio of normalising constants on the way is that of its marginal
likelihood to the fit's. The posterior is then a mixture with known weights.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.borrowing import Borrowed, Borrowing, Summary
from bayesurv.estimands.sensitivity import treatment_term, with_treatment_prior
from bayesurv.estimands.summary import CI_PROB
from bayesurv.inference.reweigh import weighted_quantile
from bayesurv.inference.tempering import temper
from bayesurv.models.distributions import Normal
from bayesurv.refitting import LEFT_OUT, density, with_priors


@dataclass(frozen=True, eq=False)
class DrawnPosteriors:
    """Draws of the log hazard ratio under each component, with equal weights within each.

    draws : `(component, chain, draw)`.
    log_marginal_error : `(component,)` Monte-Carlo error of the log marginal likelihoods.
    settled : whether the draws forgot where they came from, under every component.
    """

    draws: np.ndarray
    log_marginal_error: np.ndarray
    settled: bool
    ci_prob: float = CI_PROB

    def summary(self, weights: np.ndarray) -> Summary:
        """Their mixture with posterior weights `(..., component)`."""
        given = np.asarray(weights, dtype=float)
        rows = [self._summary(each) for each in given.reshape(-1, given.shape[-1])]
        columns = np.array(rows).reshape(*given.shape[:-1], 6)
        return Summary(*np.moveaxis(columns, -1, 0))

    def _summary(self, weights: np.ndarray) -> tuple[float, ...]:
        each = weights[:, None, None] / self.draws[0].size
        spread = np.broadcast_to(each, self.draws.shape)
        tail = (1 - self.ci_prob) / 2
        ends = weighted_quantile(self.draws, spread, [0.5, tail, 1 - tail])
        mean = float((spread * self.draws).sum())
        sd = np.sqrt(float((spread * (self.draws - mean) ** 2).sum()))
        chances = (self.draws < 0).mean(axis=(1, 2))
        chance = float(weights @ chances)
        shift = weights * (chances - chance) * self.log_marginal_error
        error = np.hypot(weights * self._errors, shift)
        return (*np.exp(ends), chance, sd, float(np.sqrt((error**2).sum())))

    def density(self, weights: np.ndarray, log_ratio: np.ndarray) -> np.ndarray:
        """Their mixture's density, by kernels."""
        from scipy.stats import gaussian_kde

        each = [gaussian_kde(draws.ravel())(log_ratio) for draws in self.draws]
        return weights @ np.array(each)

    @property
    def _errors(self) -> np.ndarray:
        """Monte-Carlo error of P(hazard ratio < 1) under each component, between the chains."""
        return _between((self.draws < 0).mean(axis=2))


def borrow_in_fit(
    comparison: Comparison, prior: Borrowing, seed: int = 0, ci_prob: float = CI_PROB
) -> Borrowed:
    """Borrow evidence for the treatment's log hazard ratio of a fit.

    The estimate and its standard error, by which conflict is judged, are those of the normal
    likelihood that would make the posterior under the vague component of its prior.

    Raises
    ------
    InputError
        The treatment has no log hazard ratio of its own that is the same for all, or the data say
        nothing of it.
    """
    term = treatment_term(comparison)
    if comparison.conditional_ratio is None:
        message = f'treatment: no one hazard ratio of "{comparison.arms.treatment}" holds for all; '
        raise InputError([Fault(message + "fit a model without its interactions and groups")])
    one = prior.pooled
    priors = prior.components if one in prior.evidence else (*prior.components, one)
    moved = [_under(comparison, each, seed) for each in priors]
    draws = np.stack([each.draws for each in moved])
    log_marginal = np.array([each.log_marginal for each in moved])
    errors = np.array([each.error for each in moved])
    settled = all(each.settled for each in moved)
    count = len(prior.components)
    pooled = DrawnPosteriors(draws, errors, settled, ci_prob).summary(
        np.eye(len(priors))[priors.index(one)]
    )
    components = DrawnPosteriors(draws[:count], errors[:count], settled, ci_prob)
    estimate, error = _likelihood(draws[count - 1], prior.vague, term)
    return Borrowed(
        prior,
        np.array(estimate),
        np.array(error),
        log_marginal[:count],
        components,
        pooled,
        allocation(comparison),
    )


@dataclass(frozen=True)
class _Component:
    draws: np.ndarray
    log_marginal: float
    error: float
    settled: bool


def _under(comparison: Comparison, prior: Normal, seed: int) -> _Component:
    """Posterior of the log hazard ratio under a prior, `(chain, draw)`, each chain by itself."""
    fit = comparison.fit
    if "positions" not in fit.draws.children:
        message = "draws of a prior know nothing of the patients; fit the cohort first"
        raise InputError([Fault(message)])
    position = fit.draws["positions"]["position"].to_numpy()
    old = density(fit)
    new = density(with_priors(fit, with_treatment_prior(comparison, prior)))
    left_out = list(fit.draws.attrs.get(LEFT_OUT, ()))

    def ends(position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pointwise = np.delete(old.log_likelihood(position), left_out, axis=-1)
        likelihood = pointwise.sum(axis=-1)
        return old.log_prior(position) + likelihood, new.log_prior(position) + likelihood

    moved = [
        temper(chain, ends, np.random.default_rng([seed, i])) for i, chain in enumerate(position)
    ]
    place = fit.design.terms.index(treatment_term(comparison))
    draws = new.sampled(np.stack([each.position for each in moved]))["coefficient"][..., place]
    ratios = np.array([each.log_ratio for each in moved])
    log_marginal = float(logsumexp(ratios) - np.log(len(ratios)))
    error = float(_between(np.exp(ratios - log_marginal)))
    return _Component(draws, log_marginal, error, all(each.settled for each in moved))


def _between(values: np.ndarray) -> np.ndarray:
    """Monte-Carlo error of a mean over chains, the last axis; not known of a single chain."""
    chains = values.shape[-1]
    if chains < 2:
        return np.full(values.shape[:-1], np.nan)
    return values.std(axis=-1, ddof=1) / np.sqrt(chains)


def _likelihood(draws: np.ndarray, prior: Normal, term: str) -> tuple[float, float]:
    """Estimate and standard error that a normal prior turned into this posterior."""
    precision = 1 / float(draws.var(ddof=1)) - prior.sigma**-2
    if precision <= 0:
        message = f'the data say nothing of the hazard ratio of "{term}": its posterior is as wide '
        raise InputError([Fault(f"treatment: {message}as the vague prior {prior}")])
    mean = (float(draws.mean()) / float(draws.var(ddof=1)) - prior.mu * prior.sigma**-2) / precision
    return mean, precision**-0.5


def allocation(comparison: Comparison) -> float:
    """Share of the cohort's patients who had the treatment, at any time."""
    fit, arms = comparison.fit, comparison.arms
    treated = (fit.design.training[arms.treatment] == arms.levels[1]).to_numpy()
    patients = fit.draws["constant_data"]["individual"].to_numpy()
    return len(np.unique(patients[treated])) / len(np.unique(patients))
