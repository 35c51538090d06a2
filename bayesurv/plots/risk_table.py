"""The table of numbers at risk under a curve over time, after the KMunicate proposal."""

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from bayesurv.plots.style import INK, LETTER, MARKERS, SMALL, look, root

# In points: the table's first line, its lines, its left edge.
TABLE_TOP, TABLE_LINE, TABLE_LEFT = 37.0, 8.6, -47.0
TABLE_SPACING = 1.27  # of lines that are TABLE_LINE apart
GAP = 1.4  # lines from one arm's last to the next one's name

type Counts = Mapping[str, Callable[[Any], np.ndarray]]


def table_height(arms: int, lines: int) -> float:
    """Inches that a table takes, of so many lines for each arm."""
    return (arms * (lines + GAP) + 1.5) * TABLE_LINE / 72


def draw_risk_table(ax: Axes, arms: Mapping[str, tuple[int, Counts]]) -> None:
    """Write counts under the ticks of the time axis.

    `arms` holds, by name, which `look` the arm has and its lines: what each counts, and the
    function that counts it at times.
    """
    ticks = [float(tick) for tick in ax.get_xticks()]
    place: dict[str, Any] = {
        "textcoords": "offset points", "fontsize": SMALL - 0.5, "va": "baseline", "color": INK,
        "annotation_clip": False, "linespacing": TABLE_SPACING,
    }  # fmt: skip
    edge = {"xy": (0, 0), "xycoords": "axes fraction", "ha": "left", **place}
    longest = int(72 * root(ax).get_figwidth() / LETTER) - 4
    below = -TABLE_TOP
    for arm, (i, counts) in arms.items():
        colour, marker = look(i)
        ax.annotate(MARKERS[marker], xytext=(TABLE_LEFT, below), **edge | {"color": colour})
        name = textwrap.shorten(arm, longest, placeholder="…")
        ax.annotate(name, xytext=(TABLE_LEFT + 8, below), fontweight="bold", **edge)
        below -= TABLE_LINE * len(counts)  # the baseline of the last line
        ax.annotate("\n".join(counts), xytext=(TABLE_LEFT, below), **edge)
        columns = np.transpose([count(ticks) for count in counts.values()])
        for tick, column in zip(ticks, columns, strict=True):
            text = "\n".join(map(str, column))
            across = ax.get_xaxis_transform()
            ax.annotate(text, (tick, 0), (0, below), across, ha="center", **place)
        below -= TABLE_LINE * GAP
