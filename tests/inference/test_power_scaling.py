"""Power-scaling: weights, gradients and what they are said to mean."""

import numpy as np
import pytest
from arviz_stats.base import array_stats
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from bayesurv.inference.sensitivity import (
    CONFLICT,
    NOT_SENSITIVE,
    STRONG_PRIOR,
    PowerScaling,
    diagnosis,
)

DRAWS = np.random.default_rng(1).normal(0.4, 0.3, (4, 1000))


def prior(mu, sigma):
    return PowerScaling.of(stats.norm.logpdf(DRAWS, mu, sigma))


def test_weights_are_the_density_to_the_small_power():
    log_density = stats.norm.logpdf(DRAWS, 0, 0.75)
    found = PowerScaling.of(log_density)
    for weights, power in ((found.lower, -0.01), (found.upper, 0.01)):
        expected = np.exp(power * log_density)
        assert weights.sum() == pytest.approx(1)
        assert_allclose(weights, expected / expected.sum(), rtol=2e-3)


def test_the_gradient_is_that_of_the_distance_between_distributions():
    """CJS distance of Kallioinen et al. from its definition, over steps of the sorted draws."""

    def distance(weights):
        order = np.argsort(DRAWS, axis=None)
        x = DRAWS.reshape(-1)[order]
        p = np.arange(1, x.size) / x.size
        q = np.cumsum(weights.reshape(-1)[order])[:-1]

        def one_way(a, b):
            middle = (a + b) / 2
            log = np.log2(np.where(a > 0, a, 1) / middle)
            return np.diff(x) @ (a * log) + np.diff(x) @ (b - a) / (2 * np.log(2))

        def cjs(a, b):
            return np.sqrt((one_way(a, b) + one_way(b, a)) / (np.diff(x) @ (a + b)))

        return max(cjs(p, q), cjs(1 - p, 1 - q))

    scaled = prior(-0.5, 0.4)
    gradient = (distance(scaled.upper) + distance(scaled.lower)) / (2 * np.log2(1.01))
    assert scaled.sensitivity(DRAWS) == pytest.approx(gradient, rel=0.02)


def test_the_gradient_is_arvizs():
    scaled = prior(0, 0.75)
    expected = array_stats.power_scale_sense(
        DRAWS, scaled.lower, scaled.upper, 0.99, 1.01, chain_axis=0, draw_axis=1
    )
    assert scaled.sensitivity(DRAWS) == expected


@settings(deadline=None, max_examples=20)
@given(st.floats(-50, 50), st.floats(-5, 5), st.floats(0.1, 10))
def test_neither_a_constant_nor_the_unit_matters(constant, shift, scale):
    log_density = stats.norm.logpdf(DRAWS, -0.5, 0.4)
    expected = PowerScaling.of(log_density).sensitivity(DRAWS)
    found = PowerScaling.of(log_density + constant).sensitivity(shift + scale * DRAWS)
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_stronger_prior_and_one_further_away_are_felt_more():
    weak, strong, far = (p.sensitivity(DRAWS) for p in (prior(0, 5), prior(0, 0.4), prior(-2, 0.4)))
    assert weak < 0.01 < strong < far


@pytest.mark.parametrize(
    ("prior", "likelihood", "expected"),
    [
        (0.049, 0.9, NOT_SENSITIVE),
        (0.05, 0.05, CONFLICT),
        (0.05, 0.049, STRONG_PRIOR),
        (0.0, 0.0, NOT_SENSITIVE),
    ],
)
def test_diagnosis(prior, likelihood, expected):
    assert diagnosis(prior, likelihood) == expected
