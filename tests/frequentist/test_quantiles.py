from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bayesurv.frequentist.kaplan_meier import kaplan_meier, reverse_kaplan_meier
from bayesurv.frequentist.quantiles import quantile

REFERENCE = Path(__file__).parents[1] / "reference"
QUANTILES = pd.read_csv(REFERENCE / "survival_quantiles.csv")
# The lower bound, low while few had entered, rises after it fell below the level. R takes it to be
# falling throughout and finds a later time.
RISING = {("channing_0", 0, "log-log", 0.25), ("channing_1", 1, "log-log", 0.25)}


@pytest.mark.parametrize("interval", QUANTILES["interval"].unique())
@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("case", QUANTILES["case"].unique())
def test_quantiles_of_survfit(case, reverse, interval, follow_up):
    data = follow_up(case)
    make = reverse_kaplan_meier if reverse else kaplan_meier
    km = make(data["time"], data["event"], data["entry"], interval=interval)
    asked = (QUANTILES[["case", "reverse", "interval"]] == [case, reverse, interval]).all(axis=1)
    for row in QUANTILES[asked].itertuples():
        found = quantile(km, row.probability)
        lower = row.lower
        if (case, reverse, interval, row.probability) in RISING:
            assert found.lower < lower
            lower = found.lower
        ours = found.estimate, found.lower, found.upper
        assert_allclose(ours, [row.estimate, lower, row.upper], rtol=0, atol=1e-12)


def test_where_survival_stays_at_a_half_the_middle_of_that_while():
    assert quantile(kaplan_meier([1, 2, 4, 7], [1, 1, 1, 1])).estimate == 3
    assert quantile(kaplan_meier([1, 2, 4, 7], [1, 1, 0, 0])).estimate == (2 + 7) / 2


def test_not_reached():
    found = quantile(kaplan_meier([1, 2, 4, 7], [1, 0, 0, 0]))
    assert np.isnan([found.estimate, found.upper]).all()


def test_turnbull_has_no_interval():
    found = quantile(kaplan_meier([0, 2, 4], [1, 1, 1], upper=[2, 4, 6]))
    assert found.estimate == 3
    assert np.isnan([found.lower, found.upper]).all()


@pytest.mark.parametrize("probability", [0, 1, np.nan])
def test_a_probability_is_between_0_and_1(probability):
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(kaplan_meier([1], [1]), probability)


@given(st.lists(st.floats(0.1, 50), min_size=1, max_size=60))
def test_without_censoring_the_median_is_that_of_the_times(time):
    assert_allclose(quantile(kaplan_meier(time, np.ones(len(time)))).estimate, np.median(time))
