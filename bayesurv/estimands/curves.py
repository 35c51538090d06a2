"""Survival, cumulative hazard and hazard of given patients, as draws."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.data.design import Rows
from bayesurv.data.faults import Fault, InputError
from bayesurv.fitting import Fit
from bayesurv.models.likelihood import linear_predictor

if TYPE_CHECKING:
    import xarray as xr

type Profiles = pd.DataFrame | Sequence[Mapping[str, Any]]
type Times = Sequence[float] | np.ndarray


def survival(
    fit: Fit, profiles: Profiles, times: Times, *, extrapolate: bool = False
) -> "xr.DataArray":
    """Survival S(t|x) = exp(-H(t|x)), dims `(chain, draw, individual, time)`.

    Parameters
    ----------
    profiles
        Covariates of each patient, a table or a list of mappings; a `label` names one. Without
        the column of a group term a patient stands at the groups' centre, effect 0.
    times
        In the fit's unit, from 0 to the end of follow-up; later ones only with `extrapolate`.

    Raises
    ------
    InputError
        A covariate is missing, a level is unknown, or a time is past the end of follow-up.
    """
    cumulative = cumulative_hazard(fit, profiles, times, extrapolate=extrapolate)
    return cumulative.copy(data=np.exp(-cumulative.to_numpy())).rename("survival")


def cumulative_hazard(
    fit: Fit, profiles: Profiles, times: Times, *, extrapolate: bool = False
) -> "xr.DataArray":
    """Cumulative hazard H(t|x) = H0(t) exp(x'b), dims `(chain, draw, individual, time)`."""
    time = checked_times(fit, times, extrapolate)
    relative = relative_hazard(fit, profiles)
    values = relative[..., None] * baseline_cumulative_hazard(fit, time)[..., None, :]
    return as_draws(fit, values, profiles, time, "cumulative_hazard")


def hazard(
    fit: Fit, profiles: Profiles, times: Times, *, extrapolate: bool = False
) -> "xr.DataArray":
    """Hazard h(t|x) = h0(t) exp(x'b) per unit of time, dims `(chain, draw, individual, time)`."""
    time = checked_times(fit, times, extrapolate)
    relative = relative_hazard(fit, profiles)
    values = relative[..., None] * baseline_hazard(fit, time)[..., None, :]
    return as_draws(fit, values, profiles, time, "hazard")


def conditional_survival(
    fit: Fit, profiles: Profiles, times: Times, given: float, *, extrapolate: bool = False
) -> "xr.DataArray":
    """Survival to t of those alive at `given`, S(t|x) / S(given|x), for times from there on.

    Dims `(chain, draw, individual, time)`.
    """
    time = checked_times(fit, times, extrapolate)
    if not 0 <= given <= time.min():
        message = f"conditional survival needs times from {given:g} on, and that from 0 on"
        raise InputError([Fault(message, value=given)])
    both = np.append(time, given)
    risk = cumulative_hazard(fit, profiles, both, extrapolate=extrapolate)
    since = risk.isel(time=slice(None, -1)) - risk.isel(time=-1, drop=True)
    named = since.copy(data=np.exp(-since.to_numpy())).rename("conditional_survival")
    return named.assign_attrs(risk.attrs, given=given)


def baseline_cumulative_hazard(fit: Fit, time: np.ndarray) -> np.ndarray:
    """H0(t) of each draw, `(chain, draw, time)`; it stops at 1e150, where nobody is left."""
    with np.errstate(over="ignore"):
        basis = fit.baseline.cumulative_basis(time)
        return np.minimum(fit.baseline.cumulative_hazard(basis, fit.parameters(), np), 1e150)


def baseline_hazard(fit: Fit, time: np.ndarray) -> np.ndarray:
    """h0(t) of each draw, `(chain, draw, time)`; infinite at 0 for a Weibull shape below 1."""
    with np.errstate(over="ignore"):
        basis = fit.baseline.hazard_basis(time)
        return np.exp(fit.baseline.log_hazard(basis, fit.parameters(), np))


def predictor(fit: Fit, profiles: Profiles | Rows) -> np.ndarray:
    """Linear predictor x'b plus group effects, shape `(chain, draw, individual)`."""
    rows = profiles if isinstance(profiles, Rows) else fit.design.apply(profile_frame(profiles))
    parameters = fit.parameters()
    shape = (fit.posterior.sizes["chain"], fit.posterior.sizes["draw"], len(rows.fixed))
    return np.broadcast_to(linear_predictor(fit.design, rows, parameters, np), shape)


def relative_hazard(fit: Fit, profiles: Profiles | Rows) -> np.ndarray:
    """Hazard relative to the reference profile, exp(x'b), shape `(chain, draw, individual)`."""
    return bounded_exp(predictor(fit, profiles))


def bounded_exp(predictor: np.ndarray) -> np.ndarray:
    """Exponential of linear predictors.

    A prior on a covariate in small units, such as a platelet count, holds draws whose exponential
    is no number; beyond e^300 all die at once or none does.
    """
    return np.exp(np.clip(predictor, -300, 300))


def profile_frame(profiles: Profiles) -> pd.DataFrame:
    """Profiles as a table."""
    frame = profiles if isinstance(profiles, pd.DataFrame) else pd.DataFrame(list(profiles))
    if not len(frame):
        raise InputError([Fault("no profiles were given; name at least one")])
    return frame


def labels(profiles: Profiles) -> list[str]:
    """Name of each profile: its `label`, or its covariates written out."""
    names = []
    for _, row in profile_frame(profiles).iterrows():
        given = row.get("label", "")
        written = ", ".join(
            f"{k}={plain(v)}" for k, v in row.items() if k != "label" and not pd.isna(v)
        )
        stated = "" if pd.isna(given) else plain(given)
        names.append(stated or written or "all patients")
    return names


def default_profiles(fit: Fit, treatment: str | None = None) -> pd.DataFrame:
    """Patients who differ in one covariate, typical in all others.

    Typical is 0 for a 0/1 covariate, the first level of a category, and the cohort's median of a
    number. They differ in the treatment, or else in the formula's first covariate with few levels.
    """
    training = fit.design.training.drop(columns=list(fit.design.group_variables))
    typical = {name: _typical(training[name]) for name in training}
    vary = compared(fit, treatment)
    if vary is None:
        return pd.DataFrame([typical or {"label": "all patients"}])
    return pd.DataFrame([typical | {vary: level} for level in _choices(training[vary])])


def compared(fit: Fit, treatment: str | None = None) -> str | None:
    """Covariate that tells the arms apart: the treatment, or else the first with few levels."""
    training = fit.design.training.drop(columns=list(fit.design.group_variables))
    few = [str(name) for name in training if _choices(training[name])]
    return treatment if treatment in few else next(iter(few), None)


def _typical(values: pd.Series) -> Any:
    choices = _choices(values)
    return choices[0] if choices else round(float(values.median()), 6)


def _choices(values: pd.Series, most: int = 6) -> list[Any]:
    """Levels of a covariate that has few: those of a category, or of a number with two."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return list(values.cat.categories)[:most]
    found = np.sort(values.unique())
    return found.tolist() if len(found) <= 2 else []


def checked_times(fit: Fit, times: Times, extrapolate: bool) -> np.ndarray:
    """Times as an array; refused below 0 or, unless asked for, past the end of follow-up."""
    time = np.atleast_1d(np.asarray(times, dtype=float))
    if not time.size:
        raise InputError([Fault("no times were given; name at least one")])
    if not np.isfinite(time).all() or (time < 0).any():
        raise InputError([Fault("times must be finite and not below 0")])
    end = fit.end_of_follow_up
    if not extrapolate and time.max() > end:
        message = (
            f"time {time.max():g} is past the end of follow-up, {end:.12g} {fit.unit}; use times"
        )
        remedy = "up to there, or ask for extrapolation (--extrapolate, or extrapolate=True)"
        raise InputError([Fault(f"{message} {remedy}")])
    return time


def time_grid(fit: Fit, points: int = 101) -> np.ndarray:
    """Times from 0 to the end of follow-up, with the baseline's knots among them."""
    grid = np.linspace(0, fit.end_of_follow_up, points)
    knots = fit.baseline.knots()
    return np.unique(np.concatenate([grid, knots[knots < grid[-1]]]))


def as_draws(
    fit: Fit, values: np.ndarray, profiles: Profiles | Rows, time: np.ndarray, name: str
) -> "xr.DataArray":
    """Label an array of shape `(chain, draw, individual, time)`."""
    import xarray as xr

    count = values.shape[2]
    names = range(count) if isinstance(profiles, Rows) else labels(profiles)
    coords = {
        "chain": fit.posterior.chain,
        "draw": fit.posterior.draw,
        "individual": list(names),
        "time": time,
    }
    attrs = {"unit": fit.unit, "end_of_follow_up": fit.end_of_follow_up}
    return xr.DataArray(values, coords, ("chain", "draw", "individual", "time"), name, attrs)


def plain(value: Any) -> str:
    """A covariate's value as a label shows it."""
    return f"{value:g}" if isinstance(value, float) else str(value)
