"""The figure of ranks."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from bayesurv.inference.ecdf import simultaneous_band
from bayesurv.plots.rank import ALARM, plot_ranks
from bayesurv.plots.style import COLOURS, root, save_all

EVEN = (np.arange(200) + 0.5) / 200
BAND = simultaneous_band(200, 0.05)


def panels(ax):
    return [each for each in root(ax).axes if each.lines]


def test_each_quantity_has_a_panel_and_those_outside_another_colour():
    shares = {"intercept": EVEN, "shape": EVEN**1.5, "log_likelihood": EVEN[::-1]}
    shown = panels(plot_ranks(shares, BAND, label="os, weibull"))
    assert [ax.get_title(loc="left") for ax in shown] == list(shares)
    colours = [to_hex(ax.lines[-1].get_color()).upper() for ax in shown]
    assert colours == [COLOURS[0], ALARM, COLOURS[0]]
    legend = root(shown[0]).legends[0]
    assert legend.get_texts()[0].get_text() == "os, weibull: 95% band"


def test_the_curve_is_the_share_below_less_the_place():
    [ax] = panels(plot_ranks({"theta": EVEN**2}, BAND))
    place, difference = ax.lines[-1].get_data()
    assert place[[0, -1]].tolist() == [0, 1]
    assert difference[[0, -1]].tolist() == [0, 0]
    expected = np.sqrt(place[1:-1]) - place[1:-1]  # of ranks squared, sqrt(z) are below z
    assert difference[1:-1] == pytest.approx(expected, abs=0.005)


def test_many_quantities_are_drawn_and_saved(tmp_path):
    shares = {f"group_effect[1|salvage[number {i}]]": EVEN for i in range(22)}
    ax = plot_ranks(shares, BAND)
    assert len(panels(ax)) == 22
    assert len(save_all(ax, tmp_path / "ranks")) == 3
