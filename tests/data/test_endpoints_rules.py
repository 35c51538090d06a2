"""Each rule on patients made by hand; what it should find was counted on a calendar."""

import pytest

from bayesurv.data.clinical.rules_baseline import BASELINE
from bayesurv.data.clinical.rules_response import RESPONSE
from bayesurv.data.clinical.rules_safety import SAFETY, SEVERE
from bayesurv.data.clinical.rules_survival import survival_rules
from bayesurv.data.endpoints import Options, check_tables, derive
from bayesurv.data.faults import InputError

MONTH = 30.4375


@pytest.fixture
def found(clinical):
    """What is derived for one patient, times in days unless an option says otherwise."""

    def run(patient=None, options=None, **records):
        derived = derive(
            check_tables(clinical([patient or {}], **records)),
            Options(**{"unit": "days", "day_zero": "half-day"} | (options or {})),
        )
        cohort, audit = derived.cohort, derived.audit.set_index("variable")
        row = cohort.astype(object).where(cohort.notna(), None).iloc[0].to_dict()
        return row | {"remark": audit["remark"].to_dict(), "source": audit["source"].to_dict()}

    return run


def scan(day, response, **cells):
    return {"date": day, "response": response, **cells}


def event(day, term, grade, **cells):
    return {"start_date": day, "term": term, "grade": grade, **cells}


def sample(day, value, analyte="IgG_mg_dL", **cells):
    return {"date": day, "value": value, "analyte": analyte, **cells}


# --- Baseline ---


@pytest.mark.parametrize(
    ("cells", "variable", "value"),
    [
        ({"bulk_cm_onset": 7.5}, "bulky", 1),
        ({"bulk_cm_onset": 7.4}, "bulky", 0),
        ({"bulk_cm_salvage": 8}, "bulky_salvage", 1),
        ({"ann_arbor_onset": "II"}, "stage_iii", 0),
        ({"ann_arbor_onset": 3}, "stage_iii", 1),
        ({"ann_arbor_onset": 4}, "stage", "IV"),
        ({"ann_arbor_salvage": 1}, "stage_salvage", "I"),
        ({"ipi_onset": 2}, "ipi_3", 0),
        ({"ipi_onset": 3}, "ipi_3", 1),
        ({"ipi_onset": 3}, "ipi", 3),
        ({"age_at_salvage": 17}, "age", 17),
        ({"birth_year": 1960}, "age", 60),
        ({"birth_year": 1960, "age_at_salvage": 59.5}, "age", 59.5),
        ({"tp53_disrupted": 1}, "tp53", 1),
        ({"tp53_disrupted": "untested"}, "tp53", None),
        ({"salvage_type": "CTI2"}, "cti2", 1),
        ({"salvage_type": "RT"}, "cti2", 0),
        ({"salvage_type": "RT"}, "salvage_type", "RT"),
        ({"hsct_bridge_cti1": "allo"}, "hsct_bridge_cti1", "allo"),
        ({"hsct_bridge_cti1": "0"}, "hsct_bridge_cti1", 0),
        ({"cti1_best_response": "CR"}, "cti1_response", "CR"),
        ({"cti1_best_response": "SD"}, "cti1_response", "NR"),
        ({"cti1_best_response": "PR"}, "failure_class", "relapsed"),
        ({"cti1_best_response": "PD"}, "failure_class", "refractory"),
    ],
)
def test_baseline(found, cells, variable, value):
    assert found(cells).get(variable) == value


RELAPSED = {
    "cti1_infusion_date": "2019-03-01",
    "cti1_best_response": "PR",
    "cti1_response_date": "2019-04-01",
}


@pytest.mark.parametrize(
    ("failure", "early", "days"), [("2019-07-01", 1, 91), ("2019-07-02", 0, 92)]
)
def test_early_relapse_is_before_three_months_from_the_response(found, failure, early, days):
    row = found({**RELAPSED, "failure_date": failure})
    assert (row["early_relapse"], row["relapse_days"]) == (early, days)
    later = found({**RELAPSED, "failure_date": failure}, {"relapse_origin": "infusion"})
    assert (later["early_relapse"], later["relapse_days"]) == (early, days + 31)


def test_relapse_counts_from_the_first_response_where_its_date_is_not_given(found):
    patient = {**RELAPSED, "failure_date": "2019-07-01", "cti1_response_date": None}
    scans = [scan("2019-04-01", "PR", phase="CTI1"), scan("2019-05-01", "CR", phase="CTI1")]
    row = found(patient, assessments=scans)
    assert row["relapse_days"] == 91
    assert row["source"]["relapse_days"].startswith("assessments row 0: response PR")


