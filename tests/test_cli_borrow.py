"""`bayesurv borrow`, typed: on a saved fit, on a published estimate, its list and its faults."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.data.published.external import external_evidence

FILES = {"borrow.csv", "components.csv", "tipping.csv", "borrow.txt"}
FILES |= {"borrowing.png", "borrowing.svg", "borrowing.pdf"}
OPTIONS = (
    "treatment estimate evidence hazard-ratio medians weight vague origin endpoint across-origins "
    "threshold list out"
)
PAPER = ("--estimate", "1.665 (0.883-3.141)", "--endpoint", "os")
XUE = ("--evidence", "xue_2024_os", "--origin", "salvage-start", "--across-origins")
AGREEING = ("--hazard-ratio", "registry=0.6 (0.4-0.9) from progression", "--origin", "progression")


@pytest.fixture
def alone(weibull_fit, tmp_path, monkeypatch):
    """A saved fit by itself in the working folder."""
    monkeypatch.chdir(tmp_path)
    bs.save(weibull_fit, "posterior.nc", endpoint="os", treatment="cti2")
    return tmp_path


@pytest.fixture
def faults(bayesurv, alone):
    """Type a command; its error, after checking that nothing else has happened."""

    def refused(*typed):
        before = sorted(Path().rglob("*"))
        shown = bayesurv("borrow", *typed)
        assert (shown.code, shown.out) == (2, "")
        assert "Traceback" not in shown.error
        assert sorted(Path().rglob("*")) == before
        return shown.error

    return refused


def words(text):
    return " ".join(text.split())


def test_help_explains_every_option(bayesurv):
    shown = bayesurv("borrow", "--help")
    assert shown.code == 0
    for option in OPTIONS.split():
        [said] = [text for text in shown.out.splitlines() if text.startswith(f"│ --{option} ")]
        assert len(said.strip("│ ").split()) > 4


def test_xue_is_dropped_from_the_published_estimate(bayesurv, alone):
    shown = bayesurv("borrow", *PAPER, *XUE, "--out", "answer")
    assert (shown.code, shown.error) == (0, "")
    assert set(os.listdir("answer")) == {*FILES, "provenance.json"}
    said = words(shown.out)
    assert (
        "The data are in conflict with xue_2024_os (z 4.1, two-sided prior predictive P <0.001)"
        in said
    )
    assert "its weight goes from 0.5 to <0.001: it is as good as dropped" in said
    assert (
        "Pooled across origins of time, as asked (data: salvage-start; xue_2024_os: not-stated)"
        in said
    )
    assert "CD20 CAR-T (54) to no CAR-T (39)" in said
    table = pd.read_csv("answer/borrow.csv").set_index("analysis")
    assert table["hazard_ratio"].round(2).tolist() == [1.59, 1.59, 0.63]
    text = Path("answer/borrow.txt").read_text()
    assert words(text) in words(shown.out.replace("Note: ", ""))


def test_a_fit_is_borrowed_for(bayesurv, alone, weibull_fit):
    shown = bayesurv("borrow", "posterior.nc", *AGREEING, "--out", "answer")
    assert (shown.code, shown.error) == (0, "")
    assert set(os.listdir("answer")) == {*FILES, "provenance.json"}
    components = pd.read_csv("answer/components.csv").set_index("component")
    assert list(components.index) == ["registry", "vague"]
    assert components["prior_weight"].tolist() == [0.5, 0.5]
    both = components[["posterior_weight", "posterior_weight_normal"]]
    assert (both.diff(axis=1).iloc[:, 1].abs() < 0.03).all()
    assert components["posterior_weight"].sum() == pytest.approx(1)
    mark = json.loads(Path("answer/provenance.json").read_text())
    assert mark["command"].startswith("bayesurv borrow posterior.nc ")
    assert mark["fits"]["posterior.nc"]["endpoint"] == "os"
    said = words(shown.out)
    assert said.count("OS, cti2 = 1 against cti2 = 0: hazard ratio") == 1
    assert "Each component was fitted by itself and weighed by its marginal likelihood" in said
    draws = np.exp(weibull_fit.posterior["coefficient"].sel(term="cti2").to_numpy())
    without = pd.read_csv("answer/borrow.csv").set_index("analysis").loc["without evidence"]
    assert without["hazard_ratio"] == pytest.approx(np.median(draws), rel=0.1)  # another prior


def test_the_same_question_has_the_same_answer(bayesurv, alone):
    typed = ("borrow", "posterior.nc", *AGREEING, "--out", "answer")
    first = bayesurv(*typed)
    tables = {p.name: p.read_text() for p in Path("answer").glob("*.csv")}
    assert bayesurv(*typed).out == first.out
    assert {p.name: p.read_text() for p in Path("answer").glob("*.csv")} == tables


def test_weights_conclusions_and_medians(bayesurv, alone):
    shown = bayesurv(
        "borrow", "--estimate", "0.75 (0.45-1.25)", "--medians",
        "8.15 (40 events) vs 5.4 (35 events) from infusion", "--origin", "infusion", "--weight",
        "0.8", "--vague", "Normal(0, 0.75)", "--threshold", "0.95", "--out", "answer",
    )  # fmt: skip
    assert shown.code == 0
    components = pd.read_csv("answer/components.csv")
    assert components["hazard_ratio"][0] == pytest.approx(5.4 / 8.15)
    assert components["prior_weight"].tolist() == pytest.approx([0.8, 0.2])
    assert components["standard_error"][1] == 0.75
    curve = pd.read_csv("answer/tipping.csv")
    assert curve["conclusion"].iloc[[0, -1]].tolist() == ["undecided", "benefit"]
    [change] = np.flatnonzero(curve["conclusion"] != curve["conclusion"].shift())[1:]
    weight = curve["weight"].iloc[change]
    assert curve["prob_benefit"].iloc[change] == pytest.approx(0.95, abs=1e-6)
    assert f'it becomes "benefit" from a prior weight of {weight:.2f}' in words(shown.out)
    assert "is borrowed from nearly in full" in words(shown.out)


def test_a_failed_fit_is_marked(bayesurv, alone):
    bs.save(replace(bs.load("posterior.nc"), failed=True), "failed.nc", endpoint="os")
    typed = ("--treatment", "cti2", "--out", "answer")
    shown = bayesurv("borrow", "failed.nc", *AGREEING, *typed)
    assert shown.code == 0
    assert "FAILED the sampler's checks: do not report these numbers" in shown.out
    assert "FAILED" in Path("answer/borrow.txt").read_text()


def test_the_list_has_every_number_and_its_use(bayesurv, alone):
    shown = bayesurv("borrow", "--list")
    assert (shown.code, shown.error) == (0, "")
    assert os.listdir() == ["posterior.nc"]
    for each in external_evidence():
        assert f" {each.name} " in shown.out
    lines = [line.rstrip() for line in shown.out.splitlines()]
    assert sum(line.endswith("  prior of the treatment") for line in lines) == 4
    said = words(shown.out)
    assert f"{len(external_evidence())} numbers, with attribution" in said


# --- Faults ---


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("--evidence", "xue_2024_so"), 'none is named "xue_2024_so". Did you mean "xue_2024_os"?'),
        (("--evidence", "xue_2024_pfs"), "the confidence interval is cut off, so that it is no"),
        (("--evidence", "xue_2024_os_treated"), "a median, not a hazard ratio"),
        (("--evidence", "gouni_2022_ldh_pfs"), "by more than rounding; a limit may be misprinted"),
        (
            ("--evidence", "descar_t_late_2025_others_pfs"),
            "is on pfs, the data are on os",
        ),
        (("--hazard-ratio", "1.97 (1.944-3.997)"), "--hazard-ratio: hazard ratio 1.97 (1.944-3.99"),
        (("--hazard-ratio", "0.28"), '--hazard-ratio: write "0.28 (0.16-0.51)", not "0.28"'),
        (("--hazard-ratio", "0.1 (0.16-0.51)"), "the estimate does not lie in its interval"),
        (("--hazard-ratio", "0.28 (0.16-0.51) from salvage"), 'Did you mean "salvage-start"?'),
        (("--medians", "8 vs 3"), '--medians: write "8.15 (40 events) vs 3.02 (35 events)"'),
        (("--weight", "1.5"), "--weight: 1.5 is not from 0 to 1"),
        (("--vague", "Norml(0, 1)"), 'Did you mean "Normal"?'),
        (("--vague", "StudentT(3, 0, 1)"), '--vague: must be a Normal such as "Normal(0, 1)"'),
        (("--threshold", "97.5"), "--threshold: 97.5 is not above 0.5 and below 1"),
        (("--treatment", "cti3"), '--treatment: "cti3" is not in the formula. Did you mean "cti2"'),
        (("--estimate", "1.665 (0.883-3.141)"), "FIT: give a fit, or --estimate"),
        (("--origin", "salvage"), '--origin: "salvage" is no origin of time'),
        (("--origin", "infusion"), "time counts from infusion in the data, in registry from prog"),
        (("--origin", "not-stated"), "pool them all the same with --across-origins"),
        (("--hazard-ratio", "0.5 (0.3-0.83)"), "in 0.5 (0.3-0.83) from not-stated"),
        (("--hazard-ratio", "registry=0.5 (0.3-0.83) from progression"), '"registry" is taken'),
    ],
)
def test_one_thing_wrong(faults, typed, said):
    usual = AGREEING if "--origin" not in typed else AGREEING[:2]
    text = faults("posterior.nc", *usual, *typed)
    assert words(said) in words(text)
    assert "Error: --" in text or "faults:" in text or "FIT" in text


def test_evidence_of_another_or_an_unstated_origin_is_refused(faults):
    text = faults(*PAPER, "--evidence", "xue_2024_os", "--origin", "salvage-start")
    assert "time counts from salvage-start in the data, in xue_2024_os from not-stated" in text
    assert "--origin: say what time counts from" in faults(*PAPER, "--evidence", "xue_2024_os")


def test_published_evidence_needs_an_endpoint(faults):
    text = faults("--estimate", "1.665 (0.883-3.141)", *XUE)
    assert "--endpoint: say what is estimated" in text


def test_nothing_to_borrow_or_to_borrow_for(faults):
    assert "--evidence: none is given" in faults("posterior.nc", "--origin", "infusion")
    assert "FIT: give a fit" in faults(*XUE, "--endpoint", "os")


def test_an_estimate_that_cannot_be_read(faults):
    text = faults("--estimate", "1.97 (1.944-3.997)", "--endpoint", "os", *XUE)
    assert "--estimate: hazard ratio 1.97 (1.944-3.997): the middle" in text


def test_every_fault_is_told_at_once(faults):
    text = faults(
        "posterior.nc", "--treatment", "cti3", "--evidence", "nobody", "--hazard-ratio", "x",
        "--weight", "2", "--vague", "y", "--threshold", "0.1", "--origin", "z",
    )  # fmt: skip
    assert text.startswith("Error: 7 faults")
    for option in ("evidence", "hazard-ratio", "weight", "vague", "threshold", "origin"):
        assert f"--{option}: " in text
    assert "--treatment: " in text


def test_no_file_or_a_foreign_folder(faults):
    assert "no such file" in faults("nowhere", *AGREEING)
    Path("mine").mkdir()
    Path("mine", "thesis.txt").write_text("mine")
    text = faults("posterior.nc", *AGREEING, "--out", "mine")
    assert "holds files that bayesurv did not write" in text
