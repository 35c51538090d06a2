"""Ranks of several regimens, on draws that are stated."""

import numpy as np
import pytest

import bayesurv as bs
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.ranking import rank_probabilities, ranking

GROUPS = [[0.9, 0.0, -0.9], [0.0, 0.9, -0.9], [0.0, 0.9, -0.9], [-0.9, 0.0, 0.9]]


@pytest.fixture
def grouped(prior):
    """Log hazards of centres A, B and C in four draws, each drawn 25 times."""
    fit = prior("(1 | centre)", bs.Exponential(), draws=100)
    fit.draws["posterior"]["intercept"][:] = np.log(0.05)
    fit.draws["posterior"]["group_effect"][:] = np.tile(GROUPS, (25, 1))
    return fit


def test_levels_of_a_group_term_are_ranked(grouped):
    table = ranking(grouped, "centre", 12)
    columns = "level patients horizon estimate lower upper prob_best mcse expected_rank prob_worst"
    assert list(table) == columns.split()
    assert table["level"].tolist() == ["A", "B", "C"]
    assert table["patients"].tolist() == [8, 8, 8]
    # Longest where the hazard is lowest: C in three draws of four, A in the last.
    assert table["prob_best"].tolist() == [0.25, 0, 0.75]
    assert table["prob_worst"].tolist() == [0.25, 0.5, 0.25]
    assert table["expected_rank"].tolist() == [(3 + 2 + 2 + 1) / 4, (2 + 3 + 3 + 2) / 4, 1.5]
    rates = 0.05 * np.exp(np.array(GROUPS))
    rmst = -np.expm1(-rates * 12) / rates
    expected = np.quantile(np.tile(rmst, (25, 1)), 0.5, axis=0)
    np.testing.assert_allclose(table["estimate"], expected, rtol=1e-8)
    assert (table["mcse"] > 0).all()


def test_probabilities_of_ranks_add_up(grouped):
    table = rank_probabilities(compare_arms(grouped, "centre", 12, rank=True))
    assert table.index.tolist() == ["A", "B", "C"]
    assert table.index.name == "centre"
    assert table.columns.tolist() == [1, 2, 3]
    np.testing.assert_allclose(table.sum(axis=0), 1)
    np.testing.assert_allclose(table.sum(axis=1), 1)
    assert table.loc["B"].tolist() == [0, 0.5, 0.5]


def test_two_levels_rank_as_they_compare(prior):
    fit = prior("cti2 + scale(age)")
    table = ranking(fit, "cti2", 12).set_index("level")
    gained = bs.benefit(fit, "cti2", 12).query("quantity == 'rmst_difference'").iloc[0]
    assert table.loc["1", "prob_best"] == gained.probability
    assert table.loc["0", "prob_best"] == pytest.approx(1 - gained.probability)


def test_the_largest_horizon_is_within_the_follow_up_of_every_level(prior):
    fit = prior("stage")
    time = fit.draws["observed_data"]["time"].to_numpy()
    stage = fit.design.training["stage"]
    end = min(time[(stage == level).to_numpy()].max() for level in "I II III".split())
    assert (ranking(fit, "stage")["horizon"] == end).all()
    with pytest.raises(bs.InputError, match=f"every arm; the largest allowed is {end:g} months"):
        ranking(fit, "stage", 30)


def test_a_population_and_its_bootstrap(prior):
    fit = prior("stage + scale(age)")
    young = ranking(fit, "stage", 12, population=[{"age": 40}])
    assert not young.equals(ranking(fit, "stage", 12, population=[{"age": 70}]))
    mixed = [{"age": 40}, {"age": 70}]
    fixed, free = (ranking(fit, "stage", 12, population=mixed, bootstrap=b) for b in (None, 1))
    assert not np.allclose(fixed["upper"], free["upper"])
