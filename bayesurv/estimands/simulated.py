"""A cohort's follow-up drawn anew from a model, on its own design: what a fit would see."""

from dataclasses import dataclass

import numpy as np

from bayesurv.data.design import Rows
from bayesurv.data.person_time import taken
from bayesurv.estimands.patients import FollowUp, Walk, follow_up
from bayesurv.estimands.replicates import live_again, potential_censoring
from bayesurv.fitting import Fit


@dataclass(frozen=True, eq=False)
class Simulated:
    """Follow-up of one simulated data set, row by row as in a Cohort, and its coded covariates."""

    rows: Rows
    entry: np.ndarray
    time: np.ndarray
    upper: np.ndarray
    event: np.ndarray

    @property
    def follow_up(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Entry, time, upper and event of each row, each `(row,)`."""
        return self.entry, self.time, self.upper, self.event


@dataclass(frozen=True, eq=False)
class Visits:
    """When events are looked for: at anchor + k spacing, for whole numbers k; `(patient,)` each.

    between : share of the events that are known to lie between two visits; the others are exact.
    """

    anchor: np.ndarray
    spacing: np.ndarray
    between: float

    @classmethod
    def implied(cls, follow: FollowUp) -> "Visits":
        """The visits that a cohort's intervals imply.

        A patient whose event lay in (time, upper] came every upper - time; anyone else came as
        often as the median of these, last at the end of their follow-up.
        """
        known = follow.interval
        if not known.any():
            return cls(follow.time, np.ones_like(follow.time), 0.0)
        width = follow.upper - follow.time
        spacing = np.where(known, width, np.median(width[known]))
        return cls(follow.time, spacing, float(known.sum() / follow.event.sum()))

    def last(self, time: np.ndarray) -> np.ndarray:
        """The last visit up to a time, `(patient,)`."""
        visit = self.anchor + np.floor((time - self.anchor) / self.spacing) * self.spacing
        return np.where(visit <= time, visit, visit - self.spacing)


def simulate(fit: Fit, random: np.random.Generator) -> Simulated:
    """Draw the cohort's follow-up anew from a fit's one draw.

    A patient's event comes from the model given survival to their own entry. It is censored
    where the patient was; the end of follow-up of whoever had the event is drawn from the reverse
    Kaplan-Meier estimate beyond it, so that the ends depend on the cohort alone, not on the
    parameters. Where the cohort has events in intervals, as large a share of the patients is
    looked at on visits only: their event lies between two of them, and without one they are
    followed to the last. A change of covariates counts as a visit.
    """
    follow = follow_up(fit)
    visits = Visits.implied(follow)
    alike = np.zeros(len(follow.entry), dtype=int)
    limit = potential_censoring(follow, alike, 1, random)
    ends, _ = live_again(Walk(fit, follow), limit, random)
    looked = random.random(len(alike)) < visits.between
    time, event = ends.time[0], ends.event[0]
    stretch = np.maximum((follow.start < time[:, None]).sum(axis=1) - 1, 0)
    start, stop = (each[np.arange(len(time)), stretch] for each in (follow.start, follow.stop))
    visit = visits.last(time)
    upper = np.minimum(visit + visits.spacing, stop)
    seen = event & (~looked | (upper <= limit[0]))
    end = np.where(looked, np.maximum(visit, start), time)
    upper = np.where(looked & seen, upper, np.nan)
    return _rows(fit.design.rows, follow, stretch, end, upper, seen)


def _rows(
    rows: Rows,
    follow: FollowUp,
    stretch: np.ndarray,
    end: np.ndarray,
    upper: np.ndarray,
    event: np.ndarray,
) -> Simulated:
    """Rows of patients, of each up to the stretch in which the follow-up ends, at a time."""
    number = np.arange(follow.row.shape[1])
    kept = (follow.stop > follow.start) & (number <= stretch[:, None])
    patient, column = np.nonzero(kept)
    last = column == stretch[patient]
    return Simulated(
        rows=taken(rows, follow.row[kept]),
        entry=follow.start[kept],
        time=np.where(last, end[patient], follow.stop[kept]),
        upper=np.where(last, upper[patient], np.nan),
        event=last & event[patient],
    )
