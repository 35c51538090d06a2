"""Endpoints from dates: clinical tables become an analysis table, with an audit of every value."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from bayesurv.data.clinical.nested import check_nested
from bayesurv.data.clinical.patient import Patient, patients
from bayesurv.data.clinical.rule import Found, Options, Outcome, Rule
from bayesurv.data.clinical.rules_baseline import BASELINE
from bayesurv.data.clinical.rules_response import RESPONSE
from bayesurv.data.clinical.rules_safety import SAFETY
from bayesurv.data.clinical.rules_survival import NEVER_ASSESSED, survival_rules
from bayesurv.data.clinical.tables import Tables, check_tables, read_tables
from bayesurv.data.faults import Checklist, listed

__all__ = ["Derived", "Options", "check_nested", "check_tables", "derive", "read_tables"]

REMARKED = ("failure_class", "os", "pfs", "efs", "responder_day30", "best_responder")
NESTED = ("efs", "pfs", "os")
AUDIT = ("patient_id", "variable", "value", "rule", "option", "source", "remark")

HALF_DAY = "ended on the day on which salvage began: half a day counted"

Applied = tuple[Patient, tuple[tuple[Rule, Found], ...]]


@dataclass(frozen=True)
class Derived:
    """The analysis table and how it came about; made by `derive`.

    Parameters
    ----------
    cohort : DataFrame
        A row for each patient in the analysis.
    audit : DataFrame
        A row for each patient and variable: value, rule, options, the cells it comes from, remark.
    flow : DataFrame
        From the patients screened to those in the analysis, and by arm.
    rules : tuple of Rule
        The rules that were applied, in order.
    options : Options
        As given.
    notes : tuple of str
        What was not derived, and what to know about the rest.
    """

    cohort: pd.DataFrame
    audit: pd.DataFrame
    flow: pd.DataFrame
    rules: tuple[Rule, ...]
    options: Options
    notes: tuple[str, ...]


def derive(tables: Tables, options: Options | None = None) -> Derived:
    """Derive endpoints and covariates of every patient in the analysis.

    Parameters
    ----------
    tables : Tables
        From `read_tables` or `check_tables`.
    options : Options, optional
        What the paper leaves open.

    Raises
    ------
    InputError
        A patient has no day of origin, or was followed to no later day than the start of salvage;
        no patient is in the analysis.
    """
    options = options or Options()
    known = {f"{name}.{column}" for name, given in tables.given.items() for column in given}
    every = (*BASELINE, *survival_rules(options), *RESPONSE, *SAFETY)
    rules = tuple(rule for rule in every if known.issuperset(rule.needs))
    applied = [_applied(patient, rules, options) for patient in patients(tables)]
    _check(tables, applied, options)
    values, audit = [], []
    for patient, found in applied:
        row = {"patient_id": patient["patient_id"]}
        for rule, value in found:
            for variable, cell in _cells(patient, rule, value, options):
                row[variable] = cell
                audit.append(_audited(patient, variable, cell, rule, value, options))
        values.append(row)
    cohort = pd.DataFrame(values).convert_dtypes()
    if len([rule for rule in rules if rule.name in NESTED]) > 1:
        check_nested(cohort, NESTED, unit=options.unit, id="patient_id")
    return Derived(
        cohort,
        pd.DataFrame(audit, columns=AUDIT),
        _flow(tables, cohort),
        rules,
        options,
        (*tables.notes, *_not_derived(every, known, options), *_remarks(applied)),
    )


def _applied(patient: Patient, rules: Sequence[Rule], options: Options) -> Applied:
    """What each rule finds for a patient; half a day, where it is counted, is remarked."""
    found = []
    for rule in rules:
        value = rule.find(patient, options)
        if options.day_zero == "half-day" and _ends_at_once(patient, value):
            remark = "; ".join(filter(None, (value.remark, HALF_DAY)))
            value = replace(value, remark=remark)
        found.append((rule, value))
    return patient, tuple(found)


def _ends_at_once(patient: Patient, found: Found) -> bool:
    return isinstance(found.value, Outcome) and found.value.day == patient.start


def _check(tables: Tables, applied: Sequence[Applied], options: Options) -> None:
    """Refuse patients without a day of origin, or whose follow-up ends as salvage begins."""
    check = Checklist(tables.sources["patients"])
    if not applied:
        check.add("no patient is included")
    for patient, found in applied:
        who, row = patient["patient_id"], patient.record.row
        column, origin = options.origin_of(patient)
        if origin is None:
            message = f"is missing for patient {who}; --origin {options.origin} needs it"
            check.add(message, row=row, column=column)
        elif origin > patient.start:
            message = f"patient {who}: {origin} is after salvage_start_date {patient.start}"
            check.add(message, row=row, column=column, value=str(origin))
        at_once = {rule.name: end for rule, end in found if _ends_at_once(patient, end)}
        if at_once and options.day_zero == "refuse":
            message = f"patient {who}: {_at_once(at_once)}"
            check.add(message, row=row, column="salvage_start_date", value=str(patient.start))
    check.finish()


def _at_once(ends: Mapping[str, Found]) -> str:
    """What is wrong with endpoints that end as salvage begins, and what can be done."""
    never = any(end.remark == NEVER_ASSESSED for end in ends.values())
    why = f" ({NEVER_ASSESSED})" if never else ""
    censor = ", --pfs-censor last-contact" if never else ""
    return (
        f"{listed(ends)} would end on the day on which salvage began{why}; count half a day with "
        f"--day-zero half-day{censor}, or exclude the patient"
    )


def _cells(
    patient: Patient, rule: Rule, found: Found, options: Options
) -> Iterator[tuple[str, Any]]:
    """The columns of the analysis table that a rule fills, with a patient's values."""
    end, unit = found.value, options.unit
    if not isinstance(end, Outcome):
        yield rule.name.format(unit=unit), end
        return
    time = _elapsed(patient, end.day, options, more=0.5 if end.day == patient.start else 0.0)
    yield f"{rule.name}_{unit}", time
    yield f"{rule.name}_event", int(end.event)
    if rule.name == "pfs":
        left = time if end.after is None else _elapsed(patient, end.after, options)
        yield f"pfs_left_{unit}", left
        yield f"pfs_upper_{unit}", None if end.after is None else time


