"""Counts told from a printed P: every table of two outcomes that would print it."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product

import numpy as np

from bayesurv.data.published import rounds_to
from bayesurv.frequentist.rules import p_by_rule


@cache
def counts_of_p(
    sizes: Sequence[int], printed: str, *, rule: str = "spss", total: int | None = None
) -> tuple[tuple[int, ...], ...]:
    """Every way in which some of each group may have an outcome for its P to print as it does.

    Parameters
    ----------
    sizes : tuple of int, (group,)
        Patients of each group.
    printed : str
        P as printed.
    rule : str
        A key of `frequentist.rules.RULES`, which chooses the test.
    total : int, optional
        How many have the outcome in all groups together.
    """
    return tuple(
        counts
        for counts in _counts(sizes, total)
        if rounds_to(p_by_rule(_table(counts, sizes), rule).p, printed)
    )


def _counts(sizes: Sequence[int], total: int | None) -> Iterator[tuple[int, ...]]:
    for counts in product(*(range(size + 1) for size in sizes)):
        if total is None or sum(counts) == total:
            yield counts


def _table(counts: Sequence[int], sizes: Sequence[int]) -> np.ndarray:
    return np.array([counts, np.subtract(sizes, counts)])


def joint_counts(
    first: tuple[int, ...], printed: str, second: tuple[int, ...], also: str, *, rule: str = "spss"
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Counts by two divisions of the same patients that print one P each, and have one total.

    Parameters
    ----------
    first, second : tuple of int, (group,)
        Patients of each group, by either division.
    printed, also : str
        P by the first division and by the second.
    rule : str
        As for `counts_of_p`.
    """
    return [
        (counts, others)
        for counts in counts_of_p(first, printed, rule=rule)
        for others in counts_of_p(second, also, rule=rule, total=sum(counts))
    ]
