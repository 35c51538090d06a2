"""A population as a mixture in each draw, and the Bayesian bootstrap of its patients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, quad_vec
from scipy.stats import beta, kstest

import bayesurv as bs
from bayesurv.estimands.contrasts import (
    average_hazard_ratio,
    contrast,
    expected_events,
    marginal_hazard_ratio,
    standardised_hazard,
    standardised_quantile,
    standardised_rmst,
    standardised_survival,
)
from bayesurv.estimands.population import Mixture, average_ratio, mixture

BASELINES = [
    bs.Exponential(),
    bs.Weibull(),
    bs.Gompertz(),
    bs.PiecewiseExponential(intervals=4),
    bs.MSpline(inner_knots=2),
]
EACH = pytest.mark.parametrize("baseline", BASELINES, ids=lambda b: b.name)
FORMULA = "cti2 + scale(age) + (1 | centre)"
POSITIVE = st.floats(0.03, 30)


def three(relative, share=(0.5, 0.3, 0.2)):
    return Mixture(np.array(share)[None, None], np.array(relative, dtype=float)[None, None])


# --- The mixture ---


@given(st.tuples(POSITIVE, POSITIVE, POSITIVE), st.floats(1e-3, 10))
@settings(max_examples=50, deadline=None)
def test_survival_density_and_hazard_fit_together(relative, at):
    patients, baseline = three(relative), np.array([[[at]]])
    survival, density, hazard = (
        f(baseline).item() for f in (patients.survival, patients.density, patients.hazard)
    )
    r, share = np.array(relative), np.array([0.5, 0.3, 0.2])
    assert survival == pytest.approx((share * np.exp(-r * at)).sum(), rel=1e-10)
    assert density == pytest.approx((share * r * np.exp(-r * at)).sum(), rel=1e-10)
    assert hazard * survival == pytest.approx(density, rel=1e-10)
    risk = patients.cumulative_hazard(baseline).item()
    assert np.exp(-risk) == pytest.approx(survival, rel=1e-10)


@given(st.tuples(POSITIVE, POSITIVE, POSITIVE), st.floats(0.01, 5))
@settings(max_examples=50, deadline=None)
def test_reaching_inverts_the_cumulative_hazard(relative, target):
    patients = three(relative)
    found = patients.cumulative_hazard(patients.reaching(target)[..., None])
    assert found.item() == pytest.approx(target, rel=1e-10)


def test_a_cumulative_hazard_beyond_any_survival():
    risk = three([1.0, 2.0, 3.0]).cumulative_hazard(np.array([[[5000.0]]])).item()
    assert risk == pytest.approx(5000 - np.log(0.5))


@given(st.tuples(POSITIVE, POSITIVE, POSITIVE), st.floats(0.01, 20), st.floats(0.05, 20))
@settings(max_examples=50, deadline=None)
def test_the_average_ratio_of_proportional_hazards_is_the_hazard_ratio(relative, end, ratio):
    """Equal patients: one hazard ratio at any time. The inverse ratio if arms change places."""
    one = Mixture(np.ones((1, 1, 1)), np.array([[[relative[0]]]]))
    other = Mixture(np.ones((1, 1, 1)), np.array([[[ratio * relative[0]]]]))
    at = np.array([[end / relative[0]]])
    assert average_ratio(other, one, at).item() == pytest.approx(ratio, rel=1e-8)
    mixed, back = (
        average_ratio(a, b, at).item() for a, b in ((three(relative), one), (one, three(relative)))
    )
    assert mixed * back == pytest.approx(1, rel=1e-6)


def test_an_average_ratio_up_to_a_time_that_nobody_sees():
    """Odds that the first of two exponential times is the one with the higher rate: 2 to 1."""
    one, other = (Mixture(np.ones((1, 1, 1)), np.full((1, 1, 1), rate)) for rate in (1e-3, 2e-3))
    found = average_ratio(other, one, np.full((1, 1), 1e150))
    assert found.item() == pytest.approx(2, rel=1e-8)


# --- The Bayesian bootstrap ---


@pytest.fixture(scope="module")
def many(prior):
    return prior(FORMULA, bs.Weibull(), draws=4000)


def test_weights_are_dirichlet_with_the_counts_of_equal_patients(many):
    """Five patients, three of them equal: their share is Beta(3, 2), as of Dirichlet(1, 3, 1)."""
    row = {"cti2": 0, "age": 60, "centre": "A"}
    people = [row | {"age": 50}, row, row, row, row | {"age": 70}]
    share = mixture(many, people, bootstrap=5).share
    assert share.shape == (1, 4000, 3)
    np.testing.assert_allclose(share.sum(axis=-1), 1)
    middle = share[0, :, np.argsort([1, 3, 1])[-1]]
    assert kstest(middle, beta(3, 2).cdf).pvalue > 0.01
    np.testing.assert_allclose(share[0].mean(axis=0), [0.2, 0.6, 0.2], atol=0.012)


def test_both_arms_have_the_same_weights(many):
    """Also where equal patients of one arm differ in the other."""
    fit = many
    people = [{"age": age, "centre": "A"} for age in (50, 60, 60, 70)]
    arms = [[person | {"cti2": level} for person in people] for level in (0, 1)]
    first, second = (mixture(fit, arm, bootstrap=2).share for arm in arms)
    np.testing.assert_array_equal(first, second)
    other = mixture(fit, arms[0], bootstrap=3).share
    assert np.abs(other - first).max() > 0.01


def test_weights_are_paired_through_interactions(prior):
    """Ages count in the treated arm alone, so in the other all patients are merged."""
    fit = prior("cti2 + cti2:age", draws=50)
    ages = [40.0, 60.0, 80.0]
    treated = mixture(fit, [{"cti2": 1, "age": age} for age in ages], bootstrap=1)
    untreated = mixture(fit, [{"cti2": 0, "age": age} for age in ages], bootstrap=1)
    assert (treated.share.shape[-1], untreated.share.shape[-1]) == (3, 1)
    weights = np.random.default_rng(1).standard_exponential((1, 50, 3))
    expected = weights / weights.sum(axis=-1, keepdims=True)
    found = np.sort(treated.share, axis=-1)
    np.testing.assert_allclose(found, np.sort(expected, axis=-1))


def test_the_bootstrap_widens_the_interval_and_keeps_the_middle(stated):
    draws = np.full(2000, np.log(0.05))
    fit = stated("cti2", bs.Exponential(), intercept=draws, coefficient=np.full((2000, 1), 2.0))
    people = [{"cti2": level} for level in [0] * 12 + [1] * 12]
    fixed, free = (
        standardised_survival(fit, people, [12], bootstrap=seed).to_numpy() for seed in (None, 1)
    )
    assert np.ptp(fixed) < 1e-12
    kinds = np.exp(-0.6 * np.exp([0.0, 2.0]))
    spread = abs(kinds[1] - kinds[0]) * np.sqrt(0.25 / 25)  # sd of Beta(12, 12)
    assert free.std() == pytest.approx(spread, rel=0.06)
    assert free.mean() == pytest.approx(fixed.mean(), abs=4 * spread / np.sqrt(2000))


# --- Standardise, then integrate ---


@pytest.fixture(scope="module")
def people(prior):
    return prior(FORMULA).design.training


@EACH
def test_for_rmst_averages_and_integrals_change_places(prior, people, baseline):
    fit = prior(FORMULA, baseline)
    found = standardised_rmst(fit, people, 24)
    np.testing.assert_allclose(
        found.isel(individual=0), bs.rmst(fit, people, 24).mean("individual"), rtol=1e-10
    )
    assert found.dims == ("chain", "draw", "individual")
    assert found.attrs == {"unit": "months", "end_of_follow_up": 30.0, "horizon": 24}


@EACH
def test_two_ways_of_integrating_agree(prior, people, baseline):
    """Gauss-Legendre panels against adaptive quadrature, piece by piece."""
    fit = prior(FORMULA, baseline)

    def curve(time):
        return standardised_survival(fit, people, [time]).to_numpy().ravel()

    ends = [0.0, *(knot for knot in fit.baseline.knots() if 0 < knot < 24), 24.0]
    pieces = zip(ends[:-1], ends[1:], strict=True)
    area = sum(quad_vec(curve, *piece, epsabs=1e-9, epsrel=1e-9)[0] for piece in pieces)
    np.testing.assert_allclose(standardised_rmst(fit, people, 24).to_numpy().ravel(), area, 1e-8)


@EACH
def test_the_standardised_median_is_the_root_of_the_curve_and_not_the_mean_of_medians(
    prior, people, baseline
):
    fit = prior(FORMULA, baseline)
    found = standardised_quantile(fit, people, extrapolate=True)
    times = found.to_numpy().ravel()
    known = np.flatnonzero(np.isfinite(times))
    assert len(known) > 20
    curve = standardised_survival(fit, people, times[known], extrapolate=True).to_numpy()
    np.testing.assert_allclose(np.diagonal(curve[0, known, 0]), 0.5, rtol=1e-9)
    own = bs.survival_quantile(fit, people, extrapolate=True).mean("individual").to_numpy().ravel()
    assert (np.abs(own[known] / times[known] - 1) > 0.01).mean() > 0.9


def test_the_marginal_hazard_ratio_is_not_the_mean_of_the_patients_own(stated):
    """Each patient's own ratio is 0.5; the population's starts there and moves towards 1."""
    fit = stated(
        "cti2 + age",
        bs.Exponential(),
        intercept=[np.log(0.02)],
        coefficient=[[np.log(0.5), 0.1]],
    )
    ages = np.linspace(-20, 20, 9)
    arms = [[{"cti2": level, "age": age} for age in ages] for level in (1, 0)]
    own = bs.hazard(fit, arms[0], [5]).to_numpy() / bs.hazard(fit, arms[1], [5]).to_numpy()
    np.testing.assert_allclose(own, 0.5)
    found = marginal_hazard_ratio(fit, *arms, [1e-6, 6, 24]).to_numpy().ravel()
    assert found[0] == pytest.approx(0.5, rel=1e-5)
    assert 0.5 < found[1] < found[2] < 0.8


def test_marginal_and_average_hazard_ratio_by_another_quadrature(stated):
    """The Weibull model's standardised curves, integrated by scipy."""
    rate, shape, ratio, slope = 0.03, 1.3, 0.6, 0.08
    fit = stated(
        "cti2 + age",
        bs.Weibull(),
        intercept=[np.log(rate)],
        shape=[shape],
        coefficient=[[np.log(ratio), slope]],
    )
    ages = np.array([-15.0, -5, 0, 10, 25])
    own = np.exp(slope * ages)

    def survival(t, ratio):
        return np.exp(-rate * t**shape * ratio * own).mean()

    def density(t, ratio):
        hazard = rate * shape * t ** (shape - 1) * ratio * own
        return (hazard * np.exp(-rate * t**shape * ratio * own)).mean()

    arms = [[{"cti2": level, "age": age} for age in ages] for level in (1, 0)]
    marginal = marginal_hazard_ratio(fit, *arms, [3, 24])
    expected = [np.log(survival(t, ratio)) / np.log(survival(t, 1)) for t in (3, 24)]
    np.testing.assert_allclose(marginal.to_numpy().ravel(), expected, rtol=1e-10)
    assert marginal.dims == ("chain", "draw", "time")
    first = quad(lambda t: survival(t, 1) * density(t, ratio), 0, 24, epsabs=1e-12)[0]
    second = quad(lambda t: survival(t, ratio) * density(t, 1), 0, 24, epsabs=1e-12)[0]
    average = average_hazard_ratio(fit, *arms, 24)
    assert average.item() == pytest.approx(first / second, rel=1e-8)
    assert average.dims == ("chain", "draw")
    assert average.item() != pytest.approx(marginal.to_numpy().ravel()[1], rel=0.01)


