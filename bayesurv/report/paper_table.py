"""A table as it goes into a paper, and the same strings as HTML, LaTeX, CSV and Word."""

import hashlib
import html
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bayesurv.data.faults import Fault, InputError, listed
from bayesurv.report.files import check_files
from bayesurv.report.paper_word import require_word, word_document

if TYPE_CHECKING:
    from great_tables import GT

type Spanner = tuple[str, tuple[str, ...]]

CSS = """
.paper-table { overflow-x: auto; margin: 1.5em 0; }
.paper-table table { border-collapse: collapse; color: inherit; background: transparent;
  border-top: 2px solid var(--ink, currentColor); border-bottom: 2px solid var(--ink, currentColor);
  font-size: .9em; font-variant-numeric: tabular-nums; }
.paper-table caption { text-align: left; padding-bottom: .5em; }
.paper-table caption span { display: block; font-size: .9em; }
.paper-table th, .paper-table td { padding: .25em .7em; border: 0; text-align: left;
  vertical-align: top; background: transparent; }
.paper-table tbody td { white-space: nowrap; }
@media print { .paper-table tbody td { white-space: normal; } }
.paper-table th { font-weight: normal; }
.paper-table thead th { font-weight: bold; vertical-align: bottom; }
.paper-table thead th[scope=colgroup] { text-align: center;
  border-bottom: 1px solid var(--line, #8888); }
.paper-table tbody { border-top: 1px solid var(--ink, currentColor); }
.paper-table tbody tr + tr > * { border-top: 1px solid var(--line, #8884); }
.paper-table tfoot { border-top: 1px solid var(--ink, currentColor); font-size: .9em; }
.paper-table tfoot td { max-width: 0; }
"""
"""Colours are those of the page around it, where it has any."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>:root {{ color-scheme: light dark; font-family: system-ui, sans-serif; }}</style>
</head>
<body>
{body}
</body>
</html>
"""
OTHER_DOCUMENTS = (".doc", ".htm", ".md", ".odt", ".pdf", ".png", ".rtf", ".txt", ".xlsx")
LATEX = {
    "–": "--", "−": "$-$", "≥": r"$\geq$", "≤": r"$\leq$", "×": r"$\times$", "±": r"$\pm$",
    "…": r"\ldots{}", "²": r"\textsuperscript{2}",
}  # fmt: skip
PREAMBLE = "% Needs \\usepackage{booktabs}, \\usepackage{caption} and \\usepackage[T1]{fontenc}.\n"


@dataclass(frozen=True, eq=False)
class PaperTable:
    r"""A table of strings, as it is printed.

    frame : a column for each of the table's, named as in the CSV file.
    spanners : what stands over several columns, and which.
    labels : what stands over a column, by its name; the name itself unless given.
    stub : the columns that name the row; where all but the last repeat, they are printed once.
    """

    title: str
    subtitle: str
    frame: pd.DataFrame
    spanners: tuple[Spanner, ...] = ()
    footnotes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    stub: tuple[str, ...] = ()

    def label(self, column: str) -> str:
        """What stands over a column."""
        return self.labels.get(column, column)


def write_paper_tables(tables: Mapping[str, PaperTable], folder: Path, word: bool = False) -> None:
    """Write `tables/<stem>.html`, `.tex` and `.csv` of each; all of them as `tables/tables.docx`.

    Parameters
    ----------
    tables
        By the stem of their files; without any nothing is written.
    folder
        In which the folder `tables` is made.
    word
        Whether to write the Word file, which needs python-docx.

    Raises
    ------
    InputError
        python-docx is not installed; nothing is written then.
    """
    if word:
        require_word()
    if not tables:
        return
    place = folder / "tables"
    place.mkdir(parents=True, exist_ok=True)
    for stem, table in tables.items():
        for suffix in (".html", ".tex", ".csv"):
            write_paper_table(table, place / f"{stem}{suffix}")
    if word:
        (place / "tables.docx").write_bytes(word_document(list(tables.values())))


