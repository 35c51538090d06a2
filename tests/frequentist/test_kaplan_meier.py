from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from bayesurv.frequentist.kaplan_meier import KaplanMeier, kaplan_meier, reverse_kaplan_meier

REFERENCE = Path(__file__).parents[1] / "reference" / "data"
CURVES = pd.read_csv(REFERENCE.parent / "survival_curves.csv")
# Two events at 2, an event and a censoring at 5, another event, a last censoring.
TIME, EVENT = [2, 2, 3, 5, 5, 7, 9], [1, 1, 0, 1, 0, 1, 0]
EXACT = {"rtol": 0, "atol": 1e-12}


def channing(male: int) -> pd.DataFrame:
    table = pd.read_csv(REFERENCE / "channing.csv")
    return table[table["male"] == male]


def test_ties_by_hand():
    km = kaplan_meier(TIME, EVENT)
    by_hand = np.cumprod([1 - 2 / 7, 1 - 1 / 4, 1 - 1 / 2])
    assert_array_equal(km.time, [0, 2, 5, 7])
    assert_allclose(km.survival, [1, *by_hand], **EXACT)
    variance = np.cumsum([2 / (7 * 5), 1 / (4 * 3), 1 / (2 * 1)])
    middle, spread = np.log(-np.log(by_hand)), np.sqrt(variance) / np.log(by_hand)
    z = norm.ppf(0.975)
    assert_allclose(km.lower[1:], np.exp(-np.exp(middle - z * spread)), **EXACT)
    assert_allclose(km.upper[1:], np.exp(-np.exp(middle + z * spread)), **EXACT)
    assert_array_equal(km.censored, [3, 5, 9])
    assert (km.n, km.events, km.end, km.ci_prob, km.notes) == (7, 4, 9, 0.95, ())


def test_counts_at_times():
    km = kaplan_meier(TIME, EVENT)
    times = [0, 2, 2.5, 5, 5.1, 9, 9.1]
    assert_array_equal(km.at_risk(times), [7, 7, 5, 4, 2, 1, 0])
    assert_array_equal(km.events_before(times), [0, 0, 2, 2, 3, 4, 4])
    assert_array_equal(km.censored_before(times), [0, 0, 0, 1, 2, 2, 3])
    assert km.at_risk(5) == 4


def test_survival_at_times():
    km = kaplan_meier(TIME, EVENT)
    assert_array_equal(km.survival_at([0, 1.9, 2, 9]), km.survival[[0, 0, 1, 3]])
    assert np.isnan(km.survival_at([-1, 9.1])).all()
    assert kaplan_meier([1, 2], [1, 1]).survival_at(5) == 0


def test_the_probability_of_the_interval_matters():
    wide, narrow = kaplan_meier(TIME, EVENT), kaplan_meier(TIME, EVENT, ci_prob=0.5)
    assert (wide.lower[1:] < narrow.lower[1:]).all()
    assert (wide.upper[1:] > narrow.upper[1:]).all()


def test_no_events():
    km = kaplan_meier([4, 6, 8], [0, 0, 0])
    assert_array_equal(km.time, [0])
    assert_array_equal(km.survival, [1])
    assert np.isnan([km.lower, km.upper]).all()
    assert_array_equal(km.survival_at([0, 8]), [1, 1])
    assert_array_equal(km.at_risk([0, 4, 5, 8, 9]), [3, 3, 2, 1, 0])
    assert (km.n, km.events, km.end) == (3, 0, 8)


def test_there_is_no_interval_where_survival_is_0():
    km = kaplan_meier([1, 2], [1, 1])
    assert_array_equal(km.survival, [1, 0.5, 0])
    assert_array_equal(np.isnan(km.lower), [True, False, True])
    assert km.notes == ()


def test_delayed_entry_by_hand():
    # At 3: the first three (entry 3 is not yet at risk at 3). At 6: all but the first.
    km = kaplan_meier([3, 6, 8, 10], [1, 1, 0, 1], entry=[0, 1, 0, 3])
    assert_array_equal(km.time, [0, 3, 6, 10])
    assert_allclose(km.survival, [1, 2 / 3, 4 / 9, 0], **EXACT)
    assert_array_equal(km.at_risk([0, 1, 1.5, 3, 3.5, 8, 9]), [2, 2, 3, 3, 3, 2, 1])


def test_the_estimate_starts_at_the_first_entry():
    km = kaplan_meier([5, 6], [1, 0], entry=[2, 3])
    assert_array_equal(km.time, [2, 5])
    assert np.isnan(km.survival_at(1))
    assert km.at_risk(0) == 0


