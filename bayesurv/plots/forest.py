"""Hazard ratios as a forest plot: prior, posterior and classical estimate side by side."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from bayesurv.plots.style import COLOURS, INK, SMALL, legend_above, new_axes, number, probability

NARROW = (0.125, 0.25, 0.5, 1, 2, 4, 8)
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
ROW_HEIGHT, MARGIN_HEIGHT = 0.24, 0.95
# Inches more of a row: for a classical estimate, for a line of text in it.
BESIDE, WRITTEN = 0.12, 0.22
LONG = 22  # letters of a term beside its numbers
APART = 0.16  # of posterior and classical estimate from the middle of the row
POSTERIOR, CLASSICAL = COLOURS[0], COLOURS[4]
METHODS = {"cox": "Cox", "cox-firth": "Firth"}


def plot_forest(
    hazard_ratios: pd.DataFrame,
    *,
    prior: pd.DataFrame | None = None,
    classical: pd.DataFrame | None = None,
    label: str = "Hazard ratio",
    columns: int = 2,
    ax: Axes | None = None,
) -> Axes:
    """Draw each hazard ratio with its interval, and write both beside it.

    Parameters
    ----------
    hazard_ratios : DataFrame
        Columns term, hazard_ratio, lower, upper, prob_below_1, ci_prob, as `hazard_ratios` gives.
    prior : DataFrame, optional
        Columns term, lower, upper: the prior interval, drawn in light grey behind.
    classical : DataFrame, optional
        Columns term, hazard_ratio, lower, upper, and method (cox or cox-firth): drawn and written
        beside, with 95% confidence intervals.
    label : str
        Name of the x axis.
    columns : int
        Journal columns; in a single one the numbers stand over their rows.
    ax : Axes, optional
        Where to draw; new axes unless given.
    """
    table = hazard_ratios.reset_index(drop=True)
    beside = _beside(table, classical)
    if ax is None:
        lines = (1 + (len(beside) > 0) + _long(table)) * (columns == 1)
        row = ROW_HEIGHT + BESIDE * (len(beside) > 0) + WRITTEN * lines
        ax = new_axes(columns, MARGIN_HEIGHT + row * max(len(table), 1))
    spans = [table, beside] if len(beside) else [table]
    if prior is not None:
        spans.append(prior[prior["term"].isin(table["term"])])
    low, high = _limits(spans)
    ax.set_xscale("log")
    ax.axvline(1, color=INK, lw=0.6, zorder=1)
    handles = {} if prior is None else _draw_prior(ax, table, prior, low, high)
    shift = APART if len(beside) else 0.0
    if len(beside):
        _draw_estimates(ax, beside, shift, CLASSICAL, "o", (low, high), mfc="white")
    _draw_estimates(ax, table, -shift, POSTERIOR, "s", (low, high))
    narrow = low > 0.1 and high < 10
    ticks = [tick for tick in (NARROW if narrow else TICKS) if low <= tick <= high]
    ax.set(xlim=(low, high), ylim=(len(table) - 0.4, -0.6), xlabel=label)
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.spines.left.set_visible(False)
    ax.tick_params(axis="y", length=0, pad=8)
    if len(beside):
        shape: dict[str, Any] = {"lw": 1.3, "ms": 4.5}
        handles["Posterior"] = Line2D([], [], color=POSTERIOR, marker="s", **shape)
        named = " or ".join(METHODS.get(each, each) for each in beside["method"].unique())
        handles[named] = Line2D([], [], color=CLASSICAL, marker="o", mfc="white", **shape)
    if handles:
        legend_above(ax, [*handles.values()], [*handles], None)
    if columns == 1:
        _write_over(ax, table, beside)
    else:
        ax.set_yticks(range(len(table)), table["term"].astype(str))
        _write_right(ax, table, beside)
    return ax


def _beside(table: pd.DataFrame, classical: pd.DataFrame | None) -> pd.DataFrame:
    """The classical rows of the terms that are drawn, by the place of the term."""
    if classical is None:
        return pd.DataFrame(columns=["term", "hazard_ratio", "lower", "upper", "method"])
    places = pd.Series(table.index, table["term"])
    known = classical[classical["term"].isin(table["term"])]
    known = known.assign(method=classical.get("method", "cox"))
    return known.set_axis(places[known["term"]].to_numpy()).sort_index()


def _limits(spans: list[pd.DataFrame]) -> tuple[float, float]:
    """From the lowest to the highest bound, but 1 well inside and within 0.01 to 100."""
    lowest = min([0.5, *(float(s["lower"].min()) for s in spans if len(s))])
    highest = max([2.0, *(float(s["upper"].max()) for s in spans if len(s))])
    return max(lowest / 1.1, TICKS[0]), min(highest * 1.1, TICKS[-1])


def _draw_estimates(
    ax: Axes,
    table: pd.DataFrame,
    shift: float,
    colour: str,
    marker: str,
    limits: tuple[float, float],
    mfc: str | None = None,
) -> None:
    """Intervals, with an arrow where one runs out of the axes, and the estimates on them."""
    low, high = limits
    places = table.index.to_numpy(dtype=float) + shift
    for y, row in zip(places, table.itertuples(), strict=True):
        ends = [max(row.lower, low), min(row.upper, high)]
        ax.plot(ends, [y, y], color=colour, lw=1.3, zorder=3)
        for shape, bound, out in (("<", low, row.lower < low), (">", high, row.upper > high)):
            if out:
                ax.plot([bound], [y], shape, ms=5, color=colour, clip_on=False, zorder=3)
    inside = table["hazard_ratio"].between(low, high).to_numpy(dtype=bool)
    shown = table["hazard_ratio"].to_numpy(dtype=float)[inside]
    ax.plot(shown, places[inside], marker, ms=4.5, color=colour, mfc=mfc or colour, zorder=4)


def _draw_prior(
    ax: Axes, table: pd.DataFrame, prior: pd.DataFrame, low: float, high: float
) -> dict[str, Artist]:
    known = prior.set_index("term")
    bars = [
        (y, *np.clip(known.loc[term, ["lower", "upper"]].to_numpy(dtype=float), low, high))
        for y, term in enumerate(table["term"])
        if term in known.index
    ]
    if not bars:
        return {}
    y, left, right = np.array(bars).T
    drawn: Any = ax.barh(y, right - left, 0.6, left, color="#E4E4E4", zorder=0)
    return {"Prior interval": drawn}


def _interval(row: Any) -> str:
    return f"{number(row.hazard_ratio)} ({number(row.lower)}–{number(row.upper)})"


def _credible(table: pd.DataFrame) -> str:
    probs = " or ".join(f"{100 * prob:g}%" for prob in table["ci_prob"].unique()) or "95%"
    return f"{probs} CrI"


def _write_right(ax: Axes, table: pd.DataFrame, beside: pd.DataFrame) -> None:
    """Estimates and probabilities in columns on the right."""
    ratios = dict(enumerate(map(_interval, table.itertuples())))
    below = dict(enumerate(map(probability, table["prob_below_1"])))
    written = [
        (f"HR ({_credible(table)})", 10, "left", ratios),
        ("P(HR < 1)", 132, "right", below),
    ]
    if len(beside):
        texts = {row.Index: _interval(row) for row in beside.itertuples()}
        written.append(("Classical HR (95% CI)", 146, "left", texts))
    place: dict[str, Any] = {
        "textcoords": "offset points", "fontsize": SMALL, "color": INK, "annotation_clip": False,
    }  # fmt: skip
    across = ax.get_yaxis_transform()
    for head, x, side, values in written:
        ax.annotate(head, (1, 1), (x, 3), "axes fraction", ha=side, va="bottom", **place)
        for y, text in values.items():
            ax.annotate(text, (1, y), (x, 0), across, ha=side, va="center_baseline", **place)


def _long(table: pd.DataFrame) -> bool:
    """Whether terms want a line of their own in a single column."""
    return bool((table["term"].astype(str).str.len() > LONG).any())


def _write_over(ax: Axes, table: pd.DataFrame, beside: pd.DataFrame) -> None:
    """The term, its estimate and its probability over the interval, within the axes."""
    place: dict[str, Any] = {
        "textcoords": "offset points", "fontsize": SMALL - 0.5, "color": INK, "va": "bottom",
        "annotation_clip": False, "bbox": {"facecolor": "white", "lw": 0, "pad": 0.5},
    }  # fmt: skip
    classical = {
        row.Index: f"\n{METHODS.get(row.method, row.method)} {_interval(row)}, 95% CI"
        for row in beside.itertuples()
    }
    apart = "\n" if _long(table) else ": "
    for row in table.itertuples():
        numbers = f"HR {_interval(row)}, P(HR < 1) {probability(row.prob_below_1)}"
        text = f"{row.term}{apart}{numbers}{classical.get(row.Index, '')}"
        ax.annotate(text, (0, row.Index - 0.31), (0, 1), ax.get_yaxis_transform(), **place)
    ax.set(yticks=[], ylim=(len(table) - 0.6, -0.85))
