"""Counts of several hospitals added up, cell by cell, as if all patients had been counted."""

import math
from collections.abc import Iterator, Mapping

import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.data.registry.table import WHOLE, CountTable, Origin

REMEDY = "aggregate again with the same plan everywhere"


def pool(tables: Mapping[str, CountTable]) -> CountTable:
    """Add up counts by the name of their file.

    Cells of the same endpoint, pattern and interval are added; where the centre is a covariate,
    patterns stay apart by centre.

    Raises
    ------
    InputError
        Names each file whose plan or columns differ from the first one's, and each pair of files
        that hold the same patients or the same centre.
    """
    if len(tables) < 2:
        raise InputError([Fault("name two or more files of counts")])
    faults = [*_plans(tables), *_kinds(tables), *_repeats(tables)]
    if faults:
        raise InputError(faults)
    every = list(tables.values())
    agreement = every[0].agreement
    cells = pd.concat([table.cells for table in every], ignore_index=True)
    pattern = ["endpoint", *agreement.covariates, "interval", "start", "stop"]
    added = dict.fromkeys(WHOLE, "sum") | {"person_time": math.fsum}
    summed = cells.groupby(pattern, dropna=False, sort=True).agg(added).reset_index()
    return CountTable(
        summed,
        agreement,
        {name: sum(table.patients[name] for table in every) for name in agreement.endpoints},
        tuple(sorted({o for table in every for o in table.origins}, key=_order)),
        tuple(dict.fromkeys(note for table in every for note in _notes(table))),
    )


def _order(origin: Origin) -> tuple[str, str]:
    return origin.centre or "", origin.fingerprint


def _notes(table: CountTable) -> Iterator[str]:
    """Notes with the centre that they are about, where a file is of one."""
    centres = [origin.centre for origin in table.origins]
    about = f"{centres[0]}: " if len(centres) == 1 and centres[0] else ""
    return (about + note for note in table.notes)


def _plans(tables: Mapping[str, CountTable]) -> Iterator[Fault]:
    (first, reference), *others = tables.items()
    for name, table in others:
        if table.agreement.hash != reference.agreement.hash:
            for said in reference.agreement.differences(table.agreement):
                yield Fault(f"differs from {first} in {said}; {REMEDY}", name)


def _kinds(tables: Mapping[str, CountTable]) -> Iterator[Fault]:
    """Covariates that are numbers in one file and text in another."""
    (first, reference), *others = tables.items()
    for name, table in others:
        for column in set(reference.agreement.covariates) & set(table.agreement.covariates):
            ours, theirs = (
                "numbers" if pd.api.types.is_numeric_dtype(t.cells[column]) else "text"
                for t in (reference, table)
            )
            if ours != theirs:
                message = f"holds {theirs}, and in {first} {ours}; code it alike, or state its "
                yield Fault(f"{message}reference level in the plan", name, column=column)


def _repeats(tables: Mapping[str, CountTable]) -> Iterator[Fault]:
    """Files with the same counts, or with the same centre, as one before them."""
    counted: dict[str, str] = {}
    centres: dict[str, str] = {}
    for name, table in tables.items():
        for origin in table.origins:
            here = f" ({origin.centre})" if origin.centre else ""
            before = counted.setdefault(origin.fingerprint, name)
            if before != name:
                yield Fault(f"the same patients{here} are in {before} already; leave one out", name)
            elif origin.centre and (same := centres.setdefault(origin.centre, name)) != name:
                message = f"centre {origin.centre} is in {same} already; leave one out, or name "
                yield Fault(f"{message}the centres apart", name)
