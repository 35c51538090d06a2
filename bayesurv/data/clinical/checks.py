"""What the clinical tables must agree on: patients, the order of dates, deaths and responses."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pandas as pd

from bayesurv.data.clinical.schema import INCLUDED, PATIENTS, RESPONSES
from bayesurv.data.faults import Checklist, nearest

IN_ORDER = (
    ("cti1_infusion_date", "cti1_response_date"),
    ("cti1_infusion_date", "failure_date"),
    ("cti1_response_date", "failure_date"),
    ("failure_date", "salvage_decision_date"),
    ("failure_date", "salvage_start_date"),
    ("salvage_decision_date", "salvage_start_date"),
    ("apheresis2_date", "lymphodepletion2_date"),
    ("lymphodepletion2_date", "salvage_start_date"),
    ("salvage_start_date", "later_therapy_date"),
    ("salvage_start_date", "last_contact_date"),
    ("salvage_start_date", "death_date"),
    ("later_therapy_date", "last_contact_date"),
    ("later_therapy_date", "death_date"),
    ("last_contact_date", "death_date"),
)
DATES = tuple(c.name for c in PATIENTS if c.kind == "date" and c.name != "data_cutoff_date")
UNREAD = "unread"  # beside the columns of a row, the names of those that could not be read
RESPONDED = ("CR", "PR")

Row = Mapping[str, Any]


def rows(frame: pd.DataFrame) -> Iterator[tuple[Any, Row]]:
    """Each row as its label and its cells."""
    return zip(frame.index, frame.to_dict("records"), strict=True)


def lacks(patient: Row, column: str) -> bool:
    """Whether a cell is empty, and not only unreadable, which has been noted already."""
    return patient[column] is None and column not in patient[UNREAD]


def included(patient: Row) -> bool:
    """Whether a patient is in the analysis: all but those marked 0."""
    return patient["included"] != "0"


# --- Patients ---


def check_patients(check: Checklist, patients: pd.DataFrame, cutoff: date | None) -> None:
    """Note what is missing from the table of patients, or contradicts itself there."""
    first: dict[str, Any] = {}
    for row, patient in rows(patients):
        who = patient["patient_id"]
        if who is not None and first.setdefault(who, row) != row:
            message = f"patient {who} is already in row {first[who]}; each has one row"
            check.add(message, row=row, column="patient_id", value=who)
        _check_inclusion(check, row, patient)
        _check_death(check, row, patient)
        _check_order(check, row, patient)
        for column in DATES:
            _check_cutoff(check, row, column, patient[column], patient, cutoff)


def _check_inclusion(check: Checklist, row: Any, patient: Row) -> None:
    who, reason = patient["patient_id"], patient["exclusion_reason"]
    if not included(patient):
        if lacks(patient, "exclusion_reason"):
            message = f"patient {who} is not included; give the reason"
            check.add(message, row=row, column="exclusion_reason")
        return
    if reason is not None:
        message = f'patient {who} is included, but has the reason "{reason}"; write included 0'
        check.add(message, row=row, column="exclusion_reason", value=reason)
    for column in PATIENTS:
        if column.required == INCLUDED and lacks(patient, column.name):
            infusion = patient["salvage_type"] == "CTI2" and column.name == "salvage_start_date"
            which = "; for CTI2 it is the date of the infusion" if infusion else ""
            message = f"is missing for patient {who}, who is included{which}"
            check.add(message, row=row, column=column.name)


def _check_death(check: Checklist, row: Any, patient: Row) -> None:
    who, cause = patient["patient_id"], patient["death_cause"]
    if lacks(patient, "death_date") and cause is not None:
        message = f'patient {who} has the cause of death "{cause}", but no death_date'
        check.add(message, row=row, column="death_cause", value=cause)
    if included(patient) and lacks(patient, "death_date") and lacks(patient, "last_contact_date"):
        message = f"is missing for patient {who}, who has no death_date either; give one of the two"
        check.add(message, row=row, column="last_contact_date")


def _check_order(check: Checklist, row: Any, patient: Row) -> None:
    for early, late in IN_ORDER:
        first, second = patient[early], patient[late]
        if first is not None and second is not None and first > second:
            message = f"patient {patient['patient_id']}: {second} is before {early} {first}"
            check.add(message, row=row, column=late, value=str(second))


def _check_cutoff(
    check: Checklist, row: Any, column: str, day: date | None, patient: Row, cutoff: date | None
) -> None:
    limits = [limit for limit in (cutoff, patient["data_cutoff_date"]) if limit is not None]
    if day is not None and limits and day > min(limits):
        who = patient["patient_id"]
        message = f"patient {who}: {day} is after the data cutoff {min(limits)}"
        check.add(message, row=row, column=column, value=str(day))


# --- The other tables ---


def check_records(
    check: Checklist,
    table: str,
    records: pd.DataFrame,
    patients: pd.DataFrame,
    cutoff: date | None,
) -> None:
    """Note what contradicts the table of patients, or another row of the same table."""
    known = {patient["patient_id"]: patient for _, patient in rows(patients)}
    dates = [name for name in ("date", "start_date", "end_date") if name in records]
    for row, record in rows(records):
        who = record["patient_id"]
        if who is None:
            continue
        if who not in known:
            message = f"patient {who} is not in the table patients.{nearest(who, known)}"
            check.add(message, row=row, column="patient_id", value=who)
            continue
        for column in dates:
            _check_seen(check, row, column, record[column], known[who])
            _check_cutoff(check, row, column, record[column], known[who], cutoff)
        if table == "assessments":
            _check_phase(check, row, record, known[who])
        if table == "adverse_events":
            _check_adverse_event(check, row, record, known[who])
    if table == "assessments":
        _check_same_day(check, records)
        _check_cti1(check, records, known)


def _check_seen(check: Checklist, row: Any, column: str, day: date | None, patient: Row) -> None:
    """Nothing is seen after the death, or after what is said to be the last contact."""
    name = "last_contact_date" if patient["death_date"] is None else "death_date"
    if day is not None and patient[name] is not None and day > patient[name]:
        message = f"patient {patient['patient_id']}: {day} is after {name} {patient[name]}"
        check.add(message, row=row, column=column, value=str(day))


def _check_phase(check: Checklist, row: Any, record: Row, patient: Row) -> None:
    day, start = record["date"], patient["salvage_start_date"]
    if day is None or start is None:
        return
    who = f"patient {record['patient_id']}: {record['response']} on {day}"
    if record["phase"] == "salvage" and day < start:
        message = f"{who} is before salvage_start_date {start}; a scan before salvage is of CTI1"
        check.add(message, row=row, column="date", value=str(day))
    if record["phase"] == "CTI1" and day > start:
        message = f"{who} is after salvage_start_date {start}, so it is not of CTI1"
        check.add(message, row=row, column="date", value=str(day))


def _check_adverse_event(check: Checklist, row: Any, record: Row, patient: Row) -> None:
    start, end, who = record["start_date"], record["end_date"], record["patient_id"]
    if start is not None and end is not None and end < start:
        message = f"patient {who}: {end} is before start_date {start}"
        check.add(message, row=row, column="end_date", value=str(end))
    if lacks(patient, "death_date") and (record["grade"] == 5 or record["fatal"] == "1"):
        message = f"patient {who}: a fatal {record['term']}, but patients has no death_date"
        check.add(message, row=row, column="grade" if record["grade"] == 5 else "fatal")


def _check_same_day(check: Checklist, records: pd.DataFrame) -> None:
    first: dict[tuple, tuple[Any, str]] = {}
    for row, record in rows(records):
        day, response = record["date"], record["response"]
        if None in (record["patient_id"], day, response) or response == "NE":
            continue
        other, before = first.setdefault((record["patient_id"], day), (row, response))
        if before != response:
            message = (
                f"patient {record['patient_id']}: {response} on {day}, but {before} on that day in "
                f"row {other}; keep one, and write NE for the other"
            )
            check.add(message, row=row, column="response", value=response)


def _check_cti1(check: Checklist, records: pd.DataFrame, known: Mapping[str, Row]) -> None:
    """The stated best response to CTI1 is CR or PR where, and only where, an assessment is."""
    seen: dict[str, list[tuple[Any, str]]] = {}
    for row, record in rows(records):
        if record["phase"] == "CTI1" and record["response"] in RESPONSES:
            seen.setdefault(record["patient_id"], []).append((row, record["response"]))
    for who, assessed in seen.items():
        stated = known[who]["cti1_best_response"] if who in known else None
        row, best = min(assessed, key=lambda pair: RESPONSES.index(pair[1]))
        if stated is not None and (stated in RESPONDED) != (best in RESPONDED):
            message = (
                f"patient {who}: the best assessment of CTI1 is {best}, but patients has "
                f"cti1_best_response {stated}; relapsed means CR or PR, refractory neither"
            )
            check.add(message, row=row, column="response", value=best)
