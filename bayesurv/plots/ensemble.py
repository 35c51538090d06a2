"""What the members of an ensemble say, each by itself and pooled."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter, NullLocator

from bayesurv.plots.style import (
    COLOURS,
    INK,
    SMALL,
    legend_above,
    look,
    name_time,
    number,
    percent,
    two_panels,
)

HEIGHT = 3.6
MEMBER = "#8A8A8A"
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
ROOM = 0.055  # for the pooled interval below the members, at least one row; share of their number
MOST_LINES = 200


def plot_members(
    members: pd.DataFrame,
    pooled: Mapping[str, float],
    curves: Mapping[str, pd.DataFrame],
    own: Mapping[str, np.ndarray],
    *,
    unit: str,
    name: str,
    label: str = "Survival",
    origin: str = "origin",
    columns: int = 2,
) -> Axes:
    """Draw each member's hazard ratio above the pooled one, beside the survival of all members.

    Parameters
    ----------
    members : DataFrame
        One row for each member, columns hazard_ratio, lower, upper.
    pooled : mapping
        hazard_ratio, lower, upper and share_between of the mixture.
    curves : mapping of DataFrame
        By arm, columns time, mean, lower, upper of the mixture.
    own : mapping of array, (member, time)
        By arm, each member's mean survival at the times of `curves`.
    unit, name, label, origin
        Unit of time, what the ratio is of, what survives, what time counts from.
    columns : int
        Journal columns; in a single one the panels stand one under the other.

    Returns
    -------
    Axes
        Those of the hazard ratios, on the left.
    """
    left, right = two_panels(columns, HEIGHT)
    _plot_intervals(left, members, pooled, name)
    _plot_curves(right, curves, own, unit, label, origin)
    return left


def _plot_intervals(
    ax: Axes, members: pd.DataFrame, pooled: Mapping[str, float], name: str
) -> None:
    """Members from the lowest to the highest ratio, and the mixture below them."""
    table = members.sort_values("hazard_ratio", ignore_index=True)
    count = len(table)
    at = np.arange(count)
    ax.set_xscale("log")
    ax.axvline(1, color=INK, lw=0.6, zorder=1)
    width = float(np.clip(110 / count, 0.4, 2.0))
    ax.hlines(at, table["lower"], table["upper"], color=MEMBER, lw=width, alpha=0.6)
    ax.plot(table["hazard_ratio"], at, ".", ms=max(1.5, 2 * width), color=INK, zorder=3)
    below = -max(1.0, ROOM * count)
    ax.plot([pooled["lower"], pooled["upper"]], [below, below], color=COLOURS[0], lw=2.4)
    ax.plot([pooled["hazard_ratio"]], [below], "s", ms=5, color=COLOURS[0], zorder=4)
    low = min(table["lower"].min(), pooled["lower"], 0.9) / 1.1
    high = max(table["upper"].max(), pooled["upper"], 1.1) * 1.1
    ticks = [tick for tick in TICKS if low <= tick <= high]
    ax.set(xlim=(low, high), ylim=(2 * below, count - 0.5), yticks=[])
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.spines.left.set_visible(False)
    ax.set_xlabel(f"Hazard ratio of {name}")
    written = f"{number(pooled['lower'])}–{number(pooled['upper'])}"
    handles = [
        Line2D([], [], color=MEMBER, lw=1, marker=".", mfc=INK, mec=INK),
        Line2D([], [], color=COLOURS[0], lw=2.4, marker="s", ms=5),
    ]
    names = [f"{count} members", f"Pooled {number(pooled['hazard_ratio'])} ({written})"]
    share = f"{percent(pooled['share_between'])} of the variance (of its log)"
    title = f"95% credible intervals; {share}\nis between members: the missing data"
    legend_above(ax, handles, names, title, most=2)


def _plot_curves(
    ax: Axes,
    curves: Mapping[str, pd.DataFrame],
    own: Mapping[str, np.ndarray],
    unit: str,
    label: str,
    origin: str,
) -> None:
    """Each member's mean curve, thin, over the pooled band and under the pooled mean."""
    handles: list[Any] = []
    for i, (arm, curve) in enumerate(curves.items()):
        colour, marker = look(i)
        time = curve["time"].to_numpy()
        band = curve["lower"], curve["upper"]
        ax.fill_between(time, *band, color=colour, alpha=0.15, lw=0, zorder=-2)
        every = max(1, -(-len(own[arm]) // MOST_LINES))
        thin = own[arm][::every]
        faint = float(np.clip(20 / len(thin), 0.12, 0.5))
        ax.plot(time, thin.T, color=colour, lw=0.4, alpha=faint, zorder=-1)
        spots = np.linspace(0, len(time) - 1, 6)[1:-1].astype(int) + i
        style: dict[str, Any] = {"color": colour, "marker": marker, "ms": 3.6, "mfc": "white"}
        ax.plot(time, curve["mean"], lw=1.5, markevery=spots.tolist(), zorder=3, **style)
        line = Line2D([], [], lw=1.5, **style)
        handles.append((Patch(facecolor=colour, alpha=0.2), line))
    ax.set_rasterization_zorder(0)  # hundreds of lines
    name_time(ax, float(time[-1]), unit, origin)
    ax.set(ylim=(0, 1.02), yticks=np.linspace(0, 1, 6), ylabel=label)
    ax.spines.left.set_bounds(0, 1)
    title = "Pooled mean and 95% credible interval;\nthin: the mean of each member"
    legend_above(ax, handles, list(curves), title, most=2)
    ax.tick_params(labelsize=SMALL)
