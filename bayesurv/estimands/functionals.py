"""Numbers from curves, as draws: RMST, medians and other quantiles."""

from typing import TYPE_CHECKING

import numpy as np

from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.curves import (
    Profiles,
    baseline_cumulative_hazard,
    checked_times,
    labels,
    relative_hazard,
)
from bayesurv.fitting import Fit
from bayesurv.models.baselines import Baseline, Parameters

if TYPE_CHECKING:
    import xarray as xr

NODES, HALVINGS = 12, 6  # RMST to 1e-8 of itself for Weibull shapes 0.2 to 5, see the tests


def rmst(
    fit: Fit, profiles: Profiles, horizon: float, *, extrapolate: bool = False
) -> "xr.DataArray":
    """Restricted mean survival time, the integral of S(t|x) from 0 to the horizon.

    Dims `(chain, draw, individual)`, in the fit's unit; Gauss-Legendre quadrature between the
    baseline's knots.

    Raises
    ------
    InputError
        The horizon is not above 0, or past the end of follow-up without `extrapolate`.
    """
    checked_horizon(fit, horizon, extrapolate)
    nodes, weights = quadrature(horizon, fit.baseline.knots())
    cumulative = baseline_cumulative_hazard(fit, nodes)
    relative = relative_hazard(fit, profiles)
    area = np.zeros(relative.shape)
    for node, weight in enumerate(weights):
        area += weight * np.exp(-relative * cumulative[..., node, None])
    return per_patient(fit, area, profiles, "rmst").assign_attrs(horizon=horizon)


def checked_horizon(fit: Fit, horizon: float, extrapolate: bool) -> None:
    """Refuse a horizon not above 0 or, unless asked for, past the end of follow-up."""
    if not horizon > 0:
        raise InputError([Fault("the horizon must be above 0", value=horizon)])
    checked_times(fit, [horizon], extrapolate)


def quadrature(
    horizon: float, knots: np.ndarray, halvings: int = HALVINGS
) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss-Legendre panels between 0, the knots and the horizon.

    Panels halve towards 0, so that a survival that falls early is seen too, and the first is
    graded, t = u^4, because t^shape is not smooth at 0.
    """
    points, weights = np.polynomial.legendre.leggauss(NODES)
    unit = (points + 1) / 2
    inner = knots[(knots > 0) & (knots < horizon)]
    ends = np.unique(np.concatenate([horizon / 2.0 ** np.arange(halvings + 1), inner]))
    nodes, sizes = [ends[0] * unit**4], [ends[0] * 4 * unit**3 * weights / 2]
    for left, right in zip(ends[:-1], ends[1:], strict=True):
        nodes.append(left + (right - left) * unit)
        sizes.append((right - left) * weights / 2)
    return np.concatenate(nodes), np.concatenate(sizes)


def survival_quantile(
    fit: Fit, profiles: Profiles, probability: float = 0.5, *, extrapolate: bool = False
) -> "xr.DataArray":
    """Time at which S(t|x) falls to 1 - probability; the median for 0.5.

    Dims `(chain, draw, individual)`, in the fit's unit. A draw that does not get there by the end
    of follow-up is infinite: "not reached" is a probability, never a number. With `extrapolate`
    only draws that never get there are.
    """
    checked_probability(probability)
    target = -np.log1p(-probability) / relative_hazard(fit, profiles)
    found = time_reaching(fit, target, np.inf if extrapolate else fit.end_of_follow_up)
    return per_patient(fit, found, profiles, "quantile")


def prob_not_reached(draws: "xr.DataArray") -> "xr.DataArray":
    """Share of the draws in which a quantile is not reached, that is, infinite."""
    return (draws == np.inf).mean(("chain", "draw"))


def checked_probability(probability: float) -> None:
    """Refuse a probability that is not between 0 and 1."""
    if not 0 < probability < 1:
        raise InputError([Fault("the probability must lie between 0 and 1", value=probability)])


def time_reaching(fit: Fit, target: np.ndarray, limit: float) -> np.ndarray:
    """Time at which H0 reaches each draw's target, both `(chain, draw, individual)`.

    Infinite where that is after the limit.
    """
    flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in fit.parameters().items()}
    per_draw = target.reshape(-1, target.shape[-1])
    found = np.stack(
        [invert(fit.baseline, flat, column, fit.end_of_follow_up) for column in per_draw.T], axis=-1
    )
    return np.where(found <= limit, found, np.inf).reshape(target.shape)


def per_patient(fit: Fit, values: np.ndarray, profiles: Profiles, name: str) -> "xr.DataArray":
    """Label an array of shape `(chain, draw, individual)`."""
    import xarray as xr

    coords = {
        "chain": fit.posterior.chain,
        "draw": fit.posterior.draw,
        "individual": labels(profiles),
    }
    attrs = {"unit": fit.unit, "end_of_follow_up": fit.end_of_follow_up}
    return xr.DataArray(values, coords, ("chain", "draw", "individual"), name, attrs)


def invert(
    baseline: Baseline, parameters: Parameters, target: np.ndarray, guess: float
) -> np.ndarray:
    """Times at which H0 reaches each draw's target, shape `(draw,)`; infinite where it never does.

    Bisection on the logarithm of time, from the smallest numbers to 1e10 times the guess, to the
    last bits of a float.
    """
    low = np.full(target.shape, np.log(guess) - 700.0)
    high = np.full(target.shape, np.log(guess) + 23.0)
    reached = own_cumulative_hazard(baseline, parameters, np.exp(high)) >= target
    for _ in range(60):
        middle = (low + high) / 2
        above = own_cumulative_hazard(baseline, parameters, np.exp(middle)) >= target
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.where(reached, np.exp(high), np.inf)


def own_cumulative_hazard(
    baseline: Baseline, parameters: Parameters, time: np.ndarray
) -> np.ndarray:
    """H0 of each draw at its own time, both of shape `(draw,)`."""
    basis = np.moveaxis(baseline.cumulative_basis(time), -1, 0)
    basis = (
        basis.reshape(len(time), *basis.shape[1:], 1) if basis.ndim > 1 else basis[:, None, None]
    )
    single = {name: np.asarray(value)[:, None] for name, value in parameters.items()}
    with np.errstate(over="ignore"):
        return baseline.cumulative_hazard(basis, single, np).reshape(len(time))
