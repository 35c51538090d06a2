"""The grid over hierarchical scales, on densities that are known."""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from bayesurv.inference import laplace
from bayesurv.inference.compile import compile_model
from bayesurv.inference.hyperparameter_grid import explore
from bayesurv.inference.importance import propose
from bayesurv.inference.laplace import approximate


def funnel(*spreads, width=4):
    """Neal's funnel for each spread: log_sd ~ Normal(0, spread), effect ~ Normal(0, exp(log_sd)).

    The density is normalised: its evidence is 1.
    """
    with pm.Model() as model:
        for i, spread in enumerate(spreads):
            log_sd = pm.Normal(f"log_sd_{i}", 0.0, pm.Data(f"spread_{i}", spread))
            pm.Normal(f"effect_{i}", 0.0, pm.math.exp(log_sd), shape=width)
    return compile_model(model).starting_at({})


@pytest.fixture(scope="module")
def one():
    return funnel(1.5)


@pytest.fixture(scope="module")
def two():
    return funnel(1.0, 1.5, width=2)


def test_a_funnel_fails_without_the_grid(one):
    found = approximate(one, draws=4000, seed=1, gridded=())
    assert not found.reliable


@pytest.mark.parametrize("spread", [1.5, 0.02])
def test_a_funnel_is_covered_with_it(one, spread):
    """Also where the scale is known so well that the grid must be refined."""
    compiled = one.with_data(spread_0=np.array(spread))
    found = approximate(compiled, draws=10000, seed=1, gridded=("log_sd_0",))
    assert found.reliable
    assert found.pareto_k < 0.5
    assert found.effective_draws > 5000
    assert found.log_evidence == pytest.approx(0, abs=0.05)
    log_sd = found.named("log_sd_0")
    assert found.weight @ log_sd == pytest.approx(0, abs=0.06 * spread)
    assert np.sqrt(found.weight @ log_sd**2) == pytest.approx(spread, rel=0.06)
    ratio = found.named("effect_0") / np.exp(log_sd)[:, None]
    assert found.named("effect_0").shape == (10000, 4)
    np.testing.assert_allclose(found.weight @ ratio, 0, atol=0.06)
    np.testing.assert_allclose(found.weight @ ratio**2, 1, rtol=0.08)


def test_two_scales(two):
    found = approximate(two, draws=10000, seed=2, gridded=("log_sd_0", "log_sd_1"))
    assert found.reliable
    assert found.log_evidence == pytest.approx(0, abs=0.06)
    for name, spread in (("log_sd_0", 1.0), ("log_sd_1", 1.5)):
        assert found.weight @ found.named(name) == pytest.approx(0, abs=0.08 * spread)
        assert np.sqrt(found.weight @ found.named(name) ** 2) == pytest.approx(spread, rel=0.08)


def test_more_scales_than_a_grid_can_span(two, monkeypatch):
    """No grid is laid, and k says that a grid was needed."""
    monkeypatch.setattr(laplace, "MOST_GRIDDED", 1)
    found = approximate(two, draws=4000, gridded=("log_sd_0", "log_sd_1"))
    assert not found.reliable


def test_the_density_of_a_proposal_is_that_of_its_draws(two):
    """Its integral over boxes, by its own density, is the share of its draws there."""
    grid = explore(two, np.array([0, 3]), np.zeros(two.n_dim))
    assert grid.settled
    position, log_density = propose(grid, 200_000, np.random.default_rng(1))
    inverse = np.exp(-log_density)
    box = (np.abs(position[:, grid.gridded]) < 1.2).all(axis=1)
    box &= (np.abs(position[:, grid.free]) < 0.8).all(axis=1)
    volume = 2.4**2 * 1.6**4
    assert (inverse * box).mean() == pytest.approx(volume, rel=0.05)


def test_a_proposal_reaches_beyond_its_grid(one):
    """With the inverse square of the distance, so that no tail is cut off."""
    whole = explore(one, np.array([0]), np.zeros(one.n_dim))
    best = int(whole.log_mass.argmax())
    single = replace(
        whole,
        lowest=whole.lowest + best * whole.step,
        shape=(1,),
        log_mass=whole.log_mass[best : best + 1],
        centre=whole.centre[best : best + 1],
        root=whole.root[best : best + 1],
    )
    position, _ = propose(single, 20_000, np.random.default_rng(2))
    distance = np.abs(position[:, 0] - single.lowest[0]) / single.step[0]
    assert stats.kstest(distance, lambda d: d / (1 + d)).pvalue > 1e-4
