"""Printed results recomputed from a cohort's patients, by the package's own classical analysis.

The search for members computes them by millions with compiled code; this says what came of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesurv.data.published import rounding_interval
from bayesurv.data.reconstruct.summary import Summary, Target
from bayesurv.frequentist.contingency import rank_sum
from bayesurv.frequentist.cox import CoxFit, cox
from bayesurv.frequentist.kaplan_meier import kaplan_meier
from bayesurv.frequentist.log_rank import log_rank
from bayesurv.frequentist.quantiles import quantile
from bayesurv.frequentist.rules import TESTS, p_by_rule

TOTAL = 1e-9
CI_PROB = 0.95


@dataclass(frozen=True)
class Recomputed:
    """One printed number, what a cohort's patients give, and how far that is from rounding to it.

    residual : distance from the rounding interval, on the scale of the number; 0 where it is met.
    """

    target: str
    quantity: str
    printed: str
    found: float
    residual: float


def recomputed(summary: Summary, patients: pd.DataFrame) -> list[Recomputed]:
    """Every printed number of a summary's targets, from the patients of one cohort."""
    coding = Coding(summary, patients)
    models: dict[tuple, CoxFit] = {}
    found = []
    for target in summary.target:
        for quantity, printed, value in _values(coding, target, models):
            found.append(
                Recomputed(target.name, quantity, printed, value, residual(value, printed))
            )
    return found


def residual(value: float, printed: str) -> float:
    """Distance of a number from those that would be printed so; 0 if it is one of them."""
    lower, upper = rounding_interval(printed)
    return float(max(lower - value - TOTAL, value - upper - TOTAL, 0.0))


@dataclass(frozen=True)
class Coding:
    """A cohort's columns as the terms of a summary code them."""

    summary: Summary
    patients: pd.DataFrame

    def column(self, term: str) -> np.ndarray:
        """Scores 0, 1, ... of levels, the number itself, or 0 and 1 for name=LEVEL|LEVEL."""
        name, equals, chosen = term.partition("=")
        values = self.patients[name]
        variable = self.summary.named(name)
        if equals:
            return values.astype(str).isin(chosen.split("|")).to_numpy(dtype=float)
        if variable is None or variable.number:
            return values.to_numpy(dtype=float)
        place = {level: float(i) for i, level in enumerate(variable.levels)}
        return values.map(place).to_numpy(dtype=float)

    def columns(self, terms: tuple[str, ...]) -> np.ndarray:
        """Columns of terms, (row, term)."""
        return np.column_stack([self.column(term) for term in terms])

    def times(self, endpoint: str | None) -> tuple[np.ndarray, np.ndarray]:
        """Times and events of an endpoint."""
        time = self.patients[f"{endpoint}_{self.summary.unit}"].to_numpy(dtype=float)
        return time, self.patients[f"{endpoint}_event"].to_numpy(dtype=bool)

    def arm(self, name: str | None) -> np.ndarray:
        """Rows of an arm, or all."""
        if name is None:
            return np.ones(len(self.patients), dtype=bool)
        treated = 1 - self.summary.arms.index(name)
        return (self.patients[self.summary.treatment] == treated).to_numpy()


def _values(
    coding: Coding, target: Target, models: dict[tuple, CoxFit]
) -> Iterator[tuple[str, str, float]]:
    """Quantity, as printed, and found, of each number that a target prints."""
    if target.kind == "cox":
        yield from _of_cox(coding, target, models)
    elif target.kind == "log-rank":
        test = log_rank(*coding.times(target.endpoint), coding.column(target.term or ""))
        yield "P", target.p or "", test.p
    elif target.kind == "rank-sum":
        outer = target.variable == coding.summary.endpoint[0].name
        values = coding.times(target.variable)[0] if outer else coding.column(target.variable or "")
        treated = coding.column(coding.summary.treatment) > 0
        yield "P", target.p or "", rank_sum([values[treated], values[~treated]])
    elif target.kind == "association":
        table = pd.crosstab(*(coding.column(each) for each in target.variables)).to_numpy()
        named = {"pearson": "Pearson", "fisher": "Fisher"}.get(target.test)
        found = p_by_rule(table, "spss").p if named is None else TESTS[named](table)
        yield "P", target.p or "", found
    else:
        yield _of_curve(coding, target)


def _of_cox(
    coding: Coding, target: Target, models: dict[tuple, CoxFit]
) -> Iterator[tuple[str, str, float]]:
    """Wald's P, hazard ratio and limits; ties by Breslow's rule."""
    key = (target.endpoint, target.terms)
    if key not in models:
        covariates = coding.columns(target.terms)
        times = coding.times(target.endpoint)
        models[key] = cox(*times, covariates, target.terms, ties="breslow")
    fit = models[key]
    place = target.terms.index(target.of or "")
    lower, upper = fit.interval(CI_PROB)
    for quantity, printed, value in (
        ("P", target.p, fit.p()[place]),
        ("hazard ratio", target.ratio, np.exp(fit.coefficient[place])),
        ("lower limit", target.lower, np.exp(lower[place])),
        ("upper limit", target.upper, np.exp(upper[place])),
    ):
        if printed is not None:
            yield quantity, printed, float(value)


def _of_curve(coding: Coding, target: Target) -> tuple[str, str, float]:
    rows = coding.arm(target.arm)
    time, event = (each[rows] for each in coding.times(target.endpoint))
    printed = target.value or ""
    if target.kind == "events":
        return "events", printed, float(event.sum())
    curve = kaplan_meier(time, event)
    if target.kind == "survival":
        return "survival", printed, float(curve.survival_at(np.array([target.time]))[0])
    found = quantile(curve)
    if target.kind == "median":
        return "median", printed, found.estimate
    return "lower limit of the median", printed, found.lower
