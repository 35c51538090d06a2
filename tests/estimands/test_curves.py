"""Survival, cumulative hazard and hazard of profiles, draw by draw."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bayesurv as bs
from bayesurv.data.faults import InputError
from bayesurv.estimands.curves import (
    compared,
    conditional_survival,
    default_profiles,
    labels,
    time_grid,
)

STAGES = ["I", "II", "III"]
TWO = [{"cti2": 0}, {"cti2": 1}]
BASELINES = [
    bs.Exponential(),
    bs.Weibull(),
    bs.Gompertz(),
    bs.PiecewiseExponential(intervals=4),
    bs.MSpline(inner_knots=2),
]
EACH = pytest.mark.parametrize("baseline", BASELINES, ids=lambda b: b.name)


@EACH
def test_survival_is_the_exponential_of_minus_the_cumulative_hazard(prior, baseline):
    fit = prior("cti2 + age", baseline)
    profiles, times = [{"cti2": 1, "age": 60}, {"cti2": 0, "age": 50.5}], [0, 1, 12.5, 30]
    survival = bs.survival(fit, profiles, times)
    risk = bs.cumulative_hazard(fit, profiles, times)
    np.testing.assert_array_equal(survival, np.exp(-risk))
    assert survival.dims == ("chain", "draw", "individual", "time")
    assert survival.shape == (1, 40, 2, 4)
    assert survival.name == "survival"
    assert survival.time.to_numpy().tolist() == times
    assert survival.individual.to_numpy().tolist() == ["cti2=1, age=60", "cti2=0, age=50.5"]
    assert survival.attrs == {"unit": "months", "end_of_follow_up": 30.0}
    assert (survival.isel(time=0) == 1).all()
    assert (survival.diff("time") <= 0).all()


@EACH
def test_the_hazard_is_the_derivative_of_the_cumulative_hazard(prior, baseline):
    fit = prior("cti2", baseline)
    step = 1e-4
    knots = fit.baseline.knots()
    times = np.array(
        [t for t in (0.5, 3.0, 9.5, 17.0, 28.0) if np.abs(knots - t).min(initial=9) > 0.1]
    )
    around = np.concatenate([times - step, times + step])
    risk = bs.cumulative_hazard(fit, TWO, around).to_numpy().reshape(1, 40, 2, 2, -1)
    slope = (risk[..., 1, :] - risk[..., 0, :]) / (2 * step)
    np.testing.assert_allclose(bs.hazard(fit, TWO, times), slope, rtol=1e-5)


def test_hazards_are_proportional_in_each_draw(prior):
    fit = prior("cti2 + age + stage", ordinal={"stage": STAGES})
    profiles = [{"cti2": 0, "age": 0, "stage": "I"}, {"cti2": 1, "age": 2, "stage": "II"}]
    for curve in (bs.hazard, bs.cumulative_hazard):
        found = curve(fit, profiles, [2.0, 20.0])
        ratio = (found.isel(individual=1) / found.isel(individual=0)).to_numpy()
        effect = fit.posterior["coefficient"].to_numpy()
        step = fit.posterior["increment[monotone(stage)]"].to_numpy()[..., 0]
        expected = np.exp(effect[..., 0] + 2 * effect[..., 1] + step * effect[..., 2])
        np.testing.assert_allclose(ratio, np.stack([expected] * 2, axis=-1))


def test_a_weibull_hazard_at_time_zero_is_infinite_or_zero(stated):
    fit = stated("1", bs.Weibull(), intercept=[-2, -2, -2], shape=[0.5, 1.0, 2.0])
    found = bs.hazard(fit, [{"label": "all"}], [0]).to_numpy().ravel()
    assert found == pytest.approx([np.inf, np.exp(-2), 0])


def test_a_profile_without_its_group_stands_at_effect_zero(stated):
    fit = stated(
        "cti2 + (1 | centre)",
        bs.Exponential(),
        intercept=[-2.0],
        coefficient=[[0.5]],
        group_sd=[[1.0]],
        group_effect=[[0.3, -0.2, 0.9]],
    )
    profiles = [{"cti2": 1, "centre": c} for c in ("A", "B", "C", None)]
    found = np.log(bs.hazard(fit, profiles, [5])).to_numpy().ravel()
    assert found == pytest.approx([-1.2, -1.7, -0.6, -1.5])
    assert np.log(bs.hazard(fit, [{"cti2": 0}], [5])).item() == pytest.approx(-2)


def test_a_prior_on_a_covariate_in_small_units_still_has_curves(prior):
    curve = bs.survival(prior("age"), [{"age": 1e6}, {"age": -1e6}], [0, 1, 30])
    assert np.isfinite(curve).all()
    assert (curve.isel(time=0) == 1).all()


# --- Survival of those alive so far ---


@EACH
@given(given_at=st.floats(0, 20), later=st.floats(0, 10))
@settings(max_examples=15, deadline=None)
def test_survival_is_survival_so_far_times_survival_from_there(prior, baseline, given_at, later):
    fit = prior("cti2", baseline)
    onward = conditional_survival(fit, TWO, [given_at + later], given_at)
    so_far = bs.survival(fit, TWO, [given_at]).to_numpy()
    whole = bs.survival(fit, TWO, [given_at + later]).to_numpy()
    np.testing.assert_allclose(onward.to_numpy() * so_far, whole, rtol=1e-10, atol=1e-300)
    assert onward.dims == ("chain", "draw", "individual", "time")
    assert onward.attrs["given"] == given_at
    np.testing.assert_allclose(conditional_survival(fit, TWO, [given_at], given_at), 1)


def test_a_constant_hazard_has_no_memory(prior):
    fit = prior("cti2", bs.Exponential())
    onward = conditional_survival(fit, TWO, [9, 20], 5)
    np.testing.assert_allclose(onward, bs.survival(fit, TWO, [4, 15]), rtol=1e-10)


def test_of_those_who_could_not_be_alive_there_is_still_a_number(stated):
    fit = stated("1", bs.Exponential(), intercept=[6.0])
    onward = conditional_survival(fit, [{"label": "all"}], [20.001], 20)
    assert onward.item() == pytest.approx(np.exp(-0.001 * np.exp(6)), rel=1e-6)


@pytest.mark.parametrize(("times", "since"), [([3, 9], 5), ([3], -1), ([3], np.nan)])
def test_conditional_survival_looks_forward(prior, times, since):
    with pytest.raises(InputError, match="needs times from"):
        conditional_survival(prior(), TWO, times, since)


# --- Times ---


def test_no_silent_extrapolation(prior):
    fit = prior()
    bs.survival(fit, TWO, [30])
    for curve in (bs.survival, bs.cumulative_hazard, bs.hazard):
        with pytest.raises(InputError, match="time 31 is past the end of follow-up, 30 months"):
            curve(fit, TWO, [5, 31])
        assert curve(fit, TWO, [5, 31], extrapolate=True).sizes["time"] == 2


@pytest.mark.parametrize(
    ("times", "said"),
    [([-1, 2], "not below 0"), ([np.nan], "finite"), ([np.inf], "finite"), ([], "no times")],
)
def test_times_that_cannot_be(prior, times, said):
    with pytest.raises(InputError, match=said):
        bs.survival(prior(), TWO, times)


def test_one_time_needs_no_list(prior):
    assert bs.survival(prior(), TWO, 12).time.to_numpy().tolist() == [12]


def test_the_grid_runs_to_the_end_of_follow_up_through_the_knots(prior):
    grid = time_grid(prior("cti2", bs.PiecewiseExponential(cuts=(3.21, 7.65, 45))), points=11)
    assert grid.tolist() == [0, 3, 3.21, 6, 7.65, 9, 12, 15, 18, 21, 24, 27, 30]


# --- Profiles ---


def test_labels_are_given_or_written_out():
    rows = [
        {"label": "young", "age": 40.0, "stage": "I"},
        {"label": None, "age": 61.5, "stage": "II"},
        {"label": "", "age": 70.0, "stage": None},
        {"label": 12, "age": 1.0, "stage": "I"},
    ]
    assert labels(rows) == ["young", "age=61.5, stage=II", "age=70", "12"]
    assert labels([{"label": None}]) == ["all patients"]
    assert labels(pd.DataFrame({"label": [3, 4]})) == ["3", "4"]


def test_no_profiles(prior):
    with pytest.raises(InputError, match="no profiles were given"):
        bs.survival(prior(), [], [1])


def test_a_profile_of_an_unknown_level_or_without_a_covariate(prior):
    fit = prior("stage + age")
    with pytest.raises(
        InputError, match="is a level never seen in the cohort; known are I, II, III"
    ):
        bs.survival(fit, [{"stage": "IV", "age": 60}], [1])
    with pytest.raises(InputError, match="column age: no such column"):
        bs.survival(fit, [{"stage": "I"}], [1])


def test_default_profiles_differ_in_one_covariate_and_are_typical_in_the_others(prior):
    fit = prior("age + cti2 + stage + (1 | centre)")
    # The columns stand in the order of the cohort's table.
    assert default_profiles(fit).to_dict("records") == [
        {"cti2": 0, "age": 60, "stage": "I"},
        {"cti2": 1, "age": 60, "stage": "I"},
    ]
    stages = default_profiles(fit, "stage").to_dict("records")
    assert stages == [{"cti2": 0, "age": 60, "stage": level} for level in STAGES]
    assert (compared(fit), compared(fit, "stage")) == ("cti2", "stage")


def test_the_reference_level_is_typical(prior):
    fit = prior("stage", ordinal={"stage": ["III", "II", "I"]})
    assert default_profiles(fit)["stage"].tolist() == ["III", "II", "I"]


@pytest.mark.parametrize("treatment", [None, "age", "centre"])
def test_without_a_covariate_of_few_levels_there_is_one_profile(prior, treatment):
    fit = prior("age + (1 | centre)")
    assert default_profiles(fit, treatment).to_dict("records") == [{"age": 60}]
    assert compared(fit, treatment) is None


def test_without_covariates_the_profile_is_everyone(prior):
    fit = prior("1")
    profiles = default_profiles(fit)
    assert labels(profiles) == ["all patients"]
    assert bs.survival(fit, profiles, [5]).shape == (1, 40, 1, 1)
