"""The sampler's chains: where they went, and whether they agree."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.stats import rankdata

from bayesurv.plots.style import COLOURS, INK, SMALL, WIDTH, dress

MOST_PARAMETERS = 12
MOST_POINTS, MOST_IN_ALL = 500, 1500  # of a trace; of the traces of a chain
BINS = 20
SCREEN_DPI = 150  # read on the screen; at 300 dpi this figure took longer than all the others
ROW_HEIGHT = 0.95


def plot_chains(draws: Mapping[str, np.ndarray]) -> Figure:
    """Draw trace and ranks of each parameter, the first 12; says how many were left out.

    Parameters
    ----------
    draws : mapping of array, (chain, draw)
        By parameter. Traces are thinned to at most 500 points a chain, fewer for many parameters;
        ranks use every draw. If the chains sample the same distribution, each one's ranks are
        even, at its line.
    """
    shown = list(draws)[:MOST_PARAMETERS]
    left_out = len(draws) - len(shown)
    height = ROW_HEIGHT * max(len(shown), 1) + 0.45
    # A fixed layout: fitting one to two dozen axes takes longer than drawing them.
    figure = Figure(figsize=(WIDTH[2], height), dpi=SCREEN_DPI)
    FigureCanvasAgg(figure)
    place = {"left": 0.08, "right": 0.98, "top": 1 - 0.25 / height, "bottom": 0.45 / height}
    rows = figure.subplots(
        len(shown),
        2,
        squeeze=False,
        sharex="col",
        width_ratios=(3, 2),
        gridspec_kw={**place, "hspace": 0.45, "wspace": 0.14},
    )
    for (trace, ranks), name in zip(rows, shown, strict=True):
        values = np.asarray(draws[name], dtype=float)
        _draw_trace(dress(trace), values, min(MOST_POINTS, MOST_IN_ALL // len(shown)))
        _draw_ranks(dress(ranks), values)
        trace.set_title(name, loc="left", fontsize=SMALL, pad=2)
    rows[-1, 0].set_xlabel("Draw")
    rows[-1, 1].set_xlabel("Rank among the draws of all chains")
    if left_out:
        note = f"{left_out} of {len(draws)} parameters are not shown."
        figure.supxlabel(note, x=0.01, y=0.01, ha="left", fontsize=SMALL, color=INK)
    return figure


def rank_counts(values: np.ndarray, bins: int = BINS) -> tuple[np.ndarray, np.ndarray]:
    """Counts `(chain, bin)` of each chain's ranks among all draws, and the edges of the bins."""
    ranks = rankdata(values, axis=None).reshape(values.shape)
    edges = np.linspace(0.5, values.size + 0.5, bins + 1)
    return np.array([np.histogram(chain, edges)[0] for chain in ranks]), edges


def _draw_trace(ax: Axes, values: np.ndarray, most: int) -> None:
    every = -(-values.shape[1] // most)
    place = np.arange(0, values.shape[1], every)
    for i, chain in enumerate(values):
        colour = COLOURS[i % len(COLOURS)]
        ax.plot(place, chain[::every], color=colour, lw=0.4, alpha=0.75)
    ax.set_xlim(0, values.shape[1])
    ax.locator_params(axis="y", nbins=4)


def _draw_ranks(ax: Axes, values: np.ndarray) -> None:
    """One histogram a chain, one above the other, with the line that even ranks would give."""
    counts, edges = rank_counts(values)
    expected = values.shape[1] / BINS
    apart = max(1.6 * expected, 1.1 * counts.max())
    for i, chain in enumerate(counts):
        base, colour = apart * i, COLOURS[i % len(COLOURS)]
        ax.stairs(base + chain, edges, baseline=base, fill=True, color=colour, alpha=0.6)
        ax.axhline(base + expected, color=INK, lw=0.5)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_yticks([apart * i + expected / 2 for i in range(len(counts))])
    ax.set_yticklabels([f"{i + 1}" for i in range(len(counts))])
    ax.locator_params(axis="x", nbins=5)
    ax.set_ylabel("Chain", fontsize=SMALL)
    ax.tick_params(axis="y", length=0)
