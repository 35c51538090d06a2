"""Counts of one endpoint while they are made: arrays, and the same in wider intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa

from bayesurv.data.registry.agreement import Agreement
from bayesurv.data.registry.grouping import HIGH, LOW, exact_sums


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts of one endpoint.

    patterns : DataFrame, (pattern, covariate)
        Numbers, or text.
    at_risk, entered, ended, events : int array, (pattern, interval)
    at_start, at_stop : int array, (pattern, interval)
        Those of `entered` and `ended` whose entry or time is a cut; they are never written.
    person_time : array, (pattern, interval)
    cuts : tuple of float
    patients : int
    """

    patterns: pd.DataFrame
    at_risk: np.ndarray
    entered: np.ndarray
    ended: np.ndarray
    events: np.ndarray
    at_start: np.ndarray
    at_stop: np.ndarray
    person_time: np.ndarray
    cuts: tuple[float, ...]
    patients: int

    def merged(self, position: int) -> "Tally":
        """With the intervals on both sides of the cut at this position as one."""
        joined, gone = position, position + 1
        made = {}
        for name in ("entered", "ended", "events", "person_time"):
            array = getattr(self, name).copy()
            array[:, joined] += array[:, gone]
            made[name] = np.delete(array, gone, axis=1)
        at_risk = self.at_risk.copy()
        at_risk[:, joined] += self.entered[:, gone]
        return Tally(
            self.patterns,
            at_risk=np.delete(at_risk, gone, axis=1),
            **made,
            at_start=np.delete(self.at_start, gone, axis=1),
            at_stop=np.delete(self.at_stop, joined, axis=1),
            cuts=self.cuts[:position] + self.cuts[gone:],
            patients=self.patients,
        )

    def cells(self, endpoint: str) -> pd.DataFrame:
        """One row for each pattern and interval, as a file of counts has them."""
        edges = np.array([0.0, *self.cuts])
        size, intervals = self.at_risk.shape
        frame = self.patterns.loc[np.repeat(np.arange(size), intervals)].reset_index(drop=True)
        frame.insert(0, "endpoint", endpoint)
        return frame.assign(
            interval=np.tile(np.arange(1, intervals + 1), size),
            start=np.tile(edges, size),
            stop=np.tile(np.append(edges[1:], np.nan), size),
            patients=self.at_risk.ravel(),
            entered=self.entered.ravel(),
            ended=self.ended.ravel(),
            events=self.events.ravel(),
            person_time=self.person_time.ravel(),
        )


def tally(groups: pa.Table, patterns: pd.DataFrame, agreement: Agreement, patients: int) -> Tally:
    """Counts from the groups of `grouping.grouped`; `patterns`, (group, covariate), are theirs."""
    names = list(patterns)
    grouping = patterns.groupby(names, sort=True) if names else None
    number = np.zeros(len(patterns), int) if grouping is None else grouping.ngroup().to_numpy()
    first = np.unique(number, return_index=True)[1]
    intervals = len(agreement.edges)
    begins, stops = (groups[name].to_numpy().astype(int) for name in ("begins", "stops"))

    def sums(name: str, at: np.ndarray) -> np.ndarray:
        total = np.zeros((len(first), intervals), dtype=np.int64)
        np.add.at(total, (number, at), groups[name].to_numpy().astype(np.int64))
        return total

    def times(name: str, at: np.ndarray) -> np.ndarray:
        total = np.zeros((len(first), intervals), dtype=object)
        np.add.at(total, (number, at), exact_sums(groups, name))
        return total

    entered, ended = sums("entered", begins), sums("ended", stops)
    rows_from, rows_to = sums("rows", begins), sums("rows", stops)
    whole = times("time", stops) - times("entry", begins)
    return Tally(
        patterns.iloc[first].reset_index(drop=True),
        at_risk=_at_risk(entered, ended),
        entered=entered,
        ended=ended,
        events=sums("events", stops),
        at_start=sums("at_start", begins),
        at_stop=sums("at_stop", stops),
        person_time=_person_time(whole, rows_from, rows_to, agreement.cuts),
        cuts=agreement.cuts,
        patients=patients,
    )


def _at_risk(entered: np.ndarray, ended: np.ndarray) -> np.ndarray:
    """Who entered in the interval or before, and had not ended before it."""
    return entered.cumsum(axis=1) - ended.cumsum(axis=1) + ended


def _person_time(
    whole: np.ndarray, entered: np.ndarray, ended: np.ndarray, cuts: Sequence[float]
) -> np.ndarray:
    """Person-time by interval from exact sums, rounded once."""
    at_risk = _at_risk(entered, ended)
    passed, carried = at_risk - ended, at_risk - entered
    unit = 2 ** (HIGH + LOW)
    found = np.zeros(whole.shape)
    ends = [Fraction(cut) for cut in (*cuts, 0.0)]
    starts = [Fraction(0), *ends[:-1]]
    for pattern, interval in np.ndindex(*whole.shape):
        exact = Fraction(int(whole[pattern, interval]), unit)
        exact += int(passed[pattern, interval]) * ends[interval]
        exact -= int(carried[pattern, interval]) * starts[interval]
        found[pattern, interval] = float(exact)
    return found
