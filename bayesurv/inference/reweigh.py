"""Pareto-smoothed importance weights, and what they say about weighted draws."""

from collections.abc import Sequence

import numpy as np

MAX_PARETO_K = 0.7
ROUNDING = 1e-9  # log ratios closer than this are equal, and hold no tail to fit


def smoothed(log_ratio: np.ndarray) -> tuple[np.ndarray, float]:
    """Smoothed weights that add up to 1, of log ratios of shape `(chain, draw)`, and Pareto k.

    Above 0.7 the weights are unreliable; k is infinite where no tail could be fitted.

    Source: Vehtari et al., JMLR 2024, through arviz-stats.
    """
    from arviz_stats.base import array_stats

    if np.ptp(log_ratio) < ROUNDING:
        return np.full(log_ratio.shape, 1 / log_ratio.size), -np.inf
    log_weight, k = array_stats.psislw(-log_ratio, axis=(0, 1))  # it takes log likelihoods
    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum(), float(np.nan_to_num(k, nan=np.inf))


def systematic(weight: np.ndarray, draws: int, generator: np.random.Generator) -> np.ndarray:
    """Positions of equally weighted draws: each about as often as its weight says, in order."""
    edges = np.cumsum(weight) / weight.sum()
    points = (np.arange(draws) + generator.uniform()) / draws
    return np.minimum(np.searchsorted(edges, points), len(weight) - 1)


def weighted_quantile(
    values: np.ndarray, weights: np.ndarray, probabilities: Sequence[float]
) -> np.ndarray:
    """Quantiles of weighted draws, both of shape `(chain, draw)`.

    With equal weights, those of numpy's "hazen" rule; between draws that are not finite nothing
    is interpolated.
    """
    order = np.argsort(values, axis=None)
    ordered = values.reshape(-1)[order]
    share = np.cumsum(weights.reshape(-1)[order])
    middle = share - weights.reshape(-1)[order] / 2
    if np.isfinite(ordered).all():
        return np.interp(probabilities, middle, ordered)
    return ordered[np.minimum(np.searchsorted(share, probabilities), len(ordered) - 1)]


def weighted_error(values: np.ndarray, weights: np.ndarray) -> float:
    """Monte-Carlo standard error of a weighted mean of draws of shape `(chain, draw)`.

    The delta method of self-normalised weights, with the draws' own autocorrelation through the
    effective sample size of the weighted residuals. Where all draws agree, that of one more draw,
    of average weight, that does not.
    """
    from arviz_stats.base import array_stats

    if np.ptp(values.astype(float)) == 0:
        return float(1 / (1 + 1 / np.square(weights).sum()))
    mean = (weights * values).sum()
    residual = weights.size * weights * (values - mean)
    return float(array_stats.mcse(residual, chain_axis=0, draw_axis=1, method="mean"))
