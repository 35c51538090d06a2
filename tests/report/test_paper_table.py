"""One table rendered four ways: the same strings everywhere, safe in each, nothing from outside."""

import csv
import io
import re
import sys
import zipfile
from html.parser import HTMLParser

import docx
import pandas as pd
import pytest

from bayesurv.data.faults import InputError
from bayesurv.report.paper_table import (
    PaperTable,
    check_table_file,
    is_table_file,
    paper_table_csv,
    paper_table_html,
    paper_table_latex,
    paper_table_page,
    write_paper_table,
    write_paper_tables,
)

NASTY = "50% of A_B & <b>C</b> #1 $x$ ^~{}\\"
TABLE = PaperTable(
    title="Hazard ratios, OS <1>",
    subtitle="61 patients, 41 events",
    frame=pd.DataFrame(
        {
            "group": ["stage ≥ III", "stage ≥ III", NASTY],
            "quantity": ["first", "second", "third"],
            "cox_hr": ["1.54 (0.86–2.75)", "–", "not estimable"],
            "cox_p": ["0.148", "<0.001", "–"],
            "bayes_hr": ["1.40 (−0.71 to 2.74)", "2", "3"],
        }
    ),
    spanners=(("Cox & co", ("cox_hr", "cox_p")), ("Bayesian", ("bayes_hr",))),
    footnotes=("Prior Normal(0, 0.75) & smoothing_sd; a*b*c <i>.", "Second."),
    labels={"group": "Group", "quantity": "Of", "cox_hr": "HR (95% CI)", "cox_p": "P",
            "bayes_hr": "HR (95% CrI)"},
    stub=("group", "quantity"),
)  # fmt: skip
PLAIN = PaperTable("Plain", "", pd.DataFrame({"a": ["x"], "b": ["1"]}))


