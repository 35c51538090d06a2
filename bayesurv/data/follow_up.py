"""Follow-up: entry, time, upper and event of each row, and whose row it is, with their checks."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from bayesurv.data.faults import Checklist
from bayesurv.data.read import as_numbers, as_text

DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
PLAIN_NUMBER = "write a plain number with a decimal point, such as 12.5, without unit or date"


@dataclass(frozen=True)
class Columns:
    """Names of the columns that hold the follow-up; None where the table has no such column."""

    time: str
    event: str
    entry: str | None = None
    upper: str | None = None
    id: str | None = None

    @property
    def roles(self) -> dict[str, str]:
        """Role of each column that was named."""
        return {name: role for role, name in asdict(self).items() if name is not None}


def read_follow_up(
    check: Checklist, table: pd.DataFrame, columns: Columns, unit: str
) -> dict[str, np.ndarray]:
    """Entry, time, upper and event of each row; NaN where a time was refused."""
    time = _times(check, table, columns.time, "is missing; leave out a patient without follow-up")
    event = _events(check, table, columns.event)
    entry, upper = np.zeros(len(table)), np.full(len(table), np.nan)
    if columns.entry is not None:
        remedy = "is missing; write 0 where follow-up began on the day of origin"
        entry = _times(check, table, columns.entry, remedy)
    if columns.upper is not None:
        upper = _times(check, table, columns.upper, None)
    interval = (event == 1) & (time >= 0) & (upper > time) & np.isfinite(upper)
    _check_time(check, columns.time, time, interval, unit)
    _check_entry(check, columns.entry, entry, time, interval)
    _check_upper(check, columns.upper, upper, time, event)
    return {
        "entry": entry,
        "time": time,
        "upper": np.where(interval, upper, np.nan),
        "event": event == 1,
    }


def _times(check: Checklist, table: pd.DataFrame, name: str, if_missing: str | None) -> np.ndarray:
    """A column as floats; NaN where it is absent or a fault was noted. None: it may be empty."""
    if name not in table:
        return np.full(len(table), np.nan)
    numbers, wrong = as_numbers(table[name])
    check.refuse(wrong, name, "{value} is not a number; " + PLAIN_NUMBER, value=table[name])
    if if_missing is None:
        return numbers
    check.refuse(np.isnan(numbers) & ~wrong, name, if_missing)
    check.refuse(np.isinf(numbers), name, "{value} is not finite; " + PLAIN_NUMBER, value=numbers)
    return np.where(np.isinf(numbers), np.nan, numbers)


def _events(check: Checklist, table: pd.DataFrame, name: str) -> np.ndarray:
    """A column as 1.0 and 0.0; NaN where it is absent or a fault was noted."""
    if name not in table:
        return np.full(len(table), np.nan)
    events, wrong = as_numbers(table[name], flags=True)
    missing = np.isnan(events) & ~wrong
    known = np.isin(events, (0, 1))
    allowed = "write 1 for an event and 0 for a censored row (or true and false)"
    check.refuse(missing, name, f"is missing; {allowed}")
    check.refuse(
        ~known & ~missing, name, f"{{value}} is neither 0 nor 1; {allowed}", value=table[name]
    )
    return np.where(known, events, np.nan)


def _check_time(
    check: Checklist, name: str, time: np.ndarray, interval: np.ndarray, unit: str
) -> None:
    half_day = f"half a day ({0.5 / DAYS[unit]:.3g} {unit})" if unit in DAYS else "half a day"
    check.refuse(
        time < 0, name, "{value} is not above 0; times run from the day of origin", value=time
    )
    check.refuse(
        (time == 0) & ~interval,
        name,
        "{value} is not above 0; a zero time is an event or loss on the day of origin: "
        f"use {half_day}, or exclude the patient and say so",
        value=time,
    )


def _check_entry(
    check: Checklist, name: str | None, entry: np.ndarray, time: np.ndarray, interval: np.ndarray
) -> None:
    check.refuse(entry < 0, name, "{value} is below 0, the day of origin", value=entry)
    check.refuse(
        (time > 0) & (entry >= time) & ~interval,
        name,
        "{value} is not before the time {time}; a row covers (entry, time]",
        value=entry,
        time=time,
    )
    check.refuse(
        interval & (entry > time),
        name,
        "{value} is after {time}, where the interval of the event begins",
        value=entry,
        time=time,
    )


def _check_upper(
    check: Checklist, name: str | None, upper: np.ndarray, time: np.ndarray, event: np.ndarray
) -> None:
    check.refuse(
        upper < time,
        name,
        "{value} is before the time {time}; an event in (time, upper] needs upper above time "
        "(equal: an exact event; empty: exact or censored, as event says)",
        value=upper,
        time=time,
    )
    check.refuse(
        (event == 0) & np.isfinite(upper) & ~(upper < time),
        name,
        "{value} contradicts event 0: leave upper empty for a censored row, or write event 1 if "
        "the event was in (time, upper]",
        value=upper,
    )
    check.refuse(
        (event == 1) & np.isposinf(upper),
        name,
        "{value} contradicts event 1: write event 0 if the event was not yet seen at time",
        value=upper,
    )


# --- Patients ---


def read_patients(
    check: Checklist, table: pd.DataFrame, columns: Columns, follow_up: Mapping[str, np.ndarray]
) -> np.ndarray:
    """The id of each row's patient, empty where missing; the row's label without an id column."""
    if columns.id is None or columns.id not in table:
        return np.array([str(row) for row in table.index])
    patient = np.array([name or "" for name in as_text(table[columns.id])])
    check.refuse(patient == "", columns.id, "is missing; every row needs the patient's id")
    if columns.entry is None:
        _check_unique(check, columns.id, patient)
    else:
        _check_overlaps(check, columns.entry, patient, follow_up)
    return patient


def _check_unique(check: Checklist, name: str, patient: np.ndarray) -> None:
    first: dict[str, int] = {}
    for position, who in enumerate(patient.tolist()):
        if who and first.setdefault(who, position) != position:
            check.add(
                f"patient {who} is already in row {check.rows[first[who]]}; give entry times to "
                "make (entry, time] rows of one patient, or name no id if these are two patients",
                row=check.rows[position],
                column=name,
                value=who,
            )


def _check_overlaps(
    check: Checklist, name: str, patient: np.ndarray, follow_up: Mapping[str, np.ndarray]
) -> None:
    start, end = follow_up["entry"], np.fmax(follow_up["time"], follow_up["upper"])
    usable = np.flatnonzero((patient != "") & (start < end))
    furthest = None
    for here in usable[np.lexsort((start[usable], patient[usable]))]:
        if furthest is None or patient[here] != patient[furthest]:
            furthest = here
            continue
        if start[here] < end[furthest]:
            check.add(
                f"patient {patient[here]}: ({start[here]}, {end[here]}] overlaps "
                f"({start[furthest]}, {end[furthest]}] in row {check.rows[furthest]}; rows of one "
                "patient may touch, not overlap",
                row=check.rows[here],
                column=name,
                value=float(start[here]),
            )
        if end[here] > end[furthest]:
            furthest = here


def numbered(patient: np.ndarray) -> pd.Categorical:
    """Patients as categories "1", "2", ... in order of appearance, so that no id is kept."""
    position = pd.factorize(patient)[0]
    return pd.Categorical(
        [str(i + 1) for i in position], [str(i + 1) for i in range(len(set(position)))]
    )


def check_size(check: Checklist, patient: np.ndarray, event: np.ndarray, after: str = "") -> None:
    """Refuse a cohort of one patient, or without an event."""
    if len(np.unique(patient)) < 2:
        check.add(f"fewer than 2 patients{after}")
    if not event.any():
        check.add(f"no events: every row is censored, so there is no hazard to estimate{after}")
