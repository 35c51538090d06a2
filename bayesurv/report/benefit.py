"""Answer whether and how much a treatment helps, or which of several ranks first."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.arms import POPULATION, Comparison, treatment_arms
from bayesurv.estimands.benefit import (
    arms_table,
    benefit_table,
    compare_arms,
    difference_curve,
)
from bayesurv.estimands.margins import Margins
from bayesurv.estimands.ranking import rank_probabilities, ranking_table
from bayesurv.fitting import Fit
from bayesurv.plots.benefit import plot_benefit, plot_ranks
from bayesurv.plots.horizons import plot_horizons
from bayesurv.plots.style import duration, limits, probability
from bayesurv.report.answer import FAILED, Answer
from bayesurv.report.benefit_words import benefit_sentence, ranking_sentence
from bayesurv.report.origin import endpoint_name
from bayesurv.report.predict import read_patients, read_times
from bayesurv.saved import provenance

BOOTSTRAP_SEED = 1


def benefit_answer(
    fit: Fit,
    treatment: str,
    horizon: float | None = None,
    times: str | None = None,
    population: Path | None = None,
    bootstrap: bool = False,
    rmst_margin: float | None = None,
    survival_margin: float | None = None,
    causal: str | None = None,
    rank: bool = False,
) -> Answer:
    """Answer from a loaded fit; `causal` states the assumptions under which it is an effect.

    Raises
    ------
    InputError
        Lists every fault, naming the option, or the row and column of the population's file.
    """
    faults: list[Fault] = []

    def collect(check: Callable, *given: Any, **named: Any) -> Any:
        try:
            return check(*given, **named)
        except InputError as error:
            faults.extend(_as_options(error.faults, population))

    milestones = None if times is None else collect(read_times, times)
    patients = None if population is None else collect(read_patients, population)
    margins = Margins(rmst_margin, survival_margin)
    if causal is not None and not causal.strip():
        message = "--causal: state the assumptions under which the difference is an effect"
        faults.append(Fault(f"{message}, or leave it out"))
    if rank:
        unused = {"times": times, "rmst-margin": rmst_margin, "survival-margin": survival_margin}
        message = "is not used by --rank, which compares mean survival time; leave it out"
        faults += [Fault(f"--{n}: {message}") for n, given in unused.items() if given is not None]
    seed = BOOTSTRAP_SEED if bootstrap else None
    ask = (fit, treatment, horizon, milestones, patients, seed, margins)
    comparison = collect(compare_arms, *ask, rank=rank)
    if faults:
        raise InputError(faults)
    who = _population(comparison, population)
    endpoint = endpoint_name(provenance(fit))
    if rank:
        return ranking_answer(comparison, endpoint=endpoint, population=who, causal=causal)
    return answered(comparison, margins, endpoint=endpoint, population=who, causal=causal)


def cohort_benefit(
    fit: Fit,
    treatment: str,
    horizon: float | None,
    times: Sequence[float] | None,
    margins: Margins,
    endpoint: str | None,
    causal: str | None,
) -> Answer:
    """Answer over the cohort's patients, as a run writes it beside each fit.

    Of a plan's times, which predictions have too, those within the follow-up of both arms.
    """
    end = treatment_arms(fit, treatment).end
    known = [time for time in times or () if 0 < time <= end]
    comparison = compare_arms(fit, treatment, horizon, known, margins=margins)
    who = _population(comparison, None)
    answer = answered(comparison, margins, endpoint=endpoint, population=who, causal=causal)
    return replace(answer, notes=(FAILED, *answer.notes)) if fit.failed else answer


def answered(
    comparison: Comparison,
    margins: Margins,
    *,
    endpoint: str | None,
    population: str,
    causal: str | None,
) -> Answer:
    """Tables, figure and sentence of two arms compared."""
    table, arms = benefit_table(comparison, margins), arms_table(comparison)
    untreated, treated = comparison.arms.names
    rmst, curve = comparison.curves[0], difference_curve(comparison)
    unit, label = comparison.fit.unit, _label(comparison.fit, endpoint)
    figure = plot_benefit(
        rmst[1] - rmst[0],
        curve,
        unit=unit,
        horizon=comparison.horizon,
        arms=(untreated, treated),
        label=label,
        margin=margins.rmst,
    )
    over_time = plot_horizons(curve, unit=unit, arms=(untreated, treated), label=label)
    return Answer(
        sentence=benefit_sentence(
            comparison,
            table,
            arms,
            margins,
            endpoint=endpoint,
            population=population,
            causal=causal,
        ),
        shown=_shown(table),
        tables={"benefit": table, "arms": arms},
        figures={"benefit": figure, "horizons": over_time},
        notes=comparison.fit.notes,
    )


def ranking_answer(
    comparison: Comparison, *, endpoint: str | None, population: str, causal: str | None
) -> Answer:
    """Table, figure and sentence of several levels ranked."""
    table = ranking_table(comparison)
    label = _label(comparison.fit, endpoint)
    figure = plot_ranks(
        rank_probabilities(comparison),
        label=f"mean {label} time within {duration(comparison.horizon, comparison.fit.unit)}",
    )
    return Answer(
        sentence=ranking_sentence(
            comparison, table, endpoint=endpoint, population=population, causal=causal
        ),
        shown=_shown_ranks(table, comparison.fit.unit),
        tables={"ranking": table},
        figures={"ranking": figure},
        notes=comparison.fit.notes,
    )


def _population(comparison: Comparison, file: Path | None) -> str:
    """Who is averaged over, in words."""
    count = len(comparison.patients)
    who = f"the {count} patients of {'the cohort' if file is None else file.name}"
    weighed = ", weighed anew in each draw (Bayesian bootstrap)"
    return who + weighed * (comparison.bootstrap is not None)


def _label(fit: Fit, endpoint: str | None) -> str:
    """What survives, as the axes of a figure name it."""
    return (endpoint.upper() if endpoint else "survival") + " (FAILED CHECKS)" * fit.failed


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """The table as it is printed: in words, with numbers in two decimals."""
    rows = list(table.itertuples())
    return pd.DataFrame(
        {
            "quantity": [row.quantity.replace("_", " ").replace("rmst", "RMST") for row in rows],
            "at": ["" if np.isnan(row.horizon) else f"{row.horizon:g}" for row in rows],
            "estimate (95% CrI)": [f"{_number(row.estimate)} ({_interval(row)})" for row in rows],
            "probability": [f"{_beyond(row)} {probability(row.probability)}" for row in rows],
        }
    )


def _beyond(row: Any) -> str:
    """What the probability is of: P(< 0.8) of a hazard ratio, P(> 1) of a gain."""
    if row.quantity == "hazard_ratio_equivalence":
        return f"P({row.margin:g} to {1 / row.margin:g})"
    if row.quantity == "number_needed_to_treat":
        return "P(finite)"
    side = "<" if row.quantity.endswith("hazard_ratio") else ">"
    return f"P({side} {row.margin:g})"


def _shown_ranks(table: pd.DataFrame, unit: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "level": table["level"],
            "patients": table["patients"],
            f"mean time ({unit})": [_number(value) for value in table["estimate"]],
            "95% CrI": [_interval(row) for row in table.itertuples()],
            "P(best)": [probability(value) for value in table["prob_best"]],
            "expected rank": [_number(value) for value in table["expected_rank"]],
            "P(worst)": [probability(value) for value in table["prob_worst"]],
        }
    )


def _number(value: float) -> str:
    """Two decimals, or words where there is no such number."""
    if np.isnan(value):
        return "not known"
    return f"{value:.2f}" if np.isfinite(value) else "infinite" if value > 0 else "-infinite"


def _interval(row: Any) -> str:
    return limits(_number(row.lower), _number(row.upper))


def _as_options(faults: Iterable[Fault], population: Path | None) -> Iterator[Fault]:
    """Faults that name the option of the command line, or the file, in place of the argument."""
    for fault in faults:
        said = re.sub(r"^([a-z_]+): ", lambda m: f"--{m[1].replace('_', '-')}: ", fault.message)
        if population is not None and fault.file == POPULATION:
            fault = replace(fault, file=population.name)
        yield replace(fault, message=said if fault.file is None else fault.message)
