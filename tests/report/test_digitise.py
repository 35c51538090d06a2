"""Patients out of a digitised figure, by command: files, words, figure, and what is refused."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bayesurv.data.cohort import Cohort
from bayesurv.data.digitised_tables import read_digitised
from bayesurv.data.faults import InputError
from bayesurv.data.read import read_table
from bayesurv.frequentist.agreement import agreement
from bayesurv.frequentist.kaplan_meier import kaplan_meier
from bayesurv.plots.digitised import plot_digitised
from bayesurv.plots.style import COLOURS, INK
from bayesurv.report import digitise as report
from bayesurv.report.digitise import compared, run_digitise

NAMES = {"ipd.csv", "ipd.agreement.csv", "ipd.png", "ipd.svg", "ipd.pdf", "ipd.provenance.json"}
TRUTH = pd.read_csv(Path(__file__).parents[1] / "reference" / "data" / "ovarian.csv")


def figure(arms):
    """The tables that a reader of a figure makes; arms are (time, event) by name."""
    points, risks = [], []
    for arm, (time, event) in arms.items():
        km = kaplan_meier(time, event)
        levels = pd.DataFrame({"time": km.time[1:], "survival": km.survival[1:]})
        above = levels.assign(survival=km.survival[:-1])
        end = pd.DataFrame({"time": [km.end], "survival": [km.survival[-1]]})
        points.append(pd.concat([above, levels, end]).assign(arm=arm))
        at = np.array([at for at in (0.0, 6, 12, 18, 24, 30, 36) if at <= km.end])
        risks.append(pd.DataFrame({"time": at, "at_risk": km.at_risk(at)}).assign(arm=arm))
    return pd.concat(points), pd.concat(risks)


def arms_of(table, column="rx2"):
    return {
        f"R{value}": (rows["time"].to_numpy(), rows["event"].to_numpy())
        for value, rows in table.groupby(column)
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    points, risks = figure(arms_of(TRUTH))
    points.to_csv(tmp_path / "curves.csv", index=False)
    risks.to_csv(tmp_path / "risk.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder, out="ipd.csv", **options):
    return run_digitise(folder / "curves.csv", folder / "risk.csv", folder / out, **options)


# --- Files ---


def test_everything_is_written_beside_the_patients(folder, bayesurv):
    result = bayesurv("digitise", "curves.csv", "--at-risk", "risk.csv", "--treatment", "rx")
    assert (result.code, result.error) == (0, "")
    assert set(os.listdir(folder)) == {"curves.csv", "risk.csv", *NAMES}
    patients = read_table(folder / "ipd.csv")
    assert list(patients) == ["synthetic", "rx", "time", "event"]
    assert set(patients["synthetic"]) == {"True"}
    assert patients["rx"].tolist() == ["R0"] * 13 + ["R1"] * 13
    cohort = Cohort.from_frame(patients, time="time", event="event", unit="months")
    assert (cohort.n_patients, cohort.n_events) == (26, 12)
    mark = json.loads((folder / "ipd.provenance.json").read_text())
    assert set(mark["files"]) == NAMES
    assert set(mark["inputs"]) == {"curves.csv", "risk.csv"}
    assert mark["options"] == {"treatment": "rx", "unit": "months", "events": {}}
    agreed = pd.read_csv(folder / "ipd.agreement.csv")
    assert agreed[["arm", "patients", "events"]].to_numpy().tolist() == [
        ["R0", 13, 7],
        ["R1", 13, 5],
    ]
    assert (agreed["max_absolute_error"] < 0.02).all()
    assert (agreed["max_at_risk_difference"] == 0).all()


def test_what_is_printed(folder, bayesurv):
    result = bayesurv("digitise", "curves.csv", "--at-risk", "risk.csv")
    out = " ".join(result.out.split())
    for said in (
        "RMSE",
        "Log-rank P = 0.",
        "R1 against R0: hazard ratio 0.5",
        "These patients are synthetic",
        "Note: R0: points sorted by time.",
        "Results are in ipd.csv",
    ):
        assert said in out


def test_help_explains_every_option(bayesurv):
    out = bayesurv("digitise", "--help").out
    for option in ("at-risk", "events", "treatment", "unit", "out"):
        assert f"--{option} " in out
    assert "digitise" in bayesurv("--help").out


def test_a_fit_takes_the_patients(folder, bayesurv):
    run(folder)
    asked = ("--time", "time", "--event", "event", "--unit", "months", "--formula", "arm")
    result = bayesurv("classical", "ipd.csv", *asked, "--resamples", "2")
    assert result.code == 0
    assert "26 patients, 12 events" in result.out


def test_a_second_run_replaces_the_first(folder):
    run(folder)
    before = (folder / "ipd.csv").read_text()
    run(folder)
    assert (folder / "ipd.csv").read_text() == before
    assert set(os.listdir(folder)) == {"curves.csv", "risk.csv", *NAMES}


@pytest.mark.parametrize("name", sorted(NAMES - {"ipd.provenance.json"}))
def test_files_of_another_origin_are_not_replaced(folder, name):
    (folder / name).write_text("mine")
    with pytest.raises(InputError, match="bayesurv did not write it"):
        run(folder)
    assert (folder / name).read_text() == "mine"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--out", "ipd.parquet"), "ipd.parquet is not the name of a .csv file"),
        (("--out", "curves.csv"), "curves.csv is one of the files that are read"),
        (("--out", "none/ipd.csv"), "there is no folder"),
        (("--treatment", "event"), '--treatment: "event" cannot name the column of the arms'),
        (("--treatment", "two words"), '"two words" cannot name'),
        (("--events", "R0"), '--events reads like "CTI2=22"; got "R0"'),
        (("--events", "R0=many"), 'got "R0=many"'),
        (("--events", "R0=7", "--events", "R0=7"), '"R0" is given twice'),
        (("--events", "R2=5"), 'there is no arm "R2". There are R0, R1'),
        (("--events", "R0=14"), 'events: 14 of arm "R0", which has 13 patients'),
        (("--events", "R0=1"), 'events of arm "R0": 1 in all cannot give this curve'),
    ],
)
def test_what_cannot_be_leaves_nothing(folder, bayesurv, given, said):
    result = bayesurv("digitise", "curves.csv", "--at-risk", "risk.csv", *given)
    assert result.code == 2
    assert said in result.error
    assert "Traceback" not in result.error
    assert set(os.listdir(folder)) == {"curves.csv", "risk.csv"}


def test_faults_of_the_tables_leave_nothing(folder, bayesurv):
    table = pd.read_csv(folder / "risk.csv")
    table.loc[1, "at_risk"] = 99
    table.to_csv(folder / "risk.csv", index=False)
    result = bayesurv("digitise", "curves.csv", "--at-risk", "risk.csv")
    assert result.code == 2
    assert "risk.csv, row 3, column at_risk: 99 at risk at 6 is more than 13 at 0" in result.error
    assert set(os.listdir(folder)) == {"curves.csv", "risk.csv"}


def test_events_that_are_given_hold(folder):
    run(folder, events={"R0": 7, "R1": 5})
    patients = pd.read_csv(folder / "ipd.csv")
    assert patients.groupby("arm")["event"].sum().to_dict() == {"R0": 7, "R1": 5}


# --- Words ---


def patients(**arms):
    return pd.concat(
        [pd.DataFrame({"time": t, "event": e}).assign(arm=arm) for arm, (t, e) in arms.items()]
    )


def test_one_arm_is_compared_with_none():
    assert list(compared(patients(A=([1, 2], [1, 0])))) == [
        "One arm: there is nothing to compare it with."
    ]


def test_no_event_is_no_comparison():
    [said] = compared(patients(A=([1, 2], [0, 0]), B=([1, 2], [0, 0])))
    assert said == "No event: there are no hazards to compare."


def test_every_arm_is_compared_with_the_first():
    time = [1.0, 2, 3, 4, 5, 6]
    said = list(
        compared(
            patients(
                A=(time, [1, 1, 0, 1, 0, 1]),
                B=([t + 1.5 for t in time], [1, 0, 1, 1, 0, 1]),
                C=([t + 0.5 for t in time], [1, 1, 1, 0, 1, 0]),
            )
        )
    )
    assert [text.partition(":")[0] for text in said[1:]] == ["B against A", "C against A"]


def test_an_arm_without_events_has_a_finite_ratio():
    time = np.arange(1.0, 9)
    said = list(compared(patients(A=(time, np.ones(8)), B=(time, np.zeros(8)))))
    assert "Cox with Firth" in said[1]
    assert "inf" not in said[1]


def test_numbers_that_hardly_go_together_are_said():
    points = pd.DataFrame({"time": [1.0, 3, 5, 7, 9], "survival": [0.9, 0.8, 0.5, 0.3, 0.3]})
    risks = pd.DataFrame({"time": [0.0, 6], "at_risk": [40, 22]})
    read = read_digitised(points.assign(arm="A"), risks.assign(arm="A"))
    found = report.digitised_answer(read, report._patients(read, {}), "months")
    assert any("hardly go together" in note for note in found.notes)


# --- Agreement ---


def test_agreement_by_hand():
    points = pd.DataFrame({"time": [1.0, 2, 4], "survival": [0.8, 0.6, 0.55], "arm": "A"})
    risks = pd.DataFrame({"time": [0.0, 3], "at_risk": [5, 3], "arm": "A"})
    curve = read_digitised(points, risks)["A"]
    found = agreement(curve, kaplan_meier([1, 2, 3, 4, 4], [1, 1, 0, 0, 0]))
    assert_allclose(found.rmse, np.sqrt(0.05**2 / 3))
    assert_allclose(found.mean_absolute_error, 0.05 / 3)
    assert_allclose(found.max_absolute_error, 0.05)
    assert_array_equal(found.at_risk, [0, 0])
    assert found.points == 3
    # The largest difference of the two distributions of three values is 1 / 3.
    assert found.ks_p > 0.9


def test_one_point_has_no_test():
    points = pd.DataFrame({"time": [4.0], "survival": [0.5], "arm": "A"})
    risks = pd.DataFrame({"time": [0.0], "at_risk": [2], "arm": "A"})
    found = agreement(read_digitised(points, risks)["A"], kaplan_meier([4, 4], [1, 0]))
    assert np.isnan(found.ks_p)
    assert found.max_absolute_error == 0


# --- Figure ---


def test_the_figure_shows_points_curves_and_numbers():
    points, risks = figure(arms_of(TRUTH))
    read = read_digitised(points, risks)
    arms = {arm: kaplan_meier(*rows) for arm, rows in arms_of(TRUTH).items()}
    ax = plot_digitised(
        arms,
        {arm: (curve.read[:, 0], curve.read[:, 1]) for arm, curve in read.items()},
        {arm: (curve.risk_time, curve.at_risk) for arm, curve in read.items()},
        unit="months",
    )
    dots = [line for line in ax.get_lines() if line.get_color() == INK and len(line.get_xdata())]
    for line, curve in zip(dots, read.values(), strict=True):
        assert_array_equal(line.get_xydata(), curve.read)
    for colour, km in zip(COLOURS, arms.values(), strict=False):
        [line] = [line for line in ax.get_lines() if line.get_color() == colour]
        assert_array_equal(line.get_ydata()[:-1], km.survival)
    assert ax.get_xticks().tolist() == sorted(risks["time"].unique())
    written = [text.get_text() for text in ax.texts]
    assert "Printed\nRebuilt" in written
    columns = [tuple(text.split("\n")) for text in written if text[:1].isdigit()]
    assert all(printed == rebuilt for printed, rebuilt in columns)
    assert len(columns) == len(risks)


def test_a_number_that_is_not_printed_is_a_dash():
    km = kaplan_meier([3, 6, 9], [1, 0, 1])
    points = {"A": (np.array([3.0, 9]), np.array([2 / 3, 0]))}
    ax = plot_digitised({"A": km}, points, {"A": (np.array([0.0]), np.array([3]))}, unit="months")
    written = [text.get_text() for text in ax.texts]
    assert "3\n3" in written
    assert "–\n0" in written or "–\n1" in written
