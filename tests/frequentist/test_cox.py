from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from lifelines.datasets import load_rossi
from numpy.testing import assert_allclose
from scipy.stats import chi2

from bayesurv.data.faults import InputError
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.log_rank import log_rank

REFERENCE = Path(__file__).parents[1] / "reference"
FOUND_IN_R = pd.read_csv(REFERENCE / "cox.csv", keep_default_na=False, na_values={"value": ""})
VETERAN = ["trt", "karno10", "age10", "prior", "diagtime10"]
CASES = {
    "veteran": ("veteran", VETERAN, {}),
    "veteran_breslow": ("veteran", VETERAN, {"ties": "breslow"}),
    "veteran_strata": ("veteran", ["trt", "karno10"], {"strata": "celltype"}),
    "lung": ("lung", ["age10", "female"], {}),
    "lung_strata": ("lung", ["age10", "female"], {"strata": "inst"}),
    "ovarian": ("ovarian", ["age10", "rx2", "residual"], {}),
    "kidney": ("kidney", ["age10", "female"], {}),
    "channing": ("channing", ["male"], {"entry": "entry"}),
    "heart": ("heart", ["age10", "year", "surgery", "transplant"], {"entry": "entry"}),
    "heart_strata": (
        "heart",
        ["age10", "year", "transplant"],
        {"entry": "entry", "strata": "surgery"},
    ),
}


def data(name):
    return pd.read_csv(REFERENCE / "data" / f"{name}.csv")


def fit_case(case):
    name, terms, options = CASES[case]
    table = data(name)
    columns = {key: table.get(value, value) for key, value in options.items()}
    return cox(table["time"], table["event"], table[terms], terms, **columns)


def in_r(case, quantity):
    rows = FOUND_IN_R[(FOUND_IN_R["case"] == case) & (FOUND_IN_R["quantity"] == quantity)]
    assert len(rows)
    return rows["value"].to_numpy()


@pytest.mark.parametrize("case", CASES)
def test_coxph(case):
    fit = fit_case(case)
    assert_allclose(fit.coefficient, in_r(case, "coefficient"), rtol=1e-8)
    assert_allclose(fit.standard_error, in_r(case, "standard_error"), rtol=1e-8)
    assert_allclose(fit.log_likelihood, in_r(case, "log_likelihood"), rtol=1e-10)
    assert_allclose(fit.null_log_likelihood, in_r(case, "null_log_likelihood"), rtol=1e-10)
    for test in fit.tests().itertuples():
        assert_allclose(test.statistic, in_r(case, test.test), rtol=1e-8)
        assert_allclose(test.p, chi2.sf(test.statistic, len(fit.terms)))
    lower, upper = fit.interval(method="profile")
    assert_allclose(lower, in_r(case, "profile_lower"), rtol=1e-6)
    assert_allclose(upper, in_r(case, "profile_upper"), rtol=1e-6)
    assert fit.infinite == {}


def test_published_values_of_rossi():
    table = load_rossi()
    terms = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
    fit = cox(table["week"], table["arrest"], table[terms], terms)
    expected = [-0.3794222, -0.0574377, 0.3138998, -0.1497957, -0.4337039, -0.0848711, 0.0914971]
    assert_allclose(fit.coefficient, expected, atol=5e-8)
    errors = [0.19138, 0.02200, 0.30799, 0.21222, 0.38187, 0.19576, 0.02865]
    assert_allclose(fit.standard_error, errors, atol=6e-6)
    assert_allclose(fit.tests()["statistic"][0], 33.27, atol=0.005)


@pytest.mark.parametrize("test", ["wald", "likelihood-ratio", "score"])
def test_of_one_term_is_that_of_all(test):
    table = data("lung")
    fit = cox(table["time"], table["event"], table[["female"]], ["female"])
    overall = fit.tests().set_index("test")["p"]
    assert_allclose(fit.p(test), overall[test])


def test_each_end_of_a_wald_interval_is_its_own_test():
    fit = fit_case("ovarian")
    lower, upper = fit.interval(0.9)
    assert_allclose((lower + upper) / 2, fit.coefficient)
    assert_allclose(upper - lower, 2 * 1.6448536269514722 * fit.standard_error)


def random_cohort(seed, rows=40, tied=False):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 2)).round(1)
    time = random.exponential(np.exp(-0.5 * x[:, 0])) + 0.01
    event = random.random(rows) < 0.7
    event[:2] = True
    return (np.ceil(time * 4) if tied else time), event, x


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_lifelines(seed):
    time, event, x = random_cohort(seed, tied=True)
    table = pd.DataFrame(x, columns=["a", "b"]).assign(time=time, event=event)
    other = CoxPHFitter().fit(table, "time", "event", fit_options={"precision": 1e-10})
    fit = cox(time, event, x, ["a", "b"])
    # It stops a little short of the maximum.
    assert_allclose(fit.coefficient, other.params_, atol=1e-4)
    assert_allclose(fit.standard_error, other.standard_errors_, rtol=1e-4)
    assert fit.log_likelihood >= other.log_likelihood_ - 1e-10


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 4), st.booleans())
def test_only_the_order_of_times_matters(seed, power, tied):
    time, event, x = random_cohort(seed, tied=tied)
    one, other = (cox(t, event, x, ["a", "b"]) for t in (time, 3 * time**power))
    assert_allclose(one.coefficient, other.coefficient, atol=1e-9)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-4, 1e4), st.floats(-100, 100))
