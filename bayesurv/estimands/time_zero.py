"""One comparison of two arms from several time zeros, a row each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from bayesurv.data.cohort import Cohort
from bayesurv.data.covariates import is_category
from bayesurv.data.faults import Fault, InputError, listed
from bayesurv.data.read import as_text
from bayesurv.data.time_zero import delayed_entry, landmark
from bayesurv.data.treatment_start import treatment_from, treatment_starts
from bayesurv.estimands.partial_posterior import partial_posterior
from bayesurv.estimands.selection import MOST_ADDED
from bayesurv.estimands.summary import CI_PROB
from bayesurv.frequentist.clone_censor_weight import (
    HAZARD_RATIO,
    RESAMPLES,
    CloneCensorWeight,
    clone_censor_weight,
)
from bayesurv.frequentist.mantel_byar import mantel_byar
from bayesurv.frequentist.observations import Observations
from bayesurv.frequentist.partial_likelihood import two_arms
from bayesurv.models.priors import DEFAULT_COEFFICIENT, Prior

type Row = dict[str, Any]
type Observe = Callable[[Cohort], Observations]

COLUMNS = (
    "analysis", "hazard_ratio", "lower", "upper", "p", "patients", "events", "prob_benefit",
    "posterior_median", "posterior_lower", "posterior_upper", "ci_prob", "note",
)  # fmt: skip


EVER = "the treated are credited with the time that they had to live until treatment"


@dataclass(frozen=True)
class TimeZero:
    """What is asked of a cohort: from which times to compare, and how.

    landmark, enter_at, within : float, optional
        In the cohort's unit.
    start : str, optional
        Column with the time at which treatment started.
    most_added : int
        Most early deaths put back.
    earliest : float, optional
        The earliest of them; unless given, a tenth of the arm's first exit.
    prior : Prior
        Of the log hazard ratio.
    seed, resamples : int
        Of the times of those deaths, and of the bootstrap.
    """

    landmark: float | None = None
    enter_at: float | None = None
    start: str | None = None
    within: float | None = None
    most_added: int = MOST_ADDED
    earliest: float | None = None
    prior: Prior = DEFAULT_COEFFICIENT
    seed: int = 0
    resamples: int = RESAMPLES


def treated_rows(cohort: Cohort, treatment: str) -> np.ndarray:
    """Which rows, (row,), have the second of the treatment's two levels.

    Raises
    ------
    InputError
        The treatment has not two levels.
    """
    values = cohort.covariates[treatment]
    levels = values.cat.categories if is_category(values) else np.sort(values.dropna().unique())
    if len(levels) != 2:
        found = listed(as_text(levels)) if len(levels) < 6 else f"{len(levels)} values"
        message = f"two arms are compared, but it has {found}; name a treatment with two levels"
        raise InputError([Fault(message, cohort.source, column=treatment)])
    return (values == levels[1]).to_numpy()


def compared(analysis: str, observed: Observations, treatment: str, prior: Prior) -> Row:
    """Hazard ratio of the treated by Cox's model of the treatment alone, P and P(benefit).

    P is of the test of Mantel and Byar, the log-rank test where treatment is there from time 0.
    P(benefit) is the posterior probability of a hazard ratio below 1, from the partial likelihood.
    """
    cohort = observed.cohort
    treated = treated_rows(cohort, treatment)
    likelihood = two_arms(observed.time, cohort.event, treated, cohort.entry)
    estimate, error = (float(value) for value in likelihood.estimate())
    reach = float(ndtri(0.5 + CI_PROB / 2)) * error
    posterior = partial_posterior(likelihood, prior)
    tail = 0.5 - CI_PROB / 2
    lower, median, upper = (float(np.exp(posterior.quantile(q))) for q in (tail, 0.5, 1 - tail))
    finite = bool(np.isfinite(estimate))
    return {
        "analysis": analysis,
        "hazard_ratio": np.exp(estimate) if finite else np.nan,
        "lower": np.exp(estimate - reach),
        "upper": np.exp(estimate + reach),
        "p": mantel_byar(observed, treatment).p,
        "patients": cohort.n_patients,
        "events": cohort.n_events,
        "prob_benefit": float(posterior.probability_below()),
        "posterior_median": median,
        "posterior_lower": lower,
        "posterior_upper": upper,
        "ci_prob": CI_PROB,
        "note": ""
        if finite
        else "no finite estimate: all events that could be of either arm were of one",
    }


def adjusted(analysis: str, observed: Observations, treatment: str) -> Row:
    """Hazard ratio of the treatment by Cox's model of all terms, with Wald's interval and P.

    It has no P(benefit): that needs a prior of every term and a sampler (bayesurv fit).
    """
    cohort = observed.cohort
    others = [name for name in observed.components() if name != treatment]
    row: Row = {
        "analysis": f"{analysis}, adjusted",
        "patients": cohort.n_patients,
        "events": cohort.n_events,
        "ci_prob": CI_PROB,
        "note": f"adjusted for {', '.join(others)} (Cox, Wald)",
    }
    try:
        fitted = observed.cox()
    except ValueError as error:
        return row | {"note": f"Cox's model could not be fitted: {error}"}
    term = observed.components()[treatment][0]
    i = fitted.terms.index(term)
    if term in fitted.infinite:
        return row | {"note": "; ".join(fitted.notes)}
    lower, upper = (ends[i] for ends in fitted.interval(CI_PROB))
    ratio, ends = np.exp(fitted.coefficient[i]), {"lower": np.exp(lower), "upper": np.exp(upper)}
    return row | ends | {"hazard_ratio": ratio, "p": fitted.p()[i]}


def cohorts_by_time_zero(cohort: Cohort, treatment: str, asked: TimeZero) -> dict[str, Cohort]:
    """The cohort as given and from each time zero that is asked for, by the analysis.

    Raises
    ------
    InputError
        As `landmark` and `treatment_from`; lists the faults of all.
    """
    unit = cohort.unit
    ever = "as given" if asked.start is None else "as given, ever treated or not"
    made = {ever: cohort}
    from_start = cohort
    if asked.start is not None:
        from_start = treatment_from(cohort, asked.start, treatment)
        made["treatment from its start"] = from_start
    faults: list[Fault] = []
    by_then = "" if asked.start is None else ", treated by then or not"
    for name, time, move in (
        (f"landmark at {{:g}} {unit}{by_then}", asked.landmark, landmark),
        (f"entry at {{:g}} {unit}", asked.enter_at, delayed_entry),
    ):
        if time is None:
            continue
        try:
            made[name.format(time)] = move(from_start, time, treatment)
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError({str(fault): fault for fault in faults}.values())
    return made


def by_strategy(
    observed: Observations, treatment: str, asked: TimeZero
) -> CloneCensorWeight | None:
    """Treatment within the window against none; weights from the formula's other terms.

    Raises
    ------
    InputError
        A patient has several rows or enters after time 0, or as `clone_censor_weight`.
    """
    if asked.start is None or asked.within is None:
        return None
    cohort = observed.cohort
    if cohort.delayed or cohort.n_rows > cohort.n_patients:
        message = "clone-censor-weight follows each patient from time 0 in one row; leave out entry"
        raise InputError([Fault(message, cohort.source)])
    others = [i for i, term in enumerate(observed.terms) if term.partition("[")[0] != treatment]
    return clone_censor_weight(
        observed.time,
        cohort.event,
        treatment_starts(cohort, asked.start, treatment),
        asked.within,
        observed.covariates[:, others],
        resamples=asked.resamples,
        seed=asked.seed,
    )


def strategy_row(found: CloneCensorWeight, cohort: Cohort) -> Row:
    """The hazard ratio of the strategies, as a row beside the other analyses."""
    ratio = found.estimates.set_index("quantity").loc[HAZARD_RATIO]
    lost = f"; {found.lost} resamples gave no answer" if found.lost else ""
    return {
        "analysis": f"treatment within {found.within:g} {cohort.unit} (clone, censor, weight)",
        "hazard_ratio": ratio["estimate"],
        "lower": ratio["lower"],
        "upper": ratio["upper"],
        "patients": cohort.n_patients,
        "events": cohort.n_events,
        "ci_prob": CI_PROB,
        "note": f"interval by bootstrap; largest weight {found.largest_weight:.1f}{lost}",
    }


def analyses(
    cohort: Cohort, observe: Observe, treatment: str, asked: TimeZero
) -> Iterator[tuple[Row, Observations]]:
    """Each comparison with the patients it is of; adjusted too where the formula has more terms."""
    for name, each in cohorts_by_time_zero(cohort, treatment, asked).items():
        observed = observe(each)
        row = compared(name, observed, treatment, asked.prior)
        if each is cohort and asked.start is not None:
            row["note"] = "; ".join(filter(None, (row["note"], EVER)))
        yield row, observed
        if list(observed.components()) != [treatment]:
            yield adjusted(name, observed, treatment), observed
