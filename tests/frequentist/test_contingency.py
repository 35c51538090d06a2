"""Tests of tables against R, against plain enumeration and scipy, and where there is nothing."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats
from scipy.special import gammaln

from bayesurv.frequentist.barnard import barnard, barnard_unpooled
from bayesurv.frequentist.contingency import (
    as_table,
    linear_by_linear,
    n_minus_1,
    pearson,
    rank_sum,
    rank_sum_of_levels,
)
from bayesurv.frequentist.exact import exact_pearson, fisher, fisher_mid_p
from bayesurv.frequentist.rules import RULES, TESTS, applies, p_by_rule

REFERENCE = Path(__file__).parents[1] / "reference"
IN_R = pd.read_csv(REFERENCE / "contingency.csv")
OF_TABLES = IN_R.dropna(subset="counts")
CRS = np.array([[6, 8], [12, 13], [6, 7], [3, 6]])

small_tables = st.integers(2, 3).flatmap(
    lambda columns: st.lists(
        st.lists(st.integers(0, 4), min_size=columns, max_size=columns), min_size=2, max_size=3
    )
)


def counts(text):
    return np.array([row.split() for row in text.split(";")], dtype=int)


@pytest.mark.parametrize("test", TESTS)
def test_every_test_agrees_with_r(test):
    rows = OF_TABLES[OF_TABLES["test"] == test]
    assert len(rows) > 20
    found = [TESTS[test](counts(text)) for text in rows["counts"]]
    assert_allclose(found, rows["value"], rtol=1e-9)


@pytest.mark.parametrize("group", ["trt", "celltype"])
def test_ranks_of_numbers_with_ties_agree_with_r(group):
    veteran = pd.read_csv(REFERENCE / "data" / "veteran.csv")
    samples = [values for _, values in veteran.groupby(group)["diagtime10"]]
    expected = IN_R.set_index(["table", "test"]).loc[
        (f"veteran {group}", "rank sum of numbers"), "value"
    ]
    assert_allclose(rank_sum(samples), expected, rtol=1e-12)


def enumerated(table):
    """Log probability and Pearson's statistic of every table with these margins, and of this."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    fit = np.outer(rows, columns) / table.sum()
    inner = product(*(range(min(r, c) + 1) for r in rows[1:] for c in columns[1:]))
    found = []
    for cells in [table[1:, 1:].ravel(), *inner]:
        body = np.array(cells).reshape(len(rows) - 1, -1)
        body = np.column_stack([rows[1:] - body.sum(axis=1), body])
        whole = np.vstack([columns - body.sum(axis=0), body])
        if (whole >= 0).all():
            found.append((-gammaln(whole + 1).sum(), ((whole - fit) ** 2 / fit).sum()))
    own, *every = np.array(found)
    return own, np.array(every)


@settings(deadline=None)
@given(small_tables)
def test_exact_tests_agree_with_plain_enumeration(table):
    table = as_table(table)
    if min(table.shape) < 2:
        assert fisher(table) == exact_pearson(table) == 1
        return
    own, every = enumerated(table)
    p = np.exp(every[:, 0] - every[:, 0].max())
    p /= p.sum()
    rarer, tied = every[:, 0] < own[0] - 1e-7, np.abs(every[:, 0] - own[0]) <= 1e-7
    assert_allclose(fisher(table), p[rarer | tied].sum(), rtol=1e-9)
    assert_allclose(fisher_mid_p(table), p[rarer].sum() + p[tied].sum() / 2, rtol=1e-9)
    assert_allclose(exact_pearson(table), p[every[:, 1] >= own[1] - 1e-7].sum(), rtol=1e-9)


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), min_size=4, max_size=4))
def test_fisher_of_two_by_two_agrees_with_scipy(cells):
    table = np.reshape(cells, (2, 2))
    assert_allclose(fisher(table), stats.fisher_exact(table).pvalue, rtol=1e-7)


@settings(deadline=None)
@given(small_tables, st.randoms(use_true_random=False))
def test_order_and_transposition_do_not_matter_where_levels_have_no_order(table, random):
    table = np.array(table)
    moved = table[random.sample(range(len(table)), len(table))].T
    for test in (pearson, n_minus_1, fisher, exact_pearson):
        assert_allclose(test(moved), test(table), rtol=1e-9)


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), min_size=4, max_size=4))
def test_of_two_by_two_linear_by_linear_n_minus_1_and_ranks_are_one(cells):
    table = np.reshape(cells, (2, 2))
    expected = n_minus_1(table)
    assert_allclose(linear_by_linear(table), expected, rtol=1e-9)
    assert_allclose(rank_sum_of_levels(table), expected, atol=1e-6)  # near 1, root of rounding


@pytest.mark.parametrize("test", TESTS)
def test_empty_rows_and_columns_change_nothing(test):
    table = np.array([[8, 2], [19, 32]])
    assert TESTS[test](np.insert(table, 1, 0, axis=0)) == TESTS[test](table)
    assert TESTS[test](np.insert(table, 0, 0, axis=1)) == TESTS[test](table)


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("table", [[[3, 4]], [[3], [4]], [[0, 0], [3, 4]], [[0, 0], [0, 0]]])
def test_one_level_or_group_has_nothing_to_compare(test, table):
    assert TESTS[test](table) == 1
    assert p_by_rule(table, "spss").test == "none"
    assert np.isnan(p_by_rule(table, "spss").p)


