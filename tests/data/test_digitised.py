"""Digitised curves: what is repaired and said, what is refused, and the patients that come out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from bayesurv.data.digitised_patients import reconstruct_patients
from bayesurv.data.digitised_tables import check_events, read_digitised
from bayesurv.data.faults import InputError
from bayesurv.frequentist.kaplan_meier import kaplan_meier


def read(points, risks, arm="A"):
    """The curve of one arm: rows (time, survival) and (time, at_risk)."""
    curves = pd.DataFrame(points, columns=["time", "survival"]).assign(arm=arm)
    at_risk = pd.DataFrame(risks, columns=["time", "at_risk"]).assign(arm=arm)
    return read_digitised(curves, at_risk)[arm]


def exact(time, event, times):
    """The points above and below every step, and numbers at risk at these times."""
    km = kaplan_meier(time, event)
    steps = km.time[1:]
    points = [*zip(steps, km.survival[:-1], strict=True), *zip(steps, km.survival[1:], strict=True)]
    points.append((km.end, km.survival[-1]))
    times = np.array([at for at in times if at <= km.end], dtype=float)
    return points, list(zip(times, km.at_risk(times), strict=True)), km


@st.composite
def cohorts(draw):
    """Distinct times of 2 to 60 patients, some censored, with numbers at risk at some times."""
    n = draw(st.integers(2, 60))
    ticks = draw(st.lists(st.integers(1, 1000), min_size=n, max_size=n, unique=True))
    event = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    gap = draw(st.integers(20, 400))
    return np.array(ticks) / 10, event, np.arange(0, 101, gap / 10)


# --- Patients ---


@given(cohorts())
@settings(max_examples=150, deadline=None)
def test_numbers_at_risk_hold_and_the_curve_is_followed(cohort):
    time, event, times = cohort
    points, risks, km = exact(time, event, times)
    found = reconstruct_patients(read(points, risks))
    again = kaplan_meier(found["time"], found["event"])
    assert len(found) == len(time)
    assert (found["time"] > 0).all()
    assert again.end == km.end
    assert_array_equal(again.at_risk([at for at, _ in risks]), [count for _, count in risks])
    steps = np.append(km.time[1:], km.end)
    # A patient's step among those still at risk, and what the times of the censored add to it.
    apart = abs(again.survival_at(steps) - km.survival_at(steps))
    assert (apart < 0.05 + 1 / km.at_risk(steps)).all()


@given(cohorts())
@settings(max_examples=100, deadline=None)
def test_the_number_of_events_holds(cohort):
    time, event, times = cohort
    points, risks, km = exact(time, event, times)
    found = reconstruct_patients(read(points, risks), km.events)
    assert found["event"].sum() == km.events


@given(cohorts())
@settings(max_examples=100, deadline=None)
def test_without_censoring_every_time_is_found(cohort):
    time, _, times = cohort
    points, risks, _ = exact(time, np.ones(len(time)), times)
    found = reconstruct_patients(read(points, risks))
    assert_allclose(found["time"], np.sort(time))
    assert found["event"].all()


@given(cohorts())
@settings(max_examples=50, deadline=None)
def test_neither_unit_nor_order_matters(cohort):
    time, event, times = cohort
    points, risks, _ = exact(time, event, times)
    found = reconstruct_patients(read(points, risks))
    scaled = [(32 * at, 100 * survival) for at, survival in points[::-1]]
    again = reconstruct_patients(read(scaled, [(32 * at, n) for at, n in risks[::-1]]))
    assert_allclose(again["time"], 32 * found["time"], rtol=1e-9)
    assert_array_equal(again["event"], found["event"])


def test_by_hand():
    """Of 10, one has the event at 1, two are lost, and one of 7 has it at 5: 0.9, 0.9 x 6 / 7."""
    curve = read([(1, 0.9), (5, 0.9 * 6 / 7), (8, 0.9 * 6 / 7)], [(0, 10), (4, 7)])
    found = reconstruct_patients(curve)
    # Even in area: 1 until 1 and 0.9 until 4 is 3.7, thirds of it are at 1.259 and 2.630.
    lost = [1 + (3.7 / 3 - 1) / 0.9, 1 + (3.7 * 2 / 3 - 1) / 0.9]
    # Two were lost in 34 patient-months, so of 26 more after month 4, 1.5: two, before or after 5.
    later = [5 + (0.9 * (1 + 3 * 6 / 7) * k / 3 - 0.9) / (0.9 * 6 / 7) for k in (1, 2)]
    assert_allclose(found["time"], [1, *lost, 5, *later, 8, 8, 8, 8])
    assert found["event"].tolist() == [1, 0, 0, 1, 0, 0, 0, 0, 0, 0]


def test_step_sizes_tell_the_censored_of_a_small_cohort():
    """A fall by a fifth is one patient of 5, so 4 of the 9 left by then were censored before."""
    points = [(1, 0.9), (8.9, 0.9), (9, 0.72), (10, 0.72)]
    found = reconstruct_patients(read(points, [(0, 10)]))
    assert found["event"].sum() == 2
    assert ((found["time"] < 9) & (found["event"] == 0)).sum() == 4


def test_ties_and_a_curve_down_to_0():
    found = reconstruct_patients(read([(3, 0.5), (6, 0.25), (9, 0)], [(0, 20), (6, 10)]))
    assert found.groupby("time")["event"].agg(["size", "sum"]).to_numpy().tolist() == [
        [10, 10],
        [5, 5],
        [5, 5],
    ]


def test_everyone_is_censored_at_the_end():
    found = reconstruct_patients(read([(2, 0.75), (8, 0.75)], [(0, 8), (4, 6), (8, 6)]))
    assert found["time"].tolist() == [2, 2] + [8] * 6
    assert found["event"].tolist() == [1, 1] + [0] * 6


def test_no_event():
    found = reconstruct_patients(read([(6, 1), (12, 1)], [(0, 9), (6, 5)]))
    assert not found["event"].any()
    assert (found["time"] < 6).sum() == 4


def test_a_curve_that_is_read_within_its_error_gives_the_same_patients():
    random = np.random.default_rng(5)
    time, event = np.round(random.exponential(10, 40) + 0.1, 2), random.random(40) < 0.6
    points, risks, km = exact(time, event, [0, 5, 10, 20])
    noisy = [(at, s + random.normal(0, 0.003)) for at, s in points]
    found, again = (reconstruct_patients(read(p, risks)) for p in (points, noisy))
    assert abs(again["event"].sum() - found["event"].sum()) <= 1
    assert abs(again["time"] - found["time"]).mean() < 0.02 * km.end


@pytest.mark.parametrize("events", [0, 2, 30])
def test_events_that_the_curve_denies(events):
    curve = read([(1, 0.9), (5, 0.5), (8, 0.5)], [(0, 30), (4, 27)])
    with pytest.raises(InputError, match=rf"^{events} in all cannot .* 11 to 15 can$"):
        reconstruct_patients(curve, events)


# --- What is repaired, and said ---

RISKS = [(0, 20), (6, 10)]
CURVE = [(2, 0.9), (3, 0.8), (4, 0.7), (5, 0.6), (6, 0.5), (7, 0.4), (8, 0.3), (9, 0.2)]


@pytest.mark.parametrize(
    ("points", "risks", "note"),
    [
        ([(at, 100 * s) for at, s in CURVE], RISKS, "survival read as per cent"),
        (CURVE[::-1], RISKS, "points sorted by time"),
        ([*CURVE, (5.5, 0.1)], RISKS, "1 point off the line of the neighbours dropped"),
        ([*CURVE, (5.5, 0.95)], RISKS, "1 point off the line of the neighbours dropped"),
        ([*CURVE, (10, 0.21)], RISKS, "2 points moved, by 0.0050 at most, to make the curve fall"),
        ([*CURVE, (5, 0.65)], RISKS, "1 point above another at the same time left aside"),
        ([*CURVE, (10, 0), (11, 0)], RISKS, "1 point after the curve reached 0 left aside"),
        ([(-0.1, 1), *CURVE], RISKS, "1 point before time 0 moved to 0"),
        (CURVE, [(3, 18)], "numbers at risk begin at 3: 20 at the start is what the curve gives"),
        (CURVE, [(0, 20)], "no number at risk after the start"),
        (CURVE, [(0, 20), (0.5, 19), (6, 10)], "no point from 0 to 0.5: the 1 who leave there"),
        (CURVE, [*RISKS, (9.1, 2)], "the curve, which ends at 9, goes on flat to 9.1"),
    ],
)
def test_what_is_said(points, risks, note):
    curve = read(points, risks)
    assert any(note in said for said in curve.notes), curve.notes
    assert (np.diff(curve.survival) <= 0).all()
    assert (np.diff(curve.time) > 0).all()
    assert (curve.time[0], curve.survival[0]) == (0, 1)
    found = reconstruct_patients(curve)
    again = kaplan_meier(found["time"], found["event"])
    assert_array_equal(again.at_risk(curve.risk_time), curve.at_risk)


def test_a_clean_curve_needs_no_word():
    assert read(CURVE, RISKS).notes == ()


def test_first_reading_of_1_and_last_numbers_of_0_are_plain():
    curve = read([(0, 1), (0, 0.99), *CURVE], [*RISKS, (10, 0), (12, 0)])
    assert curve.notes == ()
    assert_array_equal(curve.at_risk, [20, 10])


def test_a_few_points_above_the_curve_before_are_dropped():
    time = np.linspace(1, 100, 100)
    points = [*zip(time, 1 - time / 200, strict=True), (60.2, 0.8), (60.4, 0.8)]
    curve = read(points, [(0, 50)])
    assert "2 points above where the curve was before dropped" in curve.notes
    assert len(curve.time) == 101


# --- What is refused ---


def faults(points, risks):
    """(source, row, column) and text of each."""
    with pytest.raises(InputError) as caught:
        read(points, risks)
    return [(f.file, f.row, f.column) for f in caught.value.faults], str(caught.value)


@pytest.mark.parametrize(
    ("points", "row", "column", "message"),
    [
        ([*CURVE, (10, 1.2)], 8, "survival", "1.2 is not between 0 and 1"),
        ([*CURVE, (10, -0.2)], 8, "survival", "-0.2 is not between 0 and 1"),
        ([*CURVE, (10, 120)], 8, "survival", "120.0 is not between 0 and 100"),
        ([*CURVE, (10, None)], 8, "survival", "is missing"),
        ([*CURVE, (10, "low")], 8, "survival", '"low" is not a number'),
        ([*CURVE, (np.inf, 0.1)], 8, "time", "inf is not finite"),
        ([(-3, 1), *CURVE], 0, "time", "-3 is below 0"),
        ([(0, 0.8), *CURVE[2:]], 0, "survival", "0.8 is the survival at time 0"),
        ([(0, 1)], 0, "time", "no point after time 0"),
    ],
)
def test_points_that_cannot_be(points, row, column, message):
    places, said = faults(points, RISKS)
    assert places == [("DataFrame of curves", row, column)]
    assert message in said


def test_a_curve_that_rises():
    points = [(1, 0.9), (2, 0.5), (2.9, 0.5), (4, 0.8), (5, 0.8), *[(t, 0.4) for t in range(6, 30)]]
    places, said = faults(points, [(0, 20)])
    assert places == [("DataFrame of curves", row, "survival") for row in (3, 4)]
    assert "0.8 is above 0.5, where the curve was before; survival never rises" in said


def test_two_curves_in_one():
    both = [*CURVE, *((at + 0.5, s**3) for at, s in CURVE)]
    places, said = faults(both, RISKS)
    assert len(places) == 1
    assert "is it one curve, of one arm?" in said


@pytest.mark.parametrize(
    ("risks", "row", "message"),
    [
        (
            [(0, 20), (6, 10), (8, 11)],
            2,
            "11 at risk at 8 is more than 10 at 6; nobody joins later",
        ),
        ([(0, 20), (6, 10), (15, 2)], 2, "2 are at risk at 15, but the curve ends at 9"),
        ([(0, 20), (4, 0)], 1, "nobody is at risk at 4, but the curve goes on to 9"),
        ([(0, 20), (0, 19)], 1, "19 and 20 are both at risk at 0; keep one"),
        ([(0, 20), (6, 10.5)], 1, "10.5 is not a number of patients"),
        ([(0, 20), (6, -1)], 1, "-1.0 is not a number of patients"),
        ([(-2, 20), (6, 10)], 0, "stands at time -2, before the start at 0"),
        ([(0, 20), (8, 19)], 1, "19 at risk at 8, but of 20 at 0 the curve leaves fewer"),
        ([(12, 0)], 0, "nobody is at risk at any time"),
    ],
)
def test_numbers_at_risk_that_cannot_be(risks, row, message):
    places, said = faults(CURVE, risks)
    assert places == [("DataFrame of numbers at risk", row, "at_risk")]
    assert message in said


def test_faults_of_both_files_come_together(tmp_path):
    curves, risks = tmp_path / "curves.csv", tmp_path / "risk.csv"
    curves.write_text("arm,time,survival\nCTI2,1,0.9\nCTI2,2,2x\nother,1,0.8\n,3,0.7\n")
    risks.write_text("arm,time,at_risk\nCTI-2,0,27\nother,0,thirty\n")
    with pytest.raises(InputError) as caught:
        read_digitised(curves, risks)
    said = str(caught.value)
    for part in (
        'curves.csv, row 3, column survival: "2x" is not a number; write a plain number such as',
        "curves.csv, row 5, column arm: is missing; name the arm in every row",
        'curves.csv, row 2, column arm: the arm "CTI2" is not in risk.csv, which has CTI-2, other. '
        'Did you mean "CTI-2"?',
        'risk.csv, row 2, column arm: the arm "CTI-2" is not in curves.csv',
        'risk.csv, row 3, column at_risk: "thirty" is not a number; write a plain number',
    ):
        assert part in said
    assert len(caught.value.faults) == 5


def test_a_column_that_is_not_there():
    with pytest.raises(InputError, match="survival"):
        read_digitised(
            pd.DataFrame({"arm": ["A"], "time": [1], "surv": [0.5]}),
            pd.DataFrame({"arm": ["A"], "time": [0], "at_risk": [9]}),
        )


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ({"B": 3}, 'events: there is no arm "B". There are A'),
        ({"A": 21}, 'events: 21 of arm "A", which has 20 patients'),
    ],
)
def test_events_that_cannot_be(events, message):
    with pytest.raises(InputError) as caught:
        check_events({"A": read(CURVE, RISKS)}, events)
    assert message in str(caught.value)


def test_each_arm_has_its_own_numbers():
    curves = pd.concat(
        [
            pd.DataFrame(CURVE, columns=["time", "survival"]).assign(arm=arm)
            for arm in ("late", "early")
        ]
    )
    risks = pd.DataFrame({"arm": ["early", "late"], "time": [0, 0], "at_risk": [10, 20]})
    found = read_digitised(curves, risks)
    assert list(found) == ["late", "early"]
    assert [int(curve.at_risk[0]) for curve in found.values()] == [20, 10]