def test_an_empty_risk_set_between_entries():
    km = kaplan_meier([2, 8, 9], [0, 1, 0], entry=[0, 4, 5])
    assert_allclose(km.survival, [1, 0.5], **EXACT)
    assert_array_equal(km.at_risk([2, 3, 6]), [1, 0, 2])


def test_all_at_risk_die_before_others_enter():
    men = channing(1)
    km = kaplan_meier(men["time"], men["event"], men["entry"])
    assert km.survival[2] == 0
    assert km.notes == (
        "All who were at risk at 5.08333 had the event then, so the Kaplan-Meier estimate is 0 "
        "from there on, though 94 who entered later were followed longer.",
    )


@pytest.mark.parametrize("entry", [False, True])
def test_agrees_with_lifelines(entry: bool):
    women = channing(0)
    entries = women["entry"] if entry else None
    km = kaplan_meier(women["time"], women["event"], entries)
    other = KaplanMeierFitter().fit(women["time"], women["event"], entry=entries)
    assert_allclose(km.survival[1:], other.survival_function_.loc[km.time[1:]].iloc[:, 0], **EXACT)
    bounds = np.column_stack([km.lower, km.upper])[1:]
    assert_allclose(bounds, other.confidence_interval_.loc[km.time[1:]], **EXACT)


def test_rows_of_one_patient_are_joined():
    split = kaplan_meier(
        time=[2, 5, 9, 4, 3, 8],
        event=[0, 0, 1, 1, 0, 0],
        entry=[0, 2, 5, 0, 0, 6],
        patient=["a", "a", "a", "b", "c", "c"],
    )
    whole = kaplan_meier([9, 4, 3, 8], [1, 1, 0, 0], entry=[0, 0, 0, 6])
    assert_array_equal(split.survival, whole.survival)
    assert_array_equal(split.censored, [3, 8])
    assert_array_equal(split.at_risk([0, 2, 5, 7]), [3, 3, 1, 2])
    assert (split.n, whole.n, split.events) == (3, 4, 2)


# -- Against R's survfit ---------------------------------------------------------------------


@pytest.mark.parametrize("interval", ["plain", "log", "log-log"])
@pytest.mark.parametrize("case", CURVES["case"].unique())
def test_survfit(case, interval, follow_up):
    data, found = follow_up(case), CURVES[CURVES["case"] == case]
    km = kaplan_meier(data["time"], data["event"], data["entry"], interval=interval)
    name = interval.replace("-", "_")
    columns = ["time", "survival", "standard_error", f"{name}_lower", f"{name}_upper"]
    ours = [km.time, km.survival, km.standard_error, km.lower, km.upper]
    assert_allclose(np.transpose(ours)[1:], found[columns], rtol=0, atol=1e-8)


def test_an_unknown_interval_is_refused():
    with pytest.raises(ValueError, match='"linear", but must be one of log-log, log, plain'):
        kaplan_meier(TIME, EVENT, interval="linear")


@pytest.mark.parametrize("interval", ["plain", "log"])
def test_the_interval_of_certainty_is_a_point(interval):
    km = kaplan_meier(TIME, EVENT, interval=interval)
    assert (km.lower[0], km.upper[0], km.standard_error[0]) == (1, 1, 0)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=40))
def test_without_censoring_it_is_the_share_alive(time):
    km, time = kaplan_meier(time, np.ones(len(time))), np.array(time)
    share = (time > km.time[:, None]).mean(axis=1)
    assert_allclose(km.survival, share, **EXACT)
    alive = share > 0
    binomial = np.sqrt(share * (1 - share) / len(time))
    assert_allclose(km.standard_error[alive], binomial[alive], **EXACT)
    assert np.isnan(km.standard_error[~alive]).all()


# -- Follow-up -------------------------------------------------------------------------------


def test_reverse_counts_an_event_at_a_censoring_as_still_at_risk():
    km = reverse_kaplan_meier([1, 2, 2, 3], [1, 0, 1, 0])
    assert_array_equal(km.time, [0, 2, 3])
    assert_allclose(km.survival, [1, 2 / 3, 0], **EXACT)
    assert (km.n, km.events, km.end) == (4, 2, 3)


def test_reverse_does_not_take_a_split_for_the_end():
    split = reverse_kaplan_meier(
        [2, 5, 9, 4], [0, 0, 0, 1], entry=[0, 2, 5, 0], patient=["a", "a", "a", "b"]
    )
    assert_array_equal(split.time, [0, 9])
    assert split.n == 2


# -- event in (time, upper] ------------------------------------------------------------------


def test_an_upper_equal_to_time_is_exact():
    plain, same = kaplan_meier(TIME, EVENT), kaplan_meier(TIME, EVENT, upper=TIME)
    assert_array_equal(plain.survival, same.survival)
    assert_array_equal(plain.lower, same.lower)