class Page(HTMLParser):
    """Cells in their rows with what they span, ids, what refers to them, and all text."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.ids, self.named, self.tags, self.cell = [], [], [], [], None
        self.caption = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        self.tags.append((tag, told))
        self.ids += [told["id"]] if "id" in told else []
        self.named += told.get("headers", "").split()
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th", "caption"):
            self.cell = {"tag": tag, "text": "", **told}
            if tag != "caption":
                self.rows[-1].append(self.cell)

    def handle_endtag(self, tag):
        if tag == "caption":
            self.caption = self.cell["text"]
        if tag in ("td", "th", "caption"):
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell["text"] += data

    def texts(self):
        return [[cell["text"].strip() for cell in row] for row in self.rows]


# --- HTML ---


def test_the_page_has_every_string_under_its_headings_and_a_caption():
    page = Page(paper_table_html(TABLE))
    texts = page.texts()
    assert page.caption == "Hazard ratios, OS <1>61 patients, 41 events"
    assert texts[:2] == [["Group", "Of", "Cox & co", "Bayesian"],
                         ["HR (95% CI)", "P", "HR (95% CrI)"]]  # fmt: skip
    assert texts[2:5] == [
        ["stage ≥ III", "first", "1.54 (0.86–2.75)", "0.148", "1.40 (−0.71 to 2.74)"],
        ["second", "–", "<0.001", "2"],
        [NASTY, "third", "not estimable", "–", "3"],
    ]
    assert texts[5:] == [[note] for note in TABLE.footnotes]


def test_every_heading_has_a_scope_and_every_cell_names_headings_that_are_there():
    page = Page(paper_table_html(TABLE))
    headings = [told for tag, told in page.tags if tag == "th"]
    assert {told["scope"] for told in headings} == {"col", "colgroup", "row", "rowgroup"}
    assert len(set(page.ids)) == len(page.ids)
    assert page.named
    assert set(page.named) <= set(page.ids)


def test_the_part_takes_the_colours_of_its_page_and_asks_no_server():
    part = paper_table_html(TABLE)
    style = re.search("<style>(.*)</style>", part, re.DOTALL)[1]
    selectors = [s.strip() for rule in re.findall(r"([^{}]+)\{[^{}]*\}", style)
                 for s in rule.split(",")]  # fmt: skip
    assert all(selector.startswith(".paper-table") for selector in selectors)
    assert not re.search("white[^-]|#fff|http|url|import", style, re.IGNORECASE)
    assert "var(--ink" in style
    assert "<script" not in part + paper_table_page(TABLE)
    assert len(part) < 20_000


def test_a_table_is_the_same_every_time_and_two_share_no_id():
    assert paper_table_html(TABLE) == paper_table_html(TABLE)
    assert not set(Page(paper_table_html(TABLE)).ids) & set(Page(paper_table_html(PLAIN)).ids)


def test_a_page_of_its_own_is_whole():
    page = paper_table_page(PLAIN)
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>Plain</title>" in page
    assert 'lang="en"' in page


# --- LaTeX and CSV ---


def unescaped(text):
    """What LaTeX prints for the text of a cell."""
    for written, sign in {
        r"\textbackslash{}": "\\", r"\textasciicircum{}": "^", r"\textasciitilde{}": "~",
        r"\textless{}": "<", r"\textgreater{}": ">", r"$\geq$": "≥", "$-$": "−", "--": "–",
    }.items():  # fmt: skip
        text = text.replace(written, sign)
    return re.sub(r"\\([%_&#${}])", r"\1", text).strip()


def test_latex_prints_every_string_and_escapes_what_it_must():
    text = paper_table_latex(TABLE)
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")].splitlines()[1:]
    rows = [re.split(r"(?<!\\)&", row.removesuffix(r"\\")) for row in body]
    shown = [[unescaped(cell) for cell in row] for row in rows]
    expected = TABLE.frame.to_numpy().tolist()
    expected[1][0] = ""  # printed once
    assert shown == expected
    assert text.isascii()
    assert not re.search(r"(?<!\\)[#_]", "\n".join(body))
    assert "HR (95\\% CrI)" in text
    assert "Prior Normal(0, 0.75) \\& smoothing\\_sd; a*b*c" in text
    assert r"\multicolumn{2}{c}{Cox \& co}" in text


def test_latex_is_balanced_and_says_what_it_needs():
    text = paper_table_latex(TABLE)
    begun, ended = (re.findall(rf"\\{word}{{([a-z*]+)}}", text) for word in ("begin", "end"))
    assert sorted(begun) == sorted(ended)
    columns = re.search(r"\\fill}}([lcr]+)}", text)[1]
    assert len(columns) == len(TABLE.frame.columns)
    for package in ("booktabs", "caption"):
        assert f"\\usepackage{{{package}}}" in text.splitlines()[0]


def test_csv_has_the_strings_under_the_names_of_the_columns():
    rows = list(csv.reader(io.StringIO(paper_table_csv(TABLE))))
    assert rows[0] == ["group", "quantity", "cox_hr", "cox_p", "bayes_hr"]
    assert rows[1:] == TABLE.frame.to_numpy().tolist()


# --- Word and the folder ---


def test_word_has_the_strings_of_the_csv_cell_by_cell(tmp_path):
    write_paper_tables({"ratios": TABLE, "plain": PLAIN}, tmp_path, word=True)
    place = tmp_path / "tables"
    assert {path.name for path in place.iterdir()} == {
        "ratios.html", "ratios.tex", "ratios.csv", "plain.html", "plain.tex", "plain.csv",
        "tables.docx",
    }  # fmt: skip
    document = docx.Document(place / "tables.docx")
    for table, made, stem in zip((TABLE, PLAIN), document.tables, ("ratios", "plain"), strict=True):
        rows = [[cell.text for cell in row.cells] for row in made.rows]
        heads = 2 if table.spanners else 1
        text = (place / f"{stem}.csv").read_text("utf-8")
        written = list(csv.reader(io.StringIO(text)))
        assert rows[heads:] == written[1:]
        assert rows[heads - 1] == [table.label(name) for name in table.frame]
    spanned = [cell.text for cell in document.tables[0].rows[0].cells]
    assert spanned == ["", "", "Cox & co", "Cox & co", "Bayesian"]
    paragraphs = [paragraph.text for paragraph in document.paragraphs]
    for text in (TABLE.title, TABLE.subtitle, *TABLE.footnotes, PLAIN.title):
        assert text in paragraphs


def test_the_word_file_names_no_person_and_no_machine(tmp_path):
    write_paper_table(PLAIN, tmp_path / "a.docx")
    with zipfile.ZipFile(tmp_path / "a.docx") as packed:
        core = packed.read("docProps/core.xml").decode()
    assert re.search("<dc:creator>(.*)</dc:creator>", core)[1] == "bayesurv"
    assert "2000-01-01" in core


def test_a_wide_table_lies_on_its_side(tmp_path):
    wide = PaperTable(
        "Wide", "", pd.DataFrame([[str(i) for i in range(9)]], columns=list("abcdefghi"))
    )
    write_paper_tables({"plain": PLAIN, "wide": wide}, tmp_path, word=True)
    sections = docx.Document(tmp_path / "tables" / "tables.docx").sections
    assert [s.page_width > s.page_height for s in sections] == [False, True]


def test_without_tables_nothing_is_written(tmp_path):
    write_paper_tables({}, tmp_path, word=True)
    assert not list(tmp_path.iterdir())


def test_without_python_docx_the_remedy_is_told_and_nothing_written(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(InputError, match=r"pip install 'bayesurv\[word\]'"):
        write_paper_tables({"plain": PLAIN}, tmp_path, word=True)
    with pytest.raises(InputError, match=r"pip install 'bayesurv\[word\]'"):
        check_table_file(tmp_path / "a.docx")
    assert not list(tmp_path.iterdir())
    write_paper_tables({"plain": PLAIN}, tmp_path)
    assert len(list((tmp_path / "tables").iterdir())) == 3


@pytest.mark.parametrize("suffix", [".html", ".tex", ".csv", ".docx"])
def test_one_file_is_written_as_its_suffix_says(tmp_path, suffix):
    path = tmp_path / f"table{suffix}"
    assert is_table_file(path)
    check_table_file(path)
    write_paper_table(PLAIN, path)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.stat().st_size > 5


def test_other_documents_are_refused_and_folders_are_none(tmp_path):
    assert is_table_file(tmp_path / "table.pdf")
    assert not is_table_file(tmp_path / "tables-v1.2")
    (tmp_path / "old.html").mkdir()
    assert not is_table_file(tmp_path / "old.html")
    with pytest.raises(InputError, match=r"table\.pdf: a table is written as \.html, \.tex, \.csv"):
        check_table_file(tmp_path / "table.pdf")
    cohort = tmp_path / "cohort.csv"
    cohort.write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(InputError, match="is one of the files that are read"):
        check_table_file(cohort, cohort)
