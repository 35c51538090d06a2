"""A formula becomes coded columns, and the same coding for new patients; bad ones are refused."""

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.cohort import Cohort
from bayesurv.data.design import Design, variables
from bayesurv.data.faults import InputError

STAGES = ["I", "II", "III"]
TABLE = pd.DataFrame(
    {
        "time": np.arange(1.0, 13),
        "event": np.resize([1, 0], 12),
        "cti2": [0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1],
        "bulky": np.resize([True, False, False, True, False], 12),
        "age": np.array([44.0, 51, 60, 63, 70, 58, 49, 66, 72, 55, 61, 68]),
        "stage": np.resize(STAGES, 12),
        "centre": np.resize(["B", "A", "C", "A", "B"], 12),
        "ward": np.resize([10, 2, 1000001, 1000002], 12),
    }
)


def cohort(frame=TABLE, **options):
    return Cohort.from_frame(frame, time="time", event="event", unit="months", **options)


def ordinal(coding="monotone"):
    return cohort(ordinal={"stage": {"levels": STAGES, "coding": coding}})


def design(formula, of=None):
    return Design.from_cohort(formula, cohort() if of is None else of)


def new(made, **columns):
    return made.apply(pd.DataFrame(columns))


def refused(formula, of=None):
    with pytest.raises(InputError) as caught:
        design(formula, of)
    return str(caught.value)


# --- Fixed terms ---


def test_numbers_booleans_and_levels():
    made = design("cti2 + bulky + age + stage")
    assert made.terms == ("cti2", "bulky", "age", "stage[II]", "stage[III]")
    assert made.column_term.tolist() == [0, 1, 2, 3, 4]
    expected = np.column_stack(
        [
            TABLE["cti2"],
            TABLE["bulky"],
            TABLE["age"],
            TABLE["stage"] == "II",
            TABLE["stage"] == "III",
        ]
    )
    np.testing.assert_array_equal(made.rows.fixed, expected.astype(float))
    assert made.rows.group_index.shape == (12, 0)
    assert made.variables == ("cti2", "bulky", "age", "stage")


def test_the_reference_level_is_the_one_stated():
    made = design("stage", cohort(reference={"stage": "III"}))
    assert made.terms == ("stage[I]", "stage[II]")
    assert design("C(stage)", cohort(reference={"stage": "II"})).terms == (
        "C(stage)[I]", "C(stage)[III]"
    )  # fmt: skip
    np.testing.assert_array_equal(made.rows.fixed[:, 0], TABLE["stage"] == "I")
    assert new(made, stage=["III", "II"]).fixed.tolist() == [[0, 0], [0, 1]]


def test_a_number_with_a_stated_reference_is_a_category():
    made = design("ward", cohort(reference={"ward": 10}))
    assert made.terms == ("ward[2]", "ward[1000001]", "ward[1000002]")
    assert new(made, ward=[1000002, 10.0, "2"]).fixed.tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]


def test_categories_by_name_and_by_c_are_the_same():
    assert design("C(cti2)").terms == ("C(cti2)[1]",)
    np.testing.assert_array_equal(design("C(cti2)").rows.fixed, design("cti2").rows.fixed)


def test_interactions():
    made = design("cti2 * stage + age:bulky")
    assert made.terms == (
        "cti2", "stage[II]", "stage[III]", "cti2:stage[II]", "cti2:stage[III]", "age:bulky"
    )  # fmt: skip
    both = TABLE["cti2"] * (TABLE["stage"] == "III")
    np.testing.assert_array_equal(made.rows.fixed[:, 4], both)
    np.testing.assert_array_equal(made.rows.fixed[:, 5], TABLE["age"] * TABLE["bulky"])
    row = new(made, cti2=[1], stage=["III"], age=[50], bulky=[True]).fixed
    assert row.tolist() == [[1, 0, 1, 0, 1, 50]]


def test_scale_and_center_remember_the_cohort():
    made = design("scale(age) + center(cti2)")
    age = TABLE["age"]
    np.testing.assert_allclose(made.rows.fixed[:, 0], (age - age.mean()) / age.std(ddof=0))
    row = new(made, age=[70.0], cti2=[1]).fixed
    np.testing.assert_allclose(
        row, [[(70 - age.mean()) / age.std(ddof=0), 1 - TABLE["cti2"].mean()]]
    )


