"""Files of a derivation: together or not at all, over nothing of another origin."""

import json
import os

import pandas as pd
import pytest

from bayesurv.data.clinical.schema import TABLES
from bayesurv.data.endpoints import Options, check_tables, derive
from bayesurv.data.faults import InputError
from bayesurv.data.read import read_table
from bayesurv.report import files as writing
from bayesurv.report.derive import follow_up, rules_as_run, run_derive, write_template
from bayesurv.report.files import check_files, write_files

NAMES = {f"cohort.{end}" for end in ("csv", "audit.csv", "flow.csv", "rules.md", "provenance.json")}
ENDS = {"P1": (1, "death_date", 100), "P2": (1, "last_contact_date", 300),
        "P3": (0, "death_date", 50), "P4": (0, "last_contact_date", 400),
        "P5": (0, "last_contact_date", 200)}  # fmt: skip


def patients():
    """Five patients who were followed for 50 to 400 days."""
    start = pd.Timestamp("2020-01-01")
    rows = []
    for who, (cti2, column, days) in ENDS.items():
        end = {
            "death_date": None,
            "last_contact_date": None,
            column: start + pd.Timedelta(days, "D"),
        }
        salvage = "CTI2" if cti2 else "chemo"
        rows.append(
            {"patient_id": who, "salvage_type": salvage, "salvage_start_date": start, **end}
        )
    return pd.DataFrame(rows)


@pytest.fixture
def folder(tmp_path):
    patients().to_csv(tmp_path / "patients.csv", index=False)
    return tmp_path


def run(folder, out="cohort.csv", **options):
    return run_derive([str(folder / "patients.csv")], folder / out, Options(**options))


def test_the_course_of_each_patient_is_drawn_only_if_asked_for(folder):
    run_derive([str(folder / "patients.csv")], folder / "cohort.csv", Options(), swimmer=True)
    figures = {f"cohort.swimmer.{kind}" for kind in ("png", "svg", "pdf")}
    assert set(os.listdir(folder)) == {"patients.csv", *NAMES, *figures}
    mark = json.loads((folder / "cohort.provenance.json").read_text())
    assert set(mark["files"]) == NAMES | figures
    drawn = (folder / "cohort.swimmer.svg").read_text("utf-8")
    assert "other salvage (n = 3)" in drawn
    assert "Months since start of salvage" in drawn
    assert not any(who in drawn for who in ENDS)


def test_a_swimmer_of_another_origin_is_not_replaced(folder):
    (folder / "cohort.swimmer.pdf").write_text("mine")
    with pytest.raises(InputError, match="bayesurv did not write it"):
        run_derive([str(folder / "patients.csv")], folder / "cohort.csv", Options(), swimmer=True)
    assert set(os.listdir(folder)) == {"patients.csv", "cohort.swimmer.pdf"}


def test_everything_is_written_beside_the_cohort(folder):
    derived, _ = run(folder, unit="days")
    assert set(os.listdir(folder)) == {"patients.csv", *NAMES}
    cohort = read_table(folder / "cohort.csv")
    assert cohort["os_days"].astype(float).tolist() == [100, 300, 50, 400, 200]
    assert len(read_table(folder / "cohort.audit.csv")) == len(derived.audit)
    assert read_table(folder / "cohort.flow.csv")["patients"].tolist() == ["5", "5"]
    mark = json.loads((folder / "cohort.provenance.json").read_text())
    assert set(mark["files"]) == NAMES
    assert mark["options"]["unit"] == "days"
    assert list(mark["inputs"]) == ["patients.csv"]


def test_only_the_cohort_and_its_audit_hold_patients(folder):
    table = patients().assign(patient_id=[f"Secret{letter}" for letter in "ABCDE"])
    table.to_csv(folder / "patients.csv", index=False)
    run(folder)
    holding = {name for name in NAMES if "Secret" in (folder / name).read_text()}
    assert holding == {"cohort.csv", "cohort.audit.csv"}


def test_follow_up_by_reverse_kaplan_meier():
    derived = derive(check_tables({"patients": patients()}), Options(unit="days"))
    seen = follow_up(derived).set_index("arm")
    assert seen["patients"].to_dict() == {"CTI2": 2, "other salvage": 3, "all": 5}
    assert seen["deaths"].to_dict() == {"CTI2": 1, "other salvage": 1, "all": 2}
    # Of all: 200, 300 and 400 are ends of follow-up with 3, 2 and 1 patients left.
    assert seen["median_follow_up"].to_dict() == {"CTI2": 300, "other salvage": 300, "all": 300}
    assert seen.loc["all", ["shortest", "longest"]].tolist() == [50, 400]


