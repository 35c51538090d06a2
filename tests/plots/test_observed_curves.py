"""Curves of patients alone: what is drawn and written."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from numpy.testing import assert_allclose, assert_array_equal

from bayesurv.frequentist.competing_risks import CumulativeIncidence, aalen_johansen
from bayesurv.frequentist.kaplan_meier import KaplanMeier, kaplan_meier
from bayesurv.plots.cumulative_incidence import plot_cumulative_incidence
from bayesurv.plots.kaplan_meier import plot_kaplan_meier
from bayesurv.plots.style import COLOURS, new_axes, root


def arm(seed: int, scale: float = 12) -> KaplanMeier:
    random = np.random.default_rng(seed)
    time, stop = random.exponential(scale, 12), random.uniform(6, 30, 12)
    return kaplan_meier(np.minimum(time, stop), time <= stop)


def incidence(seed: int) -> dict[str, CumulativeIncidence]:
    random = np.random.default_rng(seed)
    return aalen_johansen(random.uniform(1, 30, 40), random.choice(["a", "b", ""], 40))


def lines(ax: Axes, colour: str, style: str) -> list[np.ndarray]:
    found = [line for line in ax.get_lines() if line.get_color() == colour]
    return [np.column_stack(line.get_data()) for line in found if line.get_linestyle() == style]


def title(ax: Axes) -> str:
    return ax.get_legend().get_title().get_text()


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def nothing_overlaps(ax: Axes) -> bool:
    figure = root(ax)
    figure.draw_without_rendering()
    labels = [*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label, ax.yaxis.label]
    found = [text.get_window_extent() for text in (*ax.texts, *labels) if text.get_text()]
    found.append(ax.get_legend().get_window_extent())
    page = figure.bbox.padded(1)
    assert all(page.contains(*corner) for box in found for corner in (box.p0, box.p1))
    return not any(a.overlaps(b) for i, a in enumerate(found) for b in found[:i])


# -- Kaplan-Meier ------------------------------------------------------------------------------


def test_medians_are_marked():
    km = kaplan_meier([2, 4, 6, 8, 9], [1, 1, 1, 0, 0])
    ax = plot_kaplan_meier({"all": km}, unit="months")
    assert_array_equal(lines(ax, COLOURS[0], ":"), [[[6, 0], [6, 0.5]]])
    assert title(ax).endswith("confidence interval\nDotted: median")


def test_a_median_that_was_not_reached_is_not_mentioned():
    ax = plot_kaplan_meier({"all": kaplan_meier([2, 4, 6], [1, 0, 0])}, unit="months")
    assert "median" not in title(ax)
    assert np.isnan(lines(ax, COLOURS[0], ":")).any()


def test_the_caption_is_over_the_curves():
    ax = plot_kaplan_meier({"a": arm(1), "b": arm(2)}, unit="months", caption="Log-rank P = 0.30")
    assert "Log-rank P = 0.30" in title(ax)
    assert ax.get_legend().get_window_extent().y0 > ax.transData.transform((0, 1))[1]
    assert ax.get_ylim()[0] == 0


@pytest.mark.parametrize("arms", [1, 2, 4, 6])
def test_kaplan_meier_of_several_arms(arms: int):
    ax = plot_kaplan_meier({f"Arm {i}": arm(i) for i in range(arms)}, unit="months")
    assert nothing_overlaps(ax)
    ends = [line.get_marker() for line in ax.get_lines() if len(line.get_xdata()) == 1]
    assert len(set(ends)) == arms


def test_kaplan_meier_on_given_axes():
    ax = new_axes(2, 5)
    assert plot_kaplan_meier({"a": arm(1)}, unit="months", ax=ax) is ax


# -- Cumulative incidence ----------------------------------------------------------------------


def test_incidence_as_estimated():
    curves = incidence(3)
    ax = plot_cumulative_incidence(curves, unit="months", caption="Gray's test P = 0.02")
    assert title(ax) == "Aalen–Johansen, 95% confidence interval\nGray's test P = 0.02"
    for colour, curve in zip(COLOURS, curves.values(), strict=False):
        (steps,) = lines(ax, colour, "-")
        assert_array_equal(steps[:-1], np.column_stack([curve.time, curve.incidence]))
        assert_allclose(steps[-1], [curve.event_free.end, curve.incidence[-1]])
    assert ax.get_ylim() == pytest.approx((0, 1.02))


def test_everyone_is_counted_at_each_time():
    curve = incidence(4)["a"]
    ax = plot_cumulative_incidence({"a": curve}, unit="months")
    assert texts(ax)[2] == "At risk\nEvents\nOther\nCensored"
    columns = [list(map(int, text.split("\n"))) for text in texts(ax)[3:]]
    assert [sum(column) for column in columns] == [40] * len(ax.get_xticks())
    assert_array_equal(np.transpose(columns)[1], curve.events_before(ax.get_xticks()))


@pytest.mark.parametrize("arms", [1, 2, 4, 6])
def test_incidence_of_several_arms(arms: int):
    curves = {f"Arm {i}": incidence(i)["a"] for i in range(arms)}
    assert nothing_overlaps(plot_cumulative_incidence(curves, unit="months"))


@pytest.mark.parametrize("columns", [1, 2])
def test_at_both_widths(columns, on_the_page):
    ax = plot_kaplan_meier({"none": arm(1), "CTI2": arm(2)}, unit="months", columns=columns)
    assert on_the_page(ax, columns)
    ax = plot_cumulative_incidence(incidence(3), unit="months", columns=columns)
    assert on_the_page(ax, columns)
