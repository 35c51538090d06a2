"""RMST and quantiles against closed forms, and their refusals."""

import numpy as np
import pytest
from scipy.special import gamma, gammainc

import bayesurv as bs
from bayesurv.data.faults import InputError
from bayesurv.estimands.functionals import prob_not_reached, quadrature

ALL = [{"label": "all"}]
TWO = [{"cti2": 0}, {"cti2": 1}]
HORIZON = 24.0


def weibull_rmst(shape, intercept, horizon):
    """Integral of exp(-exp(intercept) t^shape) from 0 to the horizon."""
    scale = np.exp(-intercept / shape)
    return scale * gamma(1 + 1 / shape) * gammainc(1 / shape, (horizon / scale) ** shape)


def test_rmst_of_an_exponential(stated):
    rates = np.array([1e-6, 0.01, 0.1, 1.0, 10.0])
    fit = stated("1", bs.Exponential(), intercept=np.log(rates))
    found = bs.rmst(fit, ALL, HORIZON)
    expected = -np.expm1(-rates * HORIZON) / rates
    np.testing.assert_allclose(found.to_numpy().ravel(), expected, rtol=1e-8)
    assert found.dims == ("chain", "draw", "individual")
    assert found.name == "rmst"
    assert found.attrs == {"unit": "months", "end_of_follow_up": 30.0, "horizon": 24.0}


@pytest.mark.parametrize("shape", [0.2, 0.5, 0.9, 1.3, 2.0, 3.5, 5.0])
def test_rmst_of_a_weibull(stated, shape):
    medians = HORIZON * np.array([0.05, 0.2, 0.5, 0.9, 3, 30])
    intercept = np.log(np.log(2)) - shape * np.log(medians)
    fit = stated("1", bs.Weibull(), intercept=intercept, shape=np.full(6, shape))
    found = bs.rmst(fit, ALL, HORIZON).to_numpy().ravel()
    np.testing.assert_allclose(found, weibull_rmst(shape, intercept, HORIZON), rtol=1e-8)


def test_rmst_of_a_piecewise_exponential(stated):
    baseline = bs.PiecewiseExponential(cuts=(2.0, 7.0, 28.0), smoothing="independent")
    logs = np.array([[-2.0, -1.0, -3.0, 0.5], [-4.0, 1.0, 0.0, -1.0]])
    fit = stated("1", baseline, log_hazard=logs)
    found = bs.rmst(fit, ALL, HORIZON).to_numpy().ravel()
    for value, rates in zip(found, np.exp(logs), strict=True):
        widths = np.array([2.0, 5.0, HORIZON - 7.0])
        start = np.exp(-np.concatenate([[0], np.cumsum(rates[:2] * widths[:2])]))
        expected = (start * -np.expm1(-rates[:3] * widths) / rates[:3]).sum()
        assert value == pytest.approx(expected, rel=1e-9)


