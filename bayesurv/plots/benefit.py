"""What a treatment gains: the time gained, survival gained over time, and ranks of regimens."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayesurv.plots.style import (
    COLOURS,
    DASHED,
    INK,
    SMALL,
    duration,
    legend_above,
    name_time,
    new_axes,
    probability,
    root,
    two_panels,
)

if TYPE_CHECKING:
    import xarray as xr

HEIGHT, ROW_HEIGHT = 3.0, 0.34
GRID = 241
GAIN, LOSS = COLOURS[0], "#C9C9C9"
DARKEST, LIGHTEST = 0.1, 0.9  # of the ranks' shades, first and last
ROOM = 0.2  # over the curve, for the probabilities; share of its height
NARROWEST = 0.07  # share of a bar that still has room for its number


def plot_benefit(
    gain: np.ndarray,
    curve: "xr.Dataset",
    *,
    unit: str,
    horizon: float,
    arms: tuple[str, str],
    label: str = "survival",
    origin: str = "origin",
    margin: float | None = None,
    ci_prob: float = 0.95,
    columns: int = 2,
) -> Axes:
    """Draw the time gained to the horizon beside the survival gained over time.

    Parameters
    ----------
    gain : array, (chain, draw)
        Draws of the difference of restricted mean survival times, the second arm less the first.
    curve : Dataset
        Difference of the arms' survival, as `difference_curve` gives.
    unit, horizon, arms, label, origin
        Unit of time, the horizon of the gain, names of the arms (the one without the treatment
        first), what survives, and what time counts from.
    margin : float, optional
        A gain that matters, in the unit of time; marked.
    ci_prob : float
        Probability of the interval.
    columns : int
        Journal columns; in a single one the panels stand one under the other.

    Returns
    -------
    Axes
        Those of the time gained, on the left.
    """
    left, right = two_panels(columns, HEIGHT)
    _plot_gain(left, gain, unit, horizon, label, margin, ci_prob)
    _plot_difference(right, curve, arms[1], unit, label, origin)
    root(left).suptitle(
        f"{arms[1]} against {arms[0]}", x=0.01, ha="left", fontsize=SMALL + 1, color=INK
    )
    return left


def _plot_gain(
    ax: Axes,
    gain: np.ndarray,
    unit: str,
    horizon: float,
    label: str,
    margin: float | None,
    ci_prob: float,
) -> None:
    """Density of the draws, the part above 0 dark, and their interval under it."""
    draws = np.asarray(gain, dtype=float).ravel()
    low, high = np.quantile(draws, [0.001, 0.999])
    room = 0.08 * max(high - low, 1e-9 * horizon)
    at = np.linspace(min(low, 0) - room, max(high, margin or 0, 0) + room, GRID)
    height = density(draws, at)
    ax.plot(at, height, color=INK, lw=0.9)
    above = at >= 0
    ax.fill_between(at[above], height[above], color=GAIN, alpha=0.75, lw=0)
    ax.fill_between(at[~above], height[~above], color=LOSS, lw=0)
    ax.axvline(0, color=INK, lw=0.8)
    tail = (1 - ci_prob) / 2
    lower, middle, upper = np.quantile(draws, [tail, 0.5, 1 - tail])
    under = -0.07 * height.max()
    ax.plot([lower, upper], [under, under], color=INK, lw=1.3, solid_capstyle="butt")
    ax.plot([middle], [under], "s", ms=4.5, color=INK)
    ax.set(xlim=(at[0], at[-1]), ylim=(2 * under, 1.05 * height.max()), yticks=[])
    ax.spines.left.set_visible(False)
    ax.set_xlabel(f"Difference in mean {label} time\nwithin {duration(horizon, unit)} ({unit})")
    gained = (draws > 0).mean()
    handles: list[Any] = [
        Patch(facecolor=GAIN, alpha=0.75),
        Patch(facecolor=LOSS),
        Line2D([], [], color=INK, lw=1.3, marker="s", ms=4.5),
    ]
    names = [
        f"Gain, probability {probability(gained)}",
        f"Loss, probability {probability(1 - gained)}",
        f"Median and {100 * ci_prob:g}% credible interval",
    ]
    if margin is not None:
        ax.axvline(margin, color=INK, lw=0.8, ls=DASHED)
        handles.append(Line2D([], [], color=INK, lw=0.8, ls=DASHED))
        beyond = probability((draws > margin).mean())
        names.append(f"Gain above {duration(margin, unit)}, probability {beyond}")
    legend_above(ax, handles, names, None, most=1)


def density(draws: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Density of draws by a Gaussian kernel of Silverman's width, at points `(point,)`."""
    quarter, three = np.quantile(draws, [0.25, 0.75])
    spread = min(draws.std(), (three - quarter) / 1.34) or draws.std()
    width = max(0.9 * spread * draws.size**-0.2, np.diff(at).min())
    scaled = (at[:, None] - draws) / width
    return np.exp(-(scaled**2) / 2).mean(axis=1) / (width * np.sqrt(2 * np.pi))


