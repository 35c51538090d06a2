"""Figures of prior sensitivity: the hazard ratio under each prior, and the tipping point."""

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from bayesurv.estimands.summary import CI_PROB
from bayesurv.estimands.tipping import TippingPoint, prior_range
from bayesurv.plots.forest import MARGIN_HEIGHT, TICKS, plot_forest
from bayesurv.plots.style import (
    COLOURS,
    DASHED,
    INK,
    LETTER,
    WIDTH,
    legend_above,
    new_axes,
    number,
    root,
)

ROW_HEIGHT, TEXT_HEIGHT = 0.36, 0.3  # inches; the text of a row that stands over it
WIDEST = 8.0  # prior intervals wider than 1/8 to 8 run out of the axes
SDS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.75, 1.3, 2.5)


def plot_prior_sensitivity(
    table: pd.DataFrame,
    *,
    label: str = "Hazard ratio",
    ci_prob: float = CI_PROB,
    columns: int = 2,
    ax: Axes | None = None,
) -> Axes:
    """Draw the hazard ratio under each prior, the prior's own interval in light grey behind it.

    Parameters
    ----------
    table : DataFrame
        As `prior_sensitivity` gives it.
    label : str
        Name of the x axis.
    ci_prob : float
        Probability of the intervals in the table.
    columns : int
        Journal columns.
    ax : Axes, optional
        Where to draw; new axes unless given.
    """
    if ax is None:
        row_height = ROW_HEIGHT + TEXT_HEIGHT * (columns == 1)
        ax = new_axes(columns, MARGIN_HEIGHT + row_height * len(table))
    between = "\n" if columns == 2 else ", "
    terms = [
        f"{row.prior}{between}{row.stated}: {number(row.prior_lower)}–{number(row.prior_upper)}"
        for row in table.itertuples()
    ]
    low = max(min(1 / WIDEST, table["lower"].min() / 1.1), TICKS[0])
    high = min(max(WIDEST, table["upper"].max() * 1.1), TICKS[-1])
    believed = table[["prior_lower", "prior_upper"]].clip(low, high)
    believed = believed.set_axis(["lower", "upper"], axis=1).assign(term=terms)
    found = table.rename(columns={"prob_benefit": "prob_below_1"}).assign(ci_prob=ci_prob)
    plot_forest(found.assign(term=terms), prior=believed, label=label, columns=columns, ax=ax)
    ax.set_xlim(low, high)
    return ax


def plot_tipping_point(
    found: TippingPoint, *, label: str = "", columns: int = 2, ax: Axes | None = None
) -> Axes:
    """Draw the probability of the conclusion against how sceptical the prior is.

    The band is two Monte-Carlo errors on either side; the tipping point is where the curve meets
    the threshold.

    Parameters
    ----------
    found : TippingPoint
        As `tipping_point` gives it.
    label : str
        Name of the endpoint, such as "OS", if it has one.
    columns : int
        Journal columns.
    ax : Axes, optional
        Where to draw; new axes unless given.
    """
    if ax is None:
        ax = new_axes(columns, 3.0)
    sd, chance, error = (found.curve[name].to_numpy() for name in ("sd", "probability", "mcse"))
    low, high = np.clip(chance - 2 * error, 0, 1), np.clip(chance + 2 * error, 0, 1)
    ax.set_xscale("log")
    ax.fill_between(sd, low, high, color=COLOURS[0], alpha=0.2, lw=0)
    (line,) = ax.plot(sd, chance, "o-", color=COLOURS[0], lw=1.3, ms=3.6, mfc="white", mew=0.8)
    threshold = ax.axhline(found.threshold, color=INK, lw=0.8, ls=DASHED, zorder=1)
    handles: list[Any] = [(Patch(facecolor=COLOURS[0], alpha=0.2), line), threshold]
    names = ["Posterior probability ± 2 Monte-Carlo errors", f"Threshold {found.threshold:g}"]
    if np.isfinite(found.sd):
        ax.plot([found.sd] * 2, [0, found.threshold], color=COLOURS[4], lw=0.8, zorder=2)
        ax.plot([found.sd], [found.threshold], "D", color=COLOURS[4], ms=5.5, zorder=4)
        lower, upper = prior_range(found.sd)
        handles.append(Line2D([], [], color=COLOURS[4], marker="D", ms=5.5, lw=0.8))
        names.append(f"Tipping point: 95% of hazard ratios {number(lower)}–{number(upper)}")
    legend_above(ax, handles, names, None)
    ticks = [tick for tick in SDS if sd.min() / 1.1 <= tick <= sd.max() * 1.1]
    if root(ax).get_figwidth() < WIDTH[2]:
        ticks = ticks[::-2][::-1]
    ranges = ["–".join(map(number, prior_range(tick))) for tick in ticks]
    ax.set_xticks(ticks, [f"{t:g}\n{r}" for t, r in zip(ticks, ranges, strict=True)])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(sd.min() / 1.15, sd.max() * 1.15)
    ax.set_ylim(min(0.5, float(low.min()) - 0.02), 1)
    words = "Sd of the sceptical prior, Normal(0, sd), and 95% of its hazard ratios"
    ax.set_xlabel(textwrap.fill(words, int(72 * root(ax).get_figwidth() / LETTER) - 12))
    ax.set_ylabel(f"Posterior P({found.direction})" + (f", {label}" if label else ""))
    return ax
