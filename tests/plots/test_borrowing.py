"""What the figure of borrowing shows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm

from bayesurv.estimands.borrowing import borrow
from bayesurv.estimands.borrowing_curve import weight_curve
from bayesurv.models.distributions import Normal
from bayesurv.plots.borrowing import plot_borrowing
from bayesurv.plots.style import root

EVIDENCE = (Normal(np.log(0.28), 0.296), Normal(np.log(0.7), 0.2))


def drawn(estimate=0.51, evidence=EVIDENCE, weight=0.5, threshold=0.975):
    found = borrow(estimate, 0.324, evidence, weight)
    labels = ["xue", "registry"][: len(evidence)]
    curve = weight_curve(found, threshold)
    return found, curve, plot_borrowing(found, curve, labels, label="Hazard ratio (OS)")


def texts(ax):
    return [each.get_text() for each in ax.get_legend().get_texts()]


def test_priors_likelihood_and_posterior_are_densities_of_the_log_hazard_ratio():
    found, _, ax = drawn()
    curves = [line for line in ax.get_lines() if len(line.get_xdata()) > 100]
    assert texts(ax) == [
        "Prior: xue, weight 0.25", "Prior: registry, weight 0.25", "Prior: vague, weight 0.5",
        "Data alone", "Posterior",
    ]  # fmt: skip
    x = np.log(curves[0].get_xdata())
    expected = [norm(c.mu, c.sigma).pdf(x) for c in found.prior.components]
    expected.append(norm(0.51, 0.324).pdf(x))
    for curve, density in zip(curves, expected, strict=False):
        assert_allclose(curve.get_ydata(), density, rtol=1e-9)
    posterior = curves[-1].get_ydata()
    assert np.trapezoid(posterior, x) == pytest.approx(1, abs=0.02)
    peak = np.exp(x[posterior.argmax()])
    assert peak == pytest.approx(float(found.borrowing.hazard_ratio), rel=0.15)
    assert ax.get_xlabel() == "Hazard ratio (OS)"


def test_each_density_has_a_look_of_its_own():
    _, _, ax = drawn()
    curves = [line for line in ax.get_lines() if len(line.get_xdata()) > 100]
    looks = {(line.get_color(), line.get_linestyle()) for line in curves}
    assert len(looks) == len(curves)


def test_the_curves_over_the_weight_and_where_the_conclusion_changes():
    _, curve, ax = drawn(estimate=-0.3, evidence=EVIDENCE[1:], threshold=0.95)
    _, ratio, chance = root(ax).axes
    assert len(curve.flips) == 1
    for axes, column in ((ratio, "hazard_ratio"), (chance, "prob_benefit")):
        lines = axes.get_lines()
        [line] = [line for line in lines if len(line.get_xdata()) > 100]
        assert_allclose(line.get_ydata(), curve.curve[column])
        marks = {float(each.get_xdata()[0]) for each in lines if each.get_linestyle() == ":"}
        assert marks == {curve.flips[0].weight}
    assert texts(ratio) == ["Weight used, 0.5", "Thresholds, 0.95 and 0.05", "Conclusion changes"]
    bounds = {float(each.get_ydata()[0]) for each in chance.get_lines()}
    assert {0.95, 0.05} <= {round(each, 6) for each in bounds}


def test_without_a_change_none_is_in_the_legend():
    _, curve, ax = drawn(estimate=-0.1, evidence=(Normal(0, 0.2),))
    assert not curve.flips
    assert "Conclusion changes" not in texts(root(ax).axes[1])


@pytest.mark.parametrize("estimate", [-3.0, 0.0, 4.0])
def test_nothing_is_cut_off(estimate):
    _, curve, ax = drawn(estimate=estimate)
    low, high = ax.get_xlim()
    assert low <= max(0.28 * np.exp(-2 * 0.296), 0.01)
    assert high >= min(np.exp(estimate + 0.6), 100)
    _, ratio, _ = root(ax).axes
    low, high = ratio.get_ylim()
    assert low < curve.curve["lower"].min()
    assert high > curve.curve["upper"].max()
