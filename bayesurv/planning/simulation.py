"""Run a whole simulation: what is there already is read, the rest is simulated and kept."""

import hashlib
from collections.abc import Callable, Mapping
from importlib.metadata import version

import numpy as np

from bayesurv.data.faults import Fault, InputError
from bayesurv.fitting import Fit
from bayesurv.planning.batches import Batch, Simulation, Table
from bayesurv.planning.checkpoints import Checkpoints
from bayesurv.planning.cluster import Cluster, Here
from bayesurv.planning.design import StudyDesign
from bayesurv.planning.running import RunningStudy, running_study
from bayesurv.planning.scenarios import TrueBaseline, stated_baseline
from bayesurv.saved import load


def simulation_of(design: StudyDesign, engine: str = "pymc") -> Simulation:
    """Read what a design names, check its model, and give what is to be simulated.

    Raises
    ------
    InputError
        A saved fit, the formula or the priors cannot be used.
    """
    baseline = _true_baseline(design) if design.truth is not None else None
    running = running_study(design.running) if design.running is not None else None
    contents = [_fingerprint(each.parameters) for each in (baseline, running) if each is not None]
    contents += [] if running is None else [_fingerprint(_follow_up(running))]
    digest = design.digest(engine, version("bayesurv"), *contents)
    found = Simulation(digest, design, engine, baseline, running)
    if baseline is not None:
        specification = found.model().specification
        if engine == "jax":
            from bayesurv.planning import vectorised

            vectorised.check(specification)
    return found


def run(
    simulation: Simulation,
    checkpoints: Checkpoints,
    where: Here | Cluster,
    tell: Callable[[int, int], None],
) -> dict[tuple[str, int], Table]:
    """Everything that the studies found, by scenario's label and number of patients.

    `tell` hears how many of the batches are finished.
    """
    batches = simulation.batches()
    kept = {batch: checkpoints.read(batch) for batch in batches}
    done = {batch: table for batch, table in kept.items() if table is not None}
    tell(len(done), len(batches))
    for batch, table in where.run(simulation, [batch for batch in batches if batch not in done]):
        checkpoints.write(batch, table)
        done[batch] = table
        tell(len(done), len(batches))
    return _joined(batches, done)


def _joined(batches: list[Batch], done: Mapping[Batch, Table]) -> dict[tuple[str, int], Table]:
    """Batches of the same scenario and number of patients, one after the other."""
    parts: dict[tuple[str, int], list[Table]] = {}
    for batch in batches:
        parts.setdefault((batch.scenario, batch.patients), []).append(done[batch])
    return {
        place: {name: np.concatenate([t[name] for t in tables], axis=-1) for name in tables[0]}
        for place, tables in parts.items()
    }


def _true_baseline(design: StudyDesign) -> TrueBaseline:
    keys, truth = design.study()
    if truth.baseline.fit is None:
        return stated_baseline(truth.baseline)
    fit = load(truth.baseline.fit)
    if fit.unit != keys.unit:
        message = f"[truth] baseline.fit: it counts time in {fit.unit}, the design in {keys.unit}"
        raise InputError([Fault(message)])
    if fit.failed:
        message = "[truth] baseline.fit: it failed the sampler's checks; run it again"
        raise InputError([Fault(message)])
    return fitted_baseline(fit)


def fitted_baseline(fit: Fit) -> TrueBaseline:
    """The baseline of a fit, its reference profile, with a row of parameters for each draw."""
    effects = ("coefficient", "group_sd", "group_effect")
    flat = {
        name: values.reshape(-1, *values.shape[2:])
        for name, values in fit.parameters().items()
        if name not in effects and not name.startswith("increment[")
    }
    return TrueBaseline(fit.baseline, flat, fit.end_of_follow_up)


def _follow_up(running: RunningStudy) -> dict[str, np.ndarray]:
    names = ("time", "event", "entry", "ongoing")
    return {name: getattr(running, name) for name in names}


def _fingerprint(arrays: Mapping[str, np.ndarray]) -> str:
    """A short code of the numbers in some arrays."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name], dtype=float).tobytes())
    return digest.hexdigest()[:16]
