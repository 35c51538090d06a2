"""Binary outcomes as they are read: what counts as 1, 0 and unknown, and every fault at once."""

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.faults import InputError
from bayesurv.data.outcomes import Outcomes


def table(**columns):
    frame = {
        "pid": ["a", "b", "c", "d"],
        "cti2": [0, 1, 0, 1],
        "stage": ["I", "II", "II", "III"],
        "infection": ["1", "", "true", "0"],
        "renal": [False, True, False, False],
    }
    return pd.DataFrame(frame | columns)


def read(frame, names=("infection", "renal"), covariates=("cti2",), **options):
    return Outcomes.from_frame(frame, names, harmful=True, covariates=covariates, **options)


def refused(*given, **options):
    with pytest.raises(InputError) as caught:
        read(*given, **options)
    return caught.value.faults


def test_an_empty_cell_is_not_known_and_the_rest_is_1_or_0():
    outcomes = read(table())
    assert outcomes.names == ("infection", "renal")
    np.testing.assert_array_equal(outcomes.values, [[1, 0], [np.nan, 1], [1, 0], [0, 0]])
    assert list(outcomes.covariates) == ["cti2"]
    assert (outcomes.n_patients, outcomes.notes) == (4, ())
    with pytest.raises(ValueError, match="read-only"):
        outcomes.values[0, 0] = 0


def test_every_fault_is_listed_with_row_and_column():
    frame = table(infection=[1, 2, "yes", 0], renal=[None] * 4, cti2=[0, None, 0, np.inf])
    faults = refused(frame, ("infection", "renal", "renla"), ("cti2",), id="idd")
    assert [(fault.column, fault.row, fault.value) for fault in faults] == [
        ("infection", 1, 2),
        ("infection", 2, "yes"),
        ("renal", None, None),
        ("renla", None, None),
        ("idd", None, None),
        ("cti2", 3, np.inf),
        ("cti2", 1, None),
    ]
    assert all("neither 0 nor 1; write 1 where it happened" in str(fault) for fault in faults[:2])
    assert "is empty" in faults[2].message
    assert 'Did you mean "renal"?' in faults[3].message


def test_an_outcome_is_no_covariate():
    [fault] = refused(table(), ("renal",), ("cti2", "renal"))
    assert str(fault) == "DataFrame, column renal: this is an outcome; leave it out of the formula"


def test_a_patient_has_one_row_and_a_name():
    assert read(table(), id="pid").n_patients == 4
    second, nameless = refused(table(pid=["a", "a", None, "d"]), id="pid")[::-1]
    assert (second.row, second.value) == (1, "a")
    assert (nameless.row, nameless.message) == (2, "is missing; name every patient")


def test_patients_without_a_covariate_are_left_out_when_asked():
    frame = table(stage=["I", "II", "II", None], cti2=[0, 1, 0, 1])
    assert [fault.row for fault in refused(frame, covariates=("stage",))] == [3]
    outcomes = read(frame, covariates=("stage",), missing="drop")
    assert outcomes.notes == ("1 of 4 patients dropped: stage missing for 1",)
    assert list(outcomes.covariates["stage"].cat.categories) == ["I", "II"]
    np.testing.assert_array_equal(outcomes.values, read(table()).values[:3])
