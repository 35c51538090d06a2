"""What a comparison from several time zeros shows, in words and as a table on the screen."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.estimands.selection import SelectionCurve
from bayesurv.estimands.time_zero import EVER, Row
from bayesurv.frequentist.observations import Observations
from bayesurv.plots.style import limits, number, p_value, probability
from bayesurv.report.benefit_words import survival_name
from bayesurv.report.origin import UNNAMED

if TYPE_CHECKING:
    from bayesurv.report.time_zero import Found

SPELT = (4,)  # numbers of deaths put back that are spelt out, besides the most


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The analyses as they are printed."""
    rows = list(table.itertuples())
    printed = {
        "endpoint": [row.endpoint for row in rows],
        "analysis": [row.analysis for row in rows],
        "patients": [row.patients for row in rows],
        "events": [row.events for row in rows],
        "HR": ["" if pd.isna(row.hazard_ratio) else number(row.hazard_ratio) for row in rows],
        "95% CI": [_limits(row.lower, row.upper) for row in rows],
        "P": ["" if pd.isna(row.p) else p_value(row.p) for row in rows],
        "P(benefit)": [
            "" if pd.isna(row.prob_benefit) else probability(row.prob_benefit) for row in rows
        ],
    }
    frame = pd.DataFrame(printed)
    return frame.drop(columns="endpoint") if frame["endpoint"].nunique() == 1 else frame


def _limits(lower: float, upper: float) -> str:
    return "" if pd.isna(lower) or pd.isna(upper) else limits(number(lower), number(upper))


def told(endpoint: str, found: "Found", treatment: str) -> str:
    """Hazard ratio as given and from each other time zero, warnings, and the selection analysis."""
    what = survival_name(None if endpoint == UNNAMED else endpoint)
    given, *others = [row for row in found.rows if not row["analysis"].endswith(", adjusted")]
    said = [
        f"{what.capitalize()}: hazard ratio of {treatment} {given['analysis']} {_ratio(given)}"
        + "".join(f"; {row['analysis']}: {_ratio(row)}" for row in others)
        + ".",
        *_caution(given),
        *found.warnings,
    ]
    if found.selection is not None:
        observed = next(iter(found.observed.values()))
        said.append(_selection(found.selection, observed, treatment))
    return "\n".join(said)


def _caution(given: Row) -> Iterator[str]:
    """Arms formed by what happened later are no arms."""
    if given["note"].endswith(EVER):
        yield f"Do not report the first of these: {EVER}."


def _ratio(row: Row) -> str:
    if not np.isfinite(row["hazard_ratio"]):
        return f"has {row['note']}"
    benefit = row.get("prob_benefit", np.nan)
    chance = "" if pd.isna(benefit) else f", P(benefit) {probability(benefit)}"
    ends = _limits(row["lower"], row["upper"])
    return f"{number(row['hazard_ratio'])} (95% CI {ends}{chance})"


def arms_between(
    selection: SelectionCurve, observed: Observations, treatment: str
) -> tuple[str, str]:
    """The arm that gets the deaths, and between which times."""
    arm = list(observed.arms(treatment))[selection.arm]
    unit = observed.cohort.unit
    return arm, f"{selection.earliest:.3g} and {selection.latest:.3g} {unit}"


def _selection(selection: SelectionCurve, observed: Observations, treatment: str) -> str:
    """How the answer moves as deaths are put back, and when it is no longer told from 1."""
    table = selection.table()
    arm, between = arms_between(selection, observed, treatment)
    last = table.iloc[-1]
    steps = [table.iloc[k] for k in SPELT if k < len(table) - 1]
    words = "; ".join(map(_step, [*steps, last]))
    return (
        f"If early deaths are put back into {arm}, each at a time drawn between {between}, the "
        f"hazard ratio moves: {words}. {''.join(_turns(table))}"
        f"P(benefit) is the posterior probability of a hazard ratio below 1, from the partial "
        f"likelihood and the prior {selection.prior}."
    )


def _step(row: Any) -> str:
    ratio = "has no finite estimate"
    if np.isfinite(row.hazard_ratio):
        ratio = f"is {number(row.hazard_ratio)} ({_limits(row.lower, row.upper)})"
    return f"with {row.added:.0f} it {ratio}, P(benefit) {probability(row.prob_benefit)}"


def _turns(table: pd.DataFrame) -> Iterator[str]:
    """The first number of deaths at which the interval reaches 1, and the estimate crosses it."""
    if not np.isfinite(table["hazard_ratio"].iloc[0]):
        return
    apart = (table["lower"] > 1) | (table["upper"] < 1)
    if apart.iloc[0] and not apart.all():
        count = int(table["added"][~apart].iloc[0])
        yield f"From {_deaths(count)} on, the interval reaches 1. "
    side = table["hazard_ratio"] > 1
    crossed = side != side.iloc[0]
    if crossed.any():
        count = int(table["added"][crossed].iloc[0])
        yield f"From {_deaths(count)} on, it is on the other side of 1. "


def _deaths(count: int) -> str:
    return "1 death" if count == 1 else f"{count} deaths"
