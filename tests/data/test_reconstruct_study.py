"""Reconstructed cohorts against the truth: the study of scripts/reconstruct_study.py."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "reconstruct_study.py"
SPEC = importlib.util.spec_from_file_location("reconstruct_study", SCRIPT)
study = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(study)


@pytest.fixture(scope="module")
def result():
    return pd.read_csv(study.RESULT.with_suffix(".csv"))


def test_the_result_is_of_this_code(result):
    made = json.loads(study.RESULT.with_suffix(".json").read_text(encoding="utf-8"))
    stale = "the reconstruction has changed: run python scripts/reconstruct_study.py"
    assert {name: made[name] for name in study.SETTINGS} == study.SETTINGS, stale
    assert made["code"] == study.fingerprint(), stale
    kept = result.groupby("cohort")["repeat"].nunique().to_dict()
    whole = {name: len(cohort) <= study.PATIENTS for name, cohort in study.sources().items()}
    assert kept == {name: 1 if all_in else study.SAMPLES for name, all_in in whole.items()}
    inside = (result["lowest"] - 2e-5 <= result["true"]) & (
        result["true"] <= result["highest"] + 2e-5
    )
    known = np.isfinite(result[["lowest", "true", "highest"]]).all(axis=1)
    assert (inside == result["inside"])[known].mean() > 0.99


def assert_near(result):
    """The rates that the README states."""
    ratio = result[result["quantity"] == "log_hazard_ratio"]
    assert (ratio["beside"] / ratio["standard_error"]).max() < 0.01
    curve = result[result["quantity"] == "survival"]
    assert curve["inside"].mean() > 0.7
    assert (curve["beside"] <= 0.05).mean() > 0.9
    median = result[result["quantity"].str.startswith("median") & np.isfinite(result["true"])]
    assert median["inside"].mean() > 0.6


def test_the_truth_is_in_the_range_of_members_or_beside_it(result):
    assert_near(result)
    inside = result.groupby("quantity")["inside"].mean()
    assert inside["log_hazard_ratio"] == pytest.approx(0.7)
    assert inside["survival"] == pytest.approx(0.7875)


@pytest.mark.slow
def test_one_sample_of_each_again():
    assert_near(study.study(range(1)))
