"""Files of every kind, and everything that can be wrong with one."""

import sys
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesurv.data.cohort import Cohort
from bayesurv.data.faults import InputError
from bayesurv.data.read import read_table

ROLES = {"time": "months", "event": "died", "unit": "months"}
GOOD = "months,died,stage\n12.5,1,II\n7,0,I\n"


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path, **options):
    with pytest.raises(InputError) as caught:
        read_table(path, **options)
    assert all(fault.file == path.name for fault in caught.value.faults)
    return [(fault.row, fault.message) for fault in caught.value.faults]


def workbook(path, sheets):
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    book.save(path)
    return path


# --- Text ---


def test_csv_is_text_by_line_number(tmp_path):
    table = read_table(write(tmp_path, "a.csv", GOOD))
    assert table.index.tolist() == [2, 3]
    assert table.to_dict("list") == {
        "months": ["12.5", "7"],
        "died": ["1", "0"],
        "stage": ["II", "I"],
    }
    assert "notes" not in table.attrs


def test_nothing_is_guessed(tmp_path):
    table = read_table(write(tmp_path, "a.csv", "id,sex,day\n007,NA,1/2\n"))
    assert table.loc[2].tolist() == ["007", "NA", "1/2"]


@pytest.mark.parametrize(
    ("name", "delimiter", "note"),
    [
        ("a.csv", ",", None),
        ("A.CSV", ",", None),
        ("a.csv", ";", "a.csv has semicolons between columns"),
        ("a.csv", "\t", "a.csv has tabs between columns"),
        ("a.tsv", "\t", None),
        ("a.txt", "\t", None),
        ("a.txt", ",", "a.txt has commas between columns"),
        ("a.txt", ";", "a.txt has semicolons between columns"),
    ],
)
def test_delimiters(tmp_path, name, delimiter, note):
    path = write(tmp_path, name, GOOD.replace(",", delimiter))
    assert read_table(path).loc[2].tolist() == ["12.5", "1", "II"]
    assert Cohort.from_file(path, **ROLES).notes == ((note,) if note else ())


def test_a_comma_inside_a_quoted_name_does_not_hide_semicolons(tmp_path):
    table = read_table(write(tmp_path, "a.csv", '"Age, years";died\n61;1\n'))
    assert list(table) == ["Age, years", "died"]


def test_semicolons_in_a_tsv_are_cells(tmp_path):
    assert list(read_table(write(tmp_path, "a.tsv", "a;b\n1;2\n"))) == ["a;b"]


def test_decimal_commas_are_refused_by_row(tmp_path):
    path = write(tmp_path, "a.csv", "months;died\n12,5;1\n7;0\n")
    with pytest.raises(InputError, match='row 2, column months: "12,5" is not a number') as caught:
        Cohort.from_file(path, **ROLES)
    assert "decimal point, such as 12.5" in str(caught.value)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_mark_and_blank_lines(tmp_path, end):
    lines = [" months ,died", "", "12,1", " , ", "7,0", ",", ""]
    table = read_table(write(tmp_path, "a.csv", "\ufeff" + end.join(lines)))
    assert list(table) == ["months", "died"]
    assert table.index.tolist() == [3, 5]


def test_a_quoted_cell_may_run_over_lines(tmp_path):
    table = read_table(write(tmp_path, "a.csv", 'months,note\n1,"a\nb, c"\n2,d\n'))
    assert table.index.tolist() == [2, 4]
    assert table.note[2] == "a\nb, c"


def test_unnamed_columns(tmp_path):
    table = read_table(write(tmp_path, "a.csv", '"",months,died,\n1,12,1,\n2,7,0,\n'))
    assert list(table) == ["column 1", "months", "died"]


# --- Text that cannot be read ---


def test_every_line_with_the_wrong_number_of_fields(tmp_path):
    path = write(tmp_path, "a.csv", "a,b,c\n1,2,3\n1,2\n1,2,3\n1,2,3,4\n")
    found = refused(path)
    assert [row for row, _ in found] == [3, 5]
    assert "2 fields, but the header has 3" in found[0][1]
    assert "4 fields, but the header has 3" in found[1][1]


