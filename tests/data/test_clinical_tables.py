"""Reading clinical tables: files, cells and dates, and what is refused in each."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesurv.data.clinical.dates import COMMON, in_words, parse_format, read_dates
from bayesurv.data.clinical.schema import TABLES, dictionary, template
from bayesurv.data.clinical.tables import check_tables, read_tables
from bayesurv.data.faults import Checklist, InputError

DAY = date(2021, 3, 2)


def dated(cells, pattern="%Y-%m-%d"):
    """Cells of a column as dates, and the (row, message) of each fault; rows count from 0."""
    check = Checklist("patients.csv", range(len(cells)))
    values = pd.Series(cells, name="death_date", dtype=object)
    found = read_dates(check, values, pattern)
    return list(found), [(fault.row, fault.message) for fault in check.faults]


def faults(frames, **options):
    with pytest.raises(InputError) as caught:
        check_tables(frames, **options)
    return [(fault.file, fault.row, fault.column, fault.message) for fault in caught.value.faults]


# --- Dates ---


@pytest.mark.parametrize("pattern", COMMON)
@given(day=st.dates(min_value=date(1900, 1, 1)))
def test_a_date_in_the_stated_format_is_read(pattern, day):
    assert dated([day.strftime(pattern)], pattern) == ([day], [])
    assert parse_format(in_words(pattern)) == pattern == parse_format(pattern)


def test_a_date_cell_of_excel_is_a_date_whatever_the_format():
    cells = [datetime(2021, 3, 2), DAY, "02.03.2021", None, pd.NaT]
    assert dated(cells, "%d.%m.%Y") == ([DAY, DAY, DAY, None, None], [])


def test_a_time_of_day_is_refused():
    _, [(row, message)] = dated([DAY, datetime(2021, 3, 2, 14, 30)])
    assert row == 1
    assert "time of day" in message


def test_the_thirtieth_of_february_is_no_day():
    found, [(row, message)] = dated(["2021-03-02", "2021-02-30"])
    assert found == [DAY, None]
    assert (row, message) == (1, '"2021-02-30" is not a day of the calendar')


def test_a_column_in_another_format_is_one_fault_that_names_the_formats():
    found, [(row, message)] = dated([None, "05/06/2021", "07/08/2021"])
    assert found == [None] * 3
    assert row == 1
    assert "nor are the others" in message
    assert '--date-format "DD/MM/YYYY" or --date-format "MM/DD/YYYY"' in message


def test_a_day_above_12_tells_the_formats_apart():
    _, [(_, message)] = dated(["05/06/2021", "25/08/2021"])
    assert '"DD/MM/YYYY"' in message
    assert "MM/DD/YYYY" not in message


def test_two_formats_in_one_column_are_listed_cell_by_cell():
    found, wrong = dated(["2021-03-02", "02.03.2021", "3/2/2021"])
    assert found == [DAY, None, None]
    assert [row for row, _ in wrong] == [1, 2]
    assert all("more than one format" in message for _, message in wrong)


@pytest.mark.parametrize("cell", ["soon", "44256", "20210302", "2021-03", "21-03-02"])
def test_what_is_in_no_known_format_is_refused(cell):
    _, [(_, message)] = dated([cell])
    assert message == f'"{cell}" is not a date like YYYY-MM-DD'


@pytest.mark.parametrize("stated", ["DD.MM.YY", "%d/%m/%y", "YYYY-MM", "MM/MM/YYYY", "", "%x"])
def test_a_format_without_day_month_and_whole_year_is_refused(stated):
    with pytest.raises(InputError, match="--date-format"):
        parse_format(stated)


def test_months_by_name():
    assert dated(["02Mar2021", "02MAR2021"], parse_format("DDMONYYYY")) == ([DAY, DAY], [])


# --- Cells and columns ---


def test_cells_are_typed_by_the_schema(clinical):
    frames = clinical(
        [{"ipi_onset": "3", "bulk_cm_onset": "7.50", "double_hit": 1.0, "site": " Bari "}],
        labs=[{"date": "2020-02-01", "value": "390", "lod": "NA"}],
    )
    tables = check_tables(frames)
    [row] = tables.frames["patients"].to_dict("records")
    assert row["salvage_start_date"] == date(2020, 1, 1)
    assert (row["ipi_onset"], row["bulk_cm_onset"]) == (3, 7.5)
    assert (row["double_hit"], row["site"], row["crp"]) == ("1", "Bari", None)
    assert list(tables.frames["patients"]) == [column.name for column in TABLES["patients"]]
    assert tables.given["labs"] == ("patient_id", "date", "analyte", "value")


def test_every_bad_cell_of_every_table_is_listed(clinical):
    frames = clinical(
        [
            {"ann_arbor_onset": "V", "ipi_onset": 6, "age_at_salvage": "old"},
            {"salvage_type": "CTI 2", "sex": "m", "lines_pre_cti1": 2.5, "crp": "inf"},
        ],
        assessments=[{"date": "2020-02-01", "response": "CRi"}],
        adverse_events=[{"term": "anemia", "grade": 7, "start_date": None}],
        labs=[{"date": "2020-02-01", "value": -1}],
    )
    found = {(file, row, column): message for file, row, column, message in faults(frames)}
    assert set(found) == {
        ("patients", 0, "ann_arbor_onset"),
        ("patients", 0, "ipi_onset"),
        ("patients", 0, "age_at_salvage"),
        ("patients", 1, "salvage_type"),
        ("patients", 1, "sex"),
        ("patients", 1, "lines_pre_cti1"),
        ("patients", 1, "crp"),
        ("assessments", 0, "response"),
        ("adverse_events", 0, "term"),
        ("adverse_events", 0, "grade"),
        ("adverse_events", 0, "start_date"),
        ("labs", 0, "value"),
    }
    assert 'Did you mean "CTI2"?' in found["patients", 1, "salvage_type"]
    assert 'Did you mean "anaemia"?' in found["adverse_events", 0, "term"]
    assert "6 is out of range; it is 0 to 5" in found["patients", 0, "ipi_onset"]


def test_a_cell_that_cannot_be_read_is_not_called_missing_as_well(clinical):
    frames = clinical([{"salvage_start_date": "2020-02-30", "death_date": "soon",
                        "death_cause": "lymphoma", "salvage_type": "?"}])  # fmt: skip
    columns = [column for _, _, column, _ in faults(frames)]
    assert sorted(columns) == ["death_date", "salvage_start_date", "salvage_type"]


def test_a_misspelt_column_is_refused_and_another_is_noted(clinical):
    frames = clinical()
    wrong = {"patients": frames["patients"].assign(sexx="M", ward=3)}
    [(_, _, column, message)] = faults(wrong)
    assert column == "sexx"
    assert 'Did you mean "sex"?' in message
    tables = check_tables({"patients": frames["patients"].assign(ward=3)})
    assert tables.notes == ("Columns of patients that are not in the schema: ward",)


def test_columns_that_must_be_there(clinical):
    frames = clinical(assessments=[{"date": "2020-02-01", "response": "SD"}])
    del frames["patients"]["death_date"], frames["assessments"]["phase"]
    missing = [(file, column, message) for file, _, column, message in faults(frames)]
    said = "the column is missing"
    assert missing == [("patients", "death_date", said), ("assessments", "phase", said)]


def test_tables_must_be_known_and_patients_among_them(clinical):
    assert faults({"labs": clinical()["patients"]})[0][3].startswith(
        "the table patients is missing"
    )
    frames = {**clinical(), "assessment": pd.DataFrame()}
    [(*_, message)] = faults(frames)
    assert 'Did you mean "assessments"?' in message
    twice = pd.concat([clinical()["patients"]] * 2, axis="columns")
    assert ("patient_id", "several columns have this name; give each its own") in [
        (column, message) for *_, column, message in faults({"patients": twice})
    ]


# --- Files ---


@pytest.fixture
def folder(tmp_path, clinical):
    frames = clinical(assessments=[{"date": "2020-02-01", "response": "SD"}])
    for name, frame in frames.items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


def test_files_are_known_by_their_names(folder):
    tables = read_tables(folder.glob("*.csv"))
    assert set(tables.frames) == {"patients", "assessments"}
    assert tables.frames["assessments"].index.tolist() == [2]
    (folder / "patients.csv").rename(folder / "people.csv")
    named = read_tables([f"patients={folder / 'people.csv'}"])
    assert named.sources == {"patients": "people.csv"}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["patient.csv"], 'Did you mean "patients"'),
        (["patients.csv", "patients=other.csv"], "given twice"),
        (["patients.csv", "lab=x.csv"], 'Did you mean "labs"'),
        (["assessments.csv"], "the table patients is missing"),
    ],
)
def test_files_that_are_no_table(folder, monkeypatch, files, message):
    monkeypatch.chdir(folder)
    with pytest.raises(InputError, match=message):
        read_tables(files)


def workbook(path, frames):
    with pd.ExcelWriter(path) as writer:
        for name, frame in frames.items():
            frame.to_excel(writer, sheet_name=name, index=False)
    return path


def test_a_workbook_has_a_sheet_for_each_table(tmp_path, clinical):
    frames = clinical(labs=[{"date": "2020-02-01", "value": 390}])
    frames["patients"]["salvage_start_date"] = pd.Timestamp("2020-01-01")
    frames["assessments"] = template()["assessments"]
    frames["dictionary"] = dictionary()
    tables = read_tables([workbook(tmp_path / "tables.xlsx", frames)])
    assert set(tables.frames) == {"patients", "labs"}
    assert tables.frames["patients"].at[2, "salvage_start_date"] == date(2020, 1, 1)
    assert tables.sources["labs"] == "tables.xlsx, sheet labs"


def test_a_sheet_of_another_name_is_refused(tmp_path, clinical):
    path = workbook(tmp_path / "tables.xlsx", {**clinical(), "lab": template()["labs"]})
    with pytest.raises(InputError, match='"lab" is none of .* Did you mean "labs"'):
        read_tables([path])


@pytest.mark.parametrize("content", [b"", b"no workbook", None])
def test_a_workbook_that_is_none(tmp_path, content):
    if content is not None:
        (tmp_path / "tables.xlsx").write_bytes(content)
    with pytest.raises(InputError, match=r"tables.xlsx"):
        read_tables([tmp_path / "tables.xlsx"])


# --- Template and dictionary ---


def test_the_dictionary_has_every_column_of_the_template():
    described = dictionary()
    for name, table in template().items():
        assert table.empty
        assert described.loc[described["table"].eq(name), "column"].tolist() == list(table)
    assert described["meaning"].str.len().min() > 2
    assert described.loc[described["type"].eq("level"), "allowed"].str.contains(",").all()


def test_levels_in_order_of_the_schema_are_distinct():
    for columns in TABLES.values():
        for column in columns:
            assert len(set(column.levels)) == len(column.levels)
            assert bool(column.levels) == (column.kind == "level")
    assert np.unique(dictionary()["type"]).tolist() == [
        "date", "level", "number", "text", "whole number",
    ]  # fmt: skip
