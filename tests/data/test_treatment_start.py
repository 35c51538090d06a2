"""Treatment from its start: which rows, who is treated when, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesurv.data.cohort import Cohort
from bayesurv.data.faults import InputError
from bayesurv.data.treatment_start import treatment_from, treatment_starts

HEART = Path(__file__).parents[1] / "reference" / "data" / "heart.csv"


def cohort(frame):
    roles = {name: name for name in ("entry", "upper", "id") if name in frame}
    return Cohort.from_frame(frame, time="time", event="event", unit="months", **roles)


def patients(**columns):
    frame = pd.DataFrame({"time": [4.0, 6, 8], "event": [1, 0, 1], "start": [2, np.nan, 0]})
    return frame.assign(**columns)


def fault(frame, start="start", treatment="treated"):
    with pytest.raises(InputError) as caught:
        treatment_from(cohort(frame), start, treatment)
    return str(caught.value)


def test_rows_are_split_where_treatment_starts():
    split = treatment_from(cohort(patients(age=[50, 60, 70])), "start", "treated")
    np.testing.assert_array_equal(split.entry, [0, 2, 0, 0])
    np.testing.assert_array_equal(split.time, [2, 4, 6, 8])
    np.testing.assert_array_equal(split.event, [False, True, False, True])
    np.testing.assert_array_equal(split.covariates["treated"], [0, 1, 0, 1])
    np.testing.assert_array_equal(split.covariates["age"], [50, 50, 60, 70])
    assert split.n_patients == 3
    assert "start" not in split.covariates
    assert split.notes == (
        "treated from its start (start): 2 of 3 patients were at risk as treated; their time "
        "before counts as untreated.",
    )


def test_the_stanford_rows_come_out_as_published():
    rows = pd.read_csv(HEART)
    one = rows.groupby("id").agg(
        time=("time", "max"), event=("event", "max"), age10=("age10", "first")
    )
    one["start"] = rows[rows["transplant"] == 1].set_index("id")["entry"]
    split = treatment_from(cohort(one.reset_index()), "start", "transplant")
    for name in ("entry", "time", "event"):
        np.testing.assert_array_equal(getattr(split, name), rows[name])
    np.testing.assert_array_equal(split.covariates["transplant"], rows["transplant"])
    np.testing.assert_array_equal(split.patient, rows["id"].astype(str))


@given(
    st.lists(
        st.tuples(st.integers(1, 30), st.booleans(), st.none() | st.integers(0, 30)),
        min_size=2,
        max_size=30,
    )
)
def test_time_at_risk_and_events_are_kept(rows):
    table = pd.DataFrame(rows, columns=["time", "event", "start"]).astype(float)
    table["start"] = table["start"].where(table["start"] <= table["time"])
    treated = table["start"] < table["time"]
    if not table["event"].any() or not treated.any() or (table["start"] == 0).all():
        return
    split = treatment_from(cohort(table), "start", "treated")
    under = split.covariates["treated"] == 1
    assert (split.time - split.entry).sum() == table["time"].sum()
    assert (split.time - split.entry)[under].sum() == (table["time"] - table["start"]).sum()
    assert split.n_events == table["event"].sum()
    assert split.event[under].sum() == table["event"][treated].sum()


def test_a_start_at_the_end_of_follow_up_leaves_the_patient_untreated():
    split = treatment_from(cohort(patients(start=[4, 2, np.nan])), "start", "treated")
    np.testing.assert_array_equal(split.covariates["treated"], [0, 0, 1, 0])
    assert split.event[0]


def test_an_event_in_an_interval_is_split_before_it():
    frame = patients(upper=[5, np.nan, np.nan])
    split = treatment_from(cohort(frame), "start", "treated")
    np.testing.assert_array_equal(split.upper, [np.nan, 5, np.nan, np.nan])
    at_visit = treatment_from(cohort(frame.assign(start=[4, 2, np.nan])), "start", "treated")
    np.testing.assert_array_equal(at_visit.entry[:2], [0, 4])
    np.testing.assert_array_equal(at_visit.upper[:2], [np.nan, 5])


def test_a_treatment_column_that_agrees_becomes_the_time_dependent_one():
    frame = patients(treated=["1", "0", "1"])
    np.testing.assert_array_equal(treatment_starts(cohort(frame), "start", "treated"),
                                  [2, np.inf, 0])  # fmt: skip
    split = treatment_from(cohort(frame), "start", "treated")
    np.testing.assert_array_equal(split.covariates["treated"], [0, 1, 0, 1])


# --- What is refused ---


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            {"start": [9, np.nan, 0]},
            "row 0, column start: 9.0 is after 4.0, the end of follow-up of the patient; leave it "
            "empty if treatment had not started by then, or correct it",
        ),
        (
            {"start": [-1, np.nan, 0]},
            "row 0, column start: -1.0 is before 0.0, where follow-up of the patient begins; write "
            "that if treatment had started by then, or correct it",
        ),
        (
            {"entry": [3, 0, 0], "id": list("abc")},
            "row 0, column start: 2.0 is before 3.0, where follow-up of the patient begins; write "
            "that if treatment had started by then, or correct it",
        ),
        (
            {"start": ["soon", None, "0"]},
            'row 0, column start: "soon" is not a time; write it in months from the origin, or '
            "leave it empty if treatment never started",
        ),
        (
            {"upper": [6, np.nan, np.nan], "start": [5, np.nan, 0]},
            "row 0, column start: 5.0 lies in (4.0, 6.0], where the event is known to lie, so that "
            "nobody can tell which came first; narrow the interval",
        ),
        (
            {"treated": [1, 1, 1]},
            "row 1, column treated: is 1, but start is empty; write when treatment started, or 0",
        ),
        (
            {"treated": [1, 0, 0]},
            "row 2, column treated: is 0, but start says when treatment started; write 1, or leave "
            "start empty",
        ),
        (
            {"treated": [1, 0, 2]},
            "row 2, column treated: 2 is neither 0 nor 1, as a treatment that starts in start has "
            "to be",
        ),
        (
            {"start": [np.nan] * 3},
            "column start: nobody was treated, so there is nothing to compare",
        ),
        (
            {"start": [0, 0, 0]},
            "column start: everyone was treated from the beginning, so there is nothing to compare",
        ),
    ],
)
def test_a_start_that_cannot_be(columns, said):
    assert fault(patients(**columns)) == f"DataFrame, {said}"


def test_every_fault_is_listed_with_its_row():
    said = fault(patients(start=[9, "soon", -1]))
    assert said.startswith("3 faults:")
    assert [f"row {i}," in said for i in range(3)] == [True] * 3


def test_rows_of_one_patient_have_one_start():
    frame = patients(id=list("aab"), entry=[0, 4, 0], event=[0, 1, 1], start=[2, 3, np.nan])
    assert "row 1, column start: 3.0 differs from other rows of the patient" in fault(frame)


def test_any_name_may_stand_in_a_message():
    frame = patients(treated=[1, 1, 1]).rename(columns={"start": "{begin}"})
    assert "is 1, but {begin} is empty" in fault(frame, start="{begin}")


def test_a_column_that_is_not_there():
    assert 'Did you mean "start"?' in fault(patients(), start="stat")
