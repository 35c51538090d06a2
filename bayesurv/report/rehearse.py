"""Go through a plan with prior draws, so that faults show before anything is sampled."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from bayesurv.data.cohort import Cohort
from bayesurv.data.counts import Counts
from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.arms import treatment_arms
from bayesurv.estimands.margins import Margins
from bayesurv.fitting import Fit, prior
from bayesurv.frequentist.observations import event_causes
from bayesurv.plan import Plan
from bayesurv.report.results import stated_profiles


def rehearse(plan: Plan, cohorts: Mapping[str, Cohort | Counts]) -> dict[tuple[str, str], Fit]:
    """Draw from the prior of every model, by endpoint and name of the baseline.

    Raises
    ------
    InputError
        Lists every fault of formula, covariates, priors, profiles and times, once.
    """
    priors: dict[tuple[str, str], Fit] = {}
    faults: list[Fault] = []
    for endpoint, cohort in cohorts.items():
        faults += _cause_faults(plan, endpoint, cohort)
        for baseline in plan.baselines():
            try:
                drawn = _drawn(plan, cohort, baseline)
                faults += _faults(plan, cohort, drawn)
                priors[endpoint, baseline.name] = drawn
            except InputError as error:
                faults += error.faults
    if faults:
        raise InputError({str(fault): fault for fault in faults}.values())
    return priors


def _cause_faults(plan: Plan, endpoint: str, cohort: Cohort | Counts) -> tuple[Fault, ...]:
    cause = plan.endpoint[endpoint].cause
    if cause is None or isinstance(cohort, Counts):
        return ()
    try:
        event_causes(cohort, cause)
    except InputError as error:
        return error.faults
    return ()


def _drawn(plan: Plan, cohort: Cohort | Counts, baseline: Any) -> Fit:
    return prior(
        cohort,
        plan.model.formula,
        baseline=baseline,
        priors=plan.prior_table(),
        missing=plan.cohort.missing,
        seed=plan.sampling_settings().seed,
    )


def _faults(plan: Plan, cohort: Cohort | Counts, drawn: Fit) -> list[Fault]:
    asked = plan.estimand
    end = cohort.end_of_follow_up
    faults = [_too_late("times", t, end, cohort) for t in (asked.times or ())[-1:] if t > end]
    if asked.treatment is not None:
        try:
            end = treatment_arms(drawn, asked.treatment).end
        except InputError as error:
            faults += [replace(fault, message=f"[estimand] {fault}") for fault in error.faults]
    profiles = pd.DataFrame(stated_profiles(drawn, asked.profiles, asked.treatment))
    numbered = profiles.set_axis(range(1, len(profiles) + 1), axis="index")
    try:
        drawn.design.apply(numbered, source="[estimand] profiles")
    except InputError as error:
        faults += error.faults
    if asked.horizon is not None and asked.horizon > end:
        faults.append(_too_late("horizon", asked.horizon, end, cohort))
    margins = Margins(asked.rmst_margin, asked.survival_margin)
    wrong = margins.faults(min(asked.horizon or end, end), cohort.unit)
    return faults + [replace(fault, message=f"[estimand] {fault}") for fault in wrong]


def _too_late(key: str, value: float, end: float, cohort: Cohort | Counts) -> Fault:
    what = cohort.endpoint if isinstance(cohort, Counts) else cohort.columns.time
    message = f"[estimand] {key}: {value:g} is past the end of follow-up of {what}"
    return Fault(f"{message}; the largest allowed is {end} {cohort.unit}")