def test_functions_of_a_column():
    made = design("np.log(age) + I(age / 10)")
    assert made.terms == ("np.log(age)", "I(age / 10)")
    np.testing.assert_allclose(new(made, age=[50]).fixed, [[np.log(50), 5]])
    assert made.variables == ("age",)


def test_a_column_whose_name_is_no_word():
    made = design("`the age` + cti2", cohort(TABLE.rename(columns={"age": "the age"})))
    assert made.terms == ("the age", "cti2")
    assert new(made, **{"the age": [60], "cti2": [0]}).fixed.tolist() == [[60, 0]]


def test_no_covariates():
    made = design("1")
    assert made.terms == made.variables == made.groups == ()
    assert made.rows.fixed.shape == (12, 0)
    assert made.apply(pd.DataFrame({"anything": [1, 2, 3]})).fixed.shape == (3, 0)
    assert made.apply(pd.DataFrame(index=range(2))).fixed.shape == (2, 0)


# --- Ordinal covariates ---


@pytest.mark.parametrize("formula", ["stage", "monotone(stage)"])
def test_a_monotone_covariate_has_one_coefficient_and_a_column_for_each_step(formula):
    made = design(formula + " + cti2", ordinal())
    assert made.terms == ("monotone(stage)", "cti2")
    assert made.column_term.tolist() == [0, 0, 1]
    assert made.monotone == {"monotone(stage)": ("II", "III")}
    row = new(made, stage=STAGES, cti2=[0, 0, 0]).fixed
    assert row.tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0]]


def test_the_bare_name_takes_the_coding_declared():
    made = design("stage", ordinal("linear"))
    assert made.terms == ("linear(stage)",)
    assert made.monotone == {}
    assert new(made, stage=STAGES).fixed.tolist() == [[0], [1], [2]]
    assert design("stage", ordinal("monotone")).terms == ("monotone(stage)",)


def test_a_coding_in_the_formula_goes_before_the_declared_one():
    assert design("linear(stage)", ordinal("monotone")).terms == ("linear(stage)",)
    assert design("monotone(stage)", ordinal("linear")).terms == ("monotone(stage)",)
    assert design("C(stage)", ordinal()).terms == ("C(stage)[II]", "C(stage)[III]")


def test_linear_scores_may_interact_and_monotone_steps_may_not():
    made = design("cti2 * stage", ordinal("linear"))
    assert made.terms == ("cti2", "linear(stage)", "cti2:linear(stage)")
    assert "cannot be in 'cti2:monotone(stage)'; use linear()" in refused("cti2*stage", ordinal())
    assert "'monotone(stage)|centre'; use linear()" in refused("(stage | centre)", ordinal())


def test_the_bare_name_is_found_between_anything():
    made = design("np.log(age)+stage+(1|stage)+(1|centre:stage)", ordinal("linear"))
    assert made.terms == ("np.log(age)", "linear(stage)")
    assert made.group_terms == ("1|stage", "1|centre:stage")


def test_a_coding_needs_an_ordinal_covariate():
    assert "declare 'stage' as one" in refused("linear(stage)")
    assert "declare 'age' as one" in refused("monotone(age)")


@pytest.mark.parametrize("nobody", STAGES)
def test_a_declared_level_without_patients_is_no_collinearity(nobody):
    of = cohort(
        TABLE[TABLE["stage"] != nobody], ordinal={"stage": {"levels": STAGES, "coding": "monotone"}}
    )
    made = design("stage + cti2", of)
    assert made.monotone == {"monotone(stage)": ("II", "III")}
    assert new(made, stage=["II"], cti2=[0]).fixed.tolist() == [[1, 0, 0]]


def test_an_ordinal_covariate_with_one_level_seen_is_constant():
    of = cohort(TABLE[TABLE["stage"] == "II"], ordinal={"stage": STAGES})
    assert refused("stage", of).startswith("formula: 'monotone(stage)' is the same for all")


# --- Group terms ---