def _elapsed(patient: Patient, day: date, options: Options, more: float = 0.0) -> float:
    origin = options.origin_of(patient)[1] or patient.start
    return options.time((day - origin).days + more)


def _audited(
    patient: Patient, variable: str, cell: Any, rule: Rule, found: Found, options: Options
) -> tuple:
    shown = options.shown()
    named = [name.replace("_", "-") for name in rule.options]
    stated = ", ".join(f"--{name} {shown[name]}" for name in named)
    sources = "; ".join(found.sources)
    return (
        patient["patient_id"],
        variable,
        cell,
        rule.name.format(unit=options.unit),
        stated,
        sources,
        found.remark,
    )


# --- Patient flow and notes ---


def _flow(tables: Tables, cohort: pd.DataFrame) -> pd.DataFrame:
    """Patients screened, excluded by reason, and in the analysis, by arm and class of failure."""
    everyone = tables.frames["patients"]
    reasons = everyone.loc[everyone["included"].eq("0"), "exclusion_reason"]
    lines: list[tuple[str, int, Any, Any]] = [("screened", len(everyone), None, None)]
    for reason, count in reasons.value_counts().items():
        lines.append((f"excluded: {reason}", int(count), None, None))
    groups = {"included": cohort["cti2"].notna()}
    if "failure_class" in cohort:
        groups |= {kind: cohort["failure_class"].eq(kind) for kind in ("relapsed", "refractory")}
    for step, chosen in groups.items():
        treated = int(cohort.loc[chosen, "cti2"].sum())
        size = int(chosen.sum())
        lines.append((step, size, treated, size - treated))
    flow = pd.DataFrame(lines, columns=["step", "patients", "cti2", "other_salvage"])
    return flow.astype({"cti2": "Int64", "other_salvage": "Int64"})


def _not_derived(every: Sequence[Rule], known: set[str], options: Options) -> Iterator[str]:
    """What could not be derived, by the table that lacks the columns for it."""
    lacking: dict[str, list[str]] = {}
    for rule in every:
        absent = [column.partition(".")[0] for column in rule.needs if column not in known]
        if absent:
            lacking.setdefault(absent[-1], []).append(rule.name.format(unit=options.unit))
    for table, names in lacking.items():
        yield f"Not derived, as {table} lacks the columns for it: {listed(names)}"


def _remarks(applied: Sequence[Applied]) -> Iterator[str]:
    """The remarks that a reader of the results needs, with the number of patients."""
    counts = Counter(
        (rule.name, value.remark)
        for _, found in applied
        for rule, value in found
        if rule.name in REMARKED and value.remark
    )
    for (name, remark), count in counts.items():
        yield f"{name}: {remark} ({count} {'patient' if count == 1 else 'patients'})"