def test_the_rules_as_run_say_every_rule_and_option(folder):
    derived, seen = run(folder)
    text = rules_as_run(derived, seen, {"unit": "months", "cutoff": "none"})
    assert text == (folder / "cohort.rules.md").read_text().replace(
        "\n".join(f"- {name}: {value}" for name, value in stated(derived).items()),
        "- unit: months\n- cutoff: none",
    )
    for rule in derived.rules:
        assert f"| {rule.said} |" in text
    assert "{unit}" not in text


def stated(derived):
    return derived.options.shown() | {"date-format": "YYYY-MM-DD", "cutoff": "none"}


def test_a_second_run_replaces_the_first(folder):
    run(folder)
    run(folder, unit="weeks")
    assert "os_weeks" in read_table(folder / "cohort.csv")
    assert set(os.listdir(folder)) == {"patients.csv", *NAMES}


@pytest.mark.parametrize("name", sorted(NAMES - {"cohort.provenance.json"}))
def test_files_of_another_origin_are_not_replaced(folder, name):
    (folder / name).write_text("mine")
    with pytest.raises(InputError, match="bayesurv did not write it"):
        run(folder)
    assert (folder / name).read_text() == "mine"
    assert set(os.listdir(folder)) == {"patients.csv", name}


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("patients.csv", "is one of the files that are read"),
        ("cohort.txt", "is not the name of a .csv file"),
        ("none/cohort.csv", "there is no folder"),
    ],
)
def test_an_output_that_cannot_be(folder, out, message):
    before = (folder / "patients.csv").read_text()
    with pytest.raises(InputError, match=message):
        run(folder, out)
    assert os.listdir(folder) == ["patients.csv"]
    assert (folder / "patients.csv").read_text() == before


def test_a_folder_of_the_name_is_refused(tmp_path):
    (tmp_path / "cohort.csv").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        check_files([tmp_path / "cohort.csv"], [], tmp_path / "mark.json")


def test_faults_leave_nothing(folder):
    patients().assign(salvage_type="?").to_csv(folder / "patients.csv", index=False)
    with pytest.raises(InputError):
        run(folder)
    assert os.listdir(folder) == ["patients.csv"]


def test_an_interrupt_while_writing_leaves_what_was_there(folder, monkeypatch):
    run(folder)
    before = {name: (folder / name).read_text() for name in NAMES}

    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(writing.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_files({folder / name: "new" for name in sorted(NAMES)})
    assert {name: (folder / name).read_text() for name in NAMES} == before
    assert set(os.listdir(folder)) == {"patients.csv", *NAMES}


# --- Empty tables ---


def test_the_template_is_what_derive_reads(tmp_path):
    names = write_template(tmp_path / "tables")
    assert names == sorted([*(f"{name}.csv" for name in TABLES), "dictionary.csv"])
    for name, columns in TABLES.items():
        header = (tmp_path / "tables" / f"{name}.csv").read_text()
        assert header == ",".join(column.name for column in columns) + "\n"
    described = read_table(tmp_path / "tables" / "dictionary.csv")
    assert len(described) == sum(map(len, TABLES.values()))


def test_filled_tables_are_never_replaced(tmp_path):
    write_template(tmp_path / "tables")
    before = (tmp_path / "tables" / "patients.csv").read_text()
    with pytest.raises(InputError, match="did not write"):
        write_template(tmp_path / "tables", workbook=True)
    assert (tmp_path / "tables" / "patients.csv").read_text() == before


def test_a_filled_workbook_is_read(tmp_path):
    from openpyxl import load_workbook

    assert write_template(tmp_path / "tables", workbook=True) == ["clinical-tables.xlsx"]
    path = tmp_path / "tables" / "clinical-tables.xlsx"
    book = load_workbook(path)
    assert book.sheetnames == [*TABLES, "dictionary"]
    for row in patients().to_dict("records"):
        cells = [row.get(column.name) for column in TABLES["patients"]]
        book["patients"].append([None if pd.isna(cell) else cell for cell in cells])
    book.save(path)
    derived, _ = run_derive([str(path)], tmp_path / "cohort.csv", Options(unit="days"))
    assert derived.cohort["os_days"].tolist() == [100, 300, 50, 400, 200]
