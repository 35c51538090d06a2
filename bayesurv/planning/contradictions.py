"""What contradicts what in a DESIGN.toml, section by section."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bayesurv.data.faults import listed, nearest
from bayesurv.models.baselines import BASELINES
from bayesurv.plan_checks import BASELINE_KEYS, Problem
from bayesurv.planning.keys import (
    AnalysisKeys,
    BaselineKeys,
    DecisionKeys,
    DesignKeys,
    NonProportionalKeys,
    RunningKeys,
    TruthKeys,
)

MOST_COVARIATES = 6
BASELINES_NEED = {
    "exponential": ("median",),
    "weibull": ("median", "shape"),
    "piecewise-exponential": ("cuts", "hazards"),
}
KINDS_NEED = {
    "delayed": ("hazard_ratio", "until"),
    "waning": ("hazard_ratio", "since", "until"),
    "crossing": ("hazard_ratio", "early", "until"),
}
ANALYSES_NEED = {"piecewise-exponential": ("cuts",), "m-spline": ("knots", "boundary")}
PROPORTIONAL, PRIOR, RUNNING = "proportional", "design prior", "running study"


def design_problems(keys: DesignKeys) -> Iterable[Problem]:
    """What is wrong between the keys of [design]."""
    if (keys.treated is None) == (keys.ratio is None):
        yield ("design", "treated"), "give the share treated, or ratio = [27, 34], one of them"
    for two in (("accrual", "accrual_rate"), ("dropout_yearly", "dropout_hazard")):
        if all(getattr(keys, name) is not None for name in two):
            yield ("design", two[1]), f"contradicts {two[0]}; leave out one of them"
    if keys.follow_up is None and keys.follow_up_each is None:
        message = "say how long patients are followed: follow_up after the last patient enters, "
        yield ("design", "follow_up"), message + "or follow_up_each for every patient"
    if keys.looks is not None:
        yield from _looks(keys)


def _looks(keys: DesignKeys) -> Iterable[Problem]:
    looks, place = keys.looks, ("design", "looks")
    if looks is None:
        return
    if looks.by != "time" and looks.at[-1] >= 1:
        yield (*place, "at"), f"{looks.at[-1]:g} is not a share below 1, of the {looks.by}"
    planned = looks.planned_events
    if (looks.by == "events") != (planned is not None):
        message = "say how many events are planned" if planned is None else "only by events has it"
        yield (*place, "planned_events"), message
    elif planned is not None and len(planned) not in (1, len(keys.patients)):
        message = f"holds {len(planned)} numbers for {len(keys.patients)} numbers of patients"
        yield (*place, "planned_events"), message


def truth_problems(keys: TruthKeys) -> Iterable[Problem]:
    """What is wrong between the keys of [truth]."""
    yield from _baseline(keys.baseline)
    if len(keys.covariates) > MOST_COVARIATES:
        yield ("truth", "covariates"), f"more than {MOST_COVARIATES} covariates"
    for name, scenario in keys.non_proportional.items():
        yield from _non_proportional(name, scenario)


def _baseline(keys: BaselineKeys) -> Iterable[Problem]:
    place = ("truth", "baseline")
    if (keys.name is None) == (keys.fit is None):
        yield place, "give a name with its numbers, or fit with a saved fit, one of them"
        return
    needed = BASELINES_NEED[keys.name] if keys.name is not None else ("fit",)
    given = keys.model_dump(exclude_none=True, exclude={"name"})
    yield from _needs(place, keys.name or "a fit", needed, given)
    if keys.cuts and keys.hazards and len(keys.hazards) != len(keys.cuts) + 1:
        message = f"{len(keys.cuts)} cuts make {len(keys.cuts) + 1} intervals, "
        yield (*place, "hazards"), f"{message}but there are {len(keys.hazards)} hazards"


def _non_proportional(name: str, keys: NonProportionalKeys) -> Iterable[Problem]:
    place = ("truth", "non_proportional", name)
    if name in (PROPORTIONAL, PRIOR, RUNNING):
        yield place, "this name is taken; choose another"
    given = keys.model_dump(exclude_none=True, exclude={"kind"})
    yield from _needs(place, f"a {keys.kind} effect", KINDS_NEED[keys.kind], given)
    if keys.since is not None and keys.since >= keys.until:
        yield (*place, "until"), f"{keys.until:g} is not after since, {keys.since:g}"


def _needs(
    place: tuple[str, ...], what: str, needed: tuple[str, ...], given: Mapping[str, Any]
) -> Iterable[Problem]:
    for key in needed:
        if key not in given:
            yield (*place, key), f"missing: {what} needs {listed(needed)}"
    for key in given:
        if key not in needed:
            yield (*place, key), f"{what} has no such key; it needs {listed(needed)}"


def analysis_problems(keys: AnalysisKeys) -> Iterable[Problem]:
    """What is wrong between the keys of [analysis]."""
    if keys.baseline not in BASELINES:
        hint = nearest(keys.baseline, BASELINES)
        message = f'"{keys.baseline}" is none of {listed(BASELINES)}.{hint}'
        yield ("analysis", "baseline"), message
        return
    for key in ANALYSES_NEED.get(keys.baseline, ()):
        if getattr(keys, key) is None:
            message = f"missing: every study is analysed by the same {keys.baseline} model"
            yield ("analysis", key), message
    for owner, own in BASELINE_KEYS.items():
        for key in own:
            if owner != keys.baseline and getattr(keys, key, None) is not None:
                message = f"only {owner} has it, but baseline is {keys.baseline}"
                yield ("analysis", key), message


def decision_problems(keys: DecisionKeys) -> Iterable[Problem]:
    """What is wrong between the keys of [decision]."""
    for i, (low, high) in enumerate(zip(keys.futility or (), keys.efficacy or (), strict=False)):
        if low >= high:
            message = f"at look {i + 1}, {low:g} is not below efficacy, {high:g}"
            yield ("decision", "futility"), message


def running_problems(keys: RunningKeys) -> Iterable[Problem]:
    """What is wrong between the keys of [running]."""
    if (keys.plan is None) != (keys.under_observation is None):
        message = "plan and under_observation go together: the plan's cohort has that column"
        yield ("running", "under_observation"), message
    if keys.patients and (keys.accrual is None or keys.treated is None):
        message = "say over what time they enter (accrual) and the share that is treated (treated)"
        yield ("running", "patients"), message
    if keys.accrual is not None and keys.accrual > keys.follow_up:
        message = f"{keys.accrual:g} is past the final analysis, at follow_up = {keys.follow_up:g}"
        yield ("running", "accrual"), message


PROBLEMS: dict[str, Callable[[Any], Iterable[Problem]]] = {
    "design": design_problems,
    "truth": truth_problems,
    "analysis": analysis_problems,
    "decision": decision_problems,
    "running": running_problems,
}
