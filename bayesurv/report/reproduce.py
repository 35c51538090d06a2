"""The founding paper, whole: every analysis on cohorts that have what it prints, in one folder."""

import hashlib
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from bayesurv.data.published import wang_2025
from bayesurv.estimands.selection import EARLIEST
from bayesurv.fitting import CohortWarning
from bayesurv.models.priors import DEFAULT_COEFFICIENT
from bayesurv.plots.forest import plot_forest
from bayesurv.plots.selection import plot_selection
from bayesurv.report.answer import Answer
from bayesurv.report.folder import staged
from bayesurv.report.origin import write_provenance
from bayesurv.report.page.page import write_report
from bayesurv.report.published import recomputed
from bayesurv.report.reproduce_classical import classical_members
from bayesurv.report.reproduce_external import external_table, log_ratios, prior_table
from bayesurv.report.reproduce_fits import Fitted, fit_members, variance_table
from bayesurv.report.reproduce_index import forest, index, shown
from bayesurv.report.reproduce_input import Members, read_members
from bayesurv.report.reproduce_responses import response_table
from bayesurv.report.reproduce_tables import adverse_event_rows, baseline_rows, flow_table
from bayesurv.report.reproduce_time_zero import time_zero_members
from bayesurv.report.reproduce_words import answer_sentences
from bayesurv.report.watcher import Watcher


@dataclass(frozen=True)
class Asked:
    """What is to be reproduced on.

    ensemble : a file, or the shipped one.
    members : the first so many, or all.
    seed : of the sampler and of the deaths put back.
    """

    ensemble: Path | None = None
    members: int | None = None
    seed: int = 0


def run_reproduce(asked: Asked, out: Path, watcher: Watcher | None = None) -> Answer:
    """Analyse every member and write the whole paper under `out`, whole or not at all.

    Raises
    ------
    InputError
        The ensemble, the number of members or the output folder cannot be used.
    SamplingError
        A member's fit fails its checks.
    """
    watcher = watcher or Watcher()
    started, begin = datetime.now(UTC), time.perf_counter()
    with staged(out) as staging, warnings.catch_warnings():
        warnings.simplefilter("ignore", CohortWarning)  # the notes are in the provenance
        watcher.step("Reading the ensemble")
        members = read_members(asked.ensemble, asked.members)
        tables = _tables(members, asked.seed, watcher)
        fits = fit_members(members, staging, asked.seed, watcher)
        tables["variance"] = variance_table(fits)
        tables["hazard_ratios"] = forest(tables)
        watcher.step("Holding the paper's statements to the members")
        verdicts = _verdicts(members)
        watcher.step("Writing")
        verdicts.write(staging, "verdicts")
        answer = _answer(members, tables, verdicts)
        answer.write(staging, "answer")
        (staging / "README.txt").write_text(index(members), encoding="utf-8")
        write_provenance(
            staging,
            started=started.isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - begin, 1),
            seed=asked.seed,
            ensemble=_origin(members),
            fits={_place(each): dict(each.described) for each in fits},
        )
        watcher.step("Writing the report")
        write_report(staging)
    return answer


def _tables(members: Members, seed: int, watcher: Watcher) -> dict[str, pd.DataFrame]:
    """Every table but those of the fits, by the stem of its file."""
    published = wang_2025()
    watcher.step("Patient flow, Tables 1 and 2")
    tests = recomputed(published)
    tables = {
        "flow": flow_table(published),
        "table1": baseline_rows(published, tests, members.cohorts),
        "table2": adverse_event_rows(published, tests),
    }
    watcher.step(f"Log-rank tests and Cox models, {members.count} members")
    tables["classical"] = classical_members(members)
    watcher.step(f"Time zero and selection, {members.count} members")
    tables |= time_zero_members(members, seed)
    ratios = log_ratios(members)
    tables["external"] = external_table(members, ratios)
    tables["prior_sensitivity"] = prior_table(members, ratios)
    watcher.step("Responses and adverse events")
    tables["responses"] = response_table(members, published, seed, watcher.share)
    return tables


def _verdicts(members: Members) -> Answer:
    from bayesurv.report.verdicts import verdicts_answer

    return verdicts_answer(members.patients)


def _answer(members: Members, tables: Mapping[str, pd.DataFrame], verdicts: Answer) -> Answer:
    sentence, *rest = answer_sentences(members, tables, verdicts.sentence)
    figures = {
        "selection": plot_selection(
            tables["selection"],
            arm="the arm without CTI2",
            between=_between(tables["detector"]),
            prior=str(DEFAULT_COEFFICIENT),
            label="OS",
        ),
        "hazard_ratios": plot_forest(tables["hazard_ratios"], label="Hazard ratio of CTI2"),
    }
    return Answer(sentence, shown(tables), tables, figures, tuple(rest))


def _between(detector: pd.DataFrame) -> str:
    """When the deaths put back are: before the first exit of the arm whose first exit is late."""
    latest = detector["first_exit_low"].max()
    return f"{EARLIEST * latest:.3g} and {latest:.3g} months"


def _place(fitted: Fitted) -> str:
    suffix = "" if fitted.model == "adjusted" else f"-{fitted.model}"
    return f"{fitted.endpoint}/{fitted.baseline}{suffix}"


def _origin(members: Members) -> dict[str, object]:
    """Where the cohorts come from, by the rows that were used."""
    rows = pd.util.hash_pandas_object(members.patients.astype(str), index=False)
    return {
        "file": members.source,
        "members": members.count,
        "patients": members.patients.shape[0] // members.count,
        "rows_sha256": hashlib.sha256(rows.to_numpy().tobytes()).hexdigest(),
        "rebuilt_by": members.rebuilt_by,
        "summary": members.summary.title,
        "source": members.summary.source,
        "doi": members.summary.doi,
    }
