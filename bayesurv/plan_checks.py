"""What contradicts what in a plan, and its priors; on the document as it was read.

The document may hold faults of any kind: a key of the wrong type is passed over here, because
the check of its own section already says so.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bayesurv.data.coding import mentions
from bayesurv.data.faults import InputError, listed, nearest
from bayesurv.models.baselines import BASELINES, Baseline, PiecewiseExponential
from bayesurv.models.priors import (
    Distribution,
    HazardRatio,
    MedianSurvival,
    Normal,
    Priors,
    parse_prior,
)
from bayesurv.plan_file import toml

Place = tuple[str | int, ...]
Problem = tuple[Place, str]

DEFAULT_BASELINE = ("weibull",)

# Keys of [model] that only one baseline has, with the name of its argument.
BASELINE_KEYS = {
    "piecewise-exponential": {"cuts": "cuts", "intervals": "intervals", "smoothing": "smoothing"},
    "m-spline": {"knots": "inner", "boundary": "boundary"},
    "gompertz": {"scale": "scale"},
}

# Priors of parameters that only some baselines have.
BASELINE_PRIORS = ("intercept", "shape", "slope", "log_hazard", "smoothing_sd")

# What stands for a prior that cannot be read, so that the others are checked all the same.
STAND_IN = vars(Priors(intercept=Normal(0, 5), log_hazard=Normal(0, 5))) | {
    "median_survival": MedianSurvival(6, 24)
}

# Priors that a table {lower, upper, prob} can state.
RANGES: dict[str, type] = {"coefficient": HazardRatio, "median_survival": MedianSurvival}


# --- One value ---


def known_baselines(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse baselines that do not exist or are named twice."""
    for name in names:
        if name not in BASELINES:
            choices = f"use {listed(BASELINES)}.{nearest(name, BASELINES)}"
            raise ValueError(f'unknown baseline "{name}"; {choices}')
        if names.count(name) > 1:
            raise ValueError(f'"{name}" is named twice')
    return names


def increasing(numbers: tuple[float, ...]) -> tuple[float, ...]:
    """Refuse numbers that do not increase."""
    for before, after in zip(numbers, numbers[1:], strict=False):
        if not before < after:
            raise ValueError(f"must increase, but {after:g} follows {before:g}")
    return numbers


def cell(given: object) -> object:
    """Refuse what cannot stand in a column, such as a list or a date."""
    if not isinstance(given, str | int | float):
        raise ValueError(f"{toml(given)} is not text, a number, true or false")
    return given


