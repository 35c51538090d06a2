"""The classical analysis as files: beside a fit, and by itself."""

import json

import numpy as np
import pandas as pd
import pytest

from bayesurv.plan import Plan
from bayesurv.plots.style import KINDS
from bayesurv.report.classical import classical_ratios, disagreements, observations
from bayesurv.report.run import run_plan

FIRST = ["endpoint", "term", "method", "estimate", "lower", "upper", "p"]
ALONE = ["--unit", "months", "--formula", "cti2 + bulky", "--treatment", "cti2"]
OS = ["--time", "os_months", "--event", "os_event"]


@pytest.fixture(scope="module")
def results(make_cohort, tmp_path_factory):
    """A run of two endpoints and two baselines, and one told to leave the classical analysis."""
    base = tmp_path_factory.mktemp("classical")
    make_cohort().to_csv(base / "cohort.csv", index=False)
    options = {
        "file": base / "cohort.csv", "time": "os_months", "event": "os_event", "unit": "months",
        "formula": "cti2 + bulky", "treatment": "cti2", "draws": 500, "tune": 500,
    }  # fmt: skip
    run_plan(Plan.from_options("os", **options, baseline=["weibull", "exponential"]), base / "with")
    run_plan(Plan.from_options("os", **options, classical=False), base / "without")
    return base


def test_a_fit_has_the_classical_analysis_beside_it(results):
    table = pd.read_csv(results / "with" / "classical.csv")
    assert list(table)[:7] == FIRST
    assert set(table["endpoint"]) == {"os"}
    assert {"cox", "cox-univariable", "cox-firth", "log-rank", "weibull"} <= set(table["method"])
    ratios = pd.read_csv(results / "with" / "os" / "weibull" / "hazard_ratios.csv")
    beside = pd.read_csv(results / "with" / "os" / "side_by_side.csv")
    own = beside[(beside["baseline"] == "weibull") & (beside["quantity"] == "hazard ratio")]
    np.testing.assert_allclose(own["bayesian"], ratios["hazard_ratio"], rtol=1e-12)
    cox = table[table["method"] == "cox"]
    np.testing.assert_allclose(own["classical"], cox["estimate"], rtol=1e-12)
    assert set(beside["baseline"]) == {"weibull", "exponential"}
    text = (results / "with" / "os" / "side_by_side.txt").read_text("utf-8")
    assert "agree to within what the prior and chance explain" in text
    files = json.loads((results / "with" / "provenance.json").read_text("utf-8"))["files"]
    assert "classical.csv" in files


def test_a_fit_told_not_to_leaves_it(results):
    folder = results / "without"
    assert not (folder / "classical.csv").exists()
    assert [path.name for path in (folder / "os").iterdir()] == ["weibull"]
    assert "classical = false" in (folder / "plan.toml").read_text("utf-8")


def test_a_disagreement_is_told_with_both_numbers_and_what_to_look_at():
    row = {
        "baseline": "weibull", "quantity": "hazard ratio", "of": "cti2", "time": np.nan,
        "bayesian": 1.2, "lower": 0.9, "upper": 1.6, "method": "cox", "classical": 1.9,
        "classical_lower": 1.3, "classical_upper": 2.8, "explained": 1.8, "excess": -3.4,
        "unexplained": True,
    }  # fmt: skip
    (said,) = disagreements(pd.DataFrame([row]))
    assert said.startswith(
        "weibull, hazard ratio of cti2: 1.20 (95% CrI 0.90–1.60) beside 1.90 (95% CI 1.30–2.80"
        ", cox); the prior leads from there to 1.80. The rest is 3.4 times what chance "
    )


def test_the_command_needs_no_sampler(bayesurv, cohort_csv, tmp_path, monkeypatch):
    from bayesurv.inference import compile as compiling

    monkeypatch.setattr(compiling, "compile_model", None)
    table = pd.read_csv(cohort_csv)
    table["cause"] = np.where(table["os_event"] == 1, "Infection / sepsis", "")
    table.to_csv(cohort_csv, index=False)
    out = tmp_path / "out"
    done = bayesurv("classical", cohort_csv, *OS, *ALONE, "--cause", "cause", "--horizon", 12,
                    "--resamples", 20, "--out", out)  # fmt: skip
    assert done.code == 0, done.error
    assert "Hazard ratio of cti2 0.5" in done.out
    assert "a practice to avoid" in done.out
    assert {path.name for path in out.iterdir()} == {
        "classical.csv", "classical.txt", "screening.csv", "screening_sets.csv", "plan.toml",
        "provenance.json", *(f"kaplan_meier_os.{kind}" for kind in KINDS),
        *(f"incidence_os_Infection_sepsis.{kind}" for kind in KINDS),
    }  # fmt: skip
    found = pd.read_csv(out / "classical.csv")
    assert found.loc[found["method"] == "rmst", "time"].tolist() == [12] * 3
    screening = pd.read_csv(out / "screening.csv")
    assert screening["variable"].tolist() == ["cti2", "bulky"]
    assert screening["frequency"].between(0, 1).all()


def test_the_forest_of_a_fit_shows_cox_beside(cohort_csv):
    plan = Plan.from_options(
        "os", file=cohort_csv, time="os_months", event="os_event", unit="months",
        formula="cti2 + bulky", baseline=["weibull"], treatment="cti2",
    )  # fmt: skip
    [cohort] = plan.cohorts().values()
    ratios = classical_ratios(plan, cohort)
    found = observations(plan, cohort).cox()
    assert ratios["term"].tolist() == ["cti2", "bulky"]
    np.testing.assert_allclose(ratios["hazard_ratio"], np.exp(found.coefficient))
    np.testing.assert_allclose(ratios["upper"], np.exp(found.interval()[1]))
    assert set(ratios["method"]) == {"cox"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cause", "centre"], "has the cause"),
        (["--cause", "centres"], 'no such column, named for cause. Did you mean "centre"'),
        (["--horizon", "600"], "horizon: 600 is past the end of follow-up"),
        (["--threshold", "0"], "--threshold: 0 is not above 0 and below 1"),
    ],
)
def test_faults_leave_nothing(bayesurv, cohort_csv, tmp_path, options, said):
    done = bayesurv("classical", cohort_csv, *OS, *ALONE, *options, "--out", tmp_path / "out")
    assert done.code == 2
    assert said in done.error.replace("\n", " ")
    assert "Traceback" not in done.error
    assert not (tmp_path / "out").exists()


def test_separation_is_said_on_the_screen(bayesurv, cohort_csv, tmp_path):
    table = pd.read_csv(cohort_csv)
    table.loc[table["bulky"] == 1, "os_event"] = 0
    table.to_csv(cohort_csv, index=False)
    done = bayesurv("classical", cohort_csv, *OS, *ALONE, "--resamples", 5,
                    "--out", tmp_path / "out")  # fmt: skip
    assert done.code == 0, done.error
    said = " ".join(done.out.split())
    assert "bulky has no finite estimate: no event" in said
    assert "Firth's penalised estimate" in said


def test_no_patient_is_in_what_is_written(bayesurv, cohort_csv, tmp_path):
    table = pd.read_csv(cohort_csv)
    table["pid"] = [f"Jane{i:03d}Doe" for i in range(len(table))]
    table.to_csv(cohort_csv, index=False)
    out = tmp_path / "out"
    done = bayesurv("classical", cohort_csv, *OS, *ALONE, "--id", "pid", "--resamples", 5,
                    "--out", out)  # fmt: skip
    assert done.code == 0, done.error
    written = "".join(p.read_text("latin-1") for p in out.iterdir() if p.suffix != ".png")
    assert "Jane" not in written + done.out
