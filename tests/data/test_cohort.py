"""Every rule of the cohort, with the exact fault it finds."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesurv.data.cohort import Cohort, Columns
from bayesurv.data.faults import Fault, InputError, listed, nearest, shown

ROLES = {"time": "months", "event": "died", "unit": "months"}
INTERVALS = ROLES | {"upper": "upper"}
ROWS = ROLES | {"entry": "entry", "id": "pid"}


def table(**columns):
    """Four good patients, rows 10 to 13, with columns replaced or added."""
    good = {
        "months": [12.0, 7.5, 3.0, 20.0],
        "died": [1, 0, 1, 0],
        "stage": ["II", "IV", "II", "I"],
        "bulky": [True, False, True, False],
        "age": [61, 58, 70, 44],
    }
    return pd.DataFrame(good | columns, index=[10, 11, 12, 13])


def cohort(frame=None, **options):
    return Cohort.from_frame(table() if frame is None else frame, **(ROLES | options))


def refused(frame=None, **options):
    with pytest.raises(InputError) as caught:
        cohort(frame, **options)
    return list(caught.value.faults)


def only_fault(frame=None, **options):
    [fault] = refused(frame, **options)
    return fault


# --- What a good table becomes ---


def test_right_censored_rows():
    made = cohort()
    assert made.time.tolist() == [12, 7.5, 3, 20]
    assert made.event.tolist() == [True, False, True, False]
    assert made.entry.tolist() == [0, 0, 0, 0]
    assert np.isnan(made.upper).all()
    assert made.patient.tolist() == ["10", "11", "12", "13"]
    assert made.rows.tolist() == [10, 11, 12, 13]
    assert (made.unit, made.source, made.columns) == (
        "months",
        "DataFrame",
        Columns("months", "died"),
    )
    assert list(made.covariates) == ["stage", "bulky", "age"]
    assert made.covariates.index.equals(pd.RangeIndex(4))
    assert (made.n_rows, made.n_patients, made.n_events) == (4, 4, 2)
    assert made.exact.tolist() == [True, False, True, False]
    assert not made.interval.any()
    assert made.delayed is False
    assert made.end_of_follow_up == 20
    assert made.notes == ()


def test_any_mix_of_exact_interval_and_censored():
    frame = table(
        months=[12, 0, 3, 20], died=[1, 1, 1, 0], upper=[12, 25, np.nan, np.inf], entry=[1, 0, 2, 5]
    )
    made = cohort(frame, upper="upper", entry="entry")
    assert made.interval.tolist() == [False, True, False, False]
    assert made.exact.tolist() == [True, False, True, False]
    np.testing.assert_array_equal(made.upper, [np.nan, 25, np.nan, np.nan])
    assert made.entry.tolist() == [1, 0, 2, 5]
    assert made.delayed is True
    assert made.end_of_follow_up == 25
    assert made.n_events == 3
    assert list(made.covariates) == ["stage", "bulky", "age"]


@pytest.mark.parametrize(
    "died",
    [
        [True, False, True, False],
        [1.0, 0.0, 1.0, 0.0],
        ["1", "0", "1.0", " 0 "],
        ["true", "False", "TRUE", "false"],
        pd.array([True, False, True, False], dtype="boolean"),
        pd.array([1, 0, 1, 0], dtype="Int64"),
    ],
)
def test_event_codes(died):
    assert cohort(table(died=died)).event.tolist() == [True, False, True, False]


def test_times_as_text_are_read_exactly():
    assert cohort(table(months=["12", "0.1", " 3 ", "1e1"])).time.tolist() == [12, 0.1, 3, 10]


def test_whole_number_ids_are_one_patient_in_any_type():
    frame = table(pid=[1.0, "1", 2, "1.0"], entry=[0, 13, 0, 20.5], months=[12, 14, 3, 21])
    made = cohort(frame, id="pid", entry="entry")
    assert made.patient.tolist() == ["1", "1", "2", "1"]
    assert made.n_patients == 2


def test_repeated_index_labels_are_still_different_patients():
    frame = table()
    frame.index = [0, 0, 1, 1]
    assert cohort(frame).n_patients == 4


def test_column_names_need_not_be_text():
    made = cohort(table().rename(columns={"age": 3}), covariates=["3"])
    assert list(made.covariates) == ["stage", "bulky", "3"]


def test_arrays_are_read_only_and_apart_from_the_frame():
    frame = table()
    made = cohort(frame)
    frame.loc[10, ["months", "age"]] = 99
    assert made.time[0] == 12
    assert made.covariates.age[0] == 61
    for name in ("entry", "time", "upper", "event", "patient", "rows"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(made, name)[0] = 0


def test_the_frame_is_not_changed():
    frame = table(stage=["II ", "IV", "", "I"])
    before = frame.copy(deep=True)
    cohort(frame, reference={"stage": "IV"})
    pd.testing.assert_frame_equal(frame, before)


def test_repr_shows_no_patient():
    assert repr(cohort()) == "Cohort(DataFrame: 4 rows, 4 patients, 2 events, time in months)"


def test_a_cohort_can_be_pickled():
    assert pickle.loads(pickle.dumps(cohort())).digest() == cohort().digest()


# --- Covariates ---


def test_text_becomes_sorted_categories_without_spaces():
    stage = cohort(table(stage=["II ", "IV", " II", ""])).covariates.stage
    assert list(stage.cat.categories) == ["II", "IV"]
    assert not stage.cat.ordered
    assert stage.isna().tolist() == [False, False, False, True]


@pytest.mark.parametrize("marker", ["", " ", "NA", "NaN", "nan", ".", None, np.nan, pd.NA, pd.NaT])
def test_what_is_missing(marker):
    made = cohort(table(stage=["II", marker, "I", "I"], age=["61", marker, "7", "8"]))
    assert made.covariates.stage.isna().tolist() == [False, True, False, False]
    assert made.covariates.age.isna().tolist() == [False, True, False, False]


def test_the_given_order_of_categories_is_kept_without_unused_ones():
    given = pd.Categorical(["II", "IV", "II", "I"], categories=["IV", "III", "II", "I"])
    assert list(cohort(table(stage=given)).covariates.stage.cat.categories) == ["IV", "II", "I"]


def test_the_stated_reference_comes_first():
    made = cohort(reference={"stage": "IV"})
    assert list(made.covariates.stage.cat.categories) == ["IV", "I", "II"]
    assert made.reference == {"stage": "IV"}


def test_a_reference_makes_numbers_categories_in_numeric_order():
    made = cohort(table(centre=[10, 2, 1, 2]), reference={"centre": 2})
    assert list(made.covariates.centre.cat.categories) == ["2", "1", "10"]


def test_unknown_reference():
    fault = only_fault(reference={"stage": "Iv"})
    assert (fault.column, fault.value) == ("stage", "Iv")
    assert 'Did you mean "IV"?' in fault.message
    assert "I, II, IV" in fault.message


@pytest.mark.parametrize(
    "values",
    [[True, False, True, None], ["TRUE", "false", "True", ""], ["1", "0", "1", "NA"]],
)
def test_booleans_become_numbers(values):
    made = cohort(table(bulky=values)).covariates.bulky
    np.testing.assert_array_equal(made, [1, 0, 1, np.nan])


def test_whole_numbers_are_integers_whatever_they_came_as():
    covariates = cohort(table(age=["61", "58.0", "70", "44"])).covariates
    assert covariates.age.dtype == np.int64
    assert covariates.bulky.dtype == np.int64
    assert cohort(table(age=[61.5, 58, 70, 44])).covariates.age.dtype == np.float64


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        (["II", "IV", "II", "I"], ["I", "II", "III", "IV"]),
        ([2, 4, 2, 1], ["1", "2", "3", "4"]),
        ([2.0, 4.0, 2.0, 1.0], [1, 2, 3, 4]),
        (["2", "4.0", "2", "1"], (1, 2, 3, 4)),
    ],
)
def test_ordinal(values, levels):
    made = cohort(table(stage=values), ordinal={"stage": levels})
    stage = made.covariates.stage
    assert stage.cat.ordered
    assert list(stage.cat.categories) == [str(level) for level in levels]
    assert stage.cat.codes.tolist() == [1, 3, 1, 0]
    assert made.ordinal == {"stage": tuple(str(level) for level in levels)}
    assert made.coding == {"stage": "monotone"}


def test_ordinal_coding_stated():
    declared = {"stage": {"levels": ["I", "II", "III", "IV"], "coding": "linear"}}
    assert cohort(ordinal=declared).coding == {"stage": "linear"}


def test_ordinal_value_not_among_the_levels():
    fault = only_fault(ordinal={"stage": ["I", "II", "III"]})
    assert (fault.row, fault.column, fault.value) == (11, "stage", "IV")
    assert fault.message == '"IV" is not one of the levels I, II, III'


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"levels": ["I", "II", "IV"], "coding": "linaer"}, 'Did you mean "linear"?'),
        ({"levels": ["I", "II", "IV"], "codign": "linear"}, 'Did you mean "coding"?'),
        (["I", "II", "IV", "II"], "all different"),
        (["I", "II", "IV", ""], "none empty"),
    ],
)
def test_ordinal_declared_wrongly(declared, said):
    fault = only_fault(ordinal={"stage": declared})
    assert fault.column == "stage"
    assert said in fault.message


def test_ordinal_needs_two_levels():
    assert "two or more" in only_fault(table(stage="I"), ordinal={"stage": ["I"]}).message


def test_ordinal_takes_no_reference():
    fault = only_fault(ordinal={"stage": ["I", "II", "IV"]}, reference={"stage": "II"})
    assert (fault.column, "first level" in fault.message) == ("stage", True)


# --- Times and events, row by row ---


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("months", -3.0, "-3.0 is not above 0"),
        ("months", 0.0, "use half a day (0.0164 months), or exclude the patient"),
        ("months", np.inf, "inf is not finite"),
        ("months", -np.inf, "-inf is not finite"),
        ("months", np.nan, "is missing"),
        ("months", "NA", "is missing"),
        ("months", "twelve", '"twelve" is not a number'),
        ("months", "12,5", "with a decimal point, such as 12.5"),
        ("months", "1_000", '"1_000" is not a number'),
        ("months", True, "True is not a number"),
        ("months", pd.Timestamp("2024-05-01"), "without unit or date"),
        ("died", 2, "2 is neither 0 nor 1"),
        ("died", 0.5, "0.5 is neither 0 nor 1"),
        ("died", "yes", '"yes" is neither 0 nor 1'),
        ("died", None, "is missing; write 1 for an event"),
        ("entry", -1.0, "-1.0 is below 0"),
        ("entry", 7.5, "7.5 is not before the time 7.5"),
        ("entry", 9.0, "9.0 is not before the time 7.5"),
        ("entry", None, "write 0 where follow-up began"),
        ("entry", "x", '"x" is not a number'),
        ("entry", np.inf, "inf is not finite"),
        ("upper", 9.0, "9.0 contradicts event 0"),
        ("upper", 7.5, "7.5 contradicts event 0"),
        ("upper", 7.0, "7.0 is before the time 7.5"),
        ("upper", "x", '"x" is not a number'),
    ],
)
def test_one_bad_cell(column, value, said):
    frame = table(entry=[0.0, 0.0, 0.0, 0.0], upper=np.nan).astype(object)
    frame.loc[11, column] = value
    fault = only_fault(frame, entry="entry", upper="upper")
    assert (fault.file, fault.row, fault.column) == ("DataFrame", 11, column)
    assert said in fault.message


@pytest.mark.parametrize(
    ("months", "entry", "upper", "column", "said"),
    [
        (12, 13, 20, "entry", "13.0 is after 12.0"),
        (12, 0, 11, "upper", "11.0 is before the time 12.0"),
        (12, 0, np.inf, "upper", "inf contradicts event 1"),
        (0, 0, 0, "months", "0.0 is not above 0"),
        (-1, 0, 3, "months", "-1.0 is not above 0"),
    ],
)
def test_one_bad_interval(months, entry, upper, column, said):
    frame = table(
        months=[months, 5, 5, 5], entry=[entry, 0, 0, 0], upper=[upper, np.nan, np.nan, np.nan]
    )
    fault = only_fault(frame, entry="entry", upper="upper")
    assert (fault.row, fault.column) == (10, column)
    assert said in fault.message


def test_an_interval_may_begin_at_entry():
    frame = table(entry=[12, 0, 0, 0], upper=[15, np.nan, np.nan, np.nan])
    assert cohort(frame, entry="entry", upper="upper").interval.tolist() == [True] + [False] * 3


@pytest.mark.parametrize(
    ("unit", "said"),
    [("days", "(0.5 days)"), ("years", "(0.00137 years)"), ("cycles", "use half a day,")],
)
def test_half_a_day_is_said_in_the_unit(unit, said):
    assert said in only_fault(table(months=[0, 1, 2, 3]), unit=unit).message


@pytest.mark.parametrize("unit", ["", "  ", None])
def test_a_unit_must_be_stated(unit):
    assert "unit of time is not stated" in only_fault(unit=unit).message


def test_any_unit_may_be_stated():
    assert cohort(unit=" cycles ").unit == "cycles"


# --- Patients ---


def test_duplicate_ids_without_entry():
    fault = only_fault(table(pid=["a", "b", "a", "c"]), id="pid")
    assert (fault.row, fault.column, fault.value) == (12, "pid", "a")
    assert "already in row 10" in fault.message
    assert "give entry times" in fault.message


def test_missing_id():
    fault = only_fault(table(pid=["a", "", "b", "c"]), id="pid")
    assert (fault.row, fault.column) == (11, "pid")


def test_the_id_column_numbers_the_patients():
    frame = table(pid=["x7", "b", "x7", "d"], start=[0, 0, 12, 0], months=[12.0, 7.5, 13.0, 20.0])
    made = cohort(frame, id="pid", entry="start")
    assert made.patient.tolist() == ["x7", "b", "x7", "d"]
    assert made.covariates["pid"].tolist() == ["1", "2", "1", "3"]
    assert list(made.covariates["pid"].cat.categories) == ["1", "2", "3"]


def test_overlapping_rows_of_one_patient():
    frame = table(pid=["a", "b", "a", "b"], entry=[5, 0, 0, 7.5], months=[12, 7.5, 6, 20])
    fault = only_fault(frame, id="pid", entry="entry")
    assert (fault.row, fault.column, fault.value) == (10, "entry", 5.0)
    assert "patient a: (5.0, 12.0] overlaps (0.0, 6.0] in row 12" in fault.message


def test_a_long_row_is_compared_with_all_that_it_covers():
    frame = table(pid="a", entry=[0, 1, 3, 30], months=[20, 2, 4, 31])
    frame.loc[13, "pid"] = "b"
    assert [fault.row for fault in refused(frame, id="pid", entry="entry")] == [11, 12]


def test_an_interval_covers_up_to_its_upper_end():
    frame = table(
        pid=["a", "a", "b", "c"], entry=[0, 13, 0, 0], months=[12, 20, 3, 4], upper=[14, "", "", ""]
    )
    assert only_fault(frame, id="pid", entry="entry", upper="upper").row == 11


def test_rows_with_other_faults_are_not_called_overlapping():
    frame = table(pid=["a", "a", "", ""], entry=[0, 5, 0, 0], months=[12, 5, 3, 20])
    found = refused(frame, id="pid", entry="entry")
    assert [(fault.row, fault.column) for fault in found] == [
        (11, "entry"),
        (12, "pid"),
        (13, "pid"),
    ]


def test_recurrent_events_are_allowed():
    frame = table(pid=["a", "a", "b", "b"], entry=[0, 3, 0, 3], months=[3, 5, 3, 5], died=1)
    made = cohort(frame, id="pid", entry="entry")
    assert (made.n_events, made.n_patients) == (4, 2)


@given(
    st.lists(st.floats(0.01, 99), min_size=0, max_size=6, unique=True), st.permutations(range(7))
)
def test_any_split_into_touching_rows_is_accepted(cuts, order):
    ends = [*sorted(cuts), 100.0]
    rows = [("a", start, end, end == 100) for start, end in zip([0.0, *ends], ends, strict=False)]
    shuffled = [rows[position] for position in order if position < len(rows)]
    frame = pd.DataFrame(
        [*shuffled, ("b", 0.0, 50.0, False)], columns=["pid", "entry", "months", "died"]
    )
    made = Cohort.from_frame(frame, **ROWS)
    assert made.n_patients == 2
    assert (made.time - made.entry)[:-1].sum() == pytest.approx(100)


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 12), st.integers(1, 5)),
        min_size=1,
        max_size=6,
    )
)
def test_overlaps_are_refused_and_nothing_else(spans):
    rows = [(who, start, start + length, 1) for who, start, length in spans]
    overlap = {
        who
        for i, (who, start, end, _) in enumerate(rows)
        for other, begin, stop, _ in rows[:i]
        if who == other and start < stop and begin < end
    }
    frame = pd.DataFrame([*rows, ("c", 0, 1, 0), ("d", 0, 1, 0)], columns=[*"pe", "months", "died"])
    frame = frame.rename(columns={"p": "pid", "e": "entry"})
    if not overlap:
        assert Cohort.from_frame(frame, **ROWS).n_rows == len(rows) + 2
        return
    faults = refused(frame, id="pid", entry="entry")
    assert {frame.pid[fault.row] for fault in faults} == overlap
    assert {fault.column for fault in faults} == {"entry"}


# --- The table as a whole ---


@pytest.mark.parametrize("role", ["time", "event", "entry", "upper", "id"])
def test_named_column_that_does_not_exist(role):
    fault = only_fault(**{role: "stagge"})
    assert fault.column == "stagge"
    assert f"named for {role}" in fault.message
    assert 'Did you mean "stage"?' in fault.message
    assert "months, died, stage, bulky, age" in fault.message


@pytest.mark.parametrize("option", ["reference", "ordinal"])
def test_declared_covariate_that_does_not_exist(option):
    fault = only_fault(**{option: {"stagge": "II" if option == "reference" else ["I", "II"]}})
    assert (fault.column, 'Did you mean "stage"?' in fault.message) == ("stagge", True)


def test_one_column_for_two_roles():
    fault = refused(entry="months")[0]
    assert (fault.column, fault.message) == ("months", "named for both time and entry")


def test_columns_of_one_name():
    frame = table()
    frame.columns = ["months", "died", "age", "bulky", "age"]
    assert (only_fault(frame).column, only_fault(frame).row) == ("age", None)


def test_no_rows():
    assert only_fault(table().iloc[:0]).message == "there are no rows"


def test_no_events():
    assert "no events" in only_fault(table(died=0)).message


def test_one_patient():
    assert only_fault(table().iloc[:1]).message == "fewer than 2 patients"


def test_no_events_is_not_said_of_an_unreadable_event_column():
    assert {fault.row for fault in refused(table(died="yes"))} == {10, 11, 12, 13}


def test_several_faults_at_once():
    frame = table(months=[-1, 0, "x", 20], died=[1, 0, 1, 3], age=[61, None, 70, 44])
    found = refused(frame, covariates=["age", "sex"], reference={"stage": "V"}, unit="")
    assert {(fault.row, fault.column) for fault in found} == {
        (10, "months"),
        (11, "months"),
        (12, "months"),
        (13, "died"),
        (11, "age"),
        (None, "sex"),
        (None, "stage"),
        (None, None),
    }
    assert len(found) == 8


def test_source_is_named_in_every_fault():
    assert only_fault(table(died=0), source="trial.csv").file == "trial.csv"
    assert cohort(source="trial.csv").source == "trial.csv"


# --- Needed covariates ---


def test_only_needed_covariates_are_checked():
    frame = table(age=[61, None, np.inf, 44], stage=["I", None, "I", "I"])
    assert cohort(frame).covariates.age.isna().sum() == 1
    assert cohort(frame, covariates=["bulky"]).n_rows == 4
    found = refused(frame, covariates=["age"])
    assert [(fault.row, fault.column) for fault in found] == [(12, "age"), (11, "age")]
    assert found[0].value == np.inf


def test_missing_covariate_names_the_patient():
    frame = table(pid=["a", "b", "c", "d"], stage=["I", "II", None, "I"])
    fault = only_fault(frame, id="pid", covariates=["stage"])
    assert (fault.row, fault.column) == (12, "stage")
    assert 'patient "c"' in fault.message
    assert 'missing = "drop"' in fault.message


def test_missing_drop_leaves_out_whole_patients_and_says_so():
    frame = table(
        pid=["a", "a", "b", "c"], entry=[0, 20, 0, 0], months=[12, 21, 3, 20],
        stage=["I", None, "II", "II"], age=[61, None, 70, 44],
    )  # fmt: skip
    options = {"id": "pid", "entry": "entry", "missing": "drop"}
    made = cohort(frame, covariates=["stage", "age", "bulky"], **options)
    assert made.patient.tolist() == ["b", "c"]
    assert made.rows.tolist() == [12, 13]
    assert made.time.tolist() == [3, 20]
    assert made.notes == ("1 of 3 patients dropped: stage missing for 1, age missing for 1",)
    assert list(made.covariates.stage.cat.categories) == ["II"]
    assert made.covariates.age.dtype == np.int64
    assert made.covariates.index.equals(pd.RangeIndex(2))
    with pytest.raises(ValueError, match="read-only"):
        made.time[0] = 1


def test_complete_later_is_the_same_as_at_first():
    frame = table(age=[61, None, 70, 44])
    late = cohort(frame).complete(["age"], missing="drop")
    assert late.digest() == cohort(frame, covariates=["age"], missing="drop").digest()
    assert late.notes == ("1 of 4 patients dropped: age missing for 1",)
    with pytest.raises(InputError, match="row 11, column age: is missing"):
        cohort(frame).complete(["age"])


def test_complete_returns_itself_when_nothing_is_missing():
    made = cohort()
    assert made.complete(["age", "stage"], missing="drop") is made
    assert made.complete([]) is made


@pytest.mark.parametrize(
    ("name", "said"),
    [("agge", 'Did you mean "age"?'), ("months", "the time column"), ("died", "the event column")],
)
def test_complete_refuses_what_is_no_covariate(name, said):
    with pytest.raises(InputError) as caught:
        cohort().complete([name])
    [fault] = caught.value.faults
    assert (fault.column, said in fault.message) == (name, True)


def test_missing_is_error_or_drop():
    assert 'Did you mean "drop"?' in only_fault(missing="dropp").message


@pytest.mark.parametrize(
    ("frame", "options", "said"),
    [
        (table(died=[1, 0, 0, 0], age=[None, 1, 2, 3]), {}, "no events"),
        (table(age=[1, None, None, None]), {}, "fewer than 2 patients"),
        (table(age=[1, None, 2, 3]), {"reference": {"stage": "IV"}}, 'reference level "IV"'),
    ],
)
def test_too_little_left_after_dropping(frame, options, said):
    assert said in only_fault(frame, covariates=["age"], missing="drop", **options).message


@given(st.lists(st.booleans(), min_size=4, max_size=4))
def test_dropping_keeps_exactly_the_complete_patients(lacks):
    frame = table(died=1, age=[None if lack else 50 for lack in lacks])
    kept = [row for row, lack in zip(frame.index, lacks, strict=True) if not lack]
    if len(kept) < 2:
        assert "fewer than 2 patients" in str(refused(frame, covariates=["age"], missing="drop")[0])
    else:
        made = cohort(frame, covariates=["age"], missing="drop")
        assert made.rows.tolist() == kept
        assert len(made.notes) == (len(kept) < 4)


def test_text_among_numbers_is_refused_when_needed():
    frame = table(age=["61", "n/a", "64", "6o"])
    assert cohort(frame).n_rows == 4
    found = refused(frame, covariates=["age"])
    assert [(fault.row, fault.column, fault.value) for fault in found] == [
        (11, "age", "n/a"),
        (13, "age", "6o"),
    ]
    with pytest.raises(InputError, match="row 11, column age"):
        cohort(frame).complete(["age"])


def test_text_among_booleans_is_refused_when_needed():
    frame = table(bulky=["true", "false", "true", "unknown"])
    assert only_fault(frame, covariates=["bulky"]).row == 13


def test_numbers_among_text_are_categories():
    frame = table(grade=["3b", "1", "3a", "2x"])
    made = cohort(frame, covariates=["grade"])
    assert list(made.covariates.grade.cat.categories) == ["1", "2x", "3a", "3b"]


def test_a_reference_makes_numbers_with_text_categories():
    frame = table(grade=["1", "2", "3", "3b"])
    made = cohort(frame, covariates=["grade"], reference={"grade": "2"})
    assert list(made.covariates.grade.cat.categories) == ["2", "1", "3", "3b"]


# --- Digest ---


def test_digest_ignores_row_labels_column_order_and_types():
    frame = table()
    same = frame.iloc[:, ::-1].reset_index(drop=True)
    same["age"] = same["age"].astype(str)
    same["months"] = same["months"].astype(object)
    assert cohort(same).digest() == cohort(frame).digest()
    assert cohort(frame).digest() != cohort(frame, reference={"stage": "IV"}).digest()
    assert cohort(frame).digest() != cohort(frame, unit="days").digest()
    assert cohort(frame).digest() != cohort(frame.rename(columns={"age": "years"})).digest()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("months", 12.000001),
        ("died", 0),
        ("stage", "I"),
        ("stage", None),
        ("bulky", False),
        ("age", 62),
        ("age", None),
        ("upper", 13.0),
        ("entry", 0.5),
        ("pid", "z"),
    ],
)
def test_digest_changes_with_any_cell(column, value):
    frame = table(upper=np.nan, entry=[0, 20, 0, 0], months=[12, 30, 3, 20], pid=[*"aabc"])
    frame = frame.astype(object)
    changed = frame.copy()
    changed.loc[10, column] = value
    options = {"upper": "upper", "entry": "entry", "id": "pid"}
    assert cohort(changed, **options).digest() != cohort(frame, **options).digest()


# --- Faults themselves ---


def test_a_fault_reads_from_the_outside_in():
    fault = Fault("-3.0 is not above 0", "cohort.csv", 12, "os_months", -3.0)
    assert str(fault) == "cohort.csv, row 12, column os_months: -3.0 is not above 0"
    assert str(Fault("no events")) == "no events"
    assert str(Fault("is empty", file="a.csv")) == "a.csv: is empty"


def test_up_to_twenty_faults_are_listed():
    def lines(n):
        return str(InputError(Fault(f"fault {i}") for i in range(n))).splitlines()

    assert lines(1) == ["fault 0"]
    assert lines(20) == ["20 faults:", *(f"  fault {i}" for i in range(20))]
    assert lines(23)[-2:] == ["  fault 19", "  ... and 3 more"]


def test_all_faults_are_kept_and_survive_pickling():
    error = InputError([Fault("x", row=i) for i in range(61)])
    assert pickle.loads(pickle.dumps(error)).faults == error.faults
    assert len(error.faults) == 61
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("weibul", ' Did you mean "weibull"?'), ("WEIBULL", ' Did you mean "weibull"?'), ("cox", "")],
)
def test_nearest(name, suggestion):
    assert nearest(name, ["weibull", "gompertz"]) == suggestion


def test_long_lists_and_cells_are_cut():
    assert listed(range(3)) == "0, 1, 2"
    assert listed(range(20)).endswith("18, 19")
    assert listed(range(22)).endswith("18, 19 and 2 more")
    assert shown("x" * 41) == f'"{"x" * 40}..."'
    assert shown("x" * 40) == f'"{"x" * 40}"'
    assert shown(-3.0) == "-3.0"


def test_braces_in_a_cell_are_shown_as_they_are():
    assert '"{row}" is not a number' in only_fault(table(months=[1, "{row}", 2, 3])).message
