"""Run a plan: every endpoint with every baseline, into one folder."""

import json
import platform
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from bayesurv.data.cohort import Cohort
from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.curves import default_profiles
from bayesurv.estimands.summary import hazard_ratios
from bayesurv.fitting import CohortWarning, Fit, fit, prior
from bayesurv.plan import Plan
from bayesurv.report.folder import MARK, staged
from bayesurv.report.results import stated_profiles, write_fit

LIBRARIES = (
    "pymc",
    "pytensor",
    "nutpie",
    "numba",
    "numpy",
    "scipy",
    "pandas",
    "xarray",
    "formulae",
)


@dataclass(frozen=True)
class Outcome:
    """What one fit of a run has to say on the screen."""

    endpoint: str
    baseline: str
    ratios: pd.DataFrame
    fit: Fit


@dataclass
class Watcher:
    """Told how a run goes: the step that begins, and the share of it that is done."""

    step: Callable[[str], None] = field(default=lambda text: None)
    share: Callable[[float], None] = field(default=lambda share: None)


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
        cohorts = plan.cohorts()
        priors = _rehearse(plan, cohorts)
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
                prior_ratios = hazard_ratios(priors[endpoint, baseline.name])
                _write(plan, fitted, staging / endpoint / baseline.name, endpoint, prior_ratios)
                ratios = hazard_ratios(fitted)
                outcomes.append(Outcome(endpoint, baseline.name, ratios, fitted))
        (staging / "plan.toml").write_text(plan.to_toml(), encoding="utf-8")
        provenance = {
            "bayesurv": version("bayesurv"),
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - begin, 1),
            **_provenance(plan, cohorts, outcomes),
            "files": sorted([*(path.name for path in staging.iterdir()), MARK]),
        }
        (staging / MARK).write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")
    return outcomes


def _rehearse(plan: Plan, cohorts: dict[str, Cohort]) -> dict[tuple[str, str], Fit]:
    """Go through every model with prior draws, so that faults show before anything is sampled."""
    priors, faults = {}, []
    for endpoint, cohort in cohorts.items():
        for baseline in plan.baselines():
            try:
                priors[endpoint, baseline.name] = _rehearsed(plan, cohort, baseline)
            except InputError as error:
                faults += [f for f in error.faults if f not in faults]
    if faults:
        raise InputError(faults)
    return priors


def _rehearsed(plan: Plan, cohort: Cohort, baseline: Any) -> Fit:
    drawn = prior(
        cohort,
        plan.model.formula,
        baseline=baseline,
        priors=plan.prior_table(),
        missing=plan.cohort.missing,
    )
    asked, faults = plan.estimand, []
    if asked.times is not None and max(asked.times) > cohort.end_of_follow_up:
        faults.append(_too_late("times", max(asked.times), cohort))
    if asked.horizon is not None and asked.horizon > cohort.end_of_follow_up:
        faults.append(_too_late("horizon", asked.horizon, cohort))
    if faults:
        raise InputError(faults)
    if not isinstance(asked.profiles, str):
        profiles = pd.DataFrame(asked.profiles) if asked.profiles else None
        drawn.design.apply(
            profiles if profiles is not None else default_profiles(drawn, asked.treatment),
            source="[estimand] profiles",
        )
    return drawn


def _too_late(key: str, value: float, cohort: Cohort) -> Fault:
    largest = f"the largest allowed is {cohort.end_of_follow_up:g} {cohort.unit}"
    message = f"[estimand] {key}: {value:g} is past the end of follow-up of {cohort.columns.time}"
    return Fault(f"{message}; {largest}")


def _write(plan: Plan, fitted: Fit, folder: Path, endpoint: str, ratios: pd.DataFrame) -> None:
    asked = plan.estimand
    write_fit(
        fitted,
        folder,
        label=f"{endpoint.upper()}, {fitted.baseline.name}",
        treatment=asked.treatment,
        times=asked.times,
        profiles=stated_profiles(fitted, asked.profiles, asked.treatment),
        prior_ratios=ratios,
        provenance={"endpoint": endpoint, "versions": _versions()},
    )


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def _provenance(plan: Plan, cohorts: dict[str, Cohort], outcomes: list[Outcome]) -> dict[str, Any]:
    fits = {f"{o.endpoint}/{o.baseline}": o.fit for o in outcomes}
    return {
        "command": " ".join(["bayesurv", *sys.argv[1:]]),
        "versions": _versions(),
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
