"""Figures of benefit: what they show, and that nothing is cut off or lies over the data."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.colors import to_rgb

from bayesurv.plots.benefit import density, plot_benefit, plot_ranks
from bayesurv.plots.style import root

NORMAL = np.random.default_rng(1).normal(-1.3, 0.9, (4, 1000))
TIME = np.linspace(0, 24, 61)
CURVE = xr.Dataset(
    {
        "median": ("time", -0.005 * TIME),
        "lower": ("time", -0.012 * TIME),
        "upper": ("time", 0.002 * TIME),
        "probability": ("time", np.where(TIME > 0, 0.07, 0.0)),
    },
    {"time": TIME},
    {"ci_prob": 0.95},
)
RANKS = pd.DataFrame(
    [[0.1, 0.3, 0.6], [0.85, 0.1, 0.05], [0.05, 0.6, 0.35]],
    pd.Index(["CTI2", "BsAb", "chemotherapy"], name="salvage"),
    [1, 2, 3],
)


def benefit(gain=NORMAL, **options):
    arms = ("cti2 = 0", "cti2 = 1")
    given = {"unit": "months", "horizon": 12, "arms": arms, "label": "OS"} | options
    return plot_benefit(gain, CURVE, **given)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def within(ax):
    """Whether every text is on the page and no legend lies over its axes."""
    figure = root(ax)
    figure.draw_without_rendering()
    page = figure.bbox
    found = []
    for each in figure.axes:
        box, over = each.get_window_extent(), each.get_legend().get_window_extent()
        found.append(over.y0 >= box.y1 - 1)
        spans = [over, each.get_tightbbox(), *(t.get_window_extent() for t in each.texts)]
        found += [
            page.x0 - 1 <= s.x0 and s.x1 <= page.x1 + 1 and page.y0 - 1 <= s.y0 and s.y1 <= page.y1
            for s in spans
        ]
    return all(found)


def test_probabilities_of_gain_and_loss_are_those_of_the_draws():
    ax = benefit(margin=1.0)
    assert legend(ax) == [
        f"Gain, probability {(NORMAL > 0).mean():.2f}",
        f"Loss, probability {(NORMAL < 0).mean():.2f}",
        "Median and 95% credible interval",
        f"Gain above 1 month, probability {(NORMAL > 1).mean():.3f}",
    ]
    assert len(legend(benefit())) == 3


def test_the_interval_lies_under_the_density():
    ax = benefit()
    [interval] = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_lw() == 1.3]
    np.testing.assert_allclose(interval.get_xdata(), np.quantile(NORMAL, [0.025, 0.975]))
    assert max(interval.get_ydata()) < 0


def test_what_is_shaded_ends_at_no_difference():
    dark, light = benefit().collections
    assert dark.get_paths()[0].get_extents().x0 >= 0
    assert light.get_paths()[0].get_extents().x1 <= 0


def test_axes_are_named_with_units():
    ax = benefit()
    right = root(ax).axes[1]
    assert ax.get_xlabel() == "Difference in mean OS time\nwithin 12 months (months)"
    assert right.get_xlabel() == "Months since origin"
    assert right.get_ylabel() == "Difference in OS\n(percentage points)"
    assert root(ax).get_suptitle() == "cti2 = 1 against cti2 = 0"


def test_the_difference_over_time_and_its_probability():
    right = root(benefit()).axes[1]
    [curve] = [line for line in right.lines if len(line.get_xdata()) == len(TIME)]
    np.testing.assert_allclose(curve.get_ydata(), -0.5 * TIME)
    head, *chances = texts(right)
    assert head == "Probability of higher OS with cti2 = 1"
    assert set(chances) == {"0.07"}
    written = [t.get_position()[1] for t in right.texts]
    assert min(written) > 0.2 * 24  # over the band


@pytest.mark.parametrize("shift", [-40, 0, 40])
@pytest.mark.parametrize("margin", [None, 1.5])
def test_nothing_is_cut_or_overlaps(shift, margin):
    assert within(benefit(NORMAL + shift, margin=margin, horizon=60))


def test_draws_that_are_all_the_same():
    assert within(benefit(np.full((2, 50), 0.3)))


def test_the_density_integrates_to_1_and_follows_the_draws():
    at = np.linspace(-8, 8, 2001)
    draws = np.random.default_rng(2).normal(0.5, 1.5, 4000)
    found = density(draws, at)
    assert np.trapezoid(found, at) == pytest.approx(1, abs=1e-4)
    expected = np.exp(-(((at - 0.5) / 1.5) ** 2) / 2) / (1.5 * np.sqrt(2 * np.pi))
    assert np.abs(found - expected).max() < 0.03


# --- Ranks ---


def test_bars_are_the_probabilities_of_the_ranks_best_first():
    ax = plot_ranks(RANKS, label="mean OS time within 12 months")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["BsAb", "chemotherapy", "CTI2"]
    widths = np.array([[bar.get_width() for bar in bars] for bars in ax.containers])
    np.testing.assert_allclose(widths.T, RANKS.loc[["BsAb", "chemotherapy", "CTI2"]])
    assert legend(ax) == ["Rank 1", "Rank 2", "Rank 3"]
    title = ax.get_legend().get_title().get_text()
    assert title == "Rank by mean OS time within 12 months, 1 the longest"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Posterior probability", "salvage")
    assert within(ax)


def test_a_bar_too_narrow_for_its_number_has_none():
    assert "0.05" not in texts(plot_ranks(RANKS))
    assert texts(plot_ranks(RANKS)).count("0.60") == 2


@pytest.mark.parametrize("count", [2, 6])
def test_ranks_are_told_apart_in_grey(count):
    even = pd.DataFrame(np.full((count, count), 1 / count), list("ABCDEF")[:count])
    even.columns = range(1, count + 1)
    ax = plot_ranks(even)
    grey = [np.dot(to_rgb(bars[0].get_facecolor()), [0.3, 0.59, 0.11]) for bars in ax.containers]
    assert (np.diff(grey) > 0.1).all()
    assert within(ax)


@pytest.mark.parametrize("columns", [1, 2])
def test_at_both_widths(columns, on_the_page):
    assert on_the_page(benefit(margin=1.0, columns=columns), columns)
    assert on_the_page(plot_ranks(RANKS, columns=columns), columns)