def labelled(profiles: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    """Refuse profiles that have the same label."""
    labels = [profile["label"] for profile in profiles if "label" in profile]
    for label in labels:
        if not isinstance(label, str):
            raise ValueError(f"the label {toml(label)} is not text in quotes")
        if labels.count(label) > 1:
            raise ValueError(f'the label "{label}" is given twice')
    return profiles


# --- Keys against each other ---


def contradictions(document: Mapping[str, Any]) -> list[Problem]:
    """List what is wrong between keys, whatever else is wrong with them."""
    model, priors, estimand = (_table(document.get(s)) for s in ("model", "priors", "estimand"))
    formula = model.get("formula")
    problems = [*_model(model), *_priors_without_parameter(priors, model)]
    problems += _time_zero(_table(document.get("time_zero")), estimand)
    read_priors(priors, problems)
    return problems + (_strangers(estimand, formula) if isinstance(formula, str) else [])


def _table(given: object) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {}


def _baselines(model: Mapping[str, Any]) -> list[str]:
    """Names of the baselines; none if one (or the key) is misspelt: nothing can be said then."""
    if "baseline" not in model and any(nearest(key, ["baseline"]) for key in model):
        return []
    given = model.get("baseline", DEFAULT_BASELINE)
    names = [given] if isinstance(given, str) else given
    known = isinstance(names, list | tuple) and all(name in BASELINES for name in map(str, names))
    return list(names) if known else []


def _model(model: Mapping[str, Any]) -> Iterable[Problem]:
    names = _baselines(model)
    for owner, keys in BASELINE_KEYS.items():
        for key in keys if names and owner not in names else ():
            if key in model:
                yield (
                    ("model", key),
                    f"only {owner} has it, but baseline is {listed(names)}; leave out one of them",
                )
    if "cuts" in model and "intervals" in model:
        yield ("model", "intervals"), "contradicts cuts, which say how many; leave out one of them"
    knots, boundary = model.get("knots"), model.get("boundary")
    if (
        isinstance(knots, list | tuple)
        and knots
        and {type(knots[-1]), type(boundary)} <= {int, float}
    ):
        if knots[-1] >= boundary:
            yield ("model", "boundary"), f"must lie beyond the last of the knots, {knots[-1]}"


def _time_zero(keys: Mapping[str, Any], estimand: Mapping[str, Any]) -> Iterable[Problem]:
    if "start" in keys and "treatment" not in estimand:
        message = "it says when treatment started, but no treatment is named; name it (treatment)"
        yield ("time_zero", "start"), message
    if "landmark" in keys and "enter_at" in keys:
        message = "contradicts landmark, which starts the clock anew; leave out one of them"
        yield ("time_zero", "enter_at"), message


def _priors_without_parameter(
    priors: Mapping[str, Any], model: Mapping[str, Any]
) -> Iterable[Problem]:
    formula, names = model.get("formula"), _baselines(model)
    if "group_sd" in priors and isinstance(formula, str) and "|" not in formula:
        message = "the formula has no group term, such as (1 | centre); leave it out"
        yield ("priors", "group_sd"), message
    smoothing = model.get("smoothing", "random-walk")
    taken = {p.prior for name in names for p in _example(name, smoothing).sampled}
    for key in BASELINE_PRIORS if names else ():
        if key in priors and key not in taken:
            walk = f' with smoothing "{smoothing}"' if "smoothing" in model else ""
            yield ("priors", key), f"{listed(names)}{walk} has no such parameter; leave it out"


def _example(name: str, smoothing: Any) -> Baseline:
    if name == PiecewiseExponential.name:
        return PiecewiseExponential(smoothing=smoothing)
    return BASELINES[name]()


def _strangers(estimand: Mapping[str, Any], formula: str) -> list[Problem]:
    """Columns that the formula does not mention, so that they cannot make a difference."""
    profiles = estimand.get("profiles")
    tables = profiles if isinstance(profiles, list | tuple) else ()
    named: list[tuple[Place, str]] = [
        (("estimand", "profiles", i, column), column)
        for i, profile in enumerate(tables)
        for column in _table(profile)
        if column != "label"
    ]
    treatment = estimand.get("treatment")
    if isinstance(treatment, str):
        named.insert(0, (("estimand", "treatment"), treatment))
    words = re.findall(r"[^\W\d]\w*", formula)
    return [
        (place, f'"{name}" is not in the formula "{formula}".{nearest(name, words)}')
        for place, name in named
        if not mentions(formula, name)
    ]


# --- Priors ---


def read_priors(given: Mapping[str, Any], problems: list[Problem]) -> Priors:
    """Make the priors of a [priors] section, noting what is wrong with each of them."""
    found: dict[str, Any] = {}
    for key, value in given.items():
        if key == "coefficient" and is_by_term(value):
            found[key] = {
                term: _prior(("priors", key, term), prior, problems)
                for term, prior in value.items()
            }
        elif key in STAND_IN:
            found[key] = _prior(("priors", key), value, problems)
    try:
        return Priors(**found)
    except InputError as error:
        said = [fault.message.removeprefix("priors: ") for fault in error.faults]
        problems += [(("priors",), message) for message in said]
        return Priors()


def is_by_term(given: object) -> bool:
    """Whether priors stand there by term; a table with a number in it is a hazard ratio."""
    if not isinstance(given, Mapping):
        return False
    return not any(isinstance(value, int | float) for value in given.values())


def _prior(place: tuple[str, ...], given: Any, problems: list[Problem]) -> Any:
    """One prior, or its stand-in where a problem was noted or the type is wrong."""
    key = place[1]
    reader = RANGES.get(key) if isinstance(given, Mapping) else parse_prior
    if reader is None or (key == "median_survival" and not isinstance(given, Mapping)):
        return STAND_IN[key]
    try:
        prior = reader(**given) if isinstance(given, Mapping) else reader(given)
    except TypeError:  # keys or values that the section's own check refuses
        return STAND_IN[key]
    except InputError as error:
        problems += [(place, fault.message.removeprefix("prior: ")) for fault in error.faults]
        return STAND_IN[key]
    if isinstance(prior, Distribution | RANGES.get(key, Distribution)):
        return prior
    problems.append((place, f"cannot be {given}; use a distribution, such as {STAND_IN[key]}"))
    return STAND_IN[key]
