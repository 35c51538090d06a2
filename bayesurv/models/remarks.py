"""What a reader must know about a cohort and its model, in sentences."""

import numpy as np
import pandas as pd

from bayesurv.data.design import Design
from bayesurv.models.build import Specification

FEW_EVENTS = 10


def prior_remark(specification: Specification, unit: str) -> str:
    """Say what the prior of the level is and which number of the data it was built on."""
    if specification.level is None:
        return "The level of the hazard has the prior that was stated."
    median = specification.median
    origin = (
        "as stated"
        if specification.priors.median_survival is not None
        else (
            f"around the crude exponential median of the data, {median.centre:.3g} {unit}, "
            "because none was stated"
        )
    )
    return (
        f"Reference median survival: {median.lower:.3g} to {median.upper:.3g} {unit} with "
        f"probability {median.prob:g}, {origin}."
    )


def remarks(specification: Specification, events: int, event: np.ndarray) -> list[str]:
    """Few events, levels without events, and reference profiles outside the data.

    `events` is their number; `event`, `(row,)`, whether any was in a row.
    """
    few = few_events(events, len(specification.design.terms))
    return [*few, *covariate_remarks(specification.design, event)]


def method_remark(asked: str, used: str) -> tuple[str, ...]:
    """Say so where the draws are not, or against what was asked for, those of NUTS."""
    if asked == "nuts":
        return ()
    if used == asked:
        return (
            "The draws come from importance sampling around a Laplace approximation, not from "
            "MCMC: fit by NUTS what is to be reported.",
        )
    return (
        "The draws come from NUTS: the weights of the Laplace approximation failed their checks, "
        "or a prior has two parts, between which it cannot weigh.",
    )


def few_events(events: int, coefficients: int) -> list[str]:
    """Few events per coefficient."""
    if not events < FEW_EVENTS * coefficients:
        return []
    return [
        f"{events} events for {coefficients} coefficients, {events / coefficients:.1f} events "
        "per coefficient: the priors weigh in the answer; compare others."
    ]


def covariate_remarks(design: Design, event: np.ndarray) -> list[str]:
    """Levels without events, and reference profiles outside the data; `event` is `(row,)`."""
    notes: list[str] = []
    covariates = design.training.drop(columns=list(design.group_variables))
    for name, values in covariates.items():
        if not pd.api.types.is_numeric_dtype(values) or values.nunique() <= 2:
            notes += _levels_without_events(values, event)
        elif name in design.terms and (values.min() > 0 or values.max() < 0):
            notes.append(
                f"{name} runs from {values.min():g} to {values.max():g}, so the reference profile, "
                f"{name} = 0, lies outside the data; scale({name}) or center({name}) mends it."
            )
    return notes


def _levels_without_events(values: pd.Series, event: np.ndarray) -> list[str]:
    without = [level for level in values.unique() if not event[(values == level).to_numpy()].any()]
    return [
        f"No events among the patients with {values.name} = {level}: the maximum-likelihood hazard "
        "ratio is infinite or 0, and the posterior rests on the prior."
        for level in without
    ]
