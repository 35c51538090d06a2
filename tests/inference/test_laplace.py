"""The Laplace approximation against posteriors that are known in closed form."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from bayesurv.inference.compile import compile_model
from bayesurv.inference.evaluate import log_density
from bayesurv.inference.laplace import approximate, expanded

EVENTS, EXPOSURE = 27.0, 310.0


@pytest.fixture(scope="module")
def regression():
    """Coefficients of known noise; the second covariate is a million times the first."""
    generator = np.random.default_rng(1)
    covariate = generator.normal(size=(40, 3)) * [1.0, 1e6, 10.0]
    covariate[:, 2] += 8 * covariate[:, 0]
    outcome = covariate @ [0.5, 2e-6, -0.1] + generator.normal(size=40)
    with pm.Model() as model:
        x, y = pm.Data("x", covariate), pm.Data("y", outcome)
        coefficient = pm.Normal("coefficient", 0.0, [1.0, 1e-5, 0.5], shape=3)
        pm.Normal("likelihood", x @ coefficient, 1.0, observed=y)
    return compile_model(model).starting_at({}), covariate, outcome


@pytest.fixture(scope="module")
def rate():
    """A constant hazard of a few events in some person-time, under a gamma prior."""
    with pm.Model() as model:
        events, exposure = pm.Data("events", np.array(EVENTS)), pm.Data("exposure", EXPOSURE)
        hazard = pm.Gamma("hazard", 2.0, 10.0)
        pm.Deterministic("median", np.log(2) / hazard)
        pm.Potential("likelihood", events * pm.math.log(hazard) - hazard * exposure)
    return compile_model(model).starting_at({"hazard": np.array(-1.6)})


@pytest.fixture(scope="module")
def two_modes():
    with pm.Model() as model:
        x = pm.Flat("x")
        far = pm.logp(pm.Normal.dist(0.0, 1.0), x), pm.logp(pm.Normal.dist(5.0, 1.0), x)
        pm.Potential("mixture", pm.math.logaddexp(*far) - np.log(2))
    return compile_model(model).starting_at({})


def moments(values, weight):
    mean = weight @ values
    return mean, np.sqrt(weight @ np.square(values - mean))


def test_a_normal_posterior(regression):
    """Mean, covariance, mode and evidence, in elements of very different scale."""
    compiled, x, y = regression
    prior = np.diag([1.0, 1e-10, 0.25])
    covariance = np.linalg.inv(x.T @ x + np.linalg.inv(prior))
    mean = covariance @ x.T @ y
    sd = np.sqrt(np.diag(covariance))
    found = approximate(compiled, draws=20000, seed=1)
    assert found.reliable
    np.testing.assert_allclose(found.mode, mean, rtol=1e-6)
    estimate, spread = moments(found.position, found.weight)
    assert np.abs((estimate - mean) / sd).max() < 0.04
    np.testing.assert_allclose(spread, sd, rtol=0.04)
    evidence = stats.multivariate_normal(np.zeros(40), x @ prior @ x.T + np.eye(40)).logpdf(y)
    assert found.log_evidence == pytest.approx(evidence, abs=0.03)
    assert 0.6 * 20000 < found.effective_draws <= 20000


def test_a_gamma_posterior(rate):
    """A skew posterior on the log scale, its evidence, and quantities computed from it."""
    exact = stats.gamma(2 + EVENTS, scale=1 / (10 + EXPOSURE))
    found = approximate(rate, draws=20000, seed=2)
    assert found.reliable
    hazard = np.exp(found.named("hazard_log__"))
    mean, sd = moments(hazard, found.weight)
    assert mean == pytest.approx(exact.mean(), abs=0.04 * exact.std())
    assert sd == pytest.approx(exact.std(), rel=0.04)
    log_gamma = stats.gamma.logpdf(0.1, 2, scale=1 / 10) + EVENTS * np.log(0.1) - 0.1 * EXPOSURE
    assert found.log_evidence == pytest.approx(log_gamma - exact.logpdf(0.1), abs=0.03)
    every = expanded(rate, found.position)
    assert set(every) == {"hazard", "median"}
    np.testing.assert_allclose(every["hazard"], hazard, rtol=1e-12)
    np.testing.assert_allclose(every["median"], np.log(2) / hazard, rtol=1e-12)


def test_equally_weighted_draws(rate):
    exact = stats.gamma(2 + EVENTS, scale=1 / (10 + EXPOSURE))
    found = approximate(rate, draws=20000, seed=3)
    kept = found.resampled(5000, np.random.default_rng(1))
    assert kept.shape == (5000, 1)
    assert np.isin(kept, found.position).all()
    assert stats.kstest(np.exp(kept[:, 0]), exact.cdf).statistic < 1.95 / np.sqrt(4000)


def test_the_same_seed_gives_the_same_numbers(regression):
    compiled = regression[0]
    first, second = (approximate(compiled, draws=200, seed=7) for _ in range(2))
    np.testing.assert_array_equal(first.position, second.position)
    np.testing.assert_array_equal(first.weight, second.weight)
    assert first.weight.sum() == pytest.approx(1, abs=1e-12)
    assert not np.array_equal(first.position, approximate(compiled, draws=200, seed=8).position)


def test_threads_give_the_same_numbers(rate):
    models = [rate.with_data(events=np.array(float(count))) for count in range(1, 41)]
    one_by_one = [approximate(model, draws=500) for model in models]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(lambda model: approximate(model, draws=500), models))
    for first, second in zip(one_by_one, at_once, strict=True):
        np.testing.assert_array_equal(first.position, second.position)
        np.testing.assert_array_equal(first.weight, second.weight)


@pytest.mark.parametrize("start", [-20.0, 6.0])
def test_newton_from_a_bad_start(rate, start):
    """Where the log density is nearly flat, and where it falls by a hundred thousand."""
    found = approximate(rate.starting_at({"hazard": np.array(start)}), draws=200)
    assert found.settled
    assert found.mode[0] == pytest.approx(np.log((2 + EVENTS) / (10 + EXPOSURE)), abs=1e-5)


def test_other_data_need_no_other_code(rate):
    found = approximate(rate.with_data(events=np.array(3.0), exposure=np.array(20.0)), draws=200)
    assert found.mode[0] == pytest.approx(np.log(5 / 30), abs=1e-5)


def test_a_second_mode_is_reported(two_modes):
    """The tails of a t around one mode reach the other: Pareto k is large."""
    found = approximate(two_modes, draws=4000, seed=1)
    assert found.settled
    assert found.pareto_k > 0.7
    assert not found.reliable


def test_a_density_that_is_nowhere_finite_is_not_reliable(rate):
    found = approximate(rate.with_data(events=np.array(np.nan)), draws=50)
    assert not found.settled
    assert found.pareto_k == np.inf
    assert not found.reliable
    np.testing.assert_allclose(found.weight, 1 / 50)


def test_densities_and_gradients_of_many_positions(regression):
    """Also of positions that do not lie row by row in memory."""
    compiled, x, y = regression
    position = np.asfortranarray(np.random.default_rng(2).normal(size=(7, 3)) * [1, 1e-6, 0.1])
    value, gradient = log_density(compiled, position)
    residual = y - position @ x.T
    sd = np.array([1.0, 1e-5, 0.5])
    expected = stats.norm.logpdf(residual).sum(axis=-1) + stats.norm.logpdf(position, 0, sd).sum(1)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    np.testing.assert_allclose(gradient, residual @ x - position / sd**2, rtol=1e-9)
