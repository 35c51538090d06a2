"""Weights, weighted quantiles and their errors."""

import numpy as np
import pytest
from scipy import stats

from bayesurv.inference.reweigh import smoothed, weighted_error, weighted_quantile


def test_equal_ratios_are_equal_weights():
    weights, k = smoothed(np.full((2, 50), 3.0))
    np.testing.assert_array_equal(weights, 0.01)
    assert k < 0


def test_ratios_that_differ_by_rounding_are_equal_weights():
    ratios = np.log1p(np.random.default_rng(6).choice([0, 2e-16], (4, 1000)))
    weights, k = smoothed(ratios)
    np.testing.assert_allclose(weights, 1 / 4000)
    assert k < 0


def test_weights_turn_one_normal_into_another():
    draws = np.random.default_rng(1).normal(size=(4, 5000))
    target = stats.norm(0.3, 0.9)
    weights, k = smoothed(target.logpdf(draws) - stats.norm.logpdf(draws))
    assert k < 0.5
    assert weights.sum() == pytest.approx(1)
    assert (weights * draws).sum() == pytest.approx(0.3, abs=0.03)
    found = weighted_quantile(draws, weights, [0.025, 0.5, 0.975])
    np.testing.assert_allclose(found, target.ppf([0.025, 0.5, 0.975]), atol=0.05)


def test_hopeless_weights_have_a_large_k():
    draws = np.random.default_rng(2).normal(size=(4, 1000))
    _, k = smoothed(stats.norm(4, 3).logpdf(draws) - stats.norm.logpdf(draws))
    assert k > 0.7


def test_with_equal_weights_quantiles_are_numpys():
    draws = np.random.default_rng(3).normal(size=(3, 70))
    equal = np.full(draws.shape, 1 / draws.size)
    at = [0.01, 0.2, 0.5, 0.9]
    expected = np.quantile(draws, at, method="hazen")
    np.testing.assert_allclose(weighted_quantile(draws, equal, at), expected)


def test_between_infinite_draws_nothing_is_interpolated():
    draws = np.array([[1.0, 2.0, np.inf, np.inf]])
    equal = np.full(draws.shape, 0.25)
    assert weighted_quantile(draws, equal, [0.3, 0.7]).tolist() == [2.0, np.inf]


def test_a_weight_of_2_is_the_draw_twice():
    draws = np.random.default_rng(4).normal(size=(1, 200))
    doubled = np.repeat(draws, np.where(np.arange(200) < 100, 2, 1), axis=1)
    weights = np.where(np.arange(200) < 100, 2.0, 1.0)[None] / 300
    at = np.linspace(0.05, 0.95, 7)
    expected = weighted_quantile(doubled, np.full(doubled.shape, 1 / 300), at)
    np.testing.assert_allclose(weighted_quantile(draws, weights, at), expected, atol=0.02)


def test_error_of_a_weighted_mean_is_its_spread_over_repetitions():
    generator = np.random.default_rng(5)
    means, errors = [], []
    for _ in range(200):
        draws = generator.normal(size=(2, 500))
        weights, _ = smoothed(0.5 * draws)
        means.append((weights * draws).sum())
        errors.append(weighted_error(draws, weights))
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.2)


def test_error_where_all_draws_agree():
    equal = np.full((2, 50), 0.01)
    assert weighted_error(np.ones((2, 50), bool), equal) == pytest.approx(1 / 101)
