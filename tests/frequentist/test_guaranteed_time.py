"""The detector of guaranteed time: its probability, its silence and its noise."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import gamma

from bayesurv.data.cohort import Cohort
from bayesurv.frequentist.guaranteed_time import (
    detector_table,
    first_exit,
    first_exits,
    guaranteed_time,
)
from bayesurv.frequentist.observations import Observations


def test_the_probability_is_averaged_over_the_rate():
    time = np.array([3.0, 4, 6, 9, 12.1, 20])
    found = first_exit(time, [1, 1, 1, 0, 1, 0])
    assert (found.patients, found.first_exit, found.exposure_before) == (6, 3, 18)
    assert (found.until, found.events, found.exposure) == (12, 2, 1 + 3 + 6 + 9 + 9)
    assert found.hazard == pytest.approx(2 / 28)
    rate = gamma(2.5, scale=1 / 28)
    average = quad(lambda h: np.exp(-18 * h) * rate.pdf(h), 0, 2, epsabs=1e-12)[0]
    assert found.probability == pytest.approx(average, rel=1e-8)
    assert found.probability > np.exp(-18 * 2.5 / 28)  # what a plugged-in rate would say


def test_delayed_entry_counts_from_entry_on():
    found = first_exit([3.0, 5, 9], [0, 1, 1], [2, 1, 4])
    assert found.patients == 2
    assert found.exposure_before == 1 + 2
    assert found.exposure == 2 + 5


def test_nothing_after_the_first_exit_says_nothing():
    found = first_exit([3.0, 3.0], [1, 1])
    assert np.isnan(found.hazard)
    assert not found.improbable


def test_the_unit_does_not_matter():
    time, event = np.array([3.0, 4, 6, 9, 12, 20]), [1, 1, 1, 0, 1, 0]
    days = first_exit(30.4375 * time, event)
    assert days.probability == pytest.approx(first_exit(time, event).probability)


def arm(random, size, shift):
    """Exponential survival after a guaranteed time, followed for 6 to 50 months."""
    death, end = shift + random.exponential(12, size), random.uniform(max(6, shift), 50, size)
    return np.minimum(death, end), death <= end


@pytest.mark.parametrize("size", [15, 34, 100])
def test_silent_without_guaranteed_time(size):
    random = np.random.default_rng(size)
    told = [first_exit(*arm(random, size, 0)).improbable for _ in range(1000)]
    assert 0 < np.mean(told) < 0.025  # at most IMPROBABLE, within three errors


def test_falling_hazards_do_not_alarm_and_rising_ones_seldom():
    """Weibull arms without guaranteed time, as the docstring has it."""
    random = np.random.default_rng(7)
    for shape, most in {0.7: 0.01, 1.3: 0.08}.items():
        told = []
        for _ in range(1000):
            death, end = 12 * random.weibull(shape, 34), random.uniform(6, 50, 34)
            told.append(first_exit(np.minimum(death, end), death <= end).improbable)
        assert np.mean(told) < most


def test_loud_with_guaranteed_time():
    random = np.random.default_rng(5)
    assert np.mean([first_exit(*arm(random, 34, 3)).improbable for _ in range(500)]) > 0.95


@pytest.fixture
def cohort():
    random = np.random.default_rng(1)
    (late, event), (plain, other) = arm(random, 34, 3), arm(random, 27, 0)
    frame = pd.DataFrame(
        {
            "time": np.concatenate([late, plain]),
            "event": np.concatenate([event, other]).astype(int),
            "cti2": np.repeat([0, 1], [34, 27]),
        }
    )
    return Cohort.from_frame(frame, time="time", event="event", unit="months")


def test_the_arm_is_named_and_no_more_is_claimed(cohort):
    observed = Observations.of(cohort, "cti2")
    [said] = guaranteed_time(observed, "cti2")
    assert said.startswith("None of the 34 patients with cti2 = 0 left before 3.")
    assert "before has probability 0.00" in said
    assert "compatible with guaranteed time or selection into this arm (or" in said
    assert "patients with cti2 = 1" not in said
    assert guaranteed_time(observed, None) == []


def test_the_table_has_a_row_for_each_arm(cohort):
    table = detector_table(first_exits(Observations.of(cohort, "cti2"), "cti2"))
    assert list(table["arm"]) == ["cti2 = 0", "cti2 = 1"]
    assert list(table["improbable"]) == [True, False]
    assert table["exposure_before"][0] == pytest.approx(34 * table["first_exit"][0])


def test_rows_of_one_patient_are_one_follow_up():
    frame = pd.DataFrame(
        {
            "id": list("aabbc"),
            "entry": [0.0, 1, 0, 2, 0],
            "time": [1.0, 6, 2, 8, 9],
            "event": [0, 1, 0, 1, 1],
            "arm": [0, 0, 1, 1, 1],
        }
    )
    cohort = Cohort.from_frame(
        frame, time="time", event="event", entry="entry", id="id", unit="months"
    )
    found = first_exits(Observations.of(cohort, "arm"), "arm")
    assert [each.first_exit for each in found.values()] == [6, 8]