def test_rmst_of_each_patient_has_her_own_hazard(stated):
    fit = stated(
        "cti2", bs.Weibull(), intercept=[-3.0, -2.0], shape=[1.4, 0.7], coefficient=[[0.8], [-0.5]]
    )
    found = bs.rmst(fit, TWO, HORIZON).to_numpy()[0]
    expected = [
        [weibull_rmst(1.4, -3.0, HORIZON), weibull_rmst(1.4, -2.2, HORIZON)],
        [weibull_rmst(0.7, -2.0, HORIZON), weibull_rmst(0.7, -2.5, HORIZON)],
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("baseline", [bs.Gompertz(), bs.MSpline(inner_knots=3)])
def test_rmst_of_any_baseline_is_the_area_under_its_survival(prior, baseline):
    fit = prior("cti2", baseline)
    times = np.linspace(0, 30, 20_001)
    area = np.trapezoid(bs.survival(fit, TWO, times), times, axis=-1)
    np.testing.assert_allclose(bs.rmst(fit, TWO, 30), area, rtol=1e-4)


def test_quadrature_does_not_step_over_a_knot():
    nodes, weights = quadrature(10.0, np.array([3.3, 12.0]))
    assert weights.sum() == pytest.approx(10)
    assert ((nodes > 0) & (nodes < 10)).all()
    assert ((nodes < 3.3) * weights).sum() == pytest.approx(3.3, rel=1e-14)


def test_the_largest_horizon_is_the_end_of_follow_up(stated):
    fit = stated("cti2", bs.Exponential(), intercept=[-3.0], coefficient=[[0.5]])
    bs.rmst(fit, TWO, 30)
    with pytest.raises(InputError, match="end of follow-up, 30 months"):
        bs.rmst(fit, TWO, 30.5)
    assert (bs.rmst(fit, TWO, 36, extrapolate=True) > bs.rmst(fit, TWO, 30)).all()


@pytest.mark.parametrize("horizon", [0, -3, np.nan])
def test_a_horizon_that_cannot_be(prior, horizon):
    with pytest.raises(InputError, match="horizon must be above 0"):
        bs.rmst(prior(), TWO, horizon)


# --- Quantiles ---


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.75])
def test_quantiles_of_exponential_and_weibull(stated, probability):
    target = -np.log(1 - probability)
    rates, shapes = np.array([0.1, 0.5, 2.0]), np.array([0.4, 1.0, 3.0])
    exponential = stated("1", bs.Exponential(), intercept=np.log(rates))
    found = bs.survival_quantile(exponential, ALL, probability).to_numpy().ravel()
    np.testing.assert_allclose(found, target / rates, rtol=1e-8)
    weibull = stated("1", bs.Weibull(), intercept=np.log(rates), shape=shapes)
    found = bs.survival_quantile(weibull, ALL, probability, extrapolate=True).to_numpy().ravel()
    np.testing.assert_allclose(found, (target / rates) ** (1 / shapes), rtol=1e-8)


def test_the_median_is_the_default_and_each_patient_has_her_own(stated):
    fit = stated("cti2", bs.Exponential(), intercept=[np.log(0.1)], coefficient=[[np.log(2)]])
    found = bs.survival_quantile(fit, TWO)
    assert found.to_numpy().ravel() == pytest.approx([10 * np.log(2), 5 * np.log(2)], rel=1e-10)
    assert found.dims == ("chain", "draw", "individual")
    assert found.attrs == {"unit": "months", "end_of_follow_up": 30.0}


def test_a_median_not_reached_in_follow_up_is_infinite_and_counted(stated):
    medians = np.array([10.0, 29.9, 30.1, 200.0])
    fit = stated("1", bs.Exponential(), intercept=np.log(np.log(2) / medians))
    found = bs.survival_quantile(fit, ALL)
    assert found.to_numpy().ravel() == pytest.approx([10, 29.9, np.inf, np.inf])
    assert prob_not_reached(found).to_numpy().tolist() == [0.5]
    beyond = bs.survival_quantile(fit, ALL, extrapolate=True)
    assert beyond.to_numpy().ravel() == pytest.approx(medians)


def test_a_median_that_is_never_reached_is_infinite_also_in_extrapolation(stated):
    fit = stated("1", bs.Gompertz(scale=10.0), intercept=[-3.0, -3.0], slope=[-3.0, 0.0])
    found = bs.survival_quantile(fit, ALL, extrapolate=True).to_numpy().ravel()
    assert found == pytest.approx([np.inf, np.log(2) * np.exp(3)])


def test_quantiles_of_walks_and_splines_invert_their_survival(prior):
    for baseline in (bs.PiecewiseExponential(intervals=4), bs.MSpline(inner_knots=3)):
        fit = prior("cti2", baseline)
        found = bs.survival_quantile(fit, TWO, extrapolate=True).to_numpy()
        for draw in range(3):
            curve = bs.survival(fit, TWO, found[0, draw], extrapolate=True).to_numpy()[0, draw]
            assert np.diagonal(curve) == pytest.approx([0.5, 0.5], rel=1e-9)


@pytest.mark.parametrize("probability", [0, 1, -0.5, np.nan])
def test_a_probability_that_cannot_be(prior, probability):
    with pytest.raises(InputError, match="probability must lie between 0 and 1"):
        bs.survival_quantile(prior(), TWO, probability)
