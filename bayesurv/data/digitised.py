"""One digitised Kaplan-Meier curve: its points made a curve, its numbers at risk checked."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from bayesurv.data.faults import Checklist

TOLERANCE = 0.02  # of survival, and of time as a share of the curve's length
MOST_AT_ONCE = 0.1  # of survival, read at time 0 where a curve falls at once
MOST_STRAYS = 0.1  # as a share of the points


@dataclass(frozen=True, eq=False)
class Digitised:
    """The curve of one arm, as it was read off a figure and then made to fall.

    Parameters
    ----------
    time, survival : array, (point,)
        In order; survival never rises and is between 0 and 1. It is 1 at time 0.
    risk_time, at_risk : array, (number,)
        Patients at risk at each time, from time 0 on.
    end : float
        Where the curve ends.
    notes : tuple of str
        What was changed, and what is missing.
    """

    time: np.ndarray
    survival: np.ndarray
    risk_time: np.ndarray
    at_risk: np.ndarray
    end: float
    notes: tuple[str, ...] = ()


def prepare(
    points: pd.DataFrame, points_check: Checklist, risks: pd.DataFrame, risks_check: Checklist
) -> Digitised | None:
    """Make a curve of points and numbers at risk; None where faults were noted.

    A point outside the range of its two neighbours by more than 0.02 is dropped; of points at one
    time the lowest is kept; smaller rises are levelled by isotonic regression, which takes the mean
    of the points that a rise concerns; a curve that has reached 0 ends there.

    Parameters
    ----------
    points, risks : DataFrame
        Columns time and survival (a proportion), and time and at_risk; indexed by their rows.
    points_check, risks_check : Checklist
        Where faults are noted.

    Source: Liu, Zhou and Lee, BMC Medical Research Methodology 2021, for what has to be cleaned.
    """
    noted = len(points_check.faults) + len(risks_check.faults)
    notes: list[str] = []
    kept = _without_strays(_ordered(points, points_check, notes), points_check, notes)
    _refuse_rises(kept, points_check)
    if kept.empty:
        points_check.add("no point after time 0", row=points.index[0], column="time")
        return None
    time, survival = _levelled(kept, notes)
    counted = _counted(risks, risks_check, float(time[-1]), float(survival[-1]), notes)
    if len(points_check.faults) + len(risks_check.faults) > noted:
        return None
    risk_time, at_risk, end = _from_the_start(counted, time, survival, notes)
    _note_gaps(time, risk_time, at_risk, notes)
    return Digitised(time, survival, risk_time, at_risk, end, tuple(notes))


def _ordered(points: pd.DataFrame, check: Checklist, notes: list[str]) -> pd.DataFrame:
    """Points by time, the higher first; times just below 0 at 0."""
    length = points["time"].max()
    before = points["time"] < -TOLERANCE * length
    for row, time in points["time"][before].items():
        message = f"{time:g} is below 0, where the curve starts; shift the times of the axis"
        check.add(message, row=row, column="time", value=time)
    if (points["time"] < 0).any():
        notes.append(f"{_points((points['time'] < 0).sum())} before time 0 moved to 0")
    if not points["time"].is_monotonic_increasing:
        notes.append("points sorted by time")
    placed = points.assign(time=points["time"].clip(lower=0))
    placed = placed.sort_values(["time", "survival"], ascending=[True, False], kind="stable")
    first = placed[placed["time"] == 0]
    if len(first) and first["survival"].iloc[0] < 1 - MOST_AT_ONCE:
        value = first["survival"].iloc[0]
        check.add(
            f"{value:g} is the survival at time 0, but a Kaplan-Meier curve starts at 1 (or 100%); "
            "scale the axis of survival anew",
            row=first.index[0],
            column="survival",
            value=value,
        )
    return placed[placed["time"] > 0]


def _without_strays(points: pd.DataFrame, check: Checklist, notes: list[str]) -> pd.DataFrame:
    """Points without those that lie off the line of their neighbours."""
    survival = np.concatenate([[1.0], points["survival"], [0.0]])
    near, far = _neighbours(points["time"].to_numpy())
    stray = np.zeros(len(points), dtype=bool)
    for i, (first, last) in enumerate(zip(near, far, strict=True)):
        others = np.append(survival[first : i + 1], survival[i + 2 : last + 1])
        stray[i] = abs(survival[i + 1] - np.clip(survival[i + 1], others.min(), others.max())) > (
            TOLERANCE
        )
    if stray.sum() > max(1, MOST_STRAYS * len(points)):
        check.add(
            f"{stray.sum()} of {len(points)} points lie off the line of their neighbours by more "
            f"than {TOLERANCE:g}: is it one curve, of one arm?",
            row=points.index[stray][0],
            column="survival",
        )
    elif stray.any():
        notes.append(f"{_points(stray.sum())} off the line of the neighbours dropped")
    return points[~stray]


def _neighbours(time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last point beside each, once (0, 1) is before all and one of 0 after all.

    Points so near in time that their order may be an error of reading are all neighbours.
    """
    position, width = np.arange(len(time)), TOLERANCE * time[-1] if len(time) else 0.0
    first = np.searchsorted(time, time - width, side="left") + 1
    last = np.searchsorted(time, time + width, side="right")
    return np.minimum(first, position), np.maximum(last, position + 2)


