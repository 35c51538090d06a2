"""Simulation-based calibration where the posterior is known: a normal mean of normal data."""

from time import sleep

import numpy as np
import pandas as pd
import pytest
from arviz_stats.base import array_stats

from bayesurv.inference.calibration import (
    Refit,
    calibrate,
    effective_draws,
    independent,
    ranks,
    uniformity,
)

REFITS, DRAWS, SIZE = 400, 99, 4


def normal_refit(shift=0.0, width=1.0):
    """theta ~ Normal(0, 1), four observations ~ Normal(theta, 1); draws of the known posterior.

    The posterior is Normal(mean y 4 / 5, 1 / sqrt 5); `shift`, in posterior sds, and `width` make
    it wrong.
    """

    def refit(number):
        random = np.random.default_rng([9, number])
        theta = random.standard_normal()
        observed = theta + random.standard_normal(SIZE)
        mean, sd = SIZE / (SIZE + 1) * observed.mean(), 1 / np.sqrt(SIZE + 1)
        draws = mean + sd * (shift + width * random.standard_normal(DRAWS))

        def likelihood(at):
            return -((observed - np.atleast_1d(at)[:, None]) ** 2).sum(axis=1) / 2

        true = {"theta": theta, "log_likelihood": float(likelihood(theta)[0])}
        return Refit(true, {"theta": draws, "log_likelihood": likelihood(draws)}, {"passed": True})

    return refit


@pytest.fixture(scope="module")
def right():
    return calibrate(normal_refit(), REFITS)


def test_the_true_posterior_has_uniform_ranks(right):
    table = uniformity(right.ranks).set_index("quantity")
    assert table["inside_band"].all()
    assert (table["p_value"] > 0.01).all()
    assert (table["chi_square_p_value"] > 0.001).all()
    theta = table.loc["theta"]
    assert theta["mean_rank"] == pytest.approx(0.5, abs=4 / np.sqrt(12 * REFITS))
    assert theta["spread"] == pytest.approx(1, abs=4 * np.sqrt(0.8 / REFITS))
    assert theta["contraction"] == pytest.approx(SIZE / (SIZE + 1), abs=0.05)
    assert theta["mean_z"] == pytest.approx(0, abs=4 / np.sqrt(REFITS))
    assert right.failed == 0


@pytest.mark.parametrize(
    ("wrong", "sign"), [({"shift": 0.5}, 1), ({"width": 0.5}, 0), ({"width": 2.0}, 0)]
)
def test_a_wrong_posterior_is_found(wrong, sign):
    table = uniformity(calibrate(normal_refit(**wrong), REFITS).ranks).set_index("quantity")
    theta = table.loc["theta"]
    assert not theta["inside_band"]
    assert theta["p_value"] < 1e-6
    assert theta["chi_square_p_value"] < 1e-4
    if sign:
        assert theta["mean_rank"] < 0.4  # the draws lie too high, so the truth ranks low
        assert theta["mean_z"] > 0.3
    else:
        assert (theta["spread"] > 1.2) == (wrong["width"] < 1)
        assert theta["spread"] == pytest.approx(1, abs=0.9)


def test_what_the_likelihood_alone_shows():
    """Draws of the prior in place of the posterior: theta's ranks are uniform all the same.

    Source: Modrák et al., Bayesian Analysis 2025, on test quantities that depend on the data.
    """

    def refit(number):
        found = normal_refit()(number)
        draws = np.random.default_rng([10, number]).standard_normal(DRAWS)
        random = np.random.default_rng([9, number])
        observed = random.standard_normal() + random.standard_normal(SIZE)
        likelihood = -((observed - draws[:, None]) ** 2).sum(axis=1) / 2
        return Refit(found.true, {"theta": draws, "log_likelihood": likelihood}, {"passed": True})

    table = uniformity(calibrate(refit, REFITS).ranks).set_index("quantity")
    assert table.loc["theta", "inside_band"]
    assert table.loc["log_likelihood", "p_value"] < 1e-6


def test_neither_workers_nor_the_number_of_refits_change_a_refit(right):
    for count, workers in ((40, 1), (60, 3)):
        again = calibrate(normal_refit(), count, workers=workers)
        kept = right.ranks[right.ranks["refit"] < count].reset_index(drop=True)
        pd.testing.assert_frame_equal(again.ranks, kept)


def test_refits_without_draws_are_counted():
    def refit(number):
        found = normal_refit()(number)
        if number % 4:
            return found
        return Refit({}, {}, {"passed": False, "stopped": "no point to start from"})

    found = calibrate(refit, 40)
    assert len(found.refits) == 40
    assert found.failed == 0.25
    assert found.ranks["refit"].nunique() == 30
    assert (uniformity(found.ranks)["refits"] == 30).all()


def test_progress_is_told_and_an_error_stops_the_rest():
    told = []
    calibrate(normal_refit(), 10, progress=told.append, workers=2)
    assert told == pytest.approx(np.arange(1, 11) / 10)

    started = []

    def broken(number):
        started.append(number)
        sleep(0.01)
        raise ValueError("no model")

    with pytest.raises(ValueError, match="no model"):
        calibrate(broken, 1000, workers=1)
    assert len(started) < 1000


def test_ranks_count_the_draws_below():
    draws = np.array([[1.0, 5], [2, 5], [3, 6], [4, 7]])
    random = np.random.default_rng(0)
    assert ranks(np.array([2.5, 9.0]), draws, random).tolist() == [2, 4]
    assert ranks(np.array([0.0, 5.5]), draws, random).tolist() == [0, 2]


def test_among_equal_draws_the_true_value_stands_anywhere():
    draws = np.zeros((4, 1))
    found = [ranks(np.zeros(1), draws, np.random.default_rng(i))[0] for i in range(2000)]
    assert np.bincount(found).min() > 330  # of 400 expected
    nothing = np.full((4, 1), np.nan)
    found = [ranks(np.array([np.nan]), nothing, np.random.default_rng(i))[0] for i in range(200)]
    assert set(found) == {0, 1, 2, 3, 4}


def test_draws_are_thinned_to_as_many_as_are_effective():
    assert independent(10.7, 100).tolist() == [5, 15, 25, 35, 45, 55, 65, 75, 85, 95]
    assert len(independent(1e6, 1000)) == 199
    assert len(np.unique(independent(150, 1000))) == 150
    assert len(independent(0.2, 1000)) == 1


@pytest.mark.parametrize("chains", [1, 2, 4])
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_effective_draws_are_those_of_arviz(chains, correlation):
    random = np.random.default_rng(3)
    values = random.standard_normal((chains, 300, 3))
    for i in range(1, 300):
        values[:, i] += correlation * values[:, i - 1]
    values[..., 1] = np.exp(values[..., 1])
    expected = min(
        array_stats.ess(values[..., i], chain_axis=0, draw_axis=1, method="bulk") for i in range(3)
    )
    found = effective_draws(values)
    assert found == pytest.approx(min(float(expected), chains * 300), rel=0.05)
    constant = np.concatenate([values, np.full((chains, 300, 2), [1.0, np.inf])], axis=-1)
    assert effective_draws(constant) == found
