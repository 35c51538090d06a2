from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines.datasets import load_waltons
from numpy.testing import assert_allclose
from scipy.stats import norm

from bayesurv.data.faults import InputError
from bayesurv.frequentist.kaplan_meier import kaplan_meier
from bayesurv.frequentist.rmst import RestrictedMean, difference, ratio, restricted_mean

REFERENCE = Path(__file__).parents[1] / "reference"
LUNG = pd.read_csv(REFERENCE / "rmst.csv").set_index("group")
MEANS = pd.read_csv(REFERENCE / "survival_means.csv")


def lung(follow_up, female):
    data = follow_up(f"lung_{female}")
    return restricted_mean(kaplan_meier(data["time"], data["event"]), 31.7)


@pytest.mark.parametrize("row", list(MEANS.itertuples()), ids=MEANS["case"])
def test_survfit(row, follow_up):
    data = follow_up(row.case)
    found = restricted_mean(kaplan_meier(data["time"], data["event"]), row.horizon)
    ours = found.estimate, found.standard_error
    assert_allclose(ours, [row.estimate, row.standard_error], rtol=1e-9)


def test_published_values_of_waltons():
    """Of R's survRM2; lifelines gives the variance of a time, not of the mean, and P .81."""
    arms = [arm for _, arm in load_waltons().groupby("group")]
    control, other = (restricted_mean(kaplan_meier(arm["T"], arm["E"]), 10) for arm in arms)
    assert_allclose([other.estimate, other.standard_error], [9.7941, 0.1232], atol=5e-5)
    assert_allclose(difference(other, control).p, 0.145, atol=5e-4)


def test_difference_in_lung(follow_up):
    women, men = lung(follow_up, 1), lung(follow_up, 0)
    found, reference = difference(women, men), LUNG.loc["difference"]
    spread = norm.ppf(0.975) * reference["se"]
    assert_allclose(found.estimate, reference["rmst"], rtol=1e-9)
    assert_allclose([found.lower, found.upper], reference["rmst"] + [-spread, spread], rtol=1e-9)
    assert_allclose(found.p, 2 * norm.sf(reference["rmst"] / reference["se"]), rtol=1e-9)


def test_ratio_in_lung(follow_up):
    found = ratio(lung(follow_up, 1), lung(follow_up, 0), ci_prob=0.9)
    mean, se = LUNG["rmst"], LUNG["se"]
    middle = np.log(mean["female=1"] / mean["female=0"])
    spread = np.hypot(se["female=1"] / mean["female=1"], se["female=0"] / mean["female=0"])
    reach = norm.ppf(0.95) * spread
    expected = np.exp([middle, middle - reach, middle + reach])
    assert_allclose([found.estimate, found.lower, found.upper], expected, rtol=1e-9)
    assert_allclose(found.p, 2 * norm.sf(middle / spread), rtol=1e-9)


def test_a_difference_turned_round():
    a, b = RestrictedMean(10, 2, 24), RestrictedMean(7, 1, 24)
    one, other = difference(a, b), difference(b, a)
    assert (one.estimate, one.lower, one.p) == (-other.estimate, -other.upper, other.p)
    assert_allclose(ratio(a, b).upper, 1 / ratio(b, a).lower)
    assert_allclose(a.interval(0.5), 10 + 2 * norm.ppf([0.25, 0.75]))


def test_where_nothing_varies_there_is_no_p():
    none = restricted_mean(kaplan_meier([5, 6], [0, 0]), 5)
    assert (none.estimate, none.standard_error) == (5, 0)
    assert np.isnan(difference(none, none).p)


def test_survival_of_0_stays_so():
    km = kaplan_meier([1, 3], [1, 1])
    assert restricted_mean(km, 3).estimate == restricted_mean(km, 99).estimate == 2


def test_horizons_must_be_the_same():
    with pytest.raises(ValueError, match="restricted to 12 and 24"):
        difference(RestrictedMean(10, 2, 12), RestrictedMean(7, 1, 24))


def test_refused_with_every_reason():
    km = kaplan_meier([5, 6], [1, 0], entry=[2, 3])
    with pytest.raises(InputError) as caught:
        restricted_mean(km, 7)
    assert "at risk before 2" in str(caught.value)
    assert "horizon 7 is beyond the end of follow-up; it can be 6 at most" in str(caught.value)
    with pytest.raises(InputError, match="must be above 0"):
        restricted_mean(kaplan_meier([5], [1]), 0)


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1), st.floats(0.1, 1))
def test_between_the_first_event_and_the_horizon(rows, share):
    time, event = np.transpose(rows)
    km = kaplan_meier(time, event)
    horizon = share * km.end
    mean = restricted_mean(km, horizon).estimate
    assert min(km.time[1:].min(initial=np.inf), horizon) - 1e-9 <= mean <= horizon + 1e-9


@given(st.lists(st.integers(1, 20), min_size=2, max_size=40))
def test_without_censoring_the_mean_of_the_times(time):
    found = restricted_mean(kaplan_meier(time, np.ones(len(time))), 10)
    cut = np.minimum(time, 10)
    assert_allclose(found.estimate, cut.mean())
    assert_allclose(found.standard_error, cut.std() / np.sqrt(len(cut)), atol=1e-7)
