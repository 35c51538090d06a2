"""Patients out of a digitised Kaplan-Meier curve and its numbers at risk."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesurv.data.digitised import Digitised
from bayesurv.data.faults import Fault, InputError

READING_ERROR = 0.004  # standard deviation of a survival that is read off a figure
FAR = 0.05  # a curve that misses a point by so much more than it need is another curve
LEAST = 1e-6  # fewer events than this are none, but for rounding


@dataclass(frozen=True, eq=False)
class Interval:
    """What is known from one number at risk up to the next.

    start, stop : float
    time, survival : (point,)
    at_risk : number at the start.
    leaving : how many leave before the next number; None in the last interval, where the rest stay
        until its end.
    """

    start: float
    stop: float
    time: np.ndarray
    survival: np.ndarray
    at_risk: int
    leaving: int | None

    def area(self, before: float) -> np.ndarray:
        """Share of the area under the curve up to each point and the end, (point + 2,)."""
        knots = np.concatenate([[self.start], self.time, [self.stop]])
        level = np.minimum(before, np.append(before, self.survival))
        area = np.append(0.0, np.cumsum(level * np.diff(knots)))
        return area / area[-1] if area[-1] > 0 else area

    def censored_times(self, before: float, count: int) -> np.ndarray:
        """Times of so many who are censored, even in area, (count,)."""
        knots = np.concatenate([[self.start], self.time, [self.stop]])
        return np.interp(np.arange(1, count + 1) / (count + 1), self.area(before), knots)


@dataclass(frozen=True, eq=False)
class Path:
    """Whole patients up to the end of an interval, and how far their curve is from the points.

    survival : Kaplan-Meier estimate at the end.
    events : how many so far.
    misfit : half the sum of squares, in errors of reading, plus what makes the path improbable.
    died, censored : times, an array for each interval.
    """

    survival: float = 1.0
    events: int = 0
    misfit: float = 0.0
    died: tuple[np.ndarray, ...] = ()
    censored: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, eq=False)
class Choices:
    """Ways on through an interval.

    censored, events : (choice,) numbers in the interval.
    deaths : (choice, point) events at each point.
    survival : (choice, point) the Kaplan-Meier estimate they give.
    """

    censored: np.ndarray
    events: np.ndarray
    deaths: np.ndarray
    survival: np.ndarray


def reconstruct_patients(curve: Digitised, events: int | None = None) -> pd.DataFrame:
    """Find patients of one arm whose numbers at risk and Kaplan-Meier curve are those read.

    Between two numbers at risk, some of those who leave are censored, at times that are even in the
    area under the curve (as if follow-up ended evenly over the interval), and the others have the
    event where the curve falls. With the censored known, the Kaplan-Meier equations

        n(t) = S(t) (n(a) / S(a) - sum over the censored up to t of 1 / S at their time)

    from the number n(a) at the start a give those left, hence those with the event by each point,
    and, rounded, whole patients. Every number censored is tried in every interval, and of all
    sequences the one kept whose curve is nearest to the points. Numbers at risk hold exactly, and
    so do the `events` in all if they are given. After the last number at risk, the earlier rate of
    censoring is the more probable, and those who are left at the end of the curve are censored
    there. Nothing is random. Returns columns time and event (1 or 0), in order of time.

    Raises
    ------
    InputError
        No patients with so many events have such a curve; the numbers that can are named.

    Source: the equations are those of Guyot et al., BMC Medical Research Methodology 2012; here
    they are solved without iteration and searched over whole patients.
    """
    paths = {0: Path()}
    for interval in _intervals(curve):
        paths = _extended(paths.values(), interval, curve)
    if events is None:
        return _table(min(paths.values(), key=lambda path: path.misfit))
    if events not in paths:
        raise InputError([Fault(_impossible(events, paths), value=events)])
    return _table(paths[events])


def _impossible(events: int, possible: Iterable[int]) -> str:
    return (
        f"{events} in all cannot give this curve with these numbers at risk; "
        f"{min(possible)} to {max(possible)} can"
    )


def _table(path: Path) -> pd.DataFrame:
    died, censored = np.concatenate(path.died), np.concatenate(path.censored)
    time, event = np.append(died, censored), np.repeat([1, 0], [len(died), len(censored)])
    order = np.lexsort((-event, time))
    return pd.DataFrame({"time": time[order], "event": event[order]})


def _intervals(curve: Digitised) -> Iterator[Interval]:
    stops = np.append(curve.risk_time[1:], curve.end)
    leaving = [*(-np.diff(curve.at_risk)).tolist(), None]
    later = curve.time > 0
    for start, stop, count, left in zip(
        curve.risk_time, stops, curve.at_risk, leaving, strict=True
    ):
        inside = later & (curve.time >= start) & ((curve.time < stop) | (left is None))
        points = curve.time[inside], curve.survival[inside]
        yield Interval(float(start), float(stop), *points, int(count), left)


# --- Ways through an interval ---


def _extended(paths: Iterable[Path], interval: Interval, curve: Digitised) -> dict[int, Path]:
    """The best way to each number of events up to the end of the interval."""
    ways: dict[int, tuple[float, Path, Choices, int]] = {}
    for path in paths:
        choices = _choices(interval, path.survival)
        misfit = path.misfit + _misfit(choices, path, interval, curve)
        for i in np.flatnonzero(np.isfinite(misfit)):
            total = path.events + int(choices.events[i])
            if total not in ways or misfit[i] < ways[total][0]:
                ways[total] = float(misfit[i]), path, choices, int(i)
    return {total: _taken(interval, *way) for total, way in ways.items()}


def _choices(interval: Interval, before: float) -> Choices:
    """Every number censored, with the events that numbers at risk, or else the points, ask for."""
    leaving = interval.at_risk if interval.leaving is None else interval.leaving
    censored = np.arange(leaving + 1 if interval.stop > interval.start else 1)
    gone = _censored_before(interval, before, censored)
    wanted = _events_by(interval, before, gone)
    total = wanted[:, -1] if len(interval.time) else np.zeros(len(censored))
    if interval.leaving is None:
        events = np.append(np.floor(total + LEAST), np.ceil(total - LEAST))
        censored, gone, wanted, total = (_twice(a) for a in (censored, gone, wanted, total))
    else:
        events = interval.leaving - censored
    possible = (censored + events <= leaving) & ((events == 0) | (total > LEAST))
    censored, events, gone, wanted, total = (
        a[possible] for a in (censored, events, gone, wanted, total)
    )
    scale = events / np.where(total > LEAST, total, 1)
    died = np.floor(wanted * scale[:, None] + 0.5)
    deaths = np.diff(died, axis=1, prepend=0)
    at_risk = interval.at_risk - gone - (died - deaths)
    survival = before * np.cumprod(1 - deaths / np.maximum(at_risk, 1), axis=1)
    return Choices(censored, events.astype(int), deaths.astype(int), survival)


def _twice(a: np.ndarray) -> np.ndarray:
    return np.concatenate([a, a])


def _censored_before(interval: Interval, before: float, censored: np.ndarray) -> np.ndarray:
    """How many of the censored times are before each point, (choice, point)."""
    share = interval.area(before)[1:-1]
    return np.clip(np.ceil(share * (censored[:, None] + 1)) - 1, 0, censored[:, None])


def _events_by(interval: Interval, before: float, gone: np.ndarray) -> np.ndarray:
    """The real number with the event up to each point, (choice, point)."""
    level = np.minimum(before, np.append(before, interval.survival))
    lost = np.diff(gone, axis=1, prepend=0) / level[:-1]
    left = level[1:] * (interval.at_risk / before - np.cumsum(lost, axis=1))
    return np.maximum.accumulate(interval.at_risk - gone - np.maximum(left, 0), axis=1)


def _misfit(choices: Choices, path: Path, interval: Interval, curve: Digitised) -> np.ndarray:
    """Half the sum of squares, and more in the last interval; infinite for another curve."""
    apart = abs(choices.survival - interval.survival)
    misfit = ((apart / READING_ERROR) ** 2).sum(axis=1) / 2
    if interval.leaving is None:
        if len(curve.at_risk) > 1:
            expected = _expected_censored(path, interval, curve)
            misfit += (choices.censored - expected) ** 2 / (2 * (expected + 1))
        # The curve would end before it does.
        empty = choices.censored + choices.events == interval.at_risk
        misfit[empty & (choices.survival[:, -1:] > LEAST).any(axis=1)] = np.inf
    farthest = np.where(np.isfinite(misfit), apart.max(axis=1, initial=0), np.inf)
    misfit[farthest > farthest.min() + FAR] = np.inf
    return misfit


def _expected_censored(path: Path, interval: Interval, curve: Digitised) -> float:
    """Censored in the last interval, at the rate per time at risk of those before."""
    middle = (curve.at_risk[:-1] + curve.at_risk[1:]) / 2
    earlier = float(middle @ np.diff(curve.risk_time))
    censored = int(curve.at_risk[0]) - interval.at_risk - path.events
    fall = min(1.0, curve.survival[-1] / path.survival)
    later = interval.at_risk * (1 + fall) / 2 * (interval.stop - interval.start)
    return censored / earlier * later


def _taken(interval: Interval, misfit: float, path: Path, choices: Choices, i: int) -> Path:
    """The path, gone on by one of the choices."""
    deaths, count, events = choices.deaths[i], int(choices.censored[i]), int(choices.events[i])
    staying = 0 if interval.leaving is not None else interval.at_risk - count - events
    censored = interval.censored_times(path.survival, count)
    return Path(
        float(choices.survival[i][-1]) if len(deaths) else path.survival,
        path.events + events,
        misfit,
        (*path.died, np.repeat(interval.time, deaths)),
        (*path.censored, np.append(censored, np.full(staying, interval.stop))),
    )
