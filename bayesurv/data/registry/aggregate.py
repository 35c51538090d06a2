"""Counts made where the patients are: checked, grouped by the engine, and put together."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from bayesurv.data.faults import Checklist, Fault, InputError, listed
from bayesurv.data.registry import columns, faulty, grouping
from bayesurv.data.registry.agreement import Agreement, group_factors
from bayesurv.data.registry.engine import Engine
from bayesurv.data.registry.table import COLUMNS, CountTable, Origin
from bayesurv.data.registry.tally import Tally, readable, tally

MOST_PATTERNS = 10_000
FEWEST = 5


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
    fewest: int = FEWEST,
    most_patterns: int = MOST_PATTERNS,
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
    fewest, most_patterns : int
        Fewest patients for each value of a numeric covariate, and most patterns.

    Raises
    ------
    InputError
        Lists what cannot be counted, by column and with the number of rows.
    """
    cohort, table = sections["cohort"], engine.table
    column = _centre_column(engine, sections["model"]["formula"], centre)
    known = [*table.columns, *([column] if column else [])]
    agreement = Agreement.from_plan(sections, known, cuts)
    id, drop = cohort.get("id"), cohort.get("missing") == "drop"
    check = Checklist(engine.name)
    _check_plan(check, sections, agreement, id)
    columns.check_columns(check, table, agreement, id, column)
    check.finish()
    rows, missing = faulty.check_rows(check, engine, agreement, drop)
    check.finish()
    faulty.check_patients(check, engine, agreement, id)
    check.finish()
    named = (column, centre) if column and centre else None
    counting = Counting(engine, agreement, id, named, drop, fewest, most_patterns)
    made = {name: counting.tally(check, name) for name in agreement.endpoints}
    check.finish()
    lacking = [f"{name} missing in {n} of {rows} rows" for name, n in missing.items() if n]
    notes = [f"[time_zero] {key} = {value:g}" for key, value in agreement.clock.items()]
    if lacking:
        notes.append(f"Patients without a covariate were left out: {listed(lacking)}")
    return Counted(made, agreement, rows, named, tuple(notes))


@dataclass(frozen=True)
class Counting:
    """How the rows of an engine are counted; see `count`."""

    engine: Engine
    agreement: Agreement
    id: str | None
    centre: tuple[str, str] | None
    drop: bool
    fewest: int
    most_patterns: int

    def tally(self, check: Checklist, endpoint: str) -> Tally:
        """Counts of an endpoint; what hinders them is noted, or raised if nothing can go on."""
        column, level = self.centre or (None, None)
        rows = columns.typed(self.engine.table, self.agreement, endpoint, self.id, level)
        if self.drop:
            rows = grouping.drop_incomplete(rows, self.agreement, self.id)
        rows = columns.clocked(rows, self.agreement.clock)
        names = [f"c{position}" for position in range(len(self.agreement.covariates))]
        self._check_patterns(check, rows, names)
        touching = self.id is not None and "entry" in self.agreement.endpoints[endpoint]
        groups = self.engine.ask(grouping.grouped(rows, names, self.agreement.cuts, touching))
        size = sum(groups["rows"].to_pylist())
        if not sum(groups["events"].to_pylist()):
            check.add(f"{endpoint}: no events among {size} rows, so there is no hazard to estimate")
            check.finish()
        raw = groups.select(names).to_pandas().set_axis([*self.agreement.covariates], axis=1)
        patterns = readable(check, raw, self.agreement, column, size, self.fewest)
        check.finish()
        if self.id is not None:
            people = self.engine.ask(rows.aggregate(n=rows.id.nunique()))
            size = people["n"][0].as_py()
        return tally(groups, patterns, self.agreement, size)

    def _check_patterns(self, check: Checklist, rows: Any, names: list[str]) -> None:
        """Refuse more patterns than can be fetched, with the covariate that makes most of them."""
        if not names:
            return
        patterns = self.engine.ask(rows.select(names).distinct().count().as_table())
        if (number := patterns[0][0].as_py()) <= self.most_patterns:
            return
        each = self.engine.ask(rows.aggregate(**{name: rows[name].nunique() for name in names}))
        most, name = max((each[c][0].as_py(), self.agreement.covariates[int(c[1:])]) for c in names)
        check.add(
            f"the covariates make {number} patterns, more than {self.most_patterns} "
            f"(--max-patterns); {name} alone has {most} values: cut it into groups first",
            column=name,
        )
        check.finish()


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
