"""The selection analysis drawn: the hazard ratio against how many early deaths are put back."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator

from bayesurv.plots.style import COLOURS, INK, dress, legend_above, new_axes, root

HEIGHT = 4.2
TICKS = (0.1, 0.2, 0.25, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 8, 10)
MOST_TICKS = 7


def plot_selection(
    table: pd.DataFrame, *, arm: str, between: str, prior: str, label: str = "", columns: int = 1
) -> Axes:
    """Draw the hazard ratio over the number of deaths put back, and P(benefit) below it.

    Parameters
    ----------
    table : DataFrame
        As `SelectionCurve.table` gives it.
    arm, between, prior, label : str
        Who get the deaths, between which times, under which prior, and of which endpoint.
    columns : int
        Journal columns.

    Returns
    -------
    Axes
        Those of the hazard ratio.
    """
    upper = new_axes(columns, HEIGHT)
    grid = root(upper).add_gridspec(2, 1, height_ratios=(1.7, 1), hspace=0.06)
    upper.set_subplotspec(grid[0])
    lower = dress(root(upper).add_subplot(grid[1], sharex=upper))
    _plot_ratio(upper, table, prior, label)
    _plot_benefit(lower, table)
    lower.set_xlabel(f"Early deaths put back into {arm},\neach between {between}")
    upper.tick_params(labelbottom=False)
    return upper


def _plot_ratio(ax: Axes, table: pd.DataFrame, prior: str, label: str) -> None:
    """Cox's estimate with its interval as a band; the posterior's median and interval as lines."""
    added, colour, second = table["added"], COLOURS[0], COLOURS[4]
    ax.set_yscale("log")
    ax.fill_between(added, table["lower"], table["upper"], color=colour, alpha=0.2, lw=0)
    ax.plot(added, table["hazard_ratio"], "o-", color=colour, lw=1.3, ms=3, mfc="white", mew=0.8,
            clip_on=False)  # fmt: skip
    ax.plot(added, table["posterior_median"], "-", color=second, lw=1.1)
    for end in ("posterior_lower", "posterior_upper"):
        ax.plot(added, table[end], ":", color=second, lw=0.9)
    ax.axhline(1, color=INK, lw=0.8, zorder=1)
    shown = table[["lower", "upper", "posterior_lower", "posterior_upper"]].to_numpy()
    shown = shown[np.isfinite(shown)]
    low, high = min(shown.min(), 0.95) / 1.05, max(shown.max(), 1.05) * 1.05
    ticks = [tick for tick in TICKS if low <= tick <= high]
    ax.set_ylim(low, high)
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylabel(f"Hazard ratio{f', {label}' if label else ''}")
    percent = round(100 * table["ci_prob"].iloc[0])
    handles = [
        (Patch(facecolor=colour, alpha=0.2), Line2D([], [], color=colour, marker="o", ms=3,
                                                    mfc="white", mew=0.8, lw=1.3)),
        Line2D([], [], color=second, lw=1.1),
    ]  # fmt: skip
    names = [
        f"Cox, {percent}% confidence interval",
        f"Posterior median (dotted: {percent}% credible interval), prior {prior}",
    ]
    legend_above(ax, handles, names, None, most=1)


def _plot_benefit(ax: Axes, table: pd.DataFrame) -> None:
    """Probability of a hazard ratio below 1, two Monte-Carlo errors about it."""
    chance, error = table["prob_benefit"], table["prob_benefit_mcse"]
    band = (chance - 2 * error).clip(0, 1), (chance + 2 * error).clip(0, 1)
    ax.fill_between(table["added"], *band, color=COLOURS[4], alpha=0.25, lw=0)
    ax.plot(table["added"], chance, "-", color=COLOURS[4], lw=1.3)
    ax.axhline(0.5, color=INK, lw=0.6, ls=":", zorder=1)
    ax.set(ylim=(0, 1), yticks=(0, 0.5, 1), ylabel="P(hazard ratio < 1)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=MOST_TICKS))
    ax.set_xlim(0, max(table["added"].max(), 1))
