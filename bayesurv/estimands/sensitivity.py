"""The same analysis of a treatment under other priors of its hazard ratio."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.summary import CI_PROB
from bayesurv.fitting import Fit
from bayesurv.models.priors import (
    DEFAULT_COEFFICIENT,
    Distribution,
    HazardRatio,
    Normal,
    Prior,
    Priors,
)
from bayesurv.refitting import Reweighed, refit, under_priors

# Spiegelhalter's sceptic and enthusiast are equally sure, the one of a hazard ratio of 1, the
# other of 0.5, and leaves it a probability of 0.02 that the treatment does harm.
STANDARD_PRIORS: Mapping[str, Prior] = {
    "sceptical": Normal(0, 0.35),
    "neutral": Normal(0, 0.75),
    "enthusiastic": Normal(-0.693, 0.35),
    "vague": Normal(0, 2.5),
}
FITTED = "as fitted"
LARGE_BENEFIT = 0.8
LEAST_WORTH = 0.25
PRIOR_COLUMNS = (
    *("prior", "stated", "prior_lower", "prior_upper", "prior_prob_benefit"),
    *("hazard_ratio", "lower", "upper", "prob_benefit", "mcse", "prob_below_0.8"),
    *("rmst_difference", "rmst_lower", "rmst_upper", "refitted", "failed"),
)


def treatment_term(comparison: Comparison) -> str:
    """The term whose coefficient is the treatment's log hazard ratio, apart from interactions.

    Raises
    ------
    InputError
        There is none: the treatment is only in interactions or groups, or is coded in other steps
        than from 0 to 1.
    """
    design, treatment = comparison.fit.design, comparison.arms.treatment
    untreated, treated = (design.apply(patients).fixed for patients in comparison.populations)
    step = treated - untreated
    alone = (
        np.isclose(step, step[:1]).all(axis=0) & (step[0] != 0) if len(step) else np.zeros(0, bool)
    )
    columns = np.flatnonzero(alone)
    if len(columns) != 1:
        message = f'treatment: "{treatment}" has no coefficient of its own whose prior could be '
        raise InputError([Fault(message + "changed; add it to the formula as a term")])
    if step[0, columns[0]] != 1:
        message = f'treatment: the coefficient of "{treatment}" is not the log hazard ratio of '
        message += f"{comparison.arms.names[1]} to {comparison.arms.names[0]}; code it 0 and 1"
        raise InputError([Fault(message)])
    return design.terms[design.column_term[columns[0]]]


def fitted_prior(comparison: Comparison) -> Prior:
    """Prior of the treatment's log hazard ratio in the fit, as it was stated."""
    given = comparison.fit.specification.priors.coefficient
    if isinstance(given, Mapping):
        return given.get(treatment_term(comparison), DEFAULT_COEFFICIENT)
    return given


def with_treatment_prior(comparison: Comparison, prior: Prior) -> Priors:
    """The priors of the fit, but for that of the treatment's log hazard ratio."""
    terms, priors = comparison.fit.design.terms, comparison.fit.specification.priors
    kept = dict(zip(terms, priors.coefficients(terms), strict=True))
    return replace(priors, coefficient=kept | {treatment_term(comparison): prior})


def under_treatment_prior(
    comparison: Comparison, prior: Prior, seed: int = 0, least_worth: float = LEAST_WORTH
) -> tuple[Comparison, Reweighed]:
    """The comparison on the draws of the posterior under another prior, and their weights.

    It is refitted also where the weights are worth less than this share of the draws.
    """
    fit, priors = comparison.fit, with_treatment_prior(comparison, prior)
    found = under_priors(fit, priors, seed)
    worth = 1 / np.square(found.weights).sum() / found.weights.size
    if not found.refitted and worth < least_worth:
        equal = np.full(found.weights.shape, 1 / found.weights.size)
        again = refit(fit, priors=priors, seed=seed)
        found = Reweighed(again, equal, found.pareto_k, refitted=True)
    return replace(comparison, fit=found.fit) if found.refitted else comparison, found


def rmst_difference(comparison: Comparison) -> np.ndarray:
    """RMST to the horizon of the second arm less the first's, standardised, `(chain, draw)`."""
    first, second = comparison.curves[0]
    return second - first


def compared_priors(
    comparison: Comparison, others: Mapping[str, Prior] | None = None
) -> dict[str, Prior]:
    """The prior as fitted, the standard priors and others, by label.

    Where the fitted prior is one of the standard ones, its label says so.
    """
    fitted = fitted_prior(comparison)
    labels = {
        f"{label} ({FITTED})" if prior == fitted else label: prior
        for label, prior in STANDARD_PRIORS.items()
    }
    first = {} if fitted in STANDARD_PRIORS.values() else {FITTED: fitted}
    return first | labels | dict(others or {})


def prior_sensitivity(
    fit: Fit,
    treatment: str,
    horizon: float | None = None,
    others: Mapping[str, Prior] | None = None,
    *,
    ci_prob: float = CI_PROB,
    seed: int = 0,
) -> pd.DataFrame:
    """The same analysis under other priors of the treatment's log hazard ratio, one row each.

    Sceptical, neutral, enthusiastic and vague priors, that of the fit, and `others` by label;
    priors of all else stay those of the fit. Columns prior (its label), stated (its printed
    form), prior_lower, prior_upper and prior_prob_benefit (equal-tailed interval of the hazard
    ratio and P(HR < 1) a priori); hazard_ratio (posterior median), lower, upper, prob_benefit,
    which is P(HR < 1), its Monte-Carlo error mcse, and prob_below_0.8; rmst_difference with
    rmst_lower and rmst_upper, standardised, in the fit's unit; refitted, whether importance
    weights were too uneven, and failed, whether that refit, or the fit, failed its checks.

    The hazard ratio is the marginal one at the horizon where interactions or groups modify it;
    the prior is then that of the treatment's coefficient alone, at the reference levels.

    Raises
    ------
    InputError
        The treatment is not in the formula or has not two levels, or the horizon is past the end
        of follow-up of an arm.
    """
    comparison = compare_arms(fit, treatment, horizon)
    return prior_table(comparison, others, ci_prob=ci_prob, seed=seed)


def prior_table(
    comparison: Comparison,
    others: Mapping[str, Prior] | None = None,
    *,
    ci_prob: float = CI_PROB,
    seed: int = 0,
) -> pd.DataFrame:
    """The table of `prior_sensitivity`."""
    own = comparison.hazard_ratio, rmst_difference(comparison)
    tail = (1 - ci_prob) / 2
    rows = []
    for label, stated in compared_priors(comparison, others).items():
        prior = distribution(stated)
        moved, found = under_treatment_prior(comparison, prior, seed)
        ratio, gain = (moved.hazard_ratio, rmst_difference(moved)) if found.refitted else own
        rows.append(
            (
                *(label, str(stated)),
                *np.exp(prior.frozen().ppf([tail, 1 - tail])),
                prior.frozen().cdf(0),
                *found.quantiles(ratio, [0.5, tail, 1 - tail]),
                found.probability(ratio < 1),
                found.error(ratio < 1),
                found.probability(ratio < LARGE_BENEFIT),
                *found.quantiles(gain, [0.5, tail, 1 - tail]),
                *(found.refitted, found.fit.failed),
            )
        )
    return pd.DataFrame(rows, columns=PRIOR_COLUMNS)


def distribution(prior: Prior) -> Distribution:
    """The prior of the log hazard ratio."""
    return prior.distribution() if isinstance(prior, HazardRatio) else prior
