"""Counts of a source, and counts pooled: what is written, what is refused, what is printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bayesurv.data.counts import Counts
from bayesurv.data.faults import Fault, InputError
from bayesurv.data.registry.aggregate import DEFAULT, Counted, count, table_of
from bayesurv.data.registry.engine import opened
from bayesurv.data.registry.patterns import Limits
from bayesurv.data.registry.pooling import pool
from bayesurv.data.registry.small_cells import Small, coarsened, list_small, never_enough
from bayesurv.data.registry.small_cells import levels as levels_of
from bayesurv.data.registry.table import CountTable, read_counts, write_counts
from bayesurv.data.registry.tally import Tally
from bayesurv.plan import read_plan
from bayesurv.report.files import REMEDY, check_files
from bayesurv.report.registry_cost import standard_errors
from bayesurv.report.watcher import Watcher

EXPOSES = (
    "In a cell in which one patient's follow-up ends, the person-time gives that patient's own "
    "time, and where a few end, the sum of theirs"
)
CHOICES = (
    "take fewer covariates or levels into the formula, or wider intervals (--coarsen finds them); "
    "or give --allow-small-cells, if whoever answers for data protection agrees to pass them on"
)


@dataclass(frozen=True)
class Aggregated:
    """What was written: a table to print, and lines to print under it.

    shown : DataFrame
        A column for each endpoint.
    cost : DataFrame or None
        By endpoint and term, standard errors with the plan's intervals and with the wider ones.
    notes : tuple of str
    """

    shown: pd.DataFrame
    cost: pd.DataFrame | None
    notes: tuple[str, ...]


def run_aggregate(
    source: str,
    plan: Path,
    out: Path,
    *,
    table: str | None = None,
    centre: str | None = None,
    cuts: Sequence[float] | None = None,
    limits: Limits = DEFAULT,
    coarsen: bool = False,
    allow_small: bool = False,
    watcher: Watcher | None = None,
) -> Aggregated:
    """Count the patients of a source by a plan and write the counts to `out`.

    Raises
    ------
    InputError
        As `read_plan`, `opened` and `count`; or cells tell of single patients and are not allowed.
    """
    watcher = watcher or Watcher()
    check_out(out, [plan, Path(source)])
    sections = read_plan(plan).model_dump()
    watcher.step("Counting events and person-time")
    with opened(source, table) as engine:
        counted = count(engine, sections, cuts=cuts, centre=centre, limits=limits)
    fewest = limits.fewest
    tallies, cost = counted.tallies, None
    notes: list[str] = []
    if coarsen:
        watcher.step("Looking for wider intervals")
        tallies = coarsened(counted.tallies, fewest)
        cost, notes = cost_of(counted, tallies, sections["model"]["formula"])
        notes = [_cuts_line(counted, tallies), *notes]
    small = list_small(tallies, fewest)
    if small and not allow_small:
        raise _refused(small, tallies, fewest, notes)
    kept = [f"{len(small)} cells tell of fewer than {fewest} patients"] if small else []
    written = table_of(counted, tallies, kept)
    write_counts(written, out)
    notes += [*counted.notes, *_small_notes(small, tallies, fewest)]
    return Aggregated(shown(written, counted.rows), cost, tuple(notes))


def run_pool(
    files: Sequence[Path], out: Path, fewest: int = DEFAULT.fewest, watcher: Watcher | None = None
) -> Aggregated:
    """Add up files of counts and write the sum to `out`.

    Raises
    ------
    InputError
        As `read_counts`, for all files together, and `pool`; or a file is named twice.
    """
    watcher = watcher or Watcher()
    check_out(out, files)
    watcher.step(f"Adding up {len(files)} files")
    faults: list[Fault] = []
    tables: dict[str, CountTable] = {}
    for file in files:
        try:
            if str(file) in tables:
                raise InputError([Fault("is named twice; name it once", str(file))])
            tables[str(file)] = read_counts(file)
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    pooled = pool(tables)
    write_counts(pooled, out)
    few = ((pooled.cells["patients"] > 0) & (pooled.cells["patients"] < fewest)).sum()
    notes = [f"{few} cells have 1 to {fewest - 1} patients at risk"] if few else []
    return Aggregated(shown(pooled, None), None, (*pooled.notes, *notes))


def check_out(out: Path, inputs: Sequence[Path]) -> None:
    """Refuse a file that is not Parquet, cannot be written, or is read."""
    if out.suffix.lower() != ".parquet":
        raise InputError([Fault(f"{out} is not the name of a .parquet file; {REMEDY}")])
    check_files([out], inputs)


def shown(table: CountTable, rows: int | None) -> pd.DataFrame:
    """What was counted, a column for each endpoint."""
    columns: dict[str, list[str]] = {}
    names = ["patients", "events", f"person-time ({table.agreement.unit})", "patterns", "cells"]
    names += ["fewest patients at risk in a cell"]
    for endpoint, cells in table.cells.groupby("endpoint", sort=False):
        at_risk = cells.loc[cells["patients"] > 0, "patients"]
        columns[str(endpoint)] = [
            f"{table.patients[str(endpoint)]:,}",
            f"{cells['events'].sum():,}",
            f"{cells['person_time'].sum():,.6g}",
            f"{(cells['interval'] == 1).sum():,}",
            f"{len(cells):,}",
            f"{at_risk.min():,}",
        ]
    if rows is not None:
        names.insert(0, "rows read")
        columns = {endpoint: [f"{rows:,}", *column] for endpoint, column in columns.items()}
    return pd.DataFrame({"": names} | columns)


# --- Small cells ---


def _refused(
    small: Sequence[Small], tallies: Mapping[str, Tally], fewest: int, notes: Sequence[str]
) -> InputError:
    """Nothing was written: what would be exposed, what can be done, and every small cell."""
    cells = sum(tally.at_risk.size for tally in tallies.values())
    message = f"{len(small)} of {cells} cells tell of fewer than {fewest} patients, so that "
    message += f"nothing was written. {EXPOSES}. To go on, {CHOICES}"
    told = [message, *notes, *_hopeless(tallies, fewest), *map(_in_words, small)]
    return InputError(map(Fault, told))


def _in_words(cell: Small) -> str:
    return f"{cell.endpoint}, {cell.levels}, {cell.interval}: {cell.what}"


def _small_notes(small: Sequence[Small], tallies: Mapping[str, Tally], fewest: int) -> list[str]:
    if not small:
        return []
    by_interval = pd.Series([cell.interval for cell in small]).value_counts(sort=False)
    where = ", ".join(f"{count} in {interval}" for interval, count in by_interval.items())
    said = f"{len(small)} cells tell of fewer than {fewest} patients, as was allowed: {where}"
    return [
        said,
        f"{EXPOSES}: the file is as confidential as the patients' own",
        *_hopeless(tallies, fewest),
    ]


def _hopeless(tallies: Mapping[str, Tally], fewest: int) -> list[str]:
    """Patterns that no interval is wide enough for."""
    said = []
    for endpoint, tally in tallies.items():
        patterns = [
            f"({levels_of(tally, i)})" for i in never_enough(tally, fewest).nonzero()[0].tolist()
        ]
        if patterns:
            named = "; ".join(patterns[:5]) + (" ..." if len(patterns) > 5 else "")
            said.append(
                f"{endpoint}: {len(patterns)} of {len(tally.patterns)} patterns stay too small "
                f"even in a single interval: {named}. Only fewer covariates or levels help them"
            )
    return said


# --- Wider intervals ---


def _cuts_line(counted: Counted, tallies: Mapping[str, Tally]) -> str:
    cuts = next(iter(tallies.values())).cuts
    before = f"{len(counted.agreement.cuts) + 1} intervals"
    if cuts == counted.agreement.cuts:
        return f"The {before} stay as they are: wider ones would make no further pattern safe"
    if not cuts:
        return f"Of {before} only one is left, a constant hazard: all of it is one cell a pattern"
    line = f"cuts = [{', '.join(f'{cut:g}' for cut in cuts)}]"
    return (
        f"Of {before} {len(cuts) + 1} are left. Every hospital must have the same: keep only the "
        f"cuts that are left in all of them, and write that line into the plan: {line}"
    )


def cost_of(
    counted: Counted, tallies: Mapping[str, Tally], formula: str
) -> tuple[pd.DataFrame | None, list[str]]:
    """Standard errors before and after, by endpoint and term; or why there are none."""
    lines, notes = [], []
    for endpoint in tallies:
        try:
            before, after = (
                standard_errors(Counts.from_table(table_of(counted, t, ()), "", endpoint), formula)
                for t in (counted.tallies, tallies)
            )
        except InputError as error:
            reason = error.faults[0].message
            notes.append(f"{endpoint}: what wider intervals cost is not known here: {reason}")
            continue
        lines += [
            {"endpoint": endpoint, "term": term, "before": first, "after": second}
            for (term, first), second in zip(before.items(), after, strict=True)
        ]
    return (pd.DataFrame(lines) if lines else None), notes
