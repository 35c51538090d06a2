"""Rules of the endpoints: overall, progression-free and event-free survival, nested by design.

The origin moves the clock only. What counts as an event begins with salvage, whatever the origin.
"""

from collections.abc import Callable

from bayesurv.data.clinical.patient import Patient, Record
from bayesurv.data.clinical.rule import Found, Options, Outcome, Rule, rule
from bayesurv.data.clinical.schema import HAEMATOLOGICAL

ENDPOINTS = "Paper, Methods, definitions of OS, EFS and PFS"
CLOCK = ("origin", "day_zero")
NEVER_ASSESSED = "never assessed after salvage began"
SCANS = ("assessments.response",)
SEVERE: dict[str, tuple[str, Callable[[Record], bool]]] = {
    "E1": ("none", lambda event: False),
    "E2": (
        "related to treatment, not haematological, of grade 3 or more",
        lambda event: event["grade"] >= 3 and event["term"] not in HAEMATOLOGICAL,
    ),
    "E3": ("related to treatment, of grade 4 or more", lambda event: event["grade"] >= 4),
    "E4": ("related to treatment, of grade 5", lambda event: event["grade"] == 5),
}


@rule(ENDPOINTS, options=CLOCK, name="os")
def overall_survival(patient: Patient, options: Options) -> Found:
    """Death from any cause; without it, censored at the last contact."""
    column = "last_contact_date" if patient["death_date"] is None else "death_date"
    outcome = Outcome(patient[column], event=column == "death_date")
    return Found(outcome, (patient.cite(column),))


@rule(ENDPOINTS, options=(*CLOCK, "pfs_censor"), needs=SCANS, name="pfs")
def progression_free_survival(patient: Patient, options: Options) -> Found:
    """First PD on an assessment after salvage began, or death, whichever came first.

    Without either, censored at the last assessment that could be evaluated (the paper: at the last
    contact). PD lies between the last assessment without it, or the start of salvage, and the one
    that showed it; death without PD is exact.
    """
    progression = next((scan for scan in patient.scans if scan["response"] == "PD"), None)
    if progression is not None:
        free = [scan for scan in patient.scans if scan["date"] < progression["date"]]
        after = free[-1]["date"] if free else patient.start
        source = free[-1].cite("response", "date") if free else patient.cite("salvage_start_date")
        outcome = Outcome(progression["date"], True, after)
        return Found(outcome, (progression.cite("response", "date"), source))
    if patient["death_date"] is not None:
        return overall_survival.find(patient, options)
    if options.pfs_censor == "last-contact":
        return overall_survival.find(patient, options)
    if patient.scans:
        last = patient.scans[-1]
        return Found(Outcome(last["date"], False), (last.cite("response", "date"),))
    source = patient.cite("salvage_start_date")
    return Found(Outcome(patient.start, False), (source,), NEVER_ASSESSED)


def _severe(patient: Patient, options: Options, variant: str) -> Record | None:
    """The first severe adverse event related to treatment."""
    related = ("1",) if options.unknown_related == "no" else ("1", "unk", None)
    counts = SEVERE[variant][1]
    events = (event for event in patient.toxicities if event["related"] in related)
    return next((event for event in events if counts(event)), None)


def _event_free(patient: Patient, options: Options, variant: str) -> Found:
    found = progression_free_survival.find(patient, options)
    end = found.value
    severe = _severe(patient, options, variant)
    if severe is None:
        return Found(Outcome(end.day, end.event), found.sources, found.remark)
    source = severe.cite("term", "grade", "start_date")
    if severe["start_date"] > end.day:
        remark = "" if end.event else "severe adverse event after PFS was censored: not counted"
        return Found(Outcome(end.day, end.event), (*found.sources, source), remark)
    return Found(Outcome(severe["start_date"], True), (source, *found.sources))


def _event_free_survival(variant: str) -> Rule:
    return Rule(
        f"efs_{variant.lower()}",
        f"EFS {variant}: the first of PD, death and a severe adverse event. Severe is: "
        f"{SEVERE[variant][0]}. Followed for as long as PFS, so never longer.",
        f"{ENDPOINTS}, which do not say what is severe",
        lambda patient, options: _event_free(patient, options, variant),
        options=(*CLOCK, "pfs_censor", *(() if variant == "E1" else ("unknown_related",))),
        needs=SCANS if variant == "E1" else (*SCANS, "adverse_events.related"),
    )


def _chosen_event_free_survival(options: Options) -> Rule:
    """The variant of EFS that is called efs."""
    variant = _event_free_survival(options.efs)
    return Rule(
        "efs", variant.said, variant.source, variant.find, ("efs", *variant.options), variant.needs
    )


def _entry_rule(options: Options) -> tuple[Rule, ...]:
    """Time at which a patient enters, where times count from a day before salvage began."""
    if options.origin == "salvage-start":
        return ()
    return (
        Rule(
            "entry_{unit}",
            "From the origin to the start of salvage. Nobody who did not live to start salvage is "
            "in the analysis, so nobody is at risk before: fit with --entry.",
            "Not in the paper, which counts from the start of salvage",
            _entry,
            ("origin",),
        ),
    )


def _entry(patient: Patient, options: Options) -> Found:
    column, day = options.origin_of(patient)
    if day is None:
        return Found(None, (patient.cite(column),))
    sources = (patient.cite("salvage_start_date"), patient.cite(column))
    return Found(options.time((patient.start - day).days), sources)


def survival_rules(options: Options) -> tuple[Rule, ...]:
    """The endpoints, EFS in the chosen variant and in all four."""
    return (
        *_entry_rule(options),
        overall_survival,
        progression_free_survival,
        _chosen_event_free_survival(options),
        *map(_event_free_survival, SEVERE),
    )
