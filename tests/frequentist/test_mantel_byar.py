"""Time-dependent treatment against R, and the bias that it repairs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.cohort import Cohort
from bayesurv.data.faults import InputError
from bayesurv.data.time_zero import delayed_entry, landmark
from bayesurv.data.treatment_start import treatment_from
from bayesurv.frequentist.log_rank import log_rank
from bayesurv.frequentist.mantel_byar import mantel_byar
from bayesurv.frequentist.observations import Observations
from bayesurv.frequentist.partial_likelihood import two_arms

REFERENCE = Path(__file__).parents[1] / "reference"
VALUES = pd.read_csv(REFERENCE / "time_zero.csv")


def known(case):
    rows = VALUES[(VALUES["case"] == case) & VALUES["time"].isna()]
    return dict(zip(rows["quantity"], rows["value"], strict=True))


@pytest.fixture(scope="module")
def stanford():
    rows = pd.read_csv(REFERENCE / "data" / "heart.csv")
    one = rows.groupby("id").agg(time=("time", "max"), event=("event", "max")).reset_index()
    one["start"] = one["id"].map(rows[rows["transplant"] == 1].set_index("id")["entry"])
    whole = Cohort.from_frame(one, time="time", event="event", unit="months", id="id")
    return treatment_from(whole, "start", "transplant")


def test_stanford_heart_transplants_are_those_of_r(stanford):
    observed, value = Observations.of(stanford, "transplant"), known("heart")
    test = mantel_byar(observed, "transplant")
    np.testing.assert_allclose(test.statistic, value["mantel_byar"], rtol=1e-10)
    np.testing.assert_allclose(test.p, value["mantel_byar_p"], rtol=1e-10)
    assert test.observed.sum() == 75
    fitted = observed.cox()
    np.testing.assert_allclose(fitted.coefficient[0], value["coefficient"], rtol=1e-9)
    np.testing.assert_allclose(fitted.standard_error[0], value["standard_error"], rtol=1e-9)
    np.testing.assert_allclose(fitted.log_likelihood, value["log_likelihood"], rtol=1e-11)


@pytest.mark.parametrize("months", [1, 2])
def test_landmarks_are_those_of_r(stanford, months):
    value = known(f"heart_landmark_{months}")
    later = landmark(stanford, months, "transplant")
    assert (later.n_patients, later.n_events) == (value["patients"], value["events"])
    observed = Observations.of(later, "transplant")
    fitted = observed.cox()
    np.testing.assert_allclose(fitted.coefficient[0], value["coefficient"], rtol=1e-9)
    np.testing.assert_allclose(fitted.standard_error[0], value["standard_error"], rtol=1e-9)
    np.testing.assert_allclose(
        mantel_byar(observed, "transplant").statistic, value["log_rank"], rtol=1e-9
    )


@pytest.mark.parametrize("years", [15, 20])
def test_delayed_entry_is_that_of_r(years):
    value = known(f"channing_entry_{years}")
    table = pd.read_csv(REFERENCE / "data" / "channing.csv")
    whole = Cohort.from_frame(table, time="time", event="event", entry="entry", unit="years")
    later = delayed_entry(whole, years, "male")
    assert (later.n_patients, later.n_events) == (value["patients"], value["events"])
    fitted = Observations.of(later, "male").cox()
    np.testing.assert_allclose(fitted.coefficient[0], value["coefficient"], rtol=1e-9)
    np.testing.assert_allclose(fitted.standard_error[0], value["standard_error"], rtol=1e-9)


def test_guaranteed_time_looks_like_benefit_and_the_start_repairs_it():
    """Treatment does nothing; those who live long enough get it."""
    random = np.random.default_rng(11)
    naive, repaired, rejected = [], [], []
    for _ in range(150):
        death, start = random.exponential(10, 100), random.exponential(6, 100)
        end = random.uniform(5, 30, 100)
        time = np.minimum(death, end)
        given = np.where(start < time, start, np.nan)
        event = (death <= end).astype(int)
        frame = pd.DataFrame({"time": time, "event": event, "start": given})
        ever = frame["start"].notna()
        naive.append(float(two_arms(time, frame["event"], ever).estimate()[0]))
        whole = Cohort.from_frame(frame, time="time", event="event", unit="months")
        split = treatment_from(whole, "start", "treated")
        rows = split.time, split.event, split.covariates["treated"], split.entry
        repaired.append(float(two_arms(*rows).estimate()[0]))
        rejected.append(log_rank(*rows).p < 0.05)
    error = np.std(repaired) / np.sqrt(150)
    assert np.mean(naive) < -0.8  # a hazard ratio below 0.45 from nothing
    assert abs(np.mean(repaired)) < 3 * error
    assert 0.01 < np.mean(rejected) < 0.11  # 0.05 within three errors


def test_a_treatment_that_is_not_there(stanford):
    observed = Observations.of(stanford, "transplant")
    with pytest.raises(InputError, match="surgery"):
        mantel_byar(observed, "surgery")
