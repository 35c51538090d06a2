"""Answer what external evidence adds to a treatment's hazard ratio, and whether it may."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.borrowing import CONFLICT_TAIL, Borrowed, Borrowing, Summary, borrow
from bayesurv.estimands.borrowing_curve import weight_curve
from bayesurv.estimands.borrowing_fit import borrow_in_fit
from bayesurv.estimands.sensitivity import treatment_term
from bayesurv.estimands.summary import CI_PROB
from bayesurv.estimands.tipping import prior_range
from bayesurv.fitting import Fit
from bayesurv.models.distributions import Normal
from bayesurv.plots.borrowing import plot_borrowing
from bayesurv.plots.style import limits, number, probability
from bayesurv.report.answer import Answer
from bayesurv.report.borrow_question import Asked, Question, read_question
from bayesurv.report.borrow_words import borrow_notes, borrow_sentence, weight_words
from bayesurv.report.origin import endpoint_name
from bayesurv.saved import provenance

VAGUE = "vague"
WITH, WITHOUT, POOLED = "with borrowing", "without evidence", "all evidence pooled"


def borrow_answer(fit: Fit | None, treatment: str | None, question: Question) -> Answer:
    """What the evidence adds, of a fit's treatment or of an estimate as typed.

    Raises
    ------
    InputError
        Lists every fault, naming the option.
    """
    known = endpoint_name(provenance(fit)) if fit is not None else None
    asked, faults = read_question(question, known)

    def collect(check: Callable, *given: Any) -> Any:
        try:
            return check(*given)
        except InputError as error:
            faults.extend(replace(f, message=f"--{f.message}") for f in error.faults)

    comparison = collect(compare_arms, fit, treatment, None) if fit is not None else None
    if comparison is not None:
        collect(treatment_term, comparison)
    if (fit is None) == (question.estimate is None):
        message = "FIT: give a fit, or --estimate with a published hazard ratio in its place, "
        faults.append(Fault(message + ("not both" if fit is not None else "such as 1.7 (0.9-3.1)")))
    if asked is None or faults:
        raise InputError(faults)
    found = collect(_borrowed, asked, asked.estimate if fit is None else comparison)
    if faults:
        raise InputError(faults)
    return answered(found, asked, comparison)


def _borrowed(asked: Asked, data: Normal | Comparison) -> Borrowed:
    """Of an estimate and its standard error, or of a fit."""
    evidence = tuple(piece.prior for piece in asked.pieces)
    if isinstance(data, Normal):
        return borrow(data.mu, data.sigma, evidence, asked.weight, asked.vague)
    return borrow_in_fit(data, Borrowing(evidence, asked.weight, asked.vague))


def answered(found: Borrowed, asked: Asked, comparison: Comparison | None) -> Answer:
    """Tables, figure and sentence of one estimate with evidence borrowed."""
    curve = weight_curve(found, asked.threshold)
    arms = comparison.arms.names if comparison is not None else ("control", "treatment")
    table, components = answers_table(found), components_table(found, asked)
    labels = [piece.label for piece in asked.pieces]
    endpoint = (asked.endpoint or "").upper()
    about = f"Hazard ratio{f' ({endpoint})' if endpoint else ''}, {arms[1]} to {arms[0]}"
    return Answer(
        sentence=borrow_sentence(found, curve, asked, table, components, arms),
        shown=_shown(table, components),
        tables={"borrow": table, "components": components, "tipping": curve.curve},
        figures={"borrowing": plot_borrowing(found, curve, labels, label=about)},
        notes=borrow_notes(found, asked, comparison),
    )


def answers_table(found: Borrowed) -> pd.DataFrame:
    """The hazard ratio with evidence borrowed, without it, and with all of it pooled.

    Columns analysis, hazard_ratio, lower, upper, ci_prob, prob_benefit, mcse, sd (of the log
    hazard ratio) and events_borrowed.
    """
    cases = {WITH: found.borrowing, WITHOUT: found.without, POOLED: found.pooled}
    base = found.without.sd**-2
    rows = [_row(name, case, found.events(case.sd**-2 - base)) for name, case in cases.items()]
    return pd.DataFrame(rows)


def _row(name: str, case: Summary, events: np.ndarray) -> dict[str, object]:
    return {
        "analysis": name,
        "hazard_ratio": float(case.hazard_ratio),
        "lower": float(case.lower),
        "upper": float(case.upper),
        "ci_prob": CI_PROB,
        "prob_benefit": float(case.prob_benefit),
        "mcse": float(case.mcse),
        "sd": float(case.sd),
        "events_borrowed": float(events),
    }


def components_table(found: Borrowed, asked: Asked) -> pd.DataFrame:
    """Each component of the prior: what it says, and what the data make of it.

    Columns component, log_hazard_ratio and standard_error (its normal distribution), hazard_ratio,
    lower and upper (of its 95% interval), prior_weight, posterior_weight, and
    posterior_weight_normal, by a normal likelihood; posterior_hazard_ratio and
    posterior_prob_benefit under it alone; conflict_z and conflict_tail, with conflict, whether
    the data are; events (what it is worth alone); origin, endpoint, compares and source.
    """
    count = len(found.prior.components)
    alone = found.posteriors.summary(np.eye(count))
    z, tail = found.conflict
    normal = borrow(
        found.estimate, found.standard_error, found.prior.evidence, asked.weight, asked.vague
    )
    rows = []
    for i, prior in enumerate(found.prior.components):
        reach = prior_range(prior.sigma)
        rows.append(
            {
                "component": asked.pieces[i].label if i < count - 1 else VAGUE,
                "log_hazard_ratio": prior.mu,
                "standard_error": prior.sigma,
                "hazard_ratio": np.exp(prior.mu),
                "lower": np.exp(prior.mu) * reach[0],
                "upper": np.exp(prior.mu) * reach[1],
                "prior_weight": found.prior.weights()[i],
                "posterior_weight": found.weights()[i],
                "posterior_weight_normal": normal.weights()[i],
                "posterior_hazard_ratio": alone.hazard_ratio[i],
                "posterior_prob_benefit": alone.prob_benefit[i],
                "conflict_z": z[i],
                "conflict_tail": tail[i],
                "conflict": bool(tail[i] < CONFLICT_TAIL),
                "events": found.component_events[i],
                **_about(asked, i),
            }
        )
    return pd.DataFrame(rows)


def _about(asked: Asked, i: int) -> dict[str, str]:
    """Where a component comes from; nothing of the vague one."""
    piece = asked.pieces[i] if i < len(asked.pieces) else None
    found = piece.found if piece is not None else None
    return {
        "origin": piece.origin if piece is not None else "",
        "endpoint": found.endpoint if found is not None else "",
        "compares": f"{found.treatment} to {found.control}" if found is not None else "",
        "source": f"{found.source}, {found.address}" if found is not None else "",
    }


def _shown(table: pd.DataFrame, components: pd.DataFrame) -> pd.DataFrame:
    """The answers and, below them, each component alone, as they are printed."""
    rows = [
        (row.analysis, row.hazard_ratio, limits(number(row.lower), number(row.upper)),
         row.prob_benefit, "", f"{round(row.events_borrowed)}")
        for row in table.itertuples()
    ]  # fmt: skip
    rows += [
        (f"under {row.component} alone", row.posterior_hazard_ratio, "",
         row.posterior_prob_benefit, _weights(row), "")
        for row in components.itertuples()
    ]  # fmt: skip
    names = ["analysis", "HR", "95% CrI", "P(HR < 1)", "weight, prior to posterior", "events"]
    shown = pd.DataFrame(rows, columns=names)
    shown["HR"] = [number(value) for value in shown["HR"]]
    shown["P(HR < 1)"] = [probability(value) for value in shown["P(HR < 1)"]]
    return shown


def _weights(row: Any) -> str:
    after = weight_words(row.posterior_weight, row.prior_weight)
    return f"{row.prior_weight:.2g} to {after}"
