"""Tables for a paper as a Word file."""

import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

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
    made.style = "Table Grid"
    grid = made._cells  # each access of a row's cells walks the whole table
    for row, texts in enumerate((*_heads(table, columns), *table.frame.to_numpy())):
        for column, text in enumerate(texts):
            cell = grid[row * len(columns) + column]
            cell.text = str(text)
            _small(cell.paragraphs[0], bold=row < heads)
    for label, spanned in table.spanners:
        first, last = columns.index(spanned[0]), columns.index(spanned[-1])
        merged = grid[first].merge(grid[last])
        merged.text = label
        _small(merged.paragraphs[0], bold=True)
    for row in made.rows[:heads]:
        _repeat(row)


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


def _repeat(row: Any) -> None:
    """Print the headings again on every page of the table."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)
