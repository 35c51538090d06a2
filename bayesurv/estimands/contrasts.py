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
    checked_times,
    predictor,
    profile_frame,
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
    mean = _average(fit, population, times, extrapolate, hazard=False)
    return as_draws(fit, mean, [{"label": label}], np.asarray(times, float), "survival")


def standardised_hazard(
    fit: Fit,
    population: Profiles,
    times: Times,
    *,
    label: str = "population",
    extrapolate: bool = False,
) -> "xr.DataArray":
    """Hazard of a population at risk, sum of S h over sum of S, dims as the survival's."""
    density = _average(fit, population, times, extrapolate, hazard=True)
    alive = _average(fit, population, times, extrapolate, hazard=False)
    return as_draws(fit, density / alive, [{"label": label}], np.asarray(times, float), "hazard")


def _average(
    fit: Fit, population: Profiles, times: Times, extrapolate: bool, hazard: bool
) -> np.ndarray:
    """Mean of S, or of S h, over the population's distinct patients; `(chain, draw, 1, time)`."""
    rows, weights = distinct_rows(fit.design.apply(profile_frame(population)))
    time = checked_times(fit, times, extrapolate)
    parameters, baseline = fit.parameters(), fit.baseline
    cumulative = baseline.cumulative_hazard(baseline.cumulative_basis(time), parameters, np)
    rate = (
        np.exp(baseline.log_hazard(baseline.hazard_basis(time), parameters, np)) if hazard else 1.0
    )
    total = np.zeros(cumulative.shape)
    for weight, risk in zip(weights, np.moveaxis(np.exp(predictor(fit, rows)), -1, 0), strict=True):
        alive = np.exp(-risk[..., None] * cumulative)
        total += weight * alive * (risk[..., None] * rate if hazard else 1.0)
    return total[..., None, :]


def distinct_rows(rows: Rows) -> tuple[Rows, np.ndarray]:
    """Distinct covariate patterns and the share of patients with each."""
    table = np.column_stack([rows.fixed, rows.group_index, rows.group_value])
    _, first, counts = np.unique(table, axis=0, return_index=True, return_counts=True)
    return Rows(*(array[first] for array in vars(rows).values())), counts / counts.sum()


def baseline_covariates(fit: Fit) -> pd.DataFrame:
    """Covariates of the cohort's patients, of the first row where a patient has several."""
    individual = fit.draws["constant_data"]["individual"].to_numpy()
    return fit.design.training.iloc[np.unique(individual, return_index=True)[1]]
