"""Bad input, typed as a user types it: exit code 2, one clear message, and nothing is written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

COLUMNS = {"time": "os_months", "event": "os_event", "unit": "months", "formula": "cti2"}
PLAN = {
    "cohort": 'file = "cohort.csv"\nunit = "months"',
    "endpoint.os": 'time = "os_months"\nevent = "os_event"',
    "model": 'formula = "cti2"',
}


@pytest.fixture(autouse=True)
def cohort(tmp_path, monkeypatch, frame):
    """The cohort as text in the working folder, which nothing may change."""
    monkeypatch.chdir(tmp_path)
    table = frame.astype(str)
    table.to_csv("cohort.csv", index=False)
    return table


@pytest.fixture
def faults(bayesurv):
    """Type a command; the lines of its error, after checking that nothing else has happened."""

    def refused(*line):
        before = sorted(Path().rglob("*"))
        shown = bayesurv(*line)
        assert (shown.code, shown.out) == (2, "")
        assert "Traceback" not in shown.error
        assert sorted(Path().rglob("*")) == before
        first, *others = shown.error.removeprefix("Error: ").splitlines()
        if others:
            assert first == f"{len(others)} faults:"
        return [line.strip() for line in others] or [first]

    return refused


@pytest.fixture
def fit(faults):
    """Type `bayesurv fit`, with options changed, or left out where None."""

    def typed(file="cohort.csv", **options):
        given = COLUMNS | {"out": "out"} | options
        pairs = [(f"--{name}", value) for name, value in given.items() if value is not None]
        return faults("fit", file, *[part for pair in pairs for part in pair])

    return typed


@pytest.fixture
def plan(faults):
    """Write a plan with sections changed or added, and type `bayesurv fit` with it."""

    def typed(**sections):
        text = "".join(f"[{name}]\n{keys}\n" for name, keys in (PLAN | sections).items())
        Path("plan.toml").write_text(text)
        return faults("fit", "plan.toml", "--out", "out")

    return typed


def spoilt(cohort, column, *values):
    """The cohort's file with values in the first rows of a column, beginning at line 2."""
    cohort.loc[: len(values) - 1, column] = values
    cohort.to_csv("cohort.csv", index=False)


def places(found):
    return [fault.partition(": ")[0] for fault in found]


# --- The file ---


def test_no_file(fit):
    [fault] = fit("cohrt.csv")
    assert fault.startswith("cohrt.csv: no file ")
    assert fault.endswith('Did you mean "cohort.csv"?')


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "bad.csv: the file is empty"),
        (b"\n \n", "bad.csv: the file is empty"),
        (b"os_months,os_event,cti2\n", "bad.csv: the file names its columns but has no rows"),
        (b"a,b\n1,2\n1\n", "bad.csv, row 3: 1 fields, but the header has 2"),
        (b'a,b\n1,"2\n1,1\n', 'bad.csv, row 2: a quotation mark (") is not closed'),
        ("a,b\n1,Müller\n".encode("latin-1"), "bad.csv, row 2: the byte at position 7 (0xfc) is"),
        ("a,b\n1,2\n".encode("utf-16"), "bad.csv, row 1: the byte at position 0 (0xff) is not"),
    ],
)
def test_a_file_that_cannot_be_read(fit, content, said):
    Path("bad.csv").write_bytes(content)
    [fault] = fit("bad.csv")
    assert fault.startswith(said)


def test_a_kind_of_file_that_is_not_read(fit):
    Path("cohort.sav").write_text("x")
    assert fit("cohort.sav") == [
        'cohort.sav: a ".sav" file cannot be read; use .csv, .tsv, .txt, .parquet, .xlsx'
    ]


def test_missing_columns(fit):
    first, second = fit(time="os_month", event="died")
    assert first.startswith("cohort.csv, column os_month: no such column, named for time. Did you")
    assert 'Did you mean "os_months"?' in first
    assert second.startswith("cohort.csv, column died: no such column, named for event.")
    assert "The columns are pid, cti2, bulky, " in second


# --- The rows ---


def test_times(fit, cohort):
    spoilt(cohort, "os_months", "-3", "0", "abc", "inf", "", "3,5")
    found = {int(fault.split("row ")[1].partition(",")[0]): fault for fault in fit()}
    said = {
        2: "-3.0 is not above 0",
        3: "use half a day (0.0164 months), or exclude the patient and say so",
        4: '"abc" is not a number',
        5: "inf is not finite",
        6: "is missing",
        7: '"3,5" is not a number; write a plain number with a decimal point',
    }
    assert sorted(found) == list(said)
    for row, words in said.items():
        assert found[row].startswith(f"cohort.csv, row {row}, column os_months: ")
        assert words in found[row]


def test_events(fit, cohort):
    spoilt(cohort, "os_event", "2", "yes", "")
    found = sorted(fit())
    assert places(found) == [f"cohort.csv, row {row}, column os_event" for row in (2, 3, 4)]
    assert '"2" is neither 0 nor 1; write 1 for an event and 0 for a censored row' in found[0]
    assert "is missing" in found[2]


