"""One patient's clinical record, as the rules of the endpoints read it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd

from bayesurv.data.clinical.checks import included, rows
from bayesurv.data.clinical.tables import Tables


@dataclass(frozen=True)
class Record:
    """One row of a clinical table; its cells by column, None where missing."""

    table: str
    row: Any
    cells: Mapping[str, Any]

    def __getitem__(self, column: str) -> Any:
        return self.cells[column]

    def cite(self, *columns: str) -> str:
        """Where the row stands, and these of its cells."""
        cells = ", ".join(f"{column} {self[column]}" for column in columns)
        return f"{self.table} row {self.row}: {cells}"


@dataclass(frozen=True)
class Patient:
    """One patient of the analysis.

    Parameters
    ----------
    record : Record
        The row of the table patients; its cells can be had from the patient as well.
    assessments, adverse_events, labs : tuple of Record
        In the order of their dates.
    """

    record: Record
    assessments: tuple[Record, ...] = ()
    adverse_events: tuple[Record, ...] = ()
    labs: tuple[Record, ...] = ()

    def __getitem__(self, column: str) -> Any:
        return self.record[column]

    def cite(self, *columns: str) -> str:
        """Where the patient's row stands, and these of its cells."""
        return self.record.cite(*columns)

    @property
    def start(self) -> date:
        """The day on which salvage began."""
        return self["salvage_start_date"]

    @cached_property
    def scans(self) -> tuple[Record, ...]:
        """Assessments after the day on which salvage began that could be evaluated."""
        return tuple(
            scan
            for scan in self.assessments
            if scan["phase"] == "salvage" and scan["response"] != "NE" and scan["date"] > self.start
        )

    @cached_property
    def own_scans(self) -> tuple[Record, ...]:
        """The scans up to the day on which a later therapy began."""
        later = self["later_therapy_date"]
        return tuple(s for s in self.scans if later is None or s["date"] <= later)

    @cached_property
    def toxicities(self) -> tuple[Record, ...]:
        """Adverse events that began when salvage did, or later."""
        return tuple(e for e in self.adverse_events if e["start_date"] >= self.start)

    def samples(self, analyte: str) -> tuple[Record, ...]:
        """Values of one analyte from the start of salvage on."""
        return tuple(
            sample
            for sample in self.labs
            if sample["analyte"] == analyte and sample["date"] >= self.start
        )


def patients(tables: Tables) -> Iterator[Patient]:
    """Every patient of the analysis, in the order of the table."""
    beside = {
        name: _by_patient(name, frame, "start_date" if name == "adverse_events" else "date")
        for name, frame in tables.frames.items()
        if name != "patients"
    }
    for row, cells in rows(tables.frames["patients"]):
        if included(cells):
            who = cells["patient_id"]
            records = {name: tuple(found.get(who, ())) for name, found in beside.items()}
            yield Patient(Record("patients", row, cells), **records)


def _by_patient(table: str, frame: pd.DataFrame, day: str) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for row, cells in sorted(rows(frame), key=lambda pair: pair[1][day]):
        found.setdefault(cells["patient_id"], []).append(Record(table, row, cells))
    return found
