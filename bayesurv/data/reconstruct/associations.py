"""Tests of tables of counts, compiled as those of `statistics` are."""

import math

import numpy as np

from bayesurv.data.reconstruct.statistics import compiled


@compiled
def pearson_p(table: np.ndarray) -> float:
    """P of Pearson's chi-squared test without correction; empty rows and columns do not count."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    total = rows.sum()
    statistic = 0.0
    for r in range(len(rows)):
        for c in range(len(columns)):
            expected = rows[r] * columns[c] / total
            if expected > 0:
                statistic += (table[r, c] - expected) ** 2 / expected
    freedom = ((rows > 0).sum() - 1) * ((columns > 0).sum() - 1)
    return chi_squared_p(statistic, int(freedom))


@compiled
def chi_squared_p(statistic: float, freedom: int) -> float:
    """Upper tail of the chi-squared distribution, by its recursion over degrees of freedom."""
    if freedom < 1:
        return 1.0
    half = statistic / 2
    if freedom % 2:
        tail, at = math.erfc(math.sqrt(half)), 1
    else:
        tail, at = math.exp(-half), 2
    while at < freedom:
        if half > 0:
            tail += math.exp(at / 2 * math.log(half) - half - math.lgamma(at / 2 + 1))
        at += 2
    return tail


@compiled
def fisher_p(table: np.ndarray) -> float:
    """Two-sided P of Fisher's exact test of a 2 x 2 table: tables no likelier than this one."""
    first, second = table[0].sum(), table[1].sum()
    successes = table[0, 0] + table[1, 0]
    low, high = max(0, successes - second), min(first, successes)
    size = int(high - low) + 1
    logs = np.empty(size)
    for i in range(size):
        a = low + i
        logs[i] = -(
            math.lgamma(a + 1)
            + math.lgamma(first - a + 1)
            + math.lgamma(successes - a + 1)
            + math.lgamma(second - successes + a + 1)
        )
    chance = np.exp(logs - logs.max())
    mine = chance[int(table[0, 0] - low)]
    return min(1.0, chance[chance <= mine * (1 + 1e-7)].sum() / chance.sum())


@compiled
def spss_p(table: np.ndarray) -> float:
    """Pearson's test, or Fisher's where a cell of a 2 x 2 table has fewer than 5 expected."""
    if table.shape == (2, 2):
        least = table.sum(axis=1).min() * table.sum(axis=0).min() / table.sum()
        if least < 5:
            return fisher_p(table)
    return pearson_p(table)
