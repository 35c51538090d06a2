"""What a report's section is made of."""

import base64
import html
import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCALE, MOST_WIDE = 1.6, 820
ANSWERED, PARTLY, NOT_ANSWERABLE = "answered", "answered in part", "not answerable from these data"


@dataclass(frozen=True)
class Picture:
    """A figure with what it shows in words."""

    svg: str
    caption: str

    @property
    def width(self) -> int:
        """Width at which its type is as large as the page's, in pixels."""
        found = re.search(r'width="([\d.]+)pt"', self.svg)
        return round(SCALE * float(found[1])) if found else MOST_WIDE

    @property
    def source(self) -> str:
        """The figure as a part of the page, which loads nothing."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg.encode()).decode()


@dataclass(frozen=True)
class Markup:
    """A finished part of the page, such as a table."""

    html: str


Block = str | Picture | Markup


@dataclass(frozen=True)
class Section:
    """A part of the report: what it is, and for a reviewer's question how far it is answered."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]
    verdict: str = ""


def drawn(axes: "Axes", stem: str, caption: str) -> Picture:
    """A figure made for the report."""
    from bayesurv.plots.style import save

    with TemporaryDirectory() as folder:
        path = save(axes, Path(folder) / f"{stem}.svg")
        return Picture(path.read_text(encoding="utf-8"), caption)


def plain_table(frame: pd.DataFrame, caption: str) -> Markup:
    """A small table of strings."""
    head = "".join(f'<th scope="col">{html.escape(str(name))}</th>' for name in frame)
    rows = []
    for first, *others in frame.astype(str).itertuples(index=False):
        cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in others)
        rows.append(f'<tr><th scope="row">{html.escape(first)}</th>{cells}</tr>')
    return Markup(
        f'<div class="table" tabindex="0" role="region" aria-label="{html.escape(caption)}"><table>'
        f"<caption>{html.escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
