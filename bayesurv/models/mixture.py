"""Mixtures of normal distributions: priors that let data choose, and their posteriors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

HALVINGS = 60  # of the range between the outermost quantiles of the components
NODES = 2001
REACH = 8.5  # standard deviations of a component that an integral covers


@dataclass(frozen=True, eq=False)
class NormalMixture:
    """Sum of weights times Normal(mean, sd), with the names that scipy.stats gives its methods.

    weights, means, sds : `(..., component)`, one mixture for each of the leading axes; the
        weights add up to 1.
    """

    weights: np.ndarray
    means: np.ndarray
    sds: np.ndarray

    @classmethod
    def of(cls, weights: ArrayLike, means: ArrayLike, sds: ArrayLike) -> Self:
        """Of anything that is broadcast to `(..., component)`."""
        arrays = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (weights, means, sds)))
        return cls(*arrays)

    def mean(self) -> np.ndarray:
        """Mean, shape `(...)`."""
        return (self.weights * self.means).sum(axis=-1)

    def std(self) -> np.ndarray:
        """Standard deviation, shape `(...)`."""
        away = self.means - self.mean()[..., None]
        return np.sqrt((self.weights * (self.sds**2 + away**2)).sum(axis=-1))

    def stats(self, moments: str = "mv") -> tuple[np.ndarray, ...]:
        """Mean and variance, by the letters that scipy.stats has for them."""
        found = {"m": self.mean, "v": lambda: self.std() ** 2}
        return tuple(found[moment]() for moment in moments)

    def logpdf(self, x: ArrayLike) -> np.ndarray:
        """Log density at x, of the shape of x and the leading axes together."""
        from scipy.special import logsumexp

        z = self._standardised(x)
        terms = -0.5 * z**2 - np.log(self.sds * np.sqrt(2 * np.pi))
        return logsumexp(terms, axis=-1, b=self.weights)

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """Probability of a value up to x."""
        from scipy.special import ndtr

        return (self.weights * ndtr(self._standardised(x))).sum(axis=-1)

    def ppf(self, probability: ArrayLike) -> np.ndarray:
        """Quantile: where the cumulative probability is reached, by halving."""
        from scipy.special import ndtri

        wanted = np.asarray(probability, dtype=float)
        each = self.means + self.sds * ndtri(wanted)[..., None]
        present = np.broadcast_to(self.weights > 0, each.shape)
        low = np.where(present, each, np.inf).min(axis=-1)
        high = np.where(present, each, -np.inf).max(axis=-1)
        with np.errstate(invalid="ignore"):  # probabilities of 0 and 1 lie at infinity
            for _ in range(HALVINGS):
                middle = low + (high - low) / 2
                below = self.cdf(middle) < wanted
                low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.where(np.isfinite(low), low + (high - low) / 2, low)[()]

    def median(self) -> np.ndarray:
        """Median, shape `(...)`."""
        return self.ppf(0.5)

    def rvs(self, size: Any = (), random_state: Any = None) -> np.ndarray:
        """Random draws of one mixture."""
        generator = np.random.default_rng(random_state)
        chosen = generator.choice(len(self.weights), p=self.weights, size=size)
        return generator.normal(self.means[chosen], self.sds[chosen])

    def support(self) -> tuple[float, float]:
        """Every number can be drawn."""
        return -np.inf, np.inf

    def updated(self, estimate: ArrayLike, standard_error: ArrayLike) -> "Updated":
        """The posterior after an estimate that is Normal(truth, standard_error), exactly.

        Each component is updated as a conjugate normal; its weight grows with the density that it
        gave the estimate, Normal(mean, sqrt(sd^2 + standard_error^2)).
        """
        found, error = (np.asarray(a, dtype=float)[..., None] for a in (estimate, standard_error))
        precision = self.sds**-2 + error**-2
        means = (self.means * self.sds**-2 + found * error**-2) / precision
        predicted = NormalMixture.of(
            1.0, self.means[..., None], np.hypot(self.sds, error)[..., None]
        )
        log_marginal = predicted.logpdf(found)
        weights = posterior_weights(self.weights, log_marginal)
        return Updated(NormalMixture.of(weights, means, precision**-0.5), log_marginal)

    def information(self) -> float:
        """Expected local information of one mixture: the mean of -(log density)'' over itself.

        For one normal distribution it is 1 / sd^2. It is the mean of the squared slope of the log
        density, which is the same after integration by parts.

        Source: Neuenschwander et al., Biometrics 2020.
        """
        low, high = (self.means + sign * REACH * self.sds for sign in (-1, 1))
        x = np.unique(
            np.concatenate([np.linspace(a, b, NODES) for a, b in zip(low, high, strict=True)])
        )
        z = self._standardised(x)
        parts = self.weights * np.exp(-0.5 * z**2) / self.sds
        density, slope = parts.sum(axis=-1), (parts * z / self.sds).sum(axis=-1)
        kept = density > 0
        squared = np.divide(slope**2, density, where=kept, out=np.zeros_like(density))
        return float(np.trapezoid(squared, x) / np.trapezoid(density, x))

    def _standardised(self, x: ArrayLike) -> np.ndarray:
        return (np.asarray(x, dtype=float)[..., None] - self.means) / self.sds


@dataclass(frozen=True, eq=False)
class Updated:
    """A posterior mixture, and the log density that each component gave the data.

    log_marginal : `(..., component)`.
    """

    posterior: NormalMixture
    log_marginal: np.ndarray


def posterior_weights(prior: ArrayLike, log_marginal: np.ndarray) -> np.ndarray:
    """Weight times marginal likelihood of each component, as shares, `(..., component)`."""
    from scipy.special import softmax

    with np.errstate(divide="ignore"):  # a component without weight keeps none
        return softmax(np.log(np.asarray(prior, dtype=float)) + log_marginal, axis=-1)


def pooled(means: Sequence[float], sds: Sequence[float]) -> tuple[float, float]:
    """Mean and sd of a product of normal densities: each mean weighs by its precision."""
    precision = np.asarray(sds, dtype=float) ** -2
    total = precision.sum()
    return float(precision @ np.asarray(means, dtype=float) / total), float(total**-0.5)