def test_an_intercept_for_each_group():
    made = design("cti2 + (1 | centre)")
    assert made.terms == ("cti2",)
    assert made.group_terms == ("1|centre",)
    assert made.groups == ("1|centre[A]", "1|centre[B]", "1|centre[C]")
    assert made.group_term_of.tolist() == [0, 0, 0]
    expected = TABLE["centre"].map({"A": 0, "B": 1, "C": 2})
    np.testing.assert_array_equal(made.rows.group_index[:, 0], expected)
    np.testing.assert_array_equal(made.rows.group_value, 1)
    assert made.group_variables == ("centre",)


def test_a_slope_for_each_group():
    made = design("(cti2 | centre)")
    assert made.terms == ()
    assert made.group_terms == ("1|centre", "cti2|centre")
    assert made.groups[3:] == ("cti2|centre[A]", "cti2|centre[B]", "cti2|centre[C]")
    assert made.group_term_of.tolist() == [0, 0, 0, 1, 1, 1]
    rows = new(made, cti2=[1, 0.5], centre=["C", "A"])
    assert rows.group_index.tolist() == [[2, 5], [0, 3]]
    assert rows.group_value.tolist() == [[1, 1], [1, 0.5]]


def test_a_slope_alone_and_one_of_a_category():
    assert design("(0 + age | centre)").group_terms == ("age|centre",)
    made = design("(stage | centre)")
    assert made.group_terms == ("1|centre", "stage[II]|centre", "stage[III]|centre")
    rows = new(made, stage=["III"], centre=["B"])
    assert [made.groups[i] for i in rows.group_index[0]] == [
        "1|centre[B]", made.groups[rows.group_index[0, 1]], "stage[III]|centre[B]"
    ]  # fmt: skip
    assert rows.group_value.tolist() == [[1, 0, 1]]


def test_several_group_terms():
    made = design("(1 | centre) + age + (1 | stage)")
    assert made.group_terms == ("1|centre", "1|stage")
    assert made.group_term_of.tolist() == [0, 0, 0, 1, 1, 1]
    rows = new(made, centre=["A"], age=[60], stage=["III"])
    assert [made.groups[i] for i in rows.group_index[0]] == ["1|centre[A]", "1|stage[III]"]


def test_numbered_groups_are_groups_and_never_merge():
    made = design("(1 | ward)")
    assert set(made.groups) == {"1|ward[2]", "1|ward[10]", "1|ward[1000001]", "1|ward[1000002]"}
    rows = new(made, ward=[1000002, 2.0, "10"])
    named = [made.groups[i] for i in rows.group_index[:, 0]]
    assert named == ["1|ward[1000002]", "1|ward[2]", "1|ward[10]"]


@pytest.mark.parametrize("centre", [{}, {"centre": [None, np.nan]}, {"centre": ["", "NA"]}])
def test_without_its_group_a_patient_stands_at_effect_zero(centre):
    made = design("age + (cti2 | centre) + (1 | stage)")
    assert made.group_variables == ("stage", "centre")
    rows = new(made, age=[60, 61], cti2=[1, 0], stage=["I", "II"], **centre)
    assert rows.group_index[:, :2].tolist() == [[-1, -1], [-1, -1]]
    assert (rows.group_index[:, 2] >= 0).all()
    assert rows.fixed.tolist() == [[60], [61]]


def test_a_column_that_is_also_a_fixed_term_must_be_there():
    made = design("stage + (1 | stage)")
    assert made.group_variables == ()
    with pytest.raises(InputError, match="stage: no such column"):
        new(made, age=[1])


# --- New patients ---


def faults(made, frame, **options):
    with pytest.raises(InputError) as caught:
        made.apply(pd.DataFrame(frame), **options)
    return [str(fault) for fault in caught.value.faults]


def test_the_cohorts_own_table_is_coded_as_the_cohort_was():
    made = design(
        "scale(age) + stage * cti2 + bulky + (cti2 | centre) + (1 | ward)", ordinal("linear")
    )
    again = made.apply(TABLE)
    np.testing.assert_allclose(again.fixed, made.rows.fixed)
    np.testing.assert_array_equal(again.group_index, made.rows.group_index)
    np.testing.assert_array_equal(again.group_value, made.rows.group_value)
    once_more = made.apply(made.training)
    np.testing.assert_array_equal(once_more.group_index, made.rows.group_index)


