"""Simultaneous bands of the distribution of uniform numbers."""

import numpy as np
import pytest
from scipy.stats import binom

from bayesurv.inference.ecdf import simultaneous_band, simultaneous_p_value


def test_at_one_point_the_p_value_is_a_binomial_one():
    """Of 40 numbers 25 are below 1/2: no fewer than 25 and no more than 15 are as far."""
    values = np.concatenate([np.full(25, 0.2), np.full(15, 0.7)])
    expected = 2 * binom.cdf(15, 40, 0.5)
    assert simultaneous_p_value(values, points=2) == pytest.approx(expected, rel=1e-12)


def test_at_two_points_the_p_value_is_that_of_all_outcomes():
    """Three numbers, thirds: every outcome of the counts (below 1/3, below 2/3) by hand."""
    values = np.array([0.1, 0.2, 0.3])
    tails = {}
    for first in range(4):
        for second in range(first, 4):
            chance = binom.pmf(first, 3, 1 / 3) * binom.pmf(second - first, 3 - first, 0.5)
            at = [(first, 1 / 3), (second, 2 / 3)]
            tail = min(min(binom.cdf(n, 3, z), binom.sf(n - 1, 3, z)) for n, z in at)
            tails[first, second] = tail, chance
    limit = tails[3, 3][0]
    expected = sum(chance for tail, chance in tails.values() if tail <= limit * (1 + 1e-12))
    assert simultaneous_p_value(values, points=3) == pytest.approx(expected, rel=1e-9)


def test_uniform_numbers_stay_in_the_band_as_often_as_stated():
    at, low, high = simultaneous_band(100, 0.05)
    random = np.sort(np.random.default_rng(5).random((4000, 100)), axis=1)
    below = np.array([np.searchsorted(each, at, side="right") for each in random]) / 100
    outside = ((below < low - 1e-9) | (below > high + 1e-9)).any(axis=1).mean()
    assert outside == pytest.approx(0.05, abs=0.012)  # three and a half standard errors
    assert outside <= 0.05 + 0.012


def test_the_band_and_the_p_value_agree():
    at, low, high = simultaneous_band(60, 0.05)
    random = np.random.default_rng(7)
    found = []
    for power in np.repeat([1.0, 1.3, 0.8], 12):
        values = random.random(60) ** power
        below = np.searchsorted(np.sort(values), at, side="right") / 60
        inside = ((below >= low - 1e-9) & (below <= high + 1e-9)).all()
        p = simultaneous_p_value(values)
        if not 0.045 < p < 0.055:  # the counts are whole numbers, so a band is no sharper
            assert inside == (p > 0.05)
        found.append(inside)
    assert 0 < np.mean(found) < 1


def test_gross_departures_have_tiny_p_values():
    even = (np.arange(200) + 0.5) / 200
    assert simultaneous_p_value(even) > 0.999
    assert simultaneous_p_value(even**2) < 1e-6
    assert simultaneous_p_value(0.5 + (even - 0.5) / 2) < 1e-6