@pytest.mark.parametrize(("failure", "flagged"), [("2019-05-31", True), ("2019-06-01", False)])
def test_refractory_before_three_months_is_flagged(found, failure, flagged):
    patient = {**RELAPSED, "cti1_best_response": "SD", "cti1_response_date": None}
    row = found({**patient, "failure_date": failure})
    assert row["failure_class"] == "refractory"
    assert row["remark"]["failure_class"].startswith("failed within 3 months") is flagged
    assert (row["early_relapse"], row["relapse_days"]) == (None, None)


# --- Survival ---


def test_overall_survival(found):
    dead = found({"death_date": "2020-03-01"})
    assert (dead["os_days"], dead["os_event"]) == (60, 1)
    assert dead["source"]["os_days"] == "patients row 0: death_date 2020-03-01"
    alive = found({"last_contact_date": "2020-12-31"})
    assert (alive["os_days"], alive["os_event"]) == (365, 0)
    months = found({"last_contact_date": "2020-12-31"}, {"unit": "months"})
    assert months["os_months"] == pytest.approx(365 / MONTH, abs=1e-6)


def pfs(row):
    return tuple(row[f"pfs_{part}"] for part in ("days", "event", "left_days", "upper_days"))


def test_progression_lies_between_two_scans(found):
    scans = [scan("2020-01-31", "SD"), scan("2020-02-10", "NE"), scan("2020-03-01", "PD"),
             scan("2020-05-01", "CR")]  # fmt: skip
    assert pfs(found(assessments=scans)) == (60, 1, 30, 60)
    assert pfs(found(assessments=scans[1:])) == (60, 1, 0, 60)
    assert pfs(found({"death_date": "2020-06-01"}, assessments=scans)) == (60, 1, 30, 60)


def test_death_without_progression_is_exact(found):
    row = found({"death_date": "2020-03-01"}, assessments=[scan("2020-01-31", "SD")])
    assert pfs(row) == (60, 1, 60, None)


def test_pfs_without_event_ends_at_the_last_adequate_scan_or_the_last_contact(found):
    scans = [scan("2020-01-31", "SD"), scan("2020-03-01", "NE")]
    assert pfs(found(assessments=scans)) == (30, 0, 30, None)
    later = found(options={"pfs_censor": "last-contact"}, assessments=scans)
    assert pfs(later) == (366, 0, 366, None)


def test_scans_up_to_the_day_of_salvage_are_not_of_salvage(found):
    scans = [scan("2019-12-01", "PD", phase="CTI1"), scan("2020-01-01", "PD"),
             scan("2020-01-31", "SD")]  # fmt: skip
    assert pfs(found(assessments=scans)) == (30, 0, 30, None)


EVENTS = [
    event("2019-12-31", "infection", 5),  # before salvage
    event("2020-01-06", "neutropenia", 4),
    event("2020-01-11", "infection", 4, related="0"),
    event("2020-01-16", "infection", 3, related="unk"),
    event("2020-01-21", "hepatic", 2),
    event("2020-01-26", "infection", 3),
    event("2020-02-05", "renal", 5),
]
DEAD = {"death_date": "2020-02-15"}
FREE = [scan("2020-01-31", "SD")]


@pytest.mark.parametrize(
    ("variant", "related", "days"),
    [("E1", "no", 45), ("E2", "no", 25), ("E3", "no", 5), ("E4", "no", 35),
     ("E1", "yes", 45), ("E2", "yes", 15), ("E3", "yes", 5), ("E4", "yes", 35)],
)  # fmt: skip
def test_the_four_meanings_of_severe(found, variant, related, days):
    options = {"efs": variant, "unknown_related": related}
    row = found(DEAD, options, assessments=FREE, adverse_events=EVENTS)
    assert (row["efs_days"], row["efs_event"]) == (days, 1)
    assert row[f"efs_{variant.lower()}_days"] == days


def test_progression_and_death_are_events_of_efs(found):
    scans = [scan("2020-01-20", "PD")]
    row = found(DEAD, assessments=scans, adverse_events=EVENTS)
    assert (row["efs_days"], row["efs_event"]) == (19, 1)


