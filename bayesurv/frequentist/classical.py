"""The classical analysis of one endpoint in one table: what a reader knows, each by its name."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.faults import InputError
from bayesurv.data.read import as_text
from bayesurv.frequentist.competing_risks import aalen_johansen
from bayesurv.frequentist.estimate import Estimate
from bayesurv.frequentist.gray import gray_test
from bayesurv.frequentist.kaplan_meier import KaplanMeier, reverse_kaplan_meier
from bayesurv.frequentist.log_rank import log_rank
from bayesurv.frequentist.observations import Observations, event_causes
from bayesurv.frequentist.parametric import exponential, weibull
from bayesurv.frequentist.quantiles import quantile
from bayesurv.frequentist.rmst import difference, restricted_mean
from bayesurv.frequentist.schoenfeld import schoenfeld

COLUMNS = (
    "term", "method", "estimate", "lower", "upper", "p", "quantity", "time", "ci_prob", "remark",
)  # fmt: skip
EVERY_TERM = "all terms"
LOG_RANKS = {"log-rank": "log-rank", "gehan": "gehan", "peto-peto": "peto"}
PARAMETRIC = {"weibull": weibull, "exponential": exponential}
ENDLESS = {1: "infinite", -1: "0", 0: "unknown"}

type Row = dict[str, Any]


def classical(
    observed: Observations,
    treatment: str | None = None,
    horizon: float | None = None,
    cause: str | None = None,
    ci_prob: float = 0.95,
) -> pd.DataFrame:
    """Every classical estimate of an endpoint, a row each.

    Parameters
    ----------
    observed : Observations
        The patients.
    treatment : str, optional
        The covariate whose levels Kaplan-Meier and log-rank compare.
    horizon : float, optional
        Of restricted mean and cumulative incidence; unless given, the end of follow-up of the arm
        with the earliest.
    cause : str, optional
        The column that names what each event was, for cumulative incidence and Gray's test.
    ci_prob : float
        Probability of the confidence intervals.

    Returns
    -------
    DataFrame
        Columns term, method, estimate, lower, upper, p, quantity, time, ci_prob, remark. Where
        there is no finite maximum-likelihood estimate its cell is empty, and the remark says why.
    """
    arms = observed.arms(treatment)
    curves = {arm: observed.kaplan_meier(rows, ci_prob) for arm, rows in arms.items()}
    until = min(curve.end for curve in curves.values()) if horizon is None else horizon
    rows = [
        *_regressions(observed, ci_prob),
        *_medians(curves, ci_prob),
        *_log_ranks(observed, treatment),
        *_means(treatment, curves, until, ci_prob),
        *_incidences(observed, arms, treatment, cause, until, ci_prob),
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).assign(ci_prob=ci_prob)
    return table.fillna({"remark": "", "quantity": ""})


# --- Regressions ---


def _regressions(observed: Observations, ci_prob: float) -> Iterator[Row]:
    """Rows of every model; one that cannot be fitted leaves a remark, and the others go on."""
    if not observed.terms:
        return
    models: list[tuple[str, Callable[..., Iterator[Row]], Any]] = [
        ("cox", _cox, None),
        ("cox-firth", _firth, None),
        *([("cox-stratified", _stratified, None)] if observed.groups else []),
        *(("cox-univariable", _univariable, terms) for terms in observed.components().values()),
        *((method, _parametric, method) for method in PARAMETRIC),
    ]
    for method, fitted, which in models:
        try:
            yield from list(fitted(observed, ci_prob, which))
        except ValueError as error:
            yield {"term": EVERY_TERM, "method": method, "remark": str(error)}


def _cox(observed: Observations, ci_prob: float, which: None) -> Iterator[Row]:
    joint = observed.cox()
    yield from _ratios(joint, "cox", ci_prob)
    yield from _ratios(joint, "cox-profile", ci_prob, "profile", "likelihood-ratio")
    for test in joint.tests().itertuples():
        remark = _chi_squared(test.statistic, test.degrees_of_freedom)
        yield {"term": EVERY_TERM, "method": f"cox-{test.test}", "p": test.p, "remark": remark}
    if not joint.infinite:
        for test in schoenfeld(joint).itertuples():
            remark = _chi_squared(test.statistic, test.degrees_of_freedom)
            yield {"term": test.term, "method": "schoenfeld", "p": test.p, "remark": remark}


def _firth(observed: Observations, ci_prob: float, which: None) -> Iterator[Row]:
    fit = observed.cox(firth=True)
    return _ratios(fit, "cox-firth", ci_prob, "profile", "likelihood-ratio")


def _stratified(observed: Observations, ci_prob: float, which: None) -> Iterator[Row]:
    fit = observed.cox(strata=observed.strata)
    for row in _ratios(fit, "cox-stratified", ci_prob):
        yield row | {"remark": _joined(row["remark"], _strata(observed))}


def _univariable(observed: Observations, ci_prob: float, terms: list[str]) -> Iterator[Row]:
    return _ratios(observed.cox(terms), "cox-univariable", ci_prob)


def _parametric(observed: Observations, ci_prob: float, method: str) -> Iterator[Row]:
    return _ratios(observed.parametric(PARAMETRIC[method]), method, ci_prob)


def _ratios(
    fit: Estimate,
    method: str,
    ci_prob: float,
    interval: str = "wald",
    test: str = "wald",
) -> Iterator[Row]:
    """Hazard ratio of each term that the null model lacks."""
    ends, p = np.exp(fit.interval(ci_prob, interval)), fit.p(test)
    for i in np.flatnonzero(fit.tested):
        term = fit.terms[i]
        way = fit.infinite.get(term)
        yield {
            "term": term,
            "method": method,
            "quantity": "hazard ratio",
            "estimate": np.exp(fit.coefficient[i]) if way is None else np.nan,
            "lower": ends[0][i],
            "upper": ends[1][i],
            "p": p[i],
            "remark": "" if way is None else f"no finite estimate: it is {ENDLESS[way]}",
        }


# --- Arms ---


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
        tests.append(("log-rank-stratified", "log-rank", observed.strata, _strata(observed)))
    for method, weight, strata, said in tests:
        test = log_rank(
            observed.time, cohort.event, group, cohort.entry, strata=strata, weight=weight
        )
        remark = _joined(_chi_squared(test.statistic, test.degrees_of_freedom), said)
        yield {"term": treatment, "method": method, "p": test.p, "remark": remark}


def _strata(observed: Observations) -> str:
    return f"strata: {', '.join(observed.groups)}"


def _joined(*remarks: str) -> str:
    return "; ".join(filter(None, remarks))


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
        remark = _chi_squared(test.statistic, test.degrees_of_freedom)
        yield {"term": treatment, "method": "gray", "p": test.p, "remark": remark,
               "quantity": f"cumulative incidence of {name}"}  # fmt: skip


def _chi_squared(statistic: float, degrees_of_freedom: int) -> str:
    return f"chi-squared {statistic:.4f}, {degrees_of_freedom} df"
