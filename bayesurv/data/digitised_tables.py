"""The two tables of a digitised figure, curves and numbers at risk, checked arm by arm."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.data.covariates import absent
from bayesurv.data.digitised import Digitised, prepare
from bayesurv.data.digitised_risks import TOLERANCE
from bayesurv.data.faults import Checklist, Fault, InputError, listed, nearest
from bayesurv.data.read import as_numbers, as_text, read_table

PERCENT = 1.5  # survival above it, anywhere in a table, is in per cent
CURVES = ("arm", "time", "survival")
RISKS = ("arm", "time", "at_risk")
EXAMPLES = {"time": "12 or 0.5", "survival": "0.82, or 82 for 82%", "at_risk": "27"}


def read_digitised(
    curves: str | Path | pd.DataFrame, at_risk: str | Path | pd.DataFrame
) -> dict[str, Digitised]:
    """Digitised curves by arm, in the order of the curves.

    Parameters
    ----------
    curves : file or DataFrame
        Columns arm, time and survival (of 1, or of 100 if any is above 1.5): as many points of each
        curve as can be read, best two at each step.
    at_risk : file or DataFrame
        Columns arm, time and at_risk, as printed under the figure; the number at time 0 at least.

    Raises
    ------
    InputError
        Every fault of both, with file, row and column.
    """
    points, points_check = _read(curves, CURVES, "curves")
    risks, risks_check = _read(at_risk, RISKS, "numbers at risk")
    points, notes = _as_proportions(points, points_check)
    _check_counts(risks, risks_check)
    _check_arms(points, points_check, risks, risks_check)
    _finish(points_check, risks_check)
    time_error = TOLERANCE * points["time"].max()
    found: dict[str, Digitised] = {}
    for arm in points["arm"].unique():
        of_arm = [table[table["arm"] == arm].drop(columns="arm") for table in (points, risks)]
        curve = prepare(of_arm[0], points_check, of_arm[1], risks_check, time_error)
        if curve is not None:
            found[arm] = replace(curve, notes=(*notes, *curve.notes))
    _finish(points_check, risks_check)
    return found


def _read(
    table: str | Path | pd.DataFrame, names: tuple[str, ...], what: str
) -> tuple[pd.DataFrame, Checklist]:
    """The columns that are needed: arms as text, the others as finite numbers."""
    if isinstance(table, pd.DataFrame):
        frame, source = table, f"DataFrame of {what}"
    else:
        frame, source = read_table(table), Path(table).name
    if not frame.index.is_unique:
        frame = frame.reset_index(drop=True)
    check = Checklist(source, frame.index)
    for name in names:
        if name not in frame:
            check.add(absent(name, frame, f"needed for {what}"), column=name)
    check.finish()
    arms = as_text(frame["arm"])
    check.refuse([arm is None for arm in arms], "arm", "is missing; name the arm in every row")
    numbers = {name: _numbers(check, frame, name) for name in names[1:]}
    return pd.DataFrame({"arm": arms, **numbers}, index=frame.index), check


def _numbers(check: Checklist, frame: pd.DataFrame, name: str) -> np.ndarray:
    numbers, wrong = as_numbers(frame[name])
    example = f"write a plain number such as {EXAMPLES[name]}"
    check.refuse(wrong, name, f"{{value}} is not a number; {example}", value=frame[name])
    check.refuse(np.isnan(numbers) & ~wrong, name, f"is missing; {example}")
    check.refuse(np.isinf(numbers), name, f"{{value}} is not finite; {example}", value=numbers)
    return numbers


def _as_proportions(points: pd.DataFrame, check: Checklist) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Survival from 0 to 1, with what was done to it."""
    read = points["survival"].to_numpy()
    percent = bool((read[np.isfinite(read)] > PERCENT).any())
    top = 100 if percent else 1
    message = f"{{value}} is not between 0 and {top}; read the point again, or delete it"
    outside = (read > top * (1 + TOLERANCE)) | (read < -top * TOLERANCE)
    check.refuse(outside & np.isfinite(read), "survival", message, value=read)
    notes = ("survival read as per cent",) if percent else ()
    return points.assign(survival=np.clip(read / top, 0, 1)), notes


def _check_counts(risks: pd.DataFrame, check: Checklist) -> None:
    counts = risks["at_risk"].to_numpy()
    wrong = np.isfinite(counts) & ((counts < 0) | (np.floor(counts) != counts))
    message = "{value} is not a number of patients, which is 0, 1, 2 or more, and whole"
    check.refuse(wrong, "at_risk", message, value=counts)


def _check_arms(
    points: pd.DataFrame, points_check: Checklist, risks: pd.DataFrame, risks_check: Checklist
) -> None:
    """Each arm is in both tables, under one name."""
    pairs = ((points, points_check, risks, risks_check), (risks, risks_check, points, points_check))
    for table, check, other, other_check in pairs:
        known = other["arm"].dropna().unique()
        for arm in table["arm"].dropna().unique():
            if arm not in known:
                row = table.index[table["arm"] == arm][0]
                message = (
                    f'the arm "{arm}" is not in {other_check.source}, which has {listed(known)}.'
                    f"{nearest(arm, known)} Give each arm one name in both tables"
                )
                check.add(message, row=row, column="arm", value=arm)


def check_events(curves: Mapping[str, Digitised], events: Mapping[str, int]) -> None:
    """Refuse numbers of events of arms that are not there, or that the arm cannot have.

    Raises
    ------
    InputError
        Every such number.
    """
    faults = []
    for arm, count in events.items():
        if arm not in curves:
            hint = nearest(arm, curves)
            message = f'events: there is no arm "{arm}".{hint} There are {listed(curves)}'
        elif not 0 <= count <= curves[arm].at_risk[0]:
            most = curves[arm].at_risk[0]
            message = f'events: {count} of arm "{arm}", which has {most} patients'
        else:
            continue
        faults.append(Fault(message, value=count))
    if faults:
        raise InputError(faults)


def _finish(*checks: Checklist) -> None:
    """Raise the faults of all."""
    faults = [fault for check in checks for fault in check.faults]
    if faults:
        raise InputError(faults)
