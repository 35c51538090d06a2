"""What members say by themselves, as one: Rubin's rule, and mixtures of posteriors."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from bayesurv.estimands.partial_posterior import PartialPosterior
from bayesurv.estimands.summary import CI_PROB
from bayesurv.models.mixture import NormalMixture

REACH = float(ndtri(0.5 + CI_PROB / 2))
ENDS = (0.5, 0.5 - CI_PROB / 2, 0.5 + CI_PROB / 2)
POINTS = 601


def rubin(log_ratio: np.ndarray, error: np.ndarray) -> dict[str, float]:
    """Members' log hazard ratios and standard errors, each (member,), as one estimate.

    Its variance is W + (1 + 1/m) B, the mean of the members' variances and the variance between m
    members. Entries hazard_ratio, lower, upper; within_sd, between_sd and share_between of the
    logarithm; member_low and member_high.

    Source: Rubin, Multiple Imputation for Nonresponse in Surveys 1987.
    """
    count, middle, within = len(log_ratio), log_ratio.mean(), (error**2).mean()
    between = log_ratio.var(ddof=1) * (1 + 1 / count) if count > 1 else 0.0
    reach = REACH * np.sqrt(within + between)
    return {
        "hazard_ratio": float(np.exp(middle)),
        "lower": float(np.exp(middle - reach)),
        "upper": float(np.exp(middle + reach)),
        "within_sd": float(np.sqrt(within)),
        "between_sd": float(np.sqrt(between)),
        "share_between": float(between / (within + between)),
        "member_low": float(np.exp(log_ratio.min())),
        "member_high": float(np.exp(log_ratio.max())),
    }


def mixture(posteriors: Sequence[PartialPosterior]) -> PartialPosterior:
    """Mixture of the members' posteriors, density (point,), each on a grid of its own."""
    low = min(each.grid[0] for each in posteriors)
    high = max(each.grid[-1] for each in posteriors)
    grid = np.linspace(low, high, POINTS)
    densities = [np.interp(grid, each.grid, each.density, 0, 0) for each in posteriors]
    return PartialPosterior(grid, np.mean(densities, axis=0))


def middle_and_limits(posterior: PartialPosterior | NormalMixture) -> list[np.ndarray]:
    """Median and central 95% of the hazard ratio, each (...)."""
    quantile = posterior.ppf if isinstance(posterior, NormalMixture) else posterior.quantile
    return [np.exp(quantile(q)) for q in ENDS]
