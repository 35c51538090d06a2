"""What the figures of prior sensitivity show."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.transforms import Bbox
from numpy.testing import assert_allclose

from bayesurv.estimands.tipping import TippingPoint, prior_range
from bayesurv.plots.sensitivity import plot_prior_sensitivity, plot_tipping_point
from bayesurv.plots.style import root

TABLE = pd.DataFrame(
    {
        "prior": ["sceptical", "vague"],
        "stated": ["Normal(0, 0.35)", "Normal(0, 2.5)"],
        "prior_lower": [0.504, 0.00745],
        "prior_upper": [1.986, 134.3],
        "hazard_ratio": [0.74, 0.59],
        "lower": [0.47, 0.31],
        "upper": [1.17, 1.07],
        "prob_benefit": [0.904, 0.958],
    }
)


def tipping(sd=0.34, direction="HR < 1"):
    sds = np.array([2.5, 0.8, 0.3, 0.2])
    ends = np.transpose([prior_range(each) for each in sds])
    curve = {"sd": sds, "hazard_ratio_lower": ends[0], "hazard_ratio_upper": ends[1]}
    curve |= {"probability": [0.96, 0.95, 0.89, 0.82], "mcse": [0.004, 0.005, 0.01, 0.01]}
    return TippingPoint(direction, 0.9, sd, 0.03, pd.DataFrame(curve))


def texts(ax):
    legend = ax.get_legend()
    return [each.get_text() for each in (*ax.texts, *(legend.get_texts() if legend else ()))]


def test_each_prior_has_its_own_interval_and_the_posterior_on_it():
    ax = plot_prior_sensitivity(TABLE, label="Hazard ratio (OS)")
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    assert_allclose(bars[0], (0.504, 1.986))
    assert_allclose(ax.get_xlim(), (1 / 8, 8))
    assert_allclose(bars[1], ax.get_xlim())  # it runs out of the axes on both sides
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert labels == [
        "sceptical\nNormal(0, 0.35): 0.50–1.99",
        "vague\nNormal(0, 2.5): 0.0075–134",  # but its numbers are written
    ]
    assert {"0.74 (0.47–1.17)", "0.90", "0.59 (0.31–1.07)", "0.96", "P(HR < 1)"} <= {*texts(ax)}
    assert ax.get_xlabel() == "Hazard ratio (OS)"


def test_the_axes_reach_a_posterior_outside_them():
    ax = plot_prior_sensitivity(TABLE.assign(upper=[1.17, 30.0], lower=[0.02, 0.31]))
    low, high = ax.get_xlim()
    assert low < 0.02
    assert high > 30
    ax = plot_prior_sensitivity(TABLE.assign(upper=[1.17, 3000.0], lower=[0.0002, 0.31]))
    assert_allclose(ax.get_xlim(), (0.01, 100))  # and no further; arrows point on


def test_the_tipping_point_is_marked_on_the_threshold():
    ax = plot_tipping_point(tipping(), label="OS")
    (marker,) = [line for line in ax.get_lines() if line.get_marker() == "D"]
    assert_allclose(np.ravel(marker.get_data()), (0.34, 0.9))
    assert "Threshold 0.9" in texts(ax)
    assert "Tipping point: 95% of hazard ratios 0.51–1.95" in texts(ax)
    assert ax.get_ylabel() == "Posterior P(HR < 1), OS"
    assert "0.4\n0.46–2.19" in [tick.get_text() for tick in ax.get_xticklabels()]


def test_without_a_tipping_point_none_is_marked():
    ax = plot_tipping_point(tipping(np.nan, "HR > 1"))
    assert not [line for line in ax.get_lines() if line.get_marker() == "D"]
    assert not [text for text in texts(ax) if text.startswith("Tipping")]
    assert ax.get_ylabel() == "Posterior P(HR > 1)"


@pytest.mark.parametrize(
    "draw", [lambda: plot_prior_sensitivity(TABLE), lambda: plot_tipping_point(tipping())]
)
def test_nothing_is_cut_off_and_the_legend_is_not_on_the_data(draw):
    ax = draw()
    figure = root(ax)
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    whole = figure.bbox.padded(2)
    legend = ax.get_legend()
    shown = [t.label1 for axis in (ax.xaxis, ax.yaxis) for t in axis.get_major_ticks()]
    for each in (*ax.texts, *shown, ax.xaxis.label, ax.yaxis.label, legend):
        box = each.get_window_extent(renderer)
        assert box.width == 0 or Bbox.intersection(box, whole).bounds == pytest.approx(box.bounds)
    assert not ax.get_window_extent(renderer).overlaps(legend.get_window_extent(renderer))


@pytest.mark.parametrize("columns", [1, 2])
def test_at_both_widths(columns, on_the_page):
    assert on_the_page(plot_prior_sensitivity(TABLE, columns=columns), columns)
    assert on_the_page(plot_tipping_point(tipping(), label="OS", columns=columns), columns)
