"""Run a plan on an ensemble: every endpoint with every baseline, over all members."""

import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from bayesurv.data.design import variables
from bayesurv.data.ensemble import Ensemble
from bayesurv.data.faults import Fault, InputError
from bayesurv.ensembles import EnsembleFit, fit_ensemble
from bayesurv.estimands.margins import Margins
from bayesurv.estimands.members import member_arms
from bayesurv.fitting import CohortWarning, Fit
from bayesurv.inference.members import short_chains
from bayesurv.plan import Plan
from bayesurv.plots.style import limits, number, percent, probability
from bayesurv.report.answer import Answer
from bayesurv.report.ensemble_results import write_ensemble_fit
from bayesurv.report.folder import staged
from bayesurv.report.origin import command, versions, write_provenance
from bayesurv.report.page.page import write_report
from bayesurv.report.rehearse import rehearse
from bayesurv.report.watcher import Watcher

NOT_BESIDE = "The classical analysis is of single cohorts; none stands beside these fits."


def run_ensemble(
    plan: Plan, out: Path, *, force: bool = False, watcher: Watcher | None = None
) -> tuple[Answer, bool]:
    """Fit all models of a plan to every member, pool them, and write the results under `out`.

    The settings of the sampler are those of short chains for each member unless the plan states
    its own. Returns the answer to print, and whether a fit failed its checks.

    Raises
    ------
    InputError
        Ensemble, formula, priors, profiles, times or output folder cannot be used; found before
        anything is sampled.
    SamplingError
        Members fail their checks and `force` is false.
    """
    watcher = watcher or Watcher()
    started, begin = datetime.now(UTC), time.perf_counter()
    with staged(out) as staging, warnings.catch_warnings():
        warnings.simplefilter("ignore", CohortWarning)  # the notes are printed and written
        watcher.step("Reading the ensemble")
        ensembles = {
            name: each.complete(
                variables(plan.model.formula, each.cohort.covariates), plan.cohort.missing
            )
            for name, each in plan.ensembles().items()
        }
        plan = with_short_chains(plan, min(each.n_members for each in ensembles.values()))
        _rehearse(plan, ensembles)
        fits, tables = {}, []
        for endpoint, ensemble in ensembles.items():
            for baseline in plan.baselines():
                name = f"{endpoint}, {baseline.name}"
                watcher.step(f"Fitting {name}, {ensemble.n_members} members")
                fit = fit_ensemble(
                    ensemble,
                    plan.model.formula,
                    baseline=baseline,
                    priors=plan.prior_table(),
                    sampling=plan.sampling_settings(),
                    progress=watcher.share,
                    force=force,
                )
                watcher.step(f"Writing {name}")
                folder = staging / endpoint / baseline.name
                ratios = _write(plan, fit, folder, endpoint)
                tables.append(_shown(ratios, endpoint, baseline.name))
                fits[f"{endpoint}/{baseline.name}"] = fit
        (staging / "plan.toml").write_text(plan.to_toml(), encoding="utf-8")
        write_provenance(
            staging,
            started=started.isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - begin, 1),
            **_described(plan, fits),
        )
        watcher.step("Writing the report")
        write_report(staging)
    return _answer(fits, tables), any(fit.failed for fit in fits.values())


def with_short_chains(plan: Plan, members: int) -> Plan:
    """The plan with the sampler's settings for members where it states none of its own."""
    stated = plan.sampling.model_dump(include=plan.sampling.model_fields_set)
    sampling = plan.sampling.model_copy(update=short_chains(members).describe() | stated)
    return plan.model_copy(update={"sampling": sampling})


def _rehearse(plan: Plan, ensembles: dict[str, Ensemble]) -> None:
    """Go through the plan with prior draws, and hold its times to every member's follow-up."""
    drawn = rehearse(plan, {name: each.cohort for name, each in ensembles.items()})
    faults = [
        fault
        for (endpoint, _), prior in drawn.items()
        for fault in _too_late(
            plan, EnsembleFit(_within(prior, ensembles[endpoint]), ensembles[endpoint])
        )
    ]
    if faults:
        raise InputError({str(fault): fault for fault in faults}.values())


