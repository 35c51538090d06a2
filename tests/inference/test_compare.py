"""Stacking weights, bridges between posteriors, standard errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from bayesurv.inference.compare import (
    bootstrapped_weights,
    bridge,
    stacking_weights,
    standard_error,
)


def score(pointwise, weights):
    return np.log(np.exp(pointwise) @ weights).mean()


@settings(deadline=None, derandomize=True)
@given(st.integers(2, 5), st.integers(2, 80), st.floats(0.01, 3), st.integers(0, 2**20))
def test_weights_are_the_best_there_are(models, patients, spread, seed):
    """At the maximum of a concave score no model's gradient is above the average, 1."""
    random = np.random.default_rng(seed)
    pointwise = random.normal(-3, 2, (patients, 1)) + random.normal(0, spread, (patients, models))
    weights = stacking_weights(pointwise)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    density = np.exp(pointwise)
    gradient = (density / (density @ weights)[:, None]).mean(axis=0)
    assert gradient.max() < 1 + 1e-4


def test_weights_by_a_grid():
    pointwise = np.random.default_rng(4).normal(-3, 1, (40, 3))
    steps = np.linspace(0, 1, 101)
    grid = [(a, b, 1 - a - b) for a in steps for b in steps if a + b <= 1]
    best = max(grid, key=lambda weights: score(pointwise, np.array(weights)))
    assert min(best) > 0.05
    np.testing.assert_allclose(stacking_weights(pointwise), best, atol=0.01)


def test_a_model_that_is_always_better_gets_all_weight():
    better = np.random.default_rng(5).normal(-3, 1, 61)
    np.testing.assert_allclose(stacking_weights(np.column_stack([better - 0.3, better])), [0, 1])


def test_models_of_other_patients_share_the_weight():
    """Where each patient has a density under one model only, weights are shares of patients."""
    first = np.arange(40) < 28
    pointwise = np.where(np.column_stack([first, ~first]), -2.0, -60.0)
    np.testing.assert_allclose(stacking_weights(pointwise), [0.7, 0.3], atol=1e-6)
    share = np.where(first, 0.5 / 28, 0.5 / 12)
    np.testing.assert_allclose(stacking_weights(pointwise, share), [0.5, 0.5], atol=1e-6)


def test_bootstrap_knows_how_sure_weights_are():
    """With patients of one model only, weights vary as shares of 40 do: Beta(28, 12)."""
    first = np.arange(40) < 28
    pointwise = np.where(np.column_stack([first, ~first]), -2.0, -60.0)
    found = bootstrapped_weights(pointwise, draws=500, seed=2)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found[:, 0].mean() == pytest.approx(0.7, abs=0.01)
    assert found[:, 0].std() == pytest.approx(np.sqrt(0.7 * 0.3 / 41), rel=0.1)


def test_bridge_between_normal_posteriors():
    """Mean of normal data: one of 20 patients lies far away; its predictive density is known."""
    random = np.random.default_rng(6)
    others, far = random.normal(0, 1, 19), 9.0
    without = norm(others.sum() / 20, np.sqrt(1 / 20))
    whole = norm((others.sum() + far) / 21, np.sqrt(1 / 21))
    exact = norm(without.mean(), np.sqrt(1 + 1 / 20)).logpdf(far)
    errors = []
    for _ in range(200):
        fitted, left_out = (
            norm(posterior.rvs((4, 500), random), 1).logpdf(far) for posterior in (whole, without)
        )
        found, error = bridge(fitted, left_out)
        assert error.mean() == pytest.approx(0, abs=1e-10)
        errors.append((found - exact) / (error.std() / np.sqrt(error.size)))
    assert np.mean(errors) == pytest.approx(0, abs=0.25)
    assert np.std(errors) == pytest.approx(1, abs=0.15)


def test_bridge_of_draws_that_exclude_the_patient():
    left_out = np.log(np.random.default_rng(7).uniform(size=(4, 500)))
    fitted = np.random.default_rng(8).choice(left_out.ravel(), (4, 500), p=_weights(left_out))
    left_out[:, ::2] = -np.inf
    found, _ = bridge(fitted, left_out)
    assert found == pytest.approx(np.log(0.25), abs=0.1)


def _weights(logs):
    return (np.exp(logs) / np.exp(logs).sum()).ravel()


def test_standard_error_of_a_sum():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    assert standard_error(values) == pytest.approx(2 * values.std(ddof=1))
