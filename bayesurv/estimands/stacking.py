"""Estimands of several models averaged: their draws pooled in proportion to weights."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.arms import Arms, checked_horizon, treated, treatment_arms
from bayesurv.estimands.benefit import COLUMNS
from bayesurv.estimands.contrasts import (
    baseline_covariates,
    contrast,
    marginal_hazard_ratio,
    standardised_rmst,
    standardised_survival,
)
from bayesurv.estimands.curves import time_grid
from bayesurv.estimands.summary import CI_PROB, quantiles
from bayesurv.fitting import Fit
from bayesurv.inference.diagnostics import monte_carlo_error

if TYPE_CHECKING:
    import xarray as xr


def stacked(
    draws: "Mapping[str, xr.DataArray]", weights: Mapping[str, float], seed: int = 0
) -> "xr.DataArray":
    """Pool the models' draws of one estimand in proportion to their weights.

    Each draw of the pool, `(chain, draw, ...)`, is the draw of the same chain and place of a
    model chosen at random, in shares that are exact up to one draw; models with more draws than
    another are thinned. The same seed chooses alike for every estimand of the same fits, so that
    pooled draws can be contrasted. Everything but the draws must agree between models.
    """
    chains, count = (min(each.sizes[dim] for each in draws.values()) for dim in ("chain", "draw"))
    share = np.array([weights[name] for name in draws])
    ends = np.round(np.cumsum(share) / share.sum() * chains * count).astype(int)
    shares = np.repeat(np.arange(len(share)), np.diff(ends, prepend=0))
    model = np.random.default_rng(seed).permutation(shares).reshape(chains, count)
    alike = [_thinned(each, chains, count) for each in draws.values()]
    pooled = alike[0].copy()
    for i, each in enumerate(alike):
        pooled.values[model == i] = each.values[model == i]
    return pooled


def _thinned(draws: "xr.DataArray", chains: int, count: int) -> "xr.DataArray":
    """So many chains and so many draws of each, evenly spread."""
    kept = np.linspace(0, draws.sizes["draw"] - 1, count).round().astype(int)
    few = draws.transpose("chain", "draw", ...).isel(chain=slice(chains), draw=kept)
    return few.assign_coords(chain=np.arange(chains), draw=np.arange(count))


def arm_survival(
    fits: Mapping[str, Fit], members: Mapping[str, np.ndarray]
) -> "dict[str, xr.DataArray]":
    """Each model's survival of each arm, averaged over the arm's own patients in each draw.

    Dims `(chain, draw, individual = arm, time)`; `members` are masks, `(patient,)`, by arm.
    """
    import xarray as xr

    times = np.unique(np.concatenate([time_grid(fit) for fit in fits.values()]))
    curves = {}
    for name, fit in fits.items():
        patients = baseline_covariates(fit)
        arms = [
            standardised_survival(fit, patients[chosen], times, label=arm)
            for arm, chosen in members.items()
        ]
        curves[name] = xr.concat(arms, "individual")
    return curves


def stacked_benefit(
    fits: Mapping[str, Fit],
    weights: Mapping[str, float],
    treatment: str,
    horizon: float | None = None,
    *,
    seed: int = 0,
    ci_prob: float = CI_PROB,
) -> pd.DataFrame:
    """Contrasts of treated and untreated averaged over models, with probabilities of benefit.

    Columns as `benefit` gives them. Everyone of the cohort is treated, and then untreated, inside
    each draw of each model. Rows `rmst_difference` and `survival_difference`, benefit above 0, and
    `marginal_hazard_ratio`, the ratio of cumulative hazards at the horizon, benefit below 1.

    Raises
    ------
    InputError
        A model does not hold the treatment with two levels, models differ in who had it, or the
        horizon is past the end of follow-up of an arm.
    """
    arms = checked_arms(fits, treatment)
    horizon = checked_horizon(arms, horizon, next(iter(fits.values())).unit)
    by_model = {name: _contrasts(fit, arms, horizon) for name, fit in fits.items()}
    rows = []
    for quantity, margin in (
        ("rmst_difference", 0.0),
        ("survival_difference", 0.0),
        ("marginal_hazard_ratio", 1.0),
    ):
        pooled = stacked({name: each[quantity] for name, each in by_model.items()}, weights, seed)
        draws = pooled.to_numpy()
        helped = draws < margin if margin else draws > margin
        lower, estimate, upper = quantiles(draws.ravel(), ci_prob)
        summary = (estimate, lower, upper, helped.mean(), monte_carlo_error(helped))
        rows.append((quantity, margin, horizon, *summary))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def checked_arms(fits: Mapping[str, Fit], treatment: str) -> Arms:
    """The two arms of a treatment, the same patients in every model."""
    faults: list[Fault] = []
    arms: dict[str, Arms] = {}
    for name, fit in fits.items():
        try:
            arms[name] = treatment_arms(fit, treatment)
        except InputError as error:
            faults += [Fault(fault.message, file=name) for fault in error.faults]
    if faults:
        raise InputError(faults)
    (first, known), *others = arms.items()
    given = baseline_covariates(fits[first])[treatment].astype(str).to_numpy()
    for name, found in others:
        own = baseline_covariates(fits[name])[treatment].astype(str).to_numpy()
        if found.levels != known.levels or not np.array_equal(own, given):
            message = f'treatment: "{treatment}" is coded otherwise than in {first}'
            faults.append(Fault(f"{message}; fit both to one file", file=name))
    if faults:
        raise InputError(faults)
    return known


def _contrasts(fit: Fit, arms: Arms, horizon: float) -> "dict[str, xr.DataArray]":
    """Draws `(chain, draw)` of each contrast of the treated with the untreated."""
    patients = baseline_covariates(fit)
    without, given = (treated(fit, patients, arms.treatment, level) for level in arms.levels)

    def gained(estimand: "Callable[..., xr.DataArray]", until: Any) -> "xr.DataArray":
        difference = contrast(estimand(fit, given, until), estimand(fit, without, until))
        return difference.isel(dict.fromkeys(difference.dims[2:], 0))

    return {
        "rmst_difference": gained(standardised_rmst, horizon),
        "survival_difference": gained(standardised_survival, [horizon]),
        "marginal_hazard_ratio": marginal_hazard_ratio(fit, given, without, [horizon])[..., 0],
    }
