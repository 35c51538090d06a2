"""Counts made where the patients are: checked, grouped by the engine, and put together."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pyarrow as pa

from bayesurv.data.faults import Checklist, Fault, InputError, listed
from bayesurv.data.registry import columns, faulty, grouping
from bayesurv.data.registry.agreement import Agreement, group_factors
from bayesurv.data.registry.engine import Engine
from bayesurv.data.registry.patterns import Limits, known, read_patterns
from bayesurv.data.registry.table import COLUMNS, CountTable, Origin
from bayesurv.data.registry.tally import Tally, tally

DEFAULT = Limits()


@dataclass(frozen=True)
class Counted:
    """What was counted of a source.

    tallies : mapping
        By endpoint.
    agreement : Agreement
    rows : int
        Rows of the source.
    centre : tuple of str or None
        Name of the column that names the centre, and its one level.
    notes : tuple of str
    """

    tallies: Mapping[str, Tally]
    agreement: Agreement
    rows: int
    centre: tuple[str, str] | None
    notes: tuple[str, ...]


def count(
    engine: Engine,
    sections: Mapping[str, Any],
    *,
    cuts: Sequence[float] | None = None,
    centre: str | None = None,
    limits: Limits = DEFAULT,
) -> Counted:
    """Count events and person-time by the covariates of a plan's formula, for each endpoint.

    Parameters
    ----------
    engine : Engine
        From `opened`.
    sections : mapping
        A plan, as `Plan.model_dump()` gives it.
    cuts : sequence of float, optional
        In place of the plan's.
    centre : str, optional
        Level of the group factor that the formula names and the source does not have.
    limits : Limits

    Raises
    ------
    InputError
        Lists what cannot be counted, by column and with the number of rows.
    """
    cohort, table = sections["cohort"], engine.table
    column = _centre_column(engine, sections["model"]["formula"], centre)
    there = [*table.columns, *([column] if column else [])]
    agreement = Agreement.from_plan(sections, there, cuts)
    id, drop = cohort.get("id"), cohort.get("missing") == "drop"
    check = Checklist(engine.name)
    _check_plan(check, sections, agreement, id)
    columns.check_columns(check, table, agreement, id, column)
    check.finish()
    rows = faulty.check_rows(check, engine, agreement)
    check.finish()
    faulty.check_patients(check, engine, agreement, id)
    check.finish()
    named = (column, centre) if column and centre else None
    counting = Counting(engine, agreement, id, named, drop, limits)
    notes = [f"[time_zero] {key} = {value:g}" for key, value in agreement.clock.items()]
    if id is None and any("entry" in roles for roles in agreement.endpoints.values()):
        notes.append("Each row was taken as a patient, as the plan has entry and no id")
    made = {name: counting.tally(check, notes, name) for name in agreement.endpoints}
    return Counted(made, agreement, rows, named, tuple(dict.fromkeys(notes)))


@dataclass(frozen=True)
class Counting:
    """How the rows of an engine are counted; see `count`."""

    engine: Engine
    agreement: Agreement
    id: str | None
    centre: tuple[str, str] | None
    drop: bool
    limits: Limits

    def tally(self, check: Checklist, notes: list[str], endpoint: str) -> Tally:
        """Counts of an endpoint, adding to the notes; InputError if there can be none."""
        rows = self._rows(endpoint)
        names = [f"c{position}" for position in range(len(self.agreement.covariates))]
        if self.drop and self._several(endpoint) and names:
            kept = grouping.drop_incomplete(rows, names)
            notes += self._left_out(rows, kept)
            rows = kept
        rows = columns.clocked(rows, self.agreement.clock)
        groups = self._groups(rows, names, endpoint)
        raw = groups.select(names).to_pandas().set_axis([*self.agreement.covariates], axis=1)
        sizes = groups["rows"].to_numpy()
        complete, lacking = known(check, raw, sizes, self.drop)
        if lacking and self.drop:
            notes.append(f"Left out: {listed(lacking)}")
        if not sizes[complete].sum():
            check.add(f"{endpoint}: nobody is left to be counted")
        check.finish()
        groups, raw = groups.filter(pa.array(complete)), raw[complete].reset_index(drop=True)
        size = int(sizes[complete].sum())
        centres = [self.centre[0]] if self.centre else []
        patterns = read_patterns(check, raw, self.agreement, centres, size, self.limits)
        check.finish()
        return tally(groups, patterns, self.agreement, self._people(rows, endpoint, size))

    def _rows(self, endpoint: str) -> Any:
        level = self.centre[1] if self.centre else None
        return columns.typed(self.engine.table, self.agreement, endpoint, self.id, level)

    def _several(self, endpoint: str) -> bool:
        """Whether a patient may have several rows."""
        return self.id is not None and "entry" in self.agreement.endpoints[endpoint]

    def _groups(self, rows: Any, names: list[str], endpoint: str) -> pa.Table:
        """The sums; no more groups are fetched than show that there are too many patterns."""
        cuts = self.agreement.cuts
        expression = grouping.grouped(rows, names, cuts, self._several(endpoint))
        begins = len(cuts) + 1 if "entry" in self.agreement.endpoints[endpoint] else 1
        most = (self.limits.most_patterns + 1) * (len(cuts) + 1) * begins
        return self.engine.ask(expression.limit(most))

    def _people(self, rows: Any, endpoint: str, size: int) -> int:
        """Number of patients: of rows, where each has one."""
        return self._distinct(rows) if self._several(endpoint) else size

    def _distinct(self, rows: Any) -> int:
        found = self.engine.ask(rows.aggregate(people=rows.id.nunique()))
        return int(found["people"][0].as_py())

    def _left_out(self, rows: Any, kept: Any) -> list[str]:
        before, after = self._distinct(rows), self._distinct(kept)
        gone = before - after
        return [f"Left out: {gone} of {before} patients without a covariate"] if gone else []


def table_of(counted: Counted, tallies: Mapping[str, Tally], notes: Sequence[str]) -> CountTable:
    """The file's content: `tallies` are those of `counted`, or the same in wider intervals."""
    cuts = next(iter(tallies.values())).cuts
    cells = pd.concat([tally.cells(name) for name, tally in tallies.items()], ignore_index=True)
    without = cells.drop(columns=list(counted.centre[:1]) if counted.centre else [])
    return CountTable(
        cells,
        replace(counted.agreement, cuts=cuts),
        {name: tally.patients for name, tally in tallies.items()},
        (Origin(fingerprint(without), counted.centre[1] if counted.centre else None),),
        (*counted.notes, *notes),
    )


