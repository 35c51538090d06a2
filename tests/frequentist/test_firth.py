"""Firth's penalised Cox and logistic regressions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.logistic import logistic

REFERENCE = Path(__file__).parents[1] / "reference"
FOUND = pd.read_csv(REFERENCE / "firth.csv")


def data(name):
    return pd.read_csv(REFERENCE / "data" / f"{name}.csv")


def fit_cox(name, terms, **more):
    table = data(name)
    event = np.where(table["trt"] == 0, table["event"], 0) if more.pop("no_trt", 0) else table.event
    return cox(table["time"], event, table[terms], terms, firth=True, **more)


def early_deaths(of_everyone=True):
    table = data("veteran")
    known = table[(table["time"] > 3) | (table["event"] == 1)]
    return known, (known["time"] <= 3) & (of_everyone | (known["prior"] == 0))


def agrees(fit, case, first=0):
    """With firthmodels, to the digits to which that converges.

    Its standard errors of logistic regressions are those of data with the penalty's weights added,
    not of the information as here and in brglm2 (test_logistic).
    """
    rows = FOUND[FOUND["case"] == case].pivot(index="term", columns="quantity", values="value")
    rows = rows.loc[list(fit.terms[first:])]
    assert_allclose(fit.coefficient[first:], rows["coefficient"], rtol=1e-6, atol=1e-7)
    if not first:
        assert_allclose(fit.standard_error, rows["standard_error"], rtol=1e-6)
    assert_allclose(fit.p("likelihood-ratio")[first:], rows["p_likelihood-ratio"], rtol=1e-5)
    lower, upper = fit.interval(method="profile")
    assert_allclose(lower[first:], rows["profile_lower"], rtol=1e-5, atol=1e-6)
    assert_allclose(upper[first:], rows["profile_upper"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("case", "name", "terms", "more"),
    [
        ("monotone", "monotone", ["group", "x1", "x2", "x3"], {}),
        ("veteran", "veteran", ["trt", "karno10", "age10", "prior"], {}),
        ("veteran_separated", "veteran", ["trt", "karno10", "age10"], {"no_trt": True}),
        ("ovarian", "ovarian", ["age10", "rx2", "residual"], {}),
        ("kidney", "kidney", ["age10", "female"], {}),
        ("lung", "lung", ["age10", "female"], {}),
    ],
)
def test_cox_by_firthmodels(case, name, terms, more):
    agrees(fit_cox(name, terms, ties="breslow", **more), case)


def test_cox_by_coxphf():
    """As quoted by firthmodels, tests/test_cox.py; there are no ties."""
    fit = fit_cox("monotone", ["group", "x1", "x2", "x3"])
    coefficient = [3.8815800583, 0.6042066427, -0.4202139201, 1.0415063080]
    assert_allclose(fit.coefficient, coefficient, rtol=1e-6)
    error = [1.4430190269, 0.1599607483, 0.2541800107, 0.3128784410]
    assert_allclose(fit.standard_error, error, rtol=1e-6)
    p = [7.318984974e-09, 1.686334002e-04, 9.295083722e-02, 8.463066114e-04]
    assert_allclose(fit.p("likelihood-ratio"), p, rtol=1e-6)
    lower, upper = fit.interval(method="profile")
    assert_allclose(lower, [1.9343469272, 0.2921186188, -0.9217200647, 0.4348431279], rtol=1e-6)
    assert_allclose(upper, [8.7215676015, 0.9164270978, 0.0699415336, 1.6550461482], rtol=1e-6)
    tests = fit.tests().set_index("test")
    assert_allclose(tests.loc["likelihood-ratio", "statistic"], 57.6071, rtol=1e-6)
    assert "score" not in tests.index


def test_logistic_by_firthmodels():
    known, early = early_deaths()
    terms = ["trt", "karno10", "age10"]
    agrees(logistic(early, known[terms], terms, firth=True), "early", first=1)
    known, early = early_deaths(of_everyone=False)
    terms = ["trt", "karno10", "prior"]
    agrees(logistic(early, known[terms], terms, firth=True), "early_separated", first=1)


def test_two_patients_have_the_hazard_ratio_3():
    """Heinze and Schemper, Biometrics 2001, section 2."""
    fit = cox([1, 2], [1, 0], [[1], [0]], ["x"], firth=True)
    assert_allclose(np.exp(fit.coefficient), 3)


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["efron", "breslow"]), st.booleans(), st.booleans()
)
def test_the_score_is_the_slope_of_the_log_likelihood(seed, ties, delayed, stratified):
    random = np.random.default_rng(seed)
    x, time = random.normal(size=(25, 3)), random.integers(3, 9, 25)
    event = random.random(25) < 0.7
    event[:10] = True
    entry = random.integers(0, 3, 25) * delayed
    strata = random.integers(0, 2, 25) * stratified
    fit = cox(time, event, x, list("abc"), entry=entry, strata=strata, ties=ties, firth=True)
    at, step = random.normal(size=3) / 2, 1e-5
    evaluate = fit.likelihood.evaluate
    slopes = [
        (evaluate(at + step * way).log_likelihood - evaluate(at - step * way).log_likelihood)
        for way in np.eye(3)
    ]
    assert_allclose(evaluate(at).score, np.array(slopes) / (2 * step), rtol=1e-5, atol=1e-5)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_finite_however_the_data_separate(seed):
    random = np.random.default_rng(seed)
    time = random.exponential(size=30)
    event = random.random(30) < 0.6
    event[:3] = True
    # No event where a is 1; b puts the events in perfect order.
    a = ~event & (random.random(30) < 0.8)
    a[3], event[3] = True, False
    b = -time.argsort().argsort()
    fit = cox(time, event, np.column_stack([a, b]), ["a", "b"], firth=True)
    assert np.isfinite(fit.coefficient).all()
    assert np.isfinite(fit.standard_error).all()
    assert fit.coefficient[1] > 0
    assert fit.infinite == {}


def test_efron_ties_without_ties_are_breslow_ties():
    one, other = (fit_cox("monotone", ["group", "x1"], ties=ties) for ties in ("efron", "breslow"))
    assert_allclose(one.coefficient, other.coefficient, rtol=1e-12)


def test_there_is_no_score_test():
    with pytest.raises(ValueError, match="with Firth"):
        fit_cox("ovarian", ["rx2"]).p("score")


@pytest.mark.parametrize("seed", range(20))
def test_profile_ends_do_not_depend_on_the_order_of_rows(seed):
    """One event among 27 and none among 34: from afar, whole Newton steps went astray."""
    outcome, treated = np.eye(61)[0], np.arange(61) < 27
    order = np.random.default_rng(seed).permutation(61)
    first, second = (
        logistic(outcome[rows], treated[rows, None], ["t"], firth=True).interval(method="profile")
        for rows in (np.arange(61), order)
    )
    assert_allclose(first, second, rtol=1e-6)
    fit = logistic(outcome, treated[:, None], ["t"], firth=True)
    assert (first[0] < fit.coefficient).all()
    assert (fit.coefficient < first[1]).all()
