"""Two shares compared, against published examples and against each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesurv.frequentist.exact import fisher
from bayesurv.frequentist.two_shares import TwoShares


@pytest.mark.parametrize(
    ("events", "patients", "lower", "upper"),
    [
        ((48, 56), (80, 70), 0.0524, 0.3339),
        ((3, 9), (10, 10), 0.1705, 0.8090),
        ((2, 6), (7, 7), 0.0582, 0.8062),
        ((0, 5), (29, 56), -0.0381, 0.1926),
        ((0, 0), (20, 10), -0.1611, 0.2775),
        ((0, 10), (10, 10), 0.6075, 1.0),
    ],
)
def test_difference_is_newcombes(events, patients, lower, upper):
    """Newcombe 1998, table II, method 10."""
    found = TwoShares(events, patients).difference_interval()
    np.testing.assert_allclose(found, (lower, upper), atol=6e-5)


def test_exact_interval_of_a_share():
    """Response at day 30 of the founding paper: 30% (14 to 50) and 6% (1 to 20)."""
    shares = TwoShares((2, 8), (34, 27))
    np.testing.assert_allclose(shares.exact(1), (0.14, 0.50), atol=5e-3)
    np.testing.assert_allclose(shares.exact(0), (0.01, 0.20), atol=5e-3)


def test_ratio_is_katzs():
    shares = TwoShares((2, 8), (34, 27))
    error = np.sqrt(1 / 8 - 1 / 27 + 1 / 2 - 1 / 34)
    assert shares.ratio == pytest.approx(8 / 27 / (2 / 34))
    expected = np.exp(np.log(shares.ratio) + np.array([-1, 1]) * 1.959963985 * error)
    np.testing.assert_allclose(shares.ratio_interval(), expected, rtol=1e-8)


def test_an_arm_without_any():
    assert TwoShares((0, 1), (34, 27)).ratio == np.inf
    assert np.isnan(TwoShares((0, 0), (34, 27)).ratio)
    assert np.isnan(TwoShares((0, 1), (34, 27)).ratio_interval()).all()
    assert TwoShares((0, 1), (34, 27)).odds_ratio()[2] == np.inf


counts = st.tuples(st.integers(1, 15), st.integers(16, 40))


@given(counts, counts)
def test_arms_the_other_way_round(first, second):
    one = TwoShares((first[0], second[0]), (first[1], second[1]))
    other = TwoShares((second[0], first[0]), (second[1], first[1]))
    assert one.difference == pytest.approx(-other.difference)
    low, high = one.difference_interval()
    np.testing.assert_allclose((-high, -low), other.difference_interval(), atol=1e-12)
    ratio, lower, upper = one.odds_ratio()
    np.testing.assert_allclose((1 / ratio, 1 / upper, 1 / lower), other.odds_ratio(), rtol=1e-4)


@given(counts, counts)
def test_intervals_hold_the_estimate_and_one_only_where_fisher_doubts(first, second):
    shares = TwoShares((first[0], second[0]), (first[1], second[1]))
    ratio, lower, upper = shares.odds_ratio()
    assert lower < ratio < upper
    assert shares.difference_interval()[0] < shares.difference < shares.difference_interval()[1]
    table = [[first[0], second[0]], [first[1] - first[0], second[1] - second[0]]]
    if not lower < 1 < upper:  # the central interval implies a P of two tails each below 0.025
        assert fisher(np.array(table)) < 0.05
