"""An ensemble: one table of many members, checked once and coded alike."""

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.ensemble import Ensemble, followed_until, refuse_ensemble
from bayesurv.data.faults import InputError

OS = {"time": "os_months", "event": "os_event", "unit": "months"}


def refusal(table, **options):
    with pytest.raises(InputError) as caught:
        Ensemble.from_frame(table, **{**OS, **options})
    return [str(fault) for fault in caught.value.faults]


def test_members_are_slices_with_the_levels_of_all(make_ensemble):
    table = make_ensemble()
    shuffled = table.sample(frac=1, random_state=1)
    ensemble = Ensemble.from_frame(shuffled, **OS, id="pid")
    assert sorted(ensemble.members) == ["0", "1", "2", "3", "4", "5"]
    assert (ensemble.n_members, ensemble.n_patients) == (6, 61)
    for label, cohort in ensemble.cohorts():
        own = table[table["member"] == int(label)]
        assert sorted(cohort.time) == sorted(own["os_months"])
        assert list(cohort.covariates["centre"].cat.categories) == [
            "Bari",
            "Milan",
            "Rome",
            "Turin",
        ]
    assert set(ensemble.one(0).covariates["centre"]) == {"Bari", "Milan", "Rome"}
    assert {"member", "synthetic"}.isdisjoint(ensemble.cohort.covariates)
    events = table.groupby("member")["os_event"].sum()
    assert [events[int(label)] for label in ensemble.members] == ensemble.events.tolist()


def test_who_had_the_event_last_leaves_nothing_unknown():
    rows = [(0, 5, 1), (0, 8, 0), (0, 9, 1), (1, 4, 1), (1, 7, 0), (1, 7, 1), (2, 3, 1), (2, 6, 1)]
    table = pd.DataFrame(rows, columns=["member", "time", "event"])
    table = pd.concat([table, pd.DataFrame([(2, 1, 0)], columns=table.columns)])
    ensemble = Ensemble.from_frame(table, time="time", event="event", unit="months")
    ends = [
        followed_until(ensemble.cohort, np.arange(rows.start, rows.stop))
        for rows in ensemble.slices
    ]
    assert ends == [np.inf, 7, np.inf]
    assert ensemble.end_of_follow_up == 7
    events = table.assign(event=1)
    known = Ensemble.from_frame(events, time="time", event="event", unit="months")
    assert known.end_of_follow_up == 9


def test_a_file_names_itself(make_ensemble, tmp_path):
    path = tmp_path / "members.parquet"
    make_ensemble(2).rename(columns={"member": "version"}).to_parquet(path)
    ensemble = Ensemble.from_file(path, member="version", **OS)
    assert repr(ensemble).startswith("Ensemble(2 members of 61 patients; Cohort(members.parquet:")
    with pytest.raises(InputError, match="no member 7; the members are 0, 1"):
        ensemble.one(7)


def test_no_such_member_column(make_ensemble):
    [said] = refusal(make_ensemble(), member="membr")
    assert said.startswith("DataFrame, column membr: no such column, named for the member. Did you")


def test_a_single_cohort_is_no_ensemble(make_ensemble):
    [said] = refusal(make_ensemble(1))
    assert said == "DataFrame, column member: this holds a single cohort; fit it without --member"


def test_every_fault_of_the_members_is_said_once(make_ensemble):
    table = make_ensemble().drop(index=[70, 71])
    table.loc[table["member"].isin([2, 4]), "os_event"] = 0
    table.loc[[5, 300], "synthetic"] = False
    table["os_months"] = table["os_months"].where(table["member"] != 5)
    table["member"] = table["member"].astype(object).where(table.index != 8)
    said = "\n".join(refusal(table))
    assert "row 8, column member: is missing; say which member each row belongs to" in said
    assert "row 5, column synthetic: is not true; patients who were seen are no part" in said
    assert "row 300, column synthetic: is not true" in said
    assert "members of other sizes than 61 patients: 0 (60), 1 (59)" in said
    assert "column os_event: no events in members 2, 4: every row is censored" in said
    assert "column os_months: no values in members 5, which others have" in said
    assert "column os_months: is missing" in said


def test_patients_are_those_of_their_member(make_ensemble):
    table = make_ensemble(3)
    table.loc[1, "pid"] = table.loc[0, "pid"]
    said = refusal(table, id="pid")
    assert any("patient P000 of member 0 is already in row 0" in each for each in said)


def test_missing_covariates_are_dropped_by_patient(make_ensemble):
    table = make_ensemble(3)
    table["age"] = table["age"].astype(float)
    table.loc[[3, 150], "age"] = np.nan
    ensemble = Ensemble.from_frame(table, **OS).complete(["age"], "drop")
    assert [rows.stop - rows.start for rows in ensemble.slices] == [60, 61, 60]
    assert ensemble.cohort.notes == ("2 of 183 patients dropped: age missing for 2",)
    given = Ensemble.from_frame(table, **OS, covariates=["age"], missing="drop")
    assert [rows.stop - rows.start for rows in given.slices] == [60, 61, 60]


def test_an_ensemble_is_not_taken_for_one_cohort(make_ensemble):
    with pytest.raises(InputError, match="6 synthetic versions of one cohort"):
        refuse_ensemble(make_ensemble(), "members.parquet")
    refuse_ensemble(make_ensemble(1), "one.parquet")
    refuse_ensemble(pd.DataFrame({"member": [1, 2]}), "members of a family")
