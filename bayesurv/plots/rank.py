"""Ranks of true values among posterior draws: how far from uniform, quantity by quantity."""

import textwrap
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayesurv.plots.style import COLOURS, DPI, INK, SMALL, WIDTH, dress

ACROSS, PANEL_HEIGHT, MARGIN = 4, 1.15, 0.7
LETTERS = 24  # of a title over a panel
BAND, ALARM = "#DDDDDD", COLOURS[4]

Band = tuple[np.ndarray, np.ndarray, np.ndarray]


def plot_ranks(shares: Mapping[str, np.ndarray], band: Band, *, label: str = "") -> Axes:
    """Draw the distribution of each quantity's ranks, less the uniform one, over the band.

    A quantity that leaves the band is drawn in another colour. A curve above 0 on the left and
    below it on the right comes from a posterior that is too narrow; the other way round, too wide;
    all above 0 from posteriors that lie too high, all below from ones that lie too low.

    Parameters
    ----------
    shares : mapping of array, (refit,)
        By quantity, ranks as numbers between 0 and 1.
    band : tuple of array, (point,)
        Places, and the lowest and the highest share of the ranks below each.
    label : str
        What the panels are of, such as the endpoint and the baseline.

    Returns
    -------
    Axes
        Of the first quantity; each has its own on the same figure.
    """
    across = min(ACROSS, len(shares))
    down = -(-len(shares) // across)
    size = (WIDTH[2], PANEL_HEIGHT * down + MARGIN)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    flat = [dress(ax) for ax in panels.flat]
    for ax in flat[len(shares) :]:
        ax.set_axis_off()
    for ax, (quantity, share) in zip(flat, shares.items(), strict=False):
        _draw(ax, np.sort(share), band)
        ax.set_title("\n".join(textwrap.wrap(quantity, LETTERS)), loc="left", fontsize=SMALL, pad=2)
    flat[0].set(xlim=(0, 1), xticks=[0, 0.5, 1])
    flat[0].xaxis.set_major_formatter("{x:g}")
    figure.supxlabel("Rank of the true value among the posterior draws", fontsize=SMALL, color=INK)
    figure.supylabel("Share of refits below, less uniform", fontsize=SMALL, color=INK)
    _legend(figure, label)
    return flat[0]


def _draw(ax: Axes, share: np.ndarray, band: Band) -> None:
    at, low, high = band
    below = np.searchsorted(share, at, side="right") / len(share)
    outside = ((below < low - 1e-12) | (below > high + 1e-12)).any()
    ends = np.concatenate([[0], at, [1]])
    ax.fill_between(at, low - at, high - at, color=BAND, lw=0)
    ax.axhline(0, color=INK, lw=0.5)
    difference = np.concatenate([[0], below - at, [0]])
    ax.plot(ends, difference, color=ALARM if outside else COLOURS[0], lw=1.4 if outside else 1.0)


def _legend(figure: Figure, label: str) -> None:
    handles = [
        Patch(facecolor=BAND),
        Line2D([], [], color=COLOURS[0], lw=1.0),
        Line2D([], [], color=ALARM, lw=1.4),
    ]
    figure.legend(
        handles, [f"{label}: 95% band" if label else "95% band", "Inside it", "Outside it"],
        loc="outside upper left", ncols=3, frameon=False, fontsize=SMALL, handlelength=2.4,
    )  # fmt: skip
