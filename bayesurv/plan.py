"""Analysis plan: which patients, which models, which questions; checked as a whole, then frozen."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic import Discriminator, Field, Tag, ValidationError

from bayesurv.data.cohort import Cohort
from bayesurv.data.design import variables
from bayesurv.data.faults import Fault, InputError, listed, nearest
from bayesurv.data.read import as_text, read_table
from bayesurv.inference.sample import Sampling
from bayesurv.models.baselines import BASELINES, Baseline
from bayesurv.models.priors import Priors
from bayesurv.plan_checks import (
    BASELINE_KEYS,
    DEFAULT_BASELINE,
    Place,
    Problem,
    contradictions,
    is_by_term,
    mentions,
    read_priors,
)
from bayesurv.plan_file import read_toml, toml, toml_section


def _as_levels(given: object) -> object:
    return {"levels": given} if isinstance(given, list | tuple) else given


def _as_level(given: object) -> object:
    return as_text([given])[0] or "" if isinstance(given, str | int | float) else given


def _as_list(given: object) -> object:
    return [given] if isinstance(given, str) else given


def _baseline_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in BASELINES:
            choices = f"use {listed(BASELINES)}.{nearest(name, BASELINES)}"
            raise ValueError(f'unknown baseline "{name}"; {choices}')
        if names.count(name) > 1:
            raise ValueError(f'"{name}" is named twice')
    return names


def _increasing(numbers: tuple[float, ...]) -> tuple[float, ...]:
    for before, after in zip(numbers, numbers[1:], strict=False):
        if not before < after:
            raise ValueError(f"must increase, but {after:g} follows {before:g}")
    return numbers


def _cell(given: object) -> object:
    if not isinstance(given, str | int | float):
        raise ValueError(f"{toml(given)} is not text, a number, true or false")
    return given


def _labelled(profiles: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    labels = [profile["label"] for profile in profiles if "label" in profile]
    for label in labels:
        if not isinstance(label, str):
            raise ValueError(f"the label {toml(label)} is not text in quotes")
        if labels.count(label) > 1:
            raise ValueError(f'the label "{label}" is given twice')
    return profiles


# Tags of alternatives begin with < so that they can be told from keys in the place of a fault.
def _coefficient_form(given: object) -> str:
    return "<terms>" if is_by_term(given) else _prior_form(given)


def _prior_form(given: object) -> str:
    return "<range>" if isinstance(given, dict) else "<text>"


def _profiles_form(given: object) -> str:
    return "<word>" if isinstance(given, str) else "<tables>"


class Keys(BaseModel):
    """One section of a plan: its keys, their types and what each may hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Ordinal(Keys):
    """Levels of an ordinal covariate, first to last, and its coding."""

    levels: Annotated[
        tuple[Annotated[str, BeforeValidator(_as_level)], ...], Field(strict=False, min_length=2)
    ]
    coding: Literal["monotone", "linear"] = "monotone"


class Range(Keys):
    """A quantity between lower and upper with probability prob."""

    lower: "Positive"
    upper: "Positive"
    prob: Annotated[float, Field(gt=0, lt=1)] = 0.95


Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0)]
Many = Field(strict=False, min_length=1)
