"""The one Ibis expression that counts: follow-up by pattern, and by where it begins and ends.

The person-time of a pattern in (a, b] follows from sums of times alone:

    sum of times that end in it - sum of entries in it + b (who pass b) - a (who come from before a)

so one pass suffices, whatever the number of intervals. Times are summed as whole numbers of 2^-18
and 2^-48, so that a sum is the same in any order of rows, on any number of threads and engines.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from bayesurv.data.registry import columns

HIGH, LOW = 18, 30  # bits of a time's fraction in its two parts
SUMS = (
    "rows",
    "entered",
    "ended",
    "events",
    "at_start",
    "at_stop",
    *(f"{time}_{part}" for time in ("time", "entry") for part in ("high", "low")),
)


def grouped(rows: Any, names: list[str], cuts: Sequence[float], touching: bool) -> Any:
    """Sums by the columns `names`, interval of the entry (`begins`) and of the time (`stops`).

    `rows` are as `columns.clocked` leaves them. `entered` and `ended` count where follow-up of a
    pattern begins and ends; with `touching`, rows of one patient and pattern that touch are one.
    """
    rows = _spells(rows, names, touching)
    cuts = list(cuts)
    rows = rows.mutate(
        begins=_passed(rows.entry, cuts, reached=True), stops=_passed(rows.time, cuts, False)
    )
    rows = rows.mutate(
        events=rows.event.cast("int64"),
        at_start=_one(rows.entry.isin([0.0, *cuts])) * rows.entered,
        at_stop=_one(rows.time.isin(cuts)) * rows.ended,
        **_parts("time", rows.time),
        **_parts("entry", rows.entry),
    )
    summed = {name: rows[name].sum() for name in SUMS if name != "rows"}
    return rows.group_by([*names, "begins", "stops"]).aggregate(rows=rows.count(), **summed)


def drop_incomplete(rows: Any, names: list[str]) -> Any:
    """Only patients (`id`) all of whose rows have every covariate."""
    import ibis

    lacks = [columns.missing(rows[name]) for name in names]
    lacking = rows.filter(ibis.or_(*lacks)).select("id").distinct()
    return rows.anti_join(lacking, "id")


def _spells(rows: Any, names: list[str], touching: bool) -> Any:
    """With `entered` and `ended`, 1 or 0: whether follow-up begins or ends with the row."""
    import ibis

    if not touching:
        return rows.mutate(entered=ibis.literal(1), ended=ibis.literal(1))
    beside = ibis.window(group_by=["id", *names], order_by=["entry", "time"])
    before, after = rows.time.lag().over(beside), rows.entry.lead().over(beside)
    return rows.mutate(
        entered=_one(before.isnull() | (before != rows.entry)),
        ended=_one(after.isnull() | (after != rows.time)),
    )


def _one(condition: Any) -> Any:
    return condition.ifelse(1, 0)


def _passed(time: Any, cuts: list[float], reached: bool) -> Any:
    """How many cuts lie before a time; with `reached`, at it or before it."""
    import ibis

    total = ibis.literal(0)
    for cut in cuts:
        total = total + _one((time >= cut) if reached else (time > cut))
    return total


def _parts(name: str, time: Any) -> dict[str, Any]:
    """A time as whole numbers of 2^-18, and what is left as whole numbers of 2^-48."""
    scaled = time * float(2**HIGH)
    high = scaled.floor()
    return {
        f"{name}_high": high.cast("int64"),
        f"{name}_low": ((scaled - high) * float(2**LOW)).floor().cast("int64"),
    }


def exact_sums(groups: pa.Table, time: str) -> np.ndarray:
    """Sum of a time in each group, (group,): whole numbers of 2^-48 of any size."""
    high, low = (groups[f"{time}_{part}"].to_pylist() for part in ("high", "low"))
    return np.array(
        [most * 2**LOW + rest for most, rest in zip(high, low, strict=True)], dtype=object
    )
