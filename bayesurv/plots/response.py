"""Risks of binary outcomes in two arms, as observed and as modelled, and their differences."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from bayesurv.plots.style import (
    INK,
    SMALL,
    dress,
    legend_above,
    limits,
    look,
    new_axes,
    probability,
    root,
)

ROW_HEIGHT, MARGIN_HEIGHT = 0.32, 1.15
APART = 0.15  # of the two arms, in rows


def plot_risks(
    risks: pd.DataFrame,
    contrasts: pd.DataFrame,
    *,
    label: str = "Risk",
    better: Collection[str] = (),
) -> Axes:
    """Draw each outcome's risk in both arms over what was observed, beside their difference.

    Parameters
    ----------
    risks, contrasts : DataFrame
        As `risk_table` and `risk_contrasts` give.
    label : str
        Name of the left x axis.
    better : names
        Outcomes of which more is better; that is said beside their names.

    Returns
    -------
    Axes
        Those of the risks, on the left.
    """
    differences = contrasts[contrasts["quantity"] == "risk_difference"].reset_index(drop=True)
    left = new_axes(2, MARGIN_HEIGHT + ROW_HEIGHT * len(differences))
    grid = root(left).add_gridspec(1, 2, wspace=0.06)
    left.set_subplotspec(grid[0])
    right = dress(root(left).add_subplot(grid[1], sharey=left))
    _plot_arms(left, risks, label)
    _plot_differences(right, differences)
    names = [f"{n}\n(more is better)" if n in better else str(n) for n in differences["outcome"]]
    left.set_yticks(range(len(names)), names)
    left.set_ylim(len(differences) - 0.4, -0.6)
    for axes in (left, right):
        axes.spines.left.set_visible(False)
        axes.tick_params(axis="y", length=0, pad=8)
    right.tick_params(axis="y", labelleft=False)
    return left


def _plot_arms(ax: Axes, risks: pd.DataFrame, label: str) -> None:
    """Interval and median of each risk, and the observed proportion as an open marker."""
    names = risks["arm"].unique()
    handles: list[Any] = []
    for i, name in enumerate(names):
        own = risks[risks["arm"] == name]
        colour, marker = look(i)
        y = np.arange(len(own)) + APART * (2 * i - 1)
        ax.hlines(y, 100 * own["lower"], 100 * own["upper"], color=colour, lw=1.3)
        drawn = ax.plot(100 * own["estimate"], y, marker, ms=4, color=colour, zorder=3)
        handles += drawn
        [observed] = ax.plot(
            100 * own["proportion"], y, "d", ms=3.4, mfc="white", mec=INK, mew=0.7, zorder=4,
            clip_on=False,
        )  # fmt: skip
    handles.append(observed)
    ax.set(xlim=(0, 100), xlabel=f"{label} (%)")
    legend_above(ax, handles, [*names, "Observed"], None)


def _plot_differences(ax: Axes, differences: pd.DataFrame) -> None:
    """Interval and median of each difference, which is also written beside it."""
    points = 100 * differences[["estimate", "lower", "upper"]]
    whole, y = points.round().astype(int), np.arange(len(points))
    ax.axvline(0, color=INK, lw=0.6, zorder=1)
    ax.hlines(y, points["lower"], points["upper"], color=INK, lw=1.3)
    ax.plot(points["estimate"], y, "s", ms=4, color=INK, zorder=3)
    ax.set_xlabel("Difference (percentage points)")
    texts = {
        "Points (95% CrI)": (
            8,
            "left",
            [
                f"{r.estimate:d} ({limits(f'{r.lower:d}', f'{r.upper:d}')})"
                for r in whole.itertuples()
            ],
        ),
        "P(worse)": (110, "right", [probability(p) for p in differences["prob_worse"]]),
    }
    place: dict[str, Any] = {
        "textcoords": "offset points", "fontsize": SMALL, "color": INK, "annotation_clip": False,
    }  # fmt: skip
    across = ax.get_yaxis_transform()
    for head, (x, side, values) in texts.items():
        ax.annotate(head, (1, 1), (x, 3), "axes fraction", ha=side, va="bottom", **place)
        for row, text in enumerate(values):
            ax.annotate(text, (1, row), (x, 0), across, ha=side, va="center_baseline", **place)
