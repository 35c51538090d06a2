"""Cohort: the follow-up and covariates of some patients, checked once; no later layer re-checks."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayesurv.data.covariates import (
    absent,
    check_covariate,
    check_needed,
    code_covariates,
    is_category,
    read_ordinal,
)
from bayesurv.data.faults import Checklist
from bayesurv.data.follow_up import Columns, check_size, numbered, read_follow_up, read_patients
from bayesurv.data.read import as_text, read_table

ARRAYS = ("entry", "time", "upper", "event", "patient", "rows")


@dataclass(frozen=True, eq=False, repr=False)
class Cohort:
    """Patients' follow-up and covariates, one line per row; made by `from_frame` or `from_file`.

    Parameters
    ----------
    covariates : DataFrame, (row, covariate)
        Numbers, booleans as 0 and 1, categories (first level: the reference), ordered categories.
        The id column, for a term such as (1 | id), numbers the patients in place of their ids.
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
        levels, coding = read_ordinal(check, ordinal or {})
        stated = {name: as_text([level])[0] or "" for name, level in (reference or {}).items()}
        _check_names(check, table, columns, levels, stated)
        if not (unit and unit.strip()):
            check.add("the unit of time is not stated; use days, weeks, months or years")
        follow_up = read_follow_up(check, table, columns, unit)
        patient = read_patients(check, table, columns, follow_up)
        others = table.drop(columns=list(columns.roles), errors="ignore")
        coded = code_covariates(check, others, levels, stated)
        if id is not None and id in table:
            coded[id] = numbered(patient)
        check_needed(check, coded, covariates or (), patient, columns, missing)
        if not any(fault.column == event for fault in check.faults):
            check_size(check, patient, follow_up["event"])
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
        check_needed(check, self.covariates, columns, self.patient, self.columns, missing)
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
        coded = code_covariates(check, covariates, self.ordinal, self.reference)
        check_size(check, arrays["patient"], arrays["event"], f" ({note})")
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
                levels = list(values.cat.categories) if is_category(values) else None
                sha.update(repr((name, levels, as_text(values))).encode())
        return sha.hexdigest()


def _canonical(numbers: ArrayLike) -> bytes:
    """Bytes of numbers, with one kind of NaN and one kind of zero."""
    floats = np.asarray(numbers, dtype="<f8") + 0.0
    return np.where(np.isnan(floats), np.nan, floats).tobytes()


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
            check.add(absent(name, table, f"named for {role}"), column=name)
        if columns.roles[name] != role:
            check.add(f"named for both {role} and {columns.roles[name]}", column=name)
    for name in {**levels, **reference}:
        check_covariate(check, name, table, columns)
        if name in levels and name in reference:
            check.add(
                "an ordinal covariate starts at its first level, so it takes no reference",
                column=name,
            )