@EACH
def test_with_one_kind_of_patient_both_ratios_are_the_hazard_ratio(prior, baseline):
    fit = prior("cti2", baseline)
    ratio = np.exp(fit.posterior["coefficient"].to_numpy()[..., 0])
    treated, untreated = [{"cti2": 1}], [{"cti2": 0}]
    for horizon in (2, 25):
        average = average_hazard_ratio(fit, treated, untreated, horizon)
        np.testing.assert_allclose(average, ratio, rtol=1e-8)
        marginal = marginal_hazard_ratio(fit, treated, untreated, [horizon]).isel(time=0)
        np.testing.assert_allclose(marginal, ratio, rtol=1e-8)


def test_the_hazard_under_the_bootstrap_is_that_of_those_at_risk(many, people):
    step = 1e-4
    curve = standardised_survival(many, people, [12 - step, 12 + step], bootstrap=4)
    log = np.log(curve.to_numpy()[0, :50, 0])
    found = standardised_hazard(many, people, [12], bootstrap=4).to_numpy()[0, :50, 0, 0]
    np.testing.assert_allclose(found, (log[:, 0] - log[:, 1]) / (2 * step), rtol=1e-4)


# --- Events and contrasts ---


def test_expected_events(many, people):
    found = expected_events(many, people, [0, 6, 30])
    expected = (1 - bs.survival(many, people, [0, 6, 30])).sum("individual")
    np.testing.assert_allclose(found, expected, atol=1e-10)
    assert found.dims == ("chain", "draw", "time")
    assert np.abs(found.isel(time=0)).max() < 1e-12


