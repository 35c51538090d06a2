"""What contradicts itself within and between the clinical tables."""

from datetime import date

import pandas as pd
import pytest

from bayesurv.data.clinical.checks import IN_ORDER
from bayesurv.data.clinical.nested import check_nested
from bayesurv.data.clinical.tables import check_tables
from bayesurv.data.faults import InputError


@pytest.fixture
def faults(clinical):
    """What is refused of tables: (table, row, column, message)."""

    def found(patients=({},), cutoff=None, **records):
        frames = clinical(patients, **records)
        try:
            check_tables(frames, cutoff=cutoff)
        except InputError as error:
            return [(f.file, f.row, f.column, f.message) for f in error.faults]
        return []

    return found


def test_tables_without_a_fault(faults):
    assert faults() == []


@pytest.mark.parametrize(("early", "late"), IN_ORDER)
def test_dates_out_of_order_give_both_values(faults, early, late):
    patient = {"salvage_type": "CTI2", early: "2020-06-02", late: "2020-06-01"}
    message = f"patient P1: 2020-06-01 is before {early} 2020-06-02"
    assert ("patients", 0, late, message) in faults([patient])
    same = {early: "2020-06-01", late: "2020-06-01"}
    assert not any(f"before {early}" in said and column == late
                   for *_, column, said in faults([{**patient, **same}]))  # fmt: skip


def test_a_patient_has_one_row(faults):
    [(_, row, column, message)] = faults([{"patient_id": "A"}, {"patient_id": "A"}])
    assert (row, column) == (1, "patient_id")
    assert message == "patient A is already in row 0; each has one row"


def test_a_patient_of_another_table_must_be_in_patients(faults):
    scan = {"patient_id": "P11", "date": "2020-02-01", "response": "SD"}
    [(table, row, column, message)] = faults(assessments=[scan])
    assert (table, row, column) == ("assessments", 0, "patient_id")
    assert message == 'patient P11 is not in the table patients. Did you mean "P1"?'


def test_included_patients_need_salvage_and_an_end(faults):
    nothing = {"salvage_type": "CTI2", "salvage_start_date": None, "last_contact_date": None}
    found = {column: message for _, _, column, message in faults([nothing])}
    assert set(found) == {"salvage_start_date", "last_contact_date"}
    assert "date of the infusion" in found["salvage_start_date"]
    excluded = {**nothing, "salvage_type": None, "included": 0, "exclusion_reason": "palliative"}
    assert faults([excluded]) == []


def test_exclusion_and_its_reason_go_together(faults):
    assert [c for *_, c, _ in faults([{"included": "0"}])] == ["exclusion_reason"]
    assert [c for *_, c, _ in faults([{"exclusion_reason": "other"}])] == ["exclusion_reason"]


def test_a_cause_of_death_needs_a_death(faults):
    [(_, _, column, message)] = faults([{"death_cause": "infection"}])
    assert column == "death_cause"
    assert '"infection", but no death_date' in message


def test_nothing_is_after_death_or_the_last_contact(faults):
    late = "2020-07-01"
    records = {
        "assessments": [{"date": late, "response": "CR"}],
        "adverse_events": [{"start_date": late, "term": "renal", "grade": 2}],
        "labs": [{"date": late, "value": 400}],
    }
    for column in ("death_date", "last_contact_date"):
        found = faults([{column: "2020-06-01"}], **records)
        assert [table for table, *_ in found] == list(records)
        assert {m for *_, m in found} == {f"patient P1: {late} is after {column} 2020-06-01"}


def test_nothing_is_after_the_cutoff(faults):
    records = {"labs": [{"date": "2020-07-01", "value": 400}]}
    limit = date(2020, 6, 1)
    expected = [
        ("patients", 0, "last_contact_date", "patient P1: 2021-01-01 is after the data cutoff "
         "2020-06-01"),
        ("labs", 0, "date", "patient P1: 2020-07-01 is after the data cutoff 2020-06-01"),
    ]  # fmt: skip
    assert faults(cutoff=limit, **records) == expected
    assert faults([{"data_cutoff_date": str(limit)}], **records) == expected
    assert faults([{"data_cutoff_date": "2021-01-01"}], **records) == []


