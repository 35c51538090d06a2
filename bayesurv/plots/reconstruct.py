"""What an ensemble of reconstructed cohorts pins down, and what it leaves open."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from bayesurv.plots.style import COLOURS, INK, SMALL, legend_above, limits, new_axes

ROW_HEIGHT, MARGIN_HEIGHT = 0.15, 0.9
COLOUR = {"fixed": COLOURS[2], "pinned down": COLOURS[0], "narrowed": COLOURS[5],
          "left open": COLOURS[4]}  # fmt: skip


def plot_identified(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each quantity's range over members within that over random starts.

    Each row is scaled to its own random starts, whose central 95% is the grey bar; the coloured
    bar is that of the members, the dot their median.

    Parameters
    ----------
    table : DataFrame
        As `identified` gives it.
    ax : Axes, optional
        Where to draw; new axes, two columns wide, unless given.
    """
    rows = table[table["median"].notna()].reset_index(drop=True)
    if ax is None:
        ax = new_axes(2, MARGIN_HEIGHT + ROW_HEIGHT * max(len(rows), 1))
    low = np.fmin(rows["start_lower"], rows["lower"])
    width = np.fmax(rows["start_upper"], rows["upper"]) - low
    width = width.where(width > 0, 1.0)

    def scaled(column: str) -> np.ndarray:
        return ((rows[column] - low) / width).to_numpy()

    place = np.arange(len(rows))
    begun = scaled("start_upper") - scaled("start_lower")
    grey = ax.barh(place, begun, 0.72, scaled("start_lower"), color="#E4E4E4", zorder=0)
    handles, names = [grey], ["random starts, central 95%"]
    for verdict, colour in COLOUR.items():
        chosen = (rows["verdict"] == verdict).to_numpy()
        if chosen.any():
            lower, upper = scaled("lower")[chosen], scaled("upper")[chosen]
            drawn = ax.barh(
                place[chosen], np.maximum(upper - lower, 0.004), 0.34, lower, color=colour
            )
            handles, names = [*handles, drawn], [*names, f"members: {verdict}"]
    ax.plot(scaled("median"), place, "|", ms=4, mew=1, color=INK, zorder=4)
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlim=(-0.01, 1.01))
    ax.set_xticks([])
    ax.set_yticks(place, rows["quantity"].astype(str), fontsize=SMALL - 1.5)
    ax.tick_params(axis="y", length=0)
    for spine in ("left", "bottom"):
        ax.spines[spine].set_visible(False)
    for y, row in enumerate(rows.itertuples()):
        ax.annotate(
            limits(f"{row.lower:.3g}", f"{row.upper:.3g}"),
            (1, y), (4, 0), ax.get_yaxis_transform(),
            textcoords="offset points", fontsize=SMALL - 1.5, color=INK, va="center_baseline",
            annotation_clip=False,
        )  # fmt: skip
    legend_above(ax, handles, names, "Range of each quantity; numbers: central 95% of members")
    return ax
