"""Run a plan: every endpoint with every baseline, into one folder."""

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from bayesurv.data.cohort import Cohort
from bayesurv.data.counts import Counts
from bayesurv.estimands.margins import Margins
from bayesurv.estimands.summary import hazard_ratios
from bayesurv.fitting import CohortWarning, Fit, fit
from bayesurv.plan import Plan
from bayesurv.report.classical import (
    classical_ratios,
    classical_table,
    observations,
    write_side_by_side,
)
from bayesurv.report.folder import staged
from bayesurv.report.origin import command, versions, write_provenance
from bayesurv.report.page.page import write_report
from bayesurv.report.rehearse import rehearse
from bayesurv.report.results import write_fit
from bayesurv.report.watcher import Watcher


@dataclass(frozen=True)
class Outcome:
    """What one fit of a run has to say on the screen; `beside`: of the classical analysis."""

    endpoint: str
    baseline: str
    ratios: pd.DataFrame
    fit: Fit
    beside: tuple[str, ...] = ()


def run_plan(
    plan: Plan, out: Path, *, force: bool = False, watcher: Watcher | None = None
) -> list[Outcome]:
    """Fit all models of a plan and write their results under `out`, whole or not at all.

    Raises
    ------
    InputError
        Cohort, formula, priors, profiles, times or output folder cannot be used; found before
        anything is sampled.
    SamplingError
        A fit fails its checks and `force` is false.
    """
    watcher = watcher or Watcher()
    started = datetime.now(UTC)
    begin = time.perf_counter()
    with staged(out) as staging, warnings.catch_warnings():
        warnings.simplefilter("ignore", CohortWarning)  # the notes are printed and written
        watcher.step("Reading the cohort")
        counts = plan.counts() or {}
        patients = {} if counts else plan.cohorts()
        cohorts: dict[str, Cohort | Counts] = {**counts, **patients}
        rehearse(plan, cohorts)
        outcomes = []
        for endpoint, cohort in cohorts.items():
            for baseline in plan.baselines():
                name = f"{endpoint}, {baseline.name}"
                watcher.step(f"Fitting {name}")
                fitted = fit(
                    cohort,
                    plan.model.formula,
                    baseline=baseline,
                    priors=plan.prior_table(),
                    missing=plan.cohort.missing,
                    sampling=plan.sampling_settings(),
                    progress=watcher.share,
                    force=force,
                )
                watcher.step(f"Writing {name}")
                origin = {
                    "endpoint": endpoint,
                    "treatment": plan.estimand.treatment,
                    "horizon": plan.estimand.horizon,
                    "command": command(),
                    "versions": versions(),
                    "data": {"sha256": cohort.digest()},
                }
                folder = staging / endpoint / baseline.name
                _write(plan, cohort, fitted, folder, origin)
                ratios = hazard_ratios(fitted)
                outcomes.append(Outcome(endpoint, baseline.name, ratios, fitted))
        if plan.estimand.classical and patients:
            watcher.step("The classical analysis")
            outcomes = _beside(plan, patients, outcomes, staging)
        (staging / "plan.toml").write_text(plan.to_toml(), encoding="utf-8")
        write_provenance(
            staging,
            started=started.isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - begin, 1),
            **_described(plan, cohorts, outcomes),
        )
        if patients:  # the page looks at patients, whom counts do not hold
            watcher.step("Writing the report")
            write_report(staging)
    return outcomes


def _beside(
    plan: Plan, cohorts: dict[str, Cohort], outcomes: list[Outcome], folder: Path
) -> list[Outcome]:
    """Write the classical analysis, and each endpoint's beside its fits; say what that shows."""
    observed = {endpoint: observations(plan, cohort) for endpoint, cohort in cohorts.items()}
    classical_table(plan, observed).to_csv(folder / "classical.csv", index=False)
    said = {}
    for endpoint, each in observed.items():
        fits = {found.baseline: found.fit for found in outcomes if found.endpoint == endpoint}
        said[endpoint] = tuple(write_side_by_side(plan, each, fits, folder / endpoint))
    return [replace(found, beside=said[found.endpoint]) for found in outcomes]


def _write(
    plan: Plan, cohort: Cohort | Counts, fitted: Fit, folder: Path, origin: dict[str, Any]
) -> None:
    asked = plan.estimand
    write_fit(
        fitted,
        folder,
        label=f"{origin['endpoint'].upper()}, {fitted.baseline.name}",
        treatment=asked.treatment,
        horizon=asked.horizon,
        times=asked.times,
        profiles=asked.profiles,
        margins=Margins(asked.rmst_margin, asked.survival_margin),
        causal=asked.causal,
        classical=classical_ratios(plan, cohort)
        if asked.classical and isinstance(cohort, Cohort)
        else None,
        provenance=origin,
    )


def _described(
    plan: Plan, cohorts: Mapping[str, Cohort | Counts], outcomes: list[Outcome]
) -> dict[str, Any]:
    fits = {f"{o.endpoint}/{o.baseline}": o.fit for o in outcomes}
    return {
        "seed": plan.sampling_settings().seed,
        "data": {name: {"sha256": cohort.digest()} for name, cohort in cohorts.items()},
        "fits": {
            name: {
                "patients": each.n_patients,
                "events": each.n_events,
                "unit": each.unit,
                "priors": each.specification.described_priors(),
                "sampling": dict(each.settings),
                "notes": list(each.notes),
                "passed_checks": not each.failed,
            }
            for name, each in fits.items()
        },
    }
