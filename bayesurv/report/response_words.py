"""Risks of binary outcomes in words: what is associated with a treatment, and how sure that is."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bayesurv.data.coding import mentions
from bayesurv.estimands.response import RiskComparison, compare_risks
from bayesurv.estimands.summary import quantiles
from bayesurv.plots.style import limits, number, p_value, percent, probability
from bayesurv.responding import prior_of

GOOD, HARMFUL = "Good outcomes (fewer is worse)", "Harmful outcomes (more is worse)"


def risks_sentence(asked: RiskComparison, risks: pd.DataFrame, contrasts: pd.DataFrame) -> str:
    """The answer, a line for each outcome, from the tables `risk_table` and `risk_contrasts`."""
    first, second = asked.names
    heading = HARMFUL if asked.fit.outcomes.harmful else GOOD
    lines = [f"{heading}: what was associated with {second}, against {first}."]
    lines += [_outcome(asked, name, risks, contrasts) for name in asked.outcomes]
    lines += _mean(asked)
    lines.append(
        f"Standardised over the {asked.fit.outcomes.n_patients} patients of the cohort; "
        f"{_priors(asked)}."
    )
    return "\n".join(lines)


def _outcome(
    asked: RiskComparison, outcome: str, risks: pd.DataFrame, contrasts: pd.DataFrame
) -> str:
    without, treated = risks[risks["outcome"] == outcome].itertuples()
    rows = {row.quantity: row for row in contrasts[contrasts["outcome"] == outcome].itertuples()}
    points, odds = rows["risk_difference"], rows["odds_ratio"]
    return (
        f"{outcome}: {percent(treated.estimate)} with {treated.arm} and "
        f"{percent(without.estimate)} with {without.arm} (observed {treated.events}/"
        f"{treated.patients} and {without.events}/{without.patients}); difference "
        f"{round(100 * points.estimate)} percentage points (95% CrI "
        f"{limits(f'{100 * points.lower:.0f}', f'{100 * points.upper:.0f}')}), odds ratio "
        f"{number(odds.estimate)} (95% CrI {limits(number(odds.lower), number(odds.upper))}); "
        f"posterior probability that {treated.arm} is worse {probability(odds.prob_worse)}; "
        f"Fisher P {p_value(odds.fisher_p)}."
    )


def _mean(asked: RiskComparison) -> Iterator[str]:
    """The mean odds ratio over outcomes that share their priors, where one term says it."""
    terms = [term for term in asked.fit.design.terms if mentions(term, asked.treatment)]
    if asked.fit.specification.pooled and len(terms) == 1:
        draws = asked.fit.posterior["group_mean"].sel(term=terms[0]).to_numpy()
        lower, estimate, upper = (number(value) for value in np.exp(quantiles(draws.ravel())))
        worse = (draws > 0) if asked.fit.outcomes.harmful else (draws < 0)
        yield (
            f"Mean over the {len(asked.outcomes)} outcomes, at equal covariates and of the same "
            f"patient: odds ratio {estimate} (95% CrI {limits(lower, upper)}); posterior "
            f"probability of worse {probability(float(worse.mean()))}."
        )


def _priors(asked: RiskComparison) -> str:
    """The priors by name, and what they alone imply for a risk and a difference."""
    stated = asked.fit.specification.described_priors()
    before = compare_risks(prior_of(asked.fit), asked.treatment).risks[..., 0]
    low, _, high = quantiles(before[0].ravel())
    least, _, most = quantiles((before[1] - before[0]).ravel())
    priors = ", ".join(f"{name} {prior}" for name, prior in stated.items())
    scale = "" if "risk" in stated else " of the log odds"
    return (
        f"priors{scale}: {priors}; before any outcome they put a risk between {percent(low)} and "
        f"{percent(high)}, and a difference between {round(100 * least)} and {round(100 * most)} "
        "percentage points (95% intervals)"
    )
