"""Answer how much of what is said about a treatment comes from the prior."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from bayesurv.data.faults import Fault, InputError, listed
from bayesurv.estimands.arms import Comparison, treatment_terms
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.conclusion import threshold_faults
from bayesurv.estimands.prior_weight import power_scaling, prior_share
from bayesurv.estimands.sensitivity import (
    FITTED,
    STANDARD_PRIORS,
    prior_table,
    treatment_term,
)
from bayesurv.estimands.tipping import (
    THRESHOLD,
    TippingPoint,
    tipping_point,
)
from bayesurv.fitting import Fit
from bayesurv.models.priors import REAL, HazardRatio, Prior, parse_prior
from bayesurv.plots.sensitivity import plot_prior_sensitivity, plot_tipping_point
from bayesurv.plots.style import duration, limits, number, probability
from bayesurv.report.answer import Answer
from bayesurv.report.origin import endpoint_name
from bayesurv.report.sensitivity_words import ratio_name, sensitivity_sentence
from bayesurv.saved import provenance


def sensitivity_answer(
    fit: Fit,
    treatment: str,
    horizon: float | None = None,
    threshold: float = THRESHOLD,
    priors: Sequence[str] = (),
) -> Answer:
    """The same analysis under other priors, the prior that overturns it, and the prior's share.

    `priors` are further ones, each as "label=Normal(0, 1)".

    Raises
    ------
    InputError
        Lists every fault, naming the option.
    """
    faults = threshold_faults(threshold)

    def collect(check: Callable, *given: Any) -> Any:
        try:
            return check(*given)
        except InputError as error:
            faults.extend(error.faults)

    others = collect(read_priors, priors)
    asked = collect(compare_arms, fit, treatment, horizon)
    if asked is not None:
        collect(treatment_term, asked)
    if faults:
        raise InputError(Fault(f"--{fault.message}") for fault in faults)
    return answered(asked, others, threshold)


def answered(asked: Comparison, others: dict[str, Prior], threshold: float) -> Answer:
    """Tables, figures and sentence of a treatment's prior sensitivity."""
    table, scaling = prior_table(asked, others), power_scaling(asked)
    found, shares = tipping_point(asked, threshold), prior_share(asked.fit)
    endpoint = (endpoint_name(provenance(asked.fit)) or "").upper()
    untreated, treated = asked.arms.names
    name = f"{ratio_name(asked)}, {treated} to {untreated}"
    label = f"{name} ({endpoint})" if endpoint else name
    return Answer(
        sentence=sensitivity_sentence(asked, table, found, shares, scaling, endpoint),
        shown=_shown(table, asked),
        tables={
            "prior_sensitivity": table,
            "power_scaling": scaling,
            "tipping_point": found.table(),
            "tipping_curve": found.curve,
            "prior_share": shares,
        },
        figures={
            "sensitivity": plot_prior_sensitivity(table, label=label),
            "tipping_point": plot_tipping_point(found, label=endpoint),
        },
        notes=_notes(asked, table, found),
    )


def read_priors(texts: Sequence[str]) -> dict[str, Prior]:
    """Priors of the treatment's log hazard ratio by label, each as "label=Normal(0, 1)".

    Raises
    ------
    InputError
        Lists every fault: no label, a label that is taken, a prior that cannot be read, or one
        that is not of a log hazard ratio.
    """
    found: dict[str, Prior] = {}
    faults: list[Fault] = []
    for text in texts:
        label, equals, written = (part.strip() for part in text.partition("="))
        if not (label and equals):
            faults.append(Fault(f'prior: write "label=Normal(0, 1)", not "{text}"'))
        elif label.removesuffix(f" ({FITTED})") in (*found, *STANDARD_PRIORS, FITTED):
            faults.append(Fault(f'prior: the label "{label}" is taken; give another'))
        else:
            try:
                found[label] = _log_ratio(parse_prior(written, label), label)
            except InputError as error:
                faults += [replace(fault, message=f"prior: {fault}") for fault in error.faults]
    if faults:
        raise InputError(faults)
    return found


def _log_ratio(prior: Any, label: str) -> Prior:
    if isinstance(prior, (*REAL, HazardRatio)):
        return prior
    allowed = listed(kind.__name__ for kind in (*REAL, HazardRatio))
    message = f"{label}: {prior} is not a prior of a log hazard ratio; use {allowed}"
    raise InputError([Fault(message)])


def _shown(table: pd.DataFrame, asked: Comparison) -> pd.DataFrame:
    """The table as it is printed."""
    rows = [*table.itertuples()]
    gain = f"RMST difference ({duration(asked.horizon, asked.fit.unit)})"
    return pd.DataFrame(
        {
            "prior": table["prior"],
            "stated": table["stated"],
            "HR": [number(row.hazard_ratio) for row in rows],
            "95% CrI": [limits(number(row.lower), number(row.upper)) for row in rows],
            "P(HR < 1)": [probability(row.prob_benefit) for row in rows],
            gain: [f"{row.rmst_difference:.1f}" for row in rows],
        }
    )


def _notes(asked: Comparison, table: pd.DataFrame, found: TippingPoint) -> tuple[str, ...]:
    notes = [
        f"RMST differences are over {duration(asked.horizon, asked.fit.unit)}, standardised over "
        f"the {len(asked.patients)} patients of the cohort."
    ]
    if asked.conditional_ratio is None:
        terms = listed(treatment_terms(asked.fit, asked.arms))
        notes.append(
            f"No one hazard ratio holds for all ({terms}): the hazard ratios are marginal ones up "
            f"to {asked.horizon:g} {asked.fit.unit}; the priors are those of the coefficient of "
            f"{treatment_term(asked)} alone, and what a sceptical one takes from it the other "
            "terms can take up."
        )
    unsettled = [*table.loc[table["failed"], "prior"]]
    unsettled += [f"Normal(0, {sd:.2g})" for sd in found.curve.loc[found.curve["failed"], "sd"]]
    if unsettled and not asked.fit.failed:
        notes.append(f"The refit did not settle, fit anew under: {listed(unsettled)}.")
    return (*notes, *asked.fit.notes)
