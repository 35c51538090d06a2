"""Figure of borrowing: priors, likelihood and posterior, and the answer over the weight."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from scipy.stats import norm

from bayesurv.estimands.borrowing import Borrowed
from bayesurv.estimands.borrowing_curve import WeightCurve
from bayesurv.plots.forest import TICKS
from bayesurv.plots.style import (
    COLOURS,
    DASHED,
    INK,
    dress,
    legend_above,
    new_axes,
    root,
)

HEIGHT = 3.9
POINTS = 801
REACH = 3.3  # standard deviations of a prior that are drawn
VAGUE_GREY = "#9A9A9A"


def plot_borrowing(
    borrowed: Borrowed, curve: WeightCurve, labels: Sequence[str], *, label: str = "Hazard ratio"
) -> Axes:
    """Draw what the evidence, the data and both together say, and the answer over the weight.

    Parameters
    ----------
    borrowed : Borrowed
        Of one estimate.
    curve : WeightCurve
        As `weight_curve` gives it.
    labels : sequence of str
        Name of each piece of evidence.
    label : str
        Name of the hazard ratio.

    Returns
    -------
    Axes
        Those of the densities, on the left.
    """
    left = new_axes(2, HEIGHT + 0.12 * len(labels))
    grid = root(left).add_gridspec(2, 2, wspace=0.06, hspace=0.05)
    left.set_subplotspec(grid[:, 0])
    _densities(left, borrowed, labels, label)
    upper = dress(root(left).add_subplot(grid[0, 1]))
    lower = dress(root(left).add_subplot(grid[1, 1], sharex=upper))
    _ratio(upper, curve)
    _probability(lower, curve)
    _mark(upper, lower, borrowed.prior.weight, curve)
    return left


def _densities(ax: Axes, borrowed: Borrowed, labels: Sequence[str], label: str) -> None:
    """Priors dashed, the likelihood as a line, the posterior filled; over the hazard ratio."""
    low, high = _range(borrowed)
    x = np.linspace(np.log(low), np.log(high), POINTS)
    handles: list[Line2D] = []

    def draw(density: np.ndarray, colour: str, **look: Any) -> None:
        (line,) = ax.plot(np.exp(x), density, color=colour, **look)
        handles.append(line)

    priors, weights = borrowed.prior.components, borrowed.prior.weights()
    colours = [COLOURS[(2 + i) % len(COLOURS)] for i in range(len(labels))] + [VAGUE_GREY]
    for prior, colour in zip(priors, colours, strict=True):
        draw(norm(prior.mu, prior.sigma).pdf(x), colour, ls=DASHED, lw=1.2)
    likelihood = norm(float(borrowed.estimate), float(borrowed.standard_error)).pdf(x)
    draw(likelihood, INK, lw=1.0)
    posterior = borrowed.posteriors.density(borrowed.weights(), x)
    ax.fill_between(np.exp(x), posterior, color=COLOURS[0], alpha=0.25, lw=0)
    draw(posterior, COLOURS[0], lw=1.6)
    ax.set_xscale("log")
    ax.axvline(1, color=INK, lw=0.5, zorder=0)
    ticks = [tick for tick in TICKS if low <= tick <= high]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlim=(low, high), yticks=[], xlabel=label, ylabel="Density of the log hazard ratio")
    ax.set_ylim(0)
    names = [
        f"Prior: {name}, weight {weight:.2g}"
        for name, weight in zip((*labels, "vague"), weights, strict=True)
    ]
    legend_above(ax, handles, [*names, "Data alone", "Posterior"], None, most=1)


def _range(borrowed: Borrowed) -> tuple[float, float]:
    """Hazard ratios that hold the evidence, the data and the posterior."""
    centres = [(e.mu, e.sigma) for e in borrowed.prior.evidence]
    centres.append((float(borrowed.estimate), float(borrowed.standard_error)))
    low = min([m - REACH * s for m, s in centres])
    high = max([m + REACH * s for m, s in centres])
    return max(float(np.exp(low)), TICKS[0]), min(float(np.exp(high)), TICKS[-1])


def _ratio(ax: Axes, curve: WeightCurve) -> None:
    """Hazard ratio and its interval over the weight."""
    table = curve.curve
    ends = table["lower"], table["upper"]
    ax.fill_between(table["weight"], *ends, color=COLOURS[0], alpha=0.2, lw=0)
    ax.plot(table["weight"], table["hazard_ratio"], color=COLOURS[0], lw=1.4)
    ax.axhline(1, color=INK, lw=0.5)
    ax.set_yscale("log")
    low, high = table["lower"].min() / 1.1, table["upper"].max() * 1.1
    ticks = [tick for tick in TICKS if low <= tick <= high]
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set(ylim=(low, high), ylabel="Hazard ratio, 95% CrI")
    ax.tick_params(labelbottom=False)


def _probability(ax: Axes, curve: WeightCurve) -> None:
    """Probability of benefit over the weight, with the bounds at which a conclusion is drawn."""
    table = curve.curve
    low, high = (
        np.clip(table["prob_benefit"] + sign * 2 * table["mcse"], 0, 1) for sign in (-1, 1)
    )
    ax.fill_between(table["weight"], low, high, color=COLOURS[0], alpha=0.2, lw=0)
    ax.plot(table["weight"], table["prob_benefit"], color=COLOURS[0], lw=1.4)
    for bound in (curve.threshold, 1 - curve.threshold):
        ax.axhline(bound, color=INK, lw=0.7, ls=DASHED)
    ax.set(xlim=(-0.015, 1.015), ylim=(-0.02, 1.02), ylabel="P(HR < 1)")
    ax.set_xlabel("Prior weight of the evidence")


def _mark(upper: Axes, lower: Axes, weight: float, curve: WeightCurve) -> None:
    """The weight that was used, and those at which the conclusion changes; the legend of both."""
    for axes in (upper, lower):
        used = axes.axvline(weight, color=COLOURS[4], lw=0.8, zorder=1)
        for flip in curve.flips:
            axes.axvline(flip.weight, color=INK, lw=0.9, ls=":", zorder=4)
    handles = {
        f"Weight used, {weight:g}": used,
        f"Thresholds, {curve.threshold:g} and {1 - curve.threshold:.3g}": Line2D(
            [], [], color=INK, lw=0.7, ls=DASHED
        ),
    }
    if curve.flips:
        handles["Conclusion changes"] = Line2D([], [], color=INK, lw=0.9, ls=":")
    legend_above(upper, [*handles.values()], [*handles], None, most=2)
