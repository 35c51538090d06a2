"""The follow-up of each patient as a fit keeps it, and the hazard gone through along it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError, listed, nearest
from bayesurv.estimands.contrasts import baseline_covariates
from bayesurv.estimands.curves import (
    baseline_cumulative_hazard,
    compared,
    plain,
    relative_hazard,
)
from bayesurv.estimands.functionals import invert, own_cumulative_hazard
from bayesurv.fitting import Fit
from bayesurv.refitting import needs_patients

MOST_ARMS = 6
EVERYONE = "All patients"


@dataclass(frozen=True, eq=False)
class FollowUp:
    """When each patient was at risk, from which rows, and how it ended.

    entry, time : (patient,) first and last time at risk; `upper` is later where the event lay in
        (time, upper], and the same elsewhere.
    event : (patient,) bool.
    row, start, stop : (patient, stretch) rows in the order of time and what they cover; the last
        has no end, its covariates carry on. Whoever has fewer begins with empty stretches.
    """

    entry: np.ndarray
    time: np.ndarray
    upper: np.ndarray
    event: np.ndarray
    row: np.ndarray
    start: np.ndarray
    stop: np.ndarray

    @property
    def interval(self) -> np.ndarray:
        """Patients, (patient,), whose event is known only to lie in (time, upper]."""
        return self.upper > self.time

    @property
    def gaps(self) -> np.ndarray:
        """Patients, (patient,), who were not at risk for some time between two rows."""
        return (self.start[:, 1:] > self.stop[:, :-1]).any(axis=1)


def follow_up(fit: Fit) -> FollowUp:
    """Follow-up by patient, in the cohort's order.

    Raises
    ------
    InputError
        A patient was followed on after the event.
    """
    needs_patients(fit, "this check")
    data = {name: v.to_numpy() for name, v in fit.draws["observed_data"].data_vars.items()}
    patient = fit.draws["constant_data"]["individual"].to_numpy()
    order = np.lexsort((data["time"], data["entry"], patient))
    owner, count = np.unique(patient, return_counts=True)
    last = np.cumsum(count) - 1
    if (np.delete(data["event"][order], last) > 0).any():
        message = "some patients have follow-up after their event; checks know one event a patient"
        raise InputError([Fault(f"{message}: end each patient's follow-up at the first one")])
    back = np.arange(count.max())[::-1]
    own = back < count[:, None]
    row = order[np.where(own, last[:, None] - back, (last - count + 1)[:, None])]
    start = data["entry"][row]
    stop = np.where(own, data["time"][row], start)
    final = row[:, -1]
    time, event = data["time"][final], data["event"][final] > 0
    upper = data["upper"][final]
    upper = np.where(event & np.isfinite(upper), upper, time)
    stop[:, -1] = np.inf
    return FollowUp(start[:, 0], time, upper, event, row, start, stop)


@dataclass(frozen=True, eq=False)
class Walk:
    """Hazard that each patient goes through from entry on, in each draw.

    Times and hazards are of shape `(draw, patient)`, all chains' draws one after the other; a
    time of shape `(patient,)` holds in every draw. Between two rows with a gap nobody is at risk.
    """

    fit: Fit
    follow: FollowUp

    def hazard(self, time: np.ndarray) -> np.ndarray:
        """Cumulative hazard from entry to a time, 0 up to entry."""
        time = np.maximum(time, self.follow.entry)
        stretch = _last(self.follow.start < time[..., None])
        until = np.minimum(time, _pick(self.follow.stop, stretch))
        baseline = self._own(until) if until.ndim > 1 else self._shared(until)
        gained = _pick(self._relative, stretch) * (baseline - _pick(self._base, stretch))
        return _pick(self._before, stretch) + gained

    def time(self, hazard: np.ndarray) -> np.ndarray:
        """Time at which a cumulative hazard since entry is reached; infinite if it never is."""
        stretch = _last(self._before <= hazard[..., None])
        more = (hazard - _pick(self._before, stretch)) / _pick(self._relative, stretch)
        target = _pick(self._base, stretch) + more
        end = self.fit.end_of_follow_up
        found = invert(self.fit.baseline, self._repeated, target.reshape(-1), end)
        first = np.nextafter(self.follow.entry, np.inf)
        return np.maximum(found.reshape(target.shape), first)

    @cached_property
    def _relative(self) -> np.ndarray:
        relative = relative_hazard(self.fit, self.fit.design.rows)
        return relative.reshape(-1, relative.shape[-1])[:, self.follow.row]

    @cached_property
    def _base(self) -> np.ndarray:
        return self._shared(self.follow.start)

    @cached_property
    def _before(self) -> np.ndarray:
        """Hazard gone through before each stretch, `(draw, patient, stretch)`."""
        ended = self._shared(self.follow.stop[:, :-1])
        gained = self._relative[..., :-1] * (ended - self._base[..., :-1])
        none = np.zeros((*gained.shape[:-1], 1))
        return np.concatenate([none, np.cumsum(gained, axis=-1)], axis=-1)

    @cached_property
    def _repeated(self) -> dict[str, np.ndarray]:
        """Each draw's parameters, once for each patient."""
        flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in self.fit.parameters().items()}
        return {k: np.repeat(v, len(self.follow.entry), axis=0) for k, v in flat.items()}

    def _shared(self, time: np.ndarray) -> np.ndarray:
        """H0 of every draw at the same times: one more dimension, of draws, in front."""
        found = baseline_cumulative_hazard(self.fit, time.reshape(-1))
        return found.reshape(found.shape[0] * found.shape[1], *time.shape)

    def _own(self, time: np.ndarray) -> np.ndarray:
        """H0 of each draw at its own times."""
        found = own_cumulative_hazard(self.fit.baseline, self._repeated, time.reshape(-1))
        return found.reshape(time.shape)