def test_patients_in_any_order_with_other_columns_and_labels():
    made = design("age + stage")
    frame = pd.DataFrame(
        {"other": [1, 2], "stage": ["II", " III "], "age": ["50", 51]}, index=[9, 4]
    )
    assert made.apply(frame).fixed.tolist() == [[50, 1, 0], [51, 0, 1]]


@pytest.mark.parametrize("flags", [[True, False], ["true", "False"], [1.0, 0], ["1", 0]])
def test_booleans_in_any_writing(flags):
    assert new(design("bulky"), bulky=flags).fixed.tolist() == [[1], [0]]


def test_every_fault_of_new_patients_is_listed():
    made = design("age + stage + cti2 + (1 | centre)")
    found = faults(
        made,
        {"agee": [1, 1], "stage": ["IIII", None], "cti2": ["yes", np.inf], "centre": ["D", "A"]},
        source="new.csv",
    )
    assert len(found) == 6
    assert (
        'new.csv, column age: no such column, which the formula needs. Did you mean "agee"?'
        in found
    )
    unseen = '"IIII" is a level never seen in the cohort; known are I, II, III.'
    assert f'new.csv, row 0, column stage: {unseen} Did you mean "III"?' in found
    assert "new.csv, row 1, column stage: is missing; give a value" in found
    assert 'new.csv, row 0, column cti2: "yes" is no finite number' in found
    assert "new.csv, row 1, column cti2: inf is no finite number" in found
    group = 'row 0, column centre: "D" is a level never seen in the cohort; known are A, B, C. '
    assert f"new.csv, {group}Left empty, the groups' centre is meant." in found


def test_a_missing_number_is_named_by_its_row():
    frame = pd.DataFrame({"age": [50.0, np.nan]}, index=["ann", "bob"])
    assert faults(design("age"), frame) == [
        "new patients, row bob, column age: is missing; give a value"
    ]


# --- What is refused in a formula ---


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("agee + cti2", "no column 'agee'; the columns are cti2, bulky, age, stage, centre, ward."),
        ("agee + cti2", 'Did you mean "age"?'),
        ("cti2 + (1 | center)", 'Did you mean "centre"?'),
        ("scle(age)", "unknown function or name 'scle'"),
        ("scle(age)", 'Did you mean "scale"?'),
        ("age +", "cannot be read"),
        ("", "cannot be read"),
        ("cti2 + (1 | centre", "cannot be read"),
        ("age + 'x", "cannot be read"),
        ("age ~ cti2", "cannot be read"),
        ("age cti2", "no + or other operator before 'cti2'"),
        ("cti2, age", "no + or other operator before ','"),
        ("0 + age", "cannot be removed"),
        ("age - 1", "cannot be removed"),
        ("-1", "cannot be removed"),
        ("cti2 + offset(age)", "offsets are not supported"),
        ("np.lg(age)", "cannot be evaluated"),
    ],
)
def test_a_formula_that_cannot_be(formula, said):
    assert said in refused(formula)


def test_every_unknown_column_is_named():
    assert refused("agee + bulk + cti2").startswith("2 faults")


def test_constant_and_collinear_terms_are_named_together():
    frame = TABLE.assign(
        one=3, half=TABLE["age"] / 2, early=(TABLE["stage"] == "I").astype(int), sex="f"
    )
    said = refused("one + age + half + stage + early + sex", cohort(frame, reference={"sex": "f"}))
    assert said.startswith("3 faults")
    assert "'one' is the same for all patients; leave it out" in said
    assert "age, half determine one another (collinear)" in said
    assert "stage[II], stage[III], early determine one another (collinear)" in said


def test_a_category_with_one_level_and_a_single_group():
    frame = TABLE.assign(hospital="A")
    assert "'1|hospital' has a single group; leave it out" in refused(
        "(1 | hospital)", cohort(frame, reference={"hospital": "A"})
    )


def test_variables_are_the_columns_a_formula_names():
    formula = "scale(age) + cti2:stage + (bulky | centre)"
    assert variables(formula, cohort().covariates) == ("cti2", "bulky", "age", "stage", "centre")
