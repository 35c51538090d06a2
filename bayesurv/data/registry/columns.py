"""The columns that counting needs, typed alike on every engine, as an Ibis expression.

Names in what is made: `time`, `entry`, `event` (1 or 0), `id`, and `c0`, `c1`, ... for the
covariates in the agreement's order, text as it stands and all else as numbers. What cannot be read
is null or NaN; `faulty` says where that is so. No expression names a cell twice without need:
engines do not share the work.
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
        if name not in table.columns:
            made[f"c{position}"] = _constant(centre)
        else:
            is_text = table[name].type().is_string()
            made[f"c{position}"] = table[name] if is_text else number(table[name])
    return table.select(**made)


def number(column: Any) -> Any:
    """A column as numbers; null where text is no number."""
    if column.type().is_string():
        return column.try_cast("float64")
    column = column.cast("int32") if column.type().is_boolean() else column
    return column.cast("float64")


def flag(column: Any) -> Any:
    """A column of 1 and 0, or true and false, as numbers."""
    numbers = number(column)
    if not column.type().is_string():
        return numbers
    import ibis

    words = [(column.strip().lower() == word, float(digit)) for word, digit in FLAGS.items()]
    return numbers.isnull().ifelse(ibis.cases(*words), numbers)


def missing(column: Any) -> Any:
    """Whether a cell is empty, NaN, or one of the words that mean so."""
    if column.type().is_string():
        return column.isnull() | column.strip().isin(MISSING)
    return column.isnull() | number(column).isnan()


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