@pytest.mark.parametrize("table", [[[1.5, 2], [3, 4]], [[-1, 2], [3, 4]], [1, 2]])
def test_what_holds_no_counts_is_refused(table):
    with pytest.raises(ValueError, match="whole numbers of 0 or more"):
        pearson(table)


def test_crs_mid_p_equals_exact_pearson_by_one_tied_table():
    """Only the table with a CRS of grade 0 and one of grade >= 3 exchanged is as probable."""
    own, every = enumerated(CRS)
    tied = every[np.abs(every[:, 0] - own[0]) < 1e-7]
    assert len(tied) == 2
    assert tied[:, 1].min() < own[1] - 0.03
    assert tied[:, 1].max() == own[1]
    assert_allclose([fisher_mid_p(CRS), exact_pearson(CRS)], 0.9202999486894687, rtol=1e-12)
    elsewhere = np.array([[9, 10], [4, 1], [3, 1], [2, 0]])
    assert abs(fisher_mid_p(elsewhere) - exact_pearson(elsewhere)) > 0.03


@pytest.mark.parametrize("shape", [(6, 2), (4, 3), (3, 3)])
def test_exact_tests_of_two_hundred_are_near_the_limit_of_large_samples(shape):
    table = np.random.default_rng(5).multinomial(200, np.ones(np.prod(shape)) / np.prod(shape))
    table = table.reshape(shape)
    assert_allclose(exact_pearson(table), pearson(table), atol=0.02)


def test_too_large_a_table_says_what_to_use_instead():
    table = np.full((5, 5), 8)
    with pytest.raises(ValueError, match="merge levels, or use Pearson's"):
        fisher(table)


@settings(deadline=None)
@given(st.lists(st.integers(0, 12), min_size=4, max_size=4), st.booleans())
def test_barnard_misses_no_tied_table_as_scipy_does(cells, pooled):
    table = as_table(np.reshape(cells, (2, 2)))
    if table.shape == (2, 2):
        test = barnard if pooled else barnard_unpooled
        other = stats.barnard_exact(table, pooled=pooled).pvalue
        assert test(table) >= other - 1e-7
        assert_allclose(test(table), test(table[:, ::-1]), rtol=1e-7)
        assert_allclose(test(table), test(table[::-1]), rtol=1e-7)


def test_fisher_holds_its_level_and_mid_p_is_smaller():
    """Over all outcomes of two arms with one share, P <= 0.05 in at most 5% of them."""
    first, second = np.arange(13), np.arange(16)
    chance = np.outer(stats.binom.pmf(first, 12, 0.3), stats.binom.pmf(second, 15, 0.3))
    p, mid = (
        np.array([[test([[a, b], [12 - a, 15 - b]]) for b in second] for a in first])
        for test in (fisher, fisher_mid_p)
    )
    assert chance[p <= 0.05].sum() <= 0.05
    assert (mid < p).mean() > 0.9
    assert (mid <= p).all()


@pytest.mark.parametrize(
    ("table", "test"),
    [
        ([[5, 5], [5, 5]], "Pearson"),
        ([[5, 5], [4, 5]], "Fisher"),
        (CRS, "Fisher-Freeman-Halton"),
        (4 * CRS, "Pearson"),
    ],
)
def test_rule_spss_needs_five_expected_in_every_cell(table, test):
    assert p_by_rule(table, "spss").test == test


def test_rules_name_the_test_that_they_chose():
    chosen = {rule: p_by_rule(CRS, rule, ordered=True) for rule in RULES}
    assert {rule: found.test for rule, found in chosen.items()} == {
        "fisher": "Fisher-Freeman-Halton",
        "pearson": "Pearson",
        "spss": "Fisher-Freeman-Halton",
        "linear-by-linear": "linear-by-linear",
    }
    assert chosen["linear-by-linear"].p == linear_by_linear(CRS)
    assert p_by_rule(CRS, "linear-by-linear").test == "Pearson"


def test_tests_apply_where_they_suit():
    suited = {name for name in TESTS if applies(name, CRS)}
    ordered = {name for name in TESTS if applies(name, CRS, ordered=True)}
    assert set(TESTS) - ordered == {"Yates", "Barnard", "Barnard unpooled"}
    assert ordered - suited == {"linear-by-linear", "rank sum"}
    assert all(applies(name, [[1, 2], [3, 4]]) for name in TESTS)
    assert not applies("rank sum", CRS.T, ordered=True)


def test_ranks_that_agree_but_for_rounding():
    assert rank_sum_of_levels([[8, 8], [25, 25]]) == pytest.approx(1, abs=1e-6)


def test_ranks_need_two_samples_that_differ():
    assert rank_sum([[1, 2], []]) == rank_sum([[3, 3], [3]]) == 1
