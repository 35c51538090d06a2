"""Restricted mean survival time from Kaplan-Meier estimates, and its difference and ratio."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr
from scipy.stats import norm

from bayesurv.data.faults import Fault, InputError
from bayesurv.frequentist.kaplan_meier import KaplanMeier


@dataclass(frozen=True)
class RestrictedMean:
    """Mean time without the event, from 0 to the horizon."""

    estimate: float
    standard_error: float
    horizon: float

    def interval(self, ci_prob: float = 0.95) -> tuple[float, float]:
        against_0 = _normal(self.estimate, self.standard_error, ci_prob)
        return against_0.lower, against_0.upper


@dataclass(frozen=True)
class Contrast:
    """One restricted mean against another, with a normal-theory interval and two-sided P."""

    estimate: float
    lower: float
    upper: float
    p: float


def restricted_mean(estimate: KaplanMeier, horizon: float) -> RestrictedMean:
    """Area under the Kaplan-Meier curve up to a horizon.

    Its variance is the sum, over event times, of A^2 d / (n (n - d)): d events of n at risk, A the
    area from that time to the horizon. NaN for Turnbull's estimate.

    Raises
    ------
    InputError
        Survival is not known from 0 to the horizon; the largest horizon is named.

    Source: Klein and Moeschberger, Survival Analysis 2003, section 4.5.
    """
    _check(estimate, horizon)
    inside = estimate.time < horizon
    time, survival = estimate.time[inside], estimate.survival[inside]
    area = survival * np.diff(np.append(time, horizon))
    after = np.cumsum(area[::-1])[::-1][1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.diff((estimate.standard_error[inside] / survival) ** 2)
    variance = (after**2 * np.where(after > 0, steps, 0)).sum()
    return RestrictedMean(float(area.sum()), float(np.sqrt(variance)), horizon)


def difference(a: RestrictedMean, b: RestrictedMean, ci_prob: float = 0.95) -> Contrast:
    """Restricted mean `a` minus `b`, of independent groups."""
    _check_horizons(a, b)
    spread = np.hypot(a.standard_error, b.standard_error)
    return _normal(a.estimate - b.estimate, spread, ci_prob)


def ratio(a: RestrictedMean, b: RestrictedMean, ci_prob: float = 0.95) -> Contrast:
    """Restricted mean `a` over `b`, of independent groups; interval and P by the log ratio."""
    _check_horizons(a, b)
    spread = np.hypot(a.standard_error / a.estimate, b.standard_error / b.estimate)
    log = _normal(np.log(a.estimate / b.estimate), spread, ci_prob)
    return Contrast(math.exp(log.estimate), math.exp(log.lower), math.exp(log.upper), log.p)


def _normal(estimate: float, spread: float, ci_prob: float) -> Contrast:
    reach = norm.ppf((1 + ci_prob) / 2) * spread
    p = 2 * float(ndtr(-abs(estimate) / spread)) if spread > 0 else np.nan  # where nothing varies
    return Contrast(float(estimate), float(estimate - reach), float(estimate + reach), p)


def _check_horizons(a: RestrictedMean, b: RestrictedMean) -> None:
    if a.horizon != b.horizon:
        raise ValueError(f"restricted to {a.horizon:g} and {b.horizon:g}: use one horizon")


def _check(estimate: KaplanMeier, horizon: float) -> None:
    faults = []
    if not horizon > 0:
        faults.append(f"the horizon is {horizon:g}, but must be above 0")
    if estimate.time[0] > 0:
        faults.append(
            f"nobody was at risk before {estimate.time[0]:g}, so there is no mean time from 0"
        )
    if horizon > estimate.end and estimate.survival[-1] > 0:
        faults.append(
            f"the horizon {horizon:g} is beyond the end of follow-up; it can be {estimate.end:g} "
            "at most"
        )
    if faults:
        raise InputError(map(Fault, faults))
