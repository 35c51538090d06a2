"""Clinical tables, typed: an analysis table that fit takes, or every fault and nothing else."""

import os

import pandas as pd
import pytest

TABLES = {
    "patients": """\
patient_id,sex,age_at_salvage,ann_arbor_onset,bulk_cm_onset,cti1_best_response,salvage_type,\
salvage_start_date,death_date,death_cause,last_contact_date,included,exclusion_reason
A,M,40,3,7.5,PR,CTI2,2020-05-01,2020-11-01,infection,,1,
B,F,60,IV,3,SD,chemo,2020-03-01,,,2021-03-01,1,
C,M,17,I,,CR,RT,2020-06-10,2020-08-01,lymphoma,,1,
D,F,50,II,10,PD,,,,,,0,palliative care
""",
    "assessments": """\
patient_id,phase,date,modality,response
A,salvage,2020-06-01,PETCT,CR
A,salvage,2020-08-01,PETCT,PD
B,salvage,2020-04-05,CT,SD
C,salvage,2020-07-01,CT,SD
""",
    "adverse_events": """\
patient_id,term,grade,start_date,related
A,infection,3,2020-06-20,1
B,infection,3,2020-12-01,1
""",
}
OPTIONS = (
    "out date-format cutoff unit origin efs unknown-related pfs-censor response-window "
    "relapse-origin day-zero swimmer"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, text in TABLES.items():
        (tmp_path / f"{name}.csv").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(folder, table, old, new):
    path = folder / f"{table}.csv"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


FILES = [f"{name}.csv" for name in TABLES]


def test_help_explains_every_option(bayesurv):
    shown = bayesurv("derive", "--help")
    for option in OPTIONS.split():
        [said] = [text for text in shown.out.splitlines() if text.startswith(f"│ --{option} ")]
        assert len(said.strip("│ ").split()) > 4
    assert "data dictionary" in " ".join(bayesurv("template", "--help").out.split())


def test_derive_says_what_it_did(bayesurv, folder):
    shown = bayesurv("derive", *FILES)
    assert (shown.code, shown.error) == (0, "")
    lines = [line.split() for line in shown.out.splitlines()]
    assert ["screened", "4"] in lines
    assert ["excluded:", "palliative", "care", "1"] in lines
    assert ["included", "3", "1", "2"] in lines
    assert ["CTI2", "1", "1", "not", "reached", "6.0", "6.0"] in lines
    assert "severe adverse event after PFS was censored: not counted (1 patient)" in shown.out
    assert "cohort.audit.csv" in shown.out
    cohort = pd.read_csv("cohort.csv").set_index("patient_id")
    assert cohort["efs_months"].round(2).to_dict() == {"A": 1.64, "B": 1.15, "C": 1.71}
    assert cohort["stage"].to_dict() == {"A": "III", "B": "IV", "C": "I"}


def test_the_analysis_table_is_fitted(bayesurv, folder):
    assert bayesurv("derive", *FILES).code == 0
    shown = bayesurv(
        "prior", "cohort.csv", "--time", "pfs_left_months", "--upper", "pfs_upper_months",
        "--event", "pfs_event", "--unit", "months", "--id", "patient_id", "--formula", "cti2",
    )  # fmt: skip
    assert shown.code == 0, shown.error


def test_options_reach_the_rules(bayesurv, folder):
    shown = bayesurv(
        "derive", *FILES, "--unit", "days", "--efs", "E1", "--pfs-censor", "last-contact",
        "--response-window", "25-40", "--cutoff", "2021-06-01", "--out", "days.csv",
    )  # fmt: skip
    assert shown.code == 0
    cohort = pd.read_csv("days.csv").set_index("patient_id")
    assert cohort["efs_days"].to_dict() == {"A": 92, "B": 365, "C": 52}
    assert cohort["efs_e2_days"].to_dict() == {"A": 50, "B": 275, "C": 52}
    rules = (folder / "days.rules.md").read_text()
    assert "- response-window: 25-40" in rules
    assert "- cutoff: 2021-06-01" in rules


def test_every_fault_is_listed_and_nothing_written(bayesurv, folder):
    change(folder, "patients", "2020-05-01,2020-11-01", "2020-02-30,2020-11-01")
    change(folder, "patients", "2020-06-10,2020-08-01", "2020-06-10,2020-06-01")
    change(folder, "patients", "CTI2", "CTI-2")
    change(folder, "assessments", "B,salvage", "E,salvage")
    shown = bayesurv("derive", *FILES)
    assert (shown.code, shown.out) == (2, "")
    for said in (
        'patients.csv, row 2, column salvage_start_date: patient A: "2020-02-30" is not a day of',
        'Did you mean "CTI2"?',
        "patients.csv, row 4, column death_date: patient C: 2020-06-01 is before "
        "salvage_start_date 2020-06-10",
        "assessments.csv, row 4, column patient_id: patient E is not in the table patients",
        "assessments.csv, row 5, column date: patient C: 2020-07-01 is after death_date 2020-06-01",
    ):
        assert said in shown.error
    assert sorted(os.listdir()) == sorted(FILES)


def test_a_date_format_is_asked_for_and_taken(bayesurv, folder):
    for table in TABLES:
        path = folder / f"{table}.csv"
        path.write_text(pd.Series([path.read_text()]).str.replace(
            r"(\d{4})-(\d\d)-(\d\d)", r"\3.\2.\1", regex=True)[0])  # fmt: skip
    shown = bayesurv("derive", *FILES)
    assert shown.code == 2
    assert 'state the format: --date-format "DD.MM.YYYY"' in shown.error
    for stated in ("DD.MM.YYYY", "%d.%m.%Y"):
        assert bayesurv("derive", *FILES, "--date-format", stated).code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cutoff", "soon"], '--cutoff reads like "2022-05-31"; got "soon"'),
        (["--cutoff", "2020-10-01"], "is after the data cutoff 2020-10-01"),
        (["--response-window", "month"], '--response-window reads like "20-45"; got "month"'),
        (["--efs", "E5"], '--efs "E5" is none of E1, E2, E3, E4'),
        (["--origin", "failure"], "failure_date: is missing for patient A; --origin failure"),
        (["--date-format", "DD/MM"], "--date-format"),
        (["--out", "cohort.xlsx"], "is not the name of a .csv file"),
    ],
)
def test_options_that_cannot_be(bayesurv, folder, options, message):
    shown = bayesurv("derive", *FILES, *options)
    assert shown.code == 2
    assert message in shown.error
    assert sorted(os.listdir()) == sorted(FILES)


def test_template(bayesurv, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = bayesurv("template")
    assert shown.code == 0
    assert "patients.csv" in shown.out
    assert "dictionary.csv" in os.listdir("clinical-tables")
    assert bayesurv("template").code == 2
    shown = bayesurv("template", "--workbook", "--out", "book")
    assert os.listdir("book") == ["clinical-tables.xlsx"]


def test_an_empty_table_of_the_template_is_left_aside(bayesurv, folder):
    assert bayesurv("template", "--out", "empty").code == 0
    shown = bayesurv("derive", *FILES, "labs=empty/labs.csv")
    assert (shown.code, shown.error) == (0, "")
    assert "Note: labs.csv has no rows and was left aside" in shown.out
    assert "igg_nadir" not in pd.read_csv("cohort.csv")
    refused = bayesurv("derive", "empty/patients.csv", "--out", "other.csv")
    assert (refused.code, os.path.exists("other.csv")) == (2, False)
    assert "patients.csv: the file names its columns but has no rows" in refused.error
