"""The tipping point against its closed form for a normal likelihood."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq
from scipy.stats import norm

import bayesurv as bs
from bayesurv.data.faults import InputError
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.tipping import VAGUE, prior_range, tipping_point
from bayesurv.inference.sample import Sampling

DEATHS = 100  # in each arm, so that the likelihood of the log hazard ratio is nearly normal
ERROR = np.sqrt(2 / DEATHS)


@cache
def asked(z):
    """Two arms whose log hazard ratio is z standard errors, in an exponential model."""
    months = np.linspace(1, 3, DEATHS)
    frame = pd.DataFrame(
        {
            "cti2": np.repeat([0, 1], DEATHS),
            "event": 1,
            "months": np.concatenate([months, months * np.exp(-z * ERROR)]),
        }
    )
    cohort = bs.Cohort.from_frame(frame, time="months", event="event", unit="months")
    sampling = Sampling(chains=4, draws=1000, tune=500, seed=2)
    fit = bs.fit(cohort, "cti2", baseline=bs.Exponential(), sampling=sampling)
    return compare_arms(fit, "cti2", None)


def exact_probability(z, sd):
    """P(HR > 1) under Normal(0, sd) by quadrature; the intercept integrates out in closed form."""
    ratio = np.linspace(-2, 4, 20001)
    log = DEATHS * ratio - 2 * DEATHS * np.log1p(np.exp(ratio - z * ERROR)) - ratio**2 / (2 * sd**2)
    density = np.exp(log - log.max())
    return density[ratio > 0].sum() / density.sum()


@pytest.mark.parametrize(("z", "direction"), [(3.0, "HR > 1"), (-3.0, "HR < 1"), (2.3, "HR > 1")])
def test_the_tipping_point_of_a_normal_likelihood(z, direction):
    """Matthews' and Held's sceptical limit: sd = s / sqrt((z / 1.96)^2 - 1)."""
    found = tipping_point(asked(z))
    sd = ERROR / np.sqrt((z / norm.ppf(0.975)) ** 2 - 1)
    assert found.direction == direction
    assert found.sd == pytest.approx(sd, rel=0.15)
    assert found.mcse < 0.15 * sd
    exact = brentq(lambda sd: exact_probability(abs(z), sd) - 0.975, 0.02, VAGUE)
    assert abs(found.sd - exact) < 3 * found.mcse
    curve = found.curve
    expected = np.array([exact_probability(abs(z), sd) for sd in curve["sd"]])
    assert (np.abs(curve["probability"] - expected) < 4 * curve["mcse"] + 0.001).all()
    assert curve["sd"].iloc[0] == VAGUE
    assert curve["probability"].is_monotonic_decreasing
    row = found.table().loc[0]
    assert row["sd"] == found.sd
    assert_allclose(row[["hazard_ratio_lower", "hazard_ratio_upper"]].astype(float),
                    np.exp(found.sd * norm.ppf([0.025, 0.975])))  # fmt: skip


def test_a_lower_threshold_takes_more_scepticism():
    question = asked(3.0)
    found = [tipping_point(question, threshold).sd for threshold in (0.99, 0.975, 0.9)]
    assert found == sorted(found, reverse=True)
    expected = ERROR / np.sqrt((3 / norm.ppf([0.99, 0.975, 0.9])) ** 2 - 1)
    assert_allclose(found, expected, rtol=0.2)


def test_without_a_conclusion_there_is_nothing_to_overturn():
    found = tipping_point(asked(1.5))
    assert np.isnan(found.sd)
    assert not found.holds
    assert found.vague == pytest.approx(norm.cdf(1.5), abs=4 * found.vague_mcse + 0.002)


def test_overwhelming_data_withstand_every_sceptic():
    found = tipping_point(asked(16.0), 0.9)
    assert np.isnan(found.sd)
    assert found.holds
    assert found.curve["sd"].iloc[-1] == pytest.approx(0.02)


@pytest.mark.parametrize("threshold", [0.5, 1.0, 97.5, float("nan")])
def test_a_threshold_is_a_probability_above_a_half(threshold):
    with pytest.raises(InputError, match="threshold: .* is not above 0.5 and below 1"):
        tipping_point(asked(3.0), threshold)


def test_the_range_of_a_prior_is_that_of_hazard_ratios():
    lower, upper = prior_range(0.75)
    assert (round(lower, 2), round(upper, 2)) == (0.23, 4.35)
    assert lower * upper == pytest.approx(1)
