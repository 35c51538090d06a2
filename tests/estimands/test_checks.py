"""Checks see what is there: by hand where the model is known, and where it is false."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import bayesurv as bs
from bayesurv.data.faults import InputError
from bayesurv.estimands.checks import BETWEEN, COLUMNS, EXPECTED, check, clock_times
from bayesurv.frequentist.kaplan_meier import kaplan_meier
from bayesurv.frequentist.log_rank import log_rank


@pytest.fixture(scope="module")
def checks(weibull_fit):
    return check(weibull_fit, draws=200, grid=[0, 6, 12, 18, 24, 30, 36])


def row(checks, arm, statistic, time=None):
    table = checks.table
    rows = table[(table["arm"] == arm) & (table["statistic"] == statistic)]
    rows = rows if time is None else rows[rows["time"] == time]
    return rows.iloc[0]


def selected(seed):
    """Untreated patients who had to live three months to be counted; all others as the model."""
    random = np.random.default_rng(seed)
    treated = np.repeat([0, 1], [34, 27])
    death = random.exponential(9.0, 61)
    while (early := (treated == 0) & (death < 3)).any():
        death[early] = random.exponential(9.0, early.sum())
    lost = random.uniform(6, 40, 61)
    return pd.DataFrame(
        {"time": np.minimum(death, lost).clip(0.1), "event": death <= lost, "cti2": treated}
    )


def test_observed_values_are_those_of_the_cohort(checks, weibull_fit, frame):
    assert tuple(checks.table.columns) == COLUMNS
    for arm in (0, 1):
        name, chosen = f"cti2 = {arm}", frame[frame["cti2"] == arm]
        time, event = chosen["os_months"], chosen["os_event"]
        km = kaplan_meier(time, event)
        for at in (3, 6, 12):
            assert row(checks, name, "events before", at)["observed"] == event[time <= at].sum()
            assert_allclose(row(checks, name, "survival", at)["observed"], km.survival_at(at))
        assert row(checks, name, "last time")["observed"] == time.max()
        assert row(checks, name, "number at risk", 18)["observed"] == (time >= 18).sum()
        within = event[(time > 12) & (time <= 18)].sum()
        assert row(checks, name, "events in interval", 18)["observed"] == within
        assert row(checks, name, "median")["observed"] == km.time[km.survival <= 0.5][0]
    z = log_rank(frame["os_months"], frame["os_event"], frame["cti2"]).z
    assert_allclose(row(checks, BETWEEN, "log-rank z")["observed"], z)


def test_every_event_is_in_one_interval(checks, frame):
    table = checks.table[checks.table["statistic"] == "events in interval"]
    assert table["observed"].sum() == frame["os_event"].sum()


def test_p_values_and_verdicts_agree(checks):
    table = checks.table
    smaller = np.minimum(table["prob_above"], 1 - table["prob_above"])
    assert_allclose(table["p_value"], 2 * smaller)
    assert_array_equal(table["verdict"] == EXPECTED, table["p_value"] >= 0.05)
    assert table["p_value"].between(0, 1, inclusive="right").all()
    assert (table["mcse"] > 0).all()
    inside = table["observed"].between(table["lower"], table["upper"])
    assert inside[table["verdict"] == EXPECTED].all()


def test_curves_hold_the_kaplan_meier_estimate(checks, frame):
    curves = checks.curves["cti2 = 1"]
    chosen = frame[frame["cti2"] == 1]
    km = kaplan_meier(chosen["os_months"], chosen["os_event"])
    assert_allclose(curves.observed[0], km.survival_at(curves.time), atol=1e-11)
    assert_array_equal(curves.at_risk[0], km.at_risk(curves.tick))
    assert curves.again.shape == (200, len(curves.time))
    assert (np.diff(curves.again, axis=1) <= 0).all()


def test_the_seed_decides(weibull_fit):
    one, two = (check(weibull_fit, draws=100, seed=seed).table for seed in (3, 3))
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize("seed", [0, 1])
def test_patients_who_had_to_survive_to_be_counted_are_seen(seed):
    cohort = bs.Cohort.from_frame(selected(seed), time="time", event="event", unit="months")
    fit = bs.fit(cohort, "cti2", sampling=bs.Sampling(draws=500, tune=500, seed=1))
    found = check(fit, "cti2", draws=2000)
    early = row(found, "cti2 = 0", "events before", 3)
    assert early["observed"] == 0
    assert early["p_value"] < 0.03
    assert early["verdict"] == "fewer than the model expects"
    alive = row(found, "cti2 = 0", "survival", 3)
    assert alive["p_value"] < 0.03
    assert alive["verdict"] == "higher than the model expects"
    assert row(found, "cti2 = 1", "events before", 3)["verdict"] == EXPECTED
    assert set(found.outside["arm"]) == {"cti2 = 0"}
    assert (np.diff(found.outside["p_value"]) >= 0).all()


def test_a_model_of_far_too_many_deaths_is_seen(known_fit):
    fit = known_fit(selected(0), "cti2", bs.Exponential(), 100, intercept=0.0, coefficient=0.0)
    found = check(fit, draws=100)
    assert row(found, "cti2 = 1", "events before", 3)["verdict"] == "fewer than the model expects"
    assert row(found, "cti2 = 1", "number at risk")["verdict"] == "more than the model expects"
    assert row(found, "cti2 = 1", "median")["verdict"] == "higher than the model expects"


def test_a_median_that_is_not_reached_is_infinite_and_compared(known_fit):
    table = pd.DataFrame({"time": np.arange(2.0, 22), "event": np.resize([1, 0, 0, 0], 20)})
    fit = known_fit(table, "1", bs.Exponential(), 100, intercept=-4.0)
    found = row(check(fit, draws=100), "All patients", "median")
    assert np.isinf(found[["observed", "upper"]].to_numpy(dtype=float)).all()
    assert found["verdict"] == EXPECTED
    sure = known_fit(table, "1", bs.Exponential(), 100, intercept=-1.0)
    found = row(check(sure, draws=100), "All patients", "median")
    assert np.isfinite(found["upper"])
    assert found["verdict"] == "higher than the model expects"


def test_equal_survival_is_a_tie_whatever_the_order_of_the_products(known_fit):
    """One replicate of a cohort whose events are tied has the same survival in other steps."""
    table = pd.DataFrame({"time": np.repeat(np.arange(1.0, 18), 3), "event": 1})
    fit = known_fit(table, "1", bs.Exponential(), 400, intercept=-2.3)
    found = check(fit, times=[4, 7, 12], draws=400)
    for at in (4, 7, 12):
        survival = row(found, "All patients", "survival", at)["prob_above"]
        events = row(found, "All patients", "events before", at)["prob_above"]
        assert_allclose(survival, 1 - events, atol=1e-12)


def test_an_event_at_a_tick_is_in_the_interval_that_ends_there(known_fit):
    table = pd.DataFrame({"time": [2.0, 4.0, 5.0, 6.0, 7.0], "event": [1, 1, 0, 1, 1]})
    fit = known_fit(table, "1", bs.Exponential(), 50, intercept=-2.0)
    found = check(fit, times=[4], grid=[0, 4, 6, 8], draws=50).table.set_index("statistic")
    within = found.loc["events in interval"]
    assert_array_equal(within["time"], [4, 6, 8])
    assert_array_equal(within["observed"], [2, 1, 1])
    assert_array_equal(found.loc["number at risk", "observed"], [4, 2])


# --- Arms, times and notes ---


def test_three_arms_are_compared_by_chi_squared(known_fit):
    random = np.random.default_rng(1)
    table = pd.DataFrame({"time": random.exponential(8, 30), "event": 1})
    table["stage"] = np.resize(["I", "II", "III"], 30)
    fit = known_fit(table, "stage", bs.Exponential(), 60, intercept=-2.0, coefficient=0.0)
    found = check(fit, times=[2], draws=60)
    assert list(found.curves) == ["stage = I", "stage = II", "stage = III"]
    statistic = log_rank(table["time"], table["event"], table["stage"]).statistic
    assert_allclose(row(found, BETWEEN, "log-rank chi-squared")["observed"], statistic)


def test_one_arm_has_nothing_between(known_fit):
    table = selected(0)
    fit = known_fit(table, "1", bs.Exponential(), 50, intercept=-2.0)
    assert set(check(fit, draws=50).table["arm"]) == {"All patients"}


def test_times_past_an_arm_are_left_out_with_a_note(known_fit):
    table = selected(0)
    table.loc[table["cti2"] == 1, "time"] = table["time"].clip(upper=5.0)
    fit = known_fit(table, "cti2", bs.Exponential(), 50, intercept=-2.0, coefficient=0.0)
    found = check(fit, draws=50)
    survival = found.table[found.table["statistic"] == "survival"]
    assert survival[survival["arm"] == "cti2 = 1"]["time"].tolist() == [3]
    assert found.notes == ("Follow-up ends at 5 months (cti2 = 1): nothing is checked at 6, 12.",)


@pytest.mark.parametrize(("unit", "three"), [("days", 91.3125), ("years", 0.25), ("months", 3)])
def test_months_are_those_of_the_unit(unit, three, known_fit):
    table = selected(0).assign(time=lambda t: t["time"] * 30)
    fit = known_fit(table, "1", bs.Exponential(), unit=unit, intercept=-4.0)
    assert_allclose(clock_times(fit, None), [three, 2 * three, 4 * three])


def test_times_that_cannot_be_used(known_fit):
    fit = known_fit(selected(0), "1", bs.Exponential(), unit="cycles", intercept=-2.0)
    with pytest.raises(InputError, match="3, 6 and 12 months are not known in cycles; name times"):
        check(fit)
    with pytest.raises(InputError) as found:
        check(fit, times=[-1, 0, 5, 99])
    assert len(found.value.faults) == 3
    assert "--times: 99 is not above 0 and within follow-up" in str(found.value)


def test_delayed_entry_counts_from_entry(known_fit):
    table = selected(0)
    table["entry"] = np.where(table["cti2"] == 0, 2.9, 0.0)
    table = table[table["entry"] < table["time"]]
    fit = known_fit(table, "cti2", bs.Exponential(), 200, intercept=-2.2, coefficient=0.0)
    early = row(check(fit, draws=200), "cti2 = 0", "events before", 3)
    assert early["verdict"] == EXPECTED  # with entry said, nothing is odd any more
    assert early["upper"] <= 2


def test_intervals_are_compared_in_each_draw(known_fit):
    table = selected(0).assign(event=1)
    table["upper"] = table["time"] + 2
    fit = known_fit(table, "cti2", bs.Exponential(), 100, intercept=-2.2, coefficient=0.0)
    found = check(fit, draws=100)
    assert found.replicates.observed.time.shape == (100, 61)
    assert "61 patients is known only to an interval" in found.notes[0]
    assert found.table["p_value"].notna().all()


def test_an_arm_that_changes_over_time_is_that_at_entry(known_fit):
    table = pd.DataFrame(
        {
            "id": ["a", "a", "b", "c", "d"],
            "entry": [0.0, 4, 0, 0, 0],
            "time": [4.0, 15, 14, 13, 16],
            "event": [0, 1, 1, 1, 0],
            "cti2": [0, 1, 0, 1, 1],
        }
    )
    fit = known_fit(table, "cti2", bs.Exponential(), 50, intercept=-2.0, coefficient=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = check(fit, draws=50)
    assert found.notes == ("cti2 changes over time in 1 patients; arms are those at entry.",)
    assert found.curves["cti2 = 0"].at_risk[0][0] == 2