def test_efs_is_followed_no_longer_than_pfs(found):
    events = [event("2020-03-01", "infection", 4)]
    row = found(assessments=FREE, adverse_events=events)
    assert (row["efs_days"], row["efs_event"]) == (30, 0)
    assert "not counted" in row["remark"]["efs_days"]
    assert "adverse_events row 0: term infection" in row["source"]["efs_days"]
    later = found(options={"pfs_censor": "last-contact"}, assessments=FREE, adverse_events=events)
    assert (later["efs_days"], later["efs_event"]) == (60, 1)


@pytest.mark.parametrize(
    ("origin", "days", "entry"),
    [("failure", 93, 61), ("decision", 63, 31), ("apheresis", 60, 28), ("conditioning", 37, 5),
     ("salvage-start", 32, None)],
)  # fmt: skip
def test_the_origin_moves_the_clock_and_nothing_else(found, origin, days, entry):
    patient = {
        "salvage_type": "CTI2",
        "failure_date": "2019-11-01",
        "salvage_decision_date": "2019-12-01",
        "apheresis2_date": "2019-12-04",
        "lymphodepletion2_date": "2019-12-27",
        "death_date": "2020-02-02",
    }
    events = [event("2019-12-29", "infection", 4)]
    row = found(patient, {"origin": origin}, assessments=FREE, adverse_events=events)
    assert (row["os_days"], row["efs_days"], row["efs_event"]) == (days, days, 1)
    assert row.get("entry_days") == entry


def test_conditioning_of_other_salvage_is_its_start(found):
    row = found({"death_date": "2020-02-02"}, {"origin": "conditioning"})
    assert (row["os_days"], row["entry_days"]) == (32, 0)


def test_an_end_on_the_first_day_is_refused_or_half_a_day(found):
    patient = {"death_date": "2020-01-01"}
    with pytest.raises(InputError, match="patient P1: os would end on the day") as caught:
        found(patient, {"day_zero": "refuse"})
    assert len(caught.value.faults) == 1
    row = found(patient)
    assert (row["os_days"], row["os_event"]) == (0.5, 1)
    assert "half a day counted" in row["remark"]["os_days"]


def test_a_patient_never_assessed_has_no_pfs_to_count(found):
    scans = [scan("2020-02-01", "NE")]
    with pytest.raises(InputError, match=r"pfs, efs_e1 would end .*never assessed.*last-contact"):
        found(options={"day_zero": "refuse"}, assessments=scans)
    assert pfs(found(assessments=scans)) == (0.5, 0, 0.5, None)


# --- Response ---


@pytest.mark.parametrize(
    ("days", "response"),
    [
        (["2020-01-20"], None),  # day 19
        (["2020-01-21"], "SD"),  # day 20
        (["2020-02-15"], "SD"),  # day 45
        (["2020-02-16"], None),
        (["2020-01-25", "2020-02-02"], "PR"),  # days 24 and 32
        (["2020-01-29", "2020-02-02"], "SD"),  # days 28 and 32: the earlier
    ],
)
def test_response_at_day_30_is_the_nearest_within_the_window(found, days, response):
    scans = [scan(day, said) for day, said in zip(days, ["SD", "PR"], strict=False)]
    row = found(assessments=scans)
    assert row.get("response_day30") == response
    assert row["responder_day30"] == int(response == "PR")


def test_no_assessment_at_day_30_is_no_response_and_flagged(found):
    row = found({"death_date": "2020-01-20"}, assessments=[scan("2020-01-10", "CR")])
    assert row["responder_day30"] == 0
    assert row["best_responder"] == 1
    said = "no assessment from day 20 to 45, died by then: counts as no response"
    assert row["remark"]["responder_day30"] == said


def test_the_window_is_an_option(found):
    scans = [scan("2020-01-11", "CR")]
    assert found(assessments=scans)["responder_day30"] == 0
    assert found(options={"response_window": (10, 45)}, assessments=scans)["responder_day30"] == 1


def test_a_response_after_a_later_therapy_is_not_of_salvage(found):
    patient = {"later_therapy_date": "2020-01-31"}
    scans = [scan("2020-01-31", "PR"), scan("2020-02-01", "CR")]
    row = found(patient, assessments=scans)
    assert (row["response_day30"], row["best_response"]) == ("PR", "PR")


# --- Safety ---


