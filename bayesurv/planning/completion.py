"""Completions of a running study: the follow-up that is still to come, and the final analysis."""

import zlib
from dataclasses import dataclass, fields

import numpy as np

from bayesurv.data.design import Design, Rows
from bayesurv.models.likelihood import linear_predictor
from bayesurv.planning.analysis import Answers, analyse
from bayesurv.planning.contradictions import RUNNING
from bayesurv.planning.design import StudyDesign, dropout_hazard
from bayesurv.planning.keys import RunningKeys
from bayesurv.planning.running import RunningStudy
from bayesurv.planning.scenarios import TrueBaseline
from bayesurv.planning.studies import Studies


@dataclass(frozen=True, eq=False)
class Completed:
    """Completed studies, and the draw of the log hazard ratio that each was completed from."""

    studies: Studies
    log_ratio: np.ndarray
    seeds: np.ndarray


def complete(
    study: RunningStudy, keys: RunningKeys, seed: int, first: int, count: int
) -> Completed:
    """Complete the study, each time from a posterior draw of its own.

    Whoever is still followed is followed on until the final analysis, and has the event by the
    hazard of that draw given survival up to now. Patients who still enter have the covariates of a
    patient of their arm, drawn at random with replacement.
    """
    design = study.specification().design
    sequences = [
        np.random.SeedSequence([seed, zlib.crc32(RUNNING.encode()), each])
        for each in range(first, first + count)
    ]
    known, new = len(study.time), keys.patients
    width = 1 + 2 * (known + new) + 3 * new
    uniform = np.stack([np.random.default_rng(each).random(width) for each in sequences])
    die, leave = np.moveaxis(uniform[:, 1 : 1 + 2 * (known + new)].reshape(count, 2, -1), 1, 0)
    enter, allocate, pick = np.moveaxis(uniform[:, width - 3 * new :].reshape(count, 3, new), 1, 0)

    draws = len(study.log_ratio)
    draw = (uniform[:, 0] * draws).astype(int)
    own = {name: value[draw] for name, value in study.parameters.items()}
    pattern = np.concatenate(
        [
            np.broadcast_to(np.arange(known), (count, known)),
            _newcomers(study, keys, allocate, pick),
        ],
        axis=1,
    )
    relative = np.exp(_predictor(design, own, count))
    relative = np.take_along_axis(relative, pattern, axis=1)

    now = np.concatenate([study.time, np.zeros(new)])
    entered = np.concatenate([np.zeros((count, known)), enter * (keys.accrual or 0.0)], axis=1)
    baseline = TrueBaseline(study.baseline, own, study.scale).of(
        np.repeat(np.arange(count), known + new)
    )
    shape = pattern.shape
    passed = baseline.cumulative_hazard(np.broadcast_to(now, shape).ravel())
    gained = (-np.log1p(-die) / relative).ravel()
    time = np.maximum(baseline.time(passed + gained).reshape(shape), now)
    end = now + keys.follow_up - entered
    lost = dropout_hazard(keys.dropout_yearly, None, study.unit)
    end = np.minimum(end, now - np.log1p(-leave) / lost) if lost else end
    going = np.concatenate([study.ongoing, np.ones(new, dtype=bool)])
    event = np.concatenate([study.event, np.zeros(new, dtype=bool)])
    entry = np.concatenate([study.entry, np.zeros(new)])
    return Completed(
        studies=Studies(
            pattern=pattern,
            time=np.where(going, np.minimum(time, end), now),
            event=np.where(going, time <= end, event),
            entry=np.broadcast_to(entry, shape) if (entry > 0).any() else None,
        ),
        log_ratio=study.log_ratio[draw],
        seeds=np.array([int(each.generate_state(1)[0]) for each in sequences]),
    )


def _newcomers(
    study: RunningStudy, keys: RunningKeys, allocate: np.ndarray, pick: np.ndarray
) -> np.ndarray:
    """The patient whose covariates each newcomer has, `(study, newcomer)`."""
    if not keys.patients:
        return np.empty((len(pick), 0), dtype=int)
    treated = study.training[study.treatment].to_numpy() == 1
    arms = [np.flatnonzero(treated == arm) for arm in (False, True)]
    chosen = [arm[(pick * len(arm)).astype(int)] for arm in arms]
    return np.where(allocate < (keys.treated or 0.0), chosen[1], chosen[0])


def _predictor(design: Design, own: dict[str, np.ndarray], count: int) -> np.ndarray:
    """Linear predictor of every known patient under each study's draw, `(study, patient)`."""
    total = linear_predictor(design, design.rows, own, np)
    return np.broadcast_to(total, (count, len(design.rows.fixed)))


def run_completions(
    study: RunningStudy, design: StudyDesign, first: int, count: int
) -> dict[str, np.ndarray]:
    """Complete and analyse some studies; a table as that of `run_batch`, of one analysis."""
    keys = design.running
    if keys is None:
        raise ValueError("this design has no [running]")
    completed = complete(study, keys, design.simulation.seed, first, count)
    specification = study.specification()
    rows: Rows = specification.design.rows
    answers = analyse(
        specification,
        rows,
        completed.studies,
        treatment=study.treatment,
        margin=design.decision.margin,
        ci_prob=design.analysis.ci_prob,
        draws=design.analysis.draws,
        seeds=completed.seeds,
    )
    one_look = {name.name: getattr(answers, name.name)[None] for name in fields(Answers)}
    size = float(completed.studies.time.shape[1])
    return {
        "log_ratio": completed.log_ratio,
        "calendar": np.full((1, count), keys.follow_up),
        "entered": np.full((1, count), size),
        "events": completed.studies.event.sum(axis=1)[None].astype(float),
        **one_look,
    }
