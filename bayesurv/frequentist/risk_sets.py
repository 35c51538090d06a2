"""Who is at risk at each event, and sums over them, for any covariates."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class RiskSets:
    """The events in order of stratum and time; a row is at risk at those in entered:ended.

    rows : (event,) which row had each event.
    time : (event,) which of the distinct event times, in strata, it was at.
    first : (time,) the first event of each of them.
    entered, ended : (row,) number of events before a row came and when it left.
    stratum : (row,) whole numbers from 0.
    ties : "efron" or "breslow".
    """

    rows: np.ndarray
    time: np.ndarray
    first: np.ndarray
    entered: np.ndarray
    ended: np.ndarray
    stratum: np.ndarray
    ties: str

    @classmethod
    def from_times(
        cls,
        time: np.ndarray,
        event: np.ndarray,
        entry: np.ndarray,
        stratum: np.ndarray,
        ties: str,
    ) -> "RiskSets":
        """Lay the strata one after another along one axis of time; arrays are (row,)."""
        moments, rank = np.unique(np.concatenate([entry, time]), return_inverse=True)
        entry_at, time_at = rank.reshape(2, -1) + stratum * len(moments)
        rows = np.flatnonzero(event)
        rows = rows[np.argsort(time_at[rows], kind="stable")]
        at = time_at[rows]
        _, first, which = np.unique(at, return_index=True, return_inverse=True)
        return cls(
            rows=rows,
            time=which,
            first=first,
            entered=np.searchsorted(at, entry_at, side="right"),
            ended=np.searchsorted(at, time_at, side="right"),
            stratum=stratum,
            ties=ties,
        )

    def within(self, part: np.ndarray) -> "RiskSets":
        """The same rows, compared only with those of the same stratum and part, (row,)."""
        _, stratum = np.unique(np.column_stack([self.stratum, part]), axis=0, return_inverse=True)
        event = np.zeros(len(part), dtype=bool)
        event[self.rows] = True
        return RiskSets.from_times(self.ended, event, self.entered, stratum, self.ties)

    @cached_property
    def gone(self) -> np.ndarray:
        """The share of those tied with each event that left the risk set before it, (event,).

        0/d, 1/d, ... by Efron's rule, 0 by Breslow's.
        """
        if self.ties == "breslow":
            return np.zeros(len(self.rows))
        deaths = np.bincount(self.time)
        return (np.arange(len(self.rows)) - self.first[self.time]) / deaths[self.time]

    @cached_property
    def _leaving(self) -> tuple[np.ndarray, np.ndarray]:
        return self._order(self.ended)

    @cached_property
    def _coming(self) -> tuple[np.ndarray, np.ndarray]:
        return self._order(self.entered)

    def _order(self, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows from the last end to the first, and how many end after each event time."""
        order = np.argsort(-ends, kind="stable")[: np.count_nonzero(ends)]
        return order, np.searchsorted(-ends[order], -self.first, side="left")

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum over those at risk at each event, (event, ...), of values, (row, ...)."""
        total = _cumulative(values, *self._leaving) - _cumulative(values, *self._coming)
        if self.gone.any():
            tied = np.add.reduceat(values[self.rows], self.first, axis=0)
            return total[self.time] - _times(self.gone, tied[self.time])
        return total[self.time]

    def shares(self, values: np.ndarray) -> np.ndarray:
        """Sum over the events at which each row is at risk, (row, ...), of values, (event, ...)."""
        running = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
        total = running[self.ended] - running[self.entered]
        if self.gone.any():
            tied = np.add.reduceat(_times(self.gone, values), self.first, axis=0)
            total[self.rows] -= tied[self.time]
        return total

    def comparisons(self, covariates: np.ndarray) -> np.ndarray:
        """The different x_i - x_j, (gap, term), of each event i and each j at risk with it."""
        keyed = np.column_stack([self.stratum, covariates])
        patterns, which = np.unique(keyed, axis=0, return_inverse=True)
        change = np.zeros((len(patterns), len(self.first) + 1))
        starts, ends = (np.searchsorted(self.first, x) for x in (self.entered, self.ended))
        np.add.at(change, (which, starts), 1)
        np.add.at(change, (which, ends), -1)
        at_risk = change.cumsum(axis=1)[:, :-1]
        had_event = np.zeros_like(at_risk)
        had_event[which[self.rows], self.time] = 1
        i, j = np.nonzero(had_event @ at_risk.T)
        gaps = np.unique(patterns[i, 1:] - patterns[j, 1:], axis=0)
        return gaps[gaps.any(axis=1)]


def _cumulative(values: np.ndarray, order: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Sums from the last on, so that small sums late in time keep their digits."""
    running = np.cumsum(values[order], axis=0)
    return np.concatenate([np.zeros_like(values[:1]), running])[count]


def _times(weight: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Each row of values, of any shape, times its weight."""
    return (weight * values.T).T
