"""Ensemble: several cohorts that could each be the one behind a publication, coded alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from bayesurv.data.cohort import ARRAYS, Cohort
from bayesurv.data.covariates import absent
from bayesurv.data.faults import Checklist, InputError, listed
from bayesurv.data.read import as_numbers, as_text, read_table

MEMBER, SYNTHETIC = "member", "synthetic"


@dataclass(frozen=True, eq=False, repr=False)
class Ensemble:
    """Cohorts of one size, one for each member; made by `from_frame` or `from_file`.

    cohort : every row of every member, so that a level that one member lacks is coded all the same.
    members : label of each member, in order of appearance.
    position : (row,) position in `members` of each row.
    """

    cohort: Cohort
    members: tuple[str, ...]
    position: np.ndarray

    def __post_init__(self) -> None:
        self.position.setflags(write=False)

    def __repr__(self) -> str:
        return f"Ensemble({self.n_members} members of {self.n_patients} patients; {self.cohort})"

    @classmethod
    def from_file(
        cls, path: str | Path, *, member: str = MEMBER, sheet: str | None = None, **options: Any
    ) -> Self:
        """Read an ensemble from a file; `options` are those of `Cohort.from_frame`.

        Raises
        ------
        InputError
            As `read_table` and `from_frame`.
        """
        table = read_table(path, sheet)
        return cls.from_frame(table, member=member, source=Path(path).name, **options)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        member: str = MEMBER,
        source: str = "DataFrame",
        **options: Any,
    ) -> Self:
        """Check one table of all members, once, and keep it.

        Parameters
        ----------
        frame : DataFrame
            One line per member and row; a column `synthetic`, where there is one, is true.
        member : str
            The column that says which member a row belongs to.
        source, options
            As for `Cohort.from_frame`.

        Raises
        ------
        InputError
            Lists every fault with row and column: no such column, a single member, members of
            different sizes, without an event or without a column that others have, rows that are
            not synthetic, and all faults of a cohort.
        """
        table = frame if frame.index.is_unique else frame.reset_index(drop=True)
        table = table.set_axis([str(name) for name in frame], axis="columns")
        table.attrs = dict(frame.attrs)
        check = Checklist(source, table.index)
        if member not in table:
            check.add(absent(member, table, "named for the member"), column=member)
            check.finish()
        labels = np.array([label or "" for label in as_text(table[member])])
        check.refuse(labels == "", member, "is missing; say which member each row belongs to")
        _check_members(check, table, labels, member, options)
        given = options.get("id")
        if given in table:
            table = table.assign(**{str(given): _own_patients(table[given], labels)})
        try:
            kept = table.drop(columns=[member, SYNTHETIC], errors="ignore")
            cohort = Cohort.from_frame(kept, source=source, **options)
        except InputError as error:
            check.faults += error.faults
        check.finish()
        return cls.of(cohort, labels[np.isin(table.index, cohort.rows)])

    @classmethod
    def of(cls, cohort: Cohort, labels: np.ndarray) -> Self:
        """Rows of a cohort and the label of each one's member, `(row,)`; in order of members."""
        position, members = pd.factorize(labels)
        order = np.argsort(position, kind="stable")
        return cls(_rows(cohort, order), tuple(map(str, members)), position[order])

    @property
    def n_members(self) -> int:
        """Number of members."""
        return len(self.members)

    @property
    def n_patients(self) -> int:
        """Number of patients of one member."""
        return self.cohort.n_patients // self.n_members

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Rows of each member."""
        edges = np.searchsorted(self.position, np.arange(self.n_members + 1))
        return tuple(slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True))

    @property
    def events(self) -> np.ndarray:
        """Number of events of each member, `(member,)`."""
        return np.array([self.cohort.event[rows].sum() for rows in self.slices])

    @property
    def end_of_follow_up(self) -> float:
        """The last time that is within the follow-up of every member, see `followed_until`."""
        ends = [followed_until(self.cohort, np.arange(r.start, r.stop)) for r in self.slices]
        return min(*ends, self.cohort.end_of_follow_up)

    def one(self, label: object) -> Cohort:
        """The cohort of one member, with the levels of all members.

        Raises
        ------
        InputError
            There is no such member.
        """
        if str(label) not in self.members:
            check = Checklist(self.cohort.source)
            check.add(f"no member {label}; the members are {listed(self.members)}")
            check.finish()
        return _rows(self.cohort, self.slices[self.members.index(str(label))])

    def cohorts(self) -> Iterator[tuple[str, Cohort]]:
        """Label and cohort of each member."""
        for label, rows in zip(self.members, self.slices, strict=True):
            yield label, _rows(self.cohort, rows)

    def complete(self, columns: Sequence[str], missing: str = "error") -> Self:
        """The ensemble with these covariates complete, as `Cohort.complete`."""
        kept = self.cohort.complete(columns, missing)
        if kept is self.cohort:
            return self
        labels = np.array(self.members)[self.position]
        return self.of(kept, labels[np.isin(self.cohort.rows, kept.rows)])


def followed_until(cohort: Cohort, rows: np.ndarray) -> float:
    """The last time of these rows, at positions `(row,)`; infinite where that was an event.

    Where the last to be seen had the event, as Kaplan and Meier's estimate then says, nobody is
    left of whom something later is unknown.
    """
    last = np.fmax(cohort.time, cohort.upper)[rows]
    at_end = last == last.max()
    return np.inf if cohort.event[rows][at_end].all() else float(last.max())


def refuse_ensemble(table: pd.DataFrame, source: str) -> None:
    """Refuse a table of several synthetic members where one cohort is wanted.

    Raises
    ------
    InputError
        Columns `member` and `synthetic` say that the rows are versions of the same patients.
    """
    if not {MEMBER, SYNTHETIC} <= set(table):
        return
    count = table[MEMBER].nunique()
    if count > 1:
        check = Checklist(source)
        message = (
            f"{count} synthetic versions of one cohort, not one of so many patients; name the "
        )
        check.add(f'{message}column (member = "member", or --member member)', column=MEMBER)
        check.finish()


def _rows(cohort: Cohort, rows: slice | np.ndarray) -> Cohort:
    """Some rows of a cohort, with all its levels."""
    arrays = {name: getattr(cohort, name)[rows] for name in ARRAYS}
    covariates = cohort.covariates.iloc[rows].reset_index(drop=True)
    return replace(cohort, covariates=covariates, **arrays)


def _own_patients(patients: pd.Series, labels: np.ndarray) -> list[str | None]:
    """Patients told apart from those of the same name in other members."""
    names = zip(as_text(patients), labels, strict=True)
    return [None if name is None else f"{name} of member {label}" for name, label in names]


def _check_members(
    check: Checklist, table: pd.DataFrame, labels: np.ndarray, member: str, options: dict[str, Any]
) -> None:
    """Refuse what makes the rows no ensemble; each fault once for all members concerned."""
    members = dict.fromkeys(labels[labels != ""].tolist())
    if len(members) < 2:
        message = "this holds a single cohort; fit it without --member"
        check.add(message, column=member)
        return
    if SYNTHETIC in table:
        flags = as_numbers(table[SYNTHETIC], flags=True)[0]
        message = "is not true; patients who were seen are no part of an ensemble, fit them alone"
        check.refuse(flags != 1, SYNTHETIC, message)
    _check_sizes(check, table, labels, member, options.get("id"))
    event = options.get("event")
    if event in table:
        happened = as_numbers(table[event], flags=True)[0] == 1
        without = [label for label in members if not happened[labels == label].any()]
        if without:
            message = f"no events in members {listed(without)}: every row is censored, so there is "
            check.add(f"{message}no hazard to estimate; leave them out", column=event)
    needed = [options.get("time"), event, options.get("entry"), *(options.get("covariates") or ())]
    for name in [name for name in needed if name in table]:
        filled = table[name].notna().to_numpy()
        lacking = [label for label in members if not filled[labels == label].any()]
        if lacking and len(lacking) < len(members):
            message = f"no values in members {listed(lacking)}, which others have; "
            check.add(f"{message}give all members the same columns", column=name)


def _check_sizes(
    check: Checklist, table: pd.DataFrame, labels: np.ndarray, member: str, id: str | None
) -> None:
    """Refuse members that have not as many patients as most."""
    patients = table[id].to_numpy() if id in table else np.arange(len(table))
    sizes = pd.Series(patients).groupby(labels, sort=False).nunique().drop("", errors="ignore")
    usual = int(sizes.mode().iloc[0])
    odd = [f"{label} ({size})" for label, size in sizes.items() if size != usual]
    if odd:
        message = f"members of other sizes than {usual} patients: {listed(odd)}; members are "
        check.add(f"{message}versions of one cohort, so all have its size", column=member)
