"""Batches of simulated studies: the tasks of a simulation, and what each of them finds."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cache

import numpy as np

from bayesurv.planning.analysis import Answers, analyse
from bayesurv.planning.completion import run_completions
from bayesurv.planning.contradictions import RUNNING
from bayesurv.planning.design import StudyDesign
from bayesurv.planning.looks import look_times
from bayesurv.planning.model import Model, study_model
from bayesurv.planning.running import RunningStudy
from bayesurv.planning.scenarios import Scenario, TrueBaseline, scenarios
from bayesurv.planning.studies import Simulated, simulate_studies

STUDIES = 250
ENGINES = ("pymc", "jax")

type Table = dict[str, np.ndarray]


@dataclass(frozen=True)
class Simulation:
    """All that determines the numbers of a simulation; two of the same digest are equal."""

    digest: str
    design: StudyDesign = field(compare=False)
    engine: str = field(compare=False)
    baseline: TrueBaseline | None = field(compare=False, default=None)
    running: RunningStudy | None = field(compare=False, default=None)

    def scenarios(self) -> dict[str, Scenario]:
        """The truths of the design, by their label; none where only a running study is asked of."""
        if self.baseline is None:
            return {}
        return {scenario.label: scenario for scenario in scenarios(self.design)}

    def model(self) -> Model:
        """The model of every analysis, made once in a process."""
        return _model(self)

    def batches(self) -> "list[Batch]":
        """Every task, the smallest studies first."""
        replicates = self.design.simulation.replicates
        sizes = self.design.design.patients if self.design.design is not None else ()
        asked = [(label, patients) for patients in sizes for label in self.scenarios()]
        if self.running is not None:
            asked.append((RUNNING, len(self.running.time)))
        return [
            Batch(label, patients, first, min(STUDIES, replicates - first))
            for label, patients in asked
            for first in range(0, replicates, STUDIES)
        ]


@cache
def _model(simulation: Simulation) -> Model:
    return study_model(simulation.design, _baseline(simulation).median())


def _baseline(simulation: Simulation) -> TrueBaseline:
    if simulation.baseline is None:
        raise ValueError("this design has no [truth]")
    return simulation.baseline


@dataclass(frozen=True)
class Batch:
    """Some replicates of one truth and one number of patients."""

    scenario: str
    patients: int
    first: int
    count: int

    @property
    def name(self) -> str:
        """Name of its file among the checkpoints."""
        scenario = zlib.crc32(self.scenario.encode())
        return f"{scenario:08x}-{self.patients}-{self.first}-{self.count}.npz"


def run_batch(simulation: Simulation, batch: Batch) -> Table:
    """Simulate and analyse a batch.

    Returns
    -------
    dict of arrays
        `log_ratio` (study,); all others (look, study), the final analysis last: `calendar` of the
        analysis (nan where it does not take place), `entered` patients, `events`, and the fields
        of `Answers`.
    """
    if batch.scenario == RUNNING and simulation.running is not None:
        return run_completions(simulation.running, simulation.design, batch.first, batch.count)
    simulated = simulate_studies(
        simulation.design,
        _baseline(simulation),
        simulation.scenarios()[batch.scenario],
        batch.patients,
        batch.first,
        batch.count,
    )
    keys, _ = simulation.design.study()
    calendars = np.concatenate([look_times(keys, simulated), simulated.finish[None]])
    order = [*range(1, len(calendars)), 0]
    looks = [
        _look(simulation, simulated, calendar, simulated.seeds[place])
        for calendar, place in zip(calendars, order, strict=True)
    ]
    table = {name: np.stack([look[name] for look in looks]) for name in looks[0]}
    return {"log_ratio": simulated.log_ratio} | table


def _look(
    simulation: Simulation, simulated: Simulated, calendar: np.ndarray, seeds: np.ndarray
) -> Table:
    """Analyse the studies that are looked at, at their calendar times; the others stand empty."""
    took_place = np.isfinite(calendar)
    now = np.where(took_place, calendar, -np.inf)
    final = bool((calendar == simulated.finish).all())
    seen = simulated.studies if final else simulated.seen(now)
    table = {
        "calendar": calendar,
        "entered": np.where(took_place, (simulated.entered <= now[:, None]).sum(axis=1), np.nan),
        "events": np.where(took_place, seen.event.sum(axis=1), np.nan),
    }
    if not took_place.any():
        return table | _columns(None, took_place)
    model, design = simulation.model(), simulation.design
    answers = engine(simulation.engine)(
        model.specification,
        model.patterns,
        seen.of(took_place),
        treatment=model.treatment,
        margin=design.decision.margin,
        ci_prob=design.analysis.ci_prob,
        draws=design.analysis.draws,
        seeds=seeds[took_place],
    )
    return table | _columns(answers, took_place)


def _columns(answers: Answers | None, took_place: np.ndarray) -> Table:
    """Answers of the studies that were looked at, nan or empty for the others."""
    table = {}
    for each in fields(Answers):
        empty = "" if each.name == "method" else np.nan
        column = np.full(len(took_place), empty, dtype="U32" if empty == "" else float)
        if answers is not None:
            column[took_place] = getattr(answers, each.name)
        table[each.name] = column
    return table


def engine(name: str) -> Callable[..., Answers]:
    """The function that analyses a batch: one study after another, or all in one JAX program."""
    if name == "jax":
        from bayesurv.planning import vectorised

        return vectorised.analyse
    return analyse
