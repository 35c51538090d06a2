"""Clone, censor, weight: against R without covariates, and against the truth with one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.faults import InputError
from bayesurv.frequentist.clone_censor_weight import (
    DIFFERENCE,
    HAZARD_RATIO,
    STRATEGIES,
    clone_censor_weight,
)
from bayesurv.frequentist.clones import Clones, Patients
from bayesurv.frequentist.kaplan_meier import kaplan_meier
from bayesurv.frequentist.partial_likelihood import two_arms

REFERENCE = Path(__file__).parents[1] / "reference"
VALUES = pd.read_csv(REFERENCE / "time_zero.csv")


def heart():
    rows = pd.read_csv(REFERENCE / "data" / "heart.csv")
    one = rows.groupby("id").agg(time=("time", "max"), event=("event", "max"))
    start = rows[rows["transplant"] == 1].set_index("id")["entry"]
    return one["time"], one["event"], start.reindex(one.index).fillna(np.inf)


def estimate(found, quantity, strategy):
    table = found.estimates.set_index(["quantity", "strategy"])
    return table.loc[(quantity, strategy), "estimate"]


@pytest.mark.parametrize("within", [0.5, 1.0])
def test_without_covariates_it_is_that_of_r(within):
    found = clone_censor_weight(*heart(), within, horizon=24, resamples=0)
    value = VALUES[VALUES["case"] == f"heart_within_{within:g}"]
    for i, strategy in enumerate(STRATEGIES):
        curve = value[value["quantity"] == f"survival_{i}"]
        step = np.searchsorted(found.time, curve["time"], side="right") - 1
        np.testing.assert_allclose(found.survival[i][step], curve["value"], rtol=1e-9)
        mean = value.loc[value["quantity"] == f"rmst_{i}", "value"].item()
        np.testing.assert_allclose(
            estimate(found, "restricted mean survival", strategy), mean, rtol=1e-9
        )
    log_ratio = value.loc[value["quantity"] == "coefficient", "value"].item()
    ratio = found.estimates.loc[found.estimates["quantity"] == HAZARD_RATIO, "estimate"].item()
    np.testing.assert_allclose(np.log(ratio), log_ratio, rtol=1e-8)


def test_where_treatment_starts_at_once_or_never_it_compares_two_arms():
    random = np.random.default_rng(4)
    time, arm = 1 + random.exponential(5, 80), random.integers(0, 2, 80) == 1
    event, start = random.random(80) < 0.8, np.where(arm, 0.0, np.inf)
    clones = Clones.of(Patients.of(time, event, start, None), 1e-9)
    for i, rows in enumerate((~arm, arm)):
        curve = kaplan_meier(time[rows], event[rows])
        step = np.searchsorted(curve.time, clones.time, side="right") - 1
        np.testing.assert_allclose(clones.survival[i][1:], curve.survival[step])


def confounded(random, size, log_ratio=0.0):
    """Who has x = 1 lives longer and is treated more; treatment multiplies the hazard."""
    x = random.integers(0, 2, size)
    start = random.exponential(3 * np.exp(0.7 * (1 - x)))
    hazard = 0.12 * np.exp(-0.9 * x)
    before = random.exponential(1 / hazard)
    death = np.where(
        before < start, before, start + random.exponential(1 / hazard) / np.exp(log_ratio)
    )
    end = random.uniform(12, 30, size)
    time = np.minimum(death, end)
    return time, death <= end, np.where(start < time, start, np.inf), x[:, None].astype(float)


def test_guaranteed_time_and_confounding_are_repaired():
    """Treatment does nothing: naive arms say it halves the hazard, weighted clones find nothing."""
    random = np.random.default_rng(8)
    naive, unweighted, weighted = [], [], []
    for _ in range(40):
        time, event, start, x = confounded(random, 400)
        naive.append(float(two_arms(time, event, np.isfinite(start)).estimate()[0]))
        for covariates, into in ((None, unweighted), (x, weighted)):
            found = clone_censor_weight(time, event, start, 3, covariates, horizon=12, resamples=0)
            into.append(estimate(found, "restricted mean survival", DIFFERENCE))
    error = np.std(weighted) / np.sqrt(len(weighted))
    assert np.mean(naive) < -0.7
    assert np.mean(unweighted) > 0.3
    assert abs(np.mean(weighted)) < 3 * error < 0.15


def test_an_effect_is_found():
    """Half the hazard after treatment; the truth of both strategies from a large population."""
    random = np.random.default_rng(9)
    time, event, start, x = confounded(random, 1500, np.log(0.5))
    found = clone_censor_weight(time, event, start, 3, x, horizon=12, resamples=60)
    table = found.estimates.set_index(["quantity", "strategy"])
    gain = table.loc[("restricted mean survival", DIFFERENCE)]
    survived = {}
    for strategy in STRATEGIES:
        group = random.integers(0, 2, 200_000)
        own = random.exponential(3 * np.exp(0.7 * (1 - group)))
        # Whoever has not started by the end of the window starts then; or goes on waiting then.
        began = np.minimum(own, 3) if strategy == STRATEGIES[1] else 3 + own
        hazard = 0.12 * np.exp(-0.9 * group)
        before = random.exponential(1 / hazard)
        death = np.where(before < began, before, began + random.exponential(1 / hazard) * 2)
        survived[strategy] = np.minimum(death, 12).mean()
    for strategy, truth in survived.items():
        row = table.loc[("restricted mean survival", strategy)]
        assert row["lower"] < truth < row["upper"]
    assert gain["lower"] < survived[STRATEGIES[1]] - survived[STRATEGIES[0]] < gain["upper"]
    assert gain["lower"] > 0
    assert gain["upper"] - gain["lower"] < 2


def test_the_same_seed_gives_the_same_interval():
    one, other = (clone_censor_weight(*heart(), 1, resamples=40, seed=3).estimates for _ in "ab")
    pd.testing.assert_frame_equal(one, other)
    assert (one["lower"] < one["upper"]).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"within": 0}, "the window 0 is not above 0"),
        ({"within": 90}, "the window 90 is not shorter than follow-up, which ends at 59"),
        ({"start": np.inf}, "nobody at risk after the window 1 had started treatment in it"),
        ({"start": 0.0}, "everybody at risk after the window 1 had started treatment in it"),
        ({"horizon": 90}, "the horizon 90 is not followed under both strategies; it can be"),
    ],
)
def test_what_cannot_be_compared(change, said):
    time, event, start = heart()
    given = {"within": 1, "horizon": None, "start": start} | change
    start = np.broadcast_to(given["start"], len(time))
    with pytest.raises(InputError, match=said):
        clone_censor_weight(time, event, start, given["within"], horizon=given["horizon"])
