"""Figures of a planned study: how often it succeeds, and what it would find."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from bayesurv.plots.style import COLOURS, DASHED, INK, dress, legend_above, look, new_axes, root

MOST_PANELS = 3
BOXES = (0.05, 0.25, 0.5, 0.75, 0.95)


def scenario_names(rows: pd.DataFrame) -> "pd.Series[str]":
    """Name of each row's scenario as a figure has it: "HR 0.6", "design prior", or its own."""
    ratios = [f"HR {ratio:g}" for ratio in rows["hazard_ratio"].fillna(0)]
    return rows["scenario"].mask(rows["hazard_ratio"].notna(), ratios)


def plot_success_by_patients(rows: pd.DataFrame, target: float) -> Axes:
    """Draw the probability of success over the number of patients, a line for each truth.

    Parameters
    ----------
    rows : DataFrame
        Columns scenario, hazard_ratio, patients, estimate, lower and upper, of one threshold; the
        bars are 95% intervals of the Monte Carlo error.
    target : float
        Probability of success that is asked for.
    """
    axes = new_axes(2, 3.2)
    named = rows.assign(name=scenario_names(rows))
    handles = [
        _line(axes, group["patients"], group, i)
        for i, (_, group) in enumerate(named.groupby("name", sort=False))
    ]
    sizes = sorted(rows["patients"].unique())
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("Patients")
    _chance(axes, target, handles, list(named["name"].unique()), None)
    return axes


def plot_success_by_ratio(rows: pd.DataFrame, target: float, margin: float) -> Axes:
    """Draw the probability of success over the true hazard ratio, a line for each size.

    `rows` as those of `plot_success_by_patients`, with proportional hazards only. Left of the
    margin it is the power, from the margin on the type I error.
    """
    axes = new_axes(2, 3.2)
    rows = rows.sort_values(["patients", "hazard_ratio"])
    handles = [
        _line(axes, group["hazard_ratio"], group, i)
        for i, (_, group) in enumerate(rows.groupby("patients"))
    ]
    axes.set_xscale("log")
    ratios = sorted(rows["hazard_ratio"].unique())
    axes.set_xticks(ratios, [f"{ratio:g}" for ratio in ratios])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.axvline(margin, color=INK, lw=0.5, zorder=0)
    axes.set_xlabel("True hazard ratio")
    names = [f"{size:g} patients" for size in sorted(rows["patients"].unique())]
    _chance(axes, target, handles, names, None)
    return axes


def _line(axes: Axes, x: "pd.Series[float]", rows: pd.DataFrame, i: int) -> Line2D:
    """A line through estimates with their Monte Carlo intervals."""
    colour, marker = look(i)
    reach = [rows["estimate"] - rows["lower"], rows["upper"] - rows["estimate"]]
    axes.errorbar(x, rows["estimate"], reach, fmt="none", ecolor=colour, elinewidth=0.9, capsize=2)
    (line,) = axes.plot(x, rows["estimate"], color=colour, marker=marker, ms=3.5, lw=1.2)
    return line


def _chance(
    axes: Axes, target: float, handles: Sequence[Line2D], names: Sequence[str], title: str | None
) -> None:
    """Make the y axis one of the probability of success, with the target and the legend."""
    aimed = axes.axhline(target, color=INK, lw=0.7, ls=DASHED, zorder=0)
    axes.set(ylim=(-0.02, 1.02), ylabel="Probability of success")
    legend_above(axes, [*handles, aimed], [*names, f"Target, {target:g}"], title, most=5)


def plot_probability(studies: pd.DataFrame, thresholds: Sequence[float], name: str) -> Axes:
    """Draw the distribution of the posterior probability of benefit over studies.

    A box from the 25th to the 75th percentile with the median, and a line from the 5th to the 95th,
    for each truth; a panel for each number of patients, up to three.

    Parameters
    ----------
    studies : DataFrame
        Columns scenario, hazard_ratio, patients and probability, a row for each study.
    name : str
        What the probability is of, such as "P(HR < 1)".
    """
    first = new_axes(2, 3.2)
    sizes = _spread(sorted(studies["patients"].unique()))
    grid = root(first).add_gridspec(1, len(sizes), wspace=0.05)
    first.set_subplotspec(grid[0])
    panels = [first] + [
        dress(root(first).add_subplot(grid[i], sharey=first)) for i in range(1, len(sizes))
    ]
    for axes, size in zip(panels, sizes, strict=True):
        _boxes(axes, studies[studies["patients"] == size])
        for threshold in thresholds:
            axes.axhline(threshold, color=INK, lw=0.7, ls=DASHED, zorder=0)
        axes.set_title(f"{size:g} patients", fontsize=8, color=INK)
        axes.tick_params(labelleft=axes is first)
    first.set(ylim=(-0.02, 1.02), ylabel=name)
    return first


def _boxes(axes: Axes, studies: pd.DataFrame) -> None:
    named = studies.assign(name=scenario_names(studies))
    names = list(named["name"].unique())
    for place, name in enumerate(names):
        values = named.loc[named["name"] == name, "probability"]
        low, start, middle, end, high = np.quantile(values, BOXES)
        axes.plot([place, place], [low, high], color=COLOURS[0], lw=0.9, zorder=1)
        style: dict[str, Any] = {
            "color": COLOURS[5],
            "edgecolor": COLOURS[0],
            "linewidth": 0.8,
            "zorder": 2,
        }
        axes.bar(place, end - start, 0.6, start, **style)
        axes.plot([place - 0.3, place + 0.3], [middle, middle], color=INK, lw=1.4, zorder=3)
    axes.set_xticks(range(len(names)), names, rotation=90)


def _spread(sizes: Sequence[float]) -> list[float]:
    """At most so many sizes as there are panels, from the smallest to the largest."""
    places = np.linspace(0, len(sizes) - 1, min(MOST_PANELS, len(sizes)))
    return [sizes[i] for i in dict.fromkeys(places.round().astype(int))]
