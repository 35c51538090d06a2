"""Rows of the classical analysis that compare arms without a model."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from bayesurv.data.faults import InputError
from bayesurv.data.read import as_text
from bayesurv.frequentist.competing_risks import aalen_johansen
from bayesurv.frequentist.gray import gray_test
from bayesurv.frequentist.kaplan_meier import KaplanMeier, reverse_kaplan_meier
from bayesurv.frequentist.log_rank import log_rank
from bayesurv.frequentist.observations import Observations, event_causes
from bayesurv.frequentist.quantiles import quantile
from bayesurv.frequentist.rmst import difference, restricted_mean

LOG_RANKS = {"log-rank": "log-rank", "gehan": "gehan", "peto-peto": "peto"}

type Row = dict[str, Any]


def arm_rows(
    observed: Observations,
    treatment: str | None,
    horizon: float | None,
    cause: str | None,
    ci_prob: float,
) -> Iterator[Row]:
    """Medians, log-rank tests, restricted means and cumulative incidences, as in `classical`."""
    arms = observed.arms(treatment)
    curves = {arm: observed.kaplan_meier(rows, ci_prob) for arm, rows in arms.items()}
    until = min(curve.end for curve in curves.values()) if horizon is None else horizon
    yield from _medians(curves, ci_prob)
    yield from _log_ranks(observed, treatment)
    yield from _means(treatment, curves, until, ci_prob)
    yield from _incidences(observed, arms, treatment, cause, until, ci_prob)


def _medians(curves: Mapping[str, KaplanMeier], ci_prob: float) -> Iterator[Row]:
    for arm, curve in curves.items():
        backwards = reverse_kaplan_meier(curve.exit, curve.event, curve.entry, ci_prob=ci_prob)
        yield _median(arm, "kaplan-meier", "median survival", curve)
        yield _median(arm, "reverse-kaplan-meier", "median follow-up", backwards)


def _median(arm: str, method: str, quantity: str, curve: KaplanMeier) -> Row:
    found = quantile(curve)
    row = {"term": arm, "method": method, "quantity": quantity, "estimate": found.estimate,
           "lower": found.lower, "upper": found.upper}  # fmt: skip
    return row if np.isfinite(found.estimate) else row | {"remark": "not reached"}


def _log_ranks(observed: Observations, treatment: str | None) -> Iterator[Row]:
    if treatment is None:
        return
    cohort = observed.cohort
    group = np.array(as_text(cohort.covariates[treatment]))
    tests: list[tuple[str, str, Any, str]]
    tests = [(name, weight, None, "") for name, weight in LOG_RANKS.items()]
    if observed.groups:
        tests.append(("log-rank-stratified", "log-rank", observed.strata, strata_words(observed)))
    for method, weight, strata, said in tests:
        test = log_rank(
            observed.time, cohort.event, group, cohort.entry, strata=strata, weight=weight
        )
        remark = joined(chi_squared_words(test.statistic, test.degrees_of_freedom), said)
        yield {"term": treatment, "method": method, "p": test.p, "remark": remark}


def _means(
    treatment: str | None, curves: Mapping[str, KaplanMeier], horizon: float, ci_prob: float
) -> Iterator[Row]:
    """Restricted mean of each arm, and the difference of two."""
    try:
        means = {arm: restricted_mean(curve, horizon) for arm, curve in curves.items()}
    except InputError as error:
        yield {"term": treatment or "", "method": "rmst", "time": horizon, "remark": str(error)}
        return
    shared = {"method": "rmst", "time": horizon}
    for arm, mean in means.items():
        lower, upper = mean.interval(ci_prob)
        yield shared | {"term": arm, "quantity": "restricted mean survival",
                        "estimate": mean.estimate, "lower": lower, "upper": upper}  # fmt: skip
    if len(means) == 2:
        first, second = means.values()
        yield shared | asdict(difference(second, first, ci_prob)) | {
            "term": treatment, "quantity": "difference in restricted mean survival"
        }  # fmt: skip


def _incidences(
    observed: Observations,
    arms: Mapping[str, np.ndarray],
    treatment: str | None,
    column: str | None,
    until: float,
    ci_prob: float,
) -> Iterator[Row]:
    """Cumulative incidence of each cause in each arm, and Gray's tests."""
    if column is None:
        return
    cause, entry = event_causes(observed.cohort, column), observed.cohort.entry
    for arm, rows in arms.items():
        found = aalen_johansen(observed.time[rows], cause[rows], entry[rows], ci_prob=ci_prob)
        for name, curve in found.items():
            step = np.searchsorted(curve.time, until, side="right") - 1
            yield {"term": arm, "method": "aalen-johansen", "time": until,
                   "quantity": f"cumulative incidence of {name}",
                   "estimate": curve.incidence[step], "lower": curve.lower[step],
                   "upper": curve.upper[step]}  # fmt: skip
    if treatment is None or observed.cohort.delayed:  # Gray's test knows no delayed entry
        return
    group = np.array(as_text(observed.cohort.covariates[treatment]))
    for name, test in gray_test(observed.time, cause, group).items():
        remark = chi_squared_words(test.statistic, test.degrees_of_freedom)
        yield {"term": treatment, "method": "gray", "p": test.p, "remark": remark,
               "quantity": f"cumulative incidence of {name}"}  # fmt: skip


# --- Remarks ---


def strata_words(observed: Observations) -> str:
    """Which columns are strata."""
    return f"strata: {', '.join(observed.groups)}"


def joined(*remarks: str) -> str:
    """Remarks one after the other, without empty ones."""
    return "; ".join(filter(None, remarks))


def chi_squared_words(statistic: float, degrees_of_freedom: int) -> str:
    """The statistic as a remark."""
    return f"chi-squared {statistic:.4f}, {degrees_of_freedom} df"
