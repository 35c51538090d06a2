"""What was believed and what is believed now: prior and posterior of each quantity."""

import textwrap
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from bayesurv.estimands.summary import CI_PROB
from bayesurv.plots.benefit import density
from bayesurv.plots.style import (
    COLOURS,
    INK,
    LETTER,
    SMALL,
    WIDTH,
    dress,
    new_axes,
    number,
    root,
)

POINTS = 121
PANEL_HEIGHT, MARGIN_HEIGHT = 1.08, 0.35
ACROSS = {1: 1, 2: 3}
PRIOR, POSTERIOR = "#D2D2D2", COLOURS[0]
WIDEST = 0.99  # central share of the prior that is drawn, within what the posterior is times REACH
REACH = 20.0
ROUND = (1.0, 2.0, 5.0)
MOST_TICKS = 5

type Draws = tuple[np.ndarray, np.ndarray]


def plot_prior_posterior(
    quantities: Mapping[str, Draws],
    *,
    linear: Collection[str] = (),
    times: Collection[str] = (),
    marks: Mapping[str, float] | None = None,
    ci_prob: float = CI_PROB,
    columns: int = 2,
) -> Axes:
    """Draw the prior density of each quantity in grey and its posterior over it.

    The line below is the posterior's central interval, its median a square; both are written over
    the panel. Densities are those of the logarithm where the scale is logarithmic.

    Parameters
    ----------
    quantities : mapping of (prior draws, posterior draws)
        By label in clinical units, such as "Hazard ratio of CTI2" or "Median OS, months". Draws of
        any shape.
    linear : labels
        Quantities that are no positive ratio or time, on a linear scale; the others are
        logarithmic.
    times : labels
        Quantities that are times, written with one decimal.
    marks : mapping of float, optional
        A value to mark by label, such as 1 for a hazard ratio.
    ci_prob : float
        Probability of the intervals.
    columns : int
        Journal columns.

    Returns
    -------
    Axes
        Those of the first quantity.

    Raises
    ------
    ValueError
        There is no quantity; or one on the logarithmic scale is not above 0.
    """
    if not quantities:
        raise ValueError("there is no quantity to draw")
    across = min(ACROSS[columns], len(quantities))
    down = -(-len(quantities) // across)
    first = new_axes(columns, MARGIN_HEIGHT + PANEL_HEIGHT * down)
    grid = root(first).add_gridspec(down, across, wspace=0.06, hspace=0.08)
    first.set_subplotspec(grid[0])
    places = [grid[i // across, i % across] for i in range(1, len(quantities))]
    panels = [first, *(dress(root(first).add_subplot(place)) for place in places)]
    for ax, (label, draws) in zip(panels, quantities.items(), strict=True):
        lower, middle, upper = _draw(ax, draws, label, label not in linear, ci_prob)
        written = "{:.1f}".format if label in times else number
        if label in linear:
            written = "{:.2f}".format
        named = textwrap.fill(label, int(0.85 * 72 * WIDTH[columns] / across / LETTER))
        text = f"{named}\n{written(middle)} ({written(lower)}–{written(upper)})"
        ax.set_title(text, loc="left", fontsize=SMALL, color=INK, pad=2, linespacing=1.15)
        if marks and label in marks:
            ax.axvline(marks[label], color=INK, lw=0.6, ls=":", zorder=3)
    handles: list[Any] = [
        Patch(facecolor=PRIOR),
        Patch(facecolor=POSTERIOR, alpha=0.6),
        Line2D([], [], color=INK, lw=1.3, marker="s", ms=3.5),
    ]
    names = ["Prior", "Posterior", f"Posterior median, {100 * ci_prob:g}% credible interval"]
    root(first).legend(
        handles, names, loc="outside upper left", ncols=3 if columns == 2 else 1, frameon=False,
        fontsize=SMALL, handlelength=2.4, columnspacing=1.2, borderpad=0, labelcolor=INK,
    )  # fmt: skip
    return first


def _draw(
    ax: Axes, draws: Draws, label: str, log: bool, ci_prob: float
) -> tuple[float, float, float]:
    """Both densities over the interval and median of the posterior, which it returns."""
    before, after = (np.asarray(each, dtype=float).ravel() for each in draws)
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if log and min(before.min(), after.min()) <= 0:
        raise ValueError(f"{label}: draws that are not above 0 have no logarithmic scale")
    scaled = (np.log(before), np.log(after)) if log else (before, after)
    at = np.linspace(*_range(*scaled), POINTS)
    x = np.exp(at) if log else at
    if log:
        ax.set_xscale("log")
    prior, posterior = (_density(each, at) for each in scaled)
    ax.fill_between(x, prior, color=PRIOR, lw=0)
    ax.fill_between(x, posterior, color=POSTERIOR, alpha=0.6, lw=0)
    ax.plot(x, prior, color="#6E6E6E", lw=0.8)
    ax.plot(x, posterior, color=POSTERIOR, lw=1.1)
    tail = (1 - ci_prob) / 2
    lower, middle, upper = np.quantile(after, [tail, 0.5, 1 - tail])
    top = float(max(prior.max(), posterior.max()))
    ax.plot([lower, upper], [-0.09 * top] * 2, color=INK, lw=1.3, solid_capstyle="butt")
    ax.plot([middle], [-0.09 * top], "s", ms=3.5, color=INK)
    ax.set(xlim=(x[0], x[-1]), ylim=(-0.18 * top, 1.06 * top), yticks=[])
    ax.spines.left.set_visible(False)
    if log:
        ticks = _ticks(float(x[0]), float(x[-1]))
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.xaxis.set_minor_locator(NullLocator())
    else:
        ax.locator_params(axis="x", nbins=MOST_TICKS)
        ax.xaxis.set_major_formatter("{x:g}")
    return float(lower), float(middle), float(upper)


def _density(draws: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Density that is mirrored at 0 where no draw is below, as of a standard deviation."""
    if at[0] < 0 or draws.min() < 0:
        return density(draws, at)
    return density(draws, at) + density(draws, -at[::-1])[::-1]


def _range(prior: np.ndarray, posterior: np.ndarray) -> tuple[float, float]:
    """The whole posterior, and of the prior as much as leaves the posterior to be seen."""
    low, high = np.quantile(posterior, [0.0005, 0.9995])
    width = max(high - low, 1e-9)
    tail = (1 - WIDEST) / 2
    first, last = np.quantile(prior, [tail, 1 - tail])
    room = 0.08 * width
    low = min(low, max(first, low - REACH * width / 2)) - room
    high = max(high, min(last, high + REACH * width / 2)) + room
    if min(prior.min(), posterior.min()) >= 0:
        low = max(low, 0.0)
    return float(low), float(high)


def _ticks(low: float, high: float) -> list[float]:
    """Few round numbers: 0.5, 1, 2, 5; only powers of ten, or of a hundred, where that is many."""
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    fine = [power * step for power in powers for step in ROUND]
    for ticks in (fine, list(powers), list(powers[::2]), list(powers[::4])):
        inside = [float(tick) for tick in ticks if low <= tick <= high]
        if len(inside) <= MOST_TICKS:
            break
    return inside
