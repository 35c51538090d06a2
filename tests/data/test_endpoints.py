"""Derivation as a whole: the paper's patient flow, nesting, invariances, and on to a cohort."""

from datetime import date, timedelta
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from bayesurv.data.clinical.rule import CHOICES
from bayesurv.data.clinical.schema import RESPONSES, SALVAGE_TYPES, TABLES, TERMS
from bayesurv.data.cohort import Cohort
from bayesurv.data.endpoints import Options, check_tables, derive
from bayesurv.data.faults import InputError

VARIANTS = ("efs", "efs_e1", "efs_e2", "efs_e3", "efs_e4")
DATES = {c.name for columns in TABLES.values() for c in columns if c.kind == "date"}
START = date(2020, 1, 1)


def derived(frames, **options):
    return derive(check_tables(frames), Options(**{"day_zero": "half-day"} | options))


# --- Patient flow ---


def screening_log():
    """86 patients as in the paper: 25 palliative; relapsed 34 (14 CTI2), refractory 27 (13)."""
    kinds = [("PR", "CTI2")] * 14 + [("CR", "HSCT")] * 20
    kinds += [("SD", "CTI2")] * 13 + [("PD", "chemo")] * 14
    included = [{"cti1_best_response": r, "salvage_type": s, "included": 1} for r, s in kinds]
    nothing = {"salvage_type": None, "salvage_start_date": None, "last_contact_date": None}
    excluded = [{**nothing, "included": 0, "exclusion_reason": "palliative care"}] * 25
    return [*included, *excluded]


def test_the_flow_of_the_paper(clinical):
    found = derived(clinical(screening_log()))
    assert len(found.cohort) == 61
    assert found.flow.astype(object).where(found.flow.notna(), None).values.tolist() == [
        ["screened", 86, None, None],
        ["excluded: palliative care", 25, None, None],
        ["included", 61, 27, 34],
        ["relapsed", 34, 14, 20],
        ["refractory", 27, 13, 14],
    ]


def test_no_patient_in_the_analysis(clinical):
    with pytest.raises(InputError, match="no patient is included"):
        derived(clinical([{"included": 0, "exclusion_reason": "palliative care"}]))


def test_patients_without_the_day_of_origin_are_all_listed(clinical):
    frames = clinical([{}, {"failure_date": "2019-12-01"}, {}])
    with pytest.raises(InputError) as caught:
        derived(frames, origin="failure")
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [
        (0, "failure_date"),
        (2, "failure_date"),
    ]


def test_what_the_tables_do_not_hold_is_not_derived_and_said(clinical):
    found = derived(clinical())
    assert {"os_months", "os_event", "cti2"} <= set(found.cohort)
    assert not {"pfs_months", "efs_months", "bulky", "igg_nadir"} & set(found.cohort)
    assert any("assessments lacks the columns for it: pfs" in note for note in found.notes)
    scans = [{"date": "2020-02-01", "response": "SD"}]
    found = derived(clinical(assessments=scans))
    assert {"pfs_months", "efs_e1_months"} <= set(found.cohort)
    assert "efs_months" not in found.cohort


# --- Random patients ---


@st.composite
def histories(draw):
    """Tables of a few patients with any scans and events; nobody was seen after the end."""
    patients, scans, events, samples = [], [], [], []
    for number in range(draw(st.integers(1, 4))):
        who = f"P{number + 1}"
        last = draw(st.integers(0, 200))
        end = {"death_date" if draw(st.booleans()) else "last_contact_date": last}
        patient = {"last_contact_date": None, "failure_date": -draw(st.integers(0, 90)), **end}
        patient["salvage_type"] = draw(st.sampled_from(SALVAGE_TYPES))
        if last and draw(st.booleans()):
            patient["later_therapy_date"] = draw(st.integers(0, last))
        patients.append({"salvage_start_date": 0, **patient})
        day = st.integers(0, last)
        for when in draw(st.lists(day, unique=True, max_size=4)):
            response = draw(st.sampled_from((*RESPONSES, "NE")))
            scans.append({"patient_id": who, "date": when, "response": response})
        for when in draw(st.lists(day, max_size=4)):
            grade = draw(st.integers(0, 5 if "death_date" in end else 4))
            cells = {"term": draw(st.sampled_from(TERMS)), "grade": grade}
            cells["related"] = draw(st.sampled_from(("0", "1", "unk")))
            events.append({"patient_id": who, "start_date": when, **cells})
        for when in draw(st.lists(day, max_size=3)):
            value = draw(st.integers(0, 900))
            samples.append({"patient_id": who, "date": when, "value": value})
    return {"patients": patients, "assessments": scans, "adverse_events": events, "labs": samples}


OPTIONS = st.builds(
    Options,
    origin=st.sampled_from(("salvage-start", "failure")),
    day_zero=st.just("half-day"),
    **{name: st.sampled_from(CHOICES[name]) for name in ("unit", "efs", "unknown_related",
                                                         "pfs_censor")},
)  # fmt: skip


def dated(rows, shift=0):
    """Rows whose days since the start of salvage have become dates."""
    origin = START + timedelta(days=shift)
    return [
        {
            key: origin + timedelta(days=cell) if key in DATES and cell is not None else cell
            for key, cell in row.items()
        }
        for row in rows
    ]


def cohort_of(clinical, history, options, shift=0):
    rows = {name: dated(rows, shift) for name, rows in history.items() if rows}
    return derive(check_tables(clinical(**rows)), options).cohort


