"""Milestones, RMST and medians of each arm and beyond which margin a treatment helps."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.plots.style import duration, number, percent
from bayesurv.report.paper_table import PaperTable
from bayesurv.report.publication_read import Fitted, Output, named, prior_notes
from bayesurv.report.publication_words import (
    NONE,
    NOT_ESTIMABLE,
    NOT_REACHED,
    Printed,
    chance,
    credible,
    duration_in,
    estimate,
    numbers,
    points,
    ratio,
)

ENDS = ("estimate", "lower", "upper")
DIFFERENCE = {
    "rmst": "rmst_difference",
    "survival": "survival_difference",
    "median": "median_difference",
}
RATIOS = {
    "hazard_ratio": "Hazard ratio, conditional",
    "hazard_ratio_equivalence": "Hazard ratio, conditional",
    "marginal_hazard_ratio": "Hazard ratio, marginal",
    "average_hazard_ratio": "Hazard ratio, average",
    "rmst_ratio": "RMST ratio",
}
NEEDED = "number_needed_to_treat"
CREDIBLE = (
    "CrI, credible interval: given the model and the prior, the quantity lies in it with the "
    "probability stated. Estimates are posterior medians."
)
RESTRICTED = "RMST, restricted mean survival time: mean time without the event up to the horizon."
ASSOCIATION = (
    "P(benefit) is the posterior probability that the second arm does better, given the model and "
    "the prior; without stated assumptions a difference is an association."
)


def milestone_table(output: Output, fit: Fitted) -> PaperTable | None:
    """Survival at times, RMST and median of each arm, their difference, and P(benefit).

    None of a fit without a treatment.
    """
    known = {"quantity": DIFFERENCE}
    arms = output.table(f"{fit.place}/arms.csv", ("time", *ENDS), ("arm", "quantity"), known)
    benefit = _benefit(output, fit)
    if arms is None or benefit is None or arms.empty:
        return None
    unit = _unit(output, fit)
    interval = credible(_intervals(output, fit))
    names = list(arms["arm"].unique())
    asked = benefit[benefit["margin"] == 0].to_dict("records")
    gains = {(row["quantity"], row["horizon"]): row for row in asked}
    rows = []
    for (quantity, time), own in arms[arms["time"] > 0].groupby(["quantity", "time"], sort=False):
        by_arm = own.drop_duplicates("arm").set_index("arm").reindex(names)
        row = {"quantity": _named(quantity, time, unit)}
        row |= {arm: _of_arm(by_arm.loc[arm], quantity, unit) for arm in names}
        found = gains.get((DIFFERENCE[quantity], time), {})
        row["difference"] = _difference(found, quantity, unit)
        row["p_benefit"] = chance(*numbers(found, "probability"))
        rows.append((quantity, time, row))
    rows.sort(key=lambda each: (list(DIFFERENCE).index(each[0]), each[1]))
    labels = {arm: f"{arm} ({interval})" for arm in names}
    labels |= {"difference": f"Difference ({interval})", "p_benefit": "P(benefit)"}
    return PaperTable(
        title=f"{named(fit.endpoint)} by {_treatment(names)}: {fit.model}",
        subtitle=output.patients(fit),
        frame=pd.DataFrame([row for _, _, row in rows]),
        footnotes=tuple(_notes(output, fit, benefit)),
        labels={"quantity": "Quantity", **labels},
    )


def benefit_rows(output: Output, fit: Fitted) -> PaperTable | None:
    """Each contrast of the arms, and the probability of a benefit beyond each margin."""
    benefit = _benefit(output, fit)
    if benefit is None or benefit.empty:
        return None
    unit = _unit(output, fit)
    rows = []
    for row in benefit.to_dict("records"):
        name, shown = _contrast(row, unit)
        cells = {"quantity": name, "estimate": shown, "benefit": _beyond(row, unit)}
        cells |= {"probability": chance(row["probability"])}
        if "prob_low" in benefit:
            low, high = (chance(float(row[each])) for each in ("prob_low", "prob_high"))
            cells["cohorts"] = f"{low}–{high}"
        rows.append(cells)
    labels = {
        "quantity": "Contrast",
        "estimate": f"Estimate ({credible(_intervals(output, fit))})",
        "benefit": "Asked",
        "probability": "Probability",
        "cohorts": "Range over cohorts",
    }
    return PaperTable(
        title=f"Benefit, {named(fit.endpoint)}: {fit.model}",
        subtitle=output.patients(fit),
        frame=pd.DataFrame(rows),
        footnotes=tuple(_notes(output, fit, benefit)),
        labels={name: label for name, label in labels.items() if name in rows[0]},
    )


def beside_table(output: Output, endpoint: str, fits: Sequence[Fitted]) -> PaperTable | None:
    """Median, RMST and survival of each group by Kaplan-Meier and by every fit."""
    needed = ("time", "bayesian", "lower", "upper", "classical", "classical_lower")
    texts = ("baseline", "quantity", "of", "method")
    table = output.table(f"{endpoint}/side_by_side.csv", (*needed, "classical_upper"), texts)
    if table is None:
        return None
    own = table[(table["method"] == "kaplan-meier") & (table["time"] != 0)]
    if own.empty:
        return None
    unit, order = _unit(output, fits[0]), ["median survival", "restricted mean survival"]
    rows: dict[tuple, dict[str, str]] = {}
    for row in own.to_dict("records"):
        quantity = str(row["quantity"])
        kind = {order[0]: "median", order[1]: "rmst"}.get(quantity, "survival")
        row_key = (row["of"], _named(kind, row["time"], unit))
        classical = numbers(row, "classical", "classical_lower", "classical_upper")
        if kind == "median":  # an empty cell is one that the curve does not reach
            classical = tuple(np.inf if np.isnan(each) else each for each in classical)
        shown = rows.setdefault(row_key, {"kaplan_meier": _quantity(classical, kind, unit)})
        found = numbers(row, "bayesian", "lower", "upper")
        shown[str(row["baseline"]).replace("-", "_")] = _quantity(found, kind, unit)
    models = {fit.place.partition("/")[2].replace("-", "_"): fit for fit in fits}
    level = credible(own)
    labels = {"kaplan_meier": f"Kaplan–Meier ({level.replace('CrI', 'CI')})"}
    labels |= {name: f"{fit.model} ({level})" for name, fit in models.items()}
    cells = [{"group": g, "quantity": q, **shown} for (g, q), shown in rows.items()]
    return PaperTable(
        title=f"{named(endpoint)} by group, beside Kaplan–Meier",
        subtitle=output.patients(fits[0]),
        frame=pd.DataFrame(cells).fillna(NONE),
        footnotes=(
            "CI, confidence interval; Kaplan–Meier with limits by log(-log), RMST by its area.",
            f"{CREDIBLE} They are of the group's own patients, averaged inside each draw.",
            RESTRICTED,
            *prior_notes(fits),
            *(note for fit in fits for note in fit.failed()),
        ),
        labels={"group": "Group", "quantity": "Quantity", **labels},
        stub=("group", "quantity"),
    )


def _benefit(output: Output, fit: Fitted) -> pd.DataFrame | None:
    needed = ("margin", "horizon", *ENDS, "probability", "mcse")
    known = {"quantity": (*RATIOS, *DIFFERENCE.values(), NEEDED)}
    return output.table(f"{fit.place}/benefit.csv", needed, ("quantity",), known)


def _intervals(output: Output, fit: Fitted) -> pd.DataFrame | None:
    """A table of the fit that says the probability of its intervals."""
    return output.table(f"{fit.place}/survival.csv", ("ci_prob",))


def _unit(output: Output, fit: Fitted) -> str:
    """The unit of time; that of the founding paper's cohorts is not in the provenance."""
    return str(fit.described.get("unit", "months"))


