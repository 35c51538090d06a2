"""Tables for a paper as a Word file."""

import io
import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesurv.data.faults import Fault, InputError

if TYPE_CHECKING:
    from docx.document import Document

    from bayesurv.report.paper_table import PaperTable

LANDSCAPE = 6  # columns from which the page lies on its side
WRITTEN = datetime(2000, 1, 1)  # the same table is the same file


def require_word() -> None:
    """See that python-docx is there.

    Raises
    ------
    InputError
        It is not installed.
    """
    try:
        import docx  # noqa: F401
    except ImportError:
        remedy = "install it with: pip install 'bayesurv[word]'; or write .html, .tex or .csv"
        raise InputError([Fault(f"Word files need the package python-docx; {remedy}")]) from None


def word_document(tables: "Sequence[PaperTable]") -> bytes:
    """A document with a page for each table: title, the table with its headings, footnotes.

    Raises
    ------
    InputError
        python-docx is not installed.
    """
    require_word()
    from docx import Document

    document = Document()
    for number, table in enumerate(tables):
        _page(document, wide=len(table.frame.columns) >= LANDSCAPE, first=number == 0)
        document.add_heading(table.title, level=2)
        if table.subtitle:
            document.add_paragraph(table.subtitle)
        _add(document, table)
        for note in table.footnotes:
            _small(document.add_paragraph(note))
    properties = document.core_properties
    properties.author, properties.comments = "bayesurv", ""
    properties.created = properties.modified = WRITTEN
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def _page(document: "Document", wide: bool, first: bool) -> None:
    """A new page, on its side for a wide table."""
    from docx.enum.section import WD_ORIENT, WD_SECTION
    from docx.shared import Cm

    section = document.sections[0] if first else document.add_section(WD_SECTION.NEW_PAGE)
    short, long = sorted((section.page_width or 0, section.page_height or 0))
    section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (long, short) if wide else (short, long)
    section.left_margin = section.right_margin = Cm(2)


def _add(document: "Document", table: "PaperTable") -> None:
    columns = [str(name) for name in table.frame.columns]
    heads = 2 if table.spanners else 1
    made = document.add_table(rows=heads + len(table.frame), cols=len(columns))
    grid = np.array(made._cells).reshape(-1, len(columns))  # made.cell() walks the whole table
    texts = [*_heads(table, columns), *table.frame.to_numpy()]
    for row, column in np.ndindex(grid.shape):
        _write(grid[row, column], texts[row][column], bold=row < heads)
    for label, spanned in table.spanners:
        first, last = columns.index(spanned[0]), columns.index(spanned[-1])
        _write(grid[0, first].merge(grid[0, last]), label, bold=True)
    for name in table.stub[:-1]:
        column = columns.index(name)
        for first, last in _repeated(list(table.frame[name])):
            whole = grid[heads + first, column].merge(grid[heads + last, column])
            _write(whole, table.frame[name].iloc[first])
    _rule(made, heads)


def _repeated(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """First and last place of each run of the same text."""
    for _, run in itertools.groupby(range(len(texts)), key=texts.__getitem__):
        first, *others = run
        if others:
            yield first, others[-1]


def _write(cell: Any, text: object, bold: bool = False) -> None:
    cell.text = str(text)
    _small(cell.paragraphs[0], bold)


def _heads(table: "PaperTable", columns: Sequence[str]) -> Iterator[list[str]]:
    """The rows of headings, the spanners' still empty."""
    if table.spanners:
        yield [""] * len(columns)
    yield [table.label(name) for name in columns]


def _small(paragraph: Any, bold: bool = False) -> None:
    from docx.shared import Pt

    paragraph.paragraph_format.space_after = Pt(2)
    for run in paragraph.runs:
        run.font.size, run.bold = Pt(8), bold


def _rule(made: Any, heads: int) -> None:
    """Lines above, below and between rows, none between columns; headings again on every page."""
    borders = _element("w:tblBorders")
    for side, width in {"top": 12, "bottom": 12, "insideH": 4}.items():
        borders.append(_element(f"w:{side}", val="single", sz=str(width), color="808080"))
    made._tbl.tblPr.append(borders)
    for row in made.rows[:heads]:
        row._tr.get_or_add_trPr().append(_element("w:tblHeader", val="true"))


def _element(name: str, **attributes: str) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made = OxmlElement(name)
    for attribute, value in attributes.items():
        made.set(qn(f"w:{attribute}"), value)
    return made
