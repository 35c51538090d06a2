"""A running study is completed as its posterior has it, and only where it is still going on."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import bayesurv as bs
from bayesurv.data.faults import InputError
from bayesurv.planning.completion import complete, run_completions
from bayesurv.planning.design import StudyDesign
from bayesurv.planning.keys import DecisionKeys, RunningKeys
from bayesurv.planning.prediction import PREDICTIVE, prediction
from bayesurv.planning.running import running_study


@pytest.fixture(scope="module")
def saved(weibull_fit, tmp_path_factory):
    path = tmp_path_factory.mktemp("fit") / "posterior.nc"
    bs.save(weibull_fit, path, endpoint="os", treatment="cti2")
    return str(path)


@pytest.fixture(scope="module")
def grouped(grouped_fit, tmp_path_factory):
    path = tmp_path_factory.mktemp("fit") / "posterior.nc"
    bs.save(grouped_fit, path, endpoint="os", treatment="cti2")
    return str(path)


def keys(fit, **more):
    return RunningKeys(**{"fit": fit, "follow_up": 12.0} | more)


def test_what_is_known_stays_and_what_goes_on_goes_on(saved):
    asked = keys(saved)
    study = running_study(asked)
    found = complete(study, asked, seed=1, first=0, count=200)
    assert_array_equal(
        found.studies.time[:, study.event], np.tile(study.time[study.event], (200, 1))
    )
    assert found.studies.event[:, study.event].all()
    going = found.studies.time[:, study.ongoing]
    assert (going >= study.time[study.ongoing]).all()
    assert (going <= study.time[study.ongoing] + 12 + 1e-9).all()
    stopped = ~found.studies.event[:, study.ongoing]
    assert going[stopped] == pytest.approx(
        np.tile(study.time[study.ongoing] + 12, (200, 1))[stopped]
    )


def test_events_happen_as_often_as_the_posterior_says(saved):
    asked = keys(saved)
    study = running_study(asked)
    found = complete(study, asked, seed=2, first=0, count=2000)
    going = study.ongoing
    happened = found.studies.event[:, going].mean()
    shape, level = (study.parameters[name][:, None] for name in ("shape", "intercept"))
    arm = study.training["cti2"].to_numpy()[going]
    relative = np.exp(study.log_ratio[:, None] * arm)
    now, then = study.time[going], study.time[going] + 12
    passed = np.exp(level) * relative * (then**shape - now**shape)
    expected = -np.expm1(-passed).mean()
    assert happened == pytest.approx(expected, abs=0.02)


def test_a_batch_is_the_same_wherever_it_starts(saved):
    asked = keys(saved, patients=10, accrual=6.0, treated=0.5)
    study = running_study(asked)
    whole = complete(study, asked, seed=1, first=0, count=20)
    part = complete(study, asked, seed=1, first=12, count=8)
    for name in ("pattern", "time", "event"):
        assert_array_equal(getattr(part.studies, name), getattr(whole.studies, name)[12:])
    assert_array_equal(part.seeds, whole.seeds[12:])
    assert_array_equal(part.log_ratio, whole.log_ratio[12:])


def test_newcomers_have_the_covariates_of_their_arm(saved):
    asked = keys(saved, patients=50, accrual=6.0, treated=0.3)
    study = running_study(asked)
    found = complete(study, asked, seed=1, first=0, count=100)
    known = len(study.time)
    arm = study.training["cti2"].to_numpy()[found.studies.pattern[:, known:]]
    assert arm.mean() == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / arm.size))
    time = found.studies.time[:, known:]
    assert time.max() <= 12
    assert time[~found.studies.event[:, known:]].min() >= 6 - 1e-9
    assert_array_equal(found.studies.pattern[:, :known], np.tile(np.arange(known), (100, 1)))


def test_those_who_drop_out_are_followed_less(saved):
    study = running_study(keys(saved))
    usual = complete(study, keys(saved), seed=1, first=0, count=300)
    less = complete(study, keys(saved, dropout_yearly=0.8), seed=1, first=0, count=300)
    assert (less.studies.time <= usual.studies.time + 1e-9).all()
    share = (less.studies.time < usual.studies.time)[:, study.ongoing & ~study.event].mean()
    assert 0.3 < share < 0.8


def test_without_more_follow_up_the_prediction_is_what_is_known_now(saved):
    document = {
        "running": {"fit": saved, "follow_up": 1e-6},
        "decision": {"threshold": [0.001, 0.999999]},
    }
    design = StudyDesign.from_document(document)
    study = running_study(design.running)
    table = run_completions(study, design, 0, 12)
    found = prediction(study, table, design.decision)
    assert found[found["quantity"] == PREDICTIVE]["estimate"].tolist() == [1.0, 0.0]
    now = found[found["quantity"] == "P(benefit)"]["estimate"].iloc[0]
    assert table["probability"] == pytest.approx(now, abs=0.06)
    assert (table["events"] == study.event.sum()).all()


def test_a_model_with_groups_is_completed(grouped):
    design = StudyDesign.from_document({"running": {"fit": grouped, "follow_up": 6.0}})
    study = running_study(design.running)
    table = run_completions(study, design, 0, 3)
    assert np.isfinite(table["estimate"]).all()
    assert study.parameters["group_effect"].shape[1] == 4


def test_the_prediction_has_its_errors(saved):
    design = StudyDesign.from_document({"running": {"fit": saved, "follow_up": 12.0}})
    study = running_study(design.running)
    found = prediction(study, run_completions(study, design, 0, 20), DecisionKeys(margin=1.5))
    final = found[found["at"] == "final analysis"]
    assert final[["mcse", "lower", "upper"]].notna().all(axis=None)
    assert found.set_index("quantity").loc["still followed", "estimate"] == study.ongoing.sum()


# --- Who is still followed ---

PLAN = """
[cohort]
file = "cohort.csv"
unit = "months"
id = "pid"
[endpoint.os]
time = "os_months"
event = "os_event"
[model]
formula = "cti2"
"""


@pytest.fixture
def plan(tmp_path, frame):
    def write(**columns):
        frame.assign(**columns).to_csv(tmp_path / "cohort.csv", index=False)
        (tmp_path / "plan.toml").write_text(PLAN)
        return str(tmp_path / "plan.toml")

    return write


def test_a_column_says_who_is_still_followed(saved, plan, frame):
    followed = np.arange(len(frame)) % 2
    asked = keys(saved, plan=plan(going=followed), under_observation="going")
    study = running_study(asked)
    assert_array_equal(study.ongoing, (followed == 1) & ~study.event)
    assert running_study(keys(saved)).ongoing.sum() == (~study.event).sum()


@pytest.mark.parametrize(
    ("columns", "column", "said"),
    [
        ({}, "going", 'no column "going" in the cohort'),
        ({"going": 2}, "going", "going holds something else than 0 and 1"),
        ({"going": 1, "os_months": 3.0}, "going", "its cohort is not the one of the fit"),
    ],
)
def test_a_cohort_that_does_not_say_it(saved, plan, columns, column, said):
    with pytest.raises(InputError, match=said):
        running_study(keys(saved, plan=plan(**columns), under_observation=column))


def test_fits_that_cannot_be_completed(saved, tmp_path, frame, known_fit):
    with pytest.raises(InputError, match='treatment: "cti3" is no term of the fit'):
        running_study(keys(saved, treatment="cti3"))
    with pytest.raises(InputError, match="no such file"):
        running_study(keys(str(tmp_path / "nowhere")))
    assert isinstance(running_study(keys(saved)).training, pd.DataFrame)
