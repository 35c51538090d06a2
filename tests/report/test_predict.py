"""Predictions for new patients from a saved fit."""

import os

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.faults import InputError
from bayesurv.estimands.curves import survival
from bayesurv.report.predict import run_predict
from bayesurv.saved import save


@pytest.fixture(scope="module")
def saved(weibull_fit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit")
    save(weibull_fit, folder / "posterior.nc")
    return folder


@pytest.fixture
def patients(tmp_path):
    """Write a table of new patients."""

    def write(text, name="new.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def refused(saved, patients, out, times="6", **options):
    with pytest.raises(InputError) as caught:
        run_predict(saved, patients, times, out, **options)
    assert not out.exists() or out == patients or out.is_dir()
    return [str(fault) for fault in caught.value.faults]


def test_predictions(saved, patients, weibull_fit, tmp_path):
    out = tmp_path / "p.csv"
    new = patients("label,cti2\nAnna,1\nBruno,0\n")
    table, failed = run_predict(saved, new, "3, 6.5,12", out)
    assert not failed
    assert list(table) == ["profile", "time", "mean", "median", "lower", "upper", "ci_prob"]
    pd.testing.assert_frame_equal(pd.read_csv(out), table)
    anna = table.query("profile == 'Anna'")
    assert anna["time"].tolist() == [3, 6.5, 12]
    draws = survival(weibull_fit, [{"cti2": 1}], [3, 6.5, 12]).to_numpy().reshape(-1, 3)
    np.testing.assert_allclose(anna["mean"], draws.mean(axis=0))
    np.testing.assert_allclose(anna["upper"], np.quantile(draws, 0.975, axis=0))
    assert (anna["mean"].to_numpy() != table.query("profile == 'Bruno'")["mean"].to_numpy()).all()
    assert sorted(os.listdir(tmp_path)) == ["new.csv", "p.csv"]


def test_patients_are_named_by_their_row(saved, patients, tmp_path):
    table, _ = run_predict(saved, patients("cti2\n1\n\n0\n"), "6", tmp_path / "p.csv")
    assert table["profile"].tolist() == ["row 2", "row 4"]


def test_times_are_up_to_the_end_of_follow_up_unless_given(saved, patients, weibull_fit, tmp_path):
    table, _ = run_predict(saved, patients("cti2\n1\n"), None, tmp_path / "p.csv")
    assert table["time"].max() == weibull_fit.end_of_follow_up
    assert len(table) == 25


def test_extrapolation_is_asked_for(saved, patients, tmp_path):
    new, out = patients("cti2\n1\n"), tmp_path / "p.csv"
    [fault] = refused(saved, new, out, "6,600")
    assert "time 600 is past the end of follow-up" in fault
    table, _ = run_predict(saved, new, "6,600", out, extrapolate=True)
    assert table["time"].tolist() == [6, 600]


def test_parquet_says_the_same(saved, patients, tmp_path):
    pd.DataFrame({"label": [7, 8], "cti2": [True, False]}).to_parquet(tmp_path / "new.parquet")
    first, _ = run_predict(saved, tmp_path / "new.parquet", "6", tmp_path / "a.csv")
    second, _ = run_predict(saved, patients("label,cti2\n7,1\n8,0\n"), "6", tmp_path / "b.csv")
    pd.testing.assert_frame_equal(first, second)


def test_a_group_that_is_not_known(grouped_fit, tmp_path, patients):
    save(grouped_fit, tmp_path / "posterior.nc")
    new = patients("label,cti2,centre\na,1,Milan\nb,1,\nc,1,NA\n")
    table, _ = run_predict(tmp_path, new, "6", tmp_path / "p.csv")
    milan, empty, na = table["mean"]
    assert empty == na != milan
    [fault] = refused(tmp_path, patients("cti2,centre\n1,Milano\n"), tmp_path / "q.csv")
    assert "row 2, column centre: " in fault
    assert 'Did you mean "Milan"?' in fault


def test_every_fault_of_the_patients(saved, patients, tmp_path):
    faults = refused(saved, patients("cti2,x\n1,1\n,1\nNA,1\nmaybe,1\n"), tmp_path / "p.csv")
    places = [fault.partition(": ")[0] for fault in faults]
    assert sorted(places) == [f"new.csv, row {row}, column cti2" for row in (3, 4, 5)]


def test_a_missing_column(saved, patients, tmp_path):
    [fault] = refused(saved, patients("cti_2\n1\n"), tmp_path / "p.csv")
    assert fault.startswith("new.csv, column cti2: no such column")
    assert 'Did you mean "cti_2"?' in fault


def test_labels_are_whole_and_differ(saved, patients, tmp_path):
    faults = refused(saved, patients("label,cti2\na,1\n,1\na,0\n"), tmp_path / "p.csv")
    remedy = "every patient needs a label of its own, or leave the column out to number them"
    assert faults == [
        f"new.csv, row 3, column label: is missing; {remedy}",
        f'new.csv, row 4, column label: "a" is given twice; {remedy}',
    ]


@pytest.mark.parametrize("times", ["3,x", "", "3;6"])
def test_times_that_are_no_numbers(saved, patients, tmp_path, times):
    [fault] = refused(saved, patients("cti2\n1\n"), tmp_path / "p.csv", times)
    assert fault == f'--times reads like "3,6,12"; got {times!r}'


@pytest.mark.parametrize("times", ["-1", "nan", "inf"])
def test_times_that_cannot_be(saved, patients, tmp_path, times):
    [fault] = refused(saved, patients("cti2\n1\n"), tmp_path / "p.csv", times)
    assert fault == "times must be finite and not below 0"


def test_an_output_that_cannot_be(saved, patients, tmp_path, monkeypatch):
    new = patients("cti2\n1\n")
    remedy = "; choose another with --out"
    assert refused(saved, new, new) == [f"{new} is one of the files that are read{remedy}"]
    assert new.read_text() == "cti2\n1\n"
    for odd in (tmp_path, tmp_path / "p.png"):
        assert refused(saved, new, odd) == [f"{odd} is not the name of a .csv file{remedy}"]
    nowhere = tmp_path / "no" / "p.csv"
    why = f"cannot be written: there is no folder {tmp_path / 'no'}"
    assert refused(saved, new, nowhere) == [f"{nowhere} {why}{remedy}"]
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "you may not write in" in refused(saved, new, tmp_path / "p.csv")[0]


def test_an_interrupt_leaves_the_earlier_file(saved, patients, tmp_path, monkeypatch):
    new, out = patients("cti2\n1\n"), tmp_path / "p.csv"
    out.write_text("old")

    def stopped(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        run_predict(saved, new, "6", out)
    assert out.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["new.csv", "p.csv"]
