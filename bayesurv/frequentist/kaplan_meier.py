"""Kaplan-Meier, and Turnbull's estimate where the event of some is known only to an interval.

Computed here in numpy and held against lifelines by the tests: lifelines refuses small cohorts
with delayed entry, gives the interval (1, 1) where survival is 0, reads (time, upper] as
[time, upper], and knows no Turnbull estimate with delayed entry.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

MOST_STEPS = 50_000
SMALLEST_CHANGE = 1e-11
SMALLEST_MASS = 1e-8


@dataclass(frozen=True, eq=False)
class KaplanMeier:
    """The observed survival of one group of patients, with the follow-up it comes from.

    Parameters
    ----------
    time, survival : array, (step,)
        The estimate is `survival` from `time` to the next; the first is 1 at the first entry.
    lower, upper : array, (step,)
        Log-log pointwise interval; NaN where there is none: survival 0 or 1, or Turnbull.
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
        return _at_risk(self.entry, self.exit, np.asarray(times, dtype=float))

    def events_before(self, times: ArrayLike) -> np.ndarray:
        """Number who left the risk set before each time with an event."""
        return _below(self.exit[self.event], np.asarray(times, dtype=float))

    def censored_before(self, times: ArrayLike) -> np.ndarray:
        """Number who left the risk set before each time without an event."""
        return _below(self.censored, np.asarray(times, dtype=float))

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
    """
    exit, event = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    entry = np.zeros_like(exit) if entry is None else np.asarray(entry, dtype=float)
    last = exit if upper is None else np.asarray(upper, dtype=float)
    last = np.where(event & np.isfinite(last), last, exit)
    patient = np.arange(len(exit)) if patient is None else np.asarray(patient)
    n = len(np.unique(patient))
    entry, exit, last, event = _stays(entry, exit, last, event, patient)
    if (last > exit).any():
        steps, survival = _turnbull(entry, exit, last, event)
        lower = upper = np.full(len(steps), np.nan)
    else:
        steps, survival, lower, upper = _product_limit(entry, exit, event, ci_prob)
    return KaplanMeier(
        time=np.append(entry.min(), steps),
        survival=np.append(1.0, survival),
        lower=np.append(np.nan, lower),
        upper=np.append(np.nan, upper),
        censored=np.sort(exit[~event]),
        entry=entry,
        exit=exit,
        event=event,
        n=n,
        events=int(event.sum()),
        end=float(last.max()),
        ci_prob=ci_prob,
        notes=_notes(steps, survival, exit),
    )


def _below(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    return np.searchsorted(np.sort(values), times, side="left")


def _at_risk(entry: np.ndarray, exit: np.ndarray, times: np.ndarray) -> np.ndarray:
    return np.where(times == 0, (entry <= 0).sum(), _below(entry, times) - _below(exit, times))


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
    entry: np.ndarray, exit: np.ndarray, event: np.ndarray, ci_prob: float
) -> tuple[np.ndarray, ...]:
    steps, deaths = np.unique(exit[event], return_counts=True)
    at_risk = _at_risk(entry, exit, steps)
    survival = np.cumprod(1 - deaths / at_risk)
    within = (survival > 0) & (survival < 1)
    known, deaths, at_risk = survival[within], deaths[within], at_risk[within]
    variance = np.cumsum(deaths / (at_risk * (at_risk - deaths)))
    spread = np.exp(norm.ppf((1 + ci_prob) / 2) * np.sqrt(variance) / np.log(known))
    lower, upper = np.full((2, len(steps)), np.nan)
    lower[within], upper[within] = known ** (1 / spread), known**spread
    return steps, survival, lower, upper


def _turnbull(
    entry: np.ndarray, exit: np.ndarray, last: np.ndarray, event: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Maximise the likelihood by EM; an exact event at t is (the number just below t, t]."""
    left = np.where(event & (last == exit), np.nextafter(exit, -np.inf), exit)
    right = np.where(event, last, np.inf)
    rows, weight = np.unique(np.column_stack([left, right, entry]), axis=0, return_counts=True)
    left, right, entry = rows.T
    lows = np.unique(left)
    highs = np.unique(np.append(right, entry[entry > lows[0]]))
    low = lows[np.searchsorted(lows, highs) - 1]
    # Only where a left end is followed at once by a right end can there be mass.
    places = np.append(-np.inf, highs[:-1]) <= low
    low, high = low[places], highs[places]
    holds = (left[:, None] <= low) & (high <= right[:, None])
    mass = _em(holds, entry[:, None] <= low, weight)
    kept = (mass > SMALLEST_MASS) & np.isfinite(high)
    exact = low == np.nextafter(high, -np.inf)
    steps = np.where(exact, high, (low + high) / 2)[kept]
    survival = 1 - np.cumsum(mass[kept])
    # Where delayed entry drives survival to 0, EM gets there too slowly to arrive.
    return steps, np.where(survival > 0.01 / weight.sum(), survival, 0.0)


def _em(holds: np.ndarray, seen: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mass of each place, given where each row's event and any observed event can lie."""
    mass = np.full(holds.shape[1], 1 / holds.shape[1])
    for _ in range(MOST_STEPS):
        unseen = weight / (seen @ mass)
        new = mass * ((weight / (holds @ mass)) @ holds + unseen.sum() - unseen @ seen)
        new /= new.sum()
        change, mass = np.abs(new - mass).max(), new
        if change < SMALLEST_CHANGE:
            break
    return mass


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
