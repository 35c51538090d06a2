"""Bayesian and classical estimates of the same quantity, and what sets them apart.

Two things may: the prior, whose pull on a coefficient is worked out, and chance, since the two
use the same patients with unequal efficiency. What is left over is the form of the model.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.estimands.contrasts import (
    baseline_covariates,
    standardised_quantile,
    standardised_rmst,
    standardised_survival,
)
from bayesurv.estimands.summary import CI_PROB, hazard_ratios, summarise
from bayesurv.fitting import Fit
from bayesurv.frequentist.estimate import Estimate
from bayesurv.frequentist.kaplan_meier import KaplanMeier
from bayesurv.frequentist.quantiles import quantile
from bayesurv.frequentist.rmst import restricted_mean

if TYPE_CHECKING:
    import xarray as xr

# Shares of a standard error: closer than that no two methods come.
LEAST_OF_RATIOS = 0.25
LEAST_OF_CURVES = 0.5
UNEXPLAINED = 3.0

COLUMNS = (
    "quantity", "of", "time", "bayesian", "lower", "upper", "method", "classical",
    "classical_lower", "classical_upper", "explained", "excess", "unexplained", "ci_prob",
)  # fmt: skip

type Row = dict[str, Any]


def side_by_side(
    fit: Fit,
    cox: Estimate | None,
    curves: Mapping[str, tuple[np.ndarray, KaplanMeier]],
    horizon: float,
    times: Sequence[float],
    ci_prob: float = CI_PROB,
) -> pd.DataFrame:
    """Every quantity that both analyses estimate.

    Parameters
    ----------
    fit : Fit
        The Bayesian model.
    cox : Estimate, optional
        The Cox model of the same terms, or Firth's where the data separate.
    curves : mapping
        Patients `(patient,)` and Kaplan-Meier estimate of each arm. Beside it stands the survival
        of these same patients, averaged inside each draw.
    horizon, times
        Of the restricted mean, and of the survival.
    ci_prob : float
        Probability of the credible intervals.

    Returns
    -------
    DataFrame
        Columns quantity, of, time; bayesian (the median, as elsewhere), lower, upper; method,
        classical, classical_lower, classical_upper; explained, the hazard ratio to which the
        classical estimate and the prior lead; excess, the distance from there in units of the
        spread that chance explains; unexplained, whether that is more than 3; ci_prob.
    """
    rows = [] if cox is None else list(_ratios(fit, cox, ci_prob))
    for name, (patients, km) in curves.items():
        rows += _arm(fit, name, patients, km, horizon, times, ci_prob)
    table = pd.DataFrame(rows, columns=COLUMNS).assign(ci_prob=ci_prob)
    return table.assign(unexplained=table["excess"].abs() > UNEXPLAINED)


def explained(cox: Estimate, fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the coefficients to which a classical fit and the priors lead.

    With b and V the classical estimate and its covariance, m and P the priors': C (V^-1 b + P^-1
    m) and C = (V^-1 + P^-1)^-1. A prior without a variance, such as Cauchy's, has no pull.
    """
    priors = [prior.frozen() for prior in fit.specification.priors.coefficients(cox.terms)]
    mean, variance = np.array([prior.stats("mv") for prior in priors], dtype=float).T
    known = np.isfinite(variance)
    precision = np.where(known, 1 / variance, 0.0)
    information = np.linalg.inv(cox.covariance)
    covariance = np.linalg.inv(information + np.diag(precision))
    pull = precision * np.where(known, mean, 0.0)
    return covariance @ (information @ cox.coefficient + pull), covariance


