"""Patient flow, Table 1 and Table 2 of the founding paper, with every P by every rule."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.published import Counts, Medians, Published, rounds_to
from bayesurv.frequentist.contingency import rank_sum
from bayesurv.frequentist.rules import RULES
from bayesurv.frequentist.standardised_difference import (
    difference_of_means,
    difference_of_shares,
    interval,
)
from bayesurv.report.published import RULE_COLUMNS
from bayesurv.report.reproduce_input import TREATMENT

COLUMNS_OF_MEDIANS = {
    "age": "age",
    "lines of therapy before CTI1": "lines",
    "follow-up": "os_months",
}
"""Members' columns of what the paper prints medians of; follow-up is the time to death or last
contact."""

UNPLACED = "hypogammaglobulinaemia (IgG < 400 mg/dL)"  # printed in the text, beside Table 2


def flow_table(published: Published) -> pd.DataFrame:
    """How many patients came to each step, and how CTI1 failed. Columns: step, arm, patients."""
    rows: list[tuple[str, str, int]] = [
        (each.step, "all", each.patients) for each in published.flow
    ]
    rows += [
        ("salvage therapy", *pair) for pair in zip(published.arms, published.patients, strict=True)
    ]
    failure = published.named("failure of CTI1")
    if isinstance(failure, Counts):
        for level, counts in zip(failure.levels, failure.counts, strict=True):
            rows.append((f"{level} after CTI1", "all", sum(counts)))
            rows += [
                (f"{level} after CTI1", *pair) for pair in zip(failure.groups, counts, strict=True)
            ]
    return pd.DataFrame(rows, columns=["step", "arm", "patients"])


def baseline_rows(
    published: Published, tests: pd.DataFrame, cohorts: Sequence[pd.DataFrame]
) -> pd.DataFrame:
    """Table 1, as `printed_rows`; numbers have the range of the members' rank-sum P."""
    items = [each for each in published.counts if _stands_in(each.where, "Table 1")]
    return printed_rows(published, tests, items, published.medians, cohorts)


def adverse_event_rows(published: Published, tests: pd.DataFrame) -> pd.DataFrame:
    """Table 2, as `printed_rows`, and the immunoglobulin that the text gives beside it."""
    items = [
        each
        for each in published.counts
        if _stands_in(each.where, "Table 2") or each.name == UNPLACED
    ]
    return printed_rows(published, tests, items, (), ())


def _stands_in(where: Sequence[str], table: str) -> bool:
    return any(place.startswith(table) for place in where)


def printed_rows(
    published: Published,
    tests: pd.DataFrame,
    items: Sequence[Counts],
    medians: Sequence[Medians],
    cohorts: Sequence[pd.DataFrame],
) -> pd.DataFrame:
    """One row for each level of each item, or for each median; `tests` are those `recomputed`.

    Columns: item, level, one per arm as printed, smd with smd_lower and smd_upper (standardised
    difference, the treated less the others; of three or more levels a distance; of numbers the
    members' median), printed_p, one per rule of `rules.RULES`, reproduced_by (tests that give the
    printed P), members_p_low, members_p_median, members_p_high and members_same (share of members
    whose P rounds to the printed one), derived (how what is not printed follows).
    """
    by_item = tests.drop_duplicates("item").set_index("item")
    rows: list[dict[str, Any]] = []
    for number in medians:
        if number.groups == published.arms:
            rows.append(_of_median(number, cohorts))
    for item in items:
        rows += _of_counts(item, by_item.loc[item.name])
    columns = ["item", "level", *published.arms, "smd", "smd_lower", "smd_upper", "printed_p"]
    columns += [*RULES, "reproduced_by", "members_p_low", "members_p_median", "members_p_high"]
    return pd.DataFrame(rows).reindex(columns=[*columns, "members_same", "derived"])


def _of_counts(item: Counts, tested: pd.Series) -> Iterator[dict[str, Any]]:
    shown = [
        {
            arm: f"{count}/{of} ({100 * count / of:.0f}%)"
            for arm, count, of in zip(item.groups, counts, item.of, strict=True)
        }
        for counts in item.counts
    ]
    once = {**_difference(item), "printed_p": item.p, "derived": item.derived}
    once |= {rule: tested[column] for column, rule in RULE_COLUMNS.items()}
    once["reproduced_by"] = tested["reproduced_by"] if item.p else None
    for i, (level, cells) in enumerate(zip(item.levels, shown, strict=True)):
        yield {"item": item.name, "level": level, **cells, **(once if i == 0 else {})}


def _difference(item: Counts) -> dict[str, float]:
    """The first arm, the treated, against the second; of one level, its share."""
    table = item.table[::-1, ::-1] if len(item.table) == 2 else item.table[:, ::-1]
    found = difference_of_shares(table)
    known = len(table) == 2 and np.isfinite(found)
    lower, upper = interval(found, (item.of[1], item.of[0])) if known else (np.nan, np.nan)
    return {"smd": found, "smd_lower": lower, "smd_upper": upper}


def _of_median(item: Medians, cohorts: Sequence[pd.DataFrame]) -> dict[str, Any]:
    column = COLUMNS_OF_MEDIANS[item.name]
    arms = [
        (rows.loc[rows[TREATMENT] == 1, column], rows.loc[rows[TREATMENT] == 0, column])
        for rows in cohorts
    ]
    p = np.array([rank_sum(pair) for pair in arms])
    differences = [difference_of_means(others, treated) for treated, others in arms]
    middle = float(np.median(differences))
    lower, upper = interval(middle, (len(arms[0][1]), len(arms[0][0])))
    limits = zip(item.groups, item.median, item.lower, item.upper, strict=True)
    return {
        "item": item.name,
        "level": f"median ({item.bounds}), {item.unit}",
        **{arm: f"{m:g} ({low:g}-{high:g})" for arm, m, low, high in limits},
        "smd": middle,
        "smd_lower": lower,
        "smd_upper": upper,
        "printed_p": item.p,
        "reproduced_by": "rank sum" if item.p and rounds_to(float(np.median(p)), item.p) else None,
        "members_p_low": p.min(),
        "members_p_median": float(np.median(p)),
        "members_p_high": p.max(),
        "members_same": np.mean([rounds_to(each, item.p) for each in p]) if item.p else np.nan,
    }
