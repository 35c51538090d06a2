"""Cox models and log-rank tests in every member of an ensemble, with the published P beside."""

from collections.abc import Iterator, Sequence

import pandas as pd

from bayesurv.report.paper_table import PaperTable
from bayesurv.report.publication_read import Fitted, Output, named
from bayesurv.report.publication_words import NONE, numbers, p_range, ratio, term

ANALYSES = {"cox_univariable": "Cox, univariable", "cox": "Cox, multivariable"}
LOG_RANK = "log-rank"
STAGE_IN_STEPS = ("", "I to IV")  # the coding that gives the printed P
RATIO, P = (
    tuple(f"{name}_{end}" for end in ("median", "low", "high")) for name in ("hazard_ratio", "p")
)


def members_cox(output: Output, endpoint: str) -> pd.DataFrame | None:
    """What `reproduce` found of an endpoint by each analysis and term; None without an ensemble."""
    texts = ("endpoint", "analysis", "firth", "stage", "term", "published_p")
    if not output.members():
        return None
    table = output.table("classical.csv", (*RATIO, *P), texts)
    if table is None:
        return None
    plain = table["stage"].isin(STAGE_IN_STEPS) & (table["firth"] == "False")
    own = table[plain & (table["endpoint"] == endpoint)]
    return own.assign(term=own["term"].map(term))


def members_ratios(rows: pd.DataFrame) -> pd.Series:
    """Median and range of the members' hazard ratios, by term."""
    return rows.set_index("term").apply(lambda row: ratio(numbers(row, *RATIO)), axis=1)


def members_cox_table(output: Output, endpoint: str, fits: Sequence[Fitted]) -> PaperTable | None:
    """Hazard ratio, recomputed P and published P of every term, univariable and multivariable."""
    table = members_cox(output, endpoint)
    if table is None or table.empty:
        return None
    columns, labels, spanners = {}, {"term": "Term"}, []
    for name, analysis in ANALYSES.items():
        rows = table[table["analysis"] == analysis]
        by_term = rows.set_index("term")
        parts = {
            "hr": ("HR (range)", members_ratios(rows)),
            "p": ("P (range)", by_term.apply(lambda row: p_range(*numbers(row, *P)), axis=1)),
            "published_p": ("Published P", by_term["published_p"].replace("", NONE)),
        }
        spanners.append(
            (f"{analysis.replace(',', ' model,')}", tuple(f"{name}_{k}" for k in parts))
        )
        for part, (label, cells) in parts.items():
            labels[f"{name}_{part}"], columns[f"{name}_{part}"] = label, cells
    order = table.loc[table["analysis"].isin(ANALYSES.values()), "term"].unique()
    frame = pd.DataFrame(columns).reindex(order).fillna(NONE).rename_axis("term").reset_index()
    return PaperTable(
        title=f"Cox models, {named(endpoint)}: recomputed and published",
        subtitle=output.patients(fits[0]),
        frame=frame,
        spanners=tuple(spanners),
        footnotes=(*_log_ranks(table), _how(output)),
        labels=labels,
    )


def _log_ranks(table: pd.DataFrame) -> Iterator[str]:
    for row in table[table["analysis"] == LOG_RANK].to_dict("records"):
        found, printed = p_range(*numbers(row, *P)), row["published_p"] or NONE
        yield f"Log-rank test of {row['term']}: P {found}; published {printed}."


def _how(output: Output) -> str:
    return (
        f"Median and range over {output.members()} synthetic cohorts that have what was published; "
        "a range is no confidence interval. Tied times by Breslow's method, P by Wald's test; "
        "stage from I to IV in steps. No P is adjusted for the number of tests."
    )
