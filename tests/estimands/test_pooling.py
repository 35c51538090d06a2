"""Mixtures of members: the law of total variance, and mixtures known in closed form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq
from scipy.stats import norm

from bayesurv.estimands.pooling import SPREAD, pool, spread
from bayesurv.inference.members import noise

DRAWS = arrays(
    float,
    st.tuples(st.integers(2, 5), st.integers(1, 3), st.integers(4, 9)),
    elements=st.floats(-50, 50, width=32),
)


@given(DRAWS)
def test_total_variance_is_within_and_between(draws):
    found = spread(draws)
    assert found["sd"] ** 2 == pytest.approx(found["within_sd"] ** 2 + found["between_sd"] ** 2)
    assert found["between_sd"] >= 0
    assert 0 <= found["share_between"] <= 1
    members = len(draws)
    between = draws.mean(axis=(1, 2)).var() - noise(draws).mean() * (members - 1) / members
    assert found["between_sd"] ** 2 == pytest.approx(max(between, 0), abs=1e-9)
    whole = found["within_sd"] ** 2 + draws.mean(axis=(1, 2)).var()
    assert whole == pytest.approx(draws.var(), abs=1e-9)


@given(DRAWS, st.floats(-5, 5), st.floats(0.1, 10), st.randoms())
def test_units_and_the_order_of_members_do_not_matter(draws, shift, scale, random):
    order = list(range(len(draws)))
    random.shuffle(order)
    before, after = pool(draws), pool(shift + scale * draws[order])
    for name in ("mean", "median", "lower", "upper", "member_low", "member_high"):
        assert after[name] == pytest.approx(shift + scale * before[name], abs=1e-6)
    for name in ("sd", "within_sd", "between_sd"):
        assert after[name] == pytest.approx(scale * before[name], rel=1e-4, abs=1e-4 * scale)


def test_two_known_normals():
    """A mixture of N(-1, 1) and N(2, 0.5), half and half."""
    means, sds = np.array([-1.0, 2.0]), np.array([1.0, 0.5])
    random = np.random.default_rng(5)
    draws = random.normal(means[:, None, None], sds[:, None, None], (2, 4, 100_000))

    def quantile(probability):
        return brentq(lambda x: norm(means, sds).cdf(x).mean() - probability, -10, 10)

    found = pool(draws)
    assert found["mean"] == pytest.approx(0.5, abs=0.01)
    assert found["within_sd"] == pytest.approx(np.sqrt((1 + 0.25) / 2), abs=0.01)
    assert found["between_sd"] == pytest.approx(1.5, abs=0.01)
    assert found["share_between"] == pytest.approx(2.25 / (2.25 + 0.625), abs=0.005)
    assert found["lower"] == pytest.approx(quantile(0.025), abs=0.01)
    assert found["median"] == pytest.approx(quantile(0.5), abs=0.02)
    assert found["upper"] == pytest.approx(quantile(0.975), abs=0.01)
    assert (found["member_low"], found["member_high"]) == pytest.approx(means, abs=0.01)


def test_equal_members_differ_by_noise_alone():
    """Their means differ by chance, which is not taken for missing data."""
    draws = np.random.default_rng(2).standard_normal((200, 2, 30, 40))
    assert spread(draws)["share_between"].mean() < 0.002
    assert draws.mean(axis=(1, 2)).var() > 0.01


def test_small_differences_between_members_are_found_under_the_noise():
    random = np.random.default_rng(4)
    centres = random.normal(0, 0.1, (200, 1, 1, 30))
    found = spread(centres + random.standard_normal((200, 2, 100, 30)))
    assert found["between_sd"].mean() == pytest.approx(0.1, rel=0.05)


def test_monte_carlo_error_knows_draws_and_members():
    random = np.random.default_rng(6)
    centres = random.normal(0, 0.5, (50, 1, 1, 2000))
    found = pool(centres + random.standard_normal((50, 2, 10, 2000)))
    assert found["mean"].std() == pytest.approx(found["mcse"].mean(), rel=0.04)
    assert found["mcse"].mean() == pytest.approx(np.sqrt((0.25 + 1 / 20) / 50), rel=0.02)


def test_of_a_ratio_the_variance_is_of_the_logarithm():
    logs = np.random.default_rng(7).normal(0, 0.4, (20, 2, 500)) + 0.3
    found = pool(np.exp(logs), log=True)
    assert found["within_sd"] == pytest.approx(spread(logs)["within_sd"])
    assert found["median"] == pytest.approx(np.exp(0.3), rel=0.02)


def test_what_is_not_reached_has_quantiles_but_no_variance():
    draws = np.random.default_rng(8).uniform(0, 10, (4, 2, 50))
    draws[draws > 7] = np.inf
    found = pool(draws)
    assert np.isfinite(found["median"])
    assert found["upper"] == np.inf
    assert all(np.isnan(found[name]) for name in ("sd", "within_sd", "between_sd"))
    assert np.isnan(found["share_between"])


def test_a_sure_event_is_known_to_one_more_draw():
    sure = pool(np.ones((4, 2, 50)))
    assert sure["mcse"] == pytest.approx(1 / 401)
    assert (sure["between_sd"], sure["share_between"]) == (0, 0)
    assert set(SPREAD) <= set(sure)