def test_a_scan_is_of_the_therapy_before_it(faults):
    before = {"date": "2019-12-31", "response": "CR"}
    [(*_, message)] = faults(assessments=[before])
    assert "CR on 2019-12-31 is before salvage_start_date 2020-01-01" in message
    after = {"date": "2020-01-02", "response": "CR", "phase": "CTI1"}
    [(*_, message)] = faults(assessments=[after])
    assert "CR on 2020-01-02 is after salvage_start_date 2020-01-01" in message


def test_two_responses_on_one_day(faults):
    scans = [{"date": "2020-02-01", "response": response} for response in ("SD", "CR")]
    [(_, row, column, message)] = faults(assessments=scans)
    assert (row, column) == (1, "response")
    assert "CR on 2020-02-01, but SD on that day in row 0" in message
    scans[0]["response"] = "NE"
    assert faults(assessments=scans) == []


@pytest.mark.parametrize(
    ("stated", "seen", "agree"),
    [("CR", "PR", True), ("SD", "PD", True), ("SD", "PR", False), ("PR", "SD", False)],
)
def test_the_stated_response_to_cti1_is_that_of_the_scans(faults, stated, seen, agree):
    scans = [{"date": "2019-06-01", "response": seen, "phase": "CTI1"},
             {"date": "2019-07-01", "response": "PD", "phase": "CTI1"}]  # fmt: skip
    found = faults([{"cti1_best_response": stated}], assessments=scans)
    if agree:
        assert found == []
        return
    [(_, row, column, message)] = found
    assert (row, column) == (0, "response")
    assert f"is {seen}, but patients has cti1_best_response {stated}" in message


def test_an_adverse_event_ends_after_it_began_and_kills_the_dead_only(faults):
    event = {"start_date": "2020-03-01", "end_date": "2020-02-01", "term": "renal", "grade": 5}
    found = {column: message for *_, column, message in faults(adverse_events=[event])}
    assert found == {
        "end_date": "patient P1: 2020-02-01 is before start_date 2020-03-01",
        "grade": "patient P1: a fatal renal, but patients has no death_date",
    }


# --- Endpoints that a user brings ---

NESTED = {"id": ["A", "B"], "efs_months": [1, 2.0], "efs_event": [1, 0], "pfs_months": [2, 2.0],
          "pfs_event": [0, 0], "os_months": [3, 2.0], "os_event": [1, 0]}  # fmt: skip


def nested_faults(**options):
    frame = pd.DataFrame({**NESTED, **options})
    with pytest.raises(InputError) as caught:
        check_nested(frame, id="id")
    return [(fault.row, fault.column, fault.message) for fault in caught.value.faults]


def test_nested_endpoints_pass():
    check_nested(pd.DataFrame(NESTED))
    check_nested(pd.DataFrame(NESTED).drop(columns="pfs_months"))


def test_endpoints_that_are_not_nested_are_listed():
    found = nested_faults(efs_months=[2.5, 2.0], pfs_months=[2, 2.1])
    assert found == [
        (0, "efs_months", "patient A: 2.5 is after pfs_months 2"),
        (1, "pfs_months", "patient B: 2.1 is after os_months 2"),
    ]


def test_a_death_is_an_event_of_every_endpoint():
    [(row, column, message)] = nested_faults(os_event=[1, 1])
    assert (row, column) == (1, "pfs_event")
    assert message == "patient B: 0, but os_event is 1 at the same time 2"


def test_one_endpoint_cannot_be_nested():
    with pytest.raises(InputError, match="fewer than two endpoints"):
        check_nested(pd.DataFrame(NESTED), unit="days")
