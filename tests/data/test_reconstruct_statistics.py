"""The compiled statistics of the search equal the package's own classical analysis."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, norm

from bayesurv.data.reconstruct import associations, statistics
from bayesurv.frequentist.contingency import rank_sum
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.kaplan_meier import kaplan_meier
from bayesurv.frequentist.log_rank import log_rank
from bayesurv.frequentist.quantiles import quantile
from bayesurv.frequentist.rules import TESTS, p_by_rule

seeds = st.integers(0, 2**32 - 1)


def cohort(seed, n=40, decimals=1):
    generator = np.random.default_rng(seed)
    time = np.maximum(np.round(generator.exponential(10, n) + 0.1, decimals), 0.1)
    event = generator.random(n) < 0.7
    event[:2] = True
    group = (np.arange(n) % 2).astype(float)
    order = np.argsort(time - 1e-7 * event)
    return time, event, group, order


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(0, 2))
def test_log_rank(seed, decimals):
    time, event, group, order = cohort(seed, decimals=decimals)
    expected = log_rank(time, event, group)
    z = statistics.log_rank_z(time, event, order, group)
    assert z == pytest.approx(expected.z, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(1, 4))
def test_cox_by_breslow(seed, terms):
    time, event, group, order = cohort(seed)
    generator = np.random.default_rng(seed)
    x = np.column_stack([group, generator.normal(size=(len(time), terms - 1))])
    names = [f"x{i}" for i in range(terms)]
    expected = cox(time, event, x, names, ties="breslow")
    beta, error = statistics.cox(time, event, order, np.ascontiguousarray(x.T), np.zeros(terms))
    assert beta == pytest.approx(expected.coefficient, abs=1e-6)
    assert error == pytest.approx(expected.standard_error, rel=1e-4)


def test_cox_where_the_estimate_is_infinite():
    time = np.arange(1.0, 21)
    group = (time <= 10).astype(float)
    event = group > 0
    order = np.argsort(time)
    beta, error = statistics.cox(time, event, order, group[None], np.zeros(1))
    assert beta[0] > 8
    assert beta[0] / error[0] < 0.5


@settings(deadline=None, max_examples=40)
@given(seeds, st.floats(1, 20))
def test_kaplan_meier(seed, at):
    time, event, _, order = cohort(seed)
    chosen = np.random.default_rng(seed).random(len(time)) < 0.7
    chosen[:3] = True
    curve = kaplan_meier(time[chosen], event[chosen])
    survival = statistics.survival_at(time, event, order, chosen, at)
    step = np.searchsorted(curve.time, at, side="right") - 1
    assert survival == pytest.approx(curve.survival[step], abs=1e-12)
    median = statistics.median_survival(time, event, order, chosen)
    expected = quantile(curve).estimate
    assert median == pytest.approx(expected) if np.isfinite(expected) else np.isinf(median)


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_rank_sum(seed):
    values = np.random.default_rng(seed).integers(0, 8, 30).astype(float)
    group = (np.arange(30) % 3 == 0).astype(float)
    z = statistics.rank_sum_z(values, np.argsort(values), group)
    expected = rank_sum([values[group > 0], values[group == 0]])
    assert 2 * norm.sf(abs(z)) == pytest.approx(expected, abs=1e-10)
    higher = values[group > 0].mean() > values[group == 0].mean()
    if abs(z) > 1.5:
        assert (z > 0) == higher


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 20), min_size=6, max_size=6))
def test_tables_of_counts(counts):
    table = np.array(counts).reshape(3, 2)
    rows, two = table[table.any(axis=1)], table[:2]
    if table.any(axis=0).all() and len(rows) > 1:
        found = associations.pearson_p(table.astype(float))
        assert found == pytest.approx(TESTS["Pearson"](rows), rel=1e-8)
    if two.any(axis=0).all() and two.any(axis=1).all():
        fisher, spss = (
            test(two.astype(float)) for test in (associations.fisher_p, associations.spss_p)
        )
        assert fisher == pytest.approx(TESTS["Fisher"](two), rel=1e-7)
        assert spss == pytest.approx(p_by_rule(two, "spss").p, rel=1e-7)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7])
def test_tail_of_chi_squared(freedom):
    for statistic in (0.01, 1.0, 3.84, 20.0):
        expected = chi2.sf(statistic, freedom)
        assert associations.chi_squared_p(statistic, freedom) == pytest.approx(expected, rel=1e-10)
