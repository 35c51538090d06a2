"""Baseline and adverse-event tables: each column's values by group, and how the groups differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayesurv.data.covariates import is_category
from bayesurv.data.faults import Fault, InputError
from bayesurv.data.read import as_text
from bayesurv.frequentist.contingency import rank_sum
from bayesurv.frequentist.rules import NOTHING, Tested, p_by_rule
from bayesurv.frequentist.standardised_difference import (
    difference_of_means,
    difference_of_shares,
    interval,
)

OVERALL = "overall"
MISSING = "(missing)"
NUMBERS = {
    "mean": "mean",
    "std": "sd",
    "min": "minimum",
    "25%": "lower_quartile",
    "50%": "median",
    "75%": "upper_quartile",
    "max": "maximum",
}
"""What pandas calls the summaries of a column of numbers, and what the table does."""


@dataclass(frozen=True, eq=False)
class BaselineTable:
    """Summaries of each column in each group and overall, and comparisons of the groups.

    groups : mapping
        Patients overall and in each group, in order.
    values : DataFrame
        One row per variable, level (missing values are a level, where there are any) and group:
        count, percent (of those with a value; missing ones: of all), and for numbers mean, sd,
        minimum, lower_quartile, median, upper_quartile, maximum.
    comparisons : DataFrame
        One row per variable: smd (standardised mean difference, the second group less the first;
        of three or more groups the largest of any two, without sign), smd_lower, smd_upper (95%
        confidence interval, of two groups where the difference has a sign), p, test.
    """

    groups: Mapping[str, int]
    values: pd.DataFrame
    comparisons: pd.DataFrame


def baseline_table(frame: pd.DataFrame, group: ArrayLike, rule: str = "spss") -> BaselineTable:
    """Summarise and compare groups of patients.

    Parameters
    ----------
    frame : DataFrame, (patient, variable)
        Numbers, or categories (`pandas.Categorical`). Numbers that are all 0 or 1 are categories.
    group : array, (patient,)
        Categories in order, or anything sortable; no value missing.
    rule : str
        What tests categories, a key of `rules.RULES`. Numbers are tested by their ranks.

    Raises
    ------
    InputError
        An exact test was asked of tables that are too large for one.
    """
    members = pd.Categorical(group).remove_unused_categories()
    groups = {OVERALL: np.full(len(frame), True)}
    groups |= {str(name): np.asarray(members == name) for name in members.categories}
    values, comparisons, faults = [], [], []
    for name in frame:
        column = _column(frame[name].reset_index(drop=True))
        for label, member in groups.items():
            values += [
                {"variable": name, "level": level, "group": label, **row}
                for level, row in _summaries(column[member], column.isna().any())
            ]
        arms = [column[member].dropna() for member in list(groups.values())[1:]]
        try:
            comparisons.append({"variable": name, **_compared(arms, rule)})
        except ValueError as error:
            faults.append(Fault(f"{error} (--rule pearson)", column=str(name)))
    if faults:
        raise InputError(faults)
    sizes = {label: int(member.sum()) for label, member in groups.items()}
    return BaselineTable(sizes, pd.DataFrame(values), pd.DataFrame(comparisons))


def _column(values: pd.Series) -> pd.Series:
    """Numbers 0 and 1 as categories, others as they are."""
    if is_category(values) or not values.dropna().isin((0, 1)).all():
        return values
    return pd.Series(pd.Categorical(as_text(values.astype(float)), categories=["0", "1"]))


def _summaries(values: pd.Series, any_missing: bool) -> Iterator[tuple[str, dict[str, float]]]:
    """Each level of a column in one group, and what there is to say of it."""
    present = values.dropna()
    if is_category(values):
        counts = present.value_counts(sort=False)
        shares = 100 * counts / max(len(present), 1)
        for level in counts.index:
            yield level, {"count": counts[level], "percent": shares[level]}
    else:
        found = present.describe().rename(NUMBERS)
        yield "", {"count": len(present), **found[list(NUMBERS.values())]}
    if any_missing:
        missing = len(values) - len(present)
        yield MISSING, {"count": missing, "percent": 100 * missing / max(len(values), 1)}


def _compared(arms: list[pd.Series], rule: str) -> dict[str, object]:
    """Standardised difference and test of one column between groups, each without missing."""
    if is_category(arms[0]):
        counts = np.column_stack([arm.value_counts(sort=False) for arm in arms])
        found = p_by_rule(counts, rule, ordered=bool(arms[0].cat.ordered))
        differences = [difference_of_shares(np.stack(p, axis=1)) for p in combinations(counts.T, 2)]
        signed = np.count_nonzero(counts.any(axis=1)) == 2
    else:
        found = _by_ranks(arms)
        differences = [difference_of_means(*pair) for pair in combinations(arms, 2)]
        signed = True
    return {**_difference(differences, arms, signed), "p": found.p, "test": found.test}


def _by_ranks(arms: list[pd.Series]) -> Tested:
    present = [arm for arm in arms if len(arm)]
    if len(present) < 2 or pd.concat(present).nunique() < 2:
        return NOTHING
    return Tested("Wilcoxon" if len(present) == 2 else "Kruskal-Wallis", rank_sum(present))


def _difference(differences: list[float], arms: list[pd.Series], signed: bool) -> dict[str, float]:
    if len(arms) != 2:
        sizes = np.abs(differences)
        largest = np.nan if np.isnan(sizes).all() else float(np.nanmax(sizes))
        return {"smd": largest, "smd_lower": np.nan, "smd_upper": np.nan}
    (smd,) = differences
    known = signed and np.isfinite(smd)
    lower, upper = interval(smd, (len(arms[0]), len(arms[1]))) if known else (np.nan, np.nan)
    return {"smd": smd, "smd_lower": lower, "smd_upper": upper}
