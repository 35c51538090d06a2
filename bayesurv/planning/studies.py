"""Simulated studies: who is treated, when patients enter, and how their follow-up ends."""

import zlib
from dataclasses import dataclass

import numpy as np

from bayesurv.planning.design import StudyDesign, dropout_hazard, number_treated, share_treated
from bayesurv.planning.keys import DesignKeys
from bayesurv.planning.scenarios import Scenario, TrueBaseline, time_at


@dataclass(frozen=True, eq=False)
class Studies:
    """A batch of simulated studies of the same size and model.

    A patient who has not entered by the analysis stands with time 0 and no event, which adds
    nothing to the likelihood.

    pattern : (study, patient) position among the design's distinct covariate patterns.
    time : (study, patient) follow-up, in the design's unit.
    event : (study, patient) whether it ended with the event.
    entry : (study, patient) time at which a patient comes under observation; None where all at 0.
    """

    pattern: np.ndarray
    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray | None = None

    def of(self, chosen: np.ndarray) -> "Studies":
        """Some of the studies, given as a mask or by position."""
        entry = None if self.entry is None else self.entry[chosen]
        return Studies(self.pattern[chosen], self.time[chosen], self.event[chosen], entry)


@dataclass(frozen=True, eq=False)
class Simulated:
    """Studies as they stand at their final analysis, and the calendar behind them.

    entered : (study, patient) calendar time at which a patient enters.
    finish : (study,) calendar time of the final analysis.
    log_ratio : (study,) true log hazard ratio; nan where it changes with time.
    seeds : (1 + look, study) for the final analysis of each study and for those before it.
    """

    studies: Studies
    entered: np.ndarray
    finish: np.ndarray
    log_ratio: np.ndarray
    seeds: np.ndarray

    def seen(self, calendar: np.ndarray) -> Studies:
        """What is known at calendar times of shape `(study,)`."""
        final, now = self.studies, calendar[:, None]
        over = self.entered + final.time <= now
        time = np.where(over, final.time, np.clip(now - self.entered, 0.0, None))
        return Studies(final.pattern, time, final.event & over)


def simulate_studies(
    design: StudyDesign,
    baseline: TrueBaseline,
    scenario: Scenario,
    patients: int,
    first: int,
    count: int,
) -> Simulated:
    """Simulate the studies from position `first` on.

    Each study has random numbers of its own, which depend on the design's seed, the scenario, the
    number of patients and the study's position only.
    """
    keys, truth = design.study()
    sequences = [
        np.random.SeedSequence(
            [design.simulation.seed, zlib.crc32(scenario.label.encode()), patients, study]
        )
        for study in range(first, first + count)
    ]
    width = 2 + (4 + len(truth.covariates)) * patients
    uniform = np.stack([np.random.default_rng(each).random(width) for each in sequences])
    of_study, of_patient = uniform[:, :2], uniform[:, 2:].reshape(count, -1, patients)
    enter, allocate, die, leave, *carry = np.moveaxis(of_patient, 1, 0)

    treated = _treated(keys, allocate)
    pattern, predictor = treated.astype(int), np.zeros(treated.shape)
    for bit, covariate in enumerate(truth.covariates.values(), start=1):
        present = carry[bit - 1] < np.where(treated, covariate.treated, covariate.control)
        pattern = pattern + (present << bit)
        predictor = predictor + present * np.log(covariate.hazard_ratio)

    ratios = _ratios(scenario, of_study[:, 0])
    own = np.where(treated[..., None], ratios[:, None, :], 1.0).reshape(count * patients, -1)
    draw = np.repeat((of_study[:, 1] * baseline.draws).astype(int), patients)
    hazard = -np.log1p(-die) * np.exp(-predictor)
    time = time_at(baseline.of(draw), scenario.cuts, own, hazard.ravel()).reshape(hazard.shape)

    entered = _entered(keys, enter)
    end, finish = _ends(keys, entered)
    lost = dropout_hazard(keys.dropout_yearly, keys.dropout_hazard, keys.unit)
    with np.errstate(divide="ignore"):
        end = np.minimum(end, -np.log1p(-leave) / lost) if lost else end
    constant = ratios.shape[1] == 1
    looks = 0 if keys.looks is None else len(keys.looks.at)
    return Simulated(
        studies=Studies(pattern, np.minimum(time, end), time <= end),
        entered=entered,
        finish=finish,
        log_ratio=np.log(ratios[:, 0]) if constant else np.full(count, np.nan),
        seeds=np.stack([each.generate_state(1 + looks) for each in sequences], axis=1),
    )


def _treated(keys: DesignKeys, uniform: np.ndarray) -> np.ndarray:
    """Who is treated, `(study, patient)`: an exact number of a study, or each by chance."""
    if keys.allocation == "random":
        return uniform < share_treated(keys)
    count = number_treated(keys, uniform.shape[1])
    return uniform.argsort(axis=1).argsort(axis=1) < count


def _ratios(scenario: Scenario, uniform: np.ndarray) -> np.ndarray:
    """Hazard ratio of each study between the cuts, `(study, interval)`."""
    if scenario.prior is not None:
        return np.exp(scenario.prior.frozen().ppf(uniform))[:, None]
    return np.broadcast_to(scenario.ratios, (len(uniform), len(scenario.ratios)))


def _entered(keys: DesignKeys, uniform: np.ndarray) -> np.ndarray:
    """Calendar time at which each patient enters, `(study, patient)`."""
    if keys.accrual_rate is not None:
        return np.cumsum(-np.log1p(-uniform), axis=1) / keys.accrual_rate
    return uniform * (keys.accrual or 0.0)


def _ends(keys: DesignKeys, entered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The longest follow-up of each patient, and the calendar time of the final analysis."""
    last = entered.max(axis=1)
    each = np.inf if keys.follow_up_each is None else keys.follow_up_each
    after = each if keys.follow_up is None else keys.follow_up
    finish = last + min(after, each)
    return np.minimum(finish[:, None] - entered, each), finish
