"""Replicated follow-up has the distribution of the model, under each patient's own censoring."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest, weibull_min

import bayesurv as bs
from bayesurv.data.faults import InputError
from bayesurv.estimands.patients import Walk, arms, follow_up
from bayesurv.estimands.replicates import potential_censoring, replicate

LATE = 1e4  # censored so late that every replicate has the event
DRAWS = 4000
BASELINES = {
    "exponential": (bs.Exponential(), {"intercept": -2.0}),
    "weibull": (bs.Weibull(), {"intercept": -2.5, "shape": 1.4}),
    "gompertz": (bs.Gompertz(scale=10.0), {"intercept": -2.0, "slope": 0.3}),
    "piecewise": (
        bs.PiecewiseExponential(cuts=(2.0, 7.0), smoothing="independent"),
        {"log_hazard": [-2.0, -3.0, -1.0]},
    ),
}


def one_row_each(**columns):
    table = pd.DataFrame({"time": [5.0, LATE], "event": [1, 0], "treated": [0, 1]})
    return table.assign(**columns)


def changing():
    """The first patient is treated from 4 on, and is out of sight from 6 to 8."""
    return pd.DataFrame(
        {
            "id": ["a", "a", "a", "b", "c"],
            "entry": [1.0, 4.0, 8.0, 0.0, 2.0],
            "time": [4.0, 6.0, 9.0, 12.0, LATE],
            "event": [0, 0, 1, 1, 0],
            "treated": [0, 1, 1, 0, 1],
        }
    )


@pytest.fixture(scope="module")
def weibull(known_fit):
    def make(table, draws=DRAWS):
        numbers = BASELINES["weibull"][1] | {"coefficient": 0.5}
        return known_fit(table, "treated", bs.Weibull(), draws, **numbers)

    return make


def weibull_survival(t, effect=0.0):
    return np.exp(-np.exp(-2.5 + effect) * np.asarray(t, dtype=float) ** 1.4)


@pytest.mark.parametrize("entry", [0.0, 3.0])
def test_times_are_weibull_given_entry(entry, weibull):
    fit = weibull(one_row_each(entry=[0.0, entry]))
    again = replicate(fit, DRAWS, seed=1).again
    scale = np.exp((2.5 - 0.5) / 1.4)
    model = weibull_min(1.4, scale=scale)
    times = again.time[:, 1]
    assert again.event[:, 1].all()
    assert times.min() > entry
    given_entry = (model.cdf(times) - model.cdf(entry)) / model.sf(entry)
    assert kstest(given_entry, "uniform").pvalue > 0.01


def test_times_are_exponential(known_fit):
    fit = known_fit(
        one_row_each(), "treated", bs.Exponential(), DRAWS, intercept=-2.0, coefficient=0.7
    )
    times = replicate(fit, DRAWS, seed=2).again.time[:, 1]
    assert kstest(times, "expon", (0, np.exp(2.0 - 0.7))).pvalue > 0.01


def test_covariates_that_change_and_the_last_carried_on(weibull):
    walk = Walk(weibull(changing()), follow_up(weibull(changing())))
    times = walk.time(np.random.default_rng(3).standard_exponential((DRAWS, 3)))[:, 0]
    assert not ((times > 6) & (times < 8)).any()  # nobody has the event out of sight

    def survival(t):
        def hazard(start, stop, effect):
            part = np.clip(t, start, stop), start
            return np.exp(-2.5 + effect) * (part[0] ** 1.4 - part[1] ** 1.4)

        return np.exp(-hazard(1, 4, 0) - hazard(4, 6, 0.5) - hazard(8, np.inf, 0.5))

    assert kstest(1 - survival(times), "uniform").pvalue > 0.01


@pytest.mark.parametrize("name", BASELINES)
@given(hazard=st.floats(1e-3, 20), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_time_and_hazard_undo_each_other(name, hazard, seed, known_fit):
    baseline, numbers = BASELINES[name]
    fit = known_fit(changing(), "treated", baseline, 2, coefficient=0.5, **numbers)
    walk = Walk(fit, follow_up(fit))
    wanted = hazard * np.random.default_rng(seed).uniform(0.1, 1, (2, 3))
    assert_allclose(walk.hazard(walk.time(wanted)), wanted, rtol=1e-9)


def test_hazard_at_shared_times_is_that_at_own_times():
    fit = bs.prior(
        bs.Cohort.from_frame(changing(), time="time", event="event", unit="months", entry="entry",
                             id="id"),
        "treated", draws=7,
    )  # fmt: skip
    walk = Walk(fit, follow_up(fit))
    times = np.array([5.0, 12.0, 1.0])  # the last before its entry
    found = walk.hazard(times)
    assert_allclose(found, walk.hazard(np.tile(times, (7, 1))), rtol=1e-12)
    assert_array_equal(found[:, 2], 0)
    out_of_sight, before = (walk.hazard(np.full(3, at))[:, 0] for at in (7.5, 6.0))
    assert_array_equal(out_of_sight, before)


def test_the_likelihood_has_the_same_hazard(weibull_fit):
    """Of a censored patient, the log likelihood is minus the hazard gone through."""
    follow = follow_up(weibull_fit)
    hazard = Walk(weibull_fit, follow).hazard(follow.time)
    pointwise = weibull_fit.draws["log_likelihood"]["time"].to_numpy()
    pointwise = pointwise.reshape(-1, pointwise.shape[-1])
    lost = ~follow.event
    assert lost.any()
    assert_allclose(-hazard[:, lost], pointwise[:, lost], rtol=1e-8)


# --- Censoring ---


def test_nobody_is_replicated_beyond_their_own_censoring(weibull_fit):
    follow = follow_up(weibull_fit)
    again = replicate(weibull_fit, 200, seed=4).again
    lost = ~follow.event
    assert (again.time[:, lost] <= follow.time[lost]).all()
    censored = again.time[:, lost] == follow.time[lost]
    assert_array_equal(censored, ~again.event[:, lost])
    assert again.time.max() <= follow.time.max()


def test_censoring_after_an_event_is_drawn_from_the_reverse_kaplan_meier_estimate(known_fit):
    table = pd.DataFrame(
        {"time": [2.0, 3.0, 4.0, 5.0, 7.0, 9.0], "event": [1, 0, 1, 0, 0, 1], "treated": [0] * 6}
    )
    fit = known_fit(table, "1", bs.Exponential(), intercept=-2.0)
    count = 20_000
    limits = potential_censoring(
        follow_up(fit), np.zeros(6, dtype=int), count, np.random.default_rng(5)
    )
    assert_array_equal(limits[0, [1, 3, 4]], [3, 5, 7])
    # One of five at risk is lost at 3, one of three at 5, one of two at 7, none after.
    first = [np.mean(limits[:, 0] == t) for t in (3, 5, 7, 9)]
    assert_allclose(first, [1 / 5, 4 / 15, 4 / 15, 4 / 15], atol=0.015)
    third = [np.mean(limits[:, 2] == t) for t in (5, 7, 9)]
    assert_allclose(third, [1 / 3] * 3, atol=0.015)
    assert (limits[:, 5] == 9).all()


def test_an_event_comes_before_a_censoring_at_the_same_time(known_fit):
    table = pd.DataFrame({"time": [2.0, 2.0, 6.0, 9.0], "event": [1, 0, 1, 0]})
    fit = known_fit(table, "1", bs.Exponential(), intercept=-2.0)
    limits = potential_censoring(
        follow_up(fit), np.zeros(4, dtype=int), 9000, np.random.default_rng(5)
    )
    # One of the three who are left at 2 after the event is lost there.
    assert_allclose([np.mean(limits[:, 0] == t) for t in (2, 9)], [1 / 3, 2 / 3], atol=0.02)


def test_censoring_is_that_of_the_own_group(weibull):
    table = pd.DataFrame(
        {"time": [2.0, 3.0, 2.0, 8.0], "event": [1, 0, 1, 0], "treated": [0, 0, 1, 1]}
    )
    fit = weibull(table, draws=1)
    limits = potential_censoring(
        follow_up(fit), np.array([0, 0, 1, 1]), 50, np.random.default_rng(6)
    )
    assert_array_equal(limits, np.tile([3, 3, 8, 8], (50, 1)))


# --- Interval censoring ---


def test_an_interval_is_filled_from_the_model(weibull):
    table = one_row_each(time=[5.0, 3.0], event=[1, 1], upper=[np.nan, 9.0], treated=[0, 1])
    found = replicate(weibull(table), DRAWS, seed=7)
    times = found.observed.time
    assert_array_equal(times[:, 0], 5)
    assert (times[:, 1] > 3).all()
    assert (times[:, 1] <= 9).all()
    start, end = weibull_survival([3, 9], 0.5)
    share = (start - weibull_survival(times[:, 1], 0.5)) / (start - end)
    assert kstest(share, "uniform").pvalue > 0.01


def test_known_times_are_compared_as_they_are(weibull_fit):
    found = replicate(weibull_fit, 100)
    assert_array_equal(found.observed.time, follow_up(weibull_fit).time[None])


# --- Draws, arms and faults ---


def test_each_chain_gives_as_many_replicates_and_the_seed_decides(weibull_fit):
    first, second, other = (replicate(weibull_fit, 202, seed=seed) for seed in (1, 1, 2))
    assert first.again.time.shape == (204, 61)
    assert first.chains == 4
    assert_array_equal(first.again.time, second.again.time)
    assert (first.again.time != other.again.time).any()


def test_the_hazard_of_a_replicate_is_that_up_to_its_end(weibull):
    fit = weibull(changing(), draws=50)
    found = replicate(fit, 50, seed=8)
    walk = Walk(fit, follow_up(fit))
    assert_allclose(walk.hazard(found.again.time), found.hazard, rtol=1e-9)


def test_arms(weibull_fit, known_fit):
    found = arms(weibull_fit)
    assert {name: int(chosen.sum()) for name, chosen in found.items()} == {
        "cti2 = 0": 34,
        "cti2 = 1": 27,
    }
    table = one_row_each()
    everyone = arms(known_fit(table, "1", bs.Exponential(), intercept=-2.0))
    assert list(everyone) == ["All patients"]
    with pytest.raises(InputError, match='--treatment: "cti" is not in the formula. Did you mean'):
        arms(weibull_fit, "cti")


def test_too_many_levels_are_no_arms(known_fit):
    table = pd.DataFrame({"time": np.arange(1.0, 9), "event": 1, "age": np.arange(50.0, 58)})
    fit = known_fit(table, "age", bs.Exponential(), intercept=-2.0, coefficient=0.0)
    with pytest.raises(InputError, match="8 values, too many for arms"):
        arms(fit, "age")


def test_follow_up_after_an_event_is_refused(weibull):
    table = changing().assign(event=[1, 0, 0, 1, 0])
    with pytest.raises(InputError, match="end each patient's follow-up at the first one"):
        replicate(weibull(table, draws=1))
