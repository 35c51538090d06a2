"""Responses, adverse events and deaths of the founding paper by arm, by both analyses."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from bayesurv.report.paper_table import PaperTable
from bayesurv.report.publication_read import Output
from bayesurv.report.publication_words import NONE, chance, estimate, numbers, p, points, signs

DIFFERENCES = ("risk_difference", "posterior_difference")
LIMITS = tuple(f"{name}{end}" for name in DIFFERENCES for end in ("", "_lower", "_upper"))
RULE = "spss"
LABELS = {
    "outcome": "Outcome",
    "difference": "Difference, points (95% CI)",
    "published_p": "Published P",
    "recomputed_p": "Recomputed P",
    "posterior": "Difference, points (95% CrI)",
    "worse": "P(worse)",
}


def response_rows(output: Output) -> PaperTable | None:
    """Share of each arm, the difference by both analyses, and the P beside the published one."""
    needed = (*LIMITS, RULE, "prob_worse")
    table = output.table("responses.csv", needed, ("outcome", "kind", "printed_p"))
    if table is None:
        return None
    arms = [name.removesuffix(" events") for name in table if name.endswith(" events")]
    shares = [f"{arm} {each}" for arm in arms for each in ("events", "patients")]
    counted = output.table("responses.csv", (*needed, *shares))
    if counted is None:
        return None
    rows = [_row(row, arms) for row in counted.to_dict("records")]
    labels = {arm: f"{arm}, n/N (%)" for arm in arms}
    return PaperTable(
        title="Responses, adverse events and deaths with infection",
        subtitle=output.size(),
        frame=pd.DataFrame(rows),
        spanners=(
            ("Classical", ("difference", "published_p", "recomputed_p")),
            ("Bayesian", ("posterior", "worse")),
        ),
        footnotes=tuple(_notes(arms)),
        labels=LABELS | labels,
    )


def _row(row: dict[str, Any], arms: Sequence[str]) -> dict[str, str]:
    found, drawn = (numbers(row, *LIMITS[i : i + 3]) for i in (0, 3))
    return {
        "outcome": signs(row["outcome"]),
        **{arm: _share(*numbers(row, f"{arm} events", f"{arm} patients")) for arm in arms},
        "difference": estimate(found, points, NONE),
        "published_p": str(row["printed_p"]) or NONE,
        "recomputed_p": p(row[RULE]),
        "posterior": estimate(drawn, points, NONE),
        "worse": chance(row["prob_worse"]),
    }


def _share(events: float, of: float) -> str:
    return f"{events:.0f}/{of:.0f} ({100 * events / of:.0f}%)" if of > 0 else NONE


def _notes(arms: Sequence[str]) -> Iterator[str]:
    from bayesurv.report.reproduce_responses import NO_PATIENT_EFFECT as PRIORS

    yield (
        f"Differences are {arms[0]} less {arms[-1]}, in percentage points. CI, confidence interval "
        "by Newcombe's method. Recomputed P: Pearson's chi-squared where 5 or more are expected in "
        "every cell, else Fisher's exact test; none is adjusted for the number of tests."
    )
    yield (
        "CrI, credible interval of a logistic model: each response by itself, adverse events "
        f"partially pooled. P(worse): posterior probability that {arms[0]} does worse."
    )
    yield (
        f"Priors: log odds of an outcome {PRIORS.intercept}; log odds ratio {PRIORS.coefficient}; "
        f"its standard deviation over adverse events {PRIORS.group_sd}."
    )
