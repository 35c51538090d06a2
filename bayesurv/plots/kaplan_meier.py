"""Kaplan-Meier curves of groups, without a model."""

import textwrap
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from bayesurv.frequentist.kaplan_meier import KaplanMeier
from bayesurv.frequentist.quantiles import quantile
from bayesurv.plots.curves import plot_survival
from bayesurv.plots.style import INK, LETTER, look, root


def plot_kaplan_meier(
    arms: Mapping[str, KaplanMeier],
    *,
    unit: str,
    label: str = "Survival",
    origin: str = "origin",
    caption: str = "",
    columns: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the curve of each arm with its band, censored times, median and numbers at risk.

    Parameters
    ----------
    arms : mapping of KaplanMeier
        By name.
    unit, label, origin, columns, ax
        As for `plot_survival`.
    caption : str
        Written above the curves, such as the log-rank P and the hazard ratio.
    """
    ax = plot_survival({}, arms, unit=unit, label=label, origin=origin, columns=columns, ax=ax)
    medians = [quantile(estimate).estimate for estimate in arms.values()]
    for i, (estimate, median) in enumerate(zip(arms.values(), medians, strict=True)):
        colour, marker = look(i)
        ax.plot(estimate.end, estimate.survival[-1], marker, ms=3.6, mfc="white", mew=0.8, c=colour,
                clip_on=False)  # fmt: skip
        ax.plot([median, median], [0, 0.5], ":", lw=0.8, c=colour)
    said = [caption] if caption else []
    if np.isfinite(medians).any():
        ax.plot([0, np.nanmax(medians)], [0.5, 0.5], ":", lw=0.8, c=INK, zorder=1)
        said.append("Dotted: median")
    legend = ax.get_legend()
    if legend is not None and said:
        width = int(72 * root(ax).get_figwidth() / LETTER)
        lines = [legend.get_title().get_text(), *(textwrap.fill(line, width) for line in said)]
        legend.set_title("\n".join(lines))
    return ax
