"""The table of the classical analysis: each row is what its method gives, and faults stay local."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayesurv.data.cohort import Cohort
from bayesurv.data.faults import InputError
from bayesurv.frequentist.classical import COLUMNS, classical
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.e_value import e_value
from bayesurv.frequentist.kaplan_meier import kaplan_meier
from bayesurv.frequentist.log_rank import log_rank
from bayesurv.frequentist.observations import Observations, event_causes
from bayesurv.frequentist.quantiles import quantile

STAGES = ["I", "II", "III", "IV"]


def cohort(frame, **more):
    options = {"time": "os_months", "event": "os_event", "unit": "months", "id": "pid"}
    return Cohort.from_frame(frame, **(options | more))


@pytest.fixture
def observed(frame):
    frame["cause"] = np.where(frame["os_event"] == 1, "lymphoma", "")
    frame.loc[frame.index[frame["os_event"] == 1][::3], "cause"] = "infection"
    return Observations.of(
        cohort(frame, ordinal={"stage": STAGES}), "cti2 + bulky + stage + (1 | centre)"
    )


@pytest.fixture
def table(observed):
    return classical(observed, "cti2", 12, "cause")


def cell(table, term, method, column="estimate", quantity=None):
    rows = table[(table["term"] == term) & (table["method"] == method)]
    rows = rows if quantity is None else rows[rows["quantity"] == quantity]
    assert len(rows) == 1
    return rows.iloc[0][column]


def test_columns_and_methods(table):
    assert list(table) == list(COLUMNS)
    methods = "cox cox-profile cox-firth cox-univariable cox-stratified weibull exponential "
    methods += "cox-likelihood-ratio cox-wald cox-score schoenfeld kaplan-meier log-rank gehan "
    methods += "e-value reverse-kaplan-meier log-rank-stratified peto-peto rmst aalen-johansen gray"
    assert set(table["method"]) == set(methods.split())
    assert (table["ci_prob"] == 0.95).all()
    assert ((table["p"] >= 0) & (table["p"] <= 1) | table["p"].isna()).all()


def test_hazard_ratios_are_those_of_the_model(frame, table):
    steps = frame["stage"].map(STAGES.index) / 3
    covariates = np.column_stack([frame["cti2"], frame["bulky"], steps])
    terms = ["cti2", "bulky", "monotone(stage)"]
    joint = cox(frame["os_months"], frame["os_event"], covariates, terms)
    own = table[table["method"] == "cox"].set_index("term").loc[terms]
    assert_allclose(own["estimate"], np.exp(joint.coefficient), rtol=1e-10)
    assert_allclose(own[["lower", "upper"]].T, np.exp(joint.interval()), rtol=1e-10)
    assert_allclose(own["p"], joint.p(), rtol=1e-10)
    alone = cox(frame["os_months"], frame["os_event"], covariates[:, :1], ["cti2"])
    assert_allclose(
        cell(table, "cti2", "cox-univariable"), np.exp(alone.coefficient[0]), rtol=1e-10
    )


def test_e_values_are_of_the_joint_models(table):
    rows = table[table["method"] == "e-value"]
    assert rows["remark"].tolist() == ["of cox", "of cox-firth"]
    own = table[(table["term"] == "cti2") & (table["method"] == "cox")].iloc[0]
    found = e_value(own["estimate"], own["lower"], own["upper"])
    assert (rows["estimate"].iloc[0], rows["lower"].iloc[0]) == (found.estimate, found.limit)


def test_a_categorys_levels_enter_the_univariable_model_together(frame):
    observed = Observations.of(cohort(frame), "cti2 + stage + cti2:bulky")
    assert observed.components() == {"cti2": ["cti2"], "stage": [f"stage[{s}]" for s in STAGES[1:]]}
    together = observed.cox(["stage[II]", "stage[III]", "stage[IV]"])
    found = classical(observed).query("method == 'cox-univariable'").set_index("term")
    assert_allclose(found["estimate"].iloc[1:], np.exp(together.coefficient), rtol=1e-10)


def test_arms_are_compared_by_the_methods_of_their_own_files(frame, table):
    treated = (frame["cti2"] == 1).to_numpy()
    time, event = frame["os_months"].to_numpy(), frame["os_event"].to_numpy()
    median = quantile(kaplan_meier(time[treated], event[treated]))
    row = table[(table["term"] == "cti2 = 1") & (table["method"] == "kaplan-meier")].iloc[0]
    assert_allclose(row[["estimate", "lower", "upper"]].astype(float),
                    [median.estimate, median.lower, median.upper])  # fmt: skip
    assert cell(table, "cti2", "log-rank", "p") == log_rank(time, event, treated).p
    assert cell(table, "cti2", "gehan", "p") == log_rank(time, event, treated, weight="gehan").p
    stratified = log_rank(time, event, treated, strata=frame["centre"])
    assert cell(table, "cti2", "log-rank-stratified", "p") == pytest.approx(stratified.p)
    gained = "difference in restricted mean survival"
    means = [cell(table, f"cti2 = {arm}", "rmst") for arm in (0, 1)]
    assert_allclose(cell(table, "cti2", "rmst", quantity=gained), means[1] - means[0])


def test_incidences_of_the_causes_and_survival_add_up_to_one(frame, table):
    for arm in (0, 1):
        own = frame[frame["cti2"] == arm]
        survival = kaplan_meier(own["os_months"], own["os_event"]).survival_at(12)
        rows = table[(table["method"] == "aalen-johansen") & (table["term"] == f"cti2 = {arm}")]
        assert_allclose(rows["estimate"].sum() + survival, 1, atol=1e-12)
    assert len(table[table["method"] == "gray"]) == 2


def test_separation_is_said_and_no_number_stands_for_infinity(frame):
    frame.loc[frame["bulky"] == 1, "os_event"] = 0
    table = classical(Observations.of(cohort(frame), "cti2 + bulky"), "cti2")
    row = table[(table["method"] == "cox") & (table["term"] == "bulky")].iloc[0]
    assert np.isnan(row["estimate"])
    assert row["remark"] == "no finite estimate: it is 0"
    assert 0 < cell(table, "bulky", "cox-firth") < 1
    assert np.isfinite(cell(table, "cti2", "cox"))
    profile = table[(table["method"] == "cox-profile") & (table["term"] == "bulky")].iloc[0]
    assert profile["lower"] == 0
    assert 0 < profile["upper"] < 1
    finite = table[["estimate", "lower", "upper"]].stack()
    assert finite[np.isfinite(finite)].max() < 1e4


def test_a_model_that_cannot_be_fitted_leaves_a_remark_and_the_others_go_on(frame):
    # Only before its first event is anybody else at risk, so the covariate says nothing.
    frame["late"] = 0
    frame.loc[frame["os_months"].idxmax(), "late"] = 1
    frame["os_event"] = 0
    frame.loc[frame["os_months"].idxmax(), "os_event"] = 1
    table = classical(Observations.of(cohort(frame), "late"))
    assert "cannot tell" in table.set_index("method").loc["cox", "remark"]
    assert np.isfinite(table.set_index("method").loc["kaplan-meier", "ci_prob"])


def test_interval_censored_events_are_dated_at_their_end(frame):
    frame["seen"] = np.where(frame["os_event"] == 1, frame["os_months"] + 3, np.nan)
    interval = Observations.of(cohort(frame, upper="seen"), "cti2")
    frame["dated"] = frame["seen"].fillna(frame["os_months"])
    exact = Observations.of(cohort(frame, time="dated"), "cti2")
    columns = ["term", "estimate", "lower", "upper", "p"]
    first, second = (
        classical(each, "cti2", 12).query("method != 'weibull' and method != 'exponential'")
        for each in (interval, exact)
    )
    pd.testing.assert_frame_equal(first[columns], second[columns])


def test_nobody_at_risk_from_the_start_leaves_no_restricted_mean(frame):
    frame["entry"] = frame["os_months"] / 2
    table = classical(Observations.of(cohort(frame, entry="entry"), "cti2"), "cti2", 12)
    rows = table[table["method"] == "rmst"]
    assert len(rows) == 1
    assert "nobody was at risk" in rows["remark"].iloc[0]


def test_arms_go_by_the_first_row_of_a_patient():
    frame = pd.DataFrame(
        {
            "id": ["a", "a", "b", "c"],
            "start": [2, 0, 0, 0],
            "stop": [5, 2, 4, 6],
            "died": [1, 0, 1, 0],
            "treated": [1, 0, 1, 0],
        }
    )
    made = Cohort.from_frame(
        frame, time="stop", event="died", entry="start", id="id", unit="months"
    )
    arms = Observations.of(made, "treated").arms("treated")
    assert {name: rows.tolist() for name, rows in arms.items()} == {
        "treated = 0": [True, True, False, True],
        "treated = 1": [False, False, True, False],
    }


def test_causes_must_go_with_events(frame):
    frame["cause"] = ""
    first = int(frame.index[frame["os_event"] == 0][0])
    frame.loc[first, "cause"] = "infection"
    with pytest.raises(InputError) as refused:
        event_causes(cohort(frame), "cause")
    messages = [str(fault) for fault in refused.value.faults]
    assert len(messages) == frame["os_event"].sum() + 1
    assert 'has the cause "infection" but no event' in messages[-1]
    assert all("row" in message and "column cause" in message for message in messages)
    with pytest.raises(InputError, match='no such column, named for cause. Did you mean "cause"'):
        event_causes(cohort(frame), "causes")