def test_no_events(fit, cohort):
    spoilt(cohort, "os_event", *["0"] * 61)
    [fault] = fit()
    assert fault.startswith("cohort.csv: no events: every row is censored")


def test_entry(fit, cohort):
    cohort["start"] = "0"
    spoilt(cohort, "start", "99", cohort["os_months"][1])
    found = fit(entry="start")
    assert places(found) == [f"cohort.csv, row {row}, column start" for row in (2, 3)]
    assert "99.0 is not before the time " in found[0]


def test_upper(fit, cohort):
    cohort["end"] = ""
    cohort["os_event"] = "1"
    spoilt(cohort, "end", "0.01")
    [fault] = fit(upper="end")
    assert fault.startswith("cohort.csv, row 2, column end: 0.01 is before the time ")


def test_a_patient_who_is_there_twice(fit, cohort):
    spoilt(cohort, "pid", "P7", "P7")
    [fault] = fit(id="pid")
    assert fault.startswith("cohort.csv, row 3, column pid: patient P7 is already in row 2; ")


def test_overlapping_rows_of_a_patient(fit, cohort):
    cohort["start"] = "0"
    spoilt(cohort, "pid", "P7", "P7")
    [fault] = fit(id="pid", entry="start")
    assert "patient P7: (0.0, " in fault
    assert "rows of one patient may touch, not overlap" in fault


def test_missing_covariates(fit, cohort):
    spoilt(cohort, "cti2", "", "NA", "1")
    spoilt(cohort, "age", "50", "50", "")
    found = fit(formula="cti2 + age", id="pid")
    assert sorted(places(found)) == [
        "cohort.csv, row 2, column cti2",
        "cohort.csv, row 3, column cti2",
        "cohort.csv, row 4, column age",
    ]
    assert ["P000" in found[0], "P001" in found[1], "P002" in found[2]] == [True] * 3


def test_faults_of_all_kinds_are_listed_together_up_to_20(bayesurv, fit, cohort):
    spoilt(cohort, "os_months", *["x"] * 15)
    spoilt(cohort, "os_event", *["9"] * 15)
    line = ["fit", "cohort.csv", *(f"--{k}={v}" for k, v in COLUMNS.items()), "--out=out"]
    shown = bayesurv(*line).error.splitlines()
    assert shown[0] == "Error: 30 faults:"
    assert shown[-1].strip() == "... and 10 more"
    assert len(shown) == 22


# --- Formula and covariates ---


def test_constant_covariate(fit, cohort):
    spoilt(cohort, "bulky", *["1"] * 61)
    [fault] = fit(formula="cti2 + bulky")
    assert "bulky" in fault
    assert "is the same for all patients; leave it out" in fault


def test_collinear_covariates(fit, cohort):
    cohort["again"] = cohort["bulky"]
    cohort.to_csv("cohort.csv", index=False)
    [fault] = fit(formula="cti2 + bulky + again")
    assert "bulky, again determine one another (collinear); leave one out" in fault


def test_unknown_terms(fit):
    found = " ".join(fit(formula="cti + bulkyy"))
    assert 'Did you mean "bulky"?' in found
    assert 'Did you mean "cti2"?' in found


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("cti2 + spline(age)", "unknown function or name 'spline'"),
        ("cti2 + (", "cannot be read"),
        ("0 + cti2", "the baseline hazard is the intercept"),
    ],
)
def test_formulas_that_cannot_be(fit, formula, said):
    [fault] = fit(formula=formula)
    assert said in fault


def test_bad_rows_and_a_bad_formula_are_told_together(fit, cohort):
    spoilt(cohort, "os_months", "0")
    assert len(fit(formula="cti2 + bulkyy")) == 2


# --- Options ---


def test_every_option_that_is_missing(faults):
    found = faults("fit", "cohort.csv", "--out", "out")
    assert [fault.partition(": ")[0] for fault in found] == [
        "--unit",
        "--time",
        "--event",
        "--formula",
    ]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("baseline", "weibul", 'Did you mean "weibull"?'),
        ("missing", "dropp", 'Did you mean "drop"?'),
        ("treatment", "cti", 'Did you mean "cti2"?'),
        ("treatment", "bulky", '"bulky" is not in the formula'),
        ("seed", "-1", "--seed: -1 is below 0"),
        ("endpoint", "a/b", "use letters, digits, - and _ only"),
        ("id", "", "--id: must not be empty"),
    ],
)
def test_values_of_options(fit, option, value, said):
    [fault] = fit(**{option: value})
    assert said in fault


def test_a_treatment_without_arms(fit):
    [fault] = fit(formula="cti2 + age", treatment="age")
    assert re.fullmatch(
        r'\[estimand\] treatment: "age" has \d+ levels; name a covariate with two', fault
    )


