"""Members keep what is printed by construction, meet what is searched for, and stay the same."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.faults import InputError
from bayesurv.data.reconstruct import draw
from bayesurv.data.reconstruct import ensemble as ensembles
from bayesurv.data.reconstruct.draw import Reconstruction
from bayesurv.data.reconstruct.ensemble import reconstruct
from bayesurv.data.reconstruct.summary import read_summary
from bayesurv.frequentist.recomputed import recomputed

SMALL = (Path(__file__).parents[1] / "reference" / "data" / "small_trial.toml").read_text("utf-8")


def written(tmp_path, text=SMALL):
    path = tmp_path / "summary.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    return read_summary(written(tmp_path_factory.mktemp("summary")))


@pytest.fixture(scope="module")
def small(summary):
    return reconstruct(summary, 6, 7, workers=2)


@pytest.fixture
def cohorts(small):
    return [rows for _, rows in small.patients.groupby("member")]


def test_counts_ranges_and_medians_hold_in_every_member(cohorts):
    assert len(cohorts) == 6
    for rows in cohorts:
        assert rows["synthetic"].all()
        assert sorted(rows["patient"]) == list(range(1, 34))
        for treated, n, deaths, events, low, middle, high in (
            (1, 15, 6, 10, 2.0, 14.0, 40.0),
            (0, 18, 13, 16, 1.0, 9.5, 36.5),
        ):
            arm = rows[rows["new"] == treated]
            assert len(arm) == n
            assert arm["os_event"].sum() == deaths
            assert arm["pfs_event"].sum() == events
            time = arm["os_months"]
            assert (time.min(), time.max()) == (low, high)
            assert time.median() == pytest.approx(middle)
        old = rows[rows["new"] == 0]
        assert (old["age"].min(), old["age"].median(), old["age"].max()) == (35, 58.5, 77)
        assert rows.groupby("new")["bulky"].sum().tolist() == [6, 6]
        assert (old["response"] != "none").sum() == 6


def test_endpoints_are_nested(cohorts):
    for rows in cohorts:
        assert (rows["pfs_months"] <= rows["os_months"]).all()
        assert (rows["pfs_months"] > 0).all()
        assert (rows["pfs_event"] >= rows["os_event"]).all()
        same = rows["pfs_event"] == 0
        assert (rows["pfs_months"] == rows["os_months"])[same].all()


def test_conditions_hold(cohorts):
    for rows in cohorts:
        assert ((rows["cause"] == "") == (rows["os_event"] == 0)).all()
        early = (rows["pfs_event"] == 1) & (rows["pfs_months"] < 3)
        assert not (early & (rows["response"] == "CR")).any()
        assert ((rows["cause"] == "other") & (rows["response"] == "none")).sum() == 3


def test_targets_are_met_by_the_packages_own_analysis(summary, cohorts):
    for rows in cohorts:
        missed = [each for each in recomputed(summary, rows) if each.residual > 0]
        assert missed == []


def test_members_differ(cohorts):
    times = np.array([np.sort(rows["os_months"].to_numpy()) for rows in cohorts])
    assert len(np.unique(times, axis=0)) == len(cohorts)
    assert times.std(axis=0).max() > 1


def test_the_same_whatever_the_number_of_workers(summary, small):
    again = reconstruct(summary, 3, 7, workers=1)
    first = small.patients[small.patients["member"] < 3].reset_index(drop=True)
    pd.testing.assert_frame_equal(again.patients, first)
    other = reconstruct(summary, 1, 8, workers=1)
    assert not other.patients["os_months"].equals(first["os_months"][:33])


def test_what_a_run_left_is_not_drawn_again(summary, small, tmp_path, monkeypatch):
    partial = tmp_path / ".partial"
    monkeypatch.setattr(ensembles, "EVERY", 1)
    reconstruct(summary, 4, 7, workers=1, partial=partial)
    drawn = []
    whole = Reconstruction.member

    def counted(self, number, seed):
        drawn.append(number)
        return whole(self, number, seed)

    monkeypatch.setattr(Reconstruction, "member", counted)
    again = reconstruct(summary, 6, 7, workers=1, partial=partial)
    assert sorted(drawn) == [4, 5]
    pd.testing.assert_frame_equal(again.patients, small.patients)
    assert np.array_equal(again.excess, small.excess)
    reconstruct(summary, 1, 8, workers=1, partial=partial)  # another seed: nothing of it is used
    assert sorted(drawn) == [0, 4, 5]


@pytest.fixture
def briefly(monkeypatch):
    """A search that gives up early, where there is nothing to be found."""
    monkeypatch.setattr(draw, "ROUNDS", (((5000, 0.3, 3e-3),), ((5000, 0.3, 3e-2),)))
    monkeypatch.setattr(draw, "RESTARTS", 2)
    monkeypatch.setattr(draw, "ATTEMPTS", 1)


def test_a_hard_target_that_no_member_meets_is_refused(tmp_path, briefly):
    impossible = SMALL.replace('value = "0.56"', 'value = "0.99"\nstatus = "hard"')
    with pytest.raises(InputError, match=r'no member meets "OS at 12"; the nearest is .* outside'):
        reconstruct(read_summary(written(tmp_path, impossible)), 1, 1)


def test_a_soft_target_that_no_member_meets_is_told_not_relaxed(tmp_path, briefly):
    impossible = SMALL.replace('value = "0.56"', 'value = "0.99"')
    summary = read_summary(written(tmp_path, impossible))
    found = reconstruct(summary, 1, 1)
    names = [target.name for target in summary.target]
    assert found.excess[0, names.index("OS at 12")] > 0.05
    rows = found.patients
    missed = {each.target for each in recomputed(summary, rows) if each.residual > 0}
    assert "OS at 12" in missed


def test_conditions_that_cannot_hold_are_refused(tmp_path, briefly):
    impossible = SMALL.replace("count = 3", "count = 6").replace(
        'never = [{ cause = [""], os_event = [1] }]',
        'never = [{ cause = [""], os_event = [1] }, { cause = ["other"], response = ["none"] }]',
    )
    with pytest.raises(InputError, match="no member satisfies all conditions"):
        reconstruct(read_summary(written(tmp_path, impossible)), 1, 1)


def test_an_interrupt_keeps_what_was_drawn(summary, tmp_path, monkeypatch):
    partial = tmp_path / ".partial"
    monkeypatch.setattr(ensembles, "EVERY", 1)

    def stop(share):
        if share > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reconstruct(summary, 4, 7, workers=1, partial=partial, progress=stop)
    assert pd.read_parquet(partial)["member"].nunique() >= 1