def test_a_quotation_mark_left_open(tmp_path):
    [(row, message)] = refused(write(tmp_path, "a.csv", 'a,b\n1,2\n3,"x\n5,6\n'))
    assert row == 3
    assert "quotation mark" in message


def test_columns_of_one_name(tmp_path):
    path = write(tmp_path, "a.csv", "\na,b,a ,b,c\n1,2,3,4,5\n")
    with pytest.raises(InputError) as caught:
        read_table(path)
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(2, "a"), (2, "b")]
    assert "2 times (columns 1, 3)" in caught.value.faults[0].message


@pytest.mark.parametrize(
    ("content", "row", "position"),
    [
        (GOOD.encode() + "3,1,Ménard\n".encode("latin-1"), 4, len(GOOD) + 5),
        (GOOD.encode("utf-16"), 1, 0),
    ],
)
def test_not_utf8(tmp_path, content, row, position):
    [(line, message)] = refused(write(tmp_path, "a.csv", content))
    assert line == row
    assert f"byte at position {position} " in message
    assert "save the file as UTF-8" in message


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff", ",,\n,,\n"])
def test_empty(tmp_path, content):
    assert refused(write(tmp_path, "a.csv", content)) == [(None, "the file is empty")]


def test_header_only(tmp_path):
    [(_, message)] = refused(write(tmp_path, "a.csv", "months,died\n"))
    assert "has no rows" in message


def test_missing_file_suggests_its_neighbour(tmp_path):
    write(tmp_path, "cohort.csv", GOOD)
    [(_, message)] = refused(tmp_path / "cohrt.csv")
    assert "no file" in message
    assert 'Did you mean "cohort.csv"?' in message
    assert "no file" in refused(tmp_path / "nowhere" / "a.csv")[0][1]


def test_a_folder(tmp_path):
    (tmp_path / "a.csv").mkdir()
    assert "is a folder" in refused(tmp_path / "a.csv")[0][1]


