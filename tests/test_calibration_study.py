"""The study of scripts/calibration_study.py: its result is of this code, and it is calibrated."""

import importlib.util
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import chdtrc

from bayesurv.calibrating import calibrate_model
from bayesurv.inference.calibration import uniformity

SCRIPT = Path(__file__).parents[1] / "scripts" / "calibration_study.py"
SPEC = importlib.util.spec_from_file_location("calibration_study", SCRIPT)
study = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(study)
STALE = "this has changed since the study was made: run python scripts/calibration_study.py"


@pytest.fixture(scope="module")
def result():
    return pd.read_csv(study.RESULT.with_suffix(".csv"))


@pytest.fixture(scope="module")
def made():
    return json.loads(study.RESULT.with_suffix(".json").read_text(encoding="utf-8"))


def test_the_result_is_of_this_code(made):
    """Simulated data and log densities are the stored ones, to 1e-9, and so is the sampler."""
    assert made["settings"] == json.loads(json.dumps(study.SETTINGS)), STALE
    assert set(made["behaviour"]) == {"/".join(name) for name, _ in study.configurations()}
    for name, behaviour in study.fingerprint().items():
        assert behaviour == pytest.approx(made["behaviour"][name], rel=1e-9, abs=1e-9), (
            name,
            STALE,
        )
    minor = [version("nutpie").split(".")[:2], made["versions"]["nutpie"].split(".")[:2]]
    assert minor[0] == minor[1], STALE


def test_every_baseline_and_design_has_500_refits(result):
    found = {(each.baseline, each.design) for each in result.itertuples()}
    assert found == {name for name, _ in study.configurations()}
    assert len(found) == 20
    assert (result["refits"] == 500).all()
    counts = np.array([list(map(int, each.split())) for each in result["counts"]])
    assert (counts.sum(axis=1) == 500).all()
    statistic = ((counts - 25) ** 2).sum(axis=1) / 25
    np.testing.assert_allclose(result["chi_square"], statistic, rtol=1e-5)
    p = chdtrc(study.BINS - 1, statistic)
    np.testing.assert_allclose(result["chi_square_p_value"], p, rtol=1e-4)


def test_the_ranks_are_uniform(result):
    """With a probability of 0.95 over all quantities of all configurations, if all is right."""
    assert result["p_value"].min() > 0.05 / len(result)
    assert result["chi_square_p_value"].min() > 0.05 / len(result)
    assert (result["failed"] <= 0.06 * result["refits"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", [("weibull", "entry"), ("piecewise-exponential", "interval")])
def test_one_configuration_again(result, name):
    model = dict(study.configurations())[name]
    again = uniformity(calibrate_model(model, study.REFITS).ranks)
    kept = result[(result["baseline"] == name[0]) & (result["design"] == name[1])]
    assert again["quantity"].tolist() == kept["quantity"].tolist()
    np.testing.assert_allclose(again["mean_rank"], kept["mean_rank"], atol=0.01)
    assert (again["p_value"] > 1e-4).all()
