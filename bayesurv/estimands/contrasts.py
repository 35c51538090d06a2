"""Standardised estimands: averages over a population inside each draw, and their contrasts.

A standardised curve is the mean survival of stated patients within one draw; its interval speaks
of that mean, not of how patients differ. Functionals of a population (a marginal median, a
marginal hazard ratio) come from the standardised curve, never from averaging the patients' own.

`bootstrap`, a seed, adds the uncertainty of whom the patients stand for: see `mixture`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.curves import (
    Profiles,
    Times,
    as_draws,
    baseline_cumulative_hazard,
    baseline_hazard,
    checked_times,
    profile_frame,
)
from bayesurv.estimands.functionals import (
    checked_horizon,
    checked_probability,
    per_patient,
    quadrature,
    time_reaching,
)
from bayesurv.estimands.population import PATIENTS, average_ratio, mixture, patients_of
from bayesurv.fitting import Fit

if TYPE_CHECKING:
    import xarray as xr

type Combine = (
    Literal["difference", "ratio"] | Callable[["xr.DataArray", "xr.DataArray"], "xr.DataArray"]
)


def standardised_survival(
    fit: Fit,
    population: Profiles,
    times: Times,
    *,
    label: str = "population",
    extrapolate: bool = False,
    bootstrap: int | None = None,
) -> "xr.DataArray":
    """Mean survival of a population, dims `(chain, draw, individual = label, time)`."""
    time = checked_times(fit, times, extrapolate)
    patients = mixture(fit, population, bootstrap)
    values = patients.survival(baseline_cumulative_hazard(fit, time))
    return as_draws(fit, values[..., None, :], [{"label": label}], time, "survival")


def standardised_hazard(
    fit: Fit,
    population: Profiles,
    times: Times,
    *,
    label: str = "population",
    extrapolate: bool = False,
    bootstrap: int | None = None,
) -> "xr.DataArray":
    """Hazard of a population at risk, sum of S h over sum of S, dims as the survival's."""
    time = checked_times(fit, times, extrapolate)
    relative = mixture(fit, population, bootstrap).hazard(baseline_cumulative_hazard(fit, time))
    values = relative * baseline_hazard(fit, time)
    return as_draws(fit, values[..., None, :], [{"label": label}], time, "hazard")


def standardised_rmst(
    fit: Fit,
    population: Profiles,
    horizon: float,
    *,
    label: str = "population",
    extrapolate: bool = False,
    bootstrap: int | None = None,
) -> "xr.DataArray":
    """Area under a population's survival up to the horizon, dims `(chain, draw, individual)`.

    The mean of the patients' own RMST, for averages and integrals change places.
    """
    checked_horizon(fit, horizon, extrapolate)
    nodes, weights = quadrature(horizon, fit.baseline.knots())
    curve = mixture(fit, population, bootstrap).survival(baseline_cumulative_hazard(fit, nodes))
    named = per_patient(fit, (curve @ weights)[..., None], [{"label": label}], "rmst")
    return named.assign_attrs(horizon=horizon)


def standardised_quantile(
    fit: Fit,
    population: Profiles,
    probability: float = 0.5,
    *,
    label: str = "population",
    extrapolate: bool = False,
    bootstrap: int | None = None,
) -> "xr.DataArray":
    """Time at which a population's survival falls to 1 - probability; the median for 0.5.

    Dims `(chain, draw, individual)`; infinite where not reached, as for `survival_quantile`. Not
    the mean of the patients' own medians.
    """
    checked_probability(probability)
    target = mixture(fit, population, bootstrap).reaching(-np.log1p(-probability))
    limit = np.inf if extrapolate else fit.end_of_follow_up
    found = time_reaching(fit, target[..., None], limit)
    return per_patient(fit, found, [{"label": label}], "quantile")


def expected_events(
    fit: Fit, population: Profiles, times: Times, *, extrapolate: bool = False
) -> "xr.DataArray":
    """Expected number of a population with the event by t, dims `(chain, draw, time)`.

    The sum of 1 - S(t|x) over its patients.
    """
    alive = standardised_survival(fit, population, times, extrapolate=extrapolate)
    events = patients_of(profile_frame(population)).sum() * (
        1 - alive.isel(individual=0, drop=True)
    )
    return events.rename("events").assign_attrs(alive.attrs)


def contrast(
    first: "xr.DataArray", second: "xr.DataArray", how: Combine = "difference"
) -> "xr.DataArray":
    """First against second in each draw: their difference, their ratio, or any function of both.

    Patients or populations are paired in their order, whatever their labels.
    """
    kinds: dict[str, Callable] = {"difference": np.subtract, "ratio": np.divide}
    if not callable(how) and how not in kinds:
        message = f'a contrast is "difference", "ratio" or a function, not {how!r}'
        raise InputError([Fault(message)])
    combine = how if callable(how) else kinds[how]
    return combine(*(each.drop_vars("individual", errors="ignore") for each in (first, second)))


def marginal_hazard_ratio(
    fit: Fit,
    first: Profiles,
    second: Profiles,
    times: Times,
    *,
    extrapolate: bool = False,
    bootstrap: int | None = None,
) -> "xr.DataArray":
    """Ratio of two populations' cumulative hazards up to t, dims `(chain, draw, time)`.

    log S1(t) / log S2(t) of the standardised curves S1 and S2. It moves towards 1 with time where
    the patients of each population differ, though each one's own hazards are proportional.
    """
    time = checked_times(fit, times, extrapolate)
    if not (time > 0).all():
        raise InputError([Fault("a hazard ratio needs times above 0")])
    baseline = baseline_cumulative_hazard(fit, time)
    upper, lower = (mixture(fit, p, bootstrap).cumulative_hazard(baseline) for p in (first, second))
    labelled = as_draws(fit, (upper / lower)[..., None, :], [{"label": ""}], time, "hazard_ratio")
    return labelled.isel(individual=0, drop=True)


def average_hazard_ratio(
    fit: Fit,
    first: Profiles,
    second: Profiles,
    horizon: float,
    *,
    extrapolate: bool = False,
    bootstrap: int | None = None,
) -> "xr.DataArray":
    """Average hazard ratio of two populations up to the horizon, dims `(chain, draw)`.

    The integral of S2 f1 over that of S1 f2, from 0 to the horizon, S and f being the survival
    and density of the standardised curves: the odds that of two patients, one of each population,
    the first's event comes first. The hazard ratio itself where hazards are proportional.

    Source: Kalbfleisch and Prentice, Biometrika 1981.
    """
    checked_horizon(fit, horizon, extrapolate)
    baseline = baseline_cumulative_hazard(fit, np.array([horizon]))[..., 0]
    mixtures = mixture(fit, first, bootstrap), mixture(fit, second, bootstrap)
    ratio = average_ratio(*mixtures, baseline)
    labelled = per_patient(fit, ratio[..., None], [{"label": ""}], "average_hazard_ratio")
    return labelled.isel(individual=0, drop=True).assign_attrs(horizon=horizon)


def baseline_covariates(fit: Fit) -> pd.DataFrame:
    """Covariates of the cohort's patients, of the first row where a patient has several.

    Of counts, those of each pattern, with the number of its patients in the column `PATIENTS`.
    """
    constant = fit.draws["constant_data"]
    first = np.unique(constant["individual"].to_numpy(), return_index=True)[1]
    found = fit.design.training.iloc[first]
    if fit.counted:
        found = found.assign(**{PATIENTS: constant["patients"].to_numpy()})
    return found
