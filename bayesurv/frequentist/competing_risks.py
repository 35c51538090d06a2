"""Cumulative incidence of each cause, where an event of one cause precludes the others."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bayesurv.data.read import as_text
from bayesurv.frequentist.counting import count_at
from bayesurv.frequentist.intervals import pointwise
from bayesurv.frequentist.kaplan_meier import KaplanMeier, kaplan_meier

CENSORED = (None, "0", "False")


@dataclass(frozen=True, eq=False)
class CumulativeIncidence:
    """The probability of an event of one cause by each time, in one group of patients.

    Parameters
    ----------
    cause : str
        Of the event.
    time, incidence : array, (step,)
        The estimate is `incidence` from `time` to the next; the first is 0 at the first entry.
    standard_error, lower, upper : array, (step,)
        Its standard error and pointwise interval; NaN where the interval is not defined.
    events : array, (event,)
        Times of the events of this cause, in order.
    event_free : KaplanMeier
        Survival free of an event of any cause, at the same times.
    ci_prob : float
        Probability of the interval.
    """

    cause: str
    time: np.ndarray
    incidence: np.ndarray
    standard_error: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    events: np.ndarray
    event_free: KaplanMeier
    ci_prob: float = 0.95

    def incidence_at(self, times: ArrayLike) -> np.ndarray:
        """The estimate at each time; NaN where `event_free` is not known."""
        step = np.searchsorted(self.time, times, side="right") - 1
        known = np.isfinite(self.event_free.survival_at(times))
        return np.where(known, self.incidence[np.maximum(step, 0)], np.nan)

    def events_before(self, times: ArrayLike) -> np.ndarray:
        """Number who had an event of this cause before each time."""
        return np.searchsorted(self.events, times, side="left")


def aalen_johansen(
    time: ArrayLike,
    cause: Iterable,
    entry: ArrayLike | None = None,
    *,
    ci_prob: float = 0.95,
    interval: str = "log-log",
) -> dict[str, CumulativeIncidence]:
    """Cumulative incidence of each cause, by its name.

    F_k(t) adds up S(t-) d_k / n over event times, S survival free of any event, d_k events of the
    cause among the n at risk; with S it adds up to 1 over the causes. The variance is Greenwood's
    for the transition matrix, as R's etm gives it, and with one cause that of Kaplan-Meier.

    Parameters
    ----------
    time : array, (row,)
        End of follow-up.
    cause : iterable, (row,)
        What it ended in; 0, False or missing where follow-up ended without an event.
    entry : array, (row,), optional
        Start of follow-up, 0 unless given.
    ci_prob : float
        Probability of the pointwise interval.
    interval : str
        "log-log", "log" or "plain": the scale on which the interval of F_k is symmetric.

    Source: Aalen and Johansen, Scandinavian Journal of Statistics 1978; variance: Andersen et al.,
    Statistical Models Based on Counting Processes 1993, section IV.4.1.3.
    """
    time, names = np.asarray(time, dtype=float), causes(cause)
    event_free = kaplan_meier(time, names != "", entry)
    found = {}
    for name in map(str, np.unique(names[names != ""])):
        events = np.sort(time[names == name])
        incidence, standard_error = _estimate(event_free, events)
        bounds = pointwise(incidence, standard_error, ci_prob, interval)
        found[name] = CumulativeIncidence(
            name, event_free.time, incidence, standard_error, *bounds, events, event_free, ci_prob
        )
    return found


def _estimate(event_free: KaplanMeier, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Incidence F of the events at the steps of `event_free`, and its standard error.

    The variance at t is the sum, over the steps up to t, of (F(t) - F)^2 d / (n (n - d))
    - 2 (F(t) - F) S(t-) d_k / n^2 + S(t-)^2 d_k (n - d_k) / n^3; here in running sums.
    """
    steps, before = event_free.time[1:], event_free.survival[:-1]
    at_risk = event_free.at_risk(steps)
    deaths = count_at(event_free.exit[event_free.event], steps)
    own = count_at(events, steps)
    increment = before * own / at_risk
    incidence = np.cumsum(increment)
    # Where all at risk had an event nothing follows whose variance that could add to.
    greenwood = np.where(deaths < at_risk, deaths / (at_risk * np.maximum(at_risk - deaths, 1)), 0)
    square = np.cumsum(greenwood)
    cross = np.cumsum(incidence * greenwood + increment / at_risk)
    rest = np.cumsum(
        incidence**2 * greenwood
        + 2 * incidence * increment / at_risk
        + increment * before * (at_risk - own) / at_risk**2
    )
    variance = incidence**2 * square - 2 * incidence * cross + rest
    standard_error = np.sqrt(np.maximum(variance, 0))  # below 0 only by rounding
    return np.append(0.0, incidence), np.append(0.0, standard_error)


def causes(values: Iterable) -> np.ndarray:
    """Name of each row's cause as text, "" where it is 0, False or missing."""
    return np.array(["" if text in CENSORED else text for text in as_text(values)])
