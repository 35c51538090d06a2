from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines.datasets import load_lymphoma
from lifelines.statistics import multivariate_logrank_test
from numpy.testing import assert_allclose

from bayesurv.frequentist.log_rank import log_rank

REFERENCE = Path(__file__).parents[1] / "reference"
FOUND_IN_R = pd.read_csv(REFERENCE / "checks.csv").set_index(["case", "quantity"])["value"]


def data(name):
    return pd.read_csv(REFERENCE / "data" / f"{name}.csv")


@pytest.mark.parametrize(
    ("case", "name", "group"),
    [
        ("veteran_trt", "veteran", "trt"),
        ("veteran_celltype", "veteran", "celltype"),
        ("lung_female", "lung", "female"),
    ],
)
def test_survdiff(case, name, group):
    table = data(name)
    test = log_rank(table["time"], table["event"], table[group])
    found = test.statistic, test.expected[0], test.variance[0, 0]
    assert_allclose(found, FOUND_IN_R[case], rtol=1e-10)


@pytest.mark.parametrize("apart", [0, 1e-6])
def test_delayed_entry_is_the_score_test_of_cox(apart):
    table = data("channing")
    time = table["time"] + apart * np.arange(1, len(table) + 1)
    case = "channing_male_untied" if apart else "channing_male"
    test = log_rank(time, table["event"], table["male"], table["entry"])
    assert_allclose(test.statistic, FOUND_IN_R[case, "statistic"], rtol=1e-6)


def test_published_values_of_lymphoma():
    table = load_lymphoma()
    test = log_rank(table["Time"], table["Censor"], table["Stage_group"])
    assert_allclose([test.statistic, test.p], [6.70971, 0.0096], atol=5e-5)


@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_lifelines(seed, groups):
    random = np.random.default_rng(seed)
    time, event = random.integers(1, 9, 40), random.random(40) < 0.7
    group = np.arange(40) % groups
    event[0] = True
    test = log_rank(time, event, group)
    other = multivariate_logrank_test(time, group, event)
    assert_allclose([test.statistic, test.p], [other.test_statistic, other.p_value], atol=1e-8)
    assert test.degrees_of_freedom == groups - 1


def test_the_sign_of_z_says_who_had_more_events():
    time, group = np.arange(1, 13), np.repeat([0, 1], 6)
    test = log_rank(time, np.ones(12), group)
    assert test.z < 0
    assert_allclose(test.z**2, test.statistic)
    assert_allclose(log_rank(time, np.ones(12), 1 - group).z, -test.z)
    assert_allclose(test.observed.sum(), test.expected.sum())


def test_groups_never_at_risk_together_have_nothing_to_compare():
    test = log_rank([1, 2, 5, 6], [1, 1, 1, 1], [0, 0, 1, 1], entry=[0, 0, 3, 3])
    assert (test.statistic, test.degrees_of_freedom, test.p, test.z) == (0, 0, 1, 0)


def test_z_is_of_two_groups():
    with pytest.raises(ValueError, match="two groups"):
        _ = log_rank([1, 2, 3], [1, 1, 1], ["a", "b", "c"]).z