def fingerprint(cells: pd.DataFrame) -> str:
    """SHA-256 of counts; the same for the same patients, in any order and on any engine."""
    return hashlib.sha256(cells.to_csv(index=False, float_format="%.17g").encode()).hexdigest()


def _centre_column(engine: Engine, formula: str, centre: str | None) -> str | None:
    """The group factor of the formula that the source does not have, to be filled with a centre."""
    words = grouping_words(formula)
    lacking = [name for name in words if name not in engine.table.columns]
    if centre is None and lacking:
        message = f"no column {lacking[0]!r}, which the formula groups by; if all these patients "
        message += f"are of one {lacking[0]}, name it: --centre NAME"
        raise InputError([Fault(message, engine.name, column=lacking[0])])
    if centre is None:
        return None
    if not centre.strip() or len(lacking) != 1:
        what = (
            "the name is empty"
            if not centre.strip()
            else f"{listed(lacking)} are all lacking"
            if lacking
            else f"the source has {listed(words)} already"
            if words
            else "the formula has no group term, such as (1 | centre)"
        )
        raise InputError([Fault(f"--centre {centre}: {what}", engine.name)])
    return lacking[0]


def grouping_words(formula: str) -> list[str]:
    """Names of the columns that the formula groups by."""
    words = dict.fromkeys(re.findall(r"[^\W\d]\w*", formula))
    return group_factors(formula, words)


def _check_plan(
    check: Checklist, sections: Mapping[str, Any], agreement: Agreement, id: str | None
) -> None:
    zero = sections.get("time_zero") or {}
    if sections["cohort"].get("member"):
        check.add("the plan is of an ensemble (member); counts are of patients")
    if zero.get("start"):
        message = "[time_zero] start cannot be counted from; write rows that end where treatment "
        check.add(f"{message}starts, with entry and time, and leave start out")
    delayed = any("entry" in roles for roles in agreement.endpoints.values())
    if zero.get("landmark") and delayed and id is not None:
        message = "[time_zero] landmark cannot be counted where a patient has several rows; make "
        check.add(f"{message}the rows after the landmark first, and leave landmark out")
    for name in {*COLUMNS}.intersection(agreement.covariates):
        check.add("this is a name of counts; rename the covariate", column=name)
    if id is not None and id in agreement.covariates:
        check.add("the formula tells single patients apart; leave it out", column=id)
