"""A reconstructed cohort over the figure it was made from."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from bayesurv.frequentist.kaplan_meier import KaplanMeier
from bayesurv.plots.curves import AXES_HEIGHT
from bayesurv.plots.risk_table import TABLE_LEFT, Counts, draw_risk_table, table_height
from bayesurv.plots.style import INK, legend_above, look, name_time, new_axes

MOST_COLUMNS = 8  # of numbers at risk, that they do not touch

type Points = tuple[np.ndarray, np.ndarray]


def plot_digitised(
    reconstructed: Mapping[str, KaplanMeier],
    points: Mapping[str, Points],
    printed: Mapping[str, Points],
    *,
    unit: str,
) -> Axes:
    """Draw the curve of the reconstructed patients over the points that were read.

    Under it the numbers at risk, as printed and as reconstructed, at the times that are printed.

    Parameters
    ----------
    reconstructed : mapping of KaplanMeier
        By arm.
    points : mapping of (time, survival)
        As digitised, by arm.
    printed : mapping of (time, number)
        Numbers at risk, by arm.
    unit : str
        Of time.
    """
    ax = new_axes(2, AXES_HEIGHT + table_height(len(reconstructed), lines=2))
    handles: list[Any] = []
    for i, (arm, estimate) in enumerate(reconstructed.items()):
        colour, _ = look(i)
        time = np.append(estimate.time, estimate.end)
        survival = np.append(estimate.survival, estimate.survival[-1])
        handles += ax.step(time, survival, where="post", lw=1.2, color=colour, zorder=3)
        ax.plot(*points[arm], ".", ms=2.6, mew=0, color=INK, alpha=0.6, zorder=4)
    (dots,) = ax.plot([], [], ".", ms=2.6, mew=0, color=INK, alpha=0.6)
    end = max(estimate.end for estimate in reconstructed.values())
    name_time(ax, end, unit, "origin")
    times = np.unique(np.concatenate([time for time, _ in printed.values()]))
    if len(times) > 1:
        ax.set_xticks(times[:: int(np.ceil(len(times) / MOST_COLUMNS))])
    ax.set(ylim=(0, 1.02), yticks=np.linspace(0, 1, 6), ylabel="Survival")
    ax.spines.left.set_bounds(0, 1)
    title = "Kaplan–Meier of reconstructed patients"
    legend_above(ax, [*handles, dots], [*reconstructed, "Digitised"], title, TABLE_LEFT)
    lines: dict[str, tuple[int, Counts]] = {}
    for i, (arm, estimate) in enumerate(reconstructed.items()):
        lines[arm] = i, {"Printed": partial(_printed, *printed[arm]), "Rebuilt": estimate.at_risk}
    draw_risk_table(ax, lines)
    return ax


def _printed(time: np.ndarray, number: np.ndarray, ticks: Any) -> np.ndarray:
    """The number at each tick; a dash where none is printed."""
    known = dict(zip(time.tolist(), number.tolist(), strict=True))
    return np.array([str(known.get(float(tick), "–")) for tick in ticks])
