"""Tests of a contingency table that rest on large samples, and of numbers by their ranks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import chdtrc


def as_table(table: ArrayLike) -> np.ndarray:
    """Counts, shape (row, column), without empty rows and columns, of which no test can say more.

    Raises
    ------
    ValueError
        They are not whole numbers of 0 or more in rows and columns.
    """
    counts = np.asarray(table)
    if counts.ndim != 2 or not np.issubdtype(counts.dtype, np.integer) or (counts < 0).any():
        raise ValueError("a contingency table holds counts, whole numbers of 0 or more")
    return counts[counts.any(axis=1)][:, counts.any(axis=0)]


def expected(counts: np.ndarray) -> np.ndarray:
    """Counts to be expected, shape (row, column), if rows and columns are independent."""
    return np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()


def pearson(table: ArrayLike) -> float:
    """P of Pearson's chi-squared, sum of (observed - expected)^2 / expected, without correction."""
    return _chi_squared(table)[1]


def yates(table: ArrayLike) -> float:
    """P of Pearson's chi-squared of a 2 x 2 table with each difference 1/2 nearer to 0.

    Source: Yates, Supplement to the Journal of the Royal Statistical Society 1934.
    """
    return _chi_squared(table, correction=True)[1]


def likelihood_ratio(table: ArrayLike) -> float:
    """P of the likelihood-ratio chi-squared, 2 sum of observed log(observed / expected)."""
    return _chi_squared(table, lambda_="log-likelihood")[1]


def n_minus_1(table: ArrayLike) -> float:
    """P of Pearson's chi-squared times (N - 1) / N.

    Source: Campbell, Statistics in Medicine 2007.
    """
    counts = as_table(table)
    statistic, _, freedom = _chi_squared(counts)
    total = counts.sum()
    return float(chdtrc(freedom, statistic * (total - 1) / total)) if freedom else 1.0


def _chi_squared(
    table: ArrayLike, *, correction: bool = False, lambda_: str = "pearson"
) -> tuple[float, float, int]:
    counts = as_table(table)
    if min(counts.shape) < 2:
        return 0.0, 1.0, 0
    found = stats.chi2_contingency(counts, correction=correction, lambda_=lambda_)
    return float(found.statistic), float(found.pvalue), int(found.dof)


def linear_by_linear(table: ArrayLike) -> float:
    """P of (N - 1) r^2, r the correlation of row and column numbers: chi-squared, 1 degree.

    For levels in order; of a 2 x 2 table the same as `n_minus_1`. An empty row or column is no
    step.

    Source: Mantel, Journal of the American Statistical Association 1963.
    """
    counts = as_table(table)
    if min(counts.shape) < 2:
        return 1.0
    rows, columns = (np.arange(size) for size in counts.shape)
    total = counts.sum()
    by_row, by_column = counts.sum(axis=1) / total, counts.sum(axis=0) / total
    from_mean = rows - rows @ by_row, columns - columns @ by_column
    covariance = from_mean[0] @ counts @ from_mean[1] / total
    variances = (from_mean[0] ** 2 @ by_row) * (from_mean[1] ** 2 @ by_column)
    return float(chdtrc(1, (total - 1) * covariance**2 / variances))


def rank_sum_of_levels(table: ArrayLike) -> float:
    """P of the rank-sum test of the row levels, in order, between the columns; ties averaged."""
    counts = as_table(table)
    levels = np.arange(len(counts))
    return rank_sum([np.repeat(levels, column) for column in counts.T])


def rank_sum(samples: Sequence[ArrayLike]) -> float:
    """P of Wilcoxon's rank-sum test, of Kruskal and Wallis's for more samples, with ties.

    Its large-sample form without continuity correction, as SPSS prints it. Samples in which all
    numbers are the same have nothing to compare: P is 1.

    Source: Kruskal and Wallis, Journal of the American Statistical Association 1952.
    """
    present = [np.asarray(sample) for sample in samples if np.size(sample)]
    if len(present) < 2 or np.ptp(np.concatenate(present)) == 0:
        return 1.0
    # By rounding scipy's statistic can be just below 0, and its P is then not a number.
    statistic = max(stats.kruskal(*present).statistic, 0.0)
    return float(chdtrc(len(present) - 1, statistic))
