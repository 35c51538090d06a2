"""Answer how much the conclusion about a treatment hangs on single patients."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError, listed
from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.conclusion import Conclusion, threshold_faults, verdict
from bayesurv.estimands.flips import Search, flip_table, most_removed
from bayesurv.estimands.influence import (
    each_left_out,
    influence_table,
)
from bayesurv.fitting import Fit
from bayesurv.plots.style import number, probability
from bayesurv.report.answer import Answer
from bayesurv.report.benefit_words import prior_words
from bayesurv.report.origin import endpoint_name
from bayesurv.saved import provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_SHOWN = 10


def influence_answer(
    fit: Fit, treatment: str, horizon: float | None = None, threshold: float = 0.95
) -> Answer:
    """Leave out each patient, and look for the fewest whose removal changes the conclusion.

    Raises
    ------
    InputError
        Lists every fault, naming the option: the treatment is not in the formula or has not two
        levels, the horizon is past the end of follow-up of an arm, or the threshold is not above
        0.5 and below 1.
    """
    asked = _checked(fit, treatment, horizon, threshold)
    left_out = each_left_out(fit)
    table = influence_table(asked, left_out)
    flip = flip_table(Search.of(asked, left_out, threshold), most_removed(fit.n_patients))
    conclusion = Conclusion.of(asked.hazard_ratio, threshold)
    return Answer(
        sentence=influence_sentence(asked, conclusion, table, flip),
        shown=_shown(table),
        tables={"influence": table, "influence_flip": flip},
        figures={"influence": _figure(asked, conclusion, table)},
        notes=tuple(_notes(asked, conclusion, table)),
    )


def _checked(fit: Fit, treatment: str, horizon: float | None, threshold: float) -> Comparison:
    faults = threshold_faults(threshold)
    try:
        asked = compare_arms(fit, treatment, horizon)
    except InputError as error:
        faults.extend(error.faults)
    if faults:
        raise InputError(Fault(f"--{fault.message}") for fault in faults)
    return asked


def influence_sentence(
    asked: Comparison, conclusion: Conclusion, table: pd.DataFrame, flip: pd.DataFrame
) -> str:
    """How far single patients move the answer, and how few change the conclusion."""
    threshold, count = conclusion.threshold, len(table)
    spans = [
        f"{words} between {form(table[name].min())} and {form(table[name].max())} "
        f"({form(everyone)} with all)"
        for words, name, form, everyone in (
            ("P(HR < 1)", "prob_benefit", probability, conclusion.prob_benefit),
            (_ratio_name(asked), "hazard_ratio", number, conclusion.hazard_ratio),
        )
    ]
    untreated, treated = asked.arms.names
    return (
        f"{treated} against {untreated}: leaving out any one of the {count} patients moves "
        f"{' and '.join(spans)}; {_change(conclusion, table, flip)}. The conclusion is "
        f'"benefit" where P(HR < 1) is at least {threshold:g} and "harm" where it is at most '
        f"{1 - threshold:.4g}; {prior_words(asked)}."
    )


def _ratio_name(asked: Comparison) -> str:
    if asked.conditional_ratio is not None:
        return "the hazard ratio"
    return f"the marginal hazard ratio up to {asked.horizon:g} {asked.fit.unit}"


def _change(conclusion: Conclusion, table: pd.DataFrame, flip: pd.DataFrame) -> str:
    """The fewest patients whose removal changes the conclusion, or that none were found."""
    found = flip[flip["flips"]].sort_values("patients_removed", kind="stable")
    fewest = next(found.itertuples(), None)
    word = f'"{conclusion.word}"'
    if fewest is not None and fewest.patients_removed == 1:
        return (
            f"leaving out patient {fewest.patients} alone changes the conclusion from {word} "
            f"{_reached(fewest)}"
        )
    crossed = [verdict(p, conclusion.threshold) != conclusion.word for p in table["prob_benefit"]]
    clearly = " by more than Monte-Carlo error" if any(crossed) else ""
    single = f"no single removal changes the conclusion {word}{clearly}"
    if fewest is None:
        return single + _nor(most_removed(len(table)))
    least = "no fewer would" if fewest.exact else "fewer may do"
    return (
        f"{single}; leaving out {fewest.patients_removed} patients (numbers "
        f"{_and(fewest.patients.split())}) would change it {_reached(fewest)}, {least}"
    )


def _reached(row: Any) -> str:
    """The conclusion that a row of `influence_flip` comes to."""
    return (
        f'to "{row.direction}" (P(HR < 1) {probability(row.prob_benefit)}, hazard ratio '
        f"{number(row.hazard_ratio)})"
    )


def _nor(most: int) -> str:
    """The larger sets that do not change the conclusion either."""
    pairs = ", nor does that of any pair" if most > 1 else ""
    larger = f" or of the larger sets that were tried, up to {most} patients" if most > 2 else ""
    return pairs + larger


def _and(names: list[str]) -> str:
    """Names as a sentence lists them: 4, 17 and 30."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _notes(asked: Comparison, conclusion: Conclusion, table: pd.DataFrame) -> Iterator[str]:
    fit = asked.fit
    if conclusion.close:
        yield (
            f"P(HR < 1) with all patients, {conclusion.prob_benefit:.3f}, is within "
            "Monte-Carlo error of the threshold: fit with more draws before concluding."
        )
    yield (
        f"Monte-Carlo error of P(HR < 1) with all patients: {conclusion.mcse:.3f}; those of the "
        "changes are in the table, smaller because they rest on the same draws."
    )
    yield (
        "Patients are numbered from 1 in the cohort's order, as they were analysed. That the "
        "conclusion hangs on some of them is no reason to leave them out."
    )
    yield (
        f"Time gained to {asked.horizon:g} {fit.unit} is that of all {len(table)} patients, also "
        "of the one left out: only what is learned from that patient goes."
    )
    if table["refitted"].any():
        numbers = listed(table.loc[table["refitted"], "patient"].sort_values())
        yield f"Refitted, because importance weights would not do (Pareto k > 0.7): {numbers}."
    if table["failed"].any() and not fit.failed:
        numbers = listed(table.loc[table["failed"], "patient"].sort_values())
        yield f"The refit FAILED its checks without patient {numbers}: do not report those rows."


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """The most influential patients, as they are printed."""
    top = table.head(MOST_SHOWN)
    return pd.DataFrame(
        {
            "without": top["patient"],
            "arm": top["arm"],
            "end": np.where(top["event"], "event", "censored"),
            "HR (change)": [
                f"{number(ratio)} ({change:+.2f})"
                for ratio, change in zip(
                    top["hazard_ratio"], top["hazard_ratio_change"], strict=True
                )
            ],
            "P(HR < 1) (change)": [
                f"{probability(chance)} ({change:+.3f})"
                for chance, change in zip(
                    top["prob_benefit"], top["prob_benefit_change"], strict=True
                )
            ],
            "MC error": [f"{value:.3f}" for value in top["mcse"]],
        }
    )


def _figure(asked: Comparison, conclusion: Conclusion, table: pd.DataFrame) -> "Axes":
    from bayesurv.plots.influence import plot_influence

    arms = " against ".join(asked.arms.names[::-1])
    endpoint = endpoint_name(provenance(asked.fit))
    return plot_influence(
        table,
        prob_benefit=conclusion.prob_benefit,
        hazard_ratio=conclusion.hazard_ratio,
        threshold=conclusion.threshold,
        arms=asked.arms.names,
        title=f"{endpoint.upper()}: {arms}" if endpoint else arms,
    )
