"""The four clinical tables: every column, what may stand in it, and what it is needed for.

The same rows make the checks, the empty tables and the data dictionary.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

RESPONSES = ("CR", "PR", "SD", "PD")
FLAG = ("0", "1")
FLAG_OR_UNTESTED = (*FLAG, "untested")
STAGES = ("1", "2", "3", "4", "I", "II", "III", "IV")
TRANSPLANTS = ("0", "auto", "allo")
ANTIGEN = ("pos", "neg", "not_tested")
SALVAGE_TYPES = (
    "CTI2",
    "RT",
    "chemo",
    "targeted",
    "PV_based",
    "HSCT",
    "ICI",
    "bispecific",
    "other",
)
TERMS = (
    "neutropenia",
    "anaemia",
    "thrombocytopenia",
    "hepatic",
    "renal",
    "cardiac",
    "CRS",
    "neuro",
    "infection",
)
HAEMATOLOGICAL = TERMS[:3]

EVERY_ROW, INCLUDED, COLUMN = "every row", "included patients", "column, cells may be empty"


@dataclass(frozen=True)
class Column:
    """One column of a clinical table.

    Parameters
    ----------
    name : str
        As the table's first line has it.
    kind : str
        "text", "level", "number", "whole number" or "date".
    meaning : str
        What a cell says.
    levels : tuple of str
        What a level may be.
    lower, upper : float
        Range of a number, both ends allowed.
    unit : str
        Unit of a number.
    required : str
        The rows in which it may not be empty; "" where it may always be.
    used_for : str
        What is derived from it.
    """

    name: str
    kind: str
    meaning: str
    levels: tuple[str, ...] = ()
    lower: float = 0.0
    upper: float = float("inf")
    unit: str = ""
    required: str = ""
    used_for: str = ""

    @property
    def allowed(self) -> str:
        """What a cell may hold, in words."""
        if self.kind == "level":
            return ", ".join(self.levels)
        if self.kind == "date":
            return "YYYY-MM-DD, or the format stated with --date-format"
        if self.kind == "text":
            return "any text"
        if self.upper == float("inf"):
            return f"{self.lower:g} or more"
        return f"{self.lower:g} to {self.upper:g}"


def _id(meaning: str) -> Column:
    return Column("patient_id", "text", meaning, required=EVERY_ROW, used_for="everything")


def _level(name: str, levels: tuple[str, ...], meaning: str, used_for: str = "") -> Column:
    return Column(name, "level", meaning, levels, used_for=used_for or name)


def _number(name: str, unit: str, meaning: str, used_for: str, upper: float = 1e9) -> Column:
    return Column(name, "number", meaning, upper=upper, unit=unit, used_for=used_for)


def _date(name: str, meaning: str, used_for: str = "order of dates") -> Column:
    return Column(name, "date", meaning, used_for=used_for)


PATIENTS = (
    _id("the patient; one row each"),
    Column("site", "text", "hospital", used_for="site"),
    _level("sex", ("M", "F"), "sex"),
    Column(
        "birth_year", "whole number", "year of birth, where the age is not known",
        lower=1900, upper=2100, unit="year", used_for="age",
    ),
    _number("age_at_salvage", "years", "age at the start of salvage", "age", 120),
    _level("diagnosis", ("DLBCL", "MCL", "MZL", "FL", "other"), "lymphoma"),
    _level("ann_arbor_onset", STAGES, "Ann Arbor stage at onset", "stage, stage_iii"),
    _level("ann_arbor_salvage", STAGES, "Ann Arbor stage at salvage", "stage_salvage"),
    Column(
        "ipi_onset", "whole number", "International Prognostic Index at onset", upper=5,
        unit="points", used_for="ipi, ipi_3",
    ),
    _number("bulk_cm_onset", "cm", "largest mass at onset", "bulky", 60),
    _number("bulk_cm_salvage", "cm", "largest mass at salvage", "bulky_salvage", 60),
    _level("tp53_disrupted", FLAG_OR_UNTESTED, "TP53 mutated or deleted", "tp53"),
    _level("double_hit", FLAG_OR_UNTESTED, "MYC with BCL2 or BCL6 rearranged"),
    _level("bm_onset", FLAG, "bone marrow involved at onset"),
    _level("cns_onset", FLAG, "central nervous system involved at onset"),
    Column(
        "ecog_salvage", "whole number", "ECOG performance status at salvage", upper=5,
        unit="points", used_for="ecog_salvage",
    ),
    _number("ldh_ratio_salvage", "times upper limit", "LDH at salvage", "ldh_ratio_salvage"),
    _number("crp", "mg/L", "C-reactive protein at salvage", "crp"),
    _number("ferritin", "ng/mL", "ferritin at salvage", "ferritin"),
    Column(
        "lines_pre_cti1", "whole number", "lines of therapy before the first infusion",
        upper=30, unit="lines", used_for="lines_pre_cti1",
    ),
    _level("hsct_pre_cti1", TRANSPLANTS, "transplant before the first infusion"),
    _level("hsct_bridge_cti1", TRANSPLANTS, "transplant bridged with the first infusion"),
    _date("cti1_infusion_date", "first CAR-T infusion", "failure_class, relapse time"),
    _number("cti1_dose", "10^6 cells/kg", "dose of the first infusion", "cti1_dose"),
    _level("cti1_best_response", RESPONSES, "best response to the first infusion",
           "cti1_response, failure_class"),
    _date("cti1_response_date", "assessment that showed CR or PR", "early_relapse"),
    _date("failure_date", "relapse, progression, or declared refractory",
          "early_relapse, relapse time, --origin failure"),
    _level("antigen_cd19_failure", ANTIGEN, "CD19 at failure"),
    _level("antigen_cd22_failure", ANTIGEN, "CD22 at failure"),
    Column(
        "salvage_type", "level", "salvage therapy", SALVAGE_TYPES, required=INCLUDED,
        used_for="cti2, salvage_type",
    ),
    Column("salvage_group6", "text", "your own grouping of salvage", used_for="salvage_group6"),
    _date("salvage_decision_date", "salvage decided", "--origin decision"),
    _date("apheresis2_date", "cells collected for the second infusion", "--origin apheresis"),
    _date("lymphodepletion2_date", "conditioning for the second infusion began",
          "--origin conditioning"),
    Column(
        "salvage_start_date", "date", "salvage began; for CTI2 the infusion",
        required=INCLUDED, used_for="every time",
    ),
    Column("cti2_product", "text", "product of the second infusion", used_for="cti2_product"),
    _number("cti2_dose", "10^6 cells/kg", "dose of the second infusion", "cti2_dose"),
    Column("later_therapy_type", "text", "next therapy after salvage"),
    _date("later_therapy_date", "next therapy after salvage began", "best response"),
    Column("death_date", "date", "death; empty if alive", required=COLUMN,
           used_for="OS, PFS, EFS"),
    _level("death_cause", ("lymphoma", "infection", "treatment_other", "other", "unknown"),
           "cause of death", "death_cause, infection_death"),
    Column("last_contact_date", "date", "last day known to be alive; needed unless dead",
           required=COLUMN, used_for="OS"),
    _date("data_cutoff_date", "no date may be later", "check of dates"),
    _level("included", FLAG, "in the analysis; empty: yes", "patient flow"),
    Column("exclusion_reason", "text", "why not in the analysis", used_for="patient flow"),
)  # fmt: skip

ASSESSMENTS = (
    _id("whose assessment"),
    Column(
        "phase", "level", "after which therapy", ("CTI1", "salvage"), required=EVERY_ROW,
        used_for="PFS, EFS, responses",
    ),
    Column("date", "date", "day of the scan", required=EVERY_ROW, used_for="PFS, EFS, responses"),
    Column("modality", "level", "kind of scan", ("CT", "PETCT")),
    Column(
        "response", "level", "response; NE where it could not be evaluated", (*RESPONSES, "NE"),
        required=EVERY_ROW, used_for="PFS, EFS, responses",
    ),
)  # fmt: skip

ADVERSE_EVENTS = (
    _id("whose adverse event"),
    Column("term", "level", "kind of event", TERMS, required=EVERY_ROW, used_for="grades, EFS"),
    Column(
        "grade", "whole number", "CTCAE grade; 0: looked for, not there", upper=5,
        required=EVERY_ROW, used_for="grades, EFS",
    ),
    Column("start_date", "date", "first day", required=EVERY_ROW, used_for="grades, EFS"),
    _date("end_date", "last day"),
    _level("infection_type", ("bacterial", "viral", "fungal", "mixed"), "pathogen"),
    _level("related", (*FLAG, "unk"), "related to the treatment", "EFS"),
    _level("fatal", FLAG, "ended in death", "check of deaths"),
)  # fmt: skip

LABS = (
    _id("whose sample"),
    Column("date", "date", "day of the sample", required=EVERY_ROW, used_for="IgG, CAR copies"),
    Column(
        "analyte", "level", "what was measured", ("IgG_mg_dL", "CAR_copies"),
        required=EVERY_ROW, used_for="IgG, CAR copies",
    ),
    Column(
        "value", "number", "result; 0 where not detected", required=EVERY_ROW,
        unit="mg/dL; copies/ug DNA", used_for="IgG, CAR copies",
    ),
    Column("lod", "number", "limit of detection", unit="as value", used_for="poor_expansion"),
)  # fmt: skip

TABLES: Mapping[str, tuple[Column, ...]] = MappingProxyType(
    {
        "patients": PATIENTS,
        "assessments": ASSESSMENTS,
        "adverse_events": ADVERSE_EVENTS,
        "labs": LABS,
    }
)


def template() -> dict[str, pd.DataFrame]:
    """Each table without rows."""
    return {name: pd.DataFrame(columns=[c.name for c in TABLES[name]]) for name in TABLES}


def dictionary() -> pd.DataFrame:
    """The data dictionary: a row for each column of each table."""
    return pd.DataFrame(
        {
            "table": table,
            "column": column.name,
            "type": column.kind,
            "allowed": column.allowed,
            "unit": column.unit,
            "required": column.required,
            "needed_for": column.used_for,
            "meaning": column.meaning,
        }
        for table, columns in TABLES.items()
        for column in columns
    )
