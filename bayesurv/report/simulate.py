"""Plan a study by simulation: run it, and write what its studies found into one folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayesurv.planning.batches import Simulation, Table
from bayesurv.planning.characteristics import Found, characteristics, study_rows
from bayesurv.planning.checkpoints import Checkpoints
from bayesurv.planning.cluster import INSTALL, cores, have_dask, place
from bayesurv.planning.contradictions import RUNNING
from bayesurv.planning.design import StudyDesign, read_design
from bayesurv.planning.prediction import prediction
from bayesurv.planning.sample_size import sample_sizes
from bayesurv.planning.simulation import run, simulation_of
from bayesurv.report.answer import Answer
from bayesurv.report.folder import check_output, staged
from bayesurv.report.origin import write_provenance
from bayesurv.report.simulate_figures import operating_figures
from bayesurv.report.simulate_words import planned_notes, planned_text, shown_table
from bayesurv.report.watcher import Watcher

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NO_DASK = f"Dask is not installed, so one core was used; for all of them, {INSTALL}"


@dataclass(frozen=True)
class Options:
    """What the command line says beside the design."""

    replicates: int | None = None
    seed: int | None = None
    workers: int | None = None
    scheduler: str | None = None
    engine: str = "pymc"

    @property
    def processes(self) -> int | None:
        """Worker processes here; JAX uses all cores, or the GPU, from one."""
        return 1 if self.workers is None and self.engine == "jax" else self.workers


def run_simulate(file: Path, out: Path, options: Options, watcher: Watcher) -> Answer:
    """Simulate a design and write its folder; what was finished before is taken from there.

    Raises
    ------
    InputError
        The design, a file it names, the output folder or the cluster cannot be used.
    """
    check_output(out)
    design = read_design(file).with_options(options.replicates, options.seed)
    watcher.step("Reading the design")
    simulation = simulation_of(design, options.engine)
    checkpoints = Checkpoints(out, simulation)
    checkpoints.check()
    tables = _tables(simulation, checkpoints, options, watcher)
    watcher.step("Writing")
    answer, studies = _answer(design, simulation, tables, options)
    _write(answer, studies, design, simulation, out)
    checkpoints.remove()
    return answer


def _tables(
    simulation: Simulation, checkpoints: Checkpoints, options: Options, watcher: Watcher
) -> dict[tuple[str, int], Table]:
    watcher.step("Starting")

    def tell(done: int, batches: int) -> None:
        watcher.step(f"Simulating: {done} of {batches} batches")
        watcher.share(done / batches)

    with place(options.processes, options.scheduler, len(simulation.batches())) as where:
        checkpoints.open()
        try:
            return run(simulation, checkpoints, where, tell)
        except BaseException:
            checkpoints.withdraw()
            raise


def _answer(
    design: StudyDesign,
    simulation: Simulation,
    tables: Mapping[tuple[str, int], Table],
    options: Options,
) -> tuple[Answer, pd.DataFrame]:
    scenarios = simulation.scenarios()
    found = [
        Found(scenarios[label], patients, table)
        for (label, patients), table in tables.items()
        if label != RUNNING
    ]
    written: dict[str, pd.DataFrame] = {}
    figures: dict[str, Axes] = {}
    parts = []
    if found:
        written["operating_characteristics"] = characteristics(found, design.decision)
        written["sample_size"] = sample_sizes(
            written["operating_characteristics"], design.decision.target
        )
        parts.append(study_rows(found))
        figures = operating_figures(written["operating_characteristics"], parts[0], design)
    for (label, _), table in tables.items():
        if label == RUNNING and simulation.running is not None:
            written["predictive"] = prediction(simulation.running, table, design.decision)
            parts.append(study_rows([Found.of_running(table)]))
    notes = planned_notes(design, simulation, written)
    if options.workers is None and not have_dask() and cores() > 1:
        notes = (*notes, NO_DASK)
    text = planned_text(design, simulation, written)
    answer = Answer(text, shown_table(design, written), written, figures, notes)
    return answer, pd.concat(parts, ignore_index=True)


def _write(
    answer: Answer, studies: pd.DataFrame, design: StudyDesign, simulation: Simulation, out: Path
) -> None:
    with staged(out) as staging:
        figures = staging / "figures"
        if answer.figures:
            figures.mkdir()
        answer.write(staging, "summary", figures)
        studies.to_parquet(staging / "studies.parquet", index=False)
        (staging / "design.toml").write_text(design.to_toml(), encoding="utf-8")
        settings: dict[str, Any] = design.simulation.model_dump()
        write_provenance(
            staging, design=simulation.digest, engine=simulation.engine, simulation=settings
        )
