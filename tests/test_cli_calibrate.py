"""bayesurv calibrate: what it writes, what it says, and what it refuses."""

import json

import pandas as pd
import pytest

PLAN = """
[cohort]
file = "cohort.csv"
unit = "months"
id = "pid"
[endpoint.os]
time = "os_months"
event = "os_event"
[endpoint.efs]
time = "efs_months"
event = "efs_event"
[model]
formula = "cti2"
baseline = ["exponential", "weibull"]
[priors]
median_survival = { lower = 4, upper = 40 }
[estimand]
treatment = "cti2"
horizon = 8
[sampling]
seed = 3
"""
ONE = ("--endpoint", "os", "--baseline", "exponential", "--refits", "24", "--method", "laplace")


@pytest.fixture
def plan(tmp_path, cohort_csv):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


def test_what_is_written_and_said(bayesurv, plan, tmp_path, frame):
    out = tmp_path / "calibration"
    result = bayesurv("calibrate", plan, *ONE, "--workers", 2, "--out", out)
    assert result.code == 0, result.error
    assert "in 24 refits of 61 simulated patients" in result.out
    assert "Fewer than 200 refits" in result.out
    assert "do not say that the model is right" in " ".join(result.out.split())
    names = {path.name for path in out.iterdir()}
    tables = {"ranks.csv", "refits.csv", "calibration.csv"}
    assert names == {*tables, "summary.txt", "plan.toml", "provenance.json", "figures"}
    kinds = {path.name for path in (out / "figures").iterdir()}
    assert kinds == {f"os-exponential.{kind}" for kind in ("png", "svg", "pdf")}
    ranks, refits, found = (pd.read_csv(out / f"{name}.csv") for name in
                            ("ranks", "refits", "calibration"))  # fmt: skip
    assert len(refits) == 24
    assert refits["passed"].all()
    assert (ranks["rank"] <= ranks["draws"]).all()
    assert ranks.groupby("quantity").size().eq(24).all()
    assert set(found["quantity"]) == {
        "intercept", "coefficient[cti2]", "log_likelihood", "log_prior", "log_joint", "survival",
        "rmst", "survival_difference",
    }  # fmt: skip
    mark = json.loads((out / "provenance.json").read_text(encoding="utf-8"))
    assert mark["refits"] == 24
    assert mark["settings"]["seed"] == 3
    everything = "".join((out / name).read_text("utf-8") for name in (*tables, "summary.txt"))
    assert not any(patient in everything for patient in frame["pid"])


def test_the_seed_and_not_the_workers_make_the_numbers(bayesurv, plan, tmp_path):
    found = []
    for name, options in {"a": (), "b": ("--workers", 1), "c": ("--seed", 4)}.items():
        assert bayesurv("calibrate", plan, *ONE, *options, "--out", tmp_path / name).code == 0
        found.append((tmp_path / name / "ranks.csv").read_text(encoding="utf-8"))
    assert found[0] == found[1] != found[2]


def test_every_fault_of_the_options_is_listed(bayesurv, plan, tmp_path):
    out = tmp_path / "none"
    options = ("--refits", 5, "--endpoint", "oss", "--baseline", "gomperz", "--workers", 0)
    result = bayesurv("calibrate", plan, *options, "--method", "gibbs", "--out", out)
    assert result.code == 2
    for word in ("--refits: 5", '"oss"', 'Did you mean "os"', '"gomperz"', "--workers: 0", "gibbs"):
        assert word in result.error
    assert "5 faults" in result.error
    assert not out.exists()


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("horizon = 8", "horizon = 800", "horizon"),
        ('"cti2"\nbaseline', '"cti3"\nbaseline', "cti3"),
        ("cohort.csv", "nowhere.csv", "nowhere.csv"),
    ],
)
def test_faults_of_the_plan_are_told_before_anything_is_simulated(
    bayesurv, plan, tmp_path, old, new, word
):
    assert old in PLAN
    plan.write_text(PLAN.replace(old, new), encoding="utf-8")
    result = bayesurv("calibrate", plan, *ONE, "--out", tmp_path / "none")
    assert result.code == 2
    assert word in result.error
    assert not (tmp_path / "none").exists()


def test_a_cohort_in_place_of_a_plan_is_refused(bayesurv, cohort_csv, tmp_path):
    result = bayesurv("calibrate", cohort_csv, "--out", tmp_path / "none")
    assert result.code == 2
    assert "cohort.csv" in result.error
