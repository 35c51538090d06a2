"""Rules of what was known before salvage: disease, first infusion, and the salvage chosen."""

from datetime import date

from bayesurv.data.clinical.checks import RESPONDED
from bayesurv.data.clinical.patient import Patient
from bayesurv.data.clinical.rule import Found, Options, Rule, rule
from bayesurv.data.clinical.schema import PATIENTS
from bayesurv.data.follow_up import DAYS

TABLE_1 = "Paper, Table 1"
DEFINITIONS = "Paper, Methods, definitions of disease and failure"
SUBGROUPS = "Paper, Results, six kinds of salvage without CTI2"

BULKY_CM = 7.5
EARLY_MONTHS = 3
ROMAN = {"1": "I", "2": "II", "3": "III", "4": "IV"}
COPIED = (
    "site", "sex", "diagnosis", "double_hit", "bm_onset", "cns_onset", "ecog_salvage",
    "ldh_ratio_salvage", "crp", "ferritin", "lines_pre_cti1", "hsct_pre_cti1", "hsct_bridge_cti1",
    "cti1_dose", "antigen_cd19_failure", "antigen_cd22_failure", "salvage_group6", "cti2_product",
    "cti2_dose",
)  # fmt: skip


def _cell(patient: Patient, column: str) -> Found:
    """A cell as it stands; not tested is missing, 0 and 1 are numbers."""
    value = patient[column]
    if value in ("untested", "not_tested"):
        return Found(None, (patient.cite(column),), "not tested: missing")
    return Found({"0": 0, "1": 1}.get(value, value), (patient.cite(column),))


def _copied(column: str, name: str = "") -> Rule:
    said = next(c.meaning for c in PATIENTS if c.name == column)
    return Rule(
        name or column,
        f"As given: {said}.",
        f"Column {column}",
        lambda patient, options: _cell(patient, column),
        needs=(f"patients.{column}",),
    )


def _at_least(patient: Patient, column: str, threshold: float) -> Found:
    value = patient[column]
    return Found(None if value is None else int(value >= threshold), (patient.cite(column),))


def _stage(patient: Patient, column: str) -> Found:
    return Found(ROMAN.get(patient[column], patient[column]), (patient.cite(column),))


@rule(TABLE_1, needs=("patients.salvage_type",))
def cti2(patient: Patient, options: Options) -> Found:
    """1 where salvage was a second CAR-T infusion, 0 where it was anything else."""
    return Found(int(patient["salvage_type"] == "CTI2"), (patient.cite("salvage_type"),))


@rule(SUBGROUPS, needs=("patients.salvage_type",))
def salvage_type(patient: Patient, options: Options) -> Found:
    """As given: kind of salvage therapy."""
    return _cell(patient, "salvage_type")


@rule(TABLE_1)
def age(patient: Patient, options: Options) -> Found:
    """Age at salvage; else the calendar year in which it began less the year of birth."""
    if patient["age_at_salvage"] is not None or patient["birth_year"] is None:
        return Found(patient["age_at_salvage"], (patient.cite("age_at_salvage"),))
    years = patient.start.year - patient["birth_year"]
    return Found(years, (patient.cite("birth_year", "salvage_start_date"),), "from year of birth")


@rule(TABLE_1, needs=("patients.ann_arbor_onset",))
def stage(patient: Patient, options: Options) -> Found:
    """Ann Arbor stage at onset, I to IV, in order."""
    return _stage(patient, "ann_arbor_onset")


@rule(TABLE_1, needs=("patients.ann_arbor_onset",))
def stage_iii(patient: Patient, options: Options) -> Found:
    """1 where the Ann Arbor stage at onset was III or IV."""
    found = stage.find(patient, options)
    late = None if found.value is None else int(found.value in ("III", "IV"))
    return Found(late, found.sources)


@rule("Not in the paper, which has the stage at onset", needs=("patients.ann_arbor_salvage",))
def stage_salvage(patient: Patient, options: Options) -> Found:
    """Ann Arbor stage at salvage, I to IV, in order."""
    return _stage(patient, "ann_arbor_salvage")


@rule(TABLE_1, needs=("patients.ipi_onset",))
def ipi_3(patient: Patient, options: Options) -> Found:
    """1 where the International Prognostic Index at onset was 3 or more."""
    return _at_least(patient, "ipi_onset", 3)


@rule(DEFINITIONS, needs=("patients.bulk_cm_onset",))
def bulky(patient: Patient, options: Options) -> Found:
    """1 where the largest mass at onset was 7.5 cm or more."""
    return _at_least(patient, "bulk_cm_onset", BULKY_CM)


