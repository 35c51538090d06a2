"""Hazard ratios as a forest plot."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from bayesurv.plots.style import COLOURS, INK, SMALL, legend_above, new_axes, number, probability

NARROW = (0.125, 0.25, 0.5, 1, 2, 4, 8)
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
ROW_HEIGHT, MARGIN_HEIGHT = 0.24, 0.95


def plot_forest(
    hazard_ratios: pd.DataFrame,
    *,
    prior: pd.DataFrame | None = None,
    label: str = "Hazard ratio",
    ax: Axes | None = None,
) -> Axes:
    """Draw each hazard ratio with its interval, and write both beside it.

    Parameters
    ----------
    hazard_ratios : DataFrame
        Columns term, hazard_ratio, lower, upper, prob_below_1, ci_prob, as `hazard_ratios` gives.
    prior : DataFrame, optional
        Columns term, lower, upper: the prior interval, drawn in light grey behind.
    label : str
        Name of the x axis.
    ax : Axes, optional
        Where to draw; new axes, two columns wide, unless given.
    """
    table = hazard_ratios.reset_index(drop=True)
    if ax is None:
        ax = new_axes(2, MARGIN_HEIGHT + ROW_HEIGHT * max(len(table), 1))
    spans = [table] if prior is None else [table, prior[prior["term"].isin(table["term"])]]
    low, high = _limits(spans)
    ax.set_xscale("log")
    ax.axvline(1, color=INK, lw=0.6, zorder=1)
    if prior is not None:
        _draw_prior(ax, table, prior, low, high)
    for row in table.itertuples():
        _draw_interval(ax, row.Index, row.lower, row.upper, low, high)
    inside = table["hazard_ratio"].between(low, high)
    ax.plot(
        table["hazard_ratio"][inside], table.index[inside], "s", ms=4.5, color=COLOURS[0], zorder=4
    )
    narrow = low > 0.1 and high < 10
    ticks = [tick for tick in (NARROW if narrow else TICKS) if low <= tick <= high]
    ax.set(xlim=(low, high), ylim=(len(table) - 0.4, -0.6), xlabel=label)
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_yticks(range(len(table)), table["term"].astype(str))
    ax.spines.left.set_visible(False)
    ax.tick_params(axis="y", length=0, pad=8)
    _write(ax, table)
    return ax


def _limits(spans: list[pd.DataFrame]) -> tuple[float, float]:
    """From the lowest to the highest bound, but 1 well inside and within 0.01 to 100."""
    lowest = min([0.5, *(float(s["lower"].min()) for s in spans if len(s))])
    highest = max([2.0, *(float(s["upper"].max()) for s in spans if len(s))])
    return max(lowest / 1.1, TICKS[0]), min(highest * 1.1, TICKS[-1])


def _draw_interval(ax: Axes, y: int, lower: float, upper: float, low: float, high: float) -> None:
    """A line between the bounds, with an arrow where it runs out of the axes."""
    colour = COLOURS[0]
    ax.plot([max(lower, low), min(upper, high)], [y, y], color=colour, lw=1.3, zorder=3)
    for shape, bound, out in (("<", low, lower < low), (">", high, upper > high)):
        if out:
            ax.plot([bound], [y], shape, ms=5, color=colour, clip_on=False, zorder=3)


def _draw_prior(
    ax: Axes, table: pd.DataFrame, prior: pd.DataFrame, low: float, high: float
) -> None:
    known = prior.set_index("term")
    bars = [
        (y, *np.clip(known.loc[term, ["lower", "upper"]].to_numpy(dtype=float), low, high))
        for y, term in enumerate(table["term"])
        if term in known.index
    ]
    if not bars:
        return
    y, left, right = np.array(bars).T
    drawn = ax.barh(y, right - left, 0.55, left, color="#E4E4E4", zorder=0)
    legend_above(ax, [drawn], ["Prior interval"], None)


def _write(ax: Axes, table: pd.DataFrame) -> None:
    """Estimates and probabilities in two columns on the right."""
    probs = " or ".join(f"{100 * prob:g}%" for prob in table["ci_prob"].unique()) or "95%"
    columns = {f"HR ({probs} CrI)": (10, "left"), "P(HR < 1)": (132, "right")}
    texts = [
        [
            f"{number(r.hazard_ratio)} ({number(r.lower)}–{number(r.upper)})"
            for r in table.itertuples()
        ],
        [probability(value) for value in table["prob_below_1"]],
    ]
    place: dict[str, Any] = {
        "textcoords": "offset points", "fontsize": SMALL, "color": INK, "annotation_clip": False,
    }  # fmt: skip
    across = ax.get_yaxis_transform()
    for (head, (x, side)), values in zip(columns.items(), texts, strict=True):
        ax.annotate(head, (1, 1), (x, 3), "axes fraction", ha=side, va="bottom", **place)
        for y, text in enumerate(values):
            ax.annotate(text, (1, y), (x, 0), across, ha=side, va="center_baseline", **place)
