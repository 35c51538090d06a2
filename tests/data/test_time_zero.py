"""Landmark and delayed entry: who stays, which clock, what is said, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesurv.data.cohort import Cohort
from bayesurv.data.faults import InputError
from bayesurv.data.time_zero import delayed_entry, landmark
from bayesurv.frequentist.partial_likelihood import two_arms


def cohort(time, event, unit="months", **columns):
    frame = pd.DataFrame({"time": time, "event": event, **columns})
    roles = {name: name for name in ("entry", "upper", "id") if name in frame}
    return Cohort.from_frame(frame, time="time", event="event", unit=unit, **roles)


SIX = cohort([1, 2, 3, 4, 5, 6], [1, 0, 1, 1, 0, 1], arm=[0, 0, 1, 1, 0, 0])


def fault(call, *given):
    with pytest.raises(InputError) as caught:
        call(*given)
    return str(caught.value)


def test_a_landmark_keeps_those_at_risk_after_it_and_restarts_the_clock():
    later = landmark(SIX, 3, "arm")
    np.testing.assert_array_equal(later.time, [1, 2, 3])
    np.testing.assert_array_equal(later.entry, 0)
    np.testing.assert_array_equal(later.event, [True, False, True])
    np.testing.assert_array_equal(later.covariates["arm"], [1, 0, 0])
    assert later.notes == (
        "Landmark at 3 months, from which time now counts: 3 of 6 patients, 2 events among them, "
        "are left out.",
    )


def test_delayed_entry_keeps_the_clock():
    later = delayed_entry(SIX, 3, "arm")
    np.testing.assert_array_equal(later.time, [4, 5, 6])
    np.testing.assert_array_equal(later.entry, 3)
    assert "3 of 6 patients, 2 events among them, are left out" in later.notes[0]
    assert "all 6 patients are still at risk" in delayed_entry(SIX, 0.5).notes[0]


def test_the_cohort_is_not_changed():
    before = SIX.digest()
    landmark(SIX, 3)
    delayed_entry(SIX, 3)
    assert SIX.digest() == before
    assert SIX.notes == ()


def test_notes_follow_those_of_the_cohort():
    twice = landmark(delayed_entry(SIX, 1), 2)
    assert [note.split()[0] for note in twice.notes] == ["Entry", "Landmark"]


def test_who_enters_after_the_landmark_has_no_place_in_it_but_may_enter_later():
    late = cohort([5, 6, 7], [1, 1, 0], entry=[0, 4, 0], id=list("abc"))
    np.testing.assert_array_equal(landmark(late, 3).patient, ["a", "c"])
    np.testing.assert_array_equal(delayed_entry(late, 3).entry, [3, 4, 3])


def test_covariates_stay_what_they_were_at_the_landmark():
    split = cohort(
        [2, 5, 4, 8], [0, 1, 0, 1], entry=[0, 2, 0, 4], id=list("aabb"), treated=[0, 1, 0, 1]
    )
    later = landmark(split, 3)
    np.testing.assert_array_equal(later.patient, ["a", "b", "b"])
    np.testing.assert_array_equal(later.covariates["treated"], [1, 0, 0])
    np.testing.assert_array_equal(later.entry, [0, 0, 1])
    np.testing.assert_array_equal(later.time, [2, 1, 5])
    np.testing.assert_array_equal(delayed_entry(split, 3).covariates["treated"], [1, 0, 1])


def test_an_event_known_to_an_interval_across_the_landmark_is_left_out():
    visits = cohort([1, 2, 3, 5], [1, 1, 1, 0], upper=[4, np.nan, 6, np.nan])
    later = landmark(visits, 3)
    np.testing.assert_array_equal(later.time, [0, 2])
    np.testing.assert_array_equal(later.upper, [3, np.nan])
    np.testing.assert_array_equal(delayed_entry(visits, 3).upper, [6, np.nan])


@given(
    st.lists(st.tuples(st.integers(1, 40), st.booleans(), st.booleans()), min_size=6, max_size=40),
    st.integers(1, 20),
)
def test_both_clocks_give_one_hazard_ratio(patients, time):
    time += 0.5
    table = pd.DataFrame(patients, columns=["time", "event", "arm"]).astype(int)
    later = table[table["time"] > time]
    if later["event"].sum() < 2 or later["arm"].nunique() < 2:
        return
    whole = cohort(table["time"], table["event"], arm=table["arm"])
    restarted, kept = landmark(whole, time, "arm"), delayed_entry(whole, time, "arm")
    assert restarted.n_patients == kept.n_patients == len(later)
    ratios = [
        two_arms(each.time, each.event, each.covariates["arm"], each.entry).estimate()
        for each in (restarted, kept)
    ]
    np.testing.assert_allclose(*ratios, rtol=1e-9)


# --- What is refused ---


def test_a_time_that_is_no_time():
    for wrong in (0, -1, np.nan, np.inf):
        assert "is not above 0, the origin" in fault(landmark, SIX, wrong)


def test_a_landmark_after_everyone_has_left():
    said = fault(landmark, SIX, 6)
    assert said == (
        "DataFrame: nobody is at risk after 6 months; follow-up ends at 6, so choose an earlier "
        "landmark or entry"
    )


def test_a_landmark_after_everyone_has_left_an_arm():
    said = fault(delayed_entry, SIX, 4, "arm")
    assert said == (
        "DataFrame, column arm: nobody with arm = 1 is left; the last of them was seen at 4 "
        "months, so choose an earlier landmark or entry"
    )


def test_a_treatment_that_is_not_there():
    assert 'Did you mean "arm"?' in fault(landmark, SIX, 2, "arms")


def test_too_few_or_no_events_are_left():
    assert "fewer than 2 patients (Landmark at 5 months" in fault(landmark, SIX, 5)
    quiet = cohort([1, 5, 6], [1, 0, 0])
    assert "no events" in fault(landmark, quiet, 2)


def test_a_level_that_nobody_has_any_more_is_no_level():
    stages = cohort([1, 4, 5, 6], [1, 1, 1, 0], stage=["I", "II", "III", "II"])
    assert list(landmark(stages, 2).covariates["stage"].cat.categories) == ["II", "III"]
