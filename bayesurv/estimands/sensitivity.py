"""How much of a treatment's hazard ratio is the prior: other priors, power-scaling, prior share."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.summary import CI_PROB
from bayesurv.fitting import Fit
from bayesurv.inference.diagnostics import elements
from bayesurv.inference.sensitivity import PowerScaling, diagnosis
from bayesurv.models.priors import (
    DEFAULT_COEFFICIENT,
    Distribution,
    HazardRatio,
    Normal,
    Prior,
    Priors,
)
from bayesurv.refitting import Reweighed, density, refit, under_priors

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
QUARTILES = (0.25, 0.75)
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


def power_scaling(comparison: Comparison) -> pd.DataFrame:
    """Sensitivity of the treatment's contrasts and of each parameter to prior and likelihood.

    Columns quantity; prior, all stated priors being scaled; treatment_prior, that of the
    treatment's coefficient alone; likelihood; and the diagnosis from prior and likelihood.
    """
    fit = comparison.fit
    stated = fit.draws["log_prior"].to_dataset()
    whole = sum(values for _, values in elements(stated))
    term = treatment_term(comparison)
    own = stated["coefficient"].transpose("chain", "draw", ...).to_numpy()
    own = own.reshape(*own.shape[:2], -1)[..., fit.design.terms.index(term)]
    data = fit.draws["log_likelihood"]["time"].transpose("chain", "draw", ...).sum("individual")
    scaled = [PowerScaling.of(np.asarray(part)) for part in (whole, own, data)]
    rows = []
    for name, draws in _quantities(comparison):
        prior, alone, likelihood = (each.sensitivity(draws) for each in scaled)
        rows.append((name, prior, alone, likelihood, diagnosis(prior, likelihood)))
    columns = ["quantity", "prior", "treatment_prior", "likelihood", "diagnosis"]
    return pd.DataFrame(rows, columns=columns)


def _quantities(comparison: Comparison) -> Iterator[tuple[str, np.ndarray]]:
    """Draws of what is power-scaled: the treatment's contrasts, then every parameter."""
    if comparison.conditional_ratio is None:
        yield "log_marginal_hazard_ratio", np.log(comparison.marginal_ratio)
    yield "rmst_difference", rmst_difference(comparison)
    parameters = elements(comparison.fit.posterior)
    own = f"coefficient[{treatment_term(comparison)}]"
    for name, draws in sorted(parameters, key=lambda each: each[0] != own):
        if not name.startswith("group_effect["):
            yield name, draws


def prior_share(fit: Fit) -> pd.DataFrame:
    """Share of each parameter's posterior precision that is its prior's.

    (posterior interquartile range / prior interquartile range)^2, on the logarithm of what is
    positive: prior variance^-1 / posterior variance^-1 where both are normal, and defined for
    heavy tails too. About 1, or above, where the data say nothing. Columns quantity, prior (its
    printed form), share and mcse.
    """
    model = density(fit)
    drawn = model.sampled(fit.draws["positions"]["position"].to_numpy())
    stated = {quantity.name for quantity in fit.specification.sampled()}
    rows = []
    for block in model.blocks():
        for i, prior in enumerate(block.priors if block.name in stated else ()):
            name = f"{block.name}[{block.labels[i]}]" if block.dim else block.name
            draws = drawn[block.name][..., i] if block.dim else drawn[block.name]
            rows.append((name, str(prior), *_share(draws, prior)))
    table = pd.DataFrame(rows, columns=["quantity", "prior", "share", "mcse"])
    level = table["quantity"] == "log_median"
    table.loc[level, ["quantity", "prior"]] = "median_survival", str(fit.specification.median)
    return table


def _share(draws: np.ndarray, prior: Distribution) -> tuple[float, float]:
    """Share of the precision that is the prior's, and its Monte-Carlo error."""
    from arviz_stats.base import array_stats

    believed = prior.frozen().ppf(QUARTILES)
    if prior.positive:
        draws, believed = np.log(draws), np.log(believed)
    width = np.ptp(np.quantile(draws, QUARTILES))
    errors = [
        array_stats.mcse(draws, chain_axis=0, draw_axis=1, method="quantile", prob=prob)
        for prob in QUARTILES
    ]
    share = (width / np.ptp(believed)) ** 2
    return float(share), float(2 * share * np.hypot(*errors) / width)
