"""The columns that counting needs, typed alike on every engine, as an Ibis expression.

Names in what is made: `time`, `entry`, `event` (1 or 0), `id`, and `c0`, `c1`, ... for the
covariates in the agreement's order. A cell that cannot be read as its column's use asks for is
null; `faulty` says how many there are.
"""

from collections.abc import Mapping
from typing import Any

from bayesurv.data.covariates import absent
from bayesurv.data.faults import Checklist
from bayesurv.data.read import FLAGS, MISSING
from bayesurv.data.registry.agreement import Agreement


def check_columns(
    check: Checklist, table: Any, agreement: Agreement, id: str | None, centre: str | None
) -> None:
    """Note columns that are not there, and those of a type that counting cannot use."""
    uses = {
        column: f"named for {role} of {endpoint}"
        for endpoint, roles in agreement.endpoints.items()
        for role, column in roles.items()
    }
    timed = set(uses)
    uses |= {name: "which the formula needs" for name in agreement.covariates if name != centre}
    uses |= {id: "named for id"} if id is not None else {}
    for name, use in uses.items():
        if name not in table.columns:
            check.add(absent(name, table.columns, use), column=name)
            continue
        kind = table[name].type()
        fit = kind.is_numeric() or kind.is_boolean() or kind.is_string()
        if name != id and not fit:
            allowed = "numbers" if name in timed else "numbers, text, or true and false"
            check.add(f"holds {kind}; counting needs {allowed}", column=name)


def typed(
    table: Any, agreement: Agreement, endpoint: str, id: str | None, centre: str | None
) -> Any:
    """The rows of an endpoint, each cell a number, text or null."""
    roles = agreement.endpoints[endpoint]
    made = {
        "time": number(table[roles["time"]]),
        "event": flag(table[roles["event"]]),
        "entry": number(table[roles["entry"]]) if "entry" in roles else _zero(),
    }
    if id is not None:
        made["id"] = table[id]
    for position, name in enumerate(agreement.covariates):
        there = name in table.columns
        made[f"c{position}"] = level(table[name]) if there else _constant(centre)
    return table.select(**made)


def number(column: Any) -> Any:
    """A column as numbers; null where missing, or where text is no number."""
    kind = column.type()
    if kind.is_string():
        column = _text(column).try_cast("float64")
    elif not kind.is_floating():
        return column.cast("float64")
    return column.isnan().ifelse(None, column.cast("float64"))


def flag(column: Any) -> Any:
    """A column of 1 and 0, or true and false, as numbers."""
    if column.type().is_string():
        import ibis

        lower = _text(column).lower()
        digits = [(lower == word, digit) for word, digit in FLAGS.items()]
        return ibis.cases(*digits, else_=lower).try_cast("float64")
    return number(column)


def level(column: Any) -> Any:
    """A covariate: numbers, with true and false as 1 and 0, or text; null where missing."""
    return _text(column) if column.type().is_string() else number(column)


def given(column: Any) -> Any:
    """Whether a cell holds anything, be it readable or not."""
    return _text(column).notnull() if column.type().is_string() else number(column).notnull()


def _text(column: Any) -> Any:
    stripped = column.strip()
    return stripped.isin(MISSING).ifelse(None, stripped)


def _zero() -> Any:
    import ibis

    return ibis.literal(0.0)


def _constant(text: str | None) -> Any:
    import ibis

    return ibis.literal(text, type="string")


def clocked(rows: Any, clock: Mapping[str, float]) -> Any:
    """The rows with their clock as [time_zero] has it, where that is one row for each patient."""
    if "landmark" in clock:
        start = clock["landmark"]
        later = rows.filter((rows.time > start) & (rows.entry <= start))
        return later.mutate(time=later.time - start, entry=_zero())
    if "enter_at" in clock:
        start = clock["enter_at"]
        later = rows.filter(rows.time > start)
        return later.mutate(entry=(later.entry > start).ifelse(later.entry, start))
    return rows
