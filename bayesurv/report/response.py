"""Answer how a treatment is associated with binary outcomes: responses and adverse events."""

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from bayesurv.estimands.response import (
    RiskComparison,
    classical_odds,
    compare_risks,
    risk_contrasts,
    risk_table,
)
from bayesurv.estimands.summary import parameter_table
from bayesurv.fitting import CohortWarning
from bayesurv.plots.response import plot_risks
from bayesurv.plots.style import limits, p_value, percent, probability
from bayesurv.report.answer import FAILED, Answer
from bayesurv.report.folder import staged
from bayesurv.report.origin import write_provenance
from bayesurv.report.response_question import (
    EVENTS,
    RESPONSES,
    Question,
    read_outcomes,
    read_priors,
)
from bayesurv.report.response_words import risks_sentence
from bayesurv.report.watcher import Watcher
from bayesurv.responding import ResponseFit, respond


def run_respond(
    asked: Question, out: Path, *, force: bool = False, watcher: Watcher | None = None
) -> tuple[Answer, bool]:
    """Fit the outcomes of each kind, and write the answer under `out`, whole or not at all.

    Returns
    -------
    Answer, and whether a fit failed its checks.

    Raises
    ------
    InputError
        File, formula, priors or output folder cannot be used; found before anything is sampled.
    SamplingError
        A fit fails its checks and `force` is false.
    """
    watcher = watcher or Watcher()
    with staged(out) as staging, warnings.catch_warnings():
        warnings.simplefilter("ignore", CohortWarning)  # the notes are printed and written
        watcher.step("Reading the outcomes")
        read, priors = read_outcomes(asked), read_priors(asked.priors)
        fits = {}
        for kind, outcomes in read.items():
            watcher.step(f"Fitting {kind}s")
            formula = asked.formula or asked.treatment
            fits[kind] = respond(
                outcomes, formula, priors=priors, seed=asked.seed, progress=watcher.share,
                force=force,
            )  # fmt: skip
        watcher.step("Writing")
        answer = answered({kind: compare_risks(fit, asked.treatment) for kind, fit in fits.items()})
        failed = any(fit.failed for fit in fits.values())
        marked = f"{FAILED}\n{answer.sentence}" if failed else answer.sentence
        replace(answer, sentence=marked).write(staging, "respond")
        _save(fits, staging / "posterior.nc")
        write_provenance(
            staging,
            data={"sha256": hashlib.sha256(asked.file.read_bytes()).hexdigest()},
            fits={kind: _described(fit) for kind, fit in fits.items()},
        )
    return answer, failed


def answered(asked: Mapping[str, RiskComparison]) -> Answer:
    """Tables, figure and sentences of two arms compared, by kind of outcome."""
    risks = {kind: risk_table(each) for kind, each in asked.items()}
    contrasts = {kind: risk_contrasts(each) for kind, each in asked.items()}
    sentences = [risks_sentence(each, risks[kind], contrasts[kind]) for kind, each in asked.items()]
    fits = {kind: each.fit for kind, each in asked.items()}
    failed = any(fit.failed for fit in fits.values())
    tables = {
        "response": _stacked(risks),
        "response_contrasts": _stacked(contrasts),
        "response_classical": _stacked({k: classical_odds(each) for k, each in asked.items()}),
        "parameters": _stacked({kind: parameter_table(fit) for kind, fit in fits.items()}),
        "diagnostics": _stacked({kind: fit.diagnostics for kind, fit in fits.items()}),
    }
    label = "Risk" if EVENTS in asked else "Rate"
    figure = plot_risks(
        tables["response"],
        tables["response_contrasts"],
        label=label + " (FAILED CHECKS)" * failed,
        better=fits[RESPONSES].outcomes.names if RESPONSES in fits else (),
    )
    return Answer(
        sentence="\n".join(sentences),
        shown=_shown(tables["response"], tables["response_contrasts"]),
        tables=tables,
        figures={"response": figure},
        notes=tuple(dict.fromkeys(note for fit in fits.values() for note in fit.notes)),
    )


def _stacked(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Tables of the kinds of outcome one under another, the kind in the first column."""
    return pd.concat(tables, names=["kind"]).reset_index("kind").reset_index(drop=True)


def _shown(risks: pd.DataFrame, contrasts: pd.DataFrame) -> pd.DataFrame:
    """One row for each outcome, as it is printed."""
    differences = contrasts[contrasts["quantity"] == "risk_difference"]
    rows = []
    for row in differences.itertuples():
        arms = risks[(risks["kind"] == row.kind) & (risks["outcome"] == row.outcome)]
        shares = {a.arm: f"{percent(a.estimate)} ({a.events}/{a.patients})"
                  for a in arms.itertuples()}  # fmt: skip
        size, lower, upper = (round(100 * x) for x in (row.estimate, row.lower, row.upper))
        rows.append(
            {
                "outcome": row.outcome,
                **shares,
                "points (95% CrI)": f"{size} ({limits(str(lower), str(upper))})",
                "P(worse)": probability(row.prob_worse),
                "Fisher P": p_value(row.fisher_p),
            }
        )
    return pd.DataFrame(rows)


def _described(fit: ResponseFit) -> dict[str, Any]:
    """What made a fit, as the provenance keeps it."""
    return {
        "outcomes": list(fit.outcomes.names),
        "patients": fit.outcomes.n_patients,
        "formula": fit.design.formula,
        "priors": fit.specification.described_priors(),
        "sampling": dict(fit.settings),
        "notes": list(fit.notes),
        "passed_checks": not fit.failed,
    }


def _save(fits: Mapping[str, ResponseFit], path: Path) -> None:
    """The draws of every kind of outcome in one file; handle it as the cohort."""
    import xarray as xr

    tree = xr.DataTree.from_dict({kind: fit.draws for kind, fit in fits.items()})
    tree.to_netcdf(path, engine="h5netcdf")
