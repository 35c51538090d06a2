"""Clones of patients under two strategies, censored on departure and weighted for it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from bayesurv.data.faults import Fault, InputError
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.logistic import logistic
from bayesurv.frequentist.partial_likelihood import TwoArms


@dataclass(frozen=True, eq=False)
class Patients:
    """Follow-up from time 0, start of treatment (infinite: never) and covariates.

    time, event, start : (patient,)
    covariates : (patient, term), no term where weights do not depend on any.
    """

    time: np.ndarray
    event: np.ndarray
    start: np.ndarray
    covariates: np.ndarray

    @classmethod
    def of(
        cls, time: ArrayLike, event: ArrayLike, start: ArrayLike, covariates: ArrayLike | None
    ) -> Self:
        time = np.asarray(time, dtype=float)
        x = np.empty((len(time), 0)) if covariates is None else np.asarray(covariates, dtype=float)
        return cls(time, np.asarray(event, dtype=bool), np.asarray(start, dtype=float), x)

    def taken(self, rows: np.ndarray) -> "Patients":
        """Some of them, or some several times."""
        return Patients(self.time[rows], self.event[rows], self.start[rows], self.covariates[rows])

    @property
    def terms(self) -> list[str]:
        return [str(i) for i in range(self.covariates.shape[1])]


@dataclass(frozen=True, eq=False)
class Clones:
    """Clones of each strategy, none and treatment within the window, at each event time, weighted.

    time : (event time,)
    at_risk, events : (strategy, event time)
    end : float
        Until when both are followed.
    largest_weight : float
    """

    time: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    end: float
    largest_weight: float

    @classmethod
    def of(cls, patients: Patients, within: float) -> Self:
        """Clone, censor and weight.

        Raises
        ------
        InputError
            The window is not inside follow-up, or nobody, or everybody, of those at risk at its
            end had started.
        """
        _check(patients, within)
        time, event = patients.time, patients.event
        started = patients.start <= within
        at = np.unique(time[event])
        departed = np.where(started, patients.start, np.inf), np.where(started, np.inf, within)
        weights = (
            1 / _not_started(patients, within, at),
            np.where(at > within, 1 / _had_started(patients, within)[:, None], 1.0),
        )
        at_risk, events, largest = [], [], 1.0
        for censored, weight in zip(departed, weights, strict=True):
            # An event at the time of departure is one of the clone that departs.
            there = np.minimum(time, censored)[:, None] >= at
            struck = (event & (time <= censored))[:, None] & (time[:, None] == at)
            at_risk.append((weight * there).sum(axis=0))
            events.append((weight * struck).sum(axis=0))
            largest = max(largest, float(weight[there].max(initial=1.0)))
        end = float(min(time[started].max(), np.minimum(time, departed[0]).max()))
        return cls(at, np.array(at_risk), np.array(events), end, largest)

    @property
    def survival(self) -> np.ndarray:
        """Weighted Kaplan-Meier, (strategy, step), from 1 at 0; level where nobody is at risk."""
        hazard = self.events / np.where(self.at_risk > 0, self.at_risk, np.inf)
        return np.column_stack([np.ones(2), np.cumprod(1 - hazard, axis=1)])

    def log_hazard_ratio(self) -> float:
        """Of treatment against none, by the weighted partial likelihood, ties by Breslow's rule."""
        none, treated = self.at_risk
        struck = np.asarray(self.events[1].sum())
        arms = TwoArms(none, treated, self.events.sum(axis=0), struck)
        return float(arms.estimate()[0])


def _check(patients: Patients, within: float) -> None:
    if not within > 0:
        raise InputError([Fault(f"the window {within:g} is not above 0")])
    last = patients.time.max()
    if within >= last:
        message = f"the window {within:g} is not shorter than follow-up, which ends at {last:g}"
        raise InputError([Fault(f"{message}; choose a shorter one")])
    started = patients.start[patients.time > within] <= within
    if started.all() or not started.any():
        who = "everybody" if started.all() else "nobody"
        message = f"{who} at risk after the window {within:g} had started treatment in it; choose "
        raise InputError([Fault(f"{message}another window")])


def _not_started(patients: Patients, within: float, at: np.ndarray) -> np.ndarray:
    """Probability of no start in the window before each event time, (patient, event time)."""
    time, start, x = patients.time, patients.start, patients.covariates
    end = np.minimum(np.minimum(time, start), within)
    began = (start <= within) & (start <= time)
    risk = np.ones(len(time))
    if patients.terms:
        fitted = cox(end, began, x, patients.terms, firth=True)
        risk = np.exp((x - x.mean(axis=0)) @ fitted.coefficient)
    moments = np.unique(start[began])
    at_risk = (risk[:, None] * (end[:, None] >= moments)).sum(axis=0)
    hazard = (start[began][:, None] == moments).sum(axis=0) / at_risk
    before = np.searchsorted(moments, at, side="left")
    if patients.terms:
        return np.exp(-risk[:, None] * np.append(0.0, np.cumsum(hazard))[before])
    kept = np.append(1.0, np.cumprod(1 - hazard))[before]
    return np.broadcast_to(np.where(kept > 0, kept, np.inf), (len(time), len(at)))


def _had_started(patients: Patients, within: float) -> np.ndarray:
    """Probability that treatment started in the window if at risk after it, (patient,)."""
    beyond = patients.time > within
    started, x = patients.start <= within, patients.covariates
    if not patients.terms:
        return np.full(len(beyond), started[beyond].mean())
    fitted = logistic(started[beyond], x[beyond], patients.terms, firth=True).coefficient
    return expit(fitted[0] + x @ fitted[1:])
