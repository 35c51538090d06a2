"""One look for all figures: journal columns, colour-blind-safe, readable in grey.

No pyplot and no change of rcParams while drawing, so figures can be made in several threads.
"""

import hashlib
import math
import os
import re
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

from bayesurv.plots.fonts import one_font_warning

WIDTH = {1: 3.5, 2: 7.1}
DPI = 300
SVG_DPI = 120
FONT, SMALL = 8.0, 7.0
LETTER = 4.2  # width of a small letter in points, about
INK = "#222222"
# Okabe and Ito's palette, in an order that also alternates dark and light.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
# Shapes tell curves apart without colour; dashes are kept for what is beyond the data.
MARKERS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "P": "✚"}
DASHED = (0.0, (3.5, 1.8))
STEPS = {"days": (1, 7, 14, 30, 60, 90, 180, 365, 730), "months": (1, 2, 3, 6, 12, 24, 36, 60, 120)}

KINDS = ("png", "svg", "pdf")

_drawing = threading.RLock()


def new_axes(columns: int = 1, height: float = 2.6) -> Axes:
    """Empty axes on a figure one or two journal columns wide; height in inches."""
    figure = Figure(figsize=(WIDTH[columns], height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return dress(figure.add_subplot())


def two_panels(columns: int, height: float) -> tuple[Axes, Axes]:
    """Two axes of a height in inches, side by side or, in one column, one under the other."""
    first = new_axes(columns, height * (1 if columns == 2 else 2))
    shape = (1, 2) if columns == 2 else (2, 1)
    grid = root(first).add_gridspec(*shape, wspace=0.08, hspace=0.08)
    first.set_subplotspec(grid[0])
    return first, dress(root(first).add_subplot(grid[1]))


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


def save_all(figure: Figure | Axes, stem: str | Path) -> list[Path]:
    """Write a figure as `<stem>.png`, `<stem>.svg` and `<stem>.pdf`, each as `save` does.

    The layout is fitted once, so that the three are the same.
    """
    found, stem = _figure(figure), Path(stem)
    engine = found.get_layout_engine()
    with _drawing, one_font_warning(stem.name):
        found.draw_without_rendering()
        found.set_layout_engine("none")
        try:
            return [_write(found, path) for path in figure_files(stem)]
        finally:
            found.set_layout_engine(engine)


def figure_files(stem: str | Path) -> list[Path]:
    """The files that `save_all` writes."""
    return [Path(f"{stem}.{kind}") for kind in KINDS]


def save(figure: Figure | Axes, path: str | Path) -> Path:
    """Write a figure as its suffix says: .png at the figure's own resolution, .pdf or .svg.

    The file appears whole or not at all, holds no date, and keeps text as text in PDF and SVG.
    Ids in an SVG come from what it shows, so that several stand in one page. Nothing but the
    caller holds the figure, so there is nothing to close.
    """
    found, path = _figure(figure), Path(path)
    if path.suffix.lower().removeprefix(".") not in KINDS:
        raise ValueError(f"cannot write {path.name}: use .png, .pdf or .svg")
    with _drawing, one_font_warning(path.name):
        return _write(found, path)


def _write(figure: Figure, path: Path) -> Path:
    kind = path.suffix.lower().removeprefix(".")
    partial = path.with_name(f".{path.name}.partial")
    options: dict[str, Any] = {"format": kind, "dpi": figure.dpi, "metadata": _METADATA[kind]}
    if kind == "svg":  # only of what is a picture in it
        options["dpi"] = min(figure.dpi, SVG_DPI)
    if kind == "png":
        options["pil_kwargs"] = {"compress_level": 4}
    try:
        with matplotlib.rc_context(_TEXT_AS_TEXT):
            figure.savefig(partial, **options)
        if kind == "svg":
            partial.write_text(_own_ids(partial.read_text("utf-8")), "utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _figure(drawn: Figure | Axes) -> Figure:
    return root(drawn) if isinstance(drawn, Axes) else drawn


def _own_ids(svg: str) -> str:
    """Ids, references to them and styles under a prefix that no other figure has."""
    prefix = f"f{hashlib.sha256(svg.encode()).hexdigest()[:8]}-"
    svg = svg.replace('<style type="text/css">*{', f'<style type="text/css">#{prefix}figure_1{{')
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}", svg)


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


def limits(lower: str, upper: str) -> str:
    """Ends of an interval: 0.86–2.75, with "to" where one is negative or no plain number."""
    dash = all(end[:1].isdigit() for end in (lower, upper))
    return f"{lower}–{upper}" if dash else f"{lower} to {upper}"


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
