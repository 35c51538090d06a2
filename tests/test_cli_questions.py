"""Questions to a saved fit, typed: its file alone answers them, and a fault leaves nothing."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.cli_questions import _treatment
from bayesurv.inference import compile as compiling
from bayesurv.inference import sample as sampling
from bayesurv.plan import Plan
from bayesurv.plots.style import KINDS
from bayesurv.report.run import run_plan

QUESTIONS = {
    "benefit": "treatment horizon times population bootstrap rmst-margin survival-margin causal "
    "rank out",
    "check": "treatment times interval replicates seed out",
    "compare": "treatment horizon out",
    "influence": "treatment horizon threshold out",
    "sensitivity": "treatment horizon threshold prior out",
}
FIGURES = {
    "benefit": "benefit horizons",
    "check": "checks statistics calibration",
    "compare": "comparison stacked_survival",
    "influence": "influence",
    "sensitivity": "sensitivity tipping_point",
}
FILES = {
    "benefit": "benefit.csv arms.csv benefit.txt",
    "check": "checks.csv calibration.csv check.txt",
    "compare": "comparison.csv stacked_survival.csv stacked_benefit.csv compare.txt",
    "influence": "influence.csv influence_flip.csv influence.txt",
    "sensitivity": "prior_sensitivity.csv power_scaling.csv tipping_point.csv tipping_curve.csv "
    "prior_share.csv sensitivity.txt",
}
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.fixture(scope="module")
def results(make_cohort, tmp_path_factory):
    """Two fits of the same patients, whose ids are words that must not leave the hospital."""
    base = tmp_path_factory.mktemp("fits")
    frame = make_cohort()
    frame["pid"] = [f"Patient{CAPITALS[i // 26]}{CAPITALS[i % 26]}" for i in range(len(frame))]
    frame.to_csv(base / "cohort.csv", index=False)
    plan = Plan.from_options(
        "os", file=base / "cohort.csv", time="os_months", event="os_event", unit="months",
        id="pid", formula="cti2 + bulky", baseline=["weibull", "piecewise-exponential"],
        treatment="cti2", horizon=12.0, draws=500, seed=2,
    )  # fmt: skip
    run_plan(plan, base / "out")
    (base / "cohort.csv").unlink()
    return base / "out" / "os"


@pytest.fixture
def alone(results, tmp_path, monkeypatch):
    """The saved file by itself in the working folder; nothing can be compiled or sampled."""

    def refused(*given, **named):
        raise AssertionError("a question must not compile or sample")

    monkeypatch.setattr(compiling, "compile_model", refused)
    monkeypatch.setattr(sampling, "draw", refused)
    monkeypatch.chdir(tmp_path)
    shutil.copy(results / "weibull" / "posterior.nc", tmp_path / "posterior.nc")
    return tmp_path


def line(question, results):
    fits = ["posterior.nc"]
    if question == "compare":
        fits.append(results / "piecewise-exponential")
    return [question, *fits, "--out", "answer"]


@pytest.mark.parametrize("question", QUESTIONS)
def test_help_of_a_question_explains_every_option(bayesurv, question):
    shown = bayesurv(question, "--help")
    assert shown.code == 0
    for option in QUESTIONS[question].split():
        [said] = [text for text in shown.out.splitlines() if text.startswith(f"│ --{option} ")]
        assert len(said.strip("│ ").split()) > 4


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_saved_file_alone_answers(bayesurv, alone, results, question):
    shown = bayesurv(*line(question, results))
    assert (shown.code, shown.error) == (0, "")
    assert set(os.listdir("answer")) == {
        *FILES[question].split(),
        *(f"{name}.{kind}" for name in FIGURES[question].split() for kind in KINDS),
        "provenance.json",
    }
    assert sorted(os.listdir()) == ["answer", "posterior.nc"]
    text = Path("answer", f"{question}.txt").read_text()
    assert " ".join(text.split()).rstrip(".") in " ".join(shown.out.replace("Note: ", "").split())
    for name in os.listdir("answer"):
        content = Path("answer", name).read_bytes()
        assert content
        assert b"Patient" not in content.replace(b"Patients", b"")
    mark = json.loads(Path("answer", "provenance.json").read_text())
    assert mark["command"].startswith(f"bayesurv {question} ")
    assert mark["fits"]["posterior.nc"]["endpoint"] == "os"


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_same_question_has_the_same_answer(bayesurv, alone, results, question):
    first = bayesurv(*line(question, results))
    tables = {p.name: p.read_text() for p in Path("answer").glob("*.csv")}
    second = bayesurv(*line(question, results))
    assert first.out == second.out
    assert {p.name: p.read_text() for p in Path("answer").glob("*.csv")} == tables


def test_benefit_is_that_of_the_fit(bayesurv, alone, results):
    assert bayesurv("benefit", "posterior.nc").code == 0
    mine = pd.read_csv("bayesurv-benefit/benefit.csv")
    pd.testing.assert_frame_equal(mine, pd.read_csv(results / "weibull" / "benefit.csv"))
    assert list(mine) == "quantity margin horizon estimate lower upper probability mcse".split()
    assert set(mine["horizon"].dropna()) >= {12.0}


def test_the_treatment_and_horizon_asked_for_go_before_the_plans(bayesurv, alone):
    assert bayesurv("benefit", "posterior.nc", "--treatment", "bulky", "--horizon", "6").code == 0
    mine = pd.read_csv("bayesurv-benefit/benefit.csv").set_index("quantity")
    fit = bs.load("posterior.nc")
    ratio = np.exp(fit.posterior["coefficient"].sel(term="bulky").to_numpy())
    assert mine.loc["hazard_ratio", "estimate"].iloc[0] == pytest.approx(np.median(ratio))
    assert mine.loc["rmst_difference", "horizon"] == 6


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q != "compare"])
def test_a_failed_fit_is_marked(bayesurv, alone, question):
    bs.save(replace(bs.load("posterior.nc"), failed=True), "failed.nc")
    shown = bayesurv(question, "failed.nc", "--treatment", "cti2", "--out", "answer")
    assert shown.code == 0
    assert "FAILED the sampler's checks: do not report these numbers" in shown.out
    assert "FAILED" in Path("answer", f"{question}.txt").read_text()


@pytest.fixture
def faults(bayesurv, alone):
    """Type a question; its error, after checking that nothing else has happened."""

    def refused(*typed):
        before = sorted(Path().rglob("*"))
        shown = bayesurv(*typed)
        assert (shown.code, shown.out) == (2, "")
        assert "Traceback" not in shown.error
        assert sorted(Path().rglob("*")) == before
        return shown.error

    return refused


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q not in ("check", "compare")])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--treatment", "cti3"), 'Did you mean "cti2"'),
        (("--horizon", "600"), "the largest allowed is"),
        (("--horizon", "-3"), "--horizon"),
        (("--treatment", "cti3", "--horizon", "-3"), 'Did you mean "cti2"'),
    ],
)
def test_bad_treatment_or_horizon(faults, question, options, said):
    assert said in faults(question, "posterior.nc", *options)


def test_margins_of_the_wrong_sign_or_unit(faults):
    text = faults("benefit", "posterior.nc", "--rmst-margin", "-1", "--survival-margin", "10")
    assert text.startswith("Error: 2 faults")
    assert "--rmst-margin" in text
    assert "--survival-margin" in text
    assert "10 points are 0.10" in text


def test_too_few_replicates_are_told_with_the_other_faults(faults):
    text = faults("check", "posterior.nc", "--replicates", "10", "--times", "900")
    assert text.startswith("Error: 2 faults")
    assert "--replicates: 10 is not from 100" in text


def test_causal_words_need_their_assumptions(faults):
    text = faults("benefit", "posterior.nc", "--causal", " ")
    assert "--causal: state the assumptions" in text


def test_a_population_that_lacks_a_covariate(faults):
    Path("others.csv").write_text("cti2\n1\n0\n")
    text = faults("benefit", "posterior.nc", "--population", "others.csv")
    assert "others.csv" in text
    assert "bulky" in text


@pytest.mark.parametrize("question", ["influence", "sensitivity"])
@pytest.mark.parametrize("threshold", ["0.5", "1", "95"])
def test_a_threshold_that_is_none(faults, question, threshold):
    assert "--threshold" in faults(question, "posterior.nc", "--threshold", threshold)


def test_a_prior_that_cannot_be_read(faults):
    assert "--prior" in faults("sensitivity", "posterior.nc", "--prior", "mine=Normal(0")


def test_a_single_fit_has_nothing_to_be_compared_with(faults):
    assert "two" in faults("compare", "posterior.nc")


def test_fits_of_different_patients(faults, weibull_fit):
    bs.save(weibull_fit, "other.nc")
    changed = weibull_fit.draws.copy(deep=True)
    changed["observed_data"]["time"][0] += 1
    bs.save(replace(weibull_fit, draws=changed), "later.nc")
    text = faults("compare", "other.nc", "later.nc")
    assert "different" in text


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_damaged_or_foreign_file(faults, question):
    content = Path("posterior.nc").read_bytes()
    Path("damaged.nc").write_bytes(content[: len(content) // 2])
    more = ["posterior.nc"] if question == "compare" else []
    assert "run the fit again" in faults(question, "damaged.nc", *more)


def test_a_folder_that_holds_something_else(faults):
    Path("mine").mkdir()
    Path("mine", "thesis.txt").write_text("mine")
    text = faults("benefit", "posterior.nc", "--out", "mine")
    assert "holds files that bayesurv did not write" in text


def test_no_treatment_was_ever_named(bayesurv, alone, weibull_fit):
    bs.save(weibull_fit, "plain.nc")
    shown = bayesurv("influence", "plain.nc")
    assert shown.code == 2
    assert "--treatment: name one of the covariates cti2" in shown.error


def test_a_model_without_covariates(make_cohort):
    cohort = bs.Cohort.from_frame(
        make_cohort(), time="os_months", event="os_event", unit="months", covariates=[]
    )
    with pytest.raises(bs.InputError, match="the model has no covariates"):
        _treatment(bs.prior(cohort, "1"), None)


def test_an_endpoint_without_a_name_is_not_called_one(bayesurv, alone, weibull_fit):
    bs.save(weibull_fit, "plain.nc", endpoint="endpoint", treatment="cti2")
    shown = bayesurv("benefit", "plain.nc", "--horizon", "12")
    assert shown.code == 0
    assert "endpoint" not in shown.out.lower()
