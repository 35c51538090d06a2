"""Rules of safety: worst grades, infections, deaths from them, IgG, and CAR copies."""

from bayesurv.data.clinical.patient import Patient
from bayesurv.data.clinical.rule import Found, Options, Rule, rule
from bayesurv.data.clinical.schema import TERMS
from bayesurv.data.follow_up import DAYS

TABLE_2 = "Paper, Table 2"
INFECTIONS = "Paper, Results, adverse effects: infections and deaths from them"
IGG = "Paper, Results, adverse effects: IgG below 400 mg/dL"
COPIES = "Paper, Methods, expansion of CAR T-cells"

LOW_IGG = 400.0
EXPANSION_DAYS = 3 * DAYS["months"]
EVENTS = ("adverse_events.grade",)
# The grades from which the paper counts an event of each kind.
SEVERE = {
    "neutropenia": 3,
    "anaemia": 3,
    "thrombocytopenia": 3,
    "hepatic": 2,
    "renal": 2,
    "cardiac": 2,
    "CRS": 3,
    "neuro": 2,
    "infection": 3,
}
SAMPLES = ("labs.value",)


def _worst_grade(term: str) -> Rule:
    def find(patient: Patient, options: Options) -> Found:
        events = [event for event in patient.toxicities if event["term"] == term]
        if not events:
            return Found(0, (), "no such event: grade 0")
        worst = max(events, key=lambda event: event["grade"])
        return Found(worst["grade"], (worst.cite("term", "grade", "start_date"),))

    said = f"Worst grade, events called {term}, of those that began with salvage or later; 0: none."
    return Rule(f"{term.lower()}_grade", said, TABLE_2, find, needs=EVENTS)


def _severe(term: str) -> Rule:
    least, worst = SEVERE[term], _worst_grade(term)

    def find(patient: Patient, options: Options) -> Found:
        found = worst.find(patient, options)
        return Found(int(found.value >= least), found.sources, found.remark)

    said = f"1 where the worst grade of {term} was {least} or more."
    return Rule(f"{worst.name}{least}", said, TABLE_2, find, needs=EVENTS)


@rule(TABLE_2, needs=(*EVENTS, "adverse_events.infection_type"))
def infection_type(patient: Patient, options: Options) -> Found:
    """Pathogen of the infections of grade 3 or more; mixed where there were several."""
    severe = [
        event
        for event in patient.toxicities
        if event["term"] == "infection" and event["grade"] >= 3 and event["infection_type"]
    ]
    kinds = {event["infection_type"] for event in severe}
    sources = tuple(event.cite("grade", "infection_type") for event in severe)
    if len(kinds) > 1:
        return Found("mixed", sources, "several pathogens")
    return Found(next(iter(kinds), None), sources)


@rule(INFECTIONS, needs=("patients.death_cause",))
def death_cause(patient: Patient, options: Options) -> Found:
    """Cause of death, unknown where none is given; missing for the living."""
    dead = patient["death_date"] is not None
    cause = (patient["death_cause"] or "unknown") if dead else None
    return Found(cause, (patient.cite("death_date", "death_cause"),))


@rule(INFECTIONS, needs=("patients.death_cause",))
def infection_death(patient: Patient, options: Options) -> Found:
    """1 where the cause of death was infection; 0 for the living; missing where it is unknown.

    The paper gives the share of deaths; the share of patients has these in its denominator too.
    """
    found = death_cause.find(patient, options)
    known = found.value != "unknown"
    return Found(int(found.value == "infection") if known else None, found.sources)


@rule(IGG, needs=SAMPLES)
def igg_nadir(patient: Patient, options: Options) -> Found:
    """Lowest IgG from the start of salvage on, mg/dL; missing where none was measured."""
    samples = patient.samples("IgG_mg_dL")
    if not samples:
        return Found(None, (), "not measured")
    lowest = min(samples, key=lambda sample: sample["value"])
    return Found(lowest["value"], (lowest.cite("value", "date"),))


@rule(IGG, needs=SAMPLES, name="igg_nadir_{unit}")
def igg_nadir_time(patient: Patient, options: Options) -> Found:
    """Time from the start of salvage to the lowest IgG, to the first of equal ones."""
    samples = patient.samples("IgG_mg_dL")
    if not samples:
        return Found(None, (), "not measured")
    lowest = min(samples, key=lambda sample: sample["value"])
    days = (lowest["date"] - patient.start).days
    return Found(options.time(days), (lowest.cite("value", "date"),))


@rule(IGG, needs=SAMPLES)
def hypogammaglobulinaemia(patient: Patient, options: Options) -> Found:
    """1 where the lowest IgG was below 400 mg/dL; missing where none was measured."""
    nadir = igg_nadir.find(patient, options)
    low = None if nadir.value is None else int(nadir.value < LOW_IGG)
    return Found(low, nadir.sources, nadir.remark)


@rule(COPIES, needs=SAMPLES)
def car_copies_peak(patient: Patient, options: Options) -> Found:
    """Highest number of CAR copies after the second infusion; missing for other salvage."""
    samples = patient.samples("CAR_copies") if patient["salvage_type"] == "CTI2" else ()
    peak = max(samples, key=lambda sample: sample["value"], default=None)
    if peak is None:
        return Found(None, (), "not measured")
    return Found(peak["value"], (peak.cite("value", "date"),))


@rule(COPIES, needs=SAMPLES)
def poor_expansion(patient: Patient, options: Options) -> Found:
    """1 where no CAR copy was detected within 3 months of the second infusion.

    Missing for other salvage, where none was measured, and for deaths before 3 months without a
    copy.
    """
    if patient["salvage_type"] != "CTI2":
        return Found(None, (patient.cite("salvage_type"),), "not CTI2: missing")
    samples = [
        sample
        for sample in patient.samples("CAR_copies")
        if (sample["date"] - patient.start).days <= EXPANSION_DAYS
    ]
    sources = tuple(sample.cite("value", "date") for sample in samples)
    if any(sample["value"] > 0 and sample["value"] >= (sample["lod"] or 0) for sample in samples):
        return Found(0, sources)
    if not samples:
        return Found(None, (), "not measured")
    died = patient["death_date"]
    if died is not None and (died - patient.start).days < EXPANSION_DAYS:
        remark = "died within 3 months without a copy: missing"
        return Found(None, (*sources, patient.cite("death_date")), remark)
    return Found(1, sources)


SAFETY = (
    *map(_worst_grade, TERMS),
    *map(_severe, TERMS),
    infection_type,
    death_cause,
    infection_death,
    igg_nadir,
    igg_nadir_time,
    hypogammaglobulinaemia,
    car_copies_peak,
    poor_expansion,
)
