"""Go through a plan with prior draws, so that faults show before anything is sampled."""

from typing import Any

import pandas as pd

from bayesurv.data.cohort import Cohort
from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.curves import compared
from bayesurv.fitting import Fit, prior
from bayesurv.plan import Plan
from bayesurv.report.results import stated_profiles


def rehearse(plan: Plan, cohorts: dict[str, Cohort]) -> dict[tuple[str, str], Fit]:
    """Draw from the prior of every model, by endpoint and name of the baseline.

    Raises
    ------
    InputError
        Lists every fault of formula, covariates, priors, profiles and times, once.
    """
    priors: dict[tuple[str, str], Fit] = {}
    faults: list[Fault] = []
    for endpoint, cohort in cohorts.items():
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


def _drawn(plan: Plan, cohort: Cohort, baseline: Any) -> Fit:
    return prior(
        cohort,
        plan.model.formula,
        baseline=baseline,
        priors=plan.prior_table(),
        missing=plan.cohort.missing,
        seed=plan.sampling_settings().seed,
    )


def _faults(plan: Plan, cohort: Cohort, drawn: Fit) -> list[Fault]:
    asked = plan.estimand
    latest = {"times": max(asked.times or (0.0,)), "horizon": asked.horizon or 0.0}
    faults = [
        _too_late(key, value, cohort)
        for key, value in latest.items()
        if value > cohort.end_of_follow_up
    ]
    if asked.treatment is not None and compared(drawn, asked.treatment) != asked.treatment:
        message = f"[estimand] treatment: {asked.treatment} does not divide the patients into arms"
        remedy = (
            "name a 0/1 covariate or a category; [cohort] reference makes a category of numbers"
        )
        faults.append(Fault(f"{message}; {remedy}"))
    profiles = pd.DataFrame(stated_profiles(drawn, asked.profiles, asked.treatment))
    numbered = profiles.set_axis(range(1, len(profiles) + 1), axis="index")
    try:
        drawn.design.apply(numbered, source="[estimand] profiles")
    except InputError as error:
        faults += error.faults
    return faults


def _too_late(key: str, value: float, cohort: Cohort) -> Fault:
    message = f"[estimand] {key}: {value:g} is past the end of follow-up of {cohort.columns.time}"
    return Fault(f"{message}; the largest allowed is {cohort.end_of_follow_up} {cohort.unit}")
