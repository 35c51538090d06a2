"""The cohorts that the paper is reproduced on: the shipped ensemble, or one of the same columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.data.covariates import absent
from bayesurv.data.ensemble import MEMBER, Ensemble
from bayesurv.data.faults import Checklist, Fault, InputError, listed
from bayesurv.data.published.ensemble import FILE, REBUILT_BY, SUMMARY, shipped_ensemble
from bayesurv.data.read import as_numbers, as_text, read_table
from bayesurv.data.reconstruct.summary import Endpoint, Summary, Variable, read_summary

TREATMENT, PRIMARY = "cti2", "os"
FEWEST = 2
COVARIATES = ("cti2", "bulky", "stage", "cti1_response", "hsct_bridging", "salvage_type")
RESPONSE_SCORES = {"CR": 0, "PR": 1, "NR": 2}
"""Best response to CTI1 as a number, the worse the higher."""


@dataclass(frozen=True, eq=False)
class Members:
    """Synthetic cohorts of one publication.

    summary : what the publication prints.
    patients : one row for each member and patient.
    source : the file's name.
    rebuilt_by : the command that makes it; none where that is not known.
    """

    summary: Summary
    patients: pd.DataFrame
    source: str
    rebuilt_by: str | None

    @cached_property
    def cohorts(self) -> list[pd.DataFrame]:
        """Rows of each member."""
        return [rows for _, rows in self.patients.groupby(MEMBER, sort=False)]

    @property
    def count(self) -> int:
        """Number of members."""
        return len(self.cohorts)

    @cached_property
    def ensembles(self) -> dict[str, Ensemble]:
        """Each endpoint's ensemble, by its name, from the outermost one inwards.

        The best response to CTI1 is a number there, see `RESPONSE_SCORES`.
        """
        coded = self.patients.assign(
            cti1_response=self.patients["cti1_response"].map(RESPONSE_SCORES)
        )
        unit = self.summary.unit
        return {
            endpoint.name: Ensemble.from_frame(
                coded,
                source=self.source,
                time=f"{endpoint.name}_{unit}",
                event=f"{endpoint.name}_event",
                unit=unit,
                covariates=list(COVARIATES),
            )
            for endpoint in self.summary.endpoint
        }


def read_members(file: Path | None, members: int | None) -> Members:
    """The shipped ensemble, or that of a file; all of its members, or the first so many.

    Raises
    ------
    InputError
        The file is no ensemble of the paper's patients, or has not so many members; lists every
        fault.
    """
    summary = read_summary(SUMMARY)
    table = shipped_ensemble() if file is None else read_table(file)
    source = FILE if file is None else file.name
    check = Checklist(source, table.index)
    patients = _checked(check, summary, table)
    known = patients[MEMBER].unique()
    if members is not None and not FEWEST <= members <= len(known):
        message = f"--members: {members} is not from {FEWEST} to {len(known)}, the members of "
        raise InputError([Fault(f"{message}{source}", value=members)])
    if len(known) < FEWEST:
        check.add(f"it has one member; an ensemble has {FEWEST} or more", column=MEMBER)
        check.finish()
    kept = patients[patients[MEMBER].isin(known[:members])].reset_index(drop=True)
    found = Members(summary, kept, source, REBUILT_BY if file is None else None)
    _ = found.ensembles  # times, events and all that any ensemble has are checked there
    return found


def _checked(check: Checklist, summary: Summary, table: pd.DataFrame) -> pd.DataFrame:
    """The table with numbers as numbers; every column, level and arm is as the paper has it."""
    needed = [MEMBER, summary.treatment]
    needed += [variable.name for variable in summary.variable]
    needed += [name for each in summary.endpoint for name in _columns(summary, each)]
    for name in [name for name in needed if name not in table]:
        check.add(absent(name, table, "which an ensemble of the paper has"), column=name)
    check.finish()
    found = table.copy()
    for variable in summary.variable:
        found[variable.name] = _coded(check, table, variable)
    for name in needed[-2 * len(summary.endpoint) :]:
        found[name] = _numbers(check, table, name)
    found[summary.treatment] = _numbers(check, table, summary.treatment)
    check.finish()
    check.faults += list(_nested(check, summary, found))
    check.faults += list(_sizes(check, summary, found))
    check.finish()
    return found


def _columns(summary: Summary, endpoint: Endpoint) -> tuple[str, str]:
    return f"{endpoint.name}_{summary.unit}", f"{endpoint.name}_event"


def _numbers(check: Checklist, table: pd.DataFrame, name: str) -> np.ndarray:
    numbers, wrong = as_numbers(table[name], flags=True)
    wrong |= np.isnan(numbers)
    check.refuse(wrong, name, "{value} is not a number", value=table[name])
    return numbers


def _coded(check: Checklist, table: pd.DataFrame, variable: Variable) -> pd.Series:
    """A variable's numbers, or its levels, which are those of the summary and no others."""
    if variable.number:
        return pd.Series(_numbers(check, table, variable.name), table.index)
    texts = [text or "" for text in as_text(table[variable.name])]
    levels = {str(level): level for level in variable.levels}
    unknown = np.array([text not in levels for text in texts])
    message = f"{{value}} is not one of {listed(level or 'an empty cell' for level in levels)}"
    check.refuse(unknown, variable.name, message, value=table[variable.name])
    return pd.Series([levels.get(text) for text in texts], table.index)


def _nested(check: Checklist, summary: Summary, found: pd.DataFrame) -> Iterator[Fault]:
    """Each endpoint ends no later than the one around it."""
    names = [_columns(summary, each)[0] for each in summary.endpoint]
    for outer, inner in zip(names[:-1], names[1:], strict=True):
        later = found.index[found[inner] > found[outer]]
        if len(later):
            message = f"it is later than {outer} in {len(later)} rows, this one first"
            yield Fault(message, check.source, int(later[0]), inner)


def _sizes(check: Checklist, summary: Summary, found: pd.DataFrame) -> Iterator[Fault]:
    """Every member has as many patients of each arm as the paper."""
    counts = pd.crosstab(found[MEMBER], found[summary.treatment]).reindex(columns=[1, 0])
    odd = counts.index[(counts.fillna(0) != list(summary.patients)).any(axis=1)]
    if len(odd):
        (first, second), (one, two) = summary.patients, summary.arms
        message = f"not {first} patients of {one} and {second} of {two} in members {listed(odd)}; "
        yield Fault(
            f"{message}an ensemble of the paper has them in every one",
            check.source,
            column=summary.treatment,
        )
