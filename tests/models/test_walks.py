"""Random-walk steps are partly centred where there are many events: the same model."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest

import bayesurv as bs
from bayesurv.fitting import compressed_cohort, specify
from bayesurv.models import build as building
from bayesurv.models.build import STEP_ERROR, build, step_error

PRIORS = bs.Priors(median_survival=bs.MedianSurvival(2, 40))
CUTS = (3.0, 9.0)


def model(patients, baseline):
    """The model of so many simulated patients, and how well their data know a step."""
    generator = np.random.default_rng(3)
    table = pd.DataFrame({"cti2": np.arange(patients) % 2})
    table = table.assign(time=generator.exponential(10, patients), event=1)
    cohort = bs.Cohort.from_frame(table, time="time", event="event", unit="months")
    specification = specify(cohort, "cti2", baseline, PRIORS)
    observed, rows = compressed_cohort(specification, cohort)
    return build(specification, observed, rows), step_error(specification, observed)


def test_few_events_leave_the_steps_as_they_were():
    built, known = model(61, bs.PiecewiseExponential(cuts=CUTS))
    assert known == {}
    assert {rv.name for rv in built.free_RVs} >= {"log_hazard_step", "smoothing_sd"}


@pytest.mark.parametrize(
    ("baseline", "step"),
    [
        (bs.PiecewiseExponential(cuts=CUTS), "log_hazard_step"),
        (bs.MSpline(inner=(5.0,), boundary=30.0), "weight_step"),
    ],
    ids=["piecewise", "m-spline"],
)
def test_the_density_is_the_same_either_way(monkeypatch, baseline, step):
    centred, known = model(1200, baseline)
    monkeypatch.setattr(building, "MANY_EVENTS", np.inf)
    plain, nothing = model(1200, baseline)
    assert nothing == {}
    density, own = (each.compile_logp(jacobian=True) for each in (centred, plain))
    point = {name: np.asarray(value) for name, value in plain.initial_point().items()}
    generator = np.random.default_rng(4)
    for _ in range(5):
        moved = {k: v + generator.normal(0, 0.5, v.shape) for k, v in point.items()}
        spread = np.sqrt(1 + (np.exp(moved["smoothing_sd_log__"]) / known[STEP_ERROR]) ** 2)
        other = {k: v for k, v in moved.items() if k != step}
        other[f"{step}_spread"] = moved[step] * spread
        jacobian = np.log(spread) * moved[step].size
        assert density(other) + jacobian == pytest.approx(own(moved), rel=1e-10)


def test_draws_hold_the_steps_all_the_same():
    built, _ = model(1200, bs.PiecewiseExponential(cuts=CUTS))
    with built:
        drawn = pm.draw(built["log_hazard_step"], 2000, random_seed=1)
    assert drawn.std() == pytest.approx(1, abs=0.06)
