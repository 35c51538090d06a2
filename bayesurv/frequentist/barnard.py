"""Barnard's exact test of a 2 x 2 table, in which only the sizes of the groups are fixed."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.stats import binom

from bayesurv.frequentist.contingency import as_table

TIE = 1e-9  # scores nearer than this are equal; scipy's barnard_exact loses tables tied with this
GRID = np.linspace(0, 1, 1001)  # of the common share, before the maximum is refined


def barnard(table: ArrayLike) -> float:
    """P of Barnard's test by the score with pooled variance; columns are the groups.

    The largest probability, over the share that both groups may have in common, of a score
    |p1 - p2| / sqrt(variance) at least as large as this table's.

    Source: Barnard, Biometrika 1947; Suissa and Shuster, Journal of the Royal Statistical Society A
    1985.
    """
    return _barnard(table, pooled=True)


def barnard_unpooled(table: ArrayLike) -> float:
    """As `barnard`, with the variance of each group by itself."""
    return _barnard(table, pooled=False)


def _barnard(table: ArrayLike, *, pooled: bool) -> float:
    counts = as_table(table)
    if min(counts.shape) < 2:
        return 1.0
    sizes = counts.sum(axis=0)
    score = _scores(sizes, pooled)
    extreme = (score >= score[tuple(counts[0])] - TIE).astype(float)
    first, second = (np.arange(size + 1)[:, None] for size in sizes)

    def probability(share: ArrayLike) -> np.ndarray:
        chances = binom.pmf(first, sizes[0], share), binom.pmf(second, sizes[1], share)
        return (chances[0] * (extreme @ chances[1])).sum(axis=0)

    best = GRID[np.argmax(probability(GRID))]
    nearby = np.clip([best - GRID[1], best + GRID[1]], 0, 1)
    options = {"xatol": 1e-10}
    found = minimize_scalar(lambda p: -probability(p)[0], bounds=nearby, options=options)
    return float(max(-found.fun, probability(best)[0]))


def _scores(sizes: np.ndarray, pooled: bool) -> np.ndarray:
    """Score of every outcome, shape (first group's count + 1, second's + 1)."""
    counts = np.meshgrid(*(np.arange(size + 1) for size in sizes), indexing="ij")
    shares = [count / size for count, size in zip(counts, sizes, strict=True)]
    if pooled:
        shared = sum(counts) / sizes.sum()
        variance = shared * (1 - shared) * (1 / sizes).sum()
    else:
        variance = sum(p * (1 - p) / size for p, size in zip(shares, sizes, strict=True))
    gap = np.abs(shares[0] - shares[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gap == 0, 0.0, gap / np.sqrt(variance))
