"""Write the tables and figures of an ensemble's fit into its folder."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.ensembles import EnsembleFit
from bayesurv.estimands.benefit import difference_curve
from bayesurv.estimands.curves import baseline_cumulative_hazard, time_grid
from bayesurv.estimands.margins import NO_MARGINS, Margins
from bayesurv.estimands.members import (
    MemberComparison,
    compare_members,
    member_arms,
    member_mixture,
    thinned,
)
from bayesurv.estimands.pooled import (
    member_hazard_ratios,
    pooled_arms,
    pooled_benefit,
    pooled_hazard_ratios,
    pooled_parameters,
    pooled_survival,
)
from bayesurv.estimands.pooling import pool
from bayesurv.estimands.summary import prior_hazard_ratios
from bayesurv.inference.diagnostics import failures
from bayesurv.plots.benefit import plot_benefit
from bayesurv.plots.horizons import plot_horizons
from bayesurv.report.answer import Answer
from bayesurv.report.benefit_words import benefit_sentence
from bayesurv.report.ensemble_words import ensemble_sentence, member_sentences
from bayesurv.report.origin import endpoint_name
from bayesurv.report.results import stated_profiles
from bayesurv.saved import ENSEMBLE, describe

EVERYONE = "all patients"


def write_ensemble_fit(
    fit: EnsembleFit,
    folder: Path,
    *,
    label: str,
    treatment: str | None = None,
    horizon: float | None = None,
    times: Sequence[float] | None = None,
    profiles: Any = None,
    margins: Margins = NO_MARGINS,
    causal: str | None = None,
    provenance: dict[str, Any] | None = None,
) -> pd.DataFrame:
    """Write posterior.nc, the pooled tables and the figures of one endpoint and baseline.

    The files and arguments are those of `report.results.write_fit`; besides, `members.csv` holds
    each member's hazard ratios, and `missing_data.txt` says how much of the uncertainty lies
    between members.

    Returns the table of hazard ratios.
    """
    folder.mkdir(parents=True)
    save_ensemble(fit, folder / "posterior.nc", **(provenance or {}))
    ratios, members = pooled_hazard_ratios(fit), member_hazard_ratios(fit)
    grid = time_grid(fit.stacked) if times is None else np.asarray(times, dtype=float)
    tables = {
        "parameters": pooled_parameters(fit),
        "hazard_ratios": ratios,
        "members": members,
        "survival": pooled_survival(fit, stated_profiles(fit.stacked, profiles, treatment), grid),
        "diagnostics": fit.diagnostics,
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    if fit.failed:
        label = f"{label} (FAILED CHECKS)"
        sentences = ["These draws failed the sampler's checks and were written because of --force."]
        text = "\n".join(sentences + failures(fit.diagnostics)) + "\n"
        (folder / "FAILED.txt").write_text(text, encoding="utf-8")
    figures = folder / "figures"
    figures.mkdir()
    said = [ensemble_sentence(fit, ratios)]
    comparison = None
    if treatment is not None:
        end = member_arms(fit, treatment).end
        known = [time for time in times or () if 0 < time <= end]
        comparison = compare_members(fit, treatment, horizon, known, margins)
        endpoint = endpoint_name(provenance or {})
        answer = ensemble_benefit(comparison, margins, endpoint, causal)
        answer.write(folder, "benefit", figures)
        said += member_sentences(answer.tables["benefit"], fit.stacked.unit)
    text = "".join(f"{sentence}\n" for sentence in said)
    (folder / "missing_data.txt").write_text(text, encoding="utf-8")
    write_ensemble_figures(fit, figures, label, ratios, members, comparison)
    return ratios


def ensemble_benefit(
    comparison: MemberComparison, margins: Margins, endpoint: str | None, causal: str | None
) -> Answer:
    """Tables, figure and sentence of two arms compared in every member."""
    fit = comparison.whole
    table, arms = pooled_benefit(comparison, margins), pooled_arms(comparison)
    untreated, treated = comparison.arms.names
    rmst, curve = comparison.curves[0], difference_curve(comparison)
    unit = fit.stacked.unit
    label = (endpoint.upper() if endpoint else "survival") + " (FAILED CHECKS)" * fit.failed
    figure = plot_benefit(
        rmst[1] - rmst[0],
        curve,
        unit=unit,
        horizon=comparison.horizon,
        arms=(untreated, treated),
        label=label,
        margin=margins.rmst,
    )
    over_time = plot_horizons(curve, unit=unit, arms=(untreated, treated), label=label)
    figures = {"benefit": figure, "horizons": over_time}
    population = f"the {fit.n_patients} patients of each of {fit.n_members} members, pooled"
    sentence = benefit_sentence(
        comparison, table, arms, margins, endpoint=endpoint, population=population, causal=causal
    )
    notes = (*member_sentences(table, fit.stacked.unit), *fit.notes)
    return Answer(sentence, table, {"benefit": table, "arms": arms}, figures, notes)


def write_ensemble_figures(
    fit: EnsembleFit,
    folder: Path,
    label: str,
    ratios: pd.DataFrame,
    members: pd.DataFrame,
    comparison: MemberComparison | None,
) -> None:
    """Draw pooled survival by arm, the forest, and members beside the mixture."""
    import xarray as xr

    from bayesurv.plots.curves import plot_survival
    from bayesurv.plots.ensemble import plot_members
    from bayesurv.plots.forest import plot_forest
    from bayesurv.plots.style import save_all

    curves, own = _curves(fit, comparison)
    unit, name = fit.stacked.unit, f"Survival ({label})"
    end = fit.stacked.end_of_follow_up if comparison is None else comparison.arms.end
    shown = {
        arm: xr.Dataset.from_dataframe(curve.set_index("time")).assign_attrs(ci_prob=0.95)
        for arm, curve in curves.items()
    }
    ends = dict.fromkeys(shown, end)
    save_all(plot_survival(shown, unit=unit, label=name, ends=ends), folder / "survival")
    if not len(ratios):
        return
    save_all(plot_forest(ratios, prior=prior_hazard_ratios(fit.stacked)), folder / "forest")
    terms = list(map(str, ratios["term"]))
    treatment = "" if comparison is None else comparison.arms.treatment
    term = treatment if treatment in terms else terms[0]
    axes = plot_members(
        members[members["term"] == term],
        ratios.set_index("term").loc[term].to_dict(),
        curves,
        own,
        unit=unit,
        name=term,
        label=name,
    )
    save_all(axes, folder / "members")


def _curves(
    fit: EnsembleFit, comparison: MemberComparison | None
) -> tuple[dict[str, pd.DataFrame], dict[str, np.ndarray]]:
    """Pooled survival of each arm, over each member's own patients, and each member's mean."""
    whole = thinned(fit) if comparison is None else comparison.whole
    time = time_grid(whole.stacked, 61)
    if comparison is None:
        everyone = member_mixture(whole, whole.stacked.design.training)
        baseline = baseline_cumulative_hazard(whole.stacked, time)
        draws = {EVERYONE: everyone.survival(baseline)}
    else:
        time = time[time <= comparison.arms.end]
        draws = dict(zip(comparison.arms.names, comparison.survival(time), strict=True))
    curves, own = {}, {}
    for arm, values in draws.items():
        of_members = whole.by_member(values)
        curves[arm] = pd.DataFrame({"time": time, **pool(of_members)})
        own[arm] = of_members.mean(axis=(1, 2))
    return curves, own


def save_ensemble(fit: EnsembleFit, path: Path, **origin: Any) -> None:
    """Write draws `(member, chain, draw, ...)` and the members' rows to one netCDF file.

    In single precision, compressed; the file appears whole or not at all.
    """
    import xarray as xr

    rows = ("observed_data", "constant_data")
    data = {name: fit.stacked.draws[name].to_dataset() for name in rows}
    data["constant_data"]["member"] = ("row", fit.ensemble.position)
    tree = xr.DataTree.from_dict({"posterior": fit.posterior.astype("float32"), **data})
    described = describe(fit.stacked) | {
        "format": ENSEMBLE,
        "members": list(fit.members),
        "provenance": origin,
    }
    tree.attrs = {"bayesurv": json.dumps(described)}
    packed = {"zlib": True, "complevel": 4, "fletcher32": True}
    encoding = {"/posterior": dict.fromkeys(map(str, fit.posterior.data_vars), packed)}
    partial = path.with_name(f".{path.name}.partial")
    try:
        tree.to_netcdf(partial, engine="h5netcdf", encoding=encoding)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
