"""Normal mixtures against their definitions, scipy, and numbers by quadrature."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import kstest, norm

from bayesurv.data.faults import InputError
from bayesurv.models.mixture import NormalMixture, pooled
from bayesurv.models.priors import Robust, parse_prior

TWO = NormalMixture.of([0.3, 0.7], [-1.25, 0.2], [0.3, 1.1])
POINTS = np.linspace(-5, 5, 41)
GRID = np.linspace(-25, 0.3, 20001)
MIXTURES = st.lists(
    st.tuples(st.floats(0.05, 1), st.floats(-3, 3), st.floats(0.1, 3)), min_size=1, max_size=4
).map(lambda parts: mixed(*zip(*parts, strict=True)))


def mixed(weights, means, sds):
    return NormalMixture.of(np.array(weights) / sum(weights), means, sds)


def density(mixture, x):
    parts = zip(mixture.weights, mixture.means, mixture.sds, strict=True)
    return sum(w * norm(m, s).pdf(x) for w, m, s in parts)


@given(MIXTURES)
def test_density_and_probability_are_sums(mixture):
    assert_allclose(
        np.exp(mixture.logpdf(POINTS)), density(mixture, POINTS), rtol=1e-9, atol=1e-200
    )
    one = np.trapezoid(density(mixture, GRID), GRID)
    assert mixture.cdf(GRID[-1]) == pytest.approx(one, abs=1e-5)


@given(MIXTURES, st.floats(0.001, 0.999))
def test_quantiles_undo_probabilities(mixture, probability):
    assert mixture.cdf(mixture.ppf(probability)) == pytest.approx(probability, abs=1e-12)


def test_quantiles_where_there_is_none_and_of_one_component():
    assert_allclose(TWO.ppf([0.0, 1.0]), [-np.inf, np.inf])
    alone = NormalMixture.of([1.0, 0.0], [0.4, 90.0], [0.2, 1.0])
    assert_allclose(alone.ppf([0.025, 0.5]), norm(0.4, 0.2).ppf([0.025, 0.5]), rtol=1e-12)


def test_mean_and_sd_of_draws():
    draws = TWO.rvs((200, 500), random_state=np.random.default_rng(1))
    assert draws.mean() == pytest.approx(float(TWO.mean()), abs=0.02)
    assert draws.std() == pytest.approx(float(TWO.std()), rel=0.01)
    assert_allclose(TWO.stats("mv"), (TWO.mean(), TWO.std() ** 2))
    assert kstest(draws[:40].ravel(), TWO.cdf).pvalue > 0.01


def test_many_mixtures_at_once_are_each_by_itself():
    means = np.array([[-1.0, 0.3], [0.5, 0.5], [2.0, -2.0]])
    many = NormalMixture.of([0.2, 0.8], means, [0.3, 1.0])
    each = [NormalMixture.of([0.2, 0.8], m, [0.3, 1.0]) for m in means]
    assert_allclose(many.ppf(0.025), [one.ppf(0.025) for one in each], rtol=1e-12)
    assert_allclose(many.std(), [one.std() for one in each], rtol=1e-12)
    assert_allclose(many.updated(0.4, 0.3).log_marginal[1], each[1].updated(0.4, 0.3).log_marginal)


@given(MIXTURES, st.floats(-3, 3), st.floats(0.1, 2))
def test_the_posterior_is_prior_times_likelihood(mixture, estimate, error):
    """Against quadrature on a grid, which knows nothing of conjugacy."""
    x = np.linspace(-25, 25, 50001)
    product = density(mixture, x) * norm(x, error).pdf(estimate)
    found = mixture.updated(estimate, error)
    total = np.trapezoid(product, x)
    assert_allclose(np.exp(found.posterior.logpdf(x)), product / total, atol=1e-6)
    marginal = mixture.weights @ np.exp(found.log_marginal)
    assert marginal == pytest.approx(total, rel=1e-6)
    assert found.posterior.weights.sum() == pytest.approx(1)


def test_information_of_one_normal_is_its_precision():
    assert NormalMixture.of([1.0], [0.7], [0.25]).information() == pytest.approx(16, rel=1e-8)
    far = NormalMixture.of([0.5, 0.5], [-100, 100], [0.5, 1.0]).information()
    assert far == pytest.approx((4 + 1) / 2, rel=1e-6)


@given(MIXTURES)
def test_information_is_the_mean_curvature(mixture):
    """-(log density)'' by differences, averaged over the mixture."""
    x, step = np.linspace(-25, 25, 20001), 1e-3
    above, here, below = (mixture.logpdf(x + d) for d in (step, 0, -step))
    curvature = -(above - 2 * here + below) / step**2
    expected = (curvature * np.exp(here)).sum() * (x[1] - x[0])
    assert mixture.information() == pytest.approx(expected, rel=1e-3)


def test_pooling_weighs_by_precision():
    mean, sd = pooled([0.2, -0.4], [0.1, 0.3])
    assert mean == pytest.approx((0.2 / 0.01 - 0.4 / 0.09) / (1 / 0.01 + 1 / 0.09))
    assert sd == pytest.approx((1 / 0.01 + 1 / 0.09) ** -0.5)


# --- The prior family ---


def test_a_robust_hazard_ratio_is_a_robust_log_hazard_ratio():
    stated = parse_prior("RobustHazardRatio(0.16, 0.51)")
    assert str(stated) == "RobustHazardRatio(0.16, 0.51, 0.95, 0.5, 1)"
    prior = stated.distribution()
    middle, sd = np.log(0.16 * 0.51) / 2, np.log(0.51 / 0.16) / (2 * norm.ppf(0.975))
    assert_allclose([*prior.numbers().values()], [middle, sd, 0.5, 1])
    assert parse_prior(str(prior)) == prior
    expected = 0.5 * norm(middle, sd).cdf(0) + 0.5 * 0.5
    assert prior.frozen().cdf(0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Robust(0, 1, 1, 1)", "weight must be below 1, so that some doubt remains"),
        ("Robust(0, 1, 0, 1)", "weight must be finite and above 0"),
        ("Robust(0, 1, 0.5, -1)", "vague must be finite and above 0"),
        ("Robust(0, 1)", "should read Robust(mu, sigma, weight, vague)"),
        ("RobustHazardRatio(2, 1)", "needs 0 < lower < upper"),
        ("RobustHazardRatio(0.2, 1, 0.95, 1.5)", "weight must be below 1"),
    ],
)
def test_robust_priors_that_cannot_be(text, said):
    with pytest.raises(InputError, match="prior") as caught:
        parse_prior(text)
    assert said in str(caught.value)


def test_a_robust_prior_is_sampled_as_any_other():
    draws = Robust(-1.25, 0.3, 0.5, 1).frozen().rvs((1, 4000), random_state=5)
    assert draws.shape == (1, 4000)
    assert kstest(draws[0], Robust(-1.25, 0.3, 0.5, 1).frozen().cdf).pvalue > 0.01
