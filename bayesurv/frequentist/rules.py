"""Named tests of a table, and named rules that choose among them."""

from collections.abc import Callable
from typing import NamedTuple

from numpy.typing import ArrayLike

from bayesurv.frequentist.barnard import barnard, barnard_unpooled
from bayesurv.frequentist.contingency import (
    as_table,
    expected,
    likelihood_ratio,
    linear_by_linear,
    n_minus_1,
    pearson,
    rank_sum_of_levels,
    yates,
)
from bayesurv.frequentist.exact import exact_pearson, fisher, fisher_mid_p

ENOUGH = 5  # expected in every cell, for Pearson's chi-squared (Cochran, Biometrics 1954)

TableTest = Callable[[ArrayLike], float]

TESTS: dict[str, TableTest] = {
    "Pearson": pearson,
    "Yates": yates,
    "likelihood ratio": likelihood_ratio,
    "(N-1) chi-squared": n_minus_1,
    "linear-by-linear": linear_by_linear,
    "rank sum": rank_sum_of_levels,
    "Fisher": fisher,
    "Fisher mid-P": fisher_mid_p,
    "exact Pearson": exact_pearson,
    "Barnard": barnard,
    "Barnard unpooled": barnard_unpooled,
}
"""By name. Fisher is Fisher, Freeman and Halton's test of tables larger than 2 x 2."""

OF_TWO_BY_TWO = ("Yates", "Barnard", "Barnard unpooled")
OF_ORDERED_LEVELS = ("linear-by-linear", "rank sum")


class Tested(NamedTuple):
    """A P value and the name of the test that gave it."""

    test: str
    p: float


NOTHING = Tested("none", float("nan"))
"""Where fewer than two levels or groups have anyone: there is nothing to compare."""


def applies(test: str, table: ArrayLike, *, ordered: bool = False) -> bool:
    """Whether a test of this name suits a table; `ordered`: its rows are levels in order."""
    shape = as_table(table).shape
    if test in OF_TWO_BY_TWO:
        return shape == (2, 2)
    return test not in OF_ORDERED_LEVELS or in_order(shape, ordered)


def in_order(shape: tuple[int, ...], ordered: bool) -> bool:
    """Whether rows (two, or `ordered`) and columns (two) can be numbered."""
    return shape[1] <= 2 and (ordered or shape[0] <= 2)


def by_fisher(table: ArrayLike, ordered: bool = False) -> Tested:
    """Fisher's exact test throughout, Fisher, Freeman and Halton's of larger tables."""
    size = as_table(table).shape
    return Tested("Fisher" if size == (2, 2) else "Fisher-Freeman-Halton", fisher(table))


def by_pearson(table: ArrayLike, ordered: bool = False) -> Tested:
    """Pearson's chi-squared without correction throughout."""
    return Tested("Pearson", pearson(table))


def by_spss(table: ArrayLike, ordered: bool = False) -> Tested:
    """Pearson's chi-squared where 5 or more are expected in every cell, else `by_fisher`.

    What a reader of SPSS's crosstabs does who heeds the footnote on expected counts.
    """
    enough = bool((expected(as_table(table)) >= ENOUGH).all())
    return by_pearson(table) if enough else by_fisher(table)


def by_linear_by_linear(table: ArrayLike, ordered: bool = False) -> Tested:
    """Linear-by-linear association where levels and groups have an order, else `by_pearson`."""
    if not in_order(as_table(table).shape, ordered):
        return by_pearson(table)
    return Tested("linear-by-linear", linear_by_linear(table))


RULES: dict[str, Callable[[ArrayLike, bool], Tested]] = {
    "fisher": by_fisher,
    "pearson": by_pearson,
    "spss": by_spss,
    "linear-by-linear": by_linear_by_linear,
}


def p_by_rule(table: ArrayLike, rule: str, *, ordered: bool = False) -> Tested:
    """P of a table by a rule, and the test that the rule chose.

    Parameters
    ----------
    table : int array, (level, group)
        Empty rows and columns are left out.
    rule : str
        A key of RULES.
    ordered : bool
        Whether the levels stand in order.
    """
    if min(as_table(table).shape) < 2:
        return NOTHING
    return RULES[rule](table, ordered)