def test_units_of_a_covariate(seed, unit, shift):
    time, event, x = random_cohort(seed)
    one = cox(time, event, x, ["a", "b"])
    other = cox(time, event, x * [unit, 1] + [shift, 0], ["a", "b"])
    assert_allclose(other.coefficient, one.coefficient / [unit, 1], rtol=1e-6)
    assert_allclose(other.standard_error, one.standard_error / [unit, 1], rtol=1e-6)
    assert_allclose(other.log_likelihood, one.log_likelihood)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_swapped_arms(seed):
    time, event, _ = random_cohort(seed, tied=True)
    arm = np.arange(len(time)) % 2
    one, other = (cox(time, event, a[:, None], ["arm"]) for a in (arm, 1 - arm))
    assert_allclose(one.coefficient, -other.coefficient, atol=1e-9)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_score_test_of_two_groups_without_ties_is_the_log_rank_test(seed):
    time, event, _ = random_cohort(seed)
    arm = np.arange(len(time)) % 2
    fit = cox(time, event, arm[:, None], ["arm"])
    score = fit.tests().set_index("test").loc["score"]
    assert_allclose(score["statistic"], log_rank(time, event, arm).statistic, rtol=1e-8)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_stay_in_two_pieces_is_one_stay(seed):
    time, event, x = random_cohort(seed)
    whole = cox(time, event, x, ["a", "b"], strata=np.zeros(len(time)))
    cut = time / 2
    pieces = cox(
        np.concatenate([cut, time]),
        np.concatenate([np.zeros(len(time)), event]),
        np.concatenate([x, x]),
        ["a", "b"],
        entry=np.concatenate([0 * cut, cut]),
    )
    assert_allclose(pieces.coefficient, whole.coefficient, atol=1e-8)
    assert_allclose(pieces.log_likelihood, whole.log_likelihood)


def test_each_stratum_adds_its_own_log_likelihood():
    table = data("lung")
    terms = ["age10", "female"]
    fit = cox(table["time"], table["event"], table[terms], terms, strata=table["inst"])
    apart = 0.0
    for _, part in table.groupby("inst"):
        alone = fit.likelihood.risk_sets.from_times(
            part["time"].to_numpy(), part["event"].to_numpy() == 1, np.zeros(len(part)),
            np.zeros(len(part), int), "efron",
        )  # fmt: skip
        likelihood = type(fit.likelihood)(alone, part[terms].to_numpy())
        apart += likelihood.evaluate(fit.coefficient).log_likelihood if len(alone.rows) else 0.0
    assert_allclose(fit.log_likelihood, apart)


def test_a_registry():
    random = np.random.default_rng(4)
    x = random.normal(size=(100_000, 5))
    truth = np.array([0.5, -0.3, 0.1, 0, 0.2])
    time = random.exponential(np.exp(-x @ truth))
    fit = cox(np.minimum(time, 1), time < 1, x, list("abcde"))
    assert (abs(fit.coefficient - truth) < 4 * fit.standard_error).all()
    assert_allclose(fit.standard_error, 1 / np.sqrt(fit.events), rtol=0.1)


def test_what_cannot_be_estimated_is_refused():
    table = data("ovarian")
    both = table.assign(rx1=1 - table["rx2"])
    terms = ["age10", "rx2", "rx1"]
    with pytest.raises(InputError, match="say nothing of them: rx2, rx1;"):
        cox(table["time"], table["event"], both[terms], terms)
    with pytest.raises(InputError, match="them: one;"):
        cox(table["time"], table["event"], np.full((len(table), 1), 0.1), ["one"])
    with pytest.raises(InputError, match="them: inst;"):
        cox(table["time"], table["event"], table[["rx2"]], ["inst"], strata=table["rx2"])
    with pytest.raises(InputError, match="no event"):
        cox(table["time"], 0 * table["event"], table[["rx2"]], ["rx2"])


def test_bad_arguments():
    with pytest.raises(InputError, match=r"2 faults(?s:.*)column a: .*missing(?s:.*)column b: "):
        cox([1, 2], [1, 1], [[np.nan, np.inf], [0, 1]], ["a", "b"])
    with pytest.raises(ValueError, match=r"shape \(2, 1\), not \(2, 2\)"):
        cox([1, 2], [1, 1], [[0], [1]], ["a", "b"])
    with pytest.raises(ValueError, match="no ties"):
        cox([1, 2], [1, 1], [[0], [1]], ["a"], ties="exact")
    fit = fit_case("ovarian")
    with pytest.raises(ValueError, match="no test"):
        fit.p("log-rank")
    with pytest.raises(ValueError, match="no interval"):
        fit.interval(method="exact")
