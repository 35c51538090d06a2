"""Calibrate the models of a plan by simulation: ranks, tables, figures and a summary."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.calibrating import SHORT, Experiment, calibrate_model, experiment
from bayesurv.data.faults import Fault, InputError, listed, nearest
from bayesurv.fitting import CohortWarning
from bayesurv.inference.calibration import PROBABILITY, Ranks, shares, uniformity
from bayesurv.inference.ecdf import simultaneous_band
from bayesurv.inference.sample import METHODS
from bayesurv.plan import Plan
from bayesurv.plots.rank import plot_ranks
from bayesurv.plots.style import p_value, save_all
from bayesurv.report.answer import Answer
from bayesurv.report.folder import staged
from bayesurv.report.origin import write_provenance
from bayesurv.report.rehearse import rehearse
from bayesurv.report.watcher import Watcher

FEWEST, MOST = 20, 20_000
ENOUGH = 200  # refits from which a moderate error shows
TOLERATED = 0.02  # share of failed refits that needs no note


@dataclass(frozen=True)
class Asked:
    """What is asked for on the command line."""

    refits: int = 500
    endpoint: str | None = None
    baseline: str | None = None
    method: str | None = None
    workers: int | None = None


@dataclass(frozen=True, eq=False)
class Calibrated:
    """One model of a plan, its ranks, and whether they are uniform."""

    endpoint: str
    baseline: str
    model: Experiment
    found: Ranks
    table: pd.DataFrame

    @property
    def title(self) -> str:
        """Endpoint and baseline."""
        return f"{self.endpoint}, {self.baseline}"


def run_calibrate(plan: Plan, asked: Asked, out: Path, watcher: Watcher | None = None) -> Answer:
    """Calibrate every model of a plan that is asked for and write what was found.

    Raises
    ------
    InputError
        Lists every fault of the options, or of plan and cohort, before anything is simulated.
    """
    watcher = watcher or Watcher()
    _check(plan, asked)
    with staged(out) as staging, warnings.catch_warnings():
        warnings.simplefilter("ignore", CohortWarning)
        watcher.step("Reading the cohort")
        models = _models(plan, asked)
        made = [_calibrated(key, model, asked, watcher) for key, model in models.items()]
        watcher.step("Writing")
        answer = calibrate_answer(made)
        answer.write(staging, "summary")
        _write_figures(made, staging / "figures")
        (staging / "plan.toml").write_text(plan.to_toml(), encoding="utf-8")
        settings = made[0].model.settings.describe()
        write_provenance(staging, refits=asked.refits, settings=settings)
    return answer


def _check(plan: Plan, asked: Asked) -> None:
    faults = []
    if not FEWEST <= asked.refits <= MOST:
        message = f"--refits: {asked.refits} is not from {FEWEST} to {MOST}"
        faults.append(Fault(f"{message}; 500 show a moderate error"))
    if asked.workers is not None and asked.workers < 1:
        faults.append(Fault(f"--workers: {asked.workers} is not 1 or more"))
    known_names = {
        "endpoint": plan.endpoint,
        "baseline": plan.model.baseline,
        "method": METHODS,
    }
    for name, known in known_names.items():
        given = getattr(asked, name)
        if given is not None and given not in known:
            message = f'--{name}: "{given}" is not one of {listed(known)}.'
            faults.append(Fault(message + nearest(given, known)))
    if faults:
        raise InputError(faults)


def _models(plan: Plan, asked: Asked) -> dict[tuple[str, str], Experiment]:
    """Experiments by endpoint and baseline; every fault of the plan shows before they start."""
    cohorts = {
        name: cohort for name, cohort in plan.cohorts().items() if asked.endpoint in (None, name)
    }
    rehearse(plan, cohorts)
    chosen = [each for each in plan.baselines() if asked.baseline in (None, each.name)]
    planned = plan.sampling_settings()
    settings = replace(SHORT, seed=planned.seed, method=asked.method or planned.method)
    return {
        (name, baseline.name): experiment(
            cohort,
            plan.model.formula,
            baseline=baseline,
            priors=plan.prior_table(),
            missing=plan.cohort.missing,
            treatment=plan.estimand.treatment,
            horizon=plan.estimand.horizon,
            sampling=settings,
        )
        for name, cohort in cohorts.items()
        for baseline in chosen
    }


def _calibrated(
    key: tuple[str, str], model: Experiment, asked: Asked, watcher: Watcher
) -> Calibrated:
    watcher.step(f"Calibrating {key[0]}, {key[1]}")
    found = calibrate_model(model, asked.refits, watcher.share, asked.workers)
    return Calibrated(*key, model, found, uniformity(found.ranks))


def calibrate_answer(made: list[Calibrated]) -> Answer:
    """Tables and words of all models; the figures are made apart, one a model."""
    tables = {
        "ranks": _stacked(made, [each.found.ranks for each in made]),
        "refits": _stacked(made, [each.found.refits for each in made]),
        "calibration": _stacked(made, [each.table for each in made]),
    }
    return Answer(
        sentence="\n".join(_sentence(each) for each in made),
        shown=_shown(tables["calibration"], several=len(made) > 1),
        tables=tables,
        figures={},
        notes=tuple(_notes(made)),
    )


def _stacked(made: list[Calibrated], tables: list[pd.DataFrame]) -> pd.DataFrame:
    named = []
    for each, table in zip(made, tables, strict=True):
        named.append(table.assign(endpoint=each.endpoint, baseline=each.baseline))
    whole = pd.concat(named, ignore_index=True)
    first = ["endpoint", "baseline"]
    return whole[[*first, *(name for name in whole if name not in first)]]


def _shown(table: pd.DataFrame, several: bool) -> pd.DataFrame:
    columns = {
        "model": table["endpoint"] + ", " + table["baseline"],
        "quantity": table["quantity"],
        "ranks": np.where(table["inside_band"], "uniform", "NOT uniform"),
        "p": table["p_value"].map(p_value),
        "mean rank": table["mean_rank"].map("{:.2f}".format),
        "spread": table["spread"].map("{:.2f}".format),
    }
    return pd.DataFrame(columns).drop(columns=[] if several else ["model"])


def _sentence(each: Calibrated) -> str:
    table, refits = each.table, len(each.found.refits)
    patients = each.model.template.n_patients
    wrong = table[~table["inside_band"]]
    begin = f"{each.title}: in {refits} refits of {patients} simulated patients, "
    level = f"{100 * PROBABILITY:g}% band for all {len(table)} quantities together"
    if not len(wrong):
        return f"{begin}the ranks of the true values are uniform within the {level}."
    named = ", ".join(f"{row.quantity} ({_fault(row)})" for row in wrong.itertuples())
    return f"{begin}{len(wrong)} of {len(table)} quantities leave the {level}: {named}."


def _fault(row: object) -> str:
    """What is wrong with the posterior of a quantity, as far as mean and spread of ranks tell."""
    mean, spread, refits = (getattr(row, name) for name in ("mean_rank", "spread", "refits"))
    words = []
    if abs(mean - 0.5) > 3 / np.sqrt(12 * refits):
        words.append("posteriors lie too low" if mean > 0.5 else "posteriors lie too high")
    if abs(spread - 1) > 3 * np.sqrt(0.8 / refits):
        words.append("too narrow" if spread > 1 else "too wide")
    return " and ".join(words) or "of another shape"


def _notes(made: list[Calibrated]) -> Iterator[str]:
    for each in made:
        refits = each.found.refits
        failed, stopped = int((~refits["passed"]).sum()), len(refits) - _ranked(each)
        share = f"{failed} of {len(refits)} refits ({100 * each.found.failed:.1f}%)"
        kept = "kept among the ranks" if not stopped else f"kept, but {stopped} gave no draws"
        if failed:
            advice = "; the sampler has difficulties with data from these priors"
            said = f"{each.title}: {share} did not pass the checks and are {kept}"
            yield said + (advice if each.found.failed > TOLERATED else "") + "."
        none = int((refits["events"] == 0).sum())
        if none:
            yield f"{each.title}: {none} of {len(refits)} simulated cohorts have no event."
    if len(made[0].found.refits) < ENOUGH:
        yield f"Fewer than {ENOUGH} refits show gross errors only."
    yield (
        "Uniform ranks say that simulation, likelihood, priors and sampler agree; they do not say "
        "that the model is right for these patients."
    )


def _ranked(each: Calibrated) -> int:
    return int(each.found.ranks["refit"].nunique())


def _write_figures(made: list[Calibrated], folder: Path) -> None:
    folder.mkdir()
    for each in made:
        axes = plot_ranks(
            shares(each.found.ranks),
            simultaneous_band(_ranked(each), (1 - PROBABILITY) / len(each.table)),
            label=each.title,
        )
        save_all(axes, folder / f"{each.endpoint}-{each.baseline}")
