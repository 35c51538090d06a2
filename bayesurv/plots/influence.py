"""How the answer moves when each patient is left out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from bayesurv.plots.style import (
    DASHED,
    INK,
    SMALL,
    dress,
    legend_above,
    look,
    new_axes,
    root,
)

HEIGHT, TALLER = 4.6, 5.2  # in two columns, in one
NUMBERED = 3
LARGEST = 4.5  # points, of a mark
ERROR = "#B8B8B8"
# Places of the numbers of the patients with the lowest values, the lowest first; those of the
# highest are their mirror images. Values rise from left to right, so that these stay clear.
PLACES = (((-5, 0), "right", "center"), ((0, -3), "left", "top"), ((16, -6), "left", "top"))
LEADER = {"arrowstyle": "-", "lw": 0.5, "color": INK, "shrinkA": 0, "shrinkB": 1}
MIRROR = {"right": "left", "left": "right", "top": "bottom"}


def plot_influence(
    table: pd.DataFrame,
    *,
    prob_benefit: float,
    hazard_ratio: float,
    threshold: float,
    arms: Sequence[str],
    title: str = "",
    numbered: bool = False,
    columns: int = 2,
) -> Axes:
    """Draw P(HR < 1) and the hazard ratio without each patient, in the order of the change.

    Parameters
    ----------
    table : DataFrame
        Columns patient, arm, event, prob_benefit, prob_benefit_change, mcse, hazard_ratio and
        hazard_ratio_mcse, the most influential first, as `influence` gives. Grey bars are two
        Monte-Carlo errors either way.
    prob_benefit, hazard_ratio : float
        Those with all patients, lines from which stems lead to each patient.
    threshold : float
        P(HR < 1) from which on the conclusion is benefit; up to 1 - threshold it is harm.
    arms : sequence of str
        Values of `arm`, the one without the treatment first.
    title : str
        Of the figure.
    numbered : bool
        Write the numbers of the three most influential patients: not for a report.
    columns : int
        Journal columns.

    Returns
    -------
    Axes
        The upper ones, of P(HR < 1).
    """
    upper = new_axes(columns, HEIGHT if columns == 2 else TALLER)
    grid = root(upper).add_gridspec(2, 1)
    upper.set_subplotspec(grid[0])
    lower = dress(root(upper).add_subplot(grid[1], sharex=upper))
    ordered = table.reset_index(names="rank").sort_values("prob_benefit_change", kind="stable")
    _draw(upper, ordered, "prob_benefit", "mcse", prob_benefit, arms)
    _draw(lower, ordered, "hazard_ratio", "hazard_ratio_mcse", hazard_ratio, arms)
    bounds = _draw_bounds(upper, prob_benefit, threshold)
    if numbered:
        _number(upper, ordered)
    upper.set_ylabel("P(HR < 1)\nwithout the patient")
    lower.set_ylabel("Hazard ratio\nwithout the patient")
    upper.tick_params(axis="x", labelbottom=False)
    lower.set_xlabel("Patients, in the order of the change in P(HR < 1)")
    room = max(1, 0.05 * len(table))
    upper.set_xlim(-room, len(table) - 1 + room)
    upper.xaxis.set_major_locator(NullLocator())
    bar = Line2D([], [], color=ERROR, lw=0.7 * LARGEST)
    everyone = Line2D([], [], color=INK, lw=0.9)
    names = {f"All {len(table)} patients": everyone, **bounds, "± 2 Monte-Carlo errors": bar}
    groups = _handles(table, arms)
    legend_above(upper, [*names.values(), *groups.values()], [*names, *groups], None)
    root(upper).suptitle(title, x=0.01, ha="left", fontsize=SMALL + 1, color=INK)
    return upper


def _draw(
    ax: Axes, ordered: pd.DataFrame, value: str, error: str, everyone: float, arms: Sequence[str]
) -> None:
    """A stem and a mark for each patient: colour and shape for the arm, filled for an event."""
    place, size = np.arange(len(ordered)), _size(len(ordered), root(ax).get_figwidth())
    values, errors = ordered[value].to_numpy(), 2 * ordered[error].to_numpy()
    ax.vlines(place, values - errors, values + errors, color=ERROR, lw=0.7 * size, zorder=1)
    ax.axhline(everyone, color=INK, lw=0.9, zorder=2)
    for i, arm in enumerate(arms):
        colour, marker = look(i)
        own = (ordered["arm"] == arm).to_numpy()
        ax.vlines(place[own], everyone, values[own], color=colour, lw=0.7, zorder=2)
        for event, fill in ((True, colour), (False, "white")):
            chosen = own & (ordered["event"] == event).to_numpy()
            ax.plot(
                place[chosen], values[chosen], marker, ms=size, mew=0.9,
                mec=colour, mfc=fill, zorder=3,
            )  # fmt: skip


def _size(patients: int, width: float) -> float:
    """Points, so that marks do not hide each other."""
    return float(np.clip(40 * width / patients, 1.5, LARGEST))


def _draw_bounds(ax: Axes, prob_benefit: float, threshold: float) -> dict[str, Line2D]:
    """A line where the conclusion changes: the bound nearest to the answer, the other if near."""
    styles = {threshold: ("Benefit from", DASHED), 1 - threshold: ("Harm up to", (0.0, (1.0, 1.5)))}
    nearest = min(styles, key=lambda bound: abs(bound - prob_benefit))
    low, high = ax.get_ylim()
    drawn = {}
    for bound, (words, dashes) in styles.items():
        if bound == nearest or low <= bound <= high:
            line = ax.axhline(bound, color=INK, lw=0.9, ls=dashes, zorder=1)
            drawn[f"{words} P(HR < 1) = {bound:.4g}"] = line
    ax.margins(y=0.12)
    bottom, top = ax.get_ylim()
    ax.set_ylim(max(bottom, -0.03), min(top, 1.03))
    return drawn


def _number(ax: Axes, ordered: pd.DataFrame) -> None:
    """Numbers of the most influential patients, outwards of their marks."""
    place = np.arange(len(ordered))
    chosen = (ordered["rank"] < NUMBERED).to_numpy()
    down = (ordered["prob_benefit_change"] < 0).to_numpy()
    for lowest, own in ((True, place[chosen & down]), (False, place[chosen & ~down][::-1])):
        for i, ((right, up), ha, va) in zip(own, PLACES, strict=False):
            row = ordered.iloc[i]
            beyond = 2 * row["mcse"] * np.sign(up)
            offset, y = (right, up), row["prob_benefit"] + beyond
            if not lowest:
                offset, y = (-right, -up), row["prob_benefit"] - beyond
                ha, va = MIRROR.get(ha, ha), MIRROR.get(va, va)
            ax.annotate(
                f"{row['patient']}", (i, y), offset,
                textcoords="offset points", ha=ha, va=va, fontsize=SMALL, color=INK, zorder=4,
                arrowprops=LEADER if abs(right) > 6 else None,
            )  # fmt: skip


def _handles(table: pd.DataFrame, arms: Sequence[str]) -> dict[str, Line2D]:
    """Marks in the legend, of the arms and ends of follow-up that there are."""
    found = {}
    for i, arm in enumerate(arms):
        colour, marker = look(i)
        for event, fill, word in ((True, colour, "event"), (False, "white", "censored")):
            if ((table["arm"] == arm) & (table["event"] == event)).any():
                found[f"{arm}, {word}"] = Line2D(
                    [], [], ls="", marker=marker, ms=4.5, mew=0.9, mec=colour, mfc=fill
                )
    return found