def write_paper_table(table: PaperTable, path: Path) -> None:
    """Write one table as the suffix says: .html, .tex, .csv or .docx; whole or not at all.

    Raises
    ------
    InputError
        Tables are not written as such files, or python-docx is not installed.
    """
    _check_kind(path)
    content = WRITERS[path.suffix.lower()](table)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def is_table_file(path: Path) -> bool:
    """Whether a path names a document and no folder."""
    return not path.is_dir() and path.suffix.lower() in (*WRITERS, *OTHER_DOCUMENTS)


def check_table_file(path: Path, *inputs: Path) -> None:
    """Refuse a file that a table cannot be written as, before anything is computed.

    Raises
    ------
    InputError
        Tables are not written as such files, python-docx is not installed, the place is not
        writable, or the file is one of the `inputs`.
    """
    _check_kind(path)
    check_files([path], inputs)


def _check_kind(path: Path) -> None:
    kind = path.suffix.lower()
    if kind not in WRITERS:
        raise InputError([Fault(f"{path}: a table is written as {listed(WRITERS)}")])
    if kind == ".docx":
        require_word()


def paper_table_html(table: PaperTable) -> str:
    """One table as a part of a page, in the page's colours; nothing outside it is touched."""
    made = _great_table(table).as_raw_html()
    body = made[made.index("<table") : made.rindex("</table>") + len("</table>")]
    title = html.escape(table.title)
    subtitle = f"<span>{html.escape(table.subtitle)}</span>" if table.subtitle else ""
    caption = f"<caption><strong>{title}</strong>{subtitle}</caption>"
    body = re.sub(r"^<table[^>]*>", lambda _: f"<table>\n{caption}", body)
    body = re.sub(r' class="[^"]*"', "", body)
    around = f'<div class="paper-table" tabindex="0" role="group" aria-label="{title}">'
    return f"{around}\n<style>{CSS}</style>\n{body}\n</div>\n"


def paper_table_page(table: PaperTable) -> str:
    """One table as a page of its own."""
    return PAGE.format(title=html.escape(table.title), body=paper_table_html(table))


def paper_table_latex(table: PaperTable) -> str:
    """One table as a LaTeX float, in characters that any LaTeX knows."""
    made = _great_table(table).tab_header(table.title, table.subtitle or None)
    text = made.tab_options(table_font_size="12px").as_latex()  # 9 pt
    text = re.sub(r"(\\begin\{tabular\*\}.*)\|", r"\1", text)  # no line beside the row's name
    for sign, written in LATEX.items():
        text = text.replace(sign, written)
    return PREAMBLE + text


def paper_table_csv(table: PaperTable) -> str:
    """The strings of the table under the names of its columns."""
    return table.frame.to_csv(index=False)


def _great_table(table: PaperTable) -> "GT":
    """The table without its title; ids in it follow from what it holds."""
    from great_tables import GT

    content = table.title + paper_table_csv(table)
    name = f"table-{hashlib.sha256(content.encode()).hexdigest()[:8]}"
    stub = list(table.stub or table.frame.columns[:1])
    made = GT(table.frame, rowname_col=stub, auto_align=False, id=name)
    made = made.cols_align("left")
    made = made.cols_label({each: table.label(each) for each in table.frame.columns})
    made = made.tab_stubhead([table.label(each) for each in stub])
    for label, columns in table.spanners:
        made = made.tab_spanner(label, list(columns), id=f"{label} {columns[0]}")
    for note in table.footnotes:
        made = made.tab_source_note(note)
    return made


WRITERS: dict[str, Callable[[PaperTable], bytes]] = {
    ".html": lambda table: paper_table_page(table).encode(),
    ".tex": lambda table: paper_table_latex(table).encode(),
    ".csv": lambda table: paper_table_csv(table).encode(),
    ".docx": lambda table: word_document([table]),
}
