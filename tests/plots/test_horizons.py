"""The figure of what is gained by each horizon, by its data."""

import numpy as np
import pytest
import xarray as xr

from bayesurv.plots.horizons import plot_horizons
from bayesurv.plots.style import root

TIME = np.linspace(0, 24, 61)
PARTS = {"median": 0.005, "lower": -0.002, "upper": 0.012}
CURVE = xr.Dataset(
    {
        **{name: ("time", slope * TIME) for name, slope in PARTS.items()},
        **{f"rmst_{name}": ("time", slope * TIME**2 / 2) for name, slope in PARTS.items()},
        "probability": ("time", np.where(TIME > 0, 0.93, 0.0)),
        "rmst_probability": ("time", np.where(TIME > 0, 0.9, 0.0)),
    },
    {"time": TIME},
    {"ci_prob": 0.95},
)


def drawn(columns=2):
    first = plot_horizons(CURVE, unit="months", arms=("none", "CTI2"), label="OS", columns=columns)
    return root(first).axes


def longest(ax):
    return max(ax.get_lines(), key=lambda line: len(line.get_xdata())).get_data()


@pytest.mark.parametrize("columns", [1, 2])
def test_each_panel_has_its_own_numbers(columns):
    survival, chance, gained, longer = drawn(columns)
    np.testing.assert_allclose(longest(survival), [TIME, 0.5 * TIME])
    np.testing.assert_allclose(longest(gained), [TIME, 0.0025 * TIME**2])
    for ax, value in ((chance, 0.93), (longer, 0.9)):
        time, values = longest(ax)
        assert time[0] > 0  # at 0 the arms are the same
        assert set(values) == {value}
        assert ax.get_ylim()[0] < 0 < 1 < ax.get_ylim()[1]
    [band] = gained.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((-0.576, 3.456))


def test_it_says_what_is_compared_and_from_when():
    axes = drawn()
    assert axes[0].get_legend().get_title().get_text() == "CTI2 against none"
    assert axes[3].get_xlabel() == "Horizon, months since origin"


@pytest.mark.parametrize("columns", [1, 2])
def test_at_both_widths(columns, on_the_page):
    assert on_the_page(drawn(columns)[0], columns)
