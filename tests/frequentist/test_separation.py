"""Infinite maximum-likelihood estimates: found, and what the other terms go to."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bayesurv.data.faults import InputError
from bayesurv.frequentist.cox import PartialLikelihood, cox
from bayesurv.frequentist.newton import maximise, null_space
from bayesurv.frequentist.risk_sets import RiskSets
from bayesurv.frequentist.separation import reason, recession, ways

REFERENCE = Path(__file__).parents[1] / "reference"
FOUND_IN_R = pd.read_csv(REFERENCE / "cox.csv").set_index(["case", "quantity"]).sort_index()


def test_an_arm_without_events():
    table = pd.read_csv(REFERENCE / "data" / "veteran.csv")
    event = table["event"].where(table["trt"] == 0, 0)
    terms = ["trt", "karno10", "age10"]
    fit = cox(table["time"], event, table[terms], terms)
    assert fit.infinite == {"trt": -1}
    assert fit.notes == ("trt has no finite estimate: no event among those with trt = 1",)
    assert fit.coefficient[0] == -np.inf
    assert np.isnan(fit.standard_error[0])
    expected = FOUND_IN_R.loc["veteran_separated"]["value"]
    assert_allclose(fit.coefficient[1:], expected["coefficient"], rtol=1e-6)
    assert_allclose(fit.standard_error[1:], expected["standard_error"], rtol=1e-6)
    assert_allclose(fit.log_likelihood, expected["log_likelihood"])
    tests = fit.tests().set_index("test")["statistic"]
    assert_allclose(tests["score"], expected["score"])
    assert np.isnan(tests["wald"])


def test_the_profile_interval_has_one_end():
    table = pd.read_csv(REFERENCE / "data" / "ovarian.csv")
    event = table["event"] * (table["rx2"] == 0)
    fit = cox(table["time"], event, table[["rx2", "age10"]], ["rx2", "age10"])
    lower, upper = fit.interval(method="profile")
    assert lower[0] == -np.inf
    assert np.isfinite([lower[1], *upper]).all()
    assert np.isnan(fit.interval()).tolist() == [[True, False], [True, False]]
    # Where it ends the profile has fallen by half of 3.84.
    held = fit.likelihood.evaluate
    top = maximise(held, np.array([upper[0], 0.0]), np.array([[0.0], [1.0]]))
    assert_allclose(fit.log_likelihood - top.at.log_likelihood, 3.841458820694124 / 2)
    assert fit.p("likelihood-ratio")[0] < 0.05 or upper[0] > 0


def test_a_covariate_in_the_order_of_events():
    fit = cox([1, 2, 3, 4], [1, 1, 1, 0], [[4], [3], [2], [1]], ["x"])
    assert fit.infinite == {"x": 1}
    assert fit.log_likelihood == 0
    assert fit.notes == (
        "x has no finite estimate: x, alone or with other terms, puts the events in perfect order",
    )


def test_terms_that_may_go_either_way():
    """Anything close to the first coordinate separates."""
    x = np.array([[2, 0], [1, 1], [0, 0], [-1, -1]])
    fit = cox([1, 2, 3, 4], [1, 1, 1, 0], x, ["a", "b"])
    assert fit.infinite == {"a": 1, "b": 0}
    assert fit.coefficient[0] == np.inf
    assert np.isnan(fit.coefficient[1])
    lower, upper = fit.interval(method="profile")
    assert (lower[1], upper[1]) == (-np.inf, np.inf)


def random_small(seed, delayed):
    random = np.random.default_rng(seed)
    rows = random.integers(5, 12)
    x = random.integers(0, 3, (rows, 2)).astype(float)
    time = random.integers(3, 8, rows)
    event = random.random(rows) < 0.6
    entry = random.integers(-1, 3, rows) * delayed
    assume(event.any())
    sets = RiskSets.from_times(time, event, entry, np.zeros(rows, int), "efron")
    likelihood = PartialLikelihood(sets, x)
    assume(null_space(likelihood.evaluate(np.zeros(2)).information)[1].shape[1] == 0)
    return time, event, entry, x, likelihood


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_newton_diverges_just_where_there_is_a_direction_of_recession(seed, delayed):
    time, event, entry, x, likelihood = random_small(seed, delayed)
    top = maximise(likelihood.evaluate, np.zeros(2), np.eye(2))
    direction = recession(likelihood.risk_sets.comparisons(x))
    assert top.settled == (direction is None)
    fit = cox(time, event, x, ["a", "b"], entry=entry)
    assert_allclose(fit.log_likelihood, top.at.log_likelihood, atol=1e-6)
    finite = np.isfinite(fit.coefficient)
    assert finite.all() == top.settled
    assert_allclose(fit.coefficient[finite], top.parameter[finite], atol=1e-3)
    for i, term in enumerate(["a", "b"]):
        if fit.infinite.get(term):
            assert np.sign(top.parameter[i]) == fit.infinite[term]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_log_likelihood_never_falls_along_a_direction_of_recession(seed):
    *_, x, likelihood = random_small(seed, delayed=False)
    direction = recession(likelihood.risk_sets.comparisons(x))
    if direction is None:
        return
    along = [likelihood.evaluate(far * direction).log_likelihood for far in range(8)]
    assert (np.diff(along) > -1e-6).all()
    assert along[-1] > along[0]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_comparisons_are_those_of_each_event_with_all_at_risk(seed, delayed):
    time, event, entry, x, likelihood = random_small(seed, delayed)
    pairs = {
        tuple(x[i] - x[j])
        for i in np.flatnonzero(event)
        for j in np.flatnonzero((entry < time[i]) & (time[i] <= time))
    }
    assert {tuple(gap) for gap in likelihood.risk_sets.comparisons(x)} == pairs - {(0.0, 0.0)}


def test_a_rare_level_without_events_in_a_registry():
    random = np.random.default_rng(5)
    x = np.column_stack([random.normal(size=30_000), random.random(30_000) < 0.002])
    time = random.exponential(np.exp(-0.3 * x[:, 0]))
    event = (time < 1) & (x[:, 1] == 0)
    fit = cox(np.minimum(time, 1), event, x, ["age", "rare"])
    assert fit.infinite == {"rare": -1}
    assert abs(fit.coefficient[0] - 0.3) < 4 * fit.standard_error[0]


def test_order_in_many_rows_is_not_searched_for():
    time = np.arange(1.0, 1001)
    with pytest.raises(InputError, match="put the events in order"):
        cox(time, np.ones(1000), -time[:, None], ["x"])


def test_covariates_of_any_size():
    """Where a hazard ratio overflows on the way, the answer is the same."""
    time = np.random.default_rng(3).exponential(size=20) ** 6
    fit = cox(time, np.ones(20), -time[:, None], ["x"])
    assert fit.infinite == {"x": 1}
    assert fit.log_likelihood == 0


def test_ways_and_reasons():
    gaps = np.array([[1.0, 0], [1, 0.5]])
    assert [ways(gaps, i) for i in (0, 1)] == [1, 0]
    assert recession(np.array([[1.0], [-1.0]])) is None
    assert recession(np.zeros((0, 2))) is None
    values, event = np.array([0, 1, 1]), np.array([True, False, False])
    assert reason("x", values, {"no event": event}) == "no event among those with x = 1"
    assert "perfect order" in reason("x", np.arange(3), {"no event": event})


@pytest.mark.parametrize("unit", [1e-4, 1, 1e4])
def test_units_do_not_matter(unit):
    x = unit * np.array([[0.0, 1], [0, 2], [0, 1], [1, 3], [1, 2], [1, 2]])
    fit = cox([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0], x, ["a", "b"])
    assert fit.infinite == {"a": -1}
