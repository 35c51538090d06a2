from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines.datasets import load_leukemia, load_lymphoma
from lifelines.statistics import logrank_test, multivariate_logrank_test
from numpy.testing import assert_allclose

from bayesurv.frequentist.log_rank import log_rank

REFERENCE = Path(__file__).parents[1] / "reference"
FOUND_IN_R = pd.read_csv(REFERENCE / "checks.csv").set_index(["case", "quantity"])["value"]
TESTS = pd.read_csv(REFERENCE / "survival_tests.csv").set_index(["case", "test"])
WEIGHTS = {"gehan": "wilcoxon", "tarone-ware": "tarone-ware", "peto": "peto"}


def data(name):
    return pd.read_csv(REFERENCE / "data" / f"{name}.csv", keep_default_na=False)


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


# -- Strata, weights, trend --------------------------------------------------------------------


def held_to(test, case, name):
    found = TESTS.loc[(case, name)]
    assert_allclose(test.statistic, found["statistic"], rtol=1e-9)
    assert_allclose(test.p, found["p"], rtol=1e-9)
    assert test.degrees_of_freedom == found["degrees_of_freedom"]


@pytest.mark.parametrize(
    ("name", "group", "stratum"), [("veteran", "trt", "celltype"), ("lung", "female", "inst")]
)
def test_stratified_survdiff(name, group, stratum):
    table = data(name)
    test = log_rank(table["time"], table["event"], table[group], strata=table[stratum])
    held_to(test, name, "stratified")


def test_strata_with_delayed_entry():
    table = data("channing")
    columns = (table[name] for name in ("time", "event", "male", "entry"))
    held_to(log_rank(*columns, strata=table["entry"] > 15), "channing", "stratified")


@pytest.mark.parametrize(
    ("name", "group", "stratum", "power"),
    [("lung", "female", None, 1), ("kidney", "female", None, 0.5), ("bmt", "group", "mtx", 1)],
)
def test_fleming_harrington(name, group, stratum, power):
    table = data(name).assign(event=lambda t: t.get("event", t.get("cause") != ""))
    test = log_rank(
        table["time"],
        table["event"],
        table[group],
        strata=None if stratum is None else table[stratum],
        weight="fleming-harrington",
        powers=(power, 0),
    )
    held_to(test, name, f"fleming-harrington {power}" + (" stratified" if stratum else ""))


def test_an_arm_without_events():
    table = data("ovarian")
    test = log_rank(table["time"], table["event"] * (1 - table["rx2"]), table["rx2"])
    held_to(test, "ovarian_no_events", "log-rank")
    assert test.observed[1] == 0


@pytest.mark.parametrize(
    ("weight", "statistic"), [("gehan", 13.457852), ("tarone-ware", 15.123575), ("peto", 14.084139)]
)
def test_published_weighted_values_of_leukemia(weight, statistic):
    table = load_leukemia()
    test = log_rank(table["t"], table["status"], table["Rx"], weight=weight)
    assert_allclose(test.statistic, statistic, atol=5e-7)


@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(WEIGHTS)))
def test_weighted_lifelines(seed, weight):
    random = np.random.default_rng(seed)
    time, event, group = random.integers(1, 9, 40), random.random(40) < 0.7, np.arange(40) % 2 == 0
    event[:4] = True
    test = log_rank(time, event, group, weight=weight)
    other = logrank_test(time[~group], time[group], event[~group], event[group],
                         weightings=WEIGHTS[weight])  # fmt: skip
    assert_allclose(test.statistic, other.test_statistic, atol=1e-8)


@given(st.integers(0, 2**32 - 1), st.tuples(st.floats(0, 2), st.floats(0, 2)))
def test_swapping_two_groups_turns_the_sign_only(seed, powers):
    random = np.random.default_rng(seed)
    time, event, stratum = random.integers(1, 9, 30), random.random(30) < 0.7, np.arange(30) % 3
    group = random.random(30) < 0.5
    group[:2] = [True, False]
    options = {"strata": stratum, "weight": "fleming-harrington", "powers": powers}
    one, other = (log_rank(time, event, g, **options) for g in (group, ~group))
    assert_allclose(one.z, -other.z, atol=1e-9)
    assert_allclose(one.p, other.p, atol=1e-9)


def test_rows_of_an_unknown_stratum_are_one_stratum():
    time, event, group = np.arange(1, 13), np.ones(12), np.arange(12) % 2
    known = log_rank(time, event, group, strata=np.repeat([0, 1], 6))
    unknown = log_rank(time, event, group, strata=np.repeat([0, np.nan], 6))
    assert known.statistic == unknown.statistic


def test_one_stratum_is_none():
    table = data("veteran")
    columns = [table[name] for name in ("time", "event", "celltype")]
    assert log_rank(*columns, strata=np.ones(len(table))).statistic == log_rank(*columns).statistic


@pytest.mark.parametrize(("name", "group"), [("veteran", "celltype"), ("bmt", "group")])
def test_trend_is_the_score_test_of_cox(name, group):
    table = data(name).assign(event=lambda t: t.get("event", t.get("cause") != ""))
    z, p = log_rank(table["time"], table["event"], table[group]).trend()
    assert_allclose([z**2, p], TESTS.loc[(name, "trend"), ["statistic", "p"]], rtol=1e-9)


def test_trend_of_two_groups_is_their_test():
    table = data("lung")
    test = log_rank(table["time"], table["event"], table["female"])
    assert_allclose(test.trend(), [test.z, test.p])
    assert_allclose(test.trend([5, 2]), [-test.z, test.p])


def test_there_is_no_trend_in_one_group():
    assert log_rank([1, 2], [1, 1], ["a", "a"]).trend() == (0, 1)


def test_an_unknown_weight_is_refused():
    with pytest.raises(ValueError, match='"wilcoxon", but must be one of log-rank, gehan'):
        log_rank([1, 2], [1, 1], [0, 1], weight="wilcoxon")
