"""Exact tests of a contingency table, over every table with the same margins."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from bayesurv.frequentist.contingency import as_table, expected

LARGEST = 10_000_000  # ways to fill half a table; about two seconds
TIE = 1e-7  # difference of two statistics that is rounding: such tables are equally extreme
TOO_LARGE = "the table is too large for an exact test; merge levels, or use Pearson's chi-squared"

Statistic = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Of (cells, expected cells), shape (..., column): each row's share of the statistic, (...)."""


@dataclass(frozen=True, eq=False)
class _Ways:
    """Every way to fill some rows of a table.

    filled : (way, column) sums of the columns.
    statistic : (way,)
    probability : (way,) where each row's patients fall into the columns at random.
    """

    filled: np.ndarray
    statistic: np.ndarray
    probability: np.ndarray


def fisher(table: ArrayLike) -> float:
    """P of Fisher's exact test, and of Fisher, Freeman and Halton's for larger tables.

    The probability, given the margins, of all tables no more probable than this one.

    Source: Freeman and Halton, Biometrika 1951.

    Raises
    ------
    ValueError
        There are too many tables with these margins.
    """
    return _tail(table, _improbability)[0]


def fisher_mid_p(table: ArrayLike) -> float:
    """As `fisher`, but tables exactly as probable as this one count half.

    Source: Lancaster, Journal of the American Statistical Association 1961.
    """
    at_least, equal = _tail(table, _improbability)
    return at_least - equal / 2


def exact_pearson(table: ArrayLike) -> float:
    """P of Pearson's chi-squared among all tables with these margins, not by its limit.

    Source: Agresti, Statistical Science 1992.

    Raises
    ------
    ValueError
        There are too many tables with these margins.
    """
    return _tail(table, _distance)[0]


def _improbability(cells: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """-log probability of a table, less what all tables with its margins share."""
    return gammaln(cells + 1).sum(axis=-1)


def _distance(cells: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return ((cells - expected) ** 2 / expected).sum(axis=-1)


def _tail(table: ArrayLike, statistic: Statistic) -> tuple[float, float]:
    """Probability, given the margins, of a statistic as large as this table's; and of the same.

    The rows are dealt into two halves. Each half is enumerated by itself, and ways to fill them
    are matched where their column sums complete each other, so that whole tables, far more than
    halves, are never listed.
    """
    counts = as_table(table)
    if min(counts.shape) < 2:
        return 1.0, 0.0  # there is nothing to compare
    counts = counts.T if counts.shape[1] > counts.shape[0] else counts
    counts = counts[np.argsort(-counts.sum(axis=1), kind="stable")]
    fitted, columns = expected(counts), counts.sum(axis=0)
    first, second = (
        _filled(counts[half::2], fitted[half::2], columns, statistic) for half in (0, 1)
    )
    return _matched(first, second, columns, float(statistic(counts, fitted).sum()))


def _filled(
    rows: np.ndarray, fitted: np.ndarray, columns: np.ndarray, statistic: Statistic
) -> _Ways:
    """Every way to fill these rows within the column sums."""
    first, *others = (
        _one_row(int(row.sum()), fit, columns, statistic)
        for row, fit in zip(rows, fitted, strict=True)
    )
    for other in others:
        first = _joined(first, other, columns)
    return first


def _one_row(total: int, fit: np.ndarray, columns: np.ndarray, statistic: Statistic) -> _Ways:
    cells = _compositions(total, columns)
    share = np.log(columns / columns.sum())
    chance = np.exp(gammaln(total + 1) + (cells * share - gammaln(cells + 1)).sum(axis=1))
    return _Ways(cells, statistic(cells, fit), chance)


def _compositions(total: int, limits: np.ndarray) -> np.ndarray:
    """Every way to share out a total among columns, shape (way, column), within their limits."""
    found = np.zeros((1, 0), dtype=np.int32)
    for limit in limits[:-1]:
        cell = np.arange(min(total, limit) + 1, dtype=np.int32)
        _check_size(len(found) * len(cell))
        found = np.column_stack([np.repeat(found, len(cell), axis=0), np.tile(cell, len(found))])
        found = found[found.sum(axis=1) <= total]
    rest = total - found.sum(axis=1, dtype=np.int32)
    return np.column_stack([found, rest])[rest <= limits[-1]]


def _joined(first: _Ways, other: _Ways, columns: np.ndarray) -> _Ways:
    _check_size(len(first.statistic) * len(other.statistic))
    found = []
    for cells, statistic, chance in zip(
        other.filled, other.statistic, other.probability, strict=True
    ):
        filled = first.filled + cells
        room = (filled <= columns).all(axis=1)
        values = first.statistic[room] + statistic, first.probability[room] * chance
        found.append((filled[room], *values))
    return _Ways(*map(np.concatenate, zip(*found, strict=True)))


def _check_size(ways: int) -> None:
    if ways > LARGEST:
        raise ValueError(TOO_LARGE)


def _matched(
    first: _Ways, second: _Ways, columns: np.ndarray, observed: float
) -> tuple[float, float]:
    at_least = equal = total = 0.0
    completing = dict(_by_sums(second, columns - second.filled, columns))
    for sums, (statistic, probability) in _by_sums(first, first.filled, columns):
        if sums not in completing:
            continue
        others, chances = completing[sums]
        tail = np.append(np.cumsum(chances[::-1])[::-1], 0.0)
        reached = tail[np.searchsorted(others, observed - TIE - statistic)]
        passed = tail[np.searchsorted(others, observed + TIE - statistic)]
        at_least += probability @ reached
        equal += probability @ (reached - passed)
        total += probability.sum() * tail[0]
    return float(at_least / total), float(equal / total)


def _by_sums(
    ways: _Ways, sums: np.ndarray, columns: np.ndarray
) -> Iterator[tuple[int, tuple[np.ndarray, np.ndarray]]]:
    """For each set of column sums: the statistics in order, and their probabilities."""
    key = np.ravel_multi_index(tuple(sums[:, :-1].T), columns[:-1] + 1)
    order = np.lexsort([ways.statistic, key])
    names, starts = np.unique(key[order], return_index=True)
    statistics = np.split(ways.statistic[order], starts[1:])
    probabilities = np.split(ways.probability[order], starts[1:])
    yield from zip(names.tolist(), zip(statistics, probabilities, strict=True), strict=True)