@rule("Not in the paper, which has the mass at onset", needs=("patients.bulk_cm_salvage",))
def bulky_salvage(patient: Patient, options: Options) -> Found:
    """1 where the largest mass at salvage was 7.5 cm or more."""
    return _at_least(patient, "bulk_cm_salvage", BULKY_CM)


# --- The first infusion and its failure ---

RESPONSE_TO_CTI1 = ("patients.cti1_best_response",)


@rule(TABLE_1, needs=RESPONSE_TO_CTI1)
def cti1_response(patient: Patient, options: Options) -> Found:
    """Best response to the first infusion: CR, PR, or NR for SD and PD."""
    best = patient["cti1_best_response"]
    grouped = best if best in (*RESPONDED, None) else "NR"
    return Found(grouped, (patient.cite("cti1_best_response"),))


@rule(DEFINITIONS, needs=RESPONSE_TO_CTI1)
def failure_class(patient: Patient, options: Options) -> Found:
    """Relapsed after CR or PR to the first infusion; refractory without.

    The paper declares refractory disease later than 3 months after the infusion. A failure before
    that has no class there: it counts as refractory, with a remark. That no therapy was given
    between response and relapse cannot be seen in the tables.
    """
    response = cti1_response.find(patient, options)
    if response.value is None:
        return response
    if response.value in RESPONDED:
        return Found("relapsed", response.sources)
    infusion, failure = patient["cti1_infusion_date"], patient["failure_date"]
    if not _early(infusion, failure):
        return Found("refractory", response.sources)
    sources = (*response.sources, patient.cite("cti1_infusion_date", "failure_date"))
    remark = "failed within 3 months of the infusion, for which the paper has no class"
    return Found("refractory", sources, remark)


def _early(first: date | None, second: date | None) -> bool | None:
    if first is None or second is None:
        return None
    return (second - first).days < EARLY_MONTHS * DAYS["months"]


def _responded_on(patient: Patient) -> tuple[date | None, str]:
    """The day of the first CR or PR to the first infusion, and where it stands."""
    if patient["cti1_response_date"] is not None:
        return patient["cti1_response_date"], patient.cite("cti1_response_date")
    for scan in patient.assessments:
        if scan["phase"] == "CTI1" and scan["response"] in RESPONDED:
            return scan["date"], scan.cite("response", "date")
    return None, patient.cite("cti1_response_date")


RELAPSE = (*RESPONSE_TO_CTI1, "patients.failure_date")


@rule(DEFINITIONS, needs=RELAPSE)
def early_relapse(patient: Patient, options: Options) -> Found:
    """1 where relapse came less than 3 months after the assessment that showed CR or PR.

    Missing for refractory disease.
    """
    responded, source = _responded_on(patient)
    sources = (source, patient.cite("failure_date"))
    if failure_class.find(patient, options).value != "relapsed":
        return Found(None, (patient.cite("cti1_best_response"),), "not relapsed: missing")
    early = _early(responded, patient["failure_date"])
    return Found(None if early is None else int(early), sources)


@rule(
    "Paper, Results, baseline, which does not say from which day",
    options=("relapse_origin",),
    needs=RELAPSE,
    name="relapse_{unit}",
)
def relapse_time(patient: Patient, options: Options) -> Found:
    """Time to relapse from the assessment that showed CR or PR, or from the first infusion.

    Missing for refractory disease.
    """
    if failure_class.find(patient, options).value != "relapsed":
        return Found(None, (patient.cite("cti1_best_response"),), "not relapsed: missing")
    since, source = _responded_on(patient)
    if options.relapse_origin == "infusion":
        since, source = patient["cti1_infusion_date"], patient.cite("cti1_infusion_date")
    sources = (source, patient.cite("failure_date"))
    if since is None or patient["failure_date"] is None:
        return Found(None, sources)
    return Found(options.time((patient["failure_date"] - since).days), sources)


BASELINE = (
    cti2,
    salvage_type,
    age,
    *map(_copied, COPIED[:3]),
    stage,
    stage_iii,
    stage_salvage,
    _copied("ipi_onset", "ipi"),
    ipi_3,
    bulky,
    bulky_salvage,
    _copied("tp53_disrupted", "tp53"),
    *map(_copied, COPIED[3:]),
    cti1_response,
    failure_class,
    early_relapse,
    relapse_time,
)