@settings(max_examples=60, deadline=None)
@given(history=histories(), options=OPTIONS)
def test_endpoints_are_nested_whatever_the_options(clinical, history, options):
    cohort = cohort_of(clinical, history, options)
    unit = options.unit
    chain = [f"pfs_{unit}", f"os_{unit}"]
    for inner, outer in [*((f"{name}_{unit}", chain[0]) for name in VARIANTS), chain]:
        if {inner, outer} <= set(cohort):
            assert (cohort[inner] <= cohort[outer]).all()
    assert (cohort[f"os_{unit}"] > 0).all()
    if f"pfs_{unit}" in cohort:
        assert (cohort["pfs_event"] >= cohort["os_event"]).all()
        assert (cohort[f"pfs_left_{unit}"] <= cohort[f"pfs_{unit}"]).all()
        upper = cohort[f"pfs_upper_{unit}"].astype("Float64")
        known = upper.notna()
        assert (cohort.loc[known, f"pfs_left_{unit}"] < upper[known]).all()
        assert (upper[known] == cohort.loc[known, f"pfs_{unit}"]).all()


@settings(max_examples=40, deadline=None)
@given(history=histories(), options=OPTIONS, shift=st.integers(-20_000, 20_000))
def test_shifting_all_dates_changes_nothing(clinical, history, options, shift):
    plain = cohort_of(clinical, history, options)
    assert_frame_equal(cohort_of(clinical, history, options, shift), plain)


@settings(max_examples=40, deadline=None)
@given(history=histories(), options=OPTIONS, random=st.randoms())
def test_the_order_of_rows_changes_nothing(clinical, history, options, random):
    plain = cohort_of(clinical, history, options)
    named = [{"patient_id": f"P{i}", **row} for i, row in enumerate(history["patients"], start=1)]
    mixed = {name: random.sample(rows, len(rows)) for name, rows in history.items()}
    mixed["patients"] = random.sample(named, len(named))
    again = cohort_of(clinical, mixed, options).sort_values("patient_id", ignore_index=True)
    assert_frame_equal(again, plain)


@settings(max_examples=30, deadline=None)
@given(history=histories(), options=OPTIONS)
def test_every_value_of_the_cohort_is_in_the_audit(clinical, history, options):
    rows = {name: dated(rows) for name, rows in history.items() if rows}
    found = derive(check_tables(clinical(**rows)), options)
    cohort = found.cohort.set_index("patient_id")
    audit = found.audit.set_index(["patient_id", "variable"])["value"].unstack()
    for who, variable in product(cohort.index, cohort):
        value, audited = cohort.at[who, variable], audit.at[who, variable]
        assert (pd.isna(value) and pd.isna(audited)) or value == audited


# --- The audit, and on to a cohort ---


def test_the_audit_names_the_cells_and_the_options(clinical):
    scans = [{"date": "2020-01-31", "response": "SD"}, {"date": "2020-03-01", "response": "PD"}]
    audit = derived(clinical(assessments=scans)).audit.set_index("variable")
    row = audit.loc["pfs_months"]
    assert row["source"] == (
        "assessments row 1: response PD, date 2020-03-01; "
        "assessments row 0: response SD, date 2020-01-31"
    )
    stated = "--origin salvage-start, --day-zero half-day, --pfs-censor last-assessment"
    assert row["option"] == stated
    assert row["rule"] == "pfs"
    assert row["value"] == pytest.approx(60 / 30.4375, abs=1e-6)


@pytest.fixture
def twenty(clinical):
    """Twenty patients, some of whom progress between scans, die, or do neither."""
    patients = [
        {
            "salvage_type": "CTI2" if i % 2 else "chemo",
            "failure_date": f"2019-12-{i + 1:02d}",
            "ann_arbor_onset": i % 4 + 1,
            "bulk_cm_onset": 5 + i % 6,
            "death_date": f"2020-{6 + i % 5:02d}-15" if i % 3 else None,
        }
        for i in range(20)
    ]
    scans = [
        {"patient_id": f"P{i + 1}", "date": f"2020-0{month}-0{1 + i % 9}", "response": response}
        for i in range(20)
        for month, response in ((2, "PR"), (4, "PD" if i % 4 else "SD"))
    ]
    return clinical(patients, assessments=scans)


@pytest.mark.parametrize("origin", ["salvage-start", "failure"])
@pytest.mark.parametrize("source", ["frame", "file"])
def test_the_analysis_table_is_a_cohort(twenty, tmp_path, origin, source):
    table = derived(twenty, origin=origin).cohort
    if source == "file":
        table.to_csv(tmp_path / "cohort.csv", index=False)
    entry = {} if origin == "salvage-start" else {"entry": "entry_months"}
    ordinal = {"stage": ["I", "II", "III", "IV"]}
    plain = {"unit": "months", "id": "patient_id", "ordinal": ordinal, **entry}

    def cohort(**columns):
        if source == "file":
            return Cohort.from_file(tmp_path / "cohort.csv", **plain, **columns)
        return Cohort.from_frame(table, **plain, **columns)

    needed = ("cti2", "bulky", "stage")
    overall = cohort(time="os_months", event="os_event", covariates=needed)
    assert (overall.n_patients, overall.n_events) == (20, 13)
    free = cohort(time="pfs_left_months", upper="pfs_upper_months", event="pfs_event")
    assert free.interval.sum() == 15
    assert np.array_equal(np.nan_to_num(free.upper, nan=-1) >= 0, free.interval)
    assert free.delayed == (origin == "failure")
