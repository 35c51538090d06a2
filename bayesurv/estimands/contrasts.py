"""Standardised curves: averages over a population inside each draw.

A standardised curve is the mean survival of stated patients within one draw; its interval speaks
of that mean, not of how patients differ. Functionals of a population (a marginal median, a
marginal hazard ratio) come from the standardised curve, never from averaging the patients' own.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesurv.data.design import Rows
from bayesurv.estimands.curves import (
    Profiles,
    Times,
    as_draws,
    baseline_cumulative_hazard,
    baseline_hazard,
    checked_times,
    profile_frame,
    relative_hazard,
)
from bayesurv.fitting import Fit

if TYPE_CHECKING:
    import xarray as xr


def standardised_survival(
    fit: Fit,
    population: Profiles,
    times: Times,
    *,
    label: str = "population",
    extrapolate: bool = False,
) -> "xr.DataArray":
    """Mean survival of a population, dims `(chain, draw, individual = label, time)`."""
    time = checked_times(fit, times, extrapolate)
    cumulative = baseline_cumulative_hazard(fit, time)
    mean = np.zeros(cumulative.shape)
    for share, relative in _members(fit, population):
        mean += share * np.exp(-relative * cumulative)
    return as_draws(fit, mean[..., None, :], [{"label": label}], time, "survival")


def standardised_hazard(
    fit: Fit,
    population: Profiles,
    times: Times,
    *,
    label: str = "population",
    extrapolate: bool = False,
) -> "xr.DataArray":
    """Hazard of a population at risk, sum of S h over sum of S, dims as the survival's."""
    time = checked_times(fit, times, extrapolate)
    cumulative, members = baseline_cumulative_hazard(fit, time), _members(fit, population)
    # Survival beside that of the hardiest, so that someone is at risk at any time in any draw.
    least = np.min([relative for _, relative in members], axis=0)
    alive, dying = np.zeros(cumulative.shape), np.zeros(cumulative.shape)
    for share, relative in members:
        at_risk = share * np.exp((least - relative) * cumulative)
        alive += at_risk
        dying += at_risk * relative
    values = dying / alive * baseline_hazard(fit, time)
    return as_draws(fit, values[..., None, :], [{"label": label}], time, "hazard")


def _members(fit: Fit, population: Profiles) -> list[tuple[float, np.ndarray]]:
    """Share of the population and relative hazard, `(chain, draw, 1)`, of each distinct patient."""
    rows, shares = distinct_rows(fit.design.apply(profile_frame(population)))
    relative = np.moveaxis(relative_hazard(fit, rows), -1, 0)
    return list(zip(shares.tolist(), relative[..., None], strict=True))


def distinct_rows(rows: Rows) -> tuple[Rows, np.ndarray]:
    """Distinct covariate patterns and the share of patients with each."""
    table = np.column_stack([rows.fixed, rows.group_index, rows.group_value])
    _, first, counts = np.unique(table, axis=0, return_index=True, return_counts=True)
    return Rows(*(array[first] for array in vars(rows).values())), counts / counts.sum()


def baseline_covariates(fit: Fit) -> pd.DataFrame:
    """Covariates of the cohort's patients, of the first row where a patient has several."""
    individual = fit.draws["constant_data"]["individual"].to_numpy()
    return fit.design.training.iloc[np.unique(individual, return_index=True)[1]]
