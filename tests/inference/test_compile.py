"""Compiled models: swapped data, machine code kept on disk, and the unit of time."""

import os
import subprocess
import sys

import numpy as np
import pymc as pm
import pytest

import bayesurv as bs
from bayesurv.inference.compile import compile_model
from bayesurv.inference.sample import Sampling, draw

pytestmark = pytest.mark.filterwarnings("ignore::bayesurv.CohortWarning")


@pytest.fixture(scope="module")
def compiled():
    """A mean of known spread; y has as many rows as it is given, `spare` is not used."""
    with pm.Model() as model:
        y = pm.Data("y", np.zeros(3))
        pm.Data("spare", np.zeros(2))
        mean = pm.Normal("mean", 0.0, 100.0)
        pm.Deterministic("twice", 2 * mean)
        pm.Potential("likelihood", (-((y - mean) ** 2) / 2).sum())
    return compile_model(model)


def posterior(compiled, **data):
    prepared = compiled.with_data(**data).starting_at({"mean": np.array(1.0)})
    return draw(prepared, Sampling(draws=1000, tune=500, seed=3))["posterior"]


def test_the_same_code_serves_other_data(compiled):
    for rows in ([1.0, 2.0, 3.0], [10.0] * 9):
        found = posterior(compiled, y=np.array(rows))["mean"]
        error = 1 / np.sqrt(len(rows))
        assert found.mean().item() == pytest.approx(np.mean(rows), abs=0.1 * error)
        assert found.std().item() == pytest.approx(error, rel=0.07)


def test_deterministics_are_kept(compiled):
    found = posterior(compiled, y=np.ones(4))
    np.testing.assert_allclose(found["twice"], 2 * found["mean"])


def test_data_of_another_rank_or_name_is_refused_and_unused_data_ignored(compiled):
    with pytest.raises(ValueError, match="rank 2"):
        compiled.with_data(y=np.zeros((2, 2)))
    with pytest.raises(KeyError):
        compiled.with_data(z=np.zeros(2))
    compiled.with_data(spare=np.zeros((5, 5)))


def test_a_model_must_be_told_where_to_start(compiled):
    with pytest.raises(RuntimeError, match="starting_at"):
        compiled.initial_point_func(1)


def test_machine_code_is_found_again_by_another_process(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import numpy as np, pymc as pm\n"
        "from bayesurv.inference.compile import compile_model\n"
        "with pm.Model() as model:\n"
        "    y = pm.Data('y', np.zeros(3))\n"
        "    mean = pm.Normal('mean', 0.0, 1.0)\n"
        "    pm.Potential('likelihood', -((y - mean) ** 2).sum())\n"
        "made = compile_model(model)\n"
        "print(made.compiled_logp_func.cache_hits, made.compiled_expand_func.cache_hits)\n"
    )
    environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path / 'cache'}"}
    printed = [
        subprocess.run(
            [sys.executable, program], env=environment, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert printed == ["0 0\n", "1 1\n"]


@pytest.mark.parametrize("baseline", [bs.Weibull(), bs.PiecewiseExponential()])
def test_days_and_months_give_the_same_hazard_ratio_and_survival(frame, baseline):
    months = bs.Cohort.from_frame(frame, time="os_months", event="os_event", unit="months")
    frame = frame.assign(os_days=frame["os_months"] * 30.4375)
    days = bs.Cohort.from_frame(frame, time="os_days", event="os_event", unit="days")
    sampling = Sampling(draws=2000)
    by_month, by_day = (
        bs.fit(c, "cti2", baseline=baseline, sampling=sampling) for c in (months, days)
    )
    first, second = (bs.hazard_ratios(f).iloc[0] for f in (by_month, by_day))
    for name in ("hazard_ratio", "lower", "upper"):
        assert first[name] == pytest.approx(second[name], rel=0.04)
    curves = [
        bs.survival(f, [{"cti2": 1}], [12 * unit]).mean().item()
        for f, unit in ((by_month, 1), (by_day, 30.4375))
    ]
    assert curves[0] == pytest.approx(curves[1], abs=0.005)
