"""One look for all figures: journal columns, colour-blind-safe, readable in grey.

No pyplot and no change of rcParams while drawing, so figures can be made in several threads.
"""

import math
import os
import textwrap
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.transforms import offset_copy

WIDTH = {1: 3.5, 2: 7.1}
DPI = 300
FONT, SMALL = 8.0, 7.0
LETTER = 4.2  # width of a small letter in points, about
INK = "#222222"
# Okabe and Ito's palette, in an order that also alternates dark and light.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
# Shapes tell curves apart without colour; dashes are kept for what is beyond the data.
MARKERS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "P": "✚"}
DASHED = (0.0, (3.5, 1.8))
STEPS = {"days": (1, 7, 14, 30, 60, 90, 180, 365, 730), "months": (1, 2, 3, 6, 12, 24, 36, 60, 120)}

_vector = threading.Lock()


def new_axes(columns: int = 1, height: float = 2.6) -> Axes:
    """Empty axes on a figure one or two journal columns wide; height in inches."""
    figure = Figure(figsize=(WIDTH[columns], height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return dress(figure.add_subplot())


def dress(axes: Axes) -> Axes:
    """Give axes the look: no top and right spines, thin lines, small type."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_linewidth(0.6)
    axes.tick_params(which="both", width=0.6, labelsize=SMALL, color=INK, labelcolor=INK)
    axes.tick_params(which="major", length=3)
    axes.tick_params(which="minor", length=1.5)
    for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
        label.set_fontsize(FONT)
        label.set_color(INK)
    return axes


def look(i: int) -> tuple[str, str]:
    """Colour and marker of the i-th curve; the 36 first pairs differ."""
    return COLOURS[i % 6], list(MARKERS)[(i + i // 6) % 6]


def root(axes: Axes) -> Figure:
    """The figure that axes are on."""
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("these axes are on no figure")
    return figure


def legend_above(
    axes: Axes,
    handles: Sequence[Any],
    names: Sequence[str],
    title: str | None,
    shift: float = 0.0,
    most: int = 3,
) -> None:
    """A legend over the axes and never over data, as wide as the figure.

    Shift in points; at most so many columns.
    """
    figure = root(axes)
    width = 72 * figure.get_figwidth()
    columns = int(width / (LETTER * max(map(len, names)) + 36))
    axes.legend(
        handles,
        [textwrap.fill(name, int((width - 36) / LETTER)) for name in names],
        title=title, ncols=max(1, min(most, columns)), loc="lower left", alignment="left",
        bbox_to_anchor=(0, 1.02), bbox_transform=offset_copy(axes.transAxes, figure, shift / 72),
        borderaxespad=0, borderpad=0, frameon=False, fontsize=SMALL, title_fontsize=SMALL,
        handlelength=2.4, columnspacing=1.2, handler_map={tuple: HandlerTuple(ndivide=1)},
    )  # fmt: skip


def save(figure: Figure | Axes, path: str | Path) -> Path:
    """Write a figure as its suffix says: .png at the figure's own resolution, .pdf or .svg.

    The file appears whole or not at all, holds no date, and keeps text as text in PDF and SVG.
    Nothing but the caller holds the figure, so there is nothing to close.
    """
    found = root(figure) if isinstance(figure, Axes) else figure
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in _METADATA:
        raise ValueError(f"cannot write {path.name}: use .png, .pdf or .svg")
    partial = path.with_name(f".{path.name}.partial")
    options: dict[str, Any] = {"format": kind, "dpi": found.dpi, "metadata": _METADATA[kind]}
    try:
        if kind == "png":
            found.savefig(partial, **options, pil_kwargs={"compress_level": 4})
        else:
            with _vector, matplotlib.rc_context(_TEXT_AS_TEXT):
                found.savefig(partial, **options)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


_METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None},
}
_TEXT_AS_TEXT: Any = {"pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "bayesurv"}


def time_ticks(end: float, unit: str, most: int = 7) -> list[float]:
    """At most so many ticks from 0 to the end, at times that clinicians use."""
    steps = STEPS.get(unit, ())
    scale = 10.0 ** math.floor(math.log10(end))
    round_ones = [scale * factor for factor in (0.1, 0.2, 0.5, 1, 2, 5)]
    fitting = (s for s in (*steps, *round_ones) if 2 <= end / s < most)
    step = next(fitting, end)
    return [step * i for i in range(math.floor(end / step * (1 + 1e-9)) + 1)]


def name_time(axes: Axes, end: float, unit: str, origin: str) -> None:
    """Make the x axis one of time from 0 to the end."""
    axes.set_xlim(0, end)
    axes.set_xticks(time_ticks(end, unit))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel(f"{unit.capitalize()} since {origin}")


def duration(count: float, unit: str) -> str:
    """A number of units: 1 month, 6 months."""
    return f"{count:g} {unit.removesuffix('s') if count == 1 else unit}"


def number(value: float) -> str:
    """A ratio in plain digits, two of them meaningful: 1.54, 0.034, 12.3, 250, <0.001."""
    if value < 0.001:
        return "<0.001"
    if value < 0.0995:
        return f"{value:.{1 - math.floor(math.log10(value))}f}"
    if value >= 9999.5:
        return ">9999"
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}"


def probability(value: float) -> str:
    """A probability that is never printed as 0 or 1."""
    if value < 0.001:
        return "<0.001"
    if value > 0.999:
        return ">0.999"
    return f"{value:.2f}" if 0.0095 <= value <= 0.9905 else f"{value:.3f}"


def percent(share: float) -> str:
    """A share in whole per cent; never 0% or 100%."""
    return "<1%" if share < 0.01 else ">99%" if share > 0.99 else f"{100 * share:.0f}%"


def p_value(p: float) -> str:
    """A p-value in three decimals; never 0."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"
