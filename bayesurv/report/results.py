"""Write a fit's tables and figures into its folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.estimands.arms import last_seen
from bayesurv.estimands.contrasts import (
    baseline_covariates,
    standardised_hazard,
    standardised_survival,
)
from bayesurv.estimands.curves import default_profiles, survival, time_grid
from bayesurv.estimands.leave_one_out import leave_one_out
from bayesurv.estimands.margins import NO_MARGINS, Margins
from bayesurv.estimands.patients import arms
from bayesurv.estimands.summary import (
    hazard_ratios,
    parameter_table,
    prior_hazard_ratios,
    summarise,
    survival_table,
)
from bayesurv.fitting import Fit
from bayesurv.frequentist.kaplan_meier import KaplanMeier, kaplan_meier
from bayesurv.inference.diagnostics import elements, failures
from bayesurv.report.benefit import cohort_benefit
from bayesurv.report.origin import endpoint_name
from bayesurv.saved import save

if TYPE_CHECKING:
    import xarray as xr


def write_fit(
    fit: Fit,
    folder: Path,
    *,
    label: str,
    treatment: str | None = None,
    horizon: float | None = None,
    times: Sequence[float] | None = None,
    profiles: Any = None,
    margins: Margins = NO_MARGINS,
    causal: str | None = None,
    classical: pd.DataFrame | None = None,
    provenance: dict[str, Any] | None = None,
) -> None:
    """Write posterior.nc, the tables and the figures of one endpoint and baseline.

    `label` names the endpoint in the figures; `profiles` is a table, a list of mappings,
    "observed", or None for patients who differ in the treatment only; `margins` and `causal` are
    for the benefit of the treatment; `classical` is what the forest shows beside.
    """
    folder.mkdir(parents=True)
    save(fit, folder / "posterior.nc", **(provenance or {}))
    parameter_table(fit).to_csv(folder / "parameters.csv", index=False)
    hazard_ratios(fit).to_csv(folder / "hazard_ratios.csv", index=False)
    grid = time_grid(fit) if times is None else np.asarray(times, dtype=float)
    curve = survival(fit, stated_profiles(fit, profiles, treatment), grid)
    survival_table(curve).to_csv(folder / "survival.csv", index=False)
    fit.diagnostics.to_csv(folder / "diagnostics.csv", index=False)
    if not fit.counted:
        leave_one_out(fit, exact=False).table().to_csv(folder / "loo.csv", index=False)
    if fit.failed:
        label = f"{label} (FAILED CHECKS)"
        sentences = ["These draws failed the sampler's checks and were written because of --force."]
        text = "\n".join(sentences + failures(fit.diagnostics)) + "\n"
        (folder / "FAILED.txt").write_text(text, encoding="utf-8")
    (folder / "figures").mkdir()
    write_figures(fit, folder / "figures", label, treatment, classical)
    if treatment is not None:
        endpoint = endpoint_name(provenance or {})
        answer = cohort_benefit(fit, treatment, horizon, times, margins, endpoint, causal)
        answer.write(folder, "benefit", folder / "figures")


def stated_profiles(fit: Fit, profiles: Any, treatment: str | None) -> Any:
    """Profiles as asked for, or the default ones."""
    if isinstance(profiles, str):
        return fit.design.training.drop_duplicates()
    return profiles if profiles is not None else default_profiles(fit, treatment)


def write_figures(
    fit: Fit,
    folder: Path,
    label: str,
    treatment: str | None,
    classical: pd.DataFrame | None = None,
) -> None:
    """Draw survival over Kaplan-Meier (not for counts), hazard, forest and chains."""
    from bayesurv.plots.chains import plot_chains
    from bayesurv.plots.curves import plot_hazard, plot_survival
    from bayesurv.plots.forest import plot_forest
    from bayesurv.plots.style import save_all

    members = arms(fit, treatment)
    last = last_seen(fit)
    observed, ends = {}, {}
    for name, chosen in members.items():
        if fit.counted:
            ends[name] = float(last[chosen].max())
        else:
            observed[name] = observed_arm(fit, chosen)
            ends[name] = observed[name].end
    axes = plot_survival(
        arm_curves(fit, members, hazard=False),
        observed,
        unit=fit.unit,
        label=f"Survival ({label})",
        ends=ends,
    )
    save_all(axes, folder / "survival")
    curves = arm_curves(fit, members, hazard=True)
    axes = plot_hazard(curves, unit=fit.unit, knots=fit.baseline.knots(), ends=ends)
    save_all(axes, folder / "hazard")
    if fit.design.terms:
        priors = prior_hazard_ratios(fit)
        axes = plot_forest(hazard_ratios(fit), prior=priors, classical=classical)
        save_all(axes, folder / "forest")
    save_all(plot_chains(dict(elements(fit.posterior))), folder / "chains")


def arm_curves(fit: Fit, members: dict[str, np.ndarray], hazard: bool) -> "dict[str, xr.Dataset]":
    """Summary of each arm's curve, averaged over its own patients inside each draw."""
    curve = standardised_hazard if hazard else standardised_survival
    patients, times = baseline_covariates(fit), time_grid(fit)
    if hazard:  # from just after 0, and on both sides of a cut
        times = np.union1d(times[1:], np.nextafter(fit.baseline.knots(), np.inf))
        times = times[times <= fit.end_of_follow_up]
    thin = max(1, fit.posterior.sizes["draw"] // 250)
    thinned = fit.thinned(thin)
    return {
        name: summarise(curve(thinned, patients[chosen], times, label=name)).isel(individual=0)
        for name, chosen in members.items()
    }


def observed_arm(fit: Fit, chosen: np.ndarray) -> KaplanMeier:
    """Kaplan-Meier estimate of an arm's rows."""
    data = fit.draws["observed_data"].to_dataset()
    patient = fit.draws["constant_data"]["individual"].to_numpy()
    rows = chosen[patient]
    time, entry, upper = (data[name].to_numpy()[rows] for name in ("time", "entry", "upper"))
    return kaplan_meier(
        time, data["event"].to_numpy()[rows] > 0, entry, upper, patient=patient[rows]
    )
