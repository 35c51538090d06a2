"""What the figures of checks and calibration draw: lines, bands, marks and text, not pixels."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Polygon
from numpy.testing import assert_allclose
from scipy.special import ndtri

import bayesurv as bs
from bayesurv.estimands.calibration import calibrate
from bayesurv.estimands.checks import EXPECTED, check
from bayesurv.frequentist.kaplan_meier import kaplan_meier
from bayesurv.plots.checks import (
    ALARM,
    plot_calibration,
    plot_checks,
    plot_statistics,
    statistic_name,
    statistic_value,
)
from bayesurv.plots.style import COLOURS, root


@pytest.fixture(scope="module")
def checks(weibull_fit):
    return check(weibull_fit, draws=200, grid=[0, 6, 12, 18, 24, 30])


def texts(ax):
    return [text.get_text() for text in ax.texts]


def assert_on_the_page(ax):
    """No text is cut off at the edge of the figure, and none lies over another."""
    figure = root(ax)
    figure.draw_without_rendering()
    page, found = figure.bbox.padded(1), []
    for panel in figure.axes:
        labels = [panel.xaxis.label, panel.yaxis.label, *panel.get_xticklabels()]
        found += [t for t in (*panel.texts, *labels) if t.get_text()]
        found += [panel.title, panel._left_title]
    boxes = [text.get_window_extent() for text in found if text.get_text()]
    legends = [legend.get_window_extent() for legend in figure.legends]
    for box in boxes + legends:
        assert page.contains(*box.p0)
        assert page.contains(*box.p1)
    both = boxes + legends
    over = [(a, b) for i, a in enumerate(both) for b in both[i + 1 :] if a.padded(-1).overlaps(b)]
    assert not over


@pytest.fixture(scope="module")
def four_arms(known_fit):
    random = np.random.default_rng(5)
    table = pd.DataFrame({"time": random.exponential(10, 60).clip(0.5), "event": 1})
    names = ["chemotherapy with radiotherapy of the whole body and more", "b", "c", "d"]
    table["salvage"] = np.resize(names, 60)
    fit = known_fit(table, "salvage", bs.Exponential(), 60, intercept=-2.3, coefficient=0.0)
    return check(fit, times=[3, 6], draws=60, grid=[0, 6, 12, 18])


def test_observed_line_over_the_replicates(checks, frame):
    ax = plot_checks(checks, unit="months", label="Survival (OS)", origin="salvage")
    panels = root(ax).axes
    assert [panel.get_title(loc="left") for panel in panels] == ["cti2 = 0", "cti2 = 1"]
    assert [panel.get_xlabel() for panel in panels] == ["Months since salvage"] * 2
    assert ax.get_ylabel() == "Survival (OS)"
    for arm, panel in enumerate(panels):
        chosen = frame[frame["cti2"] == arm]
        km = kaplan_meier(chosen["os_months"], chosen["os_event"])
        (line,) = (line for line in panel.get_lines() if line.get_color() == COLOURS[0])
        assert_allclose(line.get_ydata(), km.survival_at(line.get_xdata()), atol=1e-11)
        wide, narrow = (band.get_datalim(panel.transData) for band in panel.collections)
        assert wide.height >= narrow.height
    (legend,) = root(ax).legends
    words = [text.get_text() for text in legend.get_texts()]
    assert words == ["Kaplan–Meier, observed", "50% of replicates", "95% of replicates"]


def test_numbers_at_risk_observed_and_expected(checks):
    first, second = root(plot_checks(checks, unit="months")).axes
    curves = checks.curves["cti2 = 0"]
    low, high = np.quantile(
        curves.at_risk_again[:, 2], [0.025, 0.975], method="inverted_cdf"
    ).astype(int)
    written = texts(first)
    assert written[:2] == ["At risk", "34"]
    assert str(curves.at_risk[0][2]) in written
    assert f"{low}–{high}" in written
    assert "At risk" not in texts(second)


@pytest.mark.parametrize("fixture", ["checks", "four_arms"])
def test_nothing_overlaps_or_is_cut(request, fixture):
    found = request.getfixturevalue(fixture)
    assert_on_the_page(plot_checks(found, unit="months"))
    assert_on_the_page(plot_statistics(found.table, unit="months"))


def test_calibration_is_not_cut(weibull_fit):
    assert_on_the_page(plot_calibration(calibrate(weibull_fit)))


def test_marks_stand_at_the_rank_of_the_observed(checks):
    table = checks.table
    ax = plot_statistics(table, unit="months")
    often = table["statistic"].isin(["events in interval", "number at risk"])
    drawn = table[~often | (table["verdict"] != EXPECTED)]
    marks = np.concatenate([line.get_xdata() for line in ax.get_lines()])
    wanted = ndtri(1 - drawn["prob_above"].clip(0.001, 0.999))
    assert_allclose(np.sort(marks), np.sort(wanted))
    bands = [patch.get_x() for patch in ax.patches if not isinstance(patch, Polygon)]
    assert_allclose(bands, ndtri([0.025, 0.25]))
    assert {"cti2 = 0", "cti2 = 1", "between arms", "median, months"} <= set(texts(ax))


def test_what_is_outside_has_another_shape_and_colour(checks):
    table = checks.table.copy()
    table.loc[0, ["prob_above", "p_value", "verdict"]] = [0.002, 0.004, "higher than ..."]
    ax = plot_statistics(table, unit="months")
    inside, outside = ax.get_lines()
    assert (inside.get_marker(), outside.get_marker()) == ("o", "D")
    assert outside.get_color() == ALARM
    assert_allclose(outside.get_xdata(), ndtri([0.998]))
    assert "0.004" in texts(ax)


def test_an_interval_of_events_is_drawn_only_when_it_is_outside(checks):
    table = checks.table.copy()
    ax = plot_statistics(table, unit="months")
    assert not any("interval" in text for text in texts(ax))
    row = table.index[table["statistic"] == "events in interval"][0]
    table.loc[row, "verdict"] = "more than ..."
    assert "events in the interval to 6 months" in texts(plot_statistics(table, unit="months"))


def test_cox_snell_and_shares(weibull_fit):
    found = calibrate(weibull_fit)
    curve, bars = root(plot_calibration(found)).axes
    line = curve.get_lines()[1]
    assert_allclose(line.get_ydata()[:-1], found.residuals.survival)
    assert_allclose(line.get_xdata()[:-1], np.exp(-found.residuals.time))
    shares = found.table.loc[found.table["measure"] == "d_calibration_share", "estimate"]
    assert_allclose([bar.get_height() for bar in bars.patches], shares)
    assert bars.get_title(loc="left").startswith("D-calibration, p = ")
    assert curve.get_xlabel() == "Predicted survival, each patient left out"


@pytest.mark.parametrize(
    ("statistic", "value", "text"),
    [
        ("median", np.inf, "not reached"),
        ("median", 9.149, "9.1"),
        ("events before", 9.0, "9"),
        ("number at risk", 120.0, "120"),
        ("survival", 0.735, "0.73"),
        ("log-rank z", -1.644, "-1.64"),
    ],
)
def test_values(statistic, value, text):
    assert statistic_value(statistic, value) == text


@pytest.mark.parametrize(
    ("statistic", "time", "text"),
    [
        ("median", np.nan, "median, days"),
        ("log-rank z", np.nan, "log-rank z"),
        ("survival", 91.3125, "survival at 91.3 days"),
        ("events before", 30.0, "events before 30 days"),
        ("events in interval", 60.0, "events in the interval to 60 days"),
        ("number at risk", 60.0, "number at risk at 60 days"),
    ],
)
def test_names(statistic, time, text):
    row = pd.Series({"statistic": statistic, "time": time})
    assert statistic_name(row, "days") == text


@pytest.mark.parametrize(("grid", "written"), [(1, 6), (0.7, 9), (6, 6)])
def test_numbers_at_risk_have_room(weibull_fit, grid, written):
    """However short the intervals are in which events are counted."""
    end = weibull_fit.end_of_follow_up
    found = check(weibull_fit, grid=np.arange(grid, end, grid), draws=100)
    axes = plot_checks(found, unit="months")
    ticks = [text.xy[0] for text in axes.texts if "–" in text.get_text()]
    assert 0 < len(ticks) <= written
    assert min(np.diff(sorted(ticks))) > end / 12