def _ratios(fit: Fit, cox: Estimate, ci_prob: float) -> Iterator[Row]:
    expected, covariance = explained(cox, fit)
    ends = np.exp(cox.interval(ci_prob, "profile" if cox.firth else "wald"))
    for i, row in enumerate(hazard_ratios(fit, ci_prob).itertuples()):
        draws = fit.posterior["coefficient"].isel(term=i)
        ours = row.hazard_ratio, row.lower, row.upper
        beside = np.exp(cox.coefficient[i]), ends[0][i], ends[1][i]
        yield {
            **_row("hazard ratio", row.term, ours, beside),
            "method": "cox-firth" if cox.firth else "cox",
            "explained": np.exp(expected[i]),
            "excess": _excess(draws, expected[i], covariance[i, i] ** 0.5, LEAST_OF_RATIOS),
        }


def _arm(
    fit: Fit,
    name: str,
    patients: np.ndarray,
    km: KaplanMeier,
    horizon: float,
    times: Sequence[float],
    ci_prob: float,
) -> Iterator[Row]:
    """Survival of an arm's own patients, averaged inside each draw, beside Kaplan-Meier's."""
    own = baseline_covariates(fit)[patients]
    in_intervals = np.isfinite(fit.draws["observed_data"]["upper"]).any()
    method = "turnbull" if in_intervals else "kaplan-meier"
    median = quantile(km)
    beside = median.estimate, median.lower, median.upper
    drawn = standardised_quantile(fit, own)
    yield {
        **_row("median survival", name, _summary(drawn, ci_prob), beside),
        "method": method,
    }
    if km.time[0] > 0:  # nobody was at risk from 0 on
        return
    area = restricted_mean(km, horizon)
    beside = area.estimate, *area.interval(ci_prob)
    drawn = standardised_rmst(fit, own, horizon)
    yield {
        **_row("restricted mean survival", name, _summary(drawn, ci_prob), beside),
        "method": method,
        "time": horizon,
        "excess": _excess(drawn, area.estimate, area.standard_error, LEAST_OF_CURVES),
    }
    for time in times:
        drawn = standardised_survival(fit, own, [time])
        step = np.searchsorted(km.time, time, side="right") - 1
        beside = km.survival[step], km.lower[step], km.upper[step]
        yield {
            **_row("survival", name, _summary(drawn, ci_prob), beside),
            "method": method,
            "time": time,
            "excess": _survival_excess(drawn, km.survival[step], km.standard_error[step]),
        }


def _row(
    quantity: str,
    of: str,
    ours: tuple[float, float, float],
    beside: tuple[float, float, float],
) -> Row:
    """Both estimates with their intervals."""
    names = ("bayesian", "lower", "upper", "classical", "classical_lower", "classical_upper")
    return {"quantity": quantity, "of": of, **dict(zip(names, (*ours, *beside), strict=True))}


def _summary(draws: "xr.DataArray", ci_prob: float) -> tuple[float, float, float]:
    """Median and interval of one number."""
    table = summarise(draws, ci_prob)
    median, lower, upper = (float(table[key].squeeze()) for key in ("median", "lower", "upper"))
    return median, lower, upper


def _survival_excess(draws: "xr.DataArray", survival: float, standard_error: float) -> float:
    """Excess on the scale of log(-log S), on which a small cohort's survival is about normal."""
    if not 0 < survival < 1:
        return np.nan
    hazard = -np.log(survival)
    inside = draws.clip(1e-12, 1 - 1e-12)  # poor draws may be at 0 or 1
    return -_excess(
        draws.copy(data=np.log(-np.log(inside))),
        np.log(hazard),
        standard_error / (survival * hazard),
        LEAST_OF_CURVES,
    )


def _excess(draws: "xr.DataArray", expected: float, standard_error: float, least: float) -> float:
    """Distance of the posterior mean from what is expected, in units of what chance explains.

    That spread is sqrt(classical - posterior variance), the posterior being the more efficient
    use of the same data, and no less than a share `least` of the classical standard error.

    Source: Hausman, Econometrica 1978.
    """
    variance = standard_error**2
    chance = max(variance - float(draws.var()), least**2 * variance)
    distance = float(draws.mean()) - expected
    return distance / np.sqrt(chance) if chance > 0 else np.nan