def test_worst_grade_since_salvage_began(found):
    row = found(DEAD, assessments=FREE, adverse_events=EVENTS)
    assert (row["infection_grade"], row["neutropenia_grade"], row["cardiac_grade"]) == (4, 4, 0)
    severe = row["infection_grade3"], row["neutropenia_grade3"], row["cardiac_grade2"]
    assert severe == (1, 1, 0)
    assert "grade 4, start_date 2020-01-11" in row["source"]["infection_grade"]


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([("bacterial", 3), ("viral", 2)], "bacterial"),
        ([("bacterial", 3), ("viral", 3)], "mixed"),
        ([("fungal", 2)], None),
    ],
)
def test_infection_type_is_that_of_severe_infections(found, events, kind):
    rows = [event("2020-02-01", "infection", g, infection_type=t) for t, g in events]
    assert found(adverse_events=rows).get("infection_type") == kind


@pytest.mark.parametrize(
    ("cells", "cause", "death"),
    [
        ({"death_cause": "infection"}, "infection", 1),
        ({"death_cause": "lymphoma"}, "lymphoma", 0),
        ({"death_cause": "unknown"}, "unknown", None),
    ],
)
def test_infection_death(found, cells, cause, death):
    row = found({**DEAD, **cells})
    assert (row.get("death_cause"), row.get("infection_death")) == (cause, death)


def test_igg(found):
    samples = [sample("2019-12-01", 100), sample("2020-02-01", 399), sample("2020-02-03", 399),
               sample("2020-03-01", 700)]  # fmt: skip
    row = found(labs=samples)
    assert (row["igg_nadir"], row["igg_nadir_days"], row["hypogammaglobulinaemia"]) == (399, 31, 1)
    assert found(labs=[sample("2020-02-01", 400)])["hypogammaglobulinaemia"] == 0
    assert found(labs=samples[:1])["hypogammaglobulinaemia"] is None


@pytest.mark.parametrize(
    ("samples", "patient", "poor"),
    [
        ([("2020-02-01", 0)], {}, 1),
        ([("2020-02-01", 5)], {}, 0),
        ([("2020-02-01", 5, 10)], {}, 1),  # below the limit of detection
        ([("2020-04-01", 0), ("2020-04-02", 5)], {}, 1),  # days 91 and 92
        ([("2020-04-01", 5)], {}, 0),
        ([("2020-02-01", 0)], DEAD, None),
        ([("2020-02-01", 5)], DEAD, 0),
        ([("2020-05-01", 0)], {}, None),
        ([("2020-02-01", 0)], {"salvage_type": "RT"}, None),
    ],
)
def test_poor_expansion(found, samples, patient, poor):
    labs = [sample(day, value, "CAR_copies", lod=lod[0] if lod else None)
            for day, value, *lod in samples]  # fmt: skip
    row = found({"salvage_type": "CTI2", **patient}, labs=labs)
    assert row["poor_expansion"] == poor
    is_cti2 = patient.get("salvage_type", "CTI2") == "CTI2"
    assert row["car_copies_peak"] == (max(value for _, value, *_ in samples) if is_cti2 else None)


# --- All rules ---

EVERY = (*BASELINE, *survival_rules(Options(origin="failure")), *RESPONSE, *SAFETY)


def test_every_rule_says_what_it_does_and_where_it_comes_from():
    names = [rule.name for rule in EVERY]
    assert len(set(names)) == len(names)
    for rule in EVERY:
        assert len(rule.said.split()) > 2, rule.name
        assert len(rule.source.split()) > 1, rule.name


@pytest.mark.parametrize(
    ("option", "given", "message"),
    [
        ("origin", "decison", 'Did you mean "decision"?'),
        ("efs", "2", "is none of E1, E2, E3, E4"),
        ("pfs_censor", "last-scan", 'Did you mean "last-contact"?'),
        ("unit", "month", 'Did you mean "months"?'),
        ("response_window", (31, 45), "does not hold day 30"),
        ("day_zero", "half", 'Did you mean "half-day"?'),
        ("relapse_origin", "infused", 'Did you mean "infusion"?'),
        ("unknown_related", "maybe", "is none of no, yes"),
    ],
)
def test_options_are_checked(option, given, message):
    with pytest.raises(InputError) as caught:
        Options(**{option: given})
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"--{option.replace('_', '-')} ")


@pytest.mark.parametrize(("term", "least"), SEVERE.items())
def test_an_event_counts_from_the_grade_of_the_papers_table(found, term, least):
    for grade in (least - 1, least):
        row = found(adverse_events=[event("2020-01-11", term, grade)])
        assert row[f"{term.lower()}_grade{least}"] == int(grade == least)