def test_contrasts_are_of_each_draw(many):
    first = bs.rmst(many, [{"label": "a", "cti2": 1, "age": 60}], 12)
    second = bs.rmst(many, [{"label": "b", "cti2": 0, "age": 60}], 12)
    a, b = first.to_numpy(), second.to_numpy()
    np.testing.assert_array_equal(contrast(first, second), a - b)
    np.testing.assert_array_equal(contrast(first, second, "ratio"), a / b)
    np.testing.assert_array_equal(
        contrast(first, second, lambda x, y: np.log(x / y)), np.log(a / b)
    )
    assert contrast(first, second).sizes == first.sizes
    with pytest.raises(bs.InputError, match='"difference", "ratio" or a function'):
        contrast(first, second, "quotient")


@pytest.mark.parametrize("probability", [0, 1, np.nan])
def test_a_probability_that_cannot_be(many, people, probability):
    with pytest.raises(bs.InputError, match="between 0 and 1"):
        standardised_quantile(many, people, probability)


def test_horizons_and_times_that_cannot_be(many, people):
    for ask in (standardised_rmst, lambda *a: average_hazard_ratio(a[0], people, people, a[2])):
        with pytest.raises(bs.InputError, match="past the end of follow-up, 30 months"):
            ask(many, people, 31)
        with pytest.raises(bs.InputError, match="above 0"):
            ask(many, people, 0)
    with pytest.raises(bs.InputError, match="times above 0"):
        marginal_hazard_ratio(many, people, people, [0, 3])
