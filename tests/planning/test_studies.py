"""Simulated studies: arms, calendar and censoring as stated, and each from its own seed."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from bayesurv.planning.looks import look_times
from bayesurv.planning.scenarios import scenarios, stated_baseline
from bayesurv.planning.studies import simulate_studies

FOREVER = {"baseline": {"name": "exponential", "median": 1e9}}


def simulated(design, label="proportional 0.5", patients=40, first=0, count=300):
    _, truth = design.study()
    scenario = {each.label: each for each in scenarios(design)}[label]
    baseline = stated_baseline(truth.baseline)
    return simulate_studies(design, baseline, scenario, patients, first, count)


def treated(found):
    return found.studies.pattern % 2 == 1


def test_a_study_is_the_same_whatever_batch_it_is_in(make_design):
    design = make_design(truth={"prior": "Normal(0, 1)"})
    for label in ("proportional 0.5", "design prior"):
        whole = simulated(design, label, count=30)
        part = simulated(design, label, first=20, count=10)
        for name in ("pattern", "time", "event"):
            assert_array_equal(getattr(part.studies, name), getattr(whole.studies, name)[20:])
        assert_array_equal(part.log_ratio, whole.log_ratio[20:])
        assert_array_equal(part.seeds, whole.seeds[:, 20:])


def test_studies_differ_with_seed_size_and_truth(make_design):
    one = simulated(make_design())
    for other in (
        simulated(make_design(simulation={"seed": 1})),
        simulated(make_design(), "proportional 1"),
    ):
        assert not np.intersect1d(one.entered, other.entered).size
        assert not np.intersect1d(one.seeds, other.seeds).size


def test_fixed_allocation_is_exact_and_random_allocation_is_not(make_design):
    fixed = treated(simulated(make_design())).sum(axis=1)
    assert set(fixed) == {18}  # 40 times 27/61 is 17.7
    by_chance = treated(simulated(make_design(design={"allocation": "random"}))).sum(axis=1)
    share = 27 / 61
    error = np.sqrt(share * (1 - share) / by_chance.size / 40)
    assert by_chance.mean() / 40 == pytest.approx(share, abs=5 * error)
    assert by_chance.var() == pytest.approx(40 * share * (1 - share), rel=0.4)


def test_patients_enter_evenly_and_are_followed_until_the_end(make_design):
    found = simulated(make_design(truth=FOREVER), "proportional 1")
    entered = np.sort(found.entered.ravel())
    even = (np.arange(entered.size) + 0.5) / entered.size * 24
    assert np.abs(entered - even).max() < 24 * 1.95 / np.sqrt(entered.size)  # Kolmogorov, 0.1%
    assert_array_equal(found.finish, found.entered.max(axis=1) + 12)
    assert not found.studies.event.any()
    assert found.entered + found.studies.time == pytest.approx(
        np.broadcast_to(found.finish[:, None], found.entered.shape)
    )
    assert found.studies.time.min() == pytest.approx(12)


def test_patients_enter_at_a_rate(make_design):
    design = make_design(design={"accrual": None, "accrual_rate": 2.5}, truth=FOREVER)
    gaps = np.diff(simulated(design, "proportional 1").entered, axis=1)
    assert (gaps > 0).all()
    assert gaps.mean() == pytest.approx(0.4, rel=0.05)
    assert gaps.std() == pytest.approx(0.4, rel=0.07)


def test_the_longest_follow_up_of_a_patient(make_design):
    design = make_design(design={"follow_up_each": 6, "follow_up": None}, truth=FOREVER)
    found = simulated(design, "proportional 1")
    assert set(found.studies.time.ravel()) == {6.0}
    assert_array_equal(found.finish, found.entered.max(axis=1) + 6)


def test_dropout_is_a_share_of_a_year(make_design):
    keys = {"dropout_yearly": 0.3, "accrual": 0, "follow_up": 12}
    found = simulated(make_design(design=keys, truth=FOREVER), "proportional 1")
    lost = found.studies.time < 12
    assert lost.mean() == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / lost.size))
    assert not found.studies.event.any()


def test_covariates_have_their_prevalence_in_each_arm_and_their_hazard_ratio(make_design):
    covariates = {
        "bulky": {"treated": 0.3, "control": 0.1, "hazard_ratio": 3.0},
        "late": {"treated": 0.5, "control": 0.8},
    }
    keys = {"accrual": 0, "follow_up": 1e6}
    truth = {"covariates": covariates, "baseline": {"name": "exponential", "median": 6.0}}
    found = simulated(make_design(design=keys, truth=truth), count=1000)
    arm, bulky, late = (found.studies.pattern >> bit & 1 for bit in range(3))
    for member, present, share in (
        (arm == 1, bulky, 0.3), (arm == 0, bulky, 0.1), (arm == 1, late, 0.5), (arm == 0, late, 0.8)
    ):  # fmt: skip
        error = np.sqrt(share * (1 - share) / member.sum())
        assert present[member].mean() == pytest.approx(share, abs=5 * error)
    hazard = np.log(2) / 6 * 0.5**arm * 3.0**bulky
    assert found.studies.event.all()
    assert (found.studies.time * hazard).mean() == pytest.approx(1, abs=5 / np.sqrt(arm.size))
    assert found.log_ratio == pytest.approx(np.log(0.5))


def test_crossing_hazards_have_the_stated_survival(make_design):
    """The share alive, in 12,000 treated patients without censoring, against the closed form."""
    crossing = {"kind": "crossing", "early": 2.0, "until": 4.0, "hazard_ratio": 0.5}
    truth = {
        "baseline": {"name": "weibull", "median": 6.0, "shape": 1.3},
        "non_proportional": {"crossing": crossing},
    }
    keys = {"accrual": 0, "follow_up": 1e6}
    found = simulated(make_design(design=keys, truth=truth), "crossing", count=670)
    time = found.studies.time[treated(found)]

    def hazard(t):
        return np.log(2) * (t / 6) ** 1.3

    for t in (1.0, 4.0, 6.0, 12.0, 20.0):
        early = 2.0 * hazard(min(t, 4.0))
        survival = np.exp(-early - 0.5 * (hazard(t) - hazard(min(t, 4.0))))
        error = np.sqrt(survival * (1 - survival) / time.size)
        assert (time > t).mean() == pytest.approx(survival, abs=5 * error)
    assert np.isnan(found.log_ratio).all()


def test_the_design_prior_is_drawn_from(make_design):
    found = simulated(make_design(truth={"prior": "Normal(-0.3, 0.2)"}), "design prior", count=2000)
    assert found.log_ratio.mean() == pytest.approx(-0.3, abs=5 * 0.2 / np.sqrt(2000))
    assert found.log_ratio.std() == pytest.approx(0.2, rel=0.1)


# --- Looks ---


def test_a_look_by_time_sees_what_had_happened(make_design):
    design = make_design(design={"looks": {"by": "time", "at": [15, 500]}})
    found = simulated(design)
    times = look_times(design.study()[0], found)
    assert set(times[0]) == {15.0}
    assert np.isnan(times[1]).all()
    seen = found.seen(times[0])
    happened = found.entered + found.studies.time <= 15
    assert_array_equal(seen.event, happened & found.studies.event)
    assert (seen.time <= np.maximum(15 - found.entered, 0) + 1e-12).all()
    assert (seen.time[found.entered > 15] == 0).all()
    assert_array_equal(seen.time[happened], found.studies.time[happened])


def test_a_look_by_patients_is_when_so_many_have_entered(make_design):
    design = make_design(design={"looks": {"by": "patients", "at": [0.25, 0.5]}})
    found = simulated(design)
    times = look_times(design.study()[0], found)
    entered = (found.entered[None] <= times[..., None]).sum(axis=2)
    assert (entered[0] == 10).all()
    assert (entered[1] == 20).all()


def test_a_look_by_events_is_when_so_many_have_happened(make_design):
    keys = {"looks": {"by": "events", "at": [0.5], "planned_events": [29]}}
    design = make_design(design=keys)
    found = simulated(design)
    [times] = look_times(design.study()[0], found)
    took_place = np.isfinite(times)
    assert took_place.mean() > 0.9
    assert set(found.seen(times).event.sum(axis=1)[took_place]) == {15}


def test_a_look_by_events_that_never_happen_does_not_take_place(make_design):
    keys = {"looks": {"by": "events", "at": [0.5], "planned_events": [20]}}
    design = make_design(design=keys, truth=FOREVER)
    found = simulated(design, "proportional 1")
    assert np.isnan(look_times(design.study()[0], found)).all()
