"""The commands of the clinical tables, typed: what they print and write, and how they refuse."""

import json

import pandas as pd
import pytest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_published(bayesurv, folder):
    result = bayesurv("published", "--out", "answer")
    assert (result.code, result.error) == (0, "")
    said = " ".join(result.out.split())
    for text in ("cytokine release", "0.9346", "and rule spss most: 19", "s00262-025-04001-7"):
        assert text in said
    names = {path.name for path in (folder / "answer").iterdir()}
    assert names == {
        "p_values.csv", "rules.csv", "not_recomputed.csv", "hazard_ratios.csv",
        "contradictions.csv", "published.txt", "provenance.json",
    }  # fmt: skip
    mark = json.loads((folder / "answer" / "provenance.json").read_text("utf-8"))
    assert set(mark["files"]) == names


def test_tables(bayesurv, folder, cohort_csv):
    result = bayesurv("tables", cohort_csv, "--by", "cti2", "--columns", "age, bulky,stage",
                      "--ordinal", "stage=I,II,III,IV", "--summary", "mean-sd")  # fmt: skip
    assert (result.code, result.error) == (0, "")
    table = pd.read_csv(folder / "bayesurv-tables" / "baseline.csv", keep_default_na=False)
    assert list(table)[2:5] == ["overall (N=61)", "cti2 0 (N=34)", "cti2 1 (N=27)"]
    assert table["variable"].tolist() == ["age", "bulky", "stage", "", "", ""]
    assert table["level"].tolist() == ["", "1", "I", "II", "III", "IV"]
    assert {path.name for path in (folder / "bayesurv-tables").iterdir()} == {
        "baseline.csv", "values.csv", "tests.csv", "tables.txt", "provenance.json",
    }  # fmt: skip
    assert "Wilcoxon" in result.out
    assert "61 patients of cohort.csv by cti2" in result.out


def test_no_patient_leaves_in_a_table_of_all_columns(bayesurv, folder, cohort_csv):
    result = bayesurv("tables", cohort_csv, "--by", "cti2", "--out", "answer")
    assert result.code == 0
    written = "".join(path.read_text("utf-8") for path in (folder / "answer").iterdir())
    assert "P003" not in result.out + written
    assert "may name patients: pid" in result.out


@pytest.mark.parametrize("suffix", [".docx", ".html", ".tex", ".csv"])
def test_one_file_for_the_paper(bayesurv, folder, cohort_csv, suffix):
    asked = ("--by", "cti2", "--columns", "age,bulky", "--out", f"table1{suffix}")
    result = bayesurv("tables", cohort_csv, *asked)
    assert (result.code, result.error) == (0, "")
    assert f"Results are in table1{suffix}" in result.out
    assert {path.name for path in folder.iterdir()} == {"cohort.csv", f"table1{suffix}"}
    if suffix == ".csv":
        table = pd.read_csv("table1.csv")
        assert table.loc[0, "level"] == "–"
        assert table["variable"].tolist() == ["age", "bulky"]


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("table1.pdf", "a table is written as .html, .tex, .csv, .docx"),
        ("nowhere/table1.html", "there is no folder"),
        ("cohort.csv", "is one of the files that are read"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused(bayesurv, folder, cohort_csv, out, said):
    before = cohort_csv.read_bytes()
    result = bayesurv("tables", cohort_csv, "--by", "cti2", "--out", out)
    assert (result.code, said in result.error) == (2, True)
    assert cohort_csv.read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["cohort.csv"]


@pytest.mark.parametrize("command", ["published", "tables"])
def test_help_says_what_each_option_is(bayesurv, command):
    shown = bayesurv(command, "--help")
    assert shown.code == 0
    assert "--out" in shown.out
    if command == "tables":
        for option in ("--by", "--columns", "--rule", "--ordinal", "--summary"):
            assert option in shown.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--by", "cti"], 'column cti: no such column, named by --by. Did you mean "cti2"?'),
        (["--by", "cti2", "--columns", "agee"], 'named by --columns. Did you mean "age"?'),
        (["--by", "cti2", "--rule", "fishr"], '"fishr" is not known. Did you mean "fisher"?'),
        (["--by", "cti2", "--summary", "mean"], '--summary "mean" is not known.'),
        (["--by", "cti2", "--ordinal", "stage"], 'write it as "stage=I,II,III,IV"'),
        (["--by", "cti2", "--ordinal", "stage=I,II"], '"IV" is not one of the levels I, II'),
        (["--by", "cti2", "--ordinal", "grade=0,1"], "grade: no such column, named by --ordinal"),
        (["--by", "age"], "different values; --by takes a column of 2 to 10"),
        (["--by", "cti2", "--columns", "pid"], "its levels may name single patients; leave it out"),
        (["--by", "cti2", "--columns", "cti2"], "no column besides cti2 is left to show"),
    ],
)  # fmt: skip
def test_a_fault_is_said_and_nothing_written(bayesurv, folder, cohort_csv, options, said):
    result = bayesurv("tables", cohort_csv, *options, "--out", "answer")
    assert result.code == 2
    assert said in result.error
    assert "Traceback" not in result.error
    assert not (folder / "answer").exists()


def test_every_fault_is_listed_with_its_row(bayesurv, folder, frame):
    frame["age"] = frame["age"].astype(object)
    frame.loc[4, "age"], frame.loc[7, "age"], frame.loc[8, "os_months"] = "old", "n/k", float("inf")
    frame.to_csv("cohort.csv", index=False)
    result = bayesurv("tables", "cohort.csv", "--by", "cti2")
    assert result.code == 2
    assert 'cohort.csv, row 6, column age: "old" is not a number' in result.error
    assert 'cohort.csv, row 9, column age: "n/k" is not a number' in result.error
    assert "cohort.csv, row 10, column os_months: inf is not finite" in result.error


def test_no_such_file(bayesurv, folder):
    result = bayesurv("tables", "nowhere.csv", "--by", "cti2")
    assert (result.code, "no file nowhere.csv" in result.error) == (2, True)


def test_a_table_too_large_for_an_exact_test(bayesurv, folder):
    rows = [(f"g{i % 5}", f"level {i % 6}") for i in range(210)]
    pd.DataFrame(rows, columns=["arm", "kind"]).to_csv("cohort.csv", index=False)
    result = bayesurv("tables", "cohort.csv", "--by", "arm", "--rule", "fisher")
    assert result.code == 2
    assert "column kind: the table is too large for an exact test" in result.error
    assert bayesurv("tables", "cohort.csv", "--by", "arm", "--rule", "pearson").code == 0


def test_a_group_called_as_all_are(bayesurv, folder):
    pd.DataFrame({"arm": ["overall", "b"] * 4, "age": range(8)}).to_csv("c.csv", index=False)
    result = bayesurv("tables", "c.csv", "--by", "arm")
    assert (result.code, 'a group is called "overall"' in result.error) == (2, True)
