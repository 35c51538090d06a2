"""Members beside the mixture."""

import numpy as np
import pandas as pd
import pytest

from bayesurv.plots.ensemble import plot_members
from bayesurv.plots.style import root, save


def drawn(count=40, arms=("cti2 = 0", "cti2 = 1"), columns=2):
    random = np.random.default_rng(1)
    middle = np.exp(random.normal(0.5, 0.2, count))
    members = pd.DataFrame({"hazard_ratio": middle, "lower": middle / 2, "upper": middle * 2})
    pooled = {"hazard_ratio": 1.65, "lower": 0.8, "upper": 3.3, "share_between": 0.3}
    time = np.linspace(0, 24, 31)
    curves, own = {}, {}
    for i, arm in enumerate(arms):
        mean = np.exp(-time / (12 - 5 * i))
        band = {"lower": mean**1.5, "upper": mean**0.6}
        curves[arm] = pd.DataFrame({"time": time, "mean": mean, **band})
        own[arm] = mean ** random.uniform(0.8, 1.2, (count, 1))
    given = (members, pooled, curves, own)
    return plot_members(*given, unit="months", name="cti2", columns=columns), members


@pytest.mark.parametrize("count", [2, 40, 500])
def test_every_member_is_drawn_in_order(count, tmp_path):
    left, members = drawn(count)
    bars = left.collections[0].get_segments()
    assert len(bars) == count
    middles = left.lines[1].get_xdata()
    assert list(middles) == sorted(members["hazard_ratio"])
    assert left.get_xlim()[0] < members["lower"].min()
    assert left.get_xlim()[1] > members["upper"].max()
    assert save(left, tmp_path / "members.png").stat().st_size > 10_000


def test_the_mixture_stands_below_the_members():
    left, members = drawn()
    line = left.lines[2]
    assert list(line.get_xdata()) == [0.8, 3.3]
    assert line.get_ydata()[0] < 0
    words = [text.get_text() for text in left.get_legend().get_texts()]
    assert words == ["40 members", "Pooled 1.65 (0.80–3.30)"]
    assert "30% of the variance" in left.get_legend().get_title().get_text()


def test_curves_of_members_lie_under_the_pooled_one():
    right = root(drawn()[0]).axes[1]
    thin = [line for line in right.lines if line.get_linewidth() < 1]
    thick = [line for line in right.lines if line.get_linewidth() > 1]
    assert (len(thin), len(thick)) == (80, 2)
    assert max(line.get_zorder() for line in thin) < min(line.get_zorder() for line in thick)
    assert right.get_xlabel() == "Months since origin"
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["cti2 = 0", "cti2 = 1"]


def test_of_many_members_some_lines_stand_for_all():
    right = root(drawn(500)[0]).axes[1]
    assert len([line for line in right.lines if line.get_linewidth() < 1]) <= 400


def test_hundreds_of_lines_are_a_small_file(tmp_path):
    assert save(drawn(200)[0], tmp_path / "members.svg").stat().st_size < 200_000


@pytest.mark.parametrize("columns", [1, 2])
def test_at_both_widths(columns, on_the_page):
    assert on_the_page(drawn(columns=columns)[0], columns)
