"""What a treatment gains by each horizon, and how probable a gain is by then."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayesurv.plots.style import (
    COLOURS,
    INK,
    SMALL,
    dress,
    legend_above,
    name_time,
    new_axes,
    root,
)

if TYPE_CHECKING:
    import xarray as xr

HEIGHT = 3.3
TIMES_PANELS = {1: 1.85, 2: 1.0}  # a single column has the two pairs of panels one under the other
GAIN = COLOURS[0]


def plot_horizons(
    curve: "xr.Dataset",
    *,
    unit: str,
    arms: tuple[str, str],
    label: str = "survival",
    origin: str = "origin",
    columns: int = 2,
) -> Axes:
    """Draw the survival gained over time and the mean time gained over the horizon.

    Under each, the probability that there is a gain.

    Parameters
    ----------
    curve : Dataset
        As `difference_curve` gives it.
    unit, arms, label, origin
        Unit of time, names of the arms (the one without the treatment first), what survives, and
        what time counts from.
    columns : int
        Journal columns.

    Returns
    -------
    Axes
        Those of the difference of survival; the others follow on the figure: its probability, the
        difference of restricted mean survival times, its probability.
    """
    first = new_axes(columns, HEIGHT * TIMES_PANELS[columns])
    down = 4 // columns
    ratios = (2, 1) * (down // 2)
    grid = root(first).add_gridspec(down, columns, height_ratios=ratios, wspace=0.06, hspace=0.03)
    places = [grid[i % down, i // down] for i in range(4)]
    first.set_subplotspec(places[0])
    second = dress(root(first).add_subplot(places[1], sharex=first))
    third = dress(root(first).add_subplot(places[2]))
    fourth = dress(root(first).add_subplot(places[3], sharex=third))
    time = curve.time.to_numpy()
    survival = [100 * curve[name].to_numpy() for name in ("median", "lower", "upper")]
    gained = [curve[f"rmst_{name}"].to_numpy() for name in ("median", "lower", "upper")]
    _gain(first, time, survival, f"Difference in {label}\n(percentage points)")
    _gain(third, time, gained, f"Difference in mean {label}\ntime to the horizon ({unit})")
    _chance(second, time, curve["probability"].to_numpy(), f"P(higher\n{label})")
    _chance(fourth, time, curve["rmst_probability"].to_numpy(), "P(longer\nmean time)")
    name_time(second, float(time[-1]), unit, origin)
    name_time(fourth, float(time[-1]), unit, origin)
    fourth.set_xlabel(f"Horizon, {unit} since {origin}")
    handles = [(Patch(facecolor=GAIN, alpha=0.2), Line2D([], [], color=GAIN, lw=1.3))]
    names = [f"Median and {100 * curve.attrs['ci_prob']:g}% credible band"]
    title = f"{arms[1]} against {arms[0]}"
    legend_above(first, handles, names, title, most=1)
    root(first).align_ylabels()
    return first


def _gain(ax: Axes, time: np.ndarray, parts: list[np.ndarray], label: str) -> None:
    middle, lower, upper = parts
    ax.axhline(0, color=INK, lw=0.8)
    ax.fill_between(time, lower, upper, color=GAIN, alpha=0.2, lw=0)
    ax.plot(time, middle, color=GAIN, lw=1.3)
    ax.set_ylabel(label)
    ax.tick_params(labelbottom=False)
    ax.locator_params(axis="y", nbins=6)


def _chance(ax: Axes, time: np.ndarray, chance: np.ndarray, label: str) -> None:
    """Over time, from just after 0, where the arms are the same."""
    ax.plot(time[1:], chance[1:], color=COLOURS[4], lw=1.3)
    ax.axhline(0.5, color=INK, lw=0.6, ls=":", zorder=1)
    ax.set(ylim=(-0.02, 1.02), yticks=(0, 0.5, 1))
    ax.set_ylabel(label, fontsize=SMALL)
    ax.spines.left.set_bounds(0, 1)
