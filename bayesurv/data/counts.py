"""Counts: events and person-time by covariate pattern and interval, in place of patients."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from bayesurv.data.cohort import Cohort
from bayesurv.data.covariates import absent, code_covariates, is_category
from bayesurv.data.faults import Checklist, Fault, InputError, listed, nearest
from bayesurv.data.read import as_text
from bayesurv.data.registry.agreement import Agreement
from bayesurv.data.registry.table import COUNTED, CountTable, Origin, is_counts, read_counts

__all__ = ["Counts", "is_counts"]

COMPARED = ("unit", "reference", "ordinal", "cuts", "clock")


@dataclass(frozen=True, eq=False, repr=False)
class Counts:
    """What a piecewise exponential likelihood needs of some patients, and nothing else of them.

    With log hazard l[j] in interval j and linear predictor x[p]'b of pattern p, the log-likelihood
    is the sum over p and j of events (l[j] + x[p]'b) - person_time exp(l[j] + x[p]'b).

    Parameters
    ----------
    covariates : DataFrame, (pattern, covariate)
        Typed as a Cohort's: numbers, categories (first level: the reference), ordered categories.
    at_risk, entered, ended, events : int array, (pattern, interval)
        Patients with follow-up in the interval (c[j-1], c[j]]; whose follow-up begins in it, ends
        in it; events in it. A patient with several rows of follow-up counts for each of them.
    person_time : array, (pattern, interval)
        Follow-up in the interval, in `unit`.
    n_patients : int
    cuts : tuple of float
        Inner ends of the intervals; the last is open.
    unit, endpoint, source : str
    ordinal, coding, reference : mapping
        As a Cohort's.
    agreement : Agreement or None
        What the counts rest on; None if they were made of a cohort.
    origins : tuple of Origin
        The files of patients that were counted.
    notes : tuple of str
    """

    covariates: pd.DataFrame
    at_risk: np.ndarray
    entered: np.ndarray
    ended: np.ndarray
    events: np.ndarray
    person_time: np.ndarray
    n_patients: int
    cuts: tuple[float, ...]
    unit: str
    endpoint: str
    source: str
    ordinal: Mapping[str, tuple[str, ...]]
    coding: Mapping[str, str]
    reference: Mapping[str, str]
    agreement: Agreement | None = None
    origins: tuple[Origin, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("at_risk", "entered", "ended", "events", "person_time"):
            getattr(self, name).setflags(write=False)

    def __repr__(self) -> str:
        size = f"{self.n_rows} patterns, {self.n_patients} patients, {self.n_events} events"
        return f"Counts({self.source}, {self.endpoint}: {size}, time in {self.unit})"

    @classmethod
    def from_file(cls, path: str | Path, endpoint: str | None = None) -> Self:
        """Read the counts of an endpoint; it need not be named where there is one alone.

        Raises
        ------
        InputError
            As `read_counts`; there is no such endpoint; or a covariate does not fit the plan.
        """
        return cls.from_table(read_counts(path), Path(path).name, endpoint)

    @classmethod
    def from_table(cls, table: CountTable, source: str, endpoint: str | None = None) -> Self:
        """Take the counts of an endpoint from a table that was read; errors as `from_file`."""
        agreement, names = table.agreement, list(table.agreement.endpoints)
        if endpoint is None and len(names) > 1:
            message = f"name the endpoint; there are {listed(names)}"
            raise InputError([Fault(message, source)])
        name = endpoint or names[0]
        if name not in names:
            message = f'no endpoint "{name}".{nearest(name, names)} There are {listed(names)}'
            raise InputError([Fault(message, source)])
        cells = table.cells[table.cells["endpoint"] == name]
        patterns = list(agreement.covariates)
        number = pattern_numbers(cells[patterns])
        cells = cells.iloc[np.lexsort((cells["interval"], number))]
        arrays = {c: cells[c].to_numpy().reshape(-1, len(agreement.edges)) for c in COUNTED}
        first = cells[cells["interval"] == 1]
        check = Checklist(source, np.array(first.index) + 1)
        raw = first[patterns].reset_index(drop=True)
        coded = code_covariates(check, raw, agreement.ordinal, agreement.reference)
        check.finish()
        for text in raw.select_dtypes(exclude="number"):  # as centres 1, 2 and A
            if not is_category(coded[text]):
                coded[text] = pd.Categorical(as_text(raw[text]))
        return cls(
            covariates=coded,
            at_risk=arrays.pop("patients").copy(),
            **{counted: array.copy() for counted, array in arrays.items()},
            n_patients=table.patients[name],
            cuts=agreement.cuts,
            unit=agreement.unit,
            endpoint=name,
            source=source,
            ordinal=agreement.ordinal,
            coding=agreement.coding,
            reference=agreement.reference,
            agreement=agreement,
            origins=table.origins,
            notes=table.notes,
        )

    @classmethod
    def from_cohort(
        cls,
        cohort: Cohort,
        cuts: Sequence[float],
        columns: Sequence[str] | None = None,
        endpoint: str = "endpoint",
    ) -> Self:
        """Count a cohort's patients, told apart by `columns` (all covariates unless given).

        Raises
        ------
        InputError
            A covariate is absent or incomplete, the cuts do not increase from above 0, or an event
            is known only to an interval.
        """
        names = list(cohort.covariates if columns is None else columns)
        cohort = cohort.complete(names)
        edges = np.array([0.0, *cuts])
        if not (np.isfinite(edges).all() and (np.diff(edges) > 0).all()):
            raise InputError([Fault("cuts must be above 0, finite and increasing")])
        if cohort.interval.any():
            message = "counts cannot hold events that are known only to an interval"
            raise InputError([Fault(f"{message}; leave out upper", cohort.source)])
        covariates = cohort.covariates[names]
        number = pattern_numbers(covariates)
        first = np.unique(number, return_index=True)[1]
        categories = [n for n in names if is_category(covariates[n]) and n not in cohort.ordinal]
        return cls(
            covariates=covariates.iloc[first].reset_index(drop=True),
            **_counted(cohort, number, edges),
            n_patients=cohort.n_patients,
            cuts=tuple(map(float, cuts)),
            unit=cohort.unit,
            endpoint=endpoint,
            source=cohort.source,
            ordinal={n: levels for n, levels in cohort.ordinal.items() if n in names},
            coding={n: coding for n, coding in cohort.coding.items() if n in names},
            reference={n: str(covariates[n].cat.categories[0]) for n in categories},
            notes=cohort.notes,
        )

    @property
    def n_rows(self) -> int:
        """Number of patterns."""
        return len(self.covariates)

    @property
    def patients(self) -> np.ndarray:
        """Patients of each pattern, (pattern,)."""
        return self.entered.sum(axis=1)

    @property
    def n_events(self) -> int:
        """Number of events."""
        return int(self.events.sum())

    @property
    def end_of_follow_up(self) -> float:
        """The last cut beyond which anyone was followed; 0 if that is none.

        The last time itself is one patient's, so it is not in the counts.
        """
        starts = np.array([0.0, *self.cuts])
        return float(starts[self.at_risk.any(axis=0)].max(initial=0.0))

    def complete(self, columns: Sequence[str], missing: str = "error") -> Self:
        """The counts, with every one of these covariates there; nothing in them is ever missing.

        Raises
        ------
        InputError
            A covariate is not among those that patients are told apart by.
        """
        check = Checklist(self.source)
        for name in columns:
            if name not in self.covariates:
                use = "which the formula needs; aggregate with a plan that names it"
                check.add(absent(name, self.covariates, use), column=name)
        check.finish()
        return self

    def check_plan(self, plan: Agreement) -> None:
        """Refuse a plan that means something else than the plan that the counts were made with.

        The formula may name fewer covariates; endpoints that are not analysed do not matter.

        Raises
        ------
        InputError
            Names each thing that differs.
        """
        if self.agreement is None:
            return
        check = Checklist(self.source)
        ours = self.agreement
        self.complete(plan.covariates)
        if plan.endpoints.get(self.endpoint) != ours.endpoints[self.endpoint]:
            check.add(f"the plan has other columns for endpoint {self.endpoint} than the counts")
        for said in ours.restricted(plan.covariates).differences(plan, COMPARED):
            check.add(f"the counts and the plan differ in {said}; use the plan of the counts")
        check.finish()

    def digest(self) -> str:
        """SHA-256 of what is analysed: unit, cuts, covariates and counts."""
        sha = hashlib.sha256(repr((self.unit, self.cuts, self.n_patients)).encode())
        for array in (self.entered, self.ended, self.events, self.person_time):
            sha.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        for name in sorted(self.covariates):
            values = self.covariates[name]
            levels = list(values.cat.categories) if is_category(values) else None
            sha.update(repr((name, levels, as_text(values))).encode())
        return sha.hexdigest()


def _counted(cohort: Cohort, number: np.ndarray, edges: np.ndarray) -> dict[str, Any]:
    """Each array of Counts, by the pattern's number of each row and the start of each interval."""
    stops = np.append(edges[1:], np.inf)
    entry, time = cohort.entry[:, None], cohort.time[:, None]
    inside = (edges < time) & (time <= stops)
    by_row = {
        "at_risk": (time > edges) & (entry < stops),
        "entered": (edges <= entry) & (entry < stops),
        "ended": inside,
        "events": inside & cohort.event[:, None],
    }
    spent = np.clip(time, edges, stops) - np.clip(entry, edges, stops)
    members = [number == pattern for pattern in range(number.max() + 1)]
    # Person-time is summed exactly, so that the order of the patients does not matter.
    person_time = [[math.fsum(interval) for interval in spent[own].T] for own in members]
    return {
        name: np.array([values[own].sum(axis=0) for own in members])
        for name, values in by_row.items()
    } | {"person_time": np.array(person_time)}


def pattern_numbers(covariates: pd.DataFrame) -> np.ndarray:
    """Which pattern each row has, (row,): numbers in order of the covariates' values."""
    if covariates.columns.empty:
        return np.zeros(len(covariates), dtype=int)
    grouped = covariates.groupby(list(covariates), sort=True, observed=True, dropna=False)
    return grouped.ngroup().to_numpy()
