from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bayesurv.data.faults import InputError
from bayesurv.frequentist.parametric import exponential, weibull

REFERENCE = Path(__file__).parents[1] / "reference"
FOUND_IN_R = pd.read_csv(REFERENCE / "cox.csv").set_index(["case", "quantity"]).sort_index()
BY_NEWTON_IN_R = pd.read_csv(REFERENCE / "maximum_likelihood.csv").set_index(["case", "parameter"])
FAMILIES = {"weibull": weibull, "exponential": exponential}
TERMS = {
    "veteran": ["trt", "karno10", "age10", "prior", "diagtime10"],
    "lung": ["age10", "female"],
    "ovarian": ["age10", "rx2", "residual"],
    "bcdeter": ["treat"],
}


def data(name):
    return pd.read_csv(REFERENCE / "data" / f"{name}.csv")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", TERMS)
def test_survreg(name, family):
    table, terms = data(name), TERMS[name]
    fit = FAMILIES[family](
        table["time"], table["event"], table[terms], terms, upper=table.get("upper")
    )
    expected = FOUND_IN_R.loc[f"{name}_{family}"]["value"]
    assert fit.terms == ("intercept", *terms, *(["log_shape"] if family == "weibull" else []))
    assert_allclose(fit.coefficient, expected["coefficient"], rtol=1e-6)
    assert_allclose(fit.standard_error, expected["standard_error"], rtol=1e-6)
    assert_allclose(fit.log_likelihood, expected["log_likelihood"], rtol=1e-8)
    assert_allclose(fit.null_log_likelihood, expected["null_log_likelihood"], rtol=1e-8)


@pytest.mark.parametrize("case", ["weibull_channing", "weibull_bcdeter", "weibull_veteran"])
def test_delayed_entry_by_newton_in_r(case):
    table = data(case.removeprefix("weibull_"))
    expected = BY_NEWTON_IN_R.loc[case]
    terms = [p[12:-1] for p in expected.index if p.startswith("coefficient")]
    fit = weibull(
        table["time"], table["event"], table[terms], terms,
        entry=table.get("entry"), upper=table.get("upper"),
    )  # fmt: skip
    names = ["intercept", *(f"coefficient[{term}]" for term in terms)]
    assert_allclose(fit.coefficient[:-1], expected.loc[names, "estimate"], rtol=1e-6)
    assert_allclose(np.exp(fit.coefficient[-1]), expected.loc["shape", "estimate"], rtol=1e-6)
    assert_allclose(fit.log_likelihood, expected["log_likelihood"].iloc[0], rtol=1e-8)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_score_and_information_are_derivatives(seed, shaped):
    """Of every kind of row at once, made by hand."""
    table = data("mixed")
    family = weibull if shaped else exponential
    terms = ["treat", "age10"]
    fit = family(
        table["time"], table["event"], table[terms], terms,
        entry=table["entry"], upper=table["upper"],
    )  # fmt: skip
    size = len(fit.terms)
    at = fit.coefficient + np.random.default_rng(seed).normal(size=size) / 5
    there, step = fit.likelihood.evaluate(at), 1e-5
    beside = [
        [fit.likelihood.evaluate(at + sign * step * way) for sign in (1, -1)]
        for way in np.eye(size)
    ]
    slope = [(up.log_likelihood - down.log_likelihood) / (2 * step) for up, down in beside]
    curve = [(down.score - up.score) / (2 * step) for up, down in beside]
    assert_allclose(there.score, slope, rtol=1e-5, atol=1e-5)
    assert_allclose(there.information, curve, rtol=1e-5, atol=1e-5)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_the_unit_of_time(seed, unit):
    random = np.random.default_rng(seed)
    x, time = random.normal(size=(30, 1)), random.weibull(1.5, 30) + 0.01
    event = random.random(30) < 0.7
    event[0] = True
    one, other = weibull(time, event, x, ["x"]), weibull(time * unit, event, x, ["x"])
    assert_allclose(one.coefficient[1:], other.coefficient[1:], atol=1e-7)
    shift = np.exp(one.coefficient[-1]) * np.log(unit)
    assert_allclose(other.coefficient[0], one.coefficient[0] - shift, atol=1e-6)


def test_exponential_without_covariates_is_events_over_time():
    fit = exponential([1, 2, 3.5], [1, 0, 1], np.empty((3, 0)), [], entry=[0, 1, 0])
    assert_allclose(fit.coefficient, np.log(2 / 5.5))
    assert_allclose(fit.standard_error, 1 / np.sqrt(2))


def test_truth_is_recovered():
    random = np.random.default_rng(8)
    x = random.integers(0, 2, (4000, 1))
    time = (random.exponential(size=4000) / np.exp(-1 + 0.6 * x[:, 0])) ** (1 / 1.7)
    visit = np.ceil(time * 4) / 4
    fit = weibull(visit - 0.25, np.ones(4000), x, ["x"], upper=visit)
    off = (fit.coefficient - [-1, 0.6, np.log(1.7)]) / fit.standard_error
    assert (abs(off) < 3).all()
    lower, upper = fit.interval(method="profile")
    assert_allclose([lower, upper], fit.interval(), atol=0.005)


@pytest.mark.parametrize("family", FAMILIES.values())
def test_an_arm_without_events(family):
    table = data("ovarian")
    event = table["event"] * (table["rx2"] == 0)
    terms = ["rx2", "residual"]
    fit = family(table["time"], event, table[terms], terms)
    assert fit.infinite == {"rx2": -1}
    assert fit.notes == ("rx2 has no finite estimate: no event among those with rx2 = 1",)
    treated = table["rx2"] == 1
    other = family(table["time"][~treated], event[~treated], table.loc[~treated, terms[1:]],
                   terms[1:])  # fmt: skip
    assert_allclose(np.delete(fit.coefficient, 1), other.coefficient, atol=1e-8)
    assert_allclose(np.delete(fit.standard_error, 1), other.standard_error, rtol=1e-6)
    assert_allclose(fit.log_likelihood, other.log_likelihood)
    turned = family(table["time"], event, 1 - table[["rx2"]], ["rx1"])
    assert turned.infinite == {"intercept": -1, "rx1": 1}
    assert len(turned.notes) == 1


def test_interval_censored_events_can_separate_too():
    time, upper = [1, 1, 2, 0, 3, 0], [np.nan, 3, np.nan, 2, np.nan, 4]
    arm = np.array([[1], [0], [1], [0], [1], [0]])
    fit = weibull(time, np.isfinite(upper), arm, ["arm"], upper=upper)
    assert fit.infinite["arm"] == -1


def test_refused():
    with pytest.raises(InputError, match="no event"):
        weibull([1, 2], [0, 0], [[0], [1]], ["x"])
    with pytest.raises(InputError, match="intercept, x;"):
        exponential([1, 2], [1, 1], [[1], [1]], ["x"])
    with pytest.raises(InputError, match="shape grows for ever"):
        weibull([1, 1, 2, 2], [1, 1, 1, 1], [[0], [0], [1], [1]], ["x"])
    with pytest.raises(InputError, match="too much alike"):
        weibull([1, 1, 1, 1], [1, 1, 1, 1], [[0], [0], [1], [1]], ["x"])
