"""Hazard ratios of an endpoint: every model of its terms, and the classical ones beside them."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from bayesurv.report.paper_table import PaperTable, Spanner
from bayesurv.report.publication_cox import ANALYSES, members_cox, members_ratios
from bayesurv.report.publication_read import Fitted, Output, named, prior_notes
from bayesurv.report.publication_words import (
    NONE,
    NOT_ESTIMABLE,
    chance,
    credible,
    numbers,
    p,
    ratio,
    term,
)

METHODS = {
    "cox-univariable": "Cox model, univariable",
    "cox": "Cox model, multivariable",
    "cox-firth": "Firth's penalised Cox model, multivariable",
}
HOW = (
    "Cox models: tied times by Efron's method, intervals and P by Wald's test; Firth's by the "
    "penalised profile likelihood. CI, confidence interval; HR, hazard ratio."
)
OVER_COHORTS = "Cox models: median and range over the cohorts; the range is no confidence interval."
JOINT = (
    "The Bayesian models have all terms together; univariable hazard ratios are of the Cox model "
    "alone."
)
ALONE = "No classical analysis was written with these fits, so none stands beside them."


def ratio_table(output: Output, endpoint: str, fits: Sequence[Fitted]) -> PaperTable | None:
    """Univariable and multivariable hazard ratios of the Cox model, and those of each fit.

    None where no fit has a term.
    """
    columns: dict[str, pd.Series] = {}
    labels: dict[str, str] = {}
    spanners: list[Spanner] = []

    def add(name: str, over: str, parts: dict[str, tuple[str, pd.Series]]) -> None:
        spanners.append((over, tuple(f"{name}_{part}" for part in parts)))
        for part, (label, cells) in parts.items():
            labels[f"{name}_{part}"], columns[f"{name}_{part}"] = label, cells

    read = ((fit, _posterior(output, fit)) for fit in fits)
    bayesian = {fit: table for fit, table in read if table is not None}
    if not bayesian:
        return None
    classical = list(_classical(output, endpoint))
    for name, over, parts in classical:
        add(name, over, parts)
    for fit, table in bayesian.items():
        add(_machine(fit), f"Bayesian model, {fit.model}", _shown(table))
    frame = pd.DataFrame(columns).fillna(NONE)
    order = list(dict.fromkeys(name for table in bayesian.values() for name in table.index))
    frame = frame.reindex([*order, *(name for name in frame.index if name not in order)])
    frame = frame.rename_axis("term").reset_index()
    return PaperTable(
        title=f"Hazard ratios, {named(endpoint)}",
        subtitle=output.patients(fits[0]),
        frame=frame,
        spanners=tuple(spanners),
        footnotes=tuple(_notes(output, list(bayesian), bool(classical), len(order) > 1)),
        labels={"term": "Term", **labels},
    )


def _machine(fit: Fitted) -> str:
    return fit.place.partition("/")[2].replace("-", "_")


def _posterior(output: Output, fit: Fitted) -> pd.DataFrame | None:
    """Hazard ratios of a fit by term, or None where it has none."""
    needed = ("hazard_ratio", "lower", "upper", "prob_below_1", "ci_prob")
    table = output.table(f"{fit.place}/hazard_ratios.csv", needed, ("term",))
    if table is None or table.empty:
        return None
    return table.assign(term=table["term"].map(term)).set_index("term")


def _shown(table: pd.DataFrame) -> dict[str, tuple[str, pd.Series]]:
    ratios = table.apply(lambda row: ratio(numbers(row, "hazard_ratio", "lower", "upper")), axis=1)
    return {
        "hr": (f"HR ({credible(table)})", ratios),
        "probability": ("P(HR < 1)", table["prob_below_1"].map(chance)),
    }


type Columns = Iterator[tuple[str, str, dict[str, tuple[str, pd.Series]]]]


def _classical(output: Output, endpoint: str) -> Columns:
    """The columns of each classical model: name, what stands over them, and cells by part."""
    if output.members():
        yield from _of_members(output, endpoint)
        return
    needed = ("estimate", "lower", "upper", "p", "ci_prob")
    table = output.table("classical.csv", needed, ("endpoint", "term", "method", "remark"))
    if table is None:
        return
    own = table[(table["endpoint"] == endpoint) & (table["term"] != "all terms")]
    infinite = own.loc[own["method"] == "cox", "estimate"].isna().any()
    for method, over in METHODS.items():
        rows = own[own["method"] == method]
        if rows.empty or (method == "cox-firth" and not infinite):
            continue
        rows = rows.assign(term=rows["term"].map(term)).set_index("term")
        cells = rows.apply(_confidence, axis=1)
        label = f"HR ({100 * rows['ci_prob'].iloc[0]:g}% CI)"
        parts = {"hr": (label, cells), "p": ("P", rows["p"].map(p))}
        yield method.replace("-", "_"), over, parts


def _confidence(row: pd.Series) -> str:
    """A classical ratio; where the likelihood has no maximum, that there is none."""
    if np.isnan(row["estimate"]):
        return NOT_ESTIMABLE
    return ratio(numbers(row, "estimate", "lower", "upper"))


def _of_members(output: Output, endpoint: str) -> Columns:
    table = members_cox(output, endpoint)
    if table is None:
        return
    for name, analysis in ANALYSES.items():
        rows = table[table["analysis"] == analysis]
        over = METHODS[name.replace("_", "-")]
        yield name, over, {"hr": ("HR (range over cohorts)", members_ratios(rows))}


def _notes(output: Output, fits: Sequence[Fitted], beside: bool, joint: bool) -> Iterator[str]:
    """What the columns are, and the priors."""
    members = output.members()
    if members:
        yield f"Pooled over {members} synthetic cohorts that have what was published."
    if not beside:
        yield ALONE
    else:
        yield OVER_COHORTS if members else HOW
    if beside and joint and not any(fit.model.endswith("unadjusted") for fit in fits):
        yield JOINT
    yield (
        "CrI, credible interval: given the model and the prior, the hazard ratio lies in it with "
        "the probability stated. Estimates are posterior medians."
    )
    yield from prior_notes(fits)
    for fit in fits:
        yield from fit.failed()
