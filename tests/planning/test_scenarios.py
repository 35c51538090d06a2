"""The hazards that studies are simulated from, held to their closed forms."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayesurv.planning.keys import BaselineKeys
from bayesurv.planning.scenarios import WANING_STEPS, scenarios, stated_baseline, time_at

STATED = [
    {"name": "exponential", "median": 6.0},
    {"name": "weibull", "median": 6.0, "shape": 0.7},
    {"name": "piecewise-exponential", "cuts": (2.0, 8.0), "hazards": (0.2, 0.05, 0.1)},
]
HAZARD = np.array([0.01, 0.3, 0.7, 1.5, 4.0])


@pytest.mark.parametrize("keys", STATED[:2])
def test_the_stated_median_is_the_median(keys):
    assert stated_baseline(BaselineKeys(**keys)).median() == pytest.approx(6.0)


@pytest.mark.parametrize("keys", STATED)
def test_the_time_of_a_hazard_has_that_hazard(keys):
    baseline = stated_baseline(BaselineKeys(**keys)).of(np.zeros(5, dtype=int))
    assert_allclose(baseline.cumulative_hazard(baseline.time(HAZARD)), HAZARD, rtol=1e-10)


def test_piecewise_hazards_add_up():
    baseline = stated_baseline(BaselineKeys(**STATED[2])).of(np.zeros(3, dtype=int))
    assert_allclose(
        baseline.cumulative_hazard(np.array([1.0, 5.0, 10.0])), [0.2, 0.4 + 0.15, 0.4 + 0.3 + 0.2]
    )


@pytest.mark.parametrize("keys", STATED)
def test_a_delayed_effect_has_its_own_cumulative_hazard(keys):
    """H1(t) = H0(t) up to the delay, and H0(3) + 0.5 (H0(t) - H0(3)) after it."""
    baseline = stated_baseline(BaselineKeys(**keys)).of(np.zeros(5, dtype=int))
    ratios = np.tile([1.0, 0.5], (5, 1))
    time = time_at(baseline, (3.0,), ratios, HAZARD)
    own, at_delay = baseline.cumulative_hazard(time), baseline.cumulative_hazard(np.full(5, 3.0))
    after = at_delay + 0.5 * (own - at_delay)
    assert_allclose(np.where(time <= 3, own, after), HAZARD, rtol=1e-9)
    assert (time > 3).any()
    assert (time < 3).any()


def test_no_effect_over_time_is_no_effect():
    baseline = stated_baseline(BaselineKeys(**STATED[1])).of(np.zeros(5, dtype=int))
    plain = baseline.time(HAZARD)
    assert_allclose(time_at(baseline, (1.0, 4.0), np.ones((5, 3)), HAZARD), plain, rtol=1e-10)


def test_every_truth_of_a_design(make_design):
    design = make_design(
        truth={
            "hazard_ratio": [0.7, 0.5],
            "prior": "Normal(-0.3, 0.2)",
            "non_proportional": {
                "brief": {"kind": "waning", "since": 3, "until": 9, "hazard_ratio": 0.5},
                "both": {"kind": "crossing", "early": 1.5, "until": 3, "hazard_ratio": 0.6},
            },
        },
        decision={"margin": 0.8},
    )
    found = {scenario.label: scenario for scenario in scenarios(design)}
    assert list(found) == [
        "proportional 0.5", "proportional 0.7", "proportional 0.8", "proportional 1",
        "design prior", "brief", "both",
    ]  # fmt: skip
    assert np.isnan(found["brief"].hazard_ratio)
    assert found["both"].ratios == (1.5, 0.6)
    waning = found["brief"]
    assert len(waning.ratios) == WANING_STEPS + 2
    assert len(waning.cuts) == WANING_STEPS + 1
    assert (waning.ratios[0], waning.ratios[-1]) == (0.5, 1.0)
    assert (np.diff(waning.ratios) > 0).all()
    middle = waning.ratios[1:-1]
    assert np.exp(np.mean(np.log(middle))) == pytest.approx(np.sqrt(0.5))
