"""Every baseline's formulas under JAX: the numbers they have under numpy, and finite slopes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bayesurv.models.baselines import (
    Exponential,
    Gompertz,
    MSpline,
    PiecewiseExponential,
    Weibull,
)

TIMES = np.array([0.0, 1e-9, 0.5, 3.0, 3.0 + 1e-9, 11.0, 24.0, 60.0])
LOG_MEDIAN = np.log(6.0)
CASES = {
    "exponential": (Exponential(), {"intercept": -2.5}),
    "weibull": (Weibull(), {"intercept": -2.5, "shape": 0.7}),
    "rising": (Gompertz(scale=9.0), {"intercept": -2.5, "slope": 0.8}),
    "flat": (Gompertz(scale=9.0), {"intercept": -2.5, "slope": 1e-9}),
    "falling": (Gompertz(scale=9.0), {"intercept": -2.0, "slope": -0.4}),
    "independent": (
        PiecewiseExponential(cuts=(3.0, 11.0), smoothing="independent"),
        {"log_hazard": [-2.0, -2.5, -3.5]},
    ),
    "random-walk": (
        PiecewiseExponential(cuts=(3.0, 11.0)),
        {"log_hazard_start": -2.0, "smoothing_sd": 0.4, "log_hazard_step": [1.2, -0.7]},
    ),
    "one interval": (
        PiecewiseExponential(cuts=()),
        {"log_hazard_start": -2.0, "smoothing_sd": 0.4, "log_hazard_step": []},
    ),
    "m-spline": (
        MSpline(inner=(3.0, 11.0), boundary=24.0),
        {"intercept": -1.0, "smoothing_sd": 0.6, "weight_step": [0.3, -1.0, 0.2, 1.4, -0.6]},
    ),
}


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def formulas(baseline, sampled, xp):
    """Log hazard and cumulative hazard at the times, and the level of a median, end to end."""
    parameters = baseline.assemble(sampled, xp)
    rates = baseline.log_hazard(baseline.hazard_basis(TIMES), parameters, xp)
    summed = baseline.cumulative_hazard(baseline.cumulative_basis(TIMES), parameters, xp)
    level = xp.asarray(baseline.level(xp.asarray(LOG_MEDIAN), sampled, xp))[..., None]
    parts = [rates, summed, xp.broadcast_to(level, (*rates.shape[:-1], 1))]
    return xp.concatenate(parts, axis=-1)


@pytest.mark.parametrize("case", CASES)
def test_values_are_those_of_numpy(case):
    baseline, numbers = CASES[case]
    sampled = {name: np.asarray(value, dtype=float) for name, value in numbers.items()}
    expected = formulas(baseline, sampled, np)
    np.testing.assert_allclose(formulas(baseline, sampled, jnp), expected, rtol=1e-13, atol=1e-13)
    compiled = jax.jit(lambda values: formulas(baseline, values, jnp))
    np.testing.assert_allclose(compiled(sampled), expected, rtol=1e-12, atol=1e-12)
    draws = {name: np.stack([value, value]) for name, value in sampled.items()}
    np.testing.assert_allclose(compiled(draws), [expected, expected], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_slopes_are_finite_and_those_of_differences(case):
    baseline, numbers = CASES[case]
    sampled = {name: jnp.asarray(value, dtype=float) for name, value in numbers.items()}
    sampled = {name: value for name, value in sampled.items() if value.size}
    empty = {name: jnp.zeros(0) for name in numbers if name not in sampled}
    slopes = jax.jacfwd(lambda values: formulas(baseline, values | empty, jnp))(sampled)
    for name, value in sampled.items():
        assert np.isfinite(slopes[name]).all()  # time 0 among them, the first
        up, down = (
            formulas(baseline, sampled | empty | {name: value + step}, jnp)
            for step in (1e-5, -1e-5)
        )
        total = slopes[name].reshape(len(up), -1).sum(axis=1)
        differences = (up - down) / 2e-5
        np.testing.assert_allclose(total[1:], differences[1:], rtol=1e-5, atol=1e-5)
