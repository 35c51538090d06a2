"""Draws from the prior: shapes, seed, and each option changing what it should and nothing else."""

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.estimands.functionals import survival_quantile
from bayesurv.fitting import specify
from bayesurv.models.prior_draws import prior_draws

DRAWS = 500
COHORT = bs.Cohort.from_frame(
    pd.DataFrame(
        {
            "time": np.arange(1.0, 25),
            "event": np.resize([1, 1, 0], 24),
            "cti2": np.resize([0, 1], 24),
            "age": np.resize([51, 62, 68, 55, 70], 24),
            "stage": np.resize(["I", "II", "III"], 24),
            "centre": np.resize(["A", "B", "C", "D"], 24),
        }
    ),
    time="time", event="event", unit="months", ordinal={"stage": ["I", "II", "III"]},
)  # fmt: skip
FORMULA = "cti2 + age + stage + (cti2 | centre)"
WALK = bs.PiecewiseExponential(cuts=(5, 10))
INDEPENDENT = bs.PiecewiseExponential(cuts=(5, 10), smoothing="independent")
SPLINE = bs.MSpline(inner=(6, 12), boundary=20)
SHARED = {
    "coefficient": (3,), "group_sd": (2,), "group_effect": (8,), "increment[monotone(stage)]": (2,)
}  # fmt: skip


def draws(baseline=None, seed=1, count=DRAWS, **priors):
    specification = specify(COHORT, FORMULA, baseline, bs.Priors(**priors))
    return prior_draws(specification, count, seed)


def changed(baseline, **priors):
    """Names of the parameters whose draws a prior changes."""
    default, other = draws(baseline), draws(baseline, **priors)
    assert set(default) == set(other)
    return {name for name in default if not np.array_equal(default[name], other[name])}