def _refuse_rises(points: pd.DataFrame, check: Checklist) -> None:
    survival = points["survival"].to_numpy()
    time = points["time"].to_numpy()
    surely_before = np.searchsorted(time, time - TOLERANCE * time[-1:])
    before = np.minimum.accumulate(np.append(1.0, survival))[surely_before]
    for i in np.flatnonzero(survival > before + TOLERANCE):
        check.add(
            f"{survival[i]:g} is above {before[i]:g}, where the curve was before; survival never "
            "rises: read the point again, or delete it",
            row=points.index[i],
            column="survival",
            value=survival[i],
        )


def _levelled(points: pd.DataFrame, notes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Time and survival from (0, 1) on, falling, one point at each time."""
    last = points.groupby("time")["survival"].min()
    if len(last) < len(points):
        notes.append(
            f"{_points(len(points) - len(last))} above another at the same time left aside"
        )
    read = last.to_numpy()
    level = isotonic_regression(read, increasing=False).x
    moved = np.abs(level - read)
    if (moved > 1e-9).any():
        count, most = _points((moved > 1e-9).sum()), moved.max()
        notes.append(f"{count} moved, by {most:.4f} at most, to make the curve fall")
    time, survival = np.append(0.0, last.index), np.append(1.0, level)
    ended = np.append(False, survival[:-1] <= 0)
    if ended.any():
        notes.append(f"{_points(ended.sum())} after the curve reached 0 left aside")
    return time[~ended], survival[~ended]


def _counted(
    risks: pd.DataFrame, check: Checklist, end: float, final: float, notes: list[str]
) -> pd.DataFrame:
    """Numbers at risk in order of time, once each, while anyone is at risk."""
    ordered = risks.sort_values("time", kind="stable").drop_duplicates()
    before = ordered.shift()
    for row, now, then in zip(
        ordered.index, ordered.itertuples(), before.itertuples(), strict=True
    ):
        fault = _risk_fault(now.time, now.at_risk, then.time, then.at_risk, end)
        if fault:
            check.add(fault, row=row, column="at_risk", value=now.at_risk)
    at_risk = ordered[ordered["at_risk"] > 0]
    if at_risk.empty:
        check.add("nobody is at risk at any time", column="at_risk", row=ordered.index[0])
    last = at_risk["time"].max()
    if last > end:
        notes.append(
            f"the curve, which ends at {end:g}, goes on flat to {last:g}, where a number at risk "
            "is printed"
        )
    return at_risk


def _risk_fault(
    time: float, count: float, before: float, count_before: float, end: float
) -> str | None:
    """What is wrong with a number at risk."""
    far = TOLERANCE * end
    if time < 0:
        return f"stands at time {time:g}, before the start at 0"
    if time == before:
        return f"{count:g} and {count_before:g} are both at risk at {time:g}; keep one"
    if count > count_before:
        return (
            f"{count:g} at risk at {time:g} is more than {count_before:g} at {before:g}; nobody "
            "joins later: check the row and the arm"
        )
    if count and time > end + far:
        return (
            f"{count:g} are at risk at {time:g}, but the curve ends at {end:g}; digitise it up to "
            "there, or check the axis of time"
        )
    if not count and time < end - far:
        return f"nobody is at risk at {time:g}, but the curve goes on to {end:g}"
    return None


def _from_the_start(
    counted: pd.DataFrame, time: np.ndarray, survival: np.ndarray, notes: list[str]
) -> tuple[np.ndarray, np.ndarray, float]:
    """Times and numbers at risk from 0 on, and where the curve ends."""
    risk_time, at_risk = counted["time"].to_numpy(), counted["at_risk"].to_numpy().astype(int)
    if risk_time[0] > 0:
        before = survival[np.searchsorted(time, risk_time[0]) - 1]
        start = max(round(at_risk[0] / max(before, 1e-9)), at_risk[0])
        notes.append(
            f"numbers at risk begin at {risk_time[0]:g}: {start} at the start is what the curve "
            "gives if none were censored before; better, add the row of time 0"
        )
        risk_time, at_risk = np.append(0.0, risk_time), np.append(start, at_risk)
    return risk_time, at_risk, float(max(time[-1], risk_time[-1]))


def _note_gaps(
    time: np.ndarray, risk_time: np.ndarray, at_risk: np.ndarray, notes: list[str]
) -> None:
    for start, stop, count in zip(risk_time, risk_time[1:], -np.diff(at_risk), strict=False):
        if count and not ((time >= start) & (time < stop) & (time > 0)).any():
            notes.append(
                f"no point from {start:g} to {stop:g}: the {count} who leave there are taken as "
                "censored"
            )
    if len(at_risk) == 1:
        notes.append(
            "no number at risk after the start: who was censored can be told from the sizes of the "
            "steps alone, so the number of events, and a hazard ratio, are uncertain; give more "
            "numbers at risk, or the number of events with --events"
        )


def _points(count: int) -> str:
    return f"{count} point" if count == 1 else f"{count} points"
