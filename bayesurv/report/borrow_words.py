"""What borrowing changed, in words that say no more than its numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.published.external import NOT_STATED
from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.borrowing import CONFLICT_TAIL, Borrowed
from bayesurv.estimands.borrowing_curve import WeightCurve
from bayesurv.estimands.borrowing_fit import DrawnPosteriors
from bayesurv.estimands.tipping import prior_range
from bayesurv.plots.style import limits, number, p_value, probability
from bayesurv.report.borrow_question import Asked, Piece

DROPPED, KEPT = 0.01, 0.75  # posterior weights below and above which these words are said


def borrow_sentence(
    found: Borrowed,
    curve: WeightCurve,
    asked: Asked,
    table: pd.DataFrame,
    components: pd.DataFrame,
    arms: Sequence[str],
) -> str:
    """The answer in a few sentences: hazard ratios, conflict, what was borrowed, tipping point."""
    said = (
        _ratios(table, asked, arms),
        *(_component(row) for row in components.iloc[:-1].itertuples()),
        _events(found),
        _flips(curve),
    )
    return " ".join(said)


def _ratios(table: pd.DataFrame, asked: Asked, arms: Sequence[str]) -> str:
    borrowed, without, pooled = (
        f"{number(row.hazard_ratio)} (95% CrI {limits(number(row.lower), number(row.upper))}, "
        f"P(HR < 1) {probability(row.prob_benefit)})"
        for row in table.itertuples()
    )
    first = arms[1] if asked.estimate is None else arms[1].capitalize()
    about = f"{asked.endpoint.upper()}, {arms[1]}" if asked.endpoint else first
    return (
        f"{about} against {arms[0]}: hazard ratio {borrowed} with external evidence at a "
        f"prior weight of {asked.weight:g}, {without} without it, and {pooled} were all of it "
        "pooled."
    )


def _component(row: Any) -> str:
    """Whether the data are in conflict with a piece of evidence, and what is left of its weight."""
    name, weight = row.component, row.posterior_weight
    z, tail = row.conflict_z, row.conflict_tail
    state = "are in conflict with" if tail < CONFLICT_TAIL else "are not in conflict with"
    measured = f"z {z:.1f}, two-sided prior predictive P {p_value(tail)}"
    before = f"its weight goes from {row.prior_weight:.2g} to "
    after = weight_words(weight, row.prior_weight)
    return f"The data {state} {name} ({measured}); {before}{after}{_meaning(weight)}."


def weight_words(weight: float, prior: float) -> str:
    """A posterior weight; 0 or 1 only where data cannot change it, for it was so before."""
    return f"{weight:g}" if prior in (0, 1) else probability(weight)


def _meaning(weight: float) -> str:
    if weight < DROPPED:
        return ": it is as good as dropped"
    return ": it is borrowed from nearly in full" if weight > KEPT else ""


def _events(found: Borrowed) -> str:
    gained = float(found.events_borrowed)
    prior = f"The prior is worth {found.prior_events:.0f} events"
    if abs(gained) < 0.5:
        return f"{prior}; what was borrowed is worth none."
    if gained > 0:
        return f"{prior}; what was borrowed adds the precision of {gained:.0f} events."
    return (
        f"{prior}; the doubt between evidence and data takes away the precision of "
        f"{-gained:.0f} events."
    )


def _flips(curve: WeightCurve) -> str:
    """At which weights the conclusion changes."""
    start = f"At a threshold of {curve.threshold:g} the conclusion without evidence is "
    start += f'"{curve.conclusion}"'
    start += ", within its Monte-Carlo error of another" if curve.close else ""
    if not curve.flips:
        return f"{start}, and no weight from 0 to 1 changes it."
    changes = [
        f'"{flip.after}" from a prior weight of {_exact(flip.weight)}' for flip in curve.flips
    ]
    return f"{start}; it becomes {', and '.join(changes)}."


def _exact(weight: float) -> str:
    """A weight in as many digits as keep it from 0 and 1."""
    for digits in range(2, 7):
        if 0 < float(f"{weight:.{digits}f}") < 1:
            return f"{weight:.{digits}f}"
    return "almost 1" if weight > 0.5 else "almost 0"


def borrow_notes(found: Borrowed, asked: Asked, comparison: Comparison | None) -> tuple[str, ...]:
    """What was assumed: sources, origins, the vague prior, events, and the computation."""
    low, high = map(number, prior_range(asked.vague.sigma))
    share = found.allocation
    notes = [*(_source(piece) for piece in asked.pieces)]
    other = [p for p in asked.pieces if p.origin != asked.origin or p.origin == NOT_STATED]
    if other:
        theirs = ", ".join(f"{piece.label}: {piece.origin}" for piece in other)
        notes.append(
            f"Pooled across origins of time, as asked (data: {asked.origin}; {theirs}): hazards "
            "from different origins differ, and so can their ratios."
        )
    centre = "" if asked.vague.mu == 0 else f" times {number(float(np.exp(asked.vague.mu)))}"
    notes += [
        f"Where the evidence does not hold, the log hazard ratio is {asked.vague}: 95% of hazard "
        f"ratios from {low} to {high}{centre}.",
        "The prior weight is the probability, judged before the data, that the evidence holds for "
        "these patients; P(HR < 1) is of an association, and of an effect only as far as each "
        "study is free of confounding.",
        f"One event has the information p (1 - p) = {share * (1 - share):.3g}, {share:.0%} being "
        "treated; the prior's events are by its expected local information, those borrowed by the "
        "posterior variance with and without evidence.",
        f"Conflict is said below a two-sided prior predictive probability of {CONFLICT_TAIL:g}.",
    ]
    if comparison is None:
        return (*notes, "The estimate enters as a normal likelihood of the log hazard ratio.")
    untreated, treated = comparison.arms.names
    notes.append(
        f"{treated} stands for the treatment of the evidence, {untreated} for its control; were "
        "that the wrong way round, fit with the other reference level."
    )
    return (*notes, *_computation(found), *comparison.fit.notes)


def _source(piece: Piece) -> str:
    found = piece.found
    if found is None:
        return f"{piece.label}: {piece.printed}, as typed; {_origin(piece.origin)}."
    remark = f"; {found.remark}" if found.remark else ""
    return (
        f"{found.name}: hazard ratio {found.printed}, {found.endpoint}, {found.treatment} to "
        f"{found.control}; {found.population}{remark}; {_origin(found.origin)}; "
        f"{found.source}, {found.address}."
    )


def _origin(origin: str) -> str:
    known = origin != NOT_STATED
    return f"time counts from {origin}" if known else "what time counts from is not stated"


def _computation(found: Borrowed) -> list[str]:
    """How the components were computed, and whether that settled."""
    notes = [
        "Each component was fitted by itself and weighed by its marginal likelihood; a chain on "
        "the mixture might not go between its modes."
    ]
    posteriors = found.posteriors
    if isinstance(posteriors, DrawnPosteriors) and not posteriors.settled:
        notes.append("The draws did not settle under every component; fit with more draws.")
    return notes
