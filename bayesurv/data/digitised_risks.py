"""Numbers at risk as printed under a curve, checked against it."""

import numpy as np
import pandas as pd

from bayesurv.data.faults import Checklist

TOLERANCE = 0.03  # of survival; of time, as a share of the axis


def numbers_at_risk(
    risks: pd.DataFrame,
    check: Checklist,
    time: np.ndarray,
    survival: np.ndarray,
    time_error: float,
) -> pd.DataFrame:
    """Numbers at risk in order of time, once each, while anyone is at risk; faults are noted.

    Parameters
    ----------
    risks : DataFrame
        Columns time and at_risk; indexed by their rows.
    check : Checklist
    time, survival : array, (point,)
        The curve from (0, 1) on.
    time_error : float
        Times nearer than this may be one, but for an error of reading.
    """
    ordered = risks.sort_values("time", kind="stable").drop_duplicates()
    before = ordered.shift()
    for row, now, then in zip(
        ordered.index, ordered.itertuples(), before.itertuples(), strict=True
    ):
        times = then.time, now.time
        fault = _fault(*times, then.at_risk, now.at_risk, float(time[-1]), time_error)
        most = 1 + then.at_risk * _left(*times, time, survival, time_error)
        if fault is None and now.at_risk > most:
            fault = (
                f"{now.at_risk:g} at risk at {now.time:g}, but of {then.at_risk:g} at "
                f"{then.time:g} the curve leaves fewer without the event: check the row and the arm"
            )
        if fault:
            check.add(fault, row=row, column="at_risk", value=now.at_risk)
    anyone = ordered[ordered["at_risk"] > 0]
    if anyone.empty:
        check.add("nobody is at risk at any time", column="at_risk", row=ordered.index[0])
    return anyone


def _fault(
    before: float, time: float, count_before: float, count: float, end: float, time_error: float
) -> str | None:
    """What is wrong with a number at risk beside the one before it, and the end of the curve."""
    if time < 0:
        return f"stands at time {time:g}, before the start at 0"
    if time == before:
        return f"{count:g} and {count_before:g} are both at risk at {time:g}; keep one"
    if count > count_before:
        return (
            f"{count:g} at risk at {time:g} is more than {count_before:g} at {before:g}; nobody "
            "joins later: check the row and the arm"
        )
    if count and time > end + time_error:
        return (
            f"{count:g} are at risk at {time:g}, but the curve ends at {end:g}; digitise it up to "
            "there, or check the axis of time"
        )
    if not count and time < end - time_error:
        return f"nobody is at risk at {time:g}, but the curve goes on to {end:g}"
    return None


def _left(
    start: float, stop: float, time: np.ndarray, survival: np.ndarray, time_error: float
) -> float:
    """Share of those at risk at the start whom the curve, read with errors, may leave."""
    edges = [start + time_error, stop - time_error]
    first, last = np.searchsorted(time, edges, side="right") - 1
    earlier, later = survival[max(first, 0)] - TOLERANCE, survival[max(last, 0)] + TOLERANCE
    return 1.0 if later >= earlier else float(later / earlier)


def from_the_start(
    counted: pd.DataFrame, time: np.ndarray, survival: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Times and numbers at risk from time 0 on, and what there is to say of them."""
    risk_time, at_risk = counted["time"].to_numpy(), counted["at_risk"].to_numpy().astype(int)
    notes = []
    if risk_time[0] > 0:
        before = survival[np.searchsorted(time, risk_time[0]) - 1]
        start = max(round(at_risk[0] / max(before, TOLERANCE)), at_risk[0])
        risk_time, at_risk = np.append(0.0, risk_time), np.append(start, at_risk)
        notes.append(
            f"numbers at risk begin at {risk_time[1]:g}: {start} at the start is what the curve "
            "gives if none were censored before; better, add the row of time 0"
        )
    if risk_time[-1] > time[-1]:
        notes.append(
            f"the curve, which ends at {time[-1]:g}, goes on flat to {risk_time[-1]:g}, where a "
            "number at risk is printed"
        )
    return risk_time, at_risk, [*notes, *_gaps(time, risk_time, at_risk)]


def _gaps(time: np.ndarray, risk_time: np.ndarray, at_risk: np.ndarray) -> list[str]:
    """Where points or numbers are missing."""
    notes = []
    for start, stop, count in zip(risk_time, risk_time[1:], -np.diff(at_risk), strict=False):
        if count and not ((time >= start) & (time < stop) & (time > 0)).any():
            notes.append(
                f"no point from {start:g} to {stop:g}: the {count} who leave there are taken as "
                "censored; read some, if the curve falls there"
            )
    if len(at_risk) == 1:
        notes.append(
            "no number at risk after the start: who was censored can be told from the sizes of the "
            "steps alone, so the number of events, and a hazard ratio, are uncertain; give more "
            "numbers at risk, or the number of events"
        )
    return notes