def test_a_file_that_may_not_be_opened(tmp_path, monkeypatch):
    def denied(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", denied)
    assert "cannot be read: Permission denied" in refused(tmp_path / "a.csv")[0][1]


def test_other_kinds_of_file(tmp_path):
    [(_, message)] = refused(write(tmp_path, "a.sav", "x"))
    assert 'a ".sav" file cannot be read; use .csv, .tsv, .txt, .parquet, .xlsx' in message


def test_broken_parquet(tmp_path):
    assert "not a readable Parquet" in refused(write(tmp_path, "a.parquet", "junk"))[0][1]


# --- Parquet and Excel ---


def test_parquet_keeps_types_and_a_named_index(tmp_path):
    frame = pd.DataFrame({"months": [1.5, 2], "died": [True, False]}, index=[7, 9])
    frame.to_parquet(tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet")
    assert table.index.tolist() == [1, 2]
    assert list(table) == ["months", "died"]
    assert table.died.dtype == bool
    frame.rename_axis("pid").to_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet").pid.tolist() == [7, 9]


def test_excel_rows_are_those_of_the_sheet(tmp_path):
    rows = [["months", "died", None], [12.5, True, None], [], [7, False, None]]
    table = read_table(workbook(tmp_path / "a.xlsx", {"data": rows}))
    assert table.index.tolist() == [2, 4]
    assert table.to_dict("list") == {"months": [12.5, 7], "died": [True, False]}


def test_excel_sheet_by_name(tmp_path):
    sheets = {"read me": [["about"], ["x"]], "data": [["months"], [12]]}
    path = workbook(tmp_path / "a.xlsx", sheets)
    assert list(read_table(path, sheet="data")) == ["months"]
    assert list(read_table(path, sheet="read me")) == ["about"]
    assert "name the sheet; the workbook has read me, data" in refused(path)[0][1]
    assert 'Did you mean "data"?' in refused(path, sheet="dta")[0][1]


def test_cohort_from_a_named_sheet(tmp_path):
    rows = [line.split(",") for line in GOOD.splitlines()]
    path = workbook(tmp_path / "a.xlsx", {"notes": [["x"], [1]], "data": rows})
    assert Cohort.from_file(path, sheet="data", **ROLES).time.tolist() == [12.5, 7]


def test_only_excel_has_sheets(tmp_path):
    assert "only Excel has sheets" in refused(write(tmp_path, "a.csv", GOOD), sheet="data")[0][1]


def test_excel_error_cells_are_not_missing(tmp_path):
    rows = [["months", "died", "upper"], [12.5, 1, "#VALUE!"], [7, 0, None]]
    path = workbook(tmp_path / "a.xlsx", {"data": rows})
    with pytest.raises(InputError, match='row 2, column upper: "#VALUE!" is not a number'):
        Cohort.from_file(path, upper="upper", **ROLES)


def test_broken_excel(tmp_path):
    assert "without a password" in refused(write(tmp_path, "a.xlsx", "junk"))[0][1]


def test_excel_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    message = refused(write(tmp_path, "a.xlsx", "x"))[0][1]
    assert "pip install 'bayesurv[excel]'" in message


# --- One cohort, whatever the file ---

# openpyxl writes 16 digits of a number, so the numbers have fewer.
NUMBERS = st.integers(1, 10**9).map(lambda number: number / 10**5)
CELLS = st.fixed_dictionaries(
    {
        "months": NUMBERS,
        "died": st.booleans(),
        "age": st.one_of(st.none(), st.integers(18, 99)),
        "ldh": st.one_of(st.none(), NUMBERS),
        "bulky": st.one_of(st.none(), st.booleans()),
        "stage": st.sampled_from(["I", "II", "III", "IV", None]),
        "centre": st.integers(1, 12),
        "infused": st.dates(date(2018, 1, 1), date(2025, 1, 1)),
        "response": st.sampled_from(["CR", "Müller; Söhne", 'a "b", c', "two\nlines"]),
    }
)


def save(frame, folder):
    frame.to_csv(folder / "a.csv", index=False)
    frame.to_csv(folder / "semicolons.csv", index=False, sep=";")
    frame.to_csv(folder / "a.tsv", index=False, sep="\t")
    frame.to_parquet(folder / "a.parquet")
    frame.to_excel(folder / "a.xlsx", index=False)
    return [folder / name for name in ("semicolons.csv", "a.tsv", "a.parquet", "a.xlsx")]


@settings(max_examples=25, deadline=None)
@given(st.lists(CELLS, min_size=2, max_size=6))
def test_equal_cohorts_from_every_kind_of_file(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("kinds")
    frame = pd.DataFrame(cells)
    frame.loc[0, "died"] = True
    options = ROLES | {
        "ordinal": {"stage": ["I", "II", "III", "IV"]},
        "reference": {"centre": int(frame.centre[0])},
    }
    others = save(frame, folder)
    first = Cohort.from_file(folder / "a.csv", **options)
    assert first.digest() == Cohort.from_frame(frame, **options).digest()
    for path in others:
        cohort = Cohort.from_file(path, **options)
        pd.testing.assert_frame_equal(cohort.covariates, first.covariates)
        assert cohort.time.tolist() == frame.months.tolist()
        assert cohort.digest() == first.digest()
        assert cohort.source == path.name


def test_faults_name_the_line_of_the_file(tmp_path):
    text = "months,died\n12,1\n\n-3,0\n7,0\n"
    with pytest.raises(InputError, match=r"^a\.csv, row 4, column months: -3\.0 is not above 0"):
        Cohort.from_file(write(tmp_path, "a.csv", text), **ROLES)


def test_patients_without_id_are_their_lines(tmp_path):
    assert Cohort.from_file(write(tmp_path, "a.csv", GOOD), **ROLES).patient.tolist() == ["2", "3"]
