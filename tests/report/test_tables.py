"""The baseline table as printed: what stands in its cells, and what is left out and said."""

import numpy as np
import pandas as pd
import pytest

from bayesurv.frequentist.baseline_table import baseline_table
from bayesurv.plots.style import p_value
from bayesurv.report.baseline import formatted, number
from bayesurv.report.tables import tables_answer


def written(tmp_path, **columns):
    path = tmp_path / "cohort.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


ARM = ["CTI2"] * 3 + ["other"] * 3


def test_cells_of_numbers_categories_and_missing_values():
    data = pd.DataFrame(
        {
            "age": [42, 25, 65, 50, 17, np.nan],
            "bulky": [1, 0, 0, 1, 1, 0],
            "sex": pd.Categorical(list("mfmfmm")),
        }
    )
    table = baseline_table(data, ARM)
    shown = formatted(table)
    assert list(shown) == [
        "variable", "level", "overall (N=6)", "CTI2 (N=3)", "other (N=3)",
        "SMD", "95% CI", "P", "test",
    ]  # fmt: skip
    assert shown[["variable", "level", "CTI2 (N=3)", "other (N=3)"]].to_numpy().tolist() == [
        ["age", "", "42 (25 to 65)", "33.5 (17 to 50)"],
        ["", "(missing)", "0 (0.0%)", "1 (33.3%)"],
        ["bulky", "1", "1 (33.3%)", "2 (66.7%)"],
        ["sex", "f", "1 (33.3%)", "1 (33.3%)"],
        ["", "m", "2 (66.7%)", "2 (66.7%)"],
    ]
    assert shown["test"].tolist() == ["Wilcoxon", "", "Fisher", "Fisher", ""]
    assert shown.loc[3, ["SMD", "95% CI", "P"]].tolist() == ["0.00", "-1.60 to 1.60", "1.000"]
    assert formatted(table, "median-quartiles").loc[0, "CTI2 (N=3)"] == "42 (33.5 to 53.5)"
    assert formatted(table, "mean-sd").loc[0, "CTI2 (N=3)"] == "44 (20.1)"


def test_groups_without_a_value_have_an_empty_cell():
    shown = formatted(baseline_table(pd.DataFrame({"x": [1.5, 2, 3] + [np.nan] * 3}), ARM))
    assert shown.loc[0, ["other (N=3)", "SMD", "P", "test"]].tolist() == ["", "", "", "none"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(42, "42"), (4.71, "4.71"), (53.04, "53"), (107.6, "108"), (150000, "150000"), (-3.5, "-3.5")],
)
def test_numbers_have_three_digits_or_all_before_the_point(value, text):
    assert number(value) == text


def test_p_values_have_three_decimals():
    assert [p_value(p) for p in (0.0004, 0.0136, 1)] == ["<0.001", "0.014", "1.000"]


def test_text_that_may_name_patients_is_left_out_and_said(tmp_path):
    names = ["Ann", "Bo", "Cy", "Di", "Ed", "Flo"]
    file = written(tmp_path, name=names, arm=ARM, age=[1, 2, 3, 4, 5, 6])
    answer = tables_answer(file, "arm")
    assert answer.shown["variable"].tolist() == ["age"]
    assert "may name patients: name." in answer.text()
    everything = answer.text() + "".join(t.to_csv() for t in answer.tables.values())
    assert not any(name in everything for name in names)


def test_patients_without_a_group_are_counted_and_left_out(tmp_path):
    file = written(tmp_path, cti2=[1, 1, 1, 0, 0, None], age=[1, 2, 3, 4, 5, 6])
    answer = tables_answer(file, "cti2")
    assert "cti2 0 (N=2)" in answer.shown
    assert "they have no cti2: 1." in answer.text()
    assert answer.sentence.startswith("5 patients of cohort.csv by cti2: cti2 0 (2), cti2 1 (3).")


def test_the_furthest_apart_are_named(tmp_path):
    file = written(tmp_path, arm=ARM, near=[1.5, 2, 3, 1, 2, 3], far=[1.5, 2, 3, 7, 8, 9])
    assert "mean difference: far (6.56), near (-0.19)." in tables_answer(file, "arm").sentence


def test_ordinal_levels_stand_in_their_order(tmp_path):
    file = written(tmp_path, arm=ARM, stage=["IV", "I", "IV", "II", "II", "I"])
    given = {"rule": "linear-by-linear", "ordinal": ["stage=I, II, IV"]}
    shown = tables_answer(file, "arm", **given).shown
    assert shown["level"].tolist() == ["I", "II", "IV"]
    assert shown["test"].tolist() == ["linear-by-linear", "", ""]
