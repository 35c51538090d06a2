"""Answer to `bayesurv compare`: which model predicts best, and all of them averaged."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.arms import checked_horizon, treatment_arms
from bayesurv.estimands.comparison import (
    CLEAR,
    INDISTINGUISHABLE,
    STANDARD_ERRORS,
    WORSE,
    ModelComparison,
    checked_same_data,
    compare,
)
from bayesurv.estimands.patients import arms
from bayesurv.estimands.stacking import arm_survival, checked_arms, stacked, stacked_benefit
from bayesurv.estimands.summary import summarise, survival_table
from bayesurv.fitting import Fit
from bayesurv.plots.comparison import plot_comparison, plot_stacked_survival
from bayesurv.plots.style import limits, number, probability
from bayesurv.report.answer import Answer
from bayesurv.report.origin import endpoint_name
from bayesurv.report.results import observed_arm
from bayesurv.saved import provenance

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

FEW = 100  # patients, below which standard errors of elpd differences are optimistic


def compare_answer(
    fits: Mapping[str, Fit], treatment: str | None = None, horizon: float | None = None
) -> Answer:
    """Compare models of the same patients, and average them by stacking.

    `fits` are by the name to show; with a treatment its contrasts are averaged too.

    Raises
    ------
    InputError
        The fits were made from different data, or a treatment or horizon cannot be used.
    """
    _check(fits, treatment, horizon)
    found = compare(fits)
    members = arms(_first(fits), treatment)
    models = arm_survival(fits, members)
    curve = stacked(models, found.weights)
    tables = {"comparison": found.table, "stacked_survival": survival_table(curve)}
    sentences = [ranking(fits, found)]
    if treatment is not None:
        tables["stacked_benefit"] = stacked_benefit(fits, found.weights, treatment, horizon)
        sentences.append(averaged(tables["stacked_benefit"], _first(fits), treatment))
    figures = {
        "comparison": plot_comparison(found.table),
        "stacked_survival": survival_figure(fits, members, curve, models),
    }
    return Answer(" ".join(sentences), shown(found.table), tables, figures, notes(fits, found))


def _check(fits: Mapping[str, Fit], treatment: str | None, horizon: float | None) -> None:
    """Refuse fits of different data, and a treatment or horizon that cannot be used."""
    checked_same_data(fits)
    if treatment is None and horizon is not None:
        message = "--horizon: only the benefit of a treatment has one; add --treatment"
        raise InputError([Fault(message)])
    if treatment is not None:
        try:
            checked_horizon(checked_arms(fits, treatment), horizon, _first(fits).unit)
        except InputError as error:
            named = [replace(fault, message=f"--{fault.message}") for fault in error.faults]
            raise InputError(named) from None


def ranking(fits: Mapping[str, Fit], found: ModelComparison) -> str:
    """Which model predicts best, what cannot be told from it, and how much that rests on."""
    rows = found.table.to_dict("records")
    best, *others = rows
    alike = [_behind(row) for row in others if row["verdict"] == INDISTINGUISHABLE]
    worse = [_behind(row) for row in others if row["verdict"] == WORSE]
    models = f"{len(rows)} models of {_label(fits)}{found.patients} patients"
    models += f" with {_first(fits).n_events} events"
    leading = f"{best['model']} (elpd {best['elpd_loo']:.1f}, SE {best['se']:.1f})"
    if worse:
        text = f"Of {models}, {leading} predicts left-out patients best"
        text += f"; indistinguishable from it: {', '.join(alike)}" * bool(alike)
        text += f"; worse: {', '.join(worse)}"
    else:
        text = f"{models} are indistinguishable by their predictions of left-out patients; "
        text += f"first comes {leading}, then {', '.join(alike)}"
    text += f". The differences rest on {found.patients} patients"
    if found.patients < FEW:
        text += ", and standard errors are optimistic at that size"
    weights = [
        f"{row['model']} {row['weight']:.2f} "
        f"({limits(f'{row["weight_lower"]:.2f}', f'{row["weight_upper"]:.2f}')})"
        for row in rows
    ]
    return f"{text}. Stacking weights (95% intervals): {', '.join(weights)}."


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The table as the screen shows it."""
    return pd.DataFrame(
        {
            "model": table["model"],
            "elpd difference (SE)": [
                f"{round(row.elpd_difference, 1) + 0:.1f} ({row.se_difference:.1f})"
                for row in table.itertuples()
            ],
            "weight": [f"{weight:.2f}" for weight in table["weight"]],
            "verdict": table["verdict"],
        }
    )


