"""Patients out of digitised figures against the truth: the study of scripts/digitise_study.py."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "digitise_study.py"
SPEC = importlib.util.spec_from_file_location("digitise_study", SCRIPT)
study = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(study)

ERRORS = ["log_hr_in_se", "se_ratio", "events", "survival", "median", "rmst", "curve"]


def assert_near(result):
    """What numbers at risk or events give, of each cohort, as means of absolute errors."""
    errors = result.assign(se_ratio=result["se_ratio"] - 1)[ERRORS].abs()
    mean = errors.groupby([result["information"], result["cohort"]]).mean()
    informed = mean.drop("start")
    assert (informed["log_hr_in_se"] < 0.2).all()  # a fifth of the uncertainty that is there anyway
    assert (informed["se_ratio"] < 0.02).all()
    assert (informed["survival"] < 0.02).all()
    assert (informed["median"] < 0.1).all()
    assert (informed["rmst"] < 0.02).all()
    assert (informed["curve"] < 0.06).all()
    assert (mean.loc["numbers at risk", "events"] < 0.03).all()
    assert (result["events"][result["information"].str.contains("events")] == 0).all()


def test_the_result_that_is_kept():
    result = pd.read_csv(study.RESULT.with_suffix(".csv"))
    made = json.loads(study.RESULT.with_suffix(".json").read_text(encoding="utf-8"))
    stale = "the reconstruction has changed: run python scripts/digitise_study.py"
    assert {name: made[name] for name in study.SETTINGS} == study.SETTINGS, stale
    assert made["code"] == study.fingerprint(), stale
    cells = len(study.cohorts()) * len(study.INFORMATION) * len(study.READING_ERRORS)
    assert len(result) == cells * study.REPEATS
    assert_near(result)


def test_the_start_alone_is_told_to_be_too_little():
    """Without numbers at risk or events a large censored cohort looks more certain than it is."""
    result = pd.read_csv(study.RESULT.with_suffix(".csv"))
    lung = result[(result["cohort"] == "lung by sex") & (result["information"] == "start")]
    assert lung["events"].mean() > 0.2
    assert lung["se_ratio"].mean() < 0.9


def test_one_reading_of_each():
    result = study.study(range(1))
    kept = pd.read_csv(study.RESULT.with_suffix(".csv"))
    pd.testing.assert_frame_equal(
        result.round(4),
        kept[kept["repeat"] == 0].reset_index(drop=True).round(4),
        check_dtype=False,
        atol=2e-4,
    )
    assert np.isfinite(result["log_hr"]).all()


@pytest.mark.slow
def test_all_readings():
    assert_near(study.study(range(study.REPEATS)))
