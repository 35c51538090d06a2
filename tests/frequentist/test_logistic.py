from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bayesurv.data.faults import InputError
from bayesurv.frequentist.logistic import logistic

REFERENCE = Path(__file__).parents[1] / "reference"
FOUND_IN_R = pd.read_csv(REFERENCE / "cox.csv").set_index(["case", "quantity"]).sort_index()


def in_r(case, quantity):
    return FOUND_IN_R.loc[(case, quantity), "value"].to_numpy()


def early_deaths():
    table = pd.read_csv(REFERENCE / "data" / "veteran.csv")
    known = table[(table["time"] > 3) | (table["event"] == 1)]
    return known, known["time"] <= 3


def test_glm():
    known, early = early_deaths()
    terms = ["trt", "karno10", "age10"]
    fit = logistic(early, known[terms], terms)
    assert fit.terms == ("intercept", *terms)
    assert (fit.n, fit.events) == (len(known), early.sum())
    assert_allclose(fit.coefficient, in_r("early", "coefficient"), rtol=1e-8)
    assert_allclose(fit.standard_error, in_r("early", "standard_error"), rtol=1e-8)
    assert_allclose(fit.log_likelihood, in_r("early", "log_likelihood")[0])
    assert_allclose(fit.null_log_likelihood, in_r("early", "null_log_likelihood")[0])
    tests = fit.tests().set_index("test")
    assert_allclose(tests.loc["score", "statistic"], in_r("early", "score")[0])
    assert set(tests["degrees_of_freedom"]) == {3}
    lower, upper = fit.interval(method="profile")
    assert_allclose(lower, in_r("early", "profile_lower"), rtol=1e-6)
    assert_allclose(upper, in_r("early", "profile_upper"), rtol=1e-6)


def test_brglm2():
    known, early = early_deaths()
    terms = ["trt", "karno10", "age10"]
    fit = logistic(early, known[terms], terms, firth=True)
    assert_allclose(fit.coefficient, in_r("early_firth", "coefficient"), rtol=1e-7)
    assert_allclose(fit.standard_error, in_r("early_firth", "standard_error"), rtol=1e-7)
    terms = ["trt", "karno10", "prior"]
    fit = logistic(early & (known["prior"] == 0), known[terms], terms, firth=True)
    case = "early_separated_firth"
    assert_allclose(fit.coefficient, in_r(case, "coefficient"), rtol=1e-7)
    assert_allclose(fit.standard_error, in_r(case, "standard_error"), rtol=1e-7)


@settings(deadline=None)
@given(*[st.integers(0, 30)] * 4)
def test_two_by_two_table(a, b, c, d):
    """The odds ratio ad / bc; with Firth half a patient more in each cell."""
    assume(min(a + b, c + d, a + c, b + d) > 0)
    x, y = np.repeat([1, 1, 0, 0], [a, b, c, d]), np.repeat([1, 0, 1, 0], [a, b, c, d])
    fit = logistic(y, x[:, None], ["x"])
    with np.errstate(divide="ignore"):
        assert_allclose(fit.coefficient[1], np.log(a * d) - np.log(b * c), atol=1e-8)
    firth = logistic(y, x[:, None], ["x"], firth=True)
    more = np.array([a, b, c, d]) + 0.5
    assert_allclose(firth.coefficient[1], np.log(more) @ [1, -1, -1, 1], atol=1e-7)
    if min(a, b, c, d):
        assert_allclose(fit.standard_error[1] ** 2, 1 / a + 1 / b + 1 / c + 1 / d)


def test_infinite_estimates_are_said():
    fit = logistic([1, 1, 0, 1, 0, 0], [[1], [1], [0], [0], [0], [0]], ["x"])
    assert fit.infinite == {"x": 1}
    assert fit.notes == ("x has no finite estimate: nothing but events among those with x = 1",)
    assert_allclose(fit.coefficient[0], np.log(1 / 3))
    assert_allclose(fit.log_likelihood, np.log(1 / 4) + 3 * np.log(3 / 4))
    lower, upper = fit.interval(method="profile")
    assert np.isfinite(lower[1])
    assert upper[1] == np.inf


def test_perfect_prediction():
    fit = logistic([0, 0, 1, 1], [[1], [2], [3], [4]], ["dose"])
    assert fit.infinite == {"intercept": -1, "dose": 1}
    assert fit.log_likelihood == 0
    assert "perfect order" in fit.notes[0]


def test_refused():
    with pytest.raises(InputError, match="same in all"):
        logistic([1, 1], [[0], [1]], ["x"])
    with pytest.raises(InputError, match="intercept, x;"):
        logistic([1, 0, 1], [[2], [2], [2]], ["x"])