def _treatment(names: Sequence[str]) -> str:
    return names[0].partition(" = ")[0]


def _named(quantity: Any, time: Any, unit: str) -> str:
    if quantity == "median":
        return f"Median, {unit}"
    if quantity == "rmst":
        return f"RMST to {duration(round(time, 1), unit)}"
    return f"Survival at {duration(round(time, 1), unit)}"


def _of_arm(row: pd.Series, quantity: Any, unit: str) -> str:
    return _quantity(numbers(row, *ENDS), quantity, unit)


def _quantity(found: Sequence[float], quantity: Any, unit: str) -> str:
    if quantity == "survival":
        return estimate(found, percent, NONE)
    return estimate(found, duration_in(unit), NOT_REACHED)


def _difference(row: Any, quantity: Any, unit: str) -> str:
    shown: Printed = points if quantity == "survival" else duration_in(unit)
    text = estimate(numbers(row, *ENDS), shown, NOT_ESTIMABLE)
    return f"{text} points" if quantity == "survival" else text


def _contrast(row: dict[str, Any], unit: str) -> tuple[str, str]:
    """Name and estimate of a row of benefit.csv."""
    quantity, until = str(row["quantity"]), duration(round(row["horizon"], 1), unit)
    found = numbers(row, *ENDS)
    if quantity in RATIOS:
        within = "" if np.isnan(row["horizon"]) else f", to {until}"
        return f"{RATIOS[quantity]}{within}", ratio(found)
    if quantity == NEEDED:
        return f"Number needed to treat, at {until}", estimate(found, number, NOT_ESTIMABLE)
    kind = quantity.removesuffix("_difference")
    name = {
        "rmst": f"RMST difference to {until}",
        "survival": f"Survival difference at {until}",
        "median": f"Median difference, {unit}",
    }[kind]
    return name, _difference(row, kind, unit)


def _beyond(row: dict[str, Any], unit: str) -> str:
    """Of what the probability is."""
    margin, quantity = row["margin"], str(row["quantity"])
    if quantity == "hazard_ratio_equivalence":
        return f"within {margin:g}–{1 / margin:g}"
    if quantity == NEEDED:
        return "a gain"
    if quantity.endswith("hazard_ratio"):
        return f"below {margin:g}"
    if quantity == "survival_difference":
        return f"above {100 * margin:g} points"
    return f"above {margin:g}" + (f" {unit}" if "difference" in quantity else "")


def _notes(output: Output, fit: Fitted, benefit: pd.DataFrame) -> Iterator[str]:
    yield f"{CREDIBLE} {RESTRICTED}"
    yield ASSOCIATION
    yield f"Monte-Carlo error of the probabilities: at most {number(benefit['mcse'].max())}."
    if output.members():
        yield f"Pooled over {output.members()} synthetic cohorts that have what was published."
    yield from prior_notes([fit])
    yield from fit.failed()
