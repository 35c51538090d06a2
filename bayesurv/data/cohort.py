"""Cohort: the follow-up and covariates of some patients, checked once; no later layer re-checks."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayesurv.data.faults import Checklist, listed, nearest
from bayesurv.data.read import MISSING, as_numbers, as_text, read_table

DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
CODINGS = ("monotone", "linear")
ARRAYS = ("entry", "time", "upper", "event", "patient", "rows")
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


@dataclass(frozen=True, eq=False, repr=False)
class Cohort:
    """Patients' follow-up and covariates, one line per row; made by `from_frame` or `from_file`.

    Parameters
    ----------
    covariates : DataFrame, (row, covariate)
        Numbers, booleans as 0 and 1, categories (first level: the reference), ordered categories.
        A column of numbers with text among them stays text, and `complete` refuses it.
    entry, time, upper : array, (row,)
        In `unit`. At risk from `entry` (0 unless given). The event was at `time`, or in (time,
        upper]; `upper` is NaN unless the row is interval-censored.
    event : bool array, (row,)
        True for exact and interval-censored events, False for rows right-censored at `time`.
    patient : str array, (row,)
        The patient's id; the row's label where there is no id column.
    rows : array, (row,)
        Line of each row in its file, or its index label.
    unit : str
        Unit of all times.
    source : str
        Name of the file, or "DataFrame".
    columns : Columns
        Where the follow-up stood in the source.
    ordinal, coding : mapping
        Levels in order, and "monotone" or "linear", of each ordinal covariate.
    reference : mapping
        The reference level of each covariate for which one was stated.
    notes : tuple of str
        What was dropped and why, and how the file was read where that was not plain.
    """

    covariates: pd.DataFrame
    entry: np.ndarray
    time: np.ndarray
    upper: np.ndarray
    event: np.ndarray
    patient: np.ndarray
    rows: np.ndarray
    unit: str
    source: str
    columns: Columns
    ordinal: Mapping[str, tuple[str, ...]]
    coding: Mapping[str, str]
    reference: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ARRAYS:
            getattr(self, name).setflags(write=False)

    def __repr__(self) -> str:
        size = f"{self.n_rows} rows, {self.n_patients} patients, {self.n_events} events"
        return f"Cohort({self.source}: {size}, time in {self.unit})"

    @classmethod
    def from_file(cls, path: str | Path, *, sheet: str | None = None, **options: Any) -> Self:
        """Read a cohort from CSV, TSV, Parquet or Excel; `options` are those of `from_frame`.

        Raises
        ------
        InputError
            As `read_table` and `from_frame`.
        """
        return cls.from_frame(read_table(path, sheet), source=Path(path).name, **options)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        time: str,
        event: str,
        unit: str,
        entry: str | None = None,
        upper: str | None = None,
        id: str | None = None,
        reference: Mapping[str, Any] | None = None,
        ordinal: Mapping[str, Sequence | Mapping[str, Any]] | None = None,
        covariates: Sequence[str] | None = None,
        missing: str = "error",
        source: str = "DataFrame",
    ) -> Self:
        """Check a table, one line per row, and keep it as a cohort.

        Parameters
        ----------
        frame : DataFrame
            Every column not named below is a covariate. It is not changed.
        time, event, entry, upper, id : str
            Columns. `event` is 1 or 0 (or true, false). `upper` makes (time, upper] of an event's
            time; empty or equal to `time`, the event is exact. With `entry`, a patient, named by
            `id`, may have several (entry, time] rows.
        unit : str
            Unit of all times: days, weeks, months, years, or another.
        reference : mapping, optional
            Reference level by column; such a column holds categories, even when they are numbers.
            Otherwise the reference is the first level in sorted (or the Categorical's) order.
        ordinal : mapping, optional
            By column, the levels from first to last; or ``{"levels": [...], "coding": "linear"}``.
            The coding is "monotone" unless stated.
        covariates : sequence of str, optional
            Covariates that will be needed; only these must be present, complete and finite.
        missing : {"error", "drop"}
            Whether to refuse missing needed covariates or to leave out those patients and note it.
        source : str
            What the messages call the table.

        Raises
        ------
        InputError
            Lists every fault with row and column.
        """
        table, check = _table(frame, source)
        columns = Columns(time, event, entry, upper, id)
        levels, coding = _ordinal(check, ordinal or {})
        stated = {name: as_text([level])[0] or "" for name, level in (reference or {}).items()}
        _check_names(check, table, columns, levels, stated)
        if not (unit and unit.strip()):
            check.add("the unit of time is not stated; use days, weeks, months or years")
        follow_up = _follow_up(check, table, columns, unit)
        patient = _patients(check, table, columns, follow_up)
        others = table.drop(columns=list(columns.roles), errors="ignore")
        coded = _coded(check, others, levels, stated)
        _check_needed(check, coded, covariates or (), patient, columns, missing)
        if not any(fault.column == event for fault in check.faults):
            _check_size(check, patient, follow_up["event"])
        check.finish()
        cohort = cls(
            coded,
            **follow_up,
            patient=patient,
            rows=np.array(table.index),
            unit=unit.strip(),
            source=source,
            columns=columns,
            ordinal=levels,
            coding=coding,
            reference=stated,
            notes=tuple(frame.attrs.get("notes", ())),
        )
        return cohort._without_missing(covariates or ())

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.time)

    @property
    def n_patients(self) -> int:
        """Number of patients; a patient may have several rows."""
        return len(np.unique(self.patient))

    @property
    def n_events(self) -> int:
        """Number of events, exact and interval-censored."""
        return int(self.event.sum())

    @property
    def interval(self) -> np.ndarray:
        """Rows, shape (row,), whose event lies in (time, upper]."""
        return self.event & np.isfinite(self.upper)

    @property
    def exact(self) -> np.ndarray:
        """Rows, shape (row,), whose event was at time."""
        return self.event & ~self.interval

    @property
    def delayed(self) -> bool:
        """Whether any row is at risk only from an entry after 0."""
        return bool((self.entry > 0).any())

    @property
    def end_of_follow_up(self) -> float:
        """The last time, in `unit`, at which anyone was seen."""
        return float(np.fmax(self.time, self.upper).max())

    def complete(self, columns: Sequence[str], missing: str = "error") -> Self:
        """The cohort, with every one of these covariates present, complete and finite.

        With missing = "drop", patients who lack one are left out, whole, and a note says so.

        Raises
        ------
        InputError
            A covariate is absent, missing, infinite, or text among numbers; or too few are left.
        """
        check = Checklist(self.source, self.rows)
        _check_needed(check, self.covariates, columns, self.patient, self.columns, missing)
        check.finish()
        return self._without_missing(columns)

    def _without_missing(self, columns: Sequence[str]) -> Self:
        lacking = self.covariates[list(columns)].isna()
        if not lacking.to_numpy().any():
            return self
        by_patient = lacking.groupby(self.patient).any()
        dropped = by_patient.index[by_patient.any(axis=1)]
        counts = [f"{name} missing for {n}" for name, n in by_patient.sum().items() if n]
        note = f"{len(dropped)} of {self.n_patients} patients dropped: {', '.join(counts)}"
        kept = ~np.isin(self.patient, dropped.to_numpy(dtype=str))
        arrays = {name: getattr(self, name)[kept] for name in ARRAYS}
        check = Checklist(self.source, arrays["rows"])
        covariates = self.covariates[kept].reset_index(drop=True)
        coded = _coded(check, covariates, self.ordinal, self.reference)
        _check_size(check, arrays["patient"], arrays["event"], f" ({note})")
        check.finish()
        return replace(self, covariates=coded, notes=(*self.notes, note), **arrays)

    def digest(self) -> str:
        """SHA-256 of what is analysed: unit, follow-up, who is one patient, and covariates.

        The same for the same data from any kind of file, in any order of columns.
        """
        sha = hashlib.sha256(repr((self.unit, self.n_rows)).encode())
        for numbers in (self.entry, self.time, self.upper, self.event):
            sha.update(_canonical(numbers))
        sha.update(_canonical(pd.factorize(self.patient)[0]))
        for name in sorted(self.covariates):
            values = self.covariates[name]
            if pd.api.types.is_numeric_dtype(values):
                sha.update(repr(name).encode() + _canonical(values))
            else:
                levels = list(values.cat.categories) if _is_category(values) else None
                sha.update(repr((name, levels, as_text(values))).encode())
        return sha.hexdigest()


def _canonical(numbers: ArrayLike) -> bytes:
    """Bytes of numbers, with one kind of NaN and one kind of zero."""
    floats = np.asarray(numbers, dtype="<f8") + 0.0
    return np.where(np.isnan(floats), np.nan, floats).tobytes()


def _is_category(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype)


# --- Names ---


def _table(frame: pd.DataFrame, source: str) -> tuple[pd.DataFrame, Checklist]:
    """The frame with text for column names and one label for each row; refused if empty."""
    if not frame.index.is_unique:
        frame = frame.reset_index(drop=True)
    table = frame.set_axis([str(name) for name in frame], axis="columns")
    check = Checklist(source, table.index)
    for name in table.columns[table.columns.duplicated()].unique():
        check.add("several columns have this name; give each its own", column=name)
    if table.empty:
        check.add("there are no rows")
    check.finish()
    return table, check


def _check_names(
    check: Checklist, table: pd.DataFrame, columns: Columns, levels: Mapping, reference: Mapping
) -> None:
    roles = {role: name for role, name in asdict(columns).items() if name is not None}
    for role, name in roles.items():
        if name not in table:
            check.add(_absent(name, table, f"named for {role}"), column=name)
        if columns.roles[name] != role:
            check.add(f"named for both {role} and {columns.roles[name]}", column=name)
    for name in {**levels, **reference}:
        _check_covariate(check, name, table, columns)
        if name in levels and name in reference:
            check.add(
                "an ordinal covariate starts at its first level, so it takes no reference",
                column=name,
            )


def _check_covariate(check: Checklist, name: str, known: Iterable[str], columns: Columns) -> bool:
    """Whether there is a covariate of this name; a fault is noted if not."""
    if name in columns.roles:
        check.add(f"this is the {columns.roles[name]} column, not a covariate", column=name)
    elif name not in known:
        check.add(_absent(name, known, "named as a covariate"), column=name)
    else:
        return True
    return False


def _absent(name: str, known: Iterable[str], use: str) -> str:
    return f"no such column, {use}.{nearest(name, known)} The columns are {listed(known)}"


# --- Follow-up ---


def _follow_up(
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


def _patients(
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


def _check_size(check: Checklist, patient: np.ndarray, event: np.ndarray, after: str = "") -> None:
    if len(np.unique(patient)) < 2:
        check.add(f"fewer than 2 patients{after}")
    if not event.any():
        check.add(f"no events: every row is censored, so there is no hazard to estimate{after}")


# --- Covariates ---


def _ordinal(
    check: Checklist, declared: Mapping[str, Any]
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Levels and coding of each column declared ordinal."""
    levels, coding = {}, {}
    for name, given in declared.items():
        form = dict(given) if isinstance(given, Mapping) else {"levels": given}
        levels[name] = tuple(level or "" for level in as_text(form.pop("levels", ())))
        coding[name] = form.pop("coding", CODINGS[0])
        for key in form:
            hint = nearest(key, ("levels", "coding"))
            check.add(f'"{key}" is not understood; state levels and coding.{hint}', column=name)
        if coding[name] not in CODINGS:
            hint = nearest(coding[name], CODINGS)
            check.add(f'coding "{coding[name]}" is not monotone or linear.{hint}', column=name)
        if len(set(levels[name]) - {""}) < max(2, len(levels[name])):
            check.add("ordinal needs two or more levels, all different, none empty", column=name)
    return levels, coding


def _coded(
    check: Checklist,
    frame: pd.DataFrame,
    levels: Mapping[str, tuple[str, ...]],
    reference: Mapping[str, str],
) -> pd.DataFrame:
    """Covariates as numbers, categories, ordered categories, or (numbers with text) text."""
    coded: dict[str, Any] = {}
    for name in frame:
        if name in levels:
            coded[name] = _ordered(check, frame[name], levels[name])
        elif name in reference or _is_category(frame[name]):
            coded[name] = _categories(check, frame[name], reference.get(name))
        else:
            coded[name] = _undeclared(check, frame[name])
    return pd.DataFrame(coded, index=pd.RangeIndex(len(frame)))


def _ordered(check: Checklist, values: pd.Series, levels: tuple[str, ...]) -> pd.Categorical:
    texts = as_text(values)
    unknown = np.array([text is not None and text not in levels for text in texts])
    message = f"{{value}} is not one of the levels {listed(levels)}"
    check.refuse(unknown, str(values.name), message, value=values)
    known = [text if text in levels else None for text in texts]
    return pd.Categorical(known, categories=list(dict.fromkeys(levels)), ordered=True)


def _categories(check: Checklist, values: pd.Series, reference: str | None) -> pd.Categorical:
    texts = as_text(values)
    seen = {text for text in texts if text is not None}
    order = as_text(values.cat.categories) if _is_category(values) else sorted(seen, key=_natural)
    levels = [level for level in dict.fromkeys(order) if level in seen]
    if reference is not None and reference not in levels:
        hint = nearest(reference, levels)
        message = f'no row has the reference level "{reference}".{hint} There are {listed(levels)}'
        check.add(message, column=str(values.name), value=reference)
    elif reference is not None:
        levels.sort(key=lambda level: level != reference)
    return pd.Categorical(texts, categories=levels)


def _natural(level: str) -> tuple[float, str]:
    """Sorting key by which 2 comes before 10, and numbers before words."""
    number = as_numbers(pd.Series([level], dtype=object))[0][0]
    return (np.inf if np.isnan(number) else number, level)


def _undeclared(check: Checklist, values: pd.Series) -> ArrayLike | pd.Categorical:
    numbers, wrong = as_numbers(values, flags=True)
    if not wrong.any():
        whole = np.isfinite(numbers) & (np.abs(numbers) < 2**53) & (numbers == np.round(numbers))
        return numbers.astype(np.int64) if whole.all() else numbers
    if wrong.sum() <= np.count_nonzero(~np.isnan(numbers)):
        return np.array(as_text(values), dtype=object)
    return _categories(check, values, None)


def _check_needed(
    check: Checklist,
    covariates: pd.DataFrame,
    needed: Sequence[str],
    patient: np.ndarray,
    columns: Columns,
    missing: str,
) -> None:
    """Needed covariates must be there, of one kind, finite and (unless dropped) complete."""
    if missing not in ("error", "drop"):
        hint = nearest(missing, ("error", "drop"))
        check.add(f'missing = "{missing}" is not "error" or "drop".{hint}')
    for name in needed:
        if not _check_covariate(check, name, list(covariates), columns):
            continue
        values = covariates[name]
        if not _is_category(values):
            numbers, wrong = as_numbers(values, flags=True)
            check.refuse(
                wrong,
                name,
                "{value} is not a number, as most of the column is; correct it, or leave the cell "
                f"empty (or {listed(MISSING[1:])}) if it is missing, or state a reference level "
                "if these are categories",
                value=values,
            )
            check.refuse(np.isinf(numbers), name, "{value} is not finite", value=values)
        if missing == "error":
            message = 'is missing for patient {patient}; fill it in, or ask for missing = "drop"'
            check.refuse(values.isna(), name, message, patient=patient)
