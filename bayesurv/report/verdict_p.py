"""Checks of statements by the P values that are printed beside counts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.faults import listed
from bayesurv.data.published import Counts
from bayesurv.data.published.statements import PAPER
from bayesurv.frequentist.rules import TESTS
from bayesurv.frequentist.standardised_difference import difference_of_shares
from bayesurv.plots.style import p_value
from bayesurv.report.published import reproduced
from bayesurv.report.verdict_material import (
    CONTRADICTED,
    NOT_REPRODUCIBLE,
    REPRODUCED,
    SIGNIFICANT,
    Finding,
    Material,
)

Given = Mapping[str, Any]
APART, FAR_APART = 0.1, 0.4  # standardised differences


def p_of_counts(material: Material, given: Given) -> Finding:
    """Printed P beside counts: which test gives each."""
    rows = [material.row(item, given.get("source", PAPER)) for item in given["items"]]
    told = [(row, _by(row)) for row in rows]
    by_none = [row["item"] for row, by in told if by is None]
    said = [f"{row['item']}: {p_value(row[by])} by {by}" for row, by in told if by is not None]
    usual = ("Pearson", "Fisher")
    others = [
        f"{row['item']}: Pearson {row['Pearson']:.4f}, Fisher {row['Fisher']:.4f}, {by} "
        f"{row[by]:.4f}"
        for row, by in told
        if by not in usual and by is not None
    ]
    evidence = f"{len(said)} of {len(rows)} are given by a test of the printed counts"
    evidence += f"; none gives {listed(by_none)}" if by_none else ""
    evidence += f". In four decimals, {'; '.join(others)}." if others else "."
    return Finding(
        NOT_REPRODUCIBLE if by_none else REPRODUCED,
        "; ".join(f"{row['item']} {row['printed']}" for row in rows),
        "; ".join(said),
        evidence,
    )


def _by(row: pd.Series) -> str | None:
    """The first test that gives a printed P: Pearson and Fisher before the rest."""
    given = [name for name in row["reproduced_by"].split("; ") if name]
    first = sorted(given, key=lambda name: ("Pearson", "Fisher", *TESTS).index(name))
    return first[0] if first else None


def stated_test(material: Material, given: Given) -> Finding:
    """Whether the test that is stated gives every printed P."""
    own = material.tests
    by = reproduced(own).set_index("by")
    name = given["test"]
    count, every = by.loc[name, "reproduced"], len(own)
    missed = own[~own["reproduced_by"].str.split("; ").apply(lambda names: name in names)]
    others = "; ".join(
        f"{row['item']} {row['printed']}, not {row[name]:.3f}" for _, row in missed.iterrows()
    )
    return Finding(
        REPRODUCED if count == every else CONTRADICTED,
        f"{name} throughout",
        f"{count} of {every} P by {name}, {by.loc['Pearson', 'reproduced']} by Pearson",
        f"{name}'s test gives {count} of the {every} P values printed beside counts"
        + (f"; the others are printed as {others}." if others else "."),
    )


def two_p(material: Material, given: Given) -> Finding:
    """One table with two printed P: whether any one test gives both."""
    rows = [material.row(given["item"], source) for source in given["sources"]]
    tests = [set(filter(None, row["reproduced_by"].split("; "))) for row in rows]
    both = tests[0] & tests[1]
    said = [
        f"P = {row['printed']} ({source}) is given by {listed(sorted(by)) or 'no test here'}"
        for row, source, by in zip(rows, given["sources"], tests, strict=True)
    ]
    return Finding(
        REPRODUCED if both else CONTRADICTED,
        " and ".join(row["printed"] for row in rows),
        f"Fisher {rows[0]['Fisher']:.4f}, (N-1) chi-squared {rows[0]['(N-1) chi-squared']:.4f}",
        f"The counts are the same. {said[0]}; {said[1]}; "
        f"{listed(sorted(both)) or 'no test'} gives both.",
    )


def not_significant(material: Material, given: Given) -> Finding:
    """No printed P below 0.05, or with `most` less than half; and how far arms differ."""
    rows = [material.row(item) for item in given["items"]]
    printed = {row["item"]: float(row["printed"]) for row in rows}
    printed |= {name: float(material.medians(name).p or "nan") for name in given.get("ranked", ())}
    below = [name for name, p in printed.items() if p < SIGNIFICANT]
    counted = [material.counts(item) for item in given["items"]]
    apart = {item.name: abs(difference_of_shares(item.table)) for item in counted}
    far = [f"{item.name} {apart[item.name]:.2f}{_more(item)}" for item in counted
           if apart[item.name] >= FAR_APART]  # fmt: skip
    holds = len(below) < len(printed) / 2 if given.get("most") else not below
    own = [row for row in rows if _by(row) is None]
    least = min(printed, key=printed.__getitem__)
    return Finding(
        CONTRADICTED if not holds else NOT_REPRODUCIBLE if own else REPRODUCED,
        f"{len(printed) - len(below)} of {len(printed)} P above {SIGNIFICANT}",
        f"least P {printed[least]:.3f} ({least}); standardised difference of "
        f"{APART} or more in {sum(value >= APART for value in apart.values())} of {len(apart)}",
        f"{len(below)} of {len(printed)} printed P are below {SIGNIFICANT}"
        f"{f' ({listed(below)})' if below else ''}. Standardised differences of {FAR_APART} or "
        f"more: {listed(far) or 'none'}.",
    )


def _more(item: Counts) -> str:
    """Which group has more, of what is there or is not."""
    if len(item.counts) > 1:
        return ""
    shares = np.divide(item.counts[0], item.of)
    return f" (more with {item.groups[int(np.argmax(shares))]})"
