"""Cells that cannot be counted: one query finds how many of each kind there are, and the worst."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bayesurv.data.faults import Checklist, shown
from bayesurv.data.follow_up import DAYS, PLAIN_NUMBER
from bayesurv.data.registry import columns
from bayesurv.data.registry.agreement import Agreement
from bayesurv.data.registry.engine import Engine

LONGEST_TIME = 1e9
ALLOWED = "write 1 for an event and 0 for a censored row (or true and false)"


@dataclass(frozen=True)
class Probe:
    """A kind of fault: where it is true, the worst value, and what to say of it."""

    column: str
    wrong: Any
    message: str
    worst: Any = None


def check_rows(check: Checklist, engine: Engine, agreement: Agreement) -> int:
    """Note every kind of fault in times and events; the number of rows."""
    table = engine.table
    probes = {str(i): probe for i, probe in enumerate(_probes(table, agreement))}
    metrics = {f"n{i}": _count(probe.wrong) for i, probe in probes.items()}
    metrics |= {
        f"v{i}": probe.wrong.ifelse(probe.worst, None).min()
        for i, probe in probes.items()
        if probe.worst is not None
    }
    found = engine.ask(table.aggregate(rows=table.count(), **metrics)).to_pylist()[0]
    if not found["rows"]:
        check.add("there are no rows")
    for i, probe in probes.items():
        if count := found[f"n{i}"]:
            where = "1 row" if count == 1 else f"{count} rows"
            value = found.get(f"v{i}")
            said = probe.message.format(value=shown(value), where=where)
            check.add(said, column=probe.column, value=value)
    return found["rows"]


def _count(condition: Any) -> Any:
    return condition.ifelse(1, 0).sum()


def _probes(table: Any, agreement: Agreement) -> Iterator[Probe]:
    for roles in agreement.endpoints.values():
        yield from _times(table, roles["time"], agreement.unit)
        yield from _events(table, roles["event"])
        if "entry" in roles:
            yield from _entries(table, roles["entry"], roles["time"])
        if "upper" in roles:
            yield from _uppers(table, roles)


def _times(table: Any, name: str, unit: str) -> Iterator[Probe]:
    time = columns.number(table[name])
    half_day = f"half a day ({0.5 / DAYS[unit]:.3g} {unit})" if unit in DAYS else "half a day"
    yield from _numbers(table, name, "leave out a patient without follow-up")
    yield Probe(
        name,
        time < 0,
        "below 0 in {where}, the lowest {value}; times run from the day of origin",
        time,
    )
    yield Probe(
        name,
        time == 0,
        "0 in {where}, an event or loss on the day of origin: "
        f"use {half_day}, or exclude the patient and say so",
    )


def _numbers(table: Any, name: str, if_missing: str) -> Iterator[Probe]:
    column = table[name]
    numbers = columns.number(column)
    unread = numbers.isnull() | numbers.isnan()
    yield Probe(
        name, unread.ifelse(columns.missing(column), False), f"missing in {{where}}; {if_missing}"
    )
    if column.type().is_string():
        wrong = numbers.isnull().ifelse(~columns.missing(column), False)
        message = "not a number in {where}, such as {value}; " + PLAIN_NUMBER
        yield Probe(name, wrong, message, column)
    far = (numbers.abs() > LONGEST_TIME) & ~numbers.isnan()
    message = f"not finite, or beyond {LONGEST_TIME:g}, in {{where}}; {PLAIN_NUMBER}"
    yield Probe(name, far, message)


def _events(table: Any, name: str) -> Iterator[Probe]:
    event = columns.flag(table[name])
    unread = (event.isnull() | event.isnan()).ifelse(columns.missing(table[name]), False)
    yield Probe(name, unread, f"missing in {{where}}; {ALLOWED}")
    known = event.isin([0.0, 1.0]).fill_null(False)
    wrong = known.ifelse(False, ~columns.missing(table[name]))
    message = f"neither 0 nor 1 in {{where}}, such as {{value}}; {ALLOWED}"
    yield Probe(name, wrong, message, table[name])


def _entries(table: Any, name: str, time: str) -> Iterator[Probe]:
    entry, end = columns.number(table[name]), columns.number(table[time])
    yield from _numbers(table, name, "write 0 where follow-up began on the day of origin")
    message = "below 0, the day of origin, in {where}, the lowest {value}"
    yield Probe(name, entry < 0, message, entry)
    message = f"not before {time} in {{where}}, such as {{value}}; a row covers (entry, time]"
    late = (end > 0) & (entry >= end) & ~entry.isnan()
    yield Probe(name, late, message, entry)


def _uppers(table: Any, roles: Any) -> Iterator[Probe]:
    upper, time = columns.number(table[roles["upper"]]), columns.number(table[roles["time"]])
    message = f"other than {roles['time']} in {{where}}, such as {{value}}; counts cannot hold an "
    message += "event that is known only to an interval: fit those patients where they are"
    yield Probe(roles["upper"], upper.notnull() & ~upper.isnan() & (upper != time), message, upper)


def check_patients(check: Checklist, engine: Engine, agreement: Agreement, id: str | None) -> None:
    """Note patients with several rows where there may be one, overlapping rows, or two events."""
    if id is None:
        return
    table = engine.table
    lacking = engine.ask(table.aggregate(n=_count(columns.missing(table[id])))).to_pylist()[0]["n"]
    if lacking:
        check.add(f"missing in {lacking} rows; every row needs the patient's id", column=id)
    for name, roles in agreement.endpoints.items():
        rows = columns.typed(table, agreement, name, id, None)
        each = rows.group_by("id").aggregate(n=rows.count(), events=rows.event.sum())
        found = engine.ask(
            each.aggregate(several=_count(each.n > 1), repeated=_count(each.events > 1))
        ).to_pylist()[0]
        if found["several"] and "entry" not in roles:
            message = (
                f"{found['several']} patients have several rows for {name}; state entry times "
            )
            message += "to make (entry, time] rows of one patient"
            check.add(message, column=id)
        if found["repeated"]:
            message = f"{found['repeated']} patients have more than one event of {name}; keep the "
            check.add(f"{message}first, and what came before it", column=roles["event"])
        if "entry" in roles and (overlaps := _overlaps(engine, rows)):
            message = f"{overlaps} rows overlap an earlier row of the same patient for {name}; "
            check.add(f"{message}they may touch, not overlap", column=roles["entry"])


def _overlaps(engine: Engine, rows: Any) -> int:
    """How many rows begin before the latest end of the same patient's earlier rows."""
    import ibis

    before = ibis.window(group_by=rows.id, order_by=[rows.entry, rows.time], preceding=(None, 1))
    ends = rows.select(entry=rows.entry, before=rows.time.max().over(before))
    found = engine.ask(ends.aggregate(n=_count(ends.entry < ends.before)))
    return found.to_pylist()[0]["n"] or 0
