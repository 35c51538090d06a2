"""Cox's partial likelihood of two arms, held against the general Cox model."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.partial_likelihood import TwoArms, two_arms

DATA = Path(__file__).parents[1] / "reference" / "data"
ARMS = {"veteran": "trt", "lung": "female", "ovarian": "rx2", "channing": "male",
        "heart": "transplant"}  # fmt: skip


@pytest.mark.parametrize("name", ARMS)
@pytest.mark.parametrize("digits", [0, 8])  # with many ties, and with few
def test_estimate_and_likelihood_are_those_of_cox(name, digits):
    table = pd.read_csv(DATA / f"{name}.csv")
    entry = table["entry"] if "entry" in table else None
    time = table["time"].round(digits) if entry is None else table["time"]
    fitted = cox(time, table["event"], table[[ARMS[name]]], ["arm"], entry=entry)
    found = two_arms(time, table["event"], table[ARMS[name]], entry)
    estimate, error = found.estimate()
    np.testing.assert_allclose(estimate, fitted.coefficient[0], rtol=1e-8)
    np.testing.assert_allclose(error, fitted.standard_error[0], rtol=1e-8)
    at = found.log_likelihood(np.array([0, float(estimate)]))
    np.testing.assert_allclose(at[0], fitted.null_log_likelihood, rtol=1e-12)
    np.testing.assert_allclose(at[1], fitted.log_likelihood, rtol=1e-12)


rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 12), st.booleans(), st.booleans()),
    min_size=4,
    max_size=25,
)


@given(rows)
def test_infinite_estimates_are_those_of_cox(patients):
    entry, length, event, arm = np.array(patients).T
    if not event.any():
        return
    found = two_arms(entry + length, event, arm, entry)
    estimate = float(found.estimate()[0])
    try:
        fitted = cox(entry + length, event, arm[:, None], ["arm"], entry=entry)
    except ValueError:  # nothing tells the arms apart
        assert np.isnan(estimate)
        return
    np.testing.assert_allclose(estimate, fitted.coefficient[0], rtol=1e-5, atol=1e-7)


@given(rows)
def test_arms_and_clock_do_not_matter(patients):
    entry, length, event, arm = np.array(patients).T
    one = two_arms(entry + length, event, arm, entry).estimate()
    other = two_arms(3 * (entry + length), event, 1 - arm, 3 * entry).estimate()
    np.testing.assert_allclose(one[0], -other[0], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(one[1], other[1], rtol=1e-6)


def test_many_cohorts_at_once_are_each_of_them_alone():
    random = np.random.default_rng(2)
    alone = []
    for _ in range(7):
        time, event = random.exponential(size=30), np.repeat([True, False], [20, 10])
        alone.append(two_arms(time, event, random.permutation(np.repeat([0, 1], 15))))
    names = ("untreated", "treated", "weight", "in_treated")
    stacked = TwoArms(*(np.stack([getattr(each, name) for each in alone]) for name in names))
    points = np.linspace(-1, 1, 5)
    for together, apart in (
        (stacked.estimate(), np.transpose([each.estimate() for each in alone])),
        (stacked.log_likelihood(points), [each.log_likelihood(points) for each in alone]),
    ):
        np.testing.assert_allclose(together, apart, rtol=1e-10)


def test_events_of_weight_0_do_not_count():
    some = two_arms([1, 2, 3, 4.0], [1, 1, 1, 0], [0, 1, 0, 1])
    more = TwoArms(
        np.append(some.untreated, 0), np.append(some.treated, 0), np.append(some.weight, 0),
        some.in_treated,
    )  # fmt: skip
    np.testing.assert_allclose(some.estimate(), more.estimate())
    at = np.array([-0.5, 0.5])
    np.testing.assert_allclose(some.log_likelihood(at), more.log_likelihood(at))