def test_an_option_that_does_not_exist(bayesurv):
    shown = bayesurv("fit", "cohort.csv", "--tretment", "cti2")
    assert (shown.code, shown.out) == (2, "")
    assert "--treatment" in shown.error


# --- The output folder ---


def test_output_below_a_file(fit):
    [fault] = fit(out="cohort.csv/out")
    where = Path("cohort.csv").absolute()
    assert fault == (
        f"output folder cohort.csv/out cannot be written ({where} is a file); "
        "choose another with --out"
    )


def test_output_that_holds_something_else(fit):
    Path("thesis").mkdir()
    Path("thesis/chapter.tex").write_text("x")
    assert fit(out="thesis") == [
        "output folder thesis holds files that bayesurv did not write; choose another with --out"
    ]


def test_earlier_results_stay(bayesurv, fit, cohort):
    line = ["prior", "cohort.csv", *(f"--{k}={v}" for k, v in COLUMNS.items()), "--out=out"]
    assert bayesurv(*line).code == 0
    before = {path: path.read_bytes() for path in Path("out").rglob("*.*")}
    fit(formula="nothing")
    assert {path: path.read_bytes() for path in Path("out").rglob("*.*")} == before


# --- Plans ---


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"model": 'formla = "cti2"'}, '[model] formla: unknown key. Did you mean "formula"?'),
        ({"modle": "x = 1"}, 'unknown section. Did you mean "model"?'),
        ({"model": 'formula = "cti2"\nbaseline = ["weibul"]'}, 'Did you mean "weibull"?'),
        ({"priors": 'coefficient = "Norml(0, 1)"'}, 'Did you mean "Normal"?'),
        ({"priors": 'coefficient = { cti = "Normal(0, 1)" }'}, 'Did you mean "cti2"?'),
        ({"model": 'formula = "cti2"\ncuts = [3, 6]'}, "[model] cuts: only piecewise-exponential"),
        (
            {"priors": 'intercept = "Normal(0, 1)"\nmedian_survival = { lower = 3, upper = 9 }'},
            "median_survival takes the place of intercept; give one of them",
        ),
        ({"estimand": "horizon = -1"}, "[estimand] horizon: -1 is not above 0"),
        ({"estimand": "x = "}, "plan.toml, row 10: not valid TOML"),
        ({"cohort": 'file = "kohort.csv"\nunit = "months"'}, 'Did you mean "cohort.csv"?'),
    ],
)
def test_plans_that_cannot_be(plan, sections, said):
    assert [fault for fault in plan(**sections) if said in fault]


def test_times_past_follow_up(plan, cohort, bayesurv):
    end = pd.to_numeric(cohort["os_months"]).max()
    found = plan(estimand="times = [1, 600]\nhorizon = 500")
    largest = f"is past the end of follow-up of os_months; the largest allowed is {end} months"
    assert found == [f"[estimand] times: 600 {largest}", f"[estimand] horizon: 500 {largest}"]
    text = Path("plan.toml").read_text()
    Path("plan.toml").write_text(text.replace("600", f"{end}").replace("500", f"{end}"))
    assert bayesurv("prior", "plan.toml", "--out", "out").code == 0


@pytest.mark.parametrize("command", ["fit", "prior"])
def test_profiles(faults, command):
    profiles = '[{ label = "a", stage = "I" }, { label = "b", stage = "V" }]'
    sections = PLAN | {"model": 'formula = "stage"', "estimand": f"profiles = {profiles}"}
    Path("plan.toml").write_text("".join(f"[{k}]\n{v}\n" for k, v in sections.items()))
    [fault] = faults(command, "plan.toml", "--out", "out")
    assert fault.startswith("[estimand] profiles, row 2, column stage: ")
    assert "known are I, II, III, IV" in fault


def test_a_profile_without_a_covariate(plan):
    [fault] = plan(estimand='profiles = [{ label = "a" }]')
    assert fault.startswith("[estimand] profiles, column cti2: no such column")


def test_a_profile_fault_is_told_once_for_all_models(plan):
    endpoints = PLAN["endpoint.os"].replace("os_", "efs_")
    model = 'formula = "cti2"\nbaseline = ["weibull", "exponential"]'
    sections = {"endpoint.efs": endpoints, "model": model}
    assert len(plan(**sections, estimand='profiles = [{ label = "a" }]')) == 1


# --- Predictions ---


def test_a_fit_that_is_not_there(faults):
    assert faults("predict", "nothing", "cohort.csv") == [
        "nothing: no such file; name a posterior.nc, or the folder that holds it"
    ]


def test_a_fit_that_is_no_fit(faults):
    assert faults("predict", "cohort.csv", "cohort.csv", "--out", "p.csv") == [
        "cohort.csv: damaged, or not a file that bayesurv wrote; run the fit again"
    ]


# --- In a process of its own ---


def test_exit_code_and_no_traceback():
    line = [sys.executable, "-m", "bayesurv.cli", "fit", "cohort.csv", "--time", "os_months"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == "Error: 3 faults:"
    assert os.listdir() == ["cohort.csv"]