def _within(prior: Fit, ensemble: Ensemble) -> Fit:
    return replace(prior, end_of_follow_up=ensemble.end_of_follow_up)


def _too_late(plan: Plan, prior: EnsembleFit) -> list[Fault]:
    asked, unit = plan.estimand, prior.stacked.unit
    end = prior.stacked.end_of_follow_up
    limits = [("times", time, end) for time in (asked.times or ())[-1:]]
    if asked.treatment is not None and asked.horizon is not None:
        limits.append(("horizon", asked.horizon, member_arms(prior, asked.treatment).end))
    return [
        Fault(
            f"[estimand] {key}: {value:g} is past the follow-up of a member; the largest allowed "
            f"is {limit:g} {unit}"
        )
        for key, value, limit in limits
        if value > limit
    ]


def _write(plan: Plan, fit: EnsembleFit, folder: Path, endpoint: str) -> pd.DataFrame:
    asked = plan.estimand
    return write_ensemble_fit(
        fit,
        folder,
        label=f"{endpoint.upper()}, {fit.stacked.baseline.name}",
        treatment=asked.treatment,
        horizon=asked.horizon,
        times=asked.times,
        profiles=asked.profiles,
        margins=Margins(asked.rmst_margin, asked.survival_margin),
        causal=asked.causal,
        provenance={
            "endpoint": endpoint,
            "treatment": asked.treatment,
            "horizon": asked.horizon,
            "command": command(),
            "versions": versions(),
            "data": {"sha256": fit.ensemble.cohort.digest()},
        },
    )


def _shown(ratios: pd.DataFrame, endpoint: str, baseline: str) -> pd.DataFrame:
    """Hazard ratios of one fit as they are printed."""
    rows = list(ratios.itertuples())
    return pd.DataFrame(
        {
            "endpoint": endpoint,
            "baseline": baseline,
            "term": [row.term for row in rows],
            "HR (95% CrI)": [
                f"{number(row.hazard_ratio)} ({limits(number(row.lower), number(row.upper))})"
                for row in rows
            ],
            "P(HR < 1)": [probability(row.prob_below_1) for row in rows],
            "in single members": [
                limits(probability(row.prob_low), probability(row.prob_high)) for row in rows
            ],
            "missing data": [percent(row.share_between) for row in rows],
        }
    )


def _answer(fits: dict[str, EnsembleFit], tables: list[pd.DataFrame]) -> Answer:
    first = next(iter(fits.values()))
    size = f"{first.n_members} members of {first.n_patients} patients"
    sentence = (
        f"Pooled over {size}. Missing data: the share of the variance of a log hazard ratio that "
        "lies between members, because patient data were not published."
    )
    notes = (*_said(fits), NOT_BESIDE)
    return Answer(sentence, pd.concat(tables, ignore_index=True), {}, {}, notes)


def _said(fits: dict[str, EnsembleFit]) -> Iterator[str]:
    """Each note once, after the endpoints that it is about unless these are all."""
    about: dict[str, dict[str, None]] = {}
    endpoints = {name.partition("/")[0]: None for name in fits}
    for name, fit in fits.items():
        for note in fit.notes:
            about.setdefault(note, {})[name.partition("/")[0]] = None
    for note, which in about.items():
        yield note if len(which) == len(endpoints) else f"{', '.join(which)}: {note}"


def _described(plan: Plan, fits: dict[str, EnsembleFit]) -> dict[str, Any]:
    return {
        "seed": plan.sampling_settings().seed,
        "fits": {
            name: {
                "members": fit.n_members,
                "patients": fit.n_patients,
                "events": [int(fit.events.min()), int(fit.events.max())],
                "data": {"sha256": fit.ensemble.cohort.digest()},
                "unit": fit.stacked.unit,
                "priors": fit.stacked.specification.described_priors(),
                "sampling": dict(fit.stacked.settings),
                "notes": list(fit.notes),
                "passed_checks": not fit.failed,
            }
            for name, fit in fits.items()
        },
    }
