from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bayesurv.frequentist.gray import gray_test
from bayesurv.frequentist.log_rank import log_rank

REFERENCE = Path(__file__).parents[1] / "reference"
TESTS = pd.read_csv(REFERENCE / "survival_tests.csv").set_index(["case", "test"])
GROUPS = {"bmt": ("group", "mtx"), "mgus": ("male", "old")}


def cohort(name):
    table = pd.read_csv(REFERENCE / "data" / f"{name}.csv", keep_default_na=False)
    if name == "mgus":
        months = (12 * (table["time"] - table["entry"])).round()
        return table.assign(time=months, old=table["entry"] >= 70)
    return table


def held_to(found, case, kind):
    assert list(found) == sorted(found)
    for cause, test in found.items():
        expected = TESTS.loc[(case, f"{kind}_{cause}")]
        assert_allclose(test.statistic, expected["statistic"], rtol=1e-9)
        assert_allclose(test.p, expected["p"], rtol=1e-9)
        assert test.degrees_of_freedom == expected["degrees_of_freedom"]


@pytest.mark.parametrize("name", GROUPS)
def test_cmprsk(name):
    table = cohort(name)
    held_to(gray_test(table["time"], table["cause"], table[GROUPS[name][0]]), name, "gray")


@pytest.mark.parametrize("name", GROUPS)
def test_stratified_cmprsk(name):
    table = cohort(name)
    group, stratum = (table[column] for column in GROUPS[name])
    held_to(gray_test(table["time"], table["cause"], group, stratum), name, "gray_stratified")


def test_a_group_without_events_of_the_cause():
    table = cohort("bmt")
    none = (table["group"] == 2) & (table["cause"] == "relapse")
    found = gray_test(table["time"], table["cause"].mask(none, ""), table["group"])
    held_to(found, "bmt_no_relapse", "gray")


def sample(seed, groups=2):
    random = np.random.default_rng(seed)
    time, cause = random.integers(1, 15, 60), random.integers(0, 3, 60)
    return time, cause, random.permutation(np.arange(60) % groups)


@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_the_surplus_adds_up_to_0_and_so_does_its_variance(seed, groups):
    for test in gray_test(*sample(seed, groups)).values():
        assert_allclose(test.surplus.sum(), 0, atol=1e-9)
        assert_allclose(test.variance.sum(axis=0), 0, atol=1e-9)
        assert_allclose(test.variance, test.variance.T, atol=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_swapping_groups_turns_the_sign_only(seed):
    time, cause, group = sample(seed)
    one, other = gray_test(time, cause, group), gray_test(time, cause, 1 - group)
    for name, test in one.items():
        assert_allclose(test.surplus, other[name].surplus[::-1], atol=1e-9)
        assert_allclose(test.statistic, other[name].statistic, atol=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_without_competing_causes_the_surplus_is_that_of_log_rank(seed):
    time, cause, group = sample(seed, 3)
    test, other = gray_test(time, cause > 0, group)["True"], log_rank(time, cause > 0, group)
    assert_allclose(test.surplus, other.observed - other.expected, atol=1e-9)


def test_one_group_has_nothing_to_compare():
    test = gray_test([1, 2, 3], ["a", "b", None], ["x", "x", "x"])["a"]
    assert (test.statistic, test.degrees_of_freedom, test.p) == (0, 0, 1)


def test_the_share_of_small_p_values_is_as_stated_without_a_difference():
    random = np.random.default_rng(9)
    found = []
    for _ in range(400):
        # The same incidence of "1" in both arms, though "2" is censored more in the second.
        time, cause = random.exponential(1, 80), random.integers(1, 3, 80)
        stop, group = random.uniform(0, 3, 80), np.arange(80) % 2
        seen = np.where(time <= stop, cause, 0)
        found.append(gray_test(np.minimum(time, stop), seen, group)["1"].p)
    assert 0.02 < np.mean(np.array(found) < 0.05) < 0.085