def _last(reached: np.ndarray) -> np.ndarray:
    """Position of the last stretch that was reached."""
    return np.maximum(reached.sum(axis=-1) - 1, 0)


def _pick(values: np.ndarray, stretch: np.ndarray) -> np.ndarray:
    """The value of one stretch of each patient."""
    shape = np.broadcast_shapes(values.shape[:-1], stretch.shape)
    every = np.broadcast_to(values, (*shape, values.shape[-1]))
    return np.take_along_axis(every, np.broadcast_to(stretch, shape)[..., None], axis=-1)[..., 0]


def arms(fit: Fit, treatment: str | None = None) -> dict[str, np.ndarray]:
    """Patients of each arm, as masks of shape `(patient,)`, by the level in their first row.

    Raises
    ------
    InputError
        As `arm_covariate`.
    """
    patients, covariate = baseline_covariates(fit), arm_covariate(fit, treatment)
    if covariate is None:
        return {EVERYONE: np.ones(len(patients), dtype=bool)}
    values = patients[covariate]
    levels = pd.unique(values.sort_values())
    return {f"{covariate} = {plain(level)}": (values == level).to_numpy() for level in levels}


def arm_covariate(fit: Fit, treatment: str | None) -> str | None:
    """The covariate whose levels are the arms: the treatment, or the one that `compared` finds.

    Raises
    ------
    InputError
        The treatment is not in the formula, or has more than six levels.
    """
    if treatment is None:
        return compared(fit)
    training = fit.design.training
    if treatment not in training:
        message = f'--treatment: "{treatment}" is not in the formula.{nearest(treatment, training)}'
        raise InputError([Fault(f"{message} Its covariates: {listed(training) or 'none'}")])
    levels = training[treatment].nunique()
    if levels > MOST_ARMS:
        message = f'--treatment: "{treatment}" has {levels} values, too many for arms'
        raise InputError([Fault(f"{message}; name a covariate with at most {MOST_ARMS}")])
    return treatment