def _plot_difference(
    ax: Axes, curve: "xr.Dataset", treated: str, unit: str, label: str, origin: str
) -> None:
    """Difference of survival over time with its band, and the probability of a gain above it."""
    time = curve.time.to_numpy()
    median, lower, upper = (100 * curve[name].to_numpy() for name in ("median", "lower", "upper"))
    ax.axhline(0, color=INK, lw=0.8)
    ax.fill_between(time, lower, upper, color=GAIN, alpha=0.2, lw=0)
    ax.plot(time, median, color=GAIN, lw=1.3)
    top, bottom = max(upper.max(), 1), min(lower.min(), -1)
    room = ROOM * (top - bottom)
    ax.set_ylim(bottom - 0.05 * (top - bottom), top + room)
    ax.set_ylabel(f"Difference in {label}\n(percentage points)")
    name_time(ax, float(time[-1]), unit, origin)
    ticks = [tick for tick in ax.get_xticks() if 0 < tick < 0.99 * time[-1]]
    known = np.interp(ticks, time, curve["probability"].to_numpy())
    place: dict[str, Any] = {"fontsize": SMALL, "color": INK, "va": "center"}
    head = f"Probability of higher {label} with {treated}"
    ax.text(time[-1] / 50, top + 0.75 * room, head, ha="left", **place)
    for tick, value in zip(ticks, known, strict=True):
        ax.text(tick, top + 0.35 * room, probability(float(value)), ha="center", **place)
    handles = [(Patch(facecolor=GAIN, alpha=0.2), Line2D([], [], color=GAIN, lw=1.3))]
    names = [f"Median and {100 * curve.attrs['ci_prob']:g}% credible band"]
    legend_above(ax, handles, names, None)


def plot_ranks(ranks: pd.DataFrame, *, label: str = "mean survival time", columns: int = 2) -> Axes:
    """Draw the probability of each rank, a bar for each regimen, best regimen on top.

    Parameters
    ----------
    ranks : DataFrame
        A row for each regimen, a column for each rank from 1 (longest mean survival), as
        `rank_probabilities` gives.
    label : str
        What the rank is by.
    columns : int
        Journal columns.
    """
    worth = ranks.to_numpy() @ np.arange(1, len(ranks) + 1)
    ordered = ranks.iloc[np.argsort(worth, kind="stable")]
    ax = new_axes(columns, 1.0 + ROW_HEIGHT * len(ordered))
    left = np.zeros(len(ordered))
    handles = []
    for i, rank in enumerate(ordered.columns):
        shade = DARKEST + (LIGHTEST - DARKEST) * i / max(len(ordered) - 1, 1)
        ink = "white" if shade < 0.55 else INK
        width = ordered[rank].to_numpy()
        fill = (0.55 * shade, 0.1 + 0.85 * shade, 0.25 + 0.75 * shade)
        handles.append(Patch(facecolor=fill, edgecolor="white", lw=0.5))
        ax.barh(range(len(ordered)), width, 0.72, left, color=fill, edgecolor="white", lw=0.5)
        for y in np.flatnonzero(width >= NARROWEST).tolist():
            text = probability(width[y])
            middle = left[y] + width[y] / 2
            ax.text(middle, y, text, ha="center", va="center", color=ink, fontsize=SMALL)
        left += width
    ax.set(xlim=(0, 1), ylim=(len(ordered) - 0.45, -0.55), xlabel="Posterior probability")
    ax.set_yticks(range(len(ordered)), [str(level) for level in ordered.index])
    ax.tick_params(axis="y", length=0)
    ax.spines.left.set_visible(False)
    ax.set_ylabel(str(ranks.index.name or ""))
    title = f"Rank by {label}, 1 the longest"
    legend_above(ax, handles, [f"Rank {rank}" for rank in ordered.columns], title, most=6)
    return ax