def _behind(row: Mapping[str, Any]) -> str:
    lower = -row["elpd_difference"]
    said = f"{lower:.1f}" if lower >= 0.05 else "less than 0.1"
    return f"{row['model']} ({said} lower, SE {row['se_difference']:.1f})"


def averaged(benefit: pd.DataFrame, fit: Fit, treatment: str) -> str:
    """The contrasts of a treatment, averaged over the models."""
    row = benefit.set_index("quantity").loc["rmst_difference"]
    untreated, given = treatment_arms(fit, treatment).names
    interval = f"95% CrI {limits(f'{row["lower"]:.1f}', f'{row["upper"]:.1f}')}"
    return (
        f"Averaged over the models, each under its own priors, and standardised over the "
        f"{fit.n_patients} patients, {given} rather than {untreated} is associated with a "
        f"difference of {row['estimate']:.1f} {fit.unit} in mean survival to {row['horizon']:g} "
        f"{fit.unit} ({interval}; probability of a gain {probability(row['probability'])})."
    )


def notes(fits: Mapping[str, Fit], found: ModelComparison) -> tuple[str, ...]:
    """How to read the table, and what was refitted or failed."""
    error = max(each.total_mcse for each in found.models.values())
    told = [
        "elpd is the expected log predictive density of patients left out of the fit, higher being "
        f"better; models less than {CLEAR:g}, or {STANDARD_ERRORS:g} standard errors, apart are "
        f"indistinguishable. Its Monte-Carlo error is at most {number(error)}.",
        "A stacking weight is a model's share in the averaged curves, not the probability that it "
        "is true; its interval (Bayesian bootstrap) says how far it hangs on who was there.",
    ]
    for name, each in found.models.items():
        if fits[name].failed:
            told.append(f"{name} failed the checks of its draws; do not rely on its numbers.")
        if each.refitted.any():
            told.append(f"{name}: patients predicted by an exact refit: {each.refitted.sum()}.")
        if each.failed.any():
            message = f"refits that failed the checks of their draws: {each.failed.sum()}"
            told.append(f"{name}: {message}; its elpd is less sure than it looks.")
    return tuple(told)


def survival_figure(
    fits: Mapping[str, Fit],
    members: Mapping[str, np.ndarray],
    curve: "xr.DataArray",
    models: "Mapping[str, xr.DataArray]",
) -> "Axes":
    """Averaged survival of each arm over Kaplan-Meier, with each model's own."""
    fit = _first(fits)
    summary = summarise(curve)
    curves = {arm: summary.sel(individual=arm) for arm in members}
    means = {name: draws.mean(("chain", "draw")) for name, draws in models.items()}
    observed = {arm: observed_arm(fit, chosen) for arm, chosen in members.items()}
    label = _label(fits).removesuffix(" in ")
    label = f"Survival ({label}, averaged)" if label else "Survival (averaged)"
    return plot_stacked_survival(curves, means, observed, unit=fit.unit, label=label)


def _first(fits: Mapping[str, Fit]) -> Fit:
    return next(iter(fits.values()))


def _label(fits: Mapping[str, Fit]) -> str:
    """The endpoint that all fits are of, as "OS in ", or nothing where it is not known."""
    known = {endpoint_name(provenance(fit)) for fit in fits.values()}
    endpoint = known.pop() if len(known) == 1 else None
    return f"{endpoint.upper()} in " if endpoint else ""
