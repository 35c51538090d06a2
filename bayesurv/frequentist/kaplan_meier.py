"""Kaplan-Meier, and Turnbull's estimate where the event of some is known only to an interval.

Computed here in numpy and held against lifelines by the tests: lifelines refuses small cohorts
with delayed entry, gives the interval (1, 1) where survival is 0, reads (time, upper] as
[time, upper], and knows no Turnbull estimate with delayed entry.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from bayesurv.frequentist.counting import count_at_risk, count_before
from bayesurv.frequentist.intervals import pointwise
from bayesurv.frequentist.turnbull import turnbull


@dataclass(frozen=True, eq=False)
class KaplanMeier:
    """The observed survival of one group of patients, with the follow-up it comes from.

    Parameters
    ----------
    time, survival : array, (step,)
        The estimate is `survival` from `time` to the next; the first is 1 at the first entry.
    standard_error : array, (step,)
        Of survival: S sqrt(sum of d / (n (n - d))), d events of n at risk (Greenwood, 1926); NaN
        where survival is 0, and for Turnbull.
    lower, upper : array, (step,)
        Pointwise interval; NaN where the standard error is, and log-log where survival is 1.
    censored : array, (censored,)
        Times at which patients were last seen without the event, in order.
    entry, exit, event : array, (stay,)
        At risk in (entry, exit]; whether the event followed, at `exit` or later if in an interval.
    n, events : int
        Number of patients and of events.
    end : float
        Last time at which any patient was seen.
    ci_prob : float
        Probability of the interval.
    notes : tuple of str
        What the reader must know.
    """

    time: np.ndarray
    survival: np.ndarray
    standard_error: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    censored: np.ndarray
    entry: np.ndarray
    exit: np.ndarray
    event: np.ndarray
    n: int
    events: int
    end: float
    ci_prob: float = 0.95
    notes: tuple[str, ...] = ()

    def at_risk(self, times: ArrayLike) -> np.ndarray:
        """Number with entry < t <= exit at each time t; at 0, those who entered at 0."""
        times = np.asarray(times, dtype=float)
        now = count_at_risk(self.entry, self.exit, times)
        return np.where(times == 0, (self.entry <= 0).sum(), now)

    def events_before(self, times: ArrayLike) -> np.ndarray:
        """Number who left the risk set before each time with an event."""
        return count_before(self.exit[self.event], np.asarray(times, dtype=float))

    def censored_before(self, times: ArrayLike) -> np.ndarray:
        """Number who left the risk set before each time without an event."""
        return count_before(self.censored, np.asarray(times, dtype=float))

    def survival_at(self, times: ArrayLike) -> np.ndarray:
        """The estimate at each time; NaN before the first entry and past the end unless it is 0."""
        times = np.asarray(times, dtype=float)
        step = np.searchsorted(self.time, times, side="right") - 1
        values = self.survival[np.maximum(step, 0)]
        return np.where((step < 0) | ((times > self.end) & (values > 0)), np.nan, values)


def kaplan_meier(
    time: ArrayLike,
    event: ArrayLike,
    entry: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    *,
    patient: ArrayLike | None = None,
    ci_prob: float = 0.95,
    interval: str = "log-log",
) -> KaplanMeier:
    """Estimate survival without a model.

    Parameters
    ----------
    time, event : array, (row,)
        End of follow-up, and whether it ended in the event.
    entry : array, (row,), optional
        Start of follow-up, 0 unless given.
    upper : array, (row,), optional
        Finite where the event was in (time, upper]; with any such row the estimate is Turnbull's,
        with its steps in the middle of the intervals where it cannot tell.
    patient : array, (row,), optional
        Whose row it is; rows of one patient that follow each other are joined.
    ci_prob : float
        Probability of the pointwise interval.
    interval : str
        "log-log", "log" or "plain": the scale on which the interval is symmetric.
    """
    exit, event = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    entry = np.zeros_like(exit) if entry is None else np.asarray(entry, dtype=float)
    last = exit if upper is None else np.asarray(upper, dtype=float)
    last = np.where(event & np.isfinite(last), last, exit)
    patient = np.arange(len(exit)) if patient is None else np.asarray(patient)
    n = len(np.unique(patient))
    entry, exit, last, event = _stays(entry, exit, last, event, patient)
    if (last > exit).any():
        steps, survival = turnbull(entry, exit, last, event)
        standard_error = np.full(len(steps), np.nan)
    else:
        steps, survival, standard_error = _product_limit(entry, exit, event)
    survival, standard_error = np.append(1.0, survival), np.append(0.0, standard_error)
    lower, upper = pointwise(survival, standard_error, ci_prob, interval)
    return KaplanMeier(
        time=np.append(entry.min(), steps),
        survival=survival,
        standard_error=standard_error,
        lower=lower,
        upper=upper,
        censored=np.sort(exit[~event]),
        entry=entry,
        exit=exit,
        event=event,
        n=n,
        events=int(event.sum()),
        end=float(last.max()),
        ci_prob=ci_prob,
        notes=_notes(steps, survival[1:], exit),
    )


def reverse_kaplan_meier(
    time: ArrayLike,
    event: ArrayLike,
    entry: ArrayLike | None = None,
    *,
    patient: ArrayLike | None = None,
    ci_prob: float = 0.95,
    interval: str = "log-log",
) -> KaplanMeier:
    """Follow-up: Kaplan-Meier with the end of follow-up as the event, and the event as censoring.

    Its median is the median follow-up. Who had the event at the time at which another was last
    seen still counts as at risk then. Parameters as for `kaplan_meier`.

    Source: Schemper and Smith, Controlled Clinical Trials 1996.
    """
    seen = kaplan_meier(time, event, entry, patient=patient)
    turned = kaplan_meier(seen.exit, ~seen.event, seen.entry, ci_prob=ci_prob, interval=interval)
    return replace(turned, n=seen.n)


def _stays(
    entry: np.ndarray, exit: np.ndarray, last: np.ndarray, event: np.ndarray, patient: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Join the rows of a patient where one starts at the time at which the other ended."""
    order = np.lexsort((exit, entry, patient))
    entry, exit, last, event, patient = (a[order] for a in (entry, exit, last, event, patient))
    follows = (patient[1:] == patient[:-1]) & (entry[1:] == exit[:-1]) & ~event[:-1]
    first, final = np.append(True, ~follows), np.append(~follows, True)
    return entry[first], exit[final], last[final], event[final]


def _product_limit(
    entry: np.ndarray, exit: np.ndarray, event: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    steps, deaths = np.unique(exit[event], return_counts=True)
    at_risk = count_at_risk(entry, exit, steps)
    survival = np.cumprod(1 - deaths / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(deaths / (at_risk * (at_risk - deaths)))
        return steps, survival, survival * np.sqrt(variance)


def _notes(steps: np.ndarray, survival: np.ndarray, exit: np.ndarray) -> tuple[str, ...]:
    if not (survival == 0).any():
        return ()
    zero = steps[np.argmax(survival == 0)]
    later = int((exit > zero).sum())
    if not later:
        return ()
    return (
        f"All who were at risk at {zero:g} had the event then, so the Kaplan-Meier estimate is 0 "
        f"from there on, though {later} who entered later were followed longer.",
    )