def test_intervals_that_do_not_overlap():
    km = kaplan_meier([0, 2, 2, 4], [1, 1, 1, 0], upper=[2, 4, 4, np.nan])
    assert_array_equal(km.time, [0, 1, 3])
    assert_allclose(km.survival, [1, 3 / 4, 1 / 4], atol=1e-9)
    assert np.isnan(km.lower).all()
    assert (km.events, km.end) == (3, 4)


def test_at_risk_in_an_interval_is_not_yet_past_time():
    km = kaplan_meier([0, 2, 2, 4], [1, 1, 1, 0], upper=[2, 4, 4, 99])
    assert_array_equal(km.at_risk([0, 1, 2, 3]), [4, 3, 3, 1])
    assert_array_equal(km.events_before([0, 1, 2, 3]), [0, 1, 1, 3])


def test_a_censoring_at_an_event_comes_after_it():
    # The third row's interval is as good as exact, so this is the product limit.
    km = kaplan_meier([3, 3, 5], [1, 0, 1], upper=[3, np.nan, 5 + 1e-9])
    assert_allclose(km.survival, [1, 2 / 3, 0], atol=1e-9)


@pytest.mark.parametrize("truncated", [False, True])
def test_turnbull_is_kaplan_meier_when_intervals_are_short(truncated: bool):
    women = channing(0).iloc[:80]
    entry = women["entry"] if truncated else 0 * women["entry"]
    exact = kaplan_meier(women["time"], women["event"], entry)
    width = np.where(np.arange(len(women)) == 0, 1e-9, 0)
    turnbull = kaplan_meier(women["time"], women["event"], entry, women["time"] + width)
    at = exact.time[1:] + 1e-6
    assert_allclose(turnbull.survival_at(at), exact.survival_at(at), atol=1e-7)


def interval_likelihood(
    km: KaplanMeier, time: np.ndarray, event: np.ndarray, upper: np.ndarray
) -> float:
    """Of closed intervals, as lifelines has them, by the mass on Turnbull's intervals."""
    above = np.where(event, upper, np.inf)
    mass, steps = -np.diff(km.survival), km.time[1:]
    inside = (time[:, None] <= steps) & (steps <= above[:, None])
    return float(np.log(inside @ mass + np.where(event, 0, km.survival[-1])).sum())


def test_turnbull_agrees_with_lifelines():
    rng = np.random.default_rng(4)
    event_time = rng.exponential(10, 60)
    time = np.maximum(event_time - rng.uniform(0, 4, 60), 0)
    upper = event_time + rng.uniform(0, 4, 60)
    event = rng.random(60) < 0.7
    km = kaplan_meier(time, event, upper=upper)
    fitter = KaplanMeierFitter().fit_interval_censoring(
        time, np.where(event, upper, np.inf), tol=1e-9
    )
    bounds = fitter.survival_function_.loc[km.end]
    assert bounds.min() - 1e-3 < km.survival[-1] < bounds.max() + 1e-3
    at = (km.time[1:-1] + km.time[2:]) / 2
    between = fitter.survival_function_.reindex(at, method="ffill").to_numpy()
    assert (between.min(axis=1) - 5e-3 <= km.survival_at(at)).all()
    assert (km.survival_at(at) <= between.max(axis=1) + 5e-3).all()


def test_turnbull_cannot_be_bettered():
    """At the maximum no place has a positive gradient, and those with mass have none."""
    rng = np.random.default_rng(8)
    event_time = rng.exponential(10, 40)
    time = np.maximum(event_time - rng.uniform(0, 6, 40), 0)
    upper = event_time + rng.uniform(0, 6, 40)
    event = rng.random(40) < 0.7
    km = kaplan_meier(time, event, upper=upper)
    best = interval_likelihood(km, time, event, upper)
    mass = np.append(-np.diff(km.survival), km.survival[-1])
    for i in range(len(mass)):
        for step in (1e-4, -1e-4):
            moved = mass.copy()
            moved[i] = max(moved[i] + step, 0)
            moved /= moved.sum()
            survival = np.append(1, 1 - np.cumsum(moved[:-1]))
            other = KaplanMeier(**{**vars(km), "survival": survival})
            assert interval_likelihood(other, time, event, upper) <= best + 1e-9


def test_turnbull_with_delayed_entry():
    # Both entered after 2; the second one's event in (3, 5], the first one's in (5, 7].
    km = kaplan_meier([5, 3, 1], [1, 1, 1], entry=[2, 2, 0], upper=[7, 5, 2])
    assert_array_equal(km.time, [0, 1.5, 4, 6])
    assert_allclose(km.survival, [1, 0, 0, 0], atol=1e-6)
    assert len(km.notes) == 1
