"""Ranks of the levels of a treatment, by the mean survival time within a horizon."""

import numpy as np
import pandas as pd

from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.contrasts import baseline_covariates
from bayesurv.estimands.curves import Profiles, plain
from bayesurv.estimands.summary import CI_PROB, quantiles
from bayesurv.fitting import Fit
from bayesurv.inference.diagnostics import monte_carlo_error


def ranking(
    fit: Fit,
    treatment: str,
    horizon: float | None = None,
    *,
    population: Profiles | None = None,
    bootstrap: int | None = None,
    ci_prob: float = CI_PROB,
) -> pd.DataFrame:
    """Rank a treatment's levels by the RMST of everyone of the population under each.

    A row for each level, in the formula's order: level, patients (of the cohort who had it),
    horizon, estimate (posterior median of the RMST, in the fit's unit), lower, upper, prob_best
    (of the longest RMST), mcse (its Monte-Carlo error), expected_rank (1 is best) and prob_worst.
    The treatment may stand in a group term alone, as in (1 | salvage_type).

    Parameters
    ----------
    treatment
        A covariate of two levels or more.
    horizon, population, bootstrap
        As for `benefit`; the horizon is within the follow-up of every level.

    Raises
    ------
    InputError
        As for `benefit`.
    """
    comparison = compare_arms(fit, treatment, horizon, None, population, bootstrap, rank=True)
    return ranking_table(comparison, ci_prob)


def ranking_table(comparison: Comparison, ci_prob: float = CI_PROB) -> pd.DataFrame:
    """The table of `ranking`."""
    rmst, ranks = comparison.curves[0], _ranks(comparison)
    values = baseline_covariates(comparison.fit)[comparison.arms.treatment]
    lower, estimate, upper = quantiles(rmst.reshape(len(rmst), -1).T, ci_prob)
    return pd.DataFrame(
        {
            "level": [plain(level) for level in comparison.arms.levels],
            "patients": [int((values == level).sum()) for level in comparison.arms.levels],
            "horizon": comparison.horizon,
            "estimate": estimate,
            "lower": lower,
            "upper": upper,
            "prob_best": (ranks == 1).mean(axis=(1, 2)),
            "mcse": [monte_carlo_error(each == 1) for each in ranks],
            "expected_rank": ranks.mean(axis=(1, 2)),
            "prob_worst": (ranks == len(ranks)).mean(axis=(1, 2)),
        }
    )


def rank_probabilities(comparison: Comparison) -> pd.DataFrame:
    """Probability of each rank, 1 being the longest RMST: a row a level, a column a rank."""
    ranks = _ranks(comparison)
    columns = range(1, len(ranks) + 1)
    shares = np.stack([(ranks == rank).mean(axis=(1, 2)) for rank in columns], axis=-1)
    names = [plain(level) for level in comparison.arms.levels]
    return pd.DataFrame(shares, pd.Index(names, name=comparison.arms.treatment), list(columns))


def _ranks(comparison: Comparison) -> np.ndarray:
    """Rank of each level's RMST in each draw, `(level, chain, draw)`."""
    order = np.argsort(-comparison.curves[0], axis=0, kind="stable")
    return np.argsort(order, axis=0) + 1
