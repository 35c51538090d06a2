"""Figures of a comparison: what is drawn and written is the table's."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayesurv.frequentist.kaplan_meier import kaplan_meier
from bayesurv.plots.comparison import plot_comparison, plot_stacked_survival
from bayesurv.plots.style import root, save

TABLE = pd.DataFrame(
    {
        "model": ["os/weibull", "os/piecewise-exponential", "os/gompertz"],
        "elpd_difference": [0.0, -1.3, -14.2],
        "se_difference": [0.0, 1.1, 4.9],
        "weight": [0.71, 0.29, 0.0],
        "weight_lower": [0.12, 0.0, 0.0],
        "weight_upper": [1.0, 0.88, 0.09],
        "verdict": ["best", "indistinguishable", "worse"],
    }
)


def inside(axes):
    """Every text and the legend lie within the figure, and the legend above the axes."""
    figure = root(axes)
    figure.canvas.draw()
    whole = figure.bbox
    legend = axes.get_legend().get_window_extent()
    assert legend.y0 >= axes.get_window_extent().y1
    texts = [*axes.texts, *axes.get_yticklabels(), axes.xaxis.label]
    for box in [legend, *(text.get_window_extent() for text in texts)]:
        assert box.x0 >= whole.x0 - 1
        assert box.x1 <= whole.x1 + 1
        assert box.y1 <= whole.y1 + 1


def test_differences_and_twice_their_errors():
    axes = plot_comparison(TABLE)
    (bars,) = axes.containers
    points, _, (lines,) = bars
    np.testing.assert_allclose(points.get_xdata(), TABLE["elpd_difference"])
    spans = [segment[:, 0] for segment in lines.get_segments()]
    np.testing.assert_allclose(spans, [[0, 0], [-3.5, 0.9], [-24, -4.4]])
    low, high = axes.get_xlim()
    assert low < -24
    assert high > 4
    assert [label.get_text() for label in axes.get_yticklabels()] == list(TABLE["model"])
    assert "elpd" in axes.get_xlabel()
    inside(axes)


def test_weights_and_verdicts_are_written():
    texts = [text.get_text() for text in plot_comparison(TABLE).texts]
    assert texts == [
        "Weight (95%)", "0.71 (0.12–1.00)", "0.29 (0.00–0.88)", "0.00 (0.00–0.09)",
        "Verdict", "best", "indistinguishable", "worse",
    ]  # fmt: skip


@pytest.fixture
def curves():
    time = np.linspace(0, 24, 25)
    arms = {"cti2 = 0": 0.06, "cti2 = 1": 0.03}

    def summary(rate):
        mean = np.exp(-rate * time)
        parts = {"mean": mean, "lower": mean**1.3, "upper": mean**0.7}
        dims = {name: ("time", values) for name, values in parts.items()}
        return xr.Dataset(dims, {"time": time}, {"ci_prob": 0.95})

    def model(factor):
        values = np.exp(-factor * np.outer(list(arms.values()), time))
        coords = {"individual": list(arms), "time": time}
        return xr.DataArray(values, coords, ("individual", "time"))

    return {arm: summary(rate) for arm, rate in arms.items()}, {"a": model(0.8), "b": model(1.1)}


def test_each_models_curve_is_dotted(curves, tmp_path):
    stacked, models = curves
    axes = plot_stacked_survival(stacked, models, unit="months", label="Survival (OS, averaged)")
    dotted = [line for line in axes.lines if line.get_linewidth() == 0.9]
    drawn = [line.get_ydata() for line in dotted]
    expected = [each.sel(individual=arm) for arm in stacked for each in models.values()]
    np.testing.assert_allclose(drawn, expected)
    solid = [line.get_color() for line in axes.lines if line.get_linewidth() == 1.3]
    assert [line.get_color() for line in dotted] == list(np.repeat(solid, 2))
    assert axes.get_legend().get_title().get_text().endswith("Dotted: each model alone")
    assert axes.get_ylabel() == "Survival (OS, averaged)"
    inside(axes)
    assert save(axes, tmp_path / "a.png").stat().st_size > 10_000


def test_dots_end_with_the_arms_follow_up(curves):
    stacked, models = curves
    time, event = np.array([2.0, 5, 9, 12]), np.array([True, False, True, False])
    observed = {"cti2 = 0": kaplan_meier(time, event), "cti2 = 1": kaplan_meier(2 * time, event)}
    axes = plot_stacked_survival(stacked, models, observed, unit="months")
    ends = [line.get_xdata()[-1] for line in axes.lines if line.get_linewidth() == 0.9]
    assert ends == [12, 12, 24, 24]
