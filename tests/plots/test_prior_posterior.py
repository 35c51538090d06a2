"""The figure of priors and posteriors, by its data."""

import numpy as np
import pytest

from bayesurv.plots.prior_posterior import plot_prior_posterior
from bayesurv.plots.style import root

RANDOM = np.random.default_rng(3)
RATIO = np.exp(RANDOM.normal(0, 0.75, 4000)), np.exp(RANDOM.normal(0.3, 0.3, (4, 1000)))
SPREAD = np.abs(RANDOM.normal(0, 0.5, 4000)), np.abs(RANDOM.normal(0, 0.3, 4000))
TIMES = np.exp(RANDOM.normal(2.5, 3.0, 4000)), np.exp(RANDOM.normal(2.2, 0.2, 4000))
ALL = {"Hazard ratio of CTI2": RATIO, "Median OS, months": TIMES, "Sd between regimens": SPREAD}


def drawn(quantities=ALL, **options):
    first = plot_prior_posterior(
        quantities, linear=["Sd between regimens"], times=["Median OS, months"], **options
    )
    return root(first).axes


def density_lines(ax):
    """Prior and posterior, as points and heights."""
    return [line.get_data() for line in ax.get_lines() if len(line.get_xdata()) > 100]


def test_densities_are_those_of_the_draws():
    ratio, _, spread = drawn()
    (x, prior), (_, posterior) = density_lines(ratio)
    step = np.diff(np.log(x)).mean()
    assert step * posterior.sum() == pytest.approx(1, abs=0.01)
    within = (np.log(RATIO[0]) > np.log(x[0])) & (np.log(RATIO[0]) < np.log(x[-1]))
    assert step * prior.sum() == pytest.approx(within.mean(), abs=0.02)
    assert np.log(x[posterior.argmax()]) == pytest.approx(0.3, abs=0.15)
    (x, _), (_, posterior) = density_lines(spread)
    assert x[0] == 0  # nothing is drawn where there can be nothing
    half_normal = 2 / (0.3 * np.sqrt(2 * np.pi))
    assert posterior[0] == pytest.approx(half_normal, rel=0.1)


def test_a_wide_prior_leaves_the_posterior_to_be_seen():
    x, _ = density_lines(drawn()[1])[1]
    low, high = np.quantile(TIMES[1], [0.0005, 0.9995])
    share = np.log(high / low) / np.log(x[-1] / x[0])
    assert 0.04 < share < 0.6


def test_interval_and_median_are_drawn_and_written():
    ratio, time, spread = drawn()
    [ends] = [line.get_xdata() for line in ratio.get_lines() if len(line.get_xdata()) == 2]
    np.testing.assert_allclose(ends, np.quantile(RATIO[1], [0.025, 0.975]))
    assert ratio.get_title("left").startswith("Hazard ratio of CTI2\n1.3")
    lower, middle, upper = np.quantile(TIMES[1], [0.025, 0.5, 0.975])
    assert time.get_title("left").endswith(f"\n{middle:.1f} ({lower:.1f}–{upper:.1f})")
    assert (ratio.get_xscale(), spread.get_xscale()) == ("log", "linear")


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_nothing_is_cut_off_nor_lies_over_another(columns, count):
    name = "Median survival at the reference profile {} in months since the first infusion"
    axes = drawn({name.format(i): RATIO for i in range(count)}, columns=columns)
    figure = root(axes[0])
    figure.draw_without_rendering()
    spans = [ax.get_tightbbox() for ax in axes] + [figure.legends[0].get_window_extent()]
    assert len(axes) == count
    assert all(figure.bbox.x0 - 1 <= s.x0 and s.x1 <= figure.bbox.x1 + 1 for s in spans)
    assert not any(a.overlaps(b) for i, a in enumerate(spans) for b in spans[:i])


def test_marks():
    ratio, time, _ = drawn(marks={"Hazard ratio of CTI2": 1})
    assert [1, 1] in [list(line.get_xdata()) for line in ratio.get_lines()]
    assert [1, 1] not in [list(line.get_xdata()) for line in time.get_lines()]


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="no quantity"):
        plot_prior_posterior({})
    with pytest.raises(ValueError, match="log HR: draws that are not above 0"):
        plot_prior_posterior({"log HR": (np.log(RATIO[0]), np.log(RATIO[1]))})
