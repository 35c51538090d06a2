"""Responses and adverse events from the command line: files, words, and faults that write none."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

OPTIONS = "treatment response event formula prior id missing out seed force".split()
FILES = {
    "response.csv", "response_contrasts.csv", "response_classical.csv", "parameters.csv",
    "diagnostics.csv", "posterior.nc", "response.png", "response.svg",
    "response.pdf", "respond.txt", "provenance.json",
}  # fmt: skip
LINE = "respond cohort.csv --treatment cti2 --response day30 --event infection --event renal"


@pytest.fixture(scope="module")
def bayesurv_in(bayesurv, tmp_path_factory):
    """A folder with a cohort, whose ids are words that must not leave the hospital."""
    place = tmp_path_factory.mktemp("respond")
    frame = pd.DataFrame(
        {
            "pid": [f"Bianchi{'ABCDEFGH'[i // 8]}{'ABCDEFGH'[i % 8]}" for i in range(61)],
            "cti2": np.repeat([1, 0], [27, 34]),
            "day30": np.r_[np.arange(27) < 8, np.arange(34) < 2].astype(int),
            "infection": np.r_[np.arange(27) < 18, np.arange(34) < 12].astype(int),
            "renal": np.r_[np.arange(27) < 1, np.arange(34) < 0].astype(int),
        }
    )
    frame.loc[3, "renal"] = np.nan
    frame.to_csv(place / "cohort.csv", index=False)
    return place


@pytest.fixture
def place(bayesurv_in, monkeypatch):
    monkeypatch.chdir(bayesurv_in)
    return bayesurv_in


@pytest.fixture(scope="module")
def answered(bayesurv, bayesurv_in):
    """What the command printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(bayesurv_in)
        return bayesurv(*LINE.split(), "--id", "pid", "--seed", 1, "--out", "answer")


def test_help_explains_every_option(bayesurv):
    shown = bayesurv("respond", "--help")
    assert shown.code == 0
    for option in OPTIONS:
        lines = [text.strip("│* ") for text in shown.out.splitlines()]
        [said] = [text for text in lines if text.startswith(f"--{option} ")]
        assert len(said.split()) > 4


def test_the_answer_is_in_one_folder(answered, place):
    assert (answered.code, answered.error) == (0, "")
    assert set(os.listdir("answer")) == FILES
    assert Path("answer", "respond.txt").read_text().splitlines()[1].startswith("day30: ")
    mark = json.loads(Path("answer", "provenance.json").read_text())
    assert set(mark["files"]) == FILES
    assert mark["command"].startswith("bayesurv respond cohort.csv")
    assert mark["fits"]["event"]["outcomes"] == ["infection", "renal"]
    assert mark["fits"]["event"]["passed_checks"]
    assert len(mark["data"]["sha256"]) == 64


def test_what_is_printed_is_what_is_written(answered, place):
    printed = " ".join(answered.out.replace("Note: ", "").split())
    assert " ".join(Path("answer", "respond.txt").read_text().split()) in printed
    assert "8/27" in printed
    assert "renal is not known of 1 of 61 patients, who leave this outcome only." in printed
    assert "No patient with cti2 = 0 had renal" in printed


def test_tables_have_every_outcome_and_only_their_columns(answered, place):
    risks, contrasts = (pd.read_csv(f"answer/{n}.csv") for n in ("response", "response_contrasts"))
    assert " ".join(risks) == "kind outcome arm events patients proportion estimate lower upper"
    expected = "kind outcome quantity estimate lower upper prob_worse mcse fisher_p"
    assert " ".join(contrasts) == expected
    assert list(risks["outcome"].unique()) == ["day30", "infection", "renal"]
    assert list(risks.query("outcome == 'renal'")["patients"]) == [34, 26]
    finite = contrasts[~contrasts["quantity"].str.startswith("number")]
    assert np.isfinite(finite.select_dtypes("number")).all(axis=None)
    parameters = pd.read_csv("answer/parameters.csv")["parameter"]
    assert {"coefficient[cti2, renal]", "group_sd[cti2]", "patient_sd"} <= set(parameters)
    assert not parameters.str.contains("patient_effect").any()


def test_no_patient_is_named_in_any_file(answered, place):
    for name in os.listdir("answer"):
        assert b"Bianchi" not in Path("answer", name).read_bytes()


def test_the_posterior_holds_each_kind(answered, place):
    tree = xr.load_datatree("answer/posterior.nc", engine="h5netcdf")
    assert set(tree.children) == {"response", "event"}
    assert tree["event/posterior"].sizes["outcome"] == 2
    assert tree["event/observed_data"]["outcomes"].isnull().sum() == 1


def test_the_same_seed_has_the_same_tables(bayesurv, answered, place):
    again = bayesurv(*LINE.split(), "--id", "pid", "--seed", 1, "--out", "second")
    assert again.out.replace("second", "answer") == answered.out
    for name in ("response.csv", "response_contrasts.csv", "parameters.csv"):
        assert Path("second", name).read_bytes() == Path("answer", name).read_bytes()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--treatment cti2", "name at least one outcome"),
        ("--treatment cti --event renal", 'Did you mean "cti2"?'),
        ("--treatment pid --event renal", "has 61 levels; name a covariate with two"),
        ("--treatment cti2 --event pid", '"BianchiAA" is neither 0 nor 1'),
        ("--treatment cti2 --event renal --formula day30", '"cti2" is not in the formula'),
        ("--treatment cti2 --event renal --id cti2", "patient \"1\" has a row already"),
        ("--treatment cti2 --event renal --prior risk=Beta(0,1)", "alpha must be finite and above"),
    ],
)  # fmt: skip
def test_a_fault_is_told_and_nothing_is_written(bayesurv, place, line, message):
    before = sorted(os.listdir())
    shown = bayesurv("respond", "cohort.csv", *line.split(), "--out", "refused")
    assert shown.code == 2
    assert message in shown.error
    assert "Traceback" not in shown.error
    assert sorted(os.listdir()) == before
