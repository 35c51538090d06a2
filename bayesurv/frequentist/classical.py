"""The classical analysis of one endpoint in one table: what a reader knows, each by its name."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.frequentist.classical_arms import (
    Row,
    arm_rows,
    chi_squared_words,
    joined,
    strata_words,
)
from bayesurv.frequentist.e_value import e_value
from bayesurv.frequentist.estimate import Estimate
from bayesurv.frequentist.observations import Observations
from bayesurv.frequentist.parametric import exponential, weibull
from bayesurv.frequentist.schoenfeld import schoenfeld

COLUMNS = (
    "term", "method", "estimate", "lower", "upper", "p", "quantity", "time", "ci_prob", "remark",
)  # fmt: skip
EVERY_TERM = "all terms"
PARAMETRIC = {"weibull": weibull, "exponential": exponential}
ENDLESS = {1: "infinite", -1: "0", 0: "unknown"}


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
    regressions = list(_regressions(observed, ci_prob))
    rows = [
        *regressions,
        *_e_values(regressions, observed.components().get(treatment or "", [])),
        *arm_rows(observed, treatment, horizon, cause, ci_prob),
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).assign(ci_prob=ci_prob)
    return table.fillna({"remark": "", "quantity": ""})


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
        remark = chi_squared_words(test.statistic, test.degrees_of_freedom)
        yield {"term": EVERY_TERM, "method": f"cox-{test.test}", "p": test.p, "remark": remark}
    if not joint.infinite:
        for test in schoenfeld(joint).itertuples():
            remark = chi_squared_words(test.statistic, test.degrees_of_freedom)
            yield {"term": test.term, "method": "schoenfeld", "p": test.p, "remark": remark}


def _firth(observed: Observations, ci_prob: float, which: None) -> Iterator[Row]:
    fit = observed.cox(firth=True)
    return _ratios(fit, "cox-firth", ci_prob, "profile", "likelihood-ratio")


def _stratified(observed: Observations, ci_prob: float, which: None) -> Iterator[Row]:
    fit = observed.cox(strata=observed.strata)
    for row in _ratios(fit, "cox-stratified", ci_prob):
        yield row | {"remark": joined(row["remark"], strata_words(observed))}


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


def _e_values(rows: Sequence[Row], terms: Collection[str]) -> Iterator[Row]:
    """E-values of the treatment's ratios in the joint models; `lower`: of the nearer limit."""
    for row in rows:
        if row["term"] in terms and row["method"] in ("cox", "cox-firth"):
            ends = row["estimate"], row["lower"], row["upper"]
            if np.isfinite(ends).all():
                found = e_value(*ends)
                yield {"term": row["term"], "method": "e-value", "quantity": "E-value",
                       "estimate": found.estimate, "lower": found.limit,
                       "remark": f"of {row['method']}"}  # fmt: skip
