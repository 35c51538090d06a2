from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayesurv.data.faults import InputError
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.screening import AVOID, screen

REFERENCE = Path(__file__).parents[1] / "reference"


def veteran():
    table = pd.read_csv(REFERENCE / "data" / "veteran.csv")
    factor = pd.get_dummies(table["celltype"], drop_first=True).to_numpy(dtype=float)
    variables = {name: table[name] for name in ("trt", "karno10", "age10", "prior")}
    return table, {**variables, "celltype": factor}


def test_the_rule():
    table, variables = veteran()
    found = screen(table["time"], table["event"], variables, resamples=20)
    p = {
        name: cox(table["time"], table["event"], np.asarray(x).reshape(len(table), -1), "abc"[:k])
        .tests()["p"][0]
        for name, x in variables.items()
        for k in [np.asarray(x).reshape(len(table), -1).shape[1]]
    }  # fmt: skip
    assert_allclose(found.variables["p"], list(p.values()))
    assert found.selected == ("karno10", "celltype")
    assert found.fit.terms == ("karno10", "celltype[1]", "celltype[2]", "celltype[3]")
    assert_allclose(found.sets["frequency"].sum(), 1)
    assert (found.variables["frequency"][[1, 4]] == 1).all()
    assert found.text().endswith(AVOID)
    assert found.text().startswith("Univariable P <= 0.1 chooses karno10, celltype; in 20 ")


def test_the_treatment_is_followed_whether_chosen_or_not():
    table, variables = veteran()
    found = screen(table["time"], table["event"], variables, treatment="trt", resamples=30)
    assert len(found.hazard_ratios) == 30
    alone = cox(
        table["time"], table["event"],
        np.column_stack([variables["trt"], variables["karno10"], variables["celltype"]]),
        list("abcde"),
    )  # fmt: skip
    low, high = np.quantile(found.hazard_ratios, [0.05, 0.95])
    assert low < np.exp(alone.coefficient[0]) < high
    assert "The hazard ratio of trt, beside whatever was chosen, had median" in found.text()


def test_pure_noise_is_chosen_as_often_as_the_threshold_says():
    random = np.random.default_rng(11)
    chosen = [
        screen(
            random.exponential(size=60), np.ones(60),
            {f"v{i}": random.normal(size=60) for i in range(5)}, resamples=1,
        ).variables["selected"].mean()
        for _ in range(60)
    ]  # fmt: skip
    assert abs(np.mean(chosen) - 0.10) < 0.06


def test_the_seed_settles_it():
    table, variables = veteran()
    one, other, third = (
        screen(table["time"], table["event"], variables, treatment="trt", resamples=10, seed=seed)
        for seed in (1, 1, 2)
    )
    assert (one.hazard_ratios == other.hazard_ratios).all()
    assert (one.hazard_ratios != third.hazard_ratios).any()


def test_whole_patients_are_resampled():
    """A patient's two rows that follow each other are as good as one row."""
    table, variables = veteran()
    cut = table["time"] / 2
    one = screen(table["time"], table["event"], variables, treatment="trt", resamples=10)
    other = screen(
        np.concatenate([cut, table["time"]]),
        np.concatenate([0 * cut, table["event"]]),
        {name: np.concatenate([x, x]) for name, x in variables.items()},
        entry=np.concatenate([0 * cut, cut]),
        patient=np.tile(np.arange(len(table)), 2),
        treatment="trt",
        resamples=10,
    )
    assert_allclose(one.hazard_ratios, other.hazard_ratios)


def test_levels_and_events_that_a_resample_lacks():
    """Three events, and a variable that is 1 in one patient only."""
    random = np.random.default_rng(1)
    time, event = random.exponential(size=12), np.arange(12) < 2
    rare = np.arange(12) == 5
    found = screen(time, event, {"rare": rare, "x": random.normal(size=12)}, treatment="rare",
                   resamples=100)  # fmt: skip
    assert np.isnan(found.hazard_ratios).any()
    assert (found.hazard_ratios == 0).any()
    assert found.variables["p"].between(0, 1).all()


def test_nothing_chosen():
    found = screen([1, 2, 3, 4], [1, 1, 1, 1], {"x": [0, 1, 1, 0]}, threshold=0, resamples=3)
    assert found.fit is None
    assert found.text().startswith("Univariable P <= 0 chooses nothing; in 3 resamples")
    assert list(found.sets["variables"]) == ["nothing"]


def test_an_unknown_treatment():
    with pytest.raises(InputError, match='no variable "arm"; there are x'):
        screen([1, 2], [1, 1], {"x": [0, 1]}, treatment="arm")
