"""Posterior of a log hazard ratio from Cox's partial likelihood: no model of the baseline hazard.

With a gamma process for the cumulative baseline hazard, the partial likelihood is what remains
when that process becomes vague, so that partial likelihood times prior is a posterior.

Source: Kalbfleisch, JRSS B 1978; Sinha, Ibrahim and Chen, Biometrika 2003.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline

from bayesurv.frequentist.partial_likelihood import TwoArms
from bayesurv.models.distributions import Distribution
from bayesurv.models.priors import DEFAULT_COEFFICIENT, Prior, Ratio

POINTS, COARSE = 121, 41
FINE = 20  # points between two of the grid, to find quantiles
NOTHING = -30.0  # log of a density, against its maximum, below which it is left out
WIDEST = 15.0
PRIOR_TAIL = 1e-9


@dataclass(frozen=True, eq=False)
class PartialPosterior:
    """Density of a log hazard ratio on a grid; leading dimensions, if any, are cohorts.

    grid : (point,) evenly spaced.
    density : (..., point)
    """

    grid: np.ndarray
    density: np.ndarray

    def probability_below(self, hazard_ratio: float | np.ndarray = 1.0) -> np.ndarray:
        """Probability that the hazard ratio is below a value, (...,), or each of some, (..., n)."""
        end = np.clip(np.log(hazard_ratio), self.grid[0], self.grid[-1])
        return np.clip(self._cumulative(end), 0, 1)

    def quantile(self, probability: float) -> np.ndarray:
        """Quantile, (...,), of the log hazard ratio."""
        fine = np.linspace(self.grid[0], self.grid[-1], FINE * (len(self.grid) - 1) + 1)
        below = self._cumulative(fine).reshape(-1, len(fine))
        found = [np.interp(probability, np.maximum.accumulate(row), fine) for row in below]
        return np.reshape(found, self.density.shape[:-1])

    def mixture(self, axis: int) -> "PartialPosterior":
        """Average of the posteriors along an axis of cohorts, each with the same weight."""
        return PartialPosterior(self.grid, self.density.mean(axis=axis))

    @cached_property
    def _cumulative(self) -> CubicSpline:
        return CubicSpline(self.grid, self.density, axis=-1).antiderivative()


def partial_posterior(likelihood: TwoArms, prior: Prior = DEFAULT_COEFFICIENT) -> PartialPosterior:
    """Partial likelihood times prior, normalised by quadrature and not by a normal approximation.

    Parameters
    ----------
    likelihood : TwoArms
        Of one cohort, or of several at once.
    prior : Normal, StudentT or HazardRatio
        Of the log hazard ratio.
    """
    stated = prior.distribution() if isinstance(prior, Ratio) else prior
    grid = _grid(likelihood, stated)
    log_density = likelihood.log_likelihood(grid) + stated.frozen().logpdf(grid)
    density = np.exp(log_density - log_density.max(axis=-1, keepdims=True))
    total = CubicSpline(grid, density, axis=-1).integrate(grid[0], grid[-1])
    return PartialPosterior(grid, density / np.asarray(total)[..., None])


def _grid(likelihood: TwoArms, prior: Distribution) -> np.ndarray:
    """Points over all that any of the posteriors covers."""
    believed = prior.frozen()
    middle = believed.median()
    tails = believed.ppf([PRIOR_TAIL, 1 - PRIOR_TAIL])
    low, high = np.clip(tails, middle - WIDEST, middle + WIDEST)
    for _ in range(2):  # each time nearer to where the mass is
        points = np.linspace(low, high, COARSE)
        log_density = likelihood.log_likelihood(points) + believed.logpdf(points)
        kept = log_density > log_density.max(axis=-1, keepdims=True) + NOTHING
        held = np.flatnonzero(kept.reshape(-1, COARSE).any(axis=0))
        low, high = points[max(held[0] - 1, 0)], points[min(held[-1] + 1, COARSE - 1)]
    return np.linspace(low, high, POINTS)
