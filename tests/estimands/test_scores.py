from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines.utils import concordance_index
from numpy.testing import assert_allclose

from bayesurv.estimands.replicates import censoring_hazard
from bayesurv.estimands.scores import (
    brier_weights,
    comparable_pairs,
    others_survival,
    uno_weights,
)

REFERENCE = Path(__file__).parents[1] / "reference"
FOUND_IN_R = pd.read_csv(REFERENCE / "checks.csv").set_index(["case", "quantity"])["value"]
RISK = {
    "veteran": lambda table: -table["karno10"] + 0.3 * table["trt"],
    "lung": lambda table: table["age10"] - table["female"],
    "channing": lambda table: table["male"],
}


def data(name):
    table = pd.read_csv(REFERENCE / "data" / f"{name}.csv")
    entry = table["entry"].to_numpy() if "entry" in table else np.zeros(len(table))
    follow_up = entry, table["time"].to_numpy(), table["event"].to_numpy() > 0
    return *follow_up, RISK[name](table).to_numpy()


def share(pairs, risk):
    higher = np.sign(risk[:, None] - risk) / 2 + 0.5
    return (pairs * higher).sum() / pairs.sum()


@pytest.mark.parametrize("name", ["veteran", "lung", "channing"])
def test_concordance_is_that_of_r(name):
    *follow_up, risk = data(name)
    found = share(comparable_pairs(*follow_up), risk)
    assert_allclose(found, FOUND_IN_R[name, "concordance"], rtol=1e-12)


@pytest.mark.parametrize("name", ["veteran", "lung"])
def test_uno_concordance_is_that_of_r(name):
    *follow_up, risk = data(name)
    pairs = comparable_pairs(*follow_up, until=12) * uno_weights(*follow_up)[:, None]
    assert_allclose(share(pairs, risk), FOUND_IN_R[f"{name}_uno", "concordance"], rtol=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_concordance_is_that_of_lifelines(seed):
    random = np.random.default_rng(seed)
    time, event = random.integers(1, 9, 30), random.random(30) < 0.7
    time[0], event[0], risk = 0, True, random.integers(0, 5, 30)
    pairs = comparable_pairs(np.full(30, -1), time, event)
    assert_allclose(share(pairs, risk), concordance_index(time, -risk, event))


@pytest.mark.parametrize("at", [6, 12, 24])
def test_brier_score_is_that_of_r(at):
    entry, time, event, risk = data("lung")
    weights = brier_weights(entry, time, event, at)
    loss = ((time > at) - np.exp(-0.06 * np.exp(0.2 * risk) * at)) ** 2
    found = (weights * loss).sum() / weights.sum()
    assert_allclose(found, FOUND_IN_R["lung", f"brier_{at}"], rtol=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_weights_hand_everyone_s_share_to_those_who_are_known(seed):
    """Redistribution to the right: without delayed entry the weights add up to all patients."""
    random = np.random.default_rng(seed)
    time, event = random.integers(1, 20, 40).astype(float), random.random(40) < 0.6
    time[-1] = 21  # someone is followed past every time
    weights = brier_weights(np.zeros(40), time, event, 10.0)
    assert_allclose(weights.sum(), 40)
    assert (weights[~event & (time <= 10)] == 0).all()


def test_delayed_entry_weighs_from_entry():
    entry, time = np.array([0.0, 0, 2, 4, 9]), np.array([1.0, 3, 8, 8, 12])
    event = np.array([False, False, True, True, True])
    # At 1 two are at risk, and one is lost; at 3 two, and one is lost.
    assert_allclose(brier_weights(entry, time, event, 8.0), [0, 0, 2, 1, 0])
    assert_allclose(brier_weights(entry, time, event, 2.5), [0, 2, 1, 0, 0])


def test_reverse_kaplan_meier_by_hand():
    at, hazard = censoring_hazard(np.zeros(4), np.array([1.0, 2, 2, 3]), np.array([1, 0, 1, 0]) > 0)
    # An event at 2 comes before the censoring at 2, so two are at risk of that one.
    assert_allclose(at, [2, 3])
    assert_allclose(np.exp(-hazard), [1 / 2, 0])


def test_survival_of_the_others():
    entry, time = np.array([0.0, 0, 1, 3]), np.array([2.0, 4, 5, 6])
    event = np.array([True, True, False, True])
    found = others_survival(entry, time, event, 4.5)
    # Without the third, both events, at 2 and at 4, find two at risk.
    assert_allclose(found, [2 / 3, 1 / 2, 1 / 4, 1 / 2])
