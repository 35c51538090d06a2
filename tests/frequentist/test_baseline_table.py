"""Baseline tables: summaries, missing values, standardised differences, and the test used."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from bayesurv.data.faults import InputError
from bayesurv.frequentist.baseline_table import MISSING, baseline_table
from bayesurv.frequentist.rules import p_by_rule
from bayesurv.frequentist.standardised_difference import (
    difference_of_means,
    difference_of_shares,
    interval,
)

REFERENCE = Path(__file__).parents[1] / "reference"
IN_R = pd.read_csv(REFERENCE / "contingency.csv").set_index(["table", "test"])["value"]
GROUP = np.repeat(["a", "b"], 4)


def frame():
    return pd.DataFrame(
        {
            "age": [30, 40, 50, np.nan, 20, 60, 70, 90],
            "sex": pd.Categorical(["f", "m", "m", "f", "m", "m", None, "m"]),
            "bulky": [0, 1, 1, 0, 1, 1, 1, np.nan],
            "stage": pd.Categorical(list("IVIVIVIV"), categories=list("IV"), ordered=True),
        }
    )


def cell(table, variable, level, group):
    rows = table.values
    here = (rows["variable"] == variable) & (rows["level"] == level) & (rows["group"] == group)
    return rows[here].iloc[0]


def test_numbers_are_summarised_by_group_and_overall():
    table = baseline_table(frame(), GROUP)
    assert table.groups == {"overall": 8, "a": 4, "b": 4}
    names = ["count", "mean", "sd", "minimum", "median", "maximum"]
    assert cell(table, "age", "", "a")[names].tolist() == [3, 40, 10, 30, 40, 50]
    assert cell(table, "age", "", "overall")[["count", "median"]].tolist() == [7, 50]
    assert cell(table, "age", "", "b")[["lower_quartile", "upper_quartile"]].tolist() == [50, 75]


def test_categories_are_counted_among_those_with_a_value():
    table = baseline_table(frame(), GROUP)
    assert cell(table, "sex", "m", "b")[["count", "percent"]].tolist() == [3, 100]
    assert cell(table, "bulky", "1", "overall")["count"] == 5
    assert_allclose(cell(table, "bulky", "1", "overall")["percent"], 100 * 5 / 7)


def test_missing_values_are_never_silently_dropped():
    table = baseline_table(frame(), GROUP)
    missing = table.values[table.values["level"] == MISSING]
    found = {(row["variable"], row["group"]): row["count"] for _, row in missing.iterrows()}
    assert found == {
        ("age", "overall"): 1, ("age", "a"): 1, ("age", "b"): 0,
        ("sex", "overall"): 1, ("sex", "a"): 0, ("sex", "b"): 1,
        ("bulky", "overall"): 1, ("bulky", "a"): 0, ("bulky", "b"): 1,
    }  # fmt: skip
    assert cell(table, "age", MISSING, "a")["percent"] == 25


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_every_patient_is_counted_once(seed, groups):
    random = np.random.default_rng(seed)
    size = 30
    data = pd.DataFrame(
        {
            "level": pd.Categorical(random.choice(["x", "y", "z", None], size)),
            "number": np.where(random.random(size) < 0.2, np.nan, random.normal(size=size)),
        }
    )
    group = np.arange(size) % groups
    table = baseline_table(data, group)
    totals = table.values.groupby(["variable", "group"])["count"].sum()
    for variable in data:
        assert {name: totals[variable, name] for name in table.groups} == table.groups


def test_each_test_is_named_and_is_the_one_used():
    data = frame()
    tests = baseline_table(data, GROUP).comparisons.set_index("variable")
    assert tests["test"].to_dict() == {
        "age": "Wilcoxon", "sex": "Fisher", "bulky": "Fisher", "stage": "Fisher",
    }  # fmt: skip
    assert tests.loc["sex", "p"] == p_by_rule([[2, 0], [2, 3]], "spss").p
    first, second = data["age"].dropna()[:3], data["age"].dropna()[3:]
    expected = stats.mannwhitneyu(first, second, use_continuity=False, method="asymptotic").pvalue
    assert_allclose(tests.loc["age", "p"], expected, rtol=1e-12)


def test_rules_and_three_groups():
    group = np.array(list("aabbbccc"))
    tests = baseline_table(frame(), group, "linear-by-linear").comparisons.set_index("variable")
    assert tests["test"].to_dict() == {
        "age": "Kruskal-Wallis", "sex": "Pearson", "bulky": "Pearson", "stage": "Pearson",
    }  # fmt: skip
    two = baseline_table(frame(), GROUP, "linear-by-linear").comparisons
    assert (two["test"] == ["Wilcoxon", *3 * ["linear-by-linear"]]).all()


def test_veterans_standardised_differences_agree_with_r():
    veteran = pd.read_csv(REFERENCE / "data" / "veteran.csv")
    data = veteran[["age10", "prior"]].assign(celltype=pd.Categorical(veteran["celltype"]))
    found = baseline_table(data, veteran["trt"]).comparisons.set_index("variable")["smd"]
    for name in data:
        assert_allclose(found[name], IN_R[f"veteran {name}", "standardised difference"], rtol=1e-9)


def test_of_three_groups_the_largest_difference_is_given():
    values = [np.arange(5.0), np.arange(5.0) + 1, np.arange(5.0) - 2]
    data = pd.DataFrame({"x": np.concatenate(values)})
    found = baseline_table(data, np.repeat(["a", "b", "c"], 5)).comparisons.iloc[0]
    assert_allclose(found["smd"], 3 / np.std(values[0], ddof=1))
    assert np.isnan(found["smd_lower"])


def test_the_sign_is_the_second_group_less_the_first():
    assert_allclose(difference_of_means([0, 2], [2, 4]), 2 / np.sqrt(2))
    assert_allclose(difference_of_means([2, 4], [0, 2]), -2 / np.sqrt(2))
    assert difference_of_shares([[3, 1], [1, 3]]) > 0
    assert_allclose(difference_of_shares([[1, 3], [3, 1]]), -difference_of_shares([[3, 1], [1, 3]]))


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), min_size=3, max_size=5))
def test_a_distance_of_shares_does_not_depend_on_order_or_which_level_is_first(counts):
    table = np.array(counts)
    expected = difference_of_shares(table)
    assert expected >= 0
    for other in (table[::-1], np.roll(table, 1, axis=0), table[:, ::-1], 7 * table):
        assert_allclose(difference_of_shares(other), expected, rtol=1e-6, atol=1e-9)


def test_groups_without_spread_are_infinitely_far_apart_or_the_same():
    assert difference_of_shares([[4, 0], [0, 5]]) == np.inf
    assert difference_of_means([1, 1], [2, 2]) == np.inf
    assert difference_of_means([1, 1], [1, 1]) == 0
    assert difference_of_shares([[4, 5]]) == 0


def test_what_cannot_be_compared_is_not_a_number():
    assert np.isnan(difference_of_shares([[4, 0], [5, 0]]))
    assert np.isnan(difference_of_means([1], [2, 3]))
    data = pd.DataFrame({"x": [np.nan, np.nan, 1.5, 2.5], "one": pd.Categorical(["u"] * 4)})
    found = baseline_table(data, [0, 0, 1, 1]).comparisons
    assert (found["test"] == "none").all()
    assert found["p"].isna().all()


def test_interval_of_a_standardised_difference_covers_the_truth():
    random = np.random.default_rng(3)
    first, second = random.normal(size=(2000, 27)), random.normal(0.5, size=(2000, 34))
    differences = map(difference_of_means, first, second)
    bounds = [interval(difference, (27, 34)) for difference in differences]
    covered = np.mean([lower <= 0.5 <= upper for lower, upper in bounds])
    assert 0.935 < covered < 0.965


def test_tables_too_large_for_an_exact_test_are_all_named():
    levels = pd.Categorical(np.tile(list("vwxyz"), 40))
    data = pd.DataFrame({"one": levels, "two": levels, "age": np.arange(200)})
    with pytest.raises(InputError, match="--rule pearson") as refused:
        baseline_table(data, np.repeat(list("abcde"), 40), "fisher")
    assert [fault.column for fault in refused.value.faults] == ["one", "two"]
