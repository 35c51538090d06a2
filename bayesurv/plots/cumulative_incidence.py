"""Cumulative incidence where an event of one cause precludes the others."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayesurv.frequentist.competing_risks import CumulativeIncidence
from bayesurv.plots.risk_table import TABLE_LEFT, Counts, draw_risk_table, table_height
from bayesurv.plots.style import legend_above, look, name_time, new_axes

AXES_HEIGHT = 2.9


def plot_cumulative_incidence(
    curves: Mapping[str, CumulativeIncidence],
    *,
    unit: str,
    label: str = "Cumulative incidence",
    origin: str = "origin",
    caption: str = "",
    columns: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw cumulative incidence with its band, and the numbers at risk.

    Parameters
    ----------
    curves : mapping of CumulativeIncidence
        By name: one cause in several arms, or several causes in one. Under the figure, the
        curve's own events are counted as events, those of the other causes as other.
    unit, label, origin, columns, ax
        As for `plot_survival`.
    caption : str
        Written above the curves, such as the P of Gray's test.
    """
    if ax is None:
        ax = new_axes(
            columns or (1 if len(curves) <= 2 else 2), AXES_HEIGHT + table_height(len(curves), 4)
        )
    handles = [_draw(ax, i, curve) for i, curve in enumerate(curves.values())]
    name_time(ax, max(curve.event_free.end for curve in curves.values()), unit, origin)
    ax.set(ylim=(0, 1.02), yticks=np.linspace(0, 1, 6), ylabel=label)
    ax.spines.left.set_bounds(0, 1)
    probs = sorted({curve.ci_prob for curve in curves.values()})
    written = " or ".join(f"{100 * prob:g}%" for prob in probs)
    title = "\n".join(filter(None, [f"Aalen–Johansen, {written} confidence interval", caption]))
    legend_above(ax, handles, list(curves), title, TABLE_LEFT)
    draw_risk_table(
        ax, {name: (i, _counts(curve)) for i, (name, curve) in enumerate(curves.items())}
    )
    return ax


def _draw(ax: Axes, i: int, curve: CumulativeIncidence) -> tuple[Patch, Line2D]:
    """Band, and steps up to the end of follow-up, with the marker there; what the legend shows."""
    colour, marker = look(i)
    time = np.append(curve.time, curve.event_free.end)
    middle, lower, upper = (
        np.append(part, part[-1]) for part in (curve.incidence, curve.lower, curve.upper)
    )
    ax.fill_between(time, lower, upper, step="post", color=colour, alpha=0.15, lw=0)
    style: dict[str, Any] = {
        "lw": 1.2, "color": colour, "marker": marker, "ms": 3.6, "mfc": "white", "mew": 0.8
    }  # fmt: skip
    ax.step(time, middle, where="post", markevery=[-1], clip_on=False, **style)
    return Patch(facecolor=colour, alpha=0.15), Line2D([], [], **style)


def _counts(curve: CumulativeIncidence) -> Counts:
    event_free = curve.event_free
    return {
        "At risk": event_free.at_risk,
        "Events": curve.events_before,
        "Other": lambda t: event_free.events_before(t) - curve.events_before(t),
        "Censored": event_free.censored_before,
    }
