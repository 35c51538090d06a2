"""Posterior predictive checks and calibration: what was observed over what the model expects."""

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.special import ndtri

from bayesurv.estimands.calibration import BINS, Calibration
from bayesurv.estimands.checks import COUNTS, EXPECTED, Checks, Curves
from bayesurv.plots.style import (
    COLOURS,
    DPI,
    INK,
    SMALL,
    WIDTH,
    dress,
    limits,
    name_time,
    new_axes,
    probability,
    root,
)

BANDS = {0.95: "#DDDDDD", 0.5: "#B5B5B5"}
ALARM = COLOURS[4]
PANEL_HEIGHT, ROW_HEIGHT = 2.6, 0.19
TABLE_TOP, TABLE_LINE, TABLE_LEFT = 36.0, 9.0, -44.0
MOST_WRITTEN = 9  # times with numbers at risk
RANKS = (0.001, 0.025, 0.25, 0.5, 0.75, 0.975, 0.999)


def plot_checks(
    checks: Checks, *, unit: str, label: str = "Survival", origin: str = "origin"
) -> Axes:
    """Draw each arm's Kaplan-Meier estimate over those of the replicates, and numbers at risk.

    Returns the first arm's axes; each arm has its own on the same figure.
    """
    across = min(2, len(checks.curves))
    down = -(-len(checks.curves) // across)
    panels = _panels(down, across, PANEL_HEIGHT * down + 0.35)
    for ax in panels[len(checks.curves) :]:
        ax.remove()
    stop = max(float(curves.time[-1]) for curves in checks.curves.values())
    for i, (ax, (arm, curves)) in enumerate(zip(panels, checks.curves.items(), strict=False)):
        _draw_curves(ax, curves)
        name_time(ax, stop, unit, origin)
        ax.set(ylim=(0, 1.02), yticks=np.linspace(0, 1, 6), ylabel=label if i % across == 0 else "")
        ax.spines.left.set_bounds(0, 1)
        ax.set_title(_short(arm, 48), loc="left", fontsize=SMALL, fontweight="bold")
        _write_at_risk(ax, curves, named=i % across == 0)
    _legend(panels[0], "Kaplan–Meier, observed")
    return panels[0]


def plot_statistics(table: pd.DataFrame, *, unit: str, ax: Axes | None = None) -> Axes:
    """Draw where each observed statistic stands among the replicates' on one scale of ranks.

    Events in intervals and numbers at risk are drawn only where they are outside the central 95%.
    """
    often = table["statistic"].isin(["events in interval", "number at risk"])
    table = table[~often | (table["verdict"] != EXPECTED)].reset_index(drop=True)
    if ax is None:
        ax = new_axes(2, ROW_HEIGHT * (len(table) + table["arm"].nunique()) + 0.75)
    heads = (table["arm"] != table["arm"].shift()).cumsum().to_numpy()
    place = np.arange(len(table)) + heads
    ax.axvspan(*ndtri([0.025, 0.975]), color=BANDS[0.95], lw=0)
    ax.axvspan(*ndtri([0.25, 0.75]), color=BANDS[0.5], lw=0)
    rank = ndtri(np.clip(1 - table["prob_above"], RANKS[0], RANKS[-1]))
    outside = (table["verdict"] != EXPECTED).to_numpy()
    ax.plot(rank[~outside], place[~outside], "o", ms=4.5, color=COLOURS[0])
    ax.plot(rank[outside], place[outside], "D", ms=4.5, color=ALARM, clip_on=False)
    ax.set(ylim=(place[-1] + 0.7, 0.3), xlim=ndtri([RANKS[0], RANKS[-1]]))
    ax.set_xticks(ndtri(RANKS), [f"{100 * rank:g}%" for rank in RANKS])
    ax.set_xlabel("Replicated cohorts with a smaller value than the observed one")
    ax.set_yticks([])
    ax.spines.left.set_visible(False)
    _write_rows(ax, table, place, unit)
    return ax


def plot_calibration(calibration: Calibration) -> Axes:
    """Draw Cox-Snell residuals on the scale of survival, and shares by predicted survival.

    Returns the first of two axes on one figure.
    """
    curve, bars = _panels(1, 2, 3.1)
    _draw_bands(curve, calibration.predicted, calibration.again)
    curve.plot([0, 1], [0, 1], color=INK, lw=0.6, ls=(0, (1, 2)))
    found = calibration.residuals
    end = np.exp(-np.append(found.time, found.end))
    curve.step(end, np.append(found.survival, found.survival[-1]), where="post", c=COLOURS[0])
    curve.set(xlim=(1, 0), ylim=(0, 1.02), ylabel="Observed: Kaplan–Meier of residuals")
    curve.set_xlabel("Predicted survival, each patient left out")
    curve.set_title("Cox–Snell residuals", loc="left", fontsize=SMALL, fontweight="bold")
    _draw_shares(bars, calibration.table)
    _legend(curve, "Observed")
    return curve


def _panels(down: int, across: int, height: float) -> list[Axes]:
    figure = Figure(figsize=(WIDTH[across], height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return [dress(ax) for ax in figure.subplots(down, across, squeeze=False).flat]


def _draw_curves(ax: Axes, curves: Curves) -> None:
    _draw_bands(ax, curves.time, curves.again)
    middle = np.quantile(curves.observed, 0.5, axis=0)
    ax.step(curves.time, middle, where="post", color=COLOURS[0], lw=1.3)


def _draw_bands(ax: Axes, x: np.ndarray, again: np.ndarray) -> None:
    """Central 95% and 50% of the replicates."""
    for prob, colour in BANDS.items():
        low, high = np.quantile(again, [(1 - prob) / 2, (1 + prob) / 2], axis=0)
        ax.fill_between(x, low, high, step="post", color=colour, lw=0)


def _legend(ax: Axes, observed: str) -> None:
    """One legend above all axes of the figure."""
    handles: list[Any] = [Line2D([], [], color=COLOURS[0], lw=1.3)]
    handles += [Patch(facecolor=colour) for colour in (BANDS[0.5], BANDS[0.95])]
    names = [observed, "50% of replicates", "95% of replicates"]
    columns = 3 if root(ax).get_figwidth() > WIDTH[1] else 2
    root(ax).legend(
        handles, names, loc="outside upper left", ncols=columns, frameon=False, fontsize=SMALL
    )


def _write_at_risk(ax: Axes, curves: Curves, named: bool) -> None:
    """Numbers at risk under the time axis: observed, and the replicates' central 95%."""
    place: dict[str, Any] = {
        "textcoords": "offset points", "fontsize": SMALL - 0.5, "va": "baseline", "color": INK,
        "annotation_clip": False,
    }  # fmt: skip
    seen = np.quantile(curves.at_risk, 0.5, axis=0, method="inverted_cdf")
    bounds = np.quantile(curves.at_risk_again, [0.025, 0.975], axis=0, method="inverted_cdf")
    expected = [f"{low:g}–{high:g}" if low < high else f"{low:g}" for low, high in bounds.T]
    lines = {"At risk": [f"{n:g}" for n in seen], "Expected": expected}
    for i, (name, texts) in enumerate(lines.items()):
        below = -TABLE_TOP - TABLE_LINE * i
        if named:
            ax.annotate(name, (0, 0), (TABLE_LEFT, below), "axes fraction", ha="left", **place)
        for j in _written(ax, curves.tick):
            across = ax.get_xaxis_transform()
            ax.annotate(texts[j], (curves.tick[j], 0), (0, below), across, ha="center", **place)


def _written(ax: Axes, tick: np.ndarray) -> np.ndarray:
    """Which of the times have room for their numbers: all, those on the axis, or every so many."""
    on_axis = np.isclose(tick[:, None], ax.get_xticks()).any(axis=1)
    if len(tick) <= MOST_WRITTEN or on_axis.sum() > 2:
        return np.flatnonzero(on_axis | (len(tick) <= MOST_WRITTEN))
    return np.arange(len(tick))[:: -(-len(tick) // MOST_WRITTEN)]


def _write_rows(ax: Axes, table: pd.DataFrame, place: np.ndarray, unit: str) -> None:
    """Names on the left, numbers on the right, and each arm's name above its rows."""
    style: dict[str, Any] = {
        "textcoords": "offset points", "fontsize": SMALL, "color": INK, "annotation_clip": False,
        "va": "center_baseline", "xycoords": ax.get_yaxis_transform(),
    }  # fmt: skip
    columns = {"Observed": (48, "right"), "95% of replicates": (122, "right"), "p": (150, "right")}
    for y, row in zip(place, table.itertuples(), strict=True):
        ax.annotate(statistic_name(row, unit), (0, y), (-150, 0), ha="left", **style)
        low, high = (statistic_value(row.statistic, v) for v in (row.lower, row.upper))
        texts = [statistic_value(row.statistic, row.observed), limits(low, high)]
        texts.append(probability(row.p_value) if row.p_value < 0.9995 else "1")
        for text, (x, side) in zip(texts, columns.values(), strict=True):
            ax.annotate(text, (1, y), (x, 0), ha=side, **style)
    for y, arm in zip(place, table["arm"], strict=True):
        if y - 1 not in place:
            name = _short(arm, 44)
            ax.annotate(name, (0, y - 1), (-158, 0), ha="left", fontweight="bold", **style)
    for head, (x, side) in columns.items():
        ax.annotate(head, (1, place[0] - 1), (x, 0), ha=side, **style)


def _short(name: str, most: int) -> str:
    return textwrap.shorten(name, most, placeholder="…")


def statistic_name(row: Any, unit: str) -> str:
    """A statistic as figures and sentences call it, from a row of the table."""
    if np.isnan(row.time):
        timed = row.statistic in ("median", "last time")
        return f"{row.statistic}, {unit}" if timed else row.statistic
    words = {"events before": "events before", "events in interval": "events in the interval to"}
    return f"{words.get(row.statistic, row.statistic + ' at')} {row.time:.3g} {unit}"


def statistic_value(statistic: str, value: float) -> str:
    """A value in plain digits: counts whole, times to a decimal, the rest to two."""
    if np.isinf(value):
        return "not reached"
    if statistic in COUNTS:
        return f"{value:g}"
    return f"{value:.1f}" if statistic in ("median", "last time") else f"{value:.2f}"


def _draw_shares(ax: Axes, table: pd.DataFrame) -> None:
    rows = table[table["measure"] == "d_calibration_share"]
    ends = rows["time"].to_numpy()
    middle, width = ends - 0.5 / BINS, 0.8 / BINS
    spread = np.abs(rows[["lower", "upper"]].to_numpy() - rows[["estimate"]].to_numpy()).T
    ax.bar(middle, rows["estimate"], width, color=COLOURS[5], lw=0)
    ax.errorbar(middle, rows["estimate"], spread, fmt="none", ecolor=INK, elinewidth=0.8)
    ax.axhline(1 / BINS, color=INK, lw=0.6, ls=(0, (1, 2)))
    p = float(table.loc[table["measure"] == "d_calibration", "p_value"].iloc[0])
    ax.set(xlim=(1, 0), ylabel="Share of patients, 95% interval")
    ax.set_xlabel("Survival predicted at the patient's own time")
    title = f"D-calibration, p = {probability(p)}"
    ax.set_title(title, loc="left", fontsize=SMALL, fontweight="bold")
