"""Standardised differences between two groups: how far apart, whatever the sample size."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm


def difference_of_means(first: ArrayLike, second: ArrayLike) -> float:
    """(mean of the second - of the first) / sqrt of the mean of their variances.

    NaN where a group has fewer than two numbers; infinite where means differ and variances are 0.

    Source: Austin, Statistics in Medicine 2009.
    """
    groups = [np.asarray(values, dtype=float) for values in (first, second)]
    if min(map(len, groups)) < 2:
        return np.nan
    spread = np.mean([values.var(ddof=1) for values in groups])
    return _standardised(np.array([groups[1].mean() - groups[0].mean()]), np.array([[spread]]))


def difference_of_shares(counts: ArrayLike) -> float:
    """Mahalanobis distance between two groups' shares of the levels; counts are (level, group).

    Of two levels the second's share less, in the second group than in the first, so signed.
    NaN where a group is empty; infinite where groups without spread differ.

    Source: Yang and Dalton, SAS Global Forum 2012.
    """
    counts = np.asarray(counts)
    counts = counts[counts.any(axis=1)]
    if not counts.any(axis=0).all():
        return np.nan
    first, second = (counts / counts.sum(axis=0))[1:].T
    spreads = [np.diag(share) - np.outer(share, share) for share in (first, second)]
    return _standardised(second - first, np.mean(spreads, axis=0))


def _standardised(gap: np.ndarray, spread: np.ndarray) -> float:
    solved = np.linalg.pinv(spread, hermitian=True) @ gap
    beyond = not np.allclose(spread @ solved, gap)
    size = np.inf if beyond else np.sqrt(gap @ solved)
    return float(np.copysign(size, gap[0]) if len(gap) == 1 else size)


def interval(difference: float, sizes: tuple[int, int], prob: float = 0.95) -> tuple[float, float]:
    """Large-sample confidence interval of a signed standardised difference.

    Source: Hedges and Olkin, Statistical Methods for Meta-Analysis 1985.
    """
    first, second = sizes
    total = first + second
    variance = total / (first * second) + difference**2 / (2 * total)
    half = norm.isf((1 - prob) / 2) * np.sqrt(variance)
    return float(difference - half), float(difference + half)
