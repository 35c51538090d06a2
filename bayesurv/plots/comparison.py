"""How models compare in predicting patients left out, and their averaged survival."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from bayesurv.frequentist.kaplan_meier import KaplanMeier
from bayesurv.plots.curves import plot_survival
from bayesurv.plots.style import (
    COLOURS,
    INK,
    SMALL,
    legend_above,
    look,
    new_axes,
)

if TYPE_CHECKING:
    import xarray as xr

ROW_HEIGHT, MARGIN_HEIGHT = 0.26, 1.0
DOTTED = (0.0, (1.0, 1.4))


def plot_comparison(table: pd.DataFrame, *, clear: float = 4.0, ax: Axes | None = None) -> Axes:
    """Draw each model's difference in elpd to the best with two standard errors.

    Parameters
    ----------
    table : DataFrame
        As `Comparison.table`: model, elpd_difference, se_difference, weight with its interval
        weight_lower and weight_upper, verdict.
    clear : float
        Differences smaller than this are none; shaded.
    ax : Axes, optional
        Where to draw; new axes, two columns wide, unless given.
    """
    if ax is None:
        ax = new_axes(2, MARGIN_HEIGHT + ROW_HEIGHT * len(table))
    band = ax.axvspan(-clear, clear, color="#E4E4E4", lw=0, zorder=0)
    ax.axvline(0, color=INK, lw=0.6, zorder=1)
    y = np.arange(len(table))
    middle, spread = (table[name].to_numpy() for name in ("elpd_difference", "se_difference"))
    bars = ax.errorbar(
        middle, y, xerr=2 * spread, fmt="s", ms=4.5, color=COLOURS[0], elinewidth=1.3, zorder=3
    )
    reach = max(float(np.abs(middle - 2 * spread).max()), clear) * 1.08
    high = max(float((middle + 2 * spread).max()), clear) * 1.08
    ax.set(xlim=(-reach, high), ylim=(len(table) - 0.4, -0.6))
    ax.set_xlabel("Difference from the best model in elpd (log density of left-out patients)")
    ax.set_yticks(y, table["model"].astype(str))
    ax.spines.left.set_visible(False)
    ax.tick_params(axis="y", length=0, pad=8)
    names = ["Difference ± 2 SE", f"Smaller than {clear:g}: indistinguishable"]
    legend_above(ax, [bars, band], names, None)
    _write(ax, table)
    return ax


def _write(ax: Axes, table: pd.DataFrame) -> None:
    """Weights and verdicts in two columns on the right."""
    weights = [
        f"{r.weight:.2f} ({r.weight_lower:.2f}–{r.weight_upper:.2f})" for r in table.itertuples()
    ]
    columns = {
        "Weight (95%)": (72, "right", weights),
        "Verdict": (84, "left", list(table["verdict"])),
    }
    place: dict[str, Any] = {
        "textcoords": "offset points", "fontsize": SMALL, "color": INK, "annotation_clip": False,
    }  # fmt: skip
    across = ax.get_yaxis_transform()
    for head, (x, side, texts) in columns.items():
        ax.annotate(head, (1, 1), (x, 3), "axes fraction", ha=side, va="bottom", **place)
        for y, text in enumerate(texts):
            ax.annotate(text, (1, y), (x, 0), across, ha=side, va="center_baseline", **place)


def plot_stacked_survival(
    curves: "Mapping[str, xr.Dataset]",
    models: "Mapping[str, xr.DataArray]",
    observed: Mapping[str, KaplanMeier] | None = None,
    *,
    unit: str,
    label: str = "Survival",
    origin: str = "origin",
) -> Axes:
    """Draw the averaged survival of each arm as `plot_survival` does, each model's mean dotted.

    The dots end where the arm's follow-up does.

    `models` are posterior means by model, dims `(individual = arm, time)`, arms as in `curves`.
    """
    ax = plot_survival(curves, observed, unit=unit, label=label, origin=origin)
    for i, arm in enumerate(curves):
        style: dict[str, Any] = {"color": look(i)[0], "ls": DOTTED, "lw": 0.9, "zorder": 2.5}
        end = observed[arm].end if observed and arm in observed else np.inf
        for mean in models.values():
            seen = mean.sel(individual=arm, time=slice(None, end))
            ax.plot(seen.time, seen, **style)
    legend = ax.get_legend()
    if legend is not None:
        legend.set_title(f"{legend.get_title().get_text()}\nDotted: each model alone")
    return ax
