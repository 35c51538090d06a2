from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from bayesurv.frequentist.competing_risks import aalen_johansen, causes
from bayesurv.frequentist.kaplan_meier import kaplan_meier

REFERENCE = Path(__file__).parents[1] / "reference"
INCIDENCE = pd.read_csv(REFERENCE / "survival_incidence.csv")
CURVES = [key for key, _ in INCIDENCE.groupby(["case", "cause"])]
EXACT = {"rtol": 0, "atol": 1e-12}


def rows(least=1):
    row = st.tuples(st.integers(1, 9), st.sampled_from([None, "a", "b", "c"]))
    return st.lists(row, min_size=least, max_size=40).filter(lambda r: any(c for _, c in r))


def cohort(case):
    name, _, group = case.partition("_")
    table = pd.read_csv(REFERENCE / "data" / f"{name}.csv", keep_default_na=False)
    return table[table["group"] == int(group)] if group else table


@pytest.mark.parametrize("interval", ["plain", "log-log"])
@pytest.mark.parametrize(("case", "cause"), CURVES)
def test_etm(case, cause, interval):
    table, found = cohort(case), INCIDENCE.query("case == @case and cause == @cause")
    curve = aalen_johansen(table["time"], table["cause"], table.get("entry"), interval=interval)
    curve = curve[cause]
    name = interval.replace("-", "_")
    at = np.searchsorted(curve.time, found["time"] - 1e-7)
    ours = [part[at] for part in (curve.incidence, curve.standard_error, curve.lower, curve.upper)]
    columns = ["incidence", "standard_error", f"{name}_lower", f"{name}_upper"]
    assert_allclose(np.transpose(ours), found[columns], rtol=0, atol=1e-9)
    assert len(curve.events) >= len(found)


def test_ties_by_hand():
    # At 2 one event of each cause among five, at 4 one of b among two.
    found = aalen_johansen([2, 2, 2, 4, 5], ["a", "b", 0, "b", None])
    a, b = found["a"], found["b"]
    assert list(found) == ["a", "b"]
    assert_allclose(a.incidence, [0, 0.2, 0.2], **EXACT)
    assert_allclose(b.incidence, [0, 0.2, 0.5], **EXACT)
    assert_allclose(a.standard_error, np.sqrt([0, 0.032, 0.032]), **EXACT)
    assert_array_equal(b.events, [2, 4])
    assert_array_equal(b.events_before([2, 3, 9]), [0, 1, 2])
    assert_allclose(b.incidence_at([1, 2, 4.5]), [0, 0.2, 0.5], **EXACT)
    assert np.isnan(b.incidence_at([-1, 6])).all()


@given(rows(), st.booleans())
def test_incidences_and_event_free_survival_add_up_to_1(given_rows, delayed):
    time, cause = zip(*given_rows, strict=True)
    entry = np.arange(len(time)) % 3 / 4 if delayed else None
    found = aalen_johansen(time, cause, entry)
    event_free = next(iter(found.values())).event_free
    total = sum(curve.incidence for curve in found.values()) + event_free.survival
    assert_allclose(total, 1, **EXACT)


@given(rows(), st.sampled_from(["plain", "log"]))
def test_one_cause_is_kaplan_meier(given_rows, interval):
    time, cause = zip(*given_rows, strict=True)
    event = [c is not None for c in cause]
    km = kaplan_meier(time, event, interval=interval)
    (curve,) = aalen_johansen(time, [int(e) for e in event], interval="plain").values()
    assert curve.cause == "1"
    assert_allclose(curve.incidence, 1 - km.survival, **EXACT)
    known = km.survival > 0
    assert_allclose(curve.standard_error[known], km.standard_error[known], atol=1e-7)
    assert_allclose(curve.standard_error[~known], 0, atol=1e-7)


@given(rows(least=5), st.integers(0, 2**32 - 1))
@example([(1, "a"), (1, "a"), (1, "a"), (2, None), (2, "a"), (2, "a"), (3, "a")], 0)
def test_the_order_of_rows_does_not_matter(given_rows, seed):
    time, cause = (np.array(part, dtype=object) for part in zip(*given_rows, strict=True))
    order = np.random.default_rng(seed).permutation(len(time))
    one, other = aalen_johansen(time, cause), aalen_johansen(time[order], cause[order])
    for name, curve in one.items():
        assert_array_equal(curve.incidence, other[name].incidence)


def test_no_events_no_curves():
    assert aalen_johansen([1, 2], [0, 0]) == {}


def test_what_counts_as_censored():
    values = [None, "", 0, "0", 0.0, np.nan, False, 1, 1.0, " infection "]
    assert list(causes(values)) == [""] * 7 + ["1", "1", "infection"]


def test_recovers_a_known_incidence():
    random = np.random.default_rng(5)
    time = random.exponential(1 / 0.3, 20_000)
    cause = np.where(random.random(20_000) < 2 / 3, "a", "b")
    stop = random.uniform(0, 10, 20_000)
    found = aalen_johansen(np.minimum(time, stop), np.where(time <= stop, cause, ""))["a"]
    for at in (1, 3, 6):
        truth = 2 / 3 * (1 - np.exp(-0.3 * at))
        i = np.searchsorted(found.time, at, side="right") - 1
        assert abs(found.incidence[i] - truth) < 4 * found.standard_error[i] < 0.03
