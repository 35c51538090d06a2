"""One digitised Kaplan-Meier curve: its points made a curve, its numbers at risk checked."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from bayesurv.data.digitised_risks import TOLERANCE, from_the_start, numbers_at_risk
from bayesurv.data.faults import Checklist

MOST_AT_ONCE = 0.1  # of survival, read at time 0 where a curve falls at once
FEW = 0.02  # points that are dropped, as a share of all
MOST_APART = 0.1  # as a share of the points


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
    read : array, (reading, 2)
        Time and survival of every point as it was read.
    notes : tuple of str
        What was changed, and what is missing.
    """

    time: np.ndarray
    survival: np.ndarray
    risk_time: np.ndarray
    at_risk: np.ndarray
    end: float
    read: np.ndarray
    notes: tuple[str, ...] = ()


def prepare(
    points: pd.DataFrame,
    points_check: Checklist,
    risks: pd.DataFrame,
    risks_check: Checklist,
    time_error: float,
) -> Digitised | None:
    """Make a curve of points and numbers at risk; None where faults were noted.

    A point outside the range of its neighbours by more than 0.03 is dropped, and so are a few that
    are as much above the curve before; of points at one time the lowest is kept; smaller rises are
    levelled by isotonic regression, which takes the mean of the points that a rise concerns; a
    curve that has reached 0 ends there.

    Parameters
    ----------
    points, risks : DataFrame
        Columns time and survival (a proportion), and time and at_risk; indexed by their rows.
    points_check, risks_check : Checklist
        Where faults are noted.
    time_error : float
        Times nearer than this may be one, but for an error of reading.

    Source: Liu, Zhou and Lee, BMC Medical Research Methodology 2021, for what has to be cleaned.
    """
    noted = len(points_check.faults), len(risks_check.faults)
    notes: list[str] = []
    ordered = _ordered(points, points_check, time_error, notes)
    kept = _without_strays(ordered, points_check, time_error, notes)
    if kept.empty:
        points_check.add("no point after time 0", row=points.index[0], column="time")
        return None
    if len(points_check.faults) == noted[0]:
        kept = _without_rises(kept, points_check, time_error, notes)
    time, survival = _levelled(kept, notes)
    counted = numbers_at_risk(risks, risks_check, time, survival, time_error)
    if (len(points_check.faults), len(risks_check.faults)) != noted:
        return None
    risk_time, at_risk, more = from_the_start(counted, time, survival)
    end = float(max(time[-1], risk_time[-1]))
    return Digitised(time, survival, risk_time, at_risk, end, points.to_numpy(), (*notes, *more))


def _ordered(
    points: pd.DataFrame, check: Checklist, time_error: float, notes: list[str]
) -> pd.DataFrame:
    """Points by time, the higher first; times just below 0 at 0."""
    before = points["time"] < -time_error
    for row, time in points["time"][before].items():
        message = f"{time:g} is below 0, where the curve starts; shift the axis of time"
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


def _without_strays(
    points: pd.DataFrame, check: Checklist, time_error: float, notes: list[str]
) -> pd.DataFrame:
    """Points without those that lie off the line of their neighbours, the farthest first."""
    kept = points
    for _ in range(_most_apart(points) + 1):
        off = _off_the_line(kept, time_error)
        if not (off > TOLERANCE).any():
            break
        kept = kept.drop(index=kept.index[np.argmax(off)])
    stray = ~points.index.isin(kept.index)
    if not _are_many(stray, points, check) and stray.any():
        notes.append(f"{_points(stray.sum())} off the line of the neighbours dropped")
    return kept


def _off_the_line(points: pd.DataFrame, time_error: float) -> np.ndarray:
    """How far each point is outside the range of its neighbours, (point,)."""
    survival = np.concatenate([[1.0], points["survival"], [0.0]])
    off = np.zeros(len(points))
    for i, (first, last) in enumerate(_neighbours(points["time"].to_numpy(), time_error)):
        others = np.append(survival[first : i + 1], survival[i + 2 : last + 1])
        off[i] = max(others.min() - survival[i + 1], survival[i + 1] - others.max())
    return off


def _most_apart(points: pd.DataFrame) -> int:
    return max(2, int(MOST_APART * len(points)))


def _are_many(apart: np.ndarray, points: pd.DataFrame, check: Checklist) -> bool:
    """Whether so many points do not fit, (point,), that this cannot be one curve: one fault."""
    most = _most_apart(points)
    many = bool(apart.sum() > most)
    if many:
        check.add(
            f"more than {most} of {len(points)} points of the arm do not fit a curve that never "
            f"rises, by more than {TOLERANCE:g}; is it one curve, of one arm?",
            row=points.index[apart][0],
            column="survival",
        )
    return many


def _neighbours(time: np.ndarray, time_error: float) -> Iterator[tuple[int, int]]:
    """First and last point beside each, once (0, 1) is before all and one of 0 after all.

    Points so near in time that their order may be an error of reading are all neighbours.
    """
    position = np.arange(len(time))
    first = np.searchsorted(time, time - time_error) + 1
    last = np.searchsorted(time, time + time_error, side="right")
    return zip(np.minimum(first, position), np.maximum(last, position + 2), strict=True)


def _without_rises(
    points: pd.DataFrame, check: Checklist, time_error: float, notes: list[str]
) -> pd.DataFrame:
    """Points without the few that are above one surely before; more are refused."""
    time, survival = points["time"].to_numpy(), points["survival"].to_numpy()
    surely_before = np.searchsorted(time, time - time_error)
    before = np.minimum.accumulate(np.append(1.0, survival))[surely_before]
    rises = survival > before + TOLERANCE
    if _are_many(rises, points, check) or not rises.any():
        return points
    if rises.sum() <= FEW * len(points):
        notes.append(f"{_points(rises.sum())} above where the curve was before dropped")
        return points[~rises]
    for i in np.flatnonzero(rises):
        check.add(
            f"{survival[i]:g} is above {before[i]:g}, where the curve was before; survival never "
            "rises: read the point again, or delete it",
            row=points.index[i],
            column="survival",
            value=survival[i],
        )
    return points


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


def _points(count: int) -> str:
    return f"{count} point" if count == 1 else f"{count} points"