@pytest.mark.parametrize(
    ("baseline", "own"),
    [
        (bs.Exponential(), {"intercept": ()}),
        (bs.Weibull(), {"intercept": (), "shape": ()}),
        (bs.Gompertz(), {"intercept": (), "slope": ()}),
        (WALK, {"log_hazard": (3,), "smoothing_sd": ()}),
        (INDEPENDENT, {"log_hazard": (3,)}),
        (SPLINE, {"intercept": (), "weight": (6,), "smoothing_sd": ()}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_each_parameter_has_its_shape_and_no_other_is_kept(baseline, own):
    expected = {name: (1, DRAWS, *shape) for name, shape in (own | SHARED).items()}
    assert {name: value.shape for name, value in draws(baseline).items()} == expected


def test_the_seed_makes_the_draws():
    first, again, other = draws(seed=1), draws(seed=1), draws(seed=2)
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
        assert not np.array_equal(first[name], other[name])


@pytest.mark.parametrize(
    ("baseline", "priors", "expected"),
    [
        (None, {"coefficient": bs.Normal(1, 2)}, {"coefficient"}),
        (None, {"coefficient": {"age": bs.Normal(1, 2)}}, {"coefficient"}),
        (None, {"group_sd": bs.HalfNormal(2)}, {"group_sd", "group_effect"}),
        (None, {"shape": bs.LogNormal(1, 0.1)}, {"shape", "intercept"}),
        (None, {"median_survival": bs.MedianSurvival(3, 9)}, {"intercept"}),
        (None, {"intercept": bs.Normal(-1, 1)}, {"intercept"}),
        (None, {"slope": bs.Normal(5, 1)}, set()),
        (None, {"smoothing_sd": bs.HalfNormal(5)}, set()),
        (None, {"log_hazard": bs.Normal(5, 1)}, set()),
        (bs.Gompertz(scale=9), {"slope": bs.Normal(1, 0.1)}, {"slope", "intercept"}),
        (WALK, {"log_hazard": bs.Normal(-1, 1)}, {"log_hazard"}),
        (WALK, {"median_survival": bs.MedianSurvival(3, 9)}, {"log_hazard"}),
        (INDEPENDENT, {"log_hazard": bs.Normal(-1, 1)}, {"log_hazard"}),
        (SPLINE, {"smoothing_sd": bs.HalfNormal(2)}, {"smoothing_sd", "weight"}),
        (WALK, {"smoothing_sd": bs.HalfNormal(2)}, {"smoothing_sd", "log_hazard"}),
    ],
)
def test_a_prior_changes_what_it_is_of_and_nothing_else(baseline, priors, expected):
    assert changed(baseline, **priors) == expected


def test_a_prior_of_another_family_leaves_the_other_draws_alone():
    assert changed(None, coefficient=bs.StudentT(3, 0, 1)) == {"coefficient"}
    assert changed(None, group_sd=bs.Gamma(2, 2)) == {"group_sd", "group_effect"}
    assert changed(None, shape=bs.Gamma(2, 2)) == {"shape", "intercept"}


def test_a_prior_by_term_changes_that_term():
    default, other = draws(), draws(coefficient={"age": bs.Normal(10, 0.1)})
    moved = np.abs(other["coefficient"] - 10).max(axis=(0, 1)) < 1
    assert moved.tolist() == [False, True, False]
    np.testing.assert_array_equal(
        default["coefficient"][..., [0, 2]], other["coefficient"][..., [0, 2]]
    )


def test_one_term_more_leaves_the_draws_of_the_others():
    priors = bs.Priors()
    two = prior_draws(specify(COHORT, "cti2 + stage", None, priors), DRAWS, 1)
    three = prior_draws(specify(COHORT, "cti2 + age + stage", None, priors), DRAWS, 1)
    np.testing.assert_array_equal(two["coefficient"], three["coefficient"][..., [0, 2]])
    correlation = np.corrcoef(three["coefficient"][0].T)
    assert np.abs(correlation - np.eye(3)).max() < 0.2


def test_draws_follow_their_priors():
    found = draws(
        count=20_000,
        coefficient=bs.HazardRatio(0.5, 2, 0.9),
        shape=bs.LogNormal(0.2, 0.5),
        group_sd=bs.HalfNormal(0.5),
    )
    ratios = np.exp(found["coefficient"])
    np.testing.assert_allclose(((ratios > 0.5) & (ratios < 2)).mean((0, 1)), 0.9, atol=0.01)
    assert np.median(found["shape"]) == pytest.approx(np.exp(0.2), rel=0.02)
    assert np.sqrt((found["group_sd"] ** 2).mean()) == pytest.approx(0.5, rel=0.02)
    scaled = found["group_effect"] / found["group_sd"][..., [0] * 4 + [1] * 4]
    assert scaled.std() == pytest.approx(1, rel=0.02)
    np.testing.assert_allclose(found["increment[monotone(stage)]"].sum(axis=-1), 1)


@pytest.mark.parametrize("baseline", [bs.Exponential(), bs.Weibull(), bs.Gompertz()])
def test_the_median_of_the_reference_profile_is_the_one_stated(baseline):
    stated = bs.MedianSurvival(4, 25, 0.8)
    fit = bs.prior(
        COHORT, "cti2", baseline=baseline, priors=bs.Priors(median_survival=stated), draws=20_000
    )
    medians = survival_quantile(fit, [{"cti2": 0}], extrapolate=True).to_numpy()
    assert (medians < 4).mean() == pytest.approx(0.1, abs=0.01)
    assert (medians > 25).mean() == pytest.approx(0.1, abs=0.01)
    assert np.median(medians) == pytest.approx(10, rel=0.03)


def test_the_interval_hazards_start_from_the_stated_median():
    found = draws(INDEPENDENT, count=20_000, median_survival=bs.MedianSurvival(4, 25, 0.8))
    medians = np.log(2) / np.exp(found["log_hazard"])
    np.testing.assert_allclose((medians < 4).mean((0, 1)), 0.1, atol=0.01)
    np.testing.assert_allclose((medians > 25).mean((0, 1)), 0.1, atol=0.01)


def test_without_a_stated_median_it_lies_around_the_crude_one():
    fit = bs.prior(COHORT, "1", draws=20_000)
    crude = np.log(2) * COHORT.time.sum() / COHORT.n_events
    medians = survival_quantile(fit, pd.DataFrame([{}]), extrapolate=True).to_numpy()
    assert np.median(medians) == pytest.approx(crude, rel=0.05)
    assert ((medians > crude / 20) & (medians < crude * 20)).mean() == pytest.approx(0.95, abs=0.01)
    assert f"{crude:.3g} months" in fit.notes[-1]
