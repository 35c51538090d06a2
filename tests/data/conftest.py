"""Clinical tables of one patient, or of several, from as little as a test needs to say."""

import pandas as pd
import pytest

from bayesurv.data.clinical.schema import TABLES

DEFAULTS = {
    "patients": {
        "salvage_type": "chemo",
        "salvage_start_date": "2020-01-01",
        "last_contact_date": "2021-01-01",
        "death_date": None,
    },
    "assessments": {"phase": "salvage"},
    "adverse_events": {"related": "1"},
    "labs": {"analyte": "IgG_mg_dL"},
}


def clinical_tables(patients=({},), **records):
    """Frames of the tables; patients are called P1, P2, ..., and a record is of P1 unless stated.

    A death without a last contact has none.
    """
    frames = {}
    for name, rows in {"patients": patients, **records}.items():
        filled = []
        for number, row in enumerate(rows, start=1):
            who = {"patient_id": f"P{number}" if name == "patients" else "P1"}
            dead = {"last_contact_date": None} if row.get("death_date") else {}
            filled.append({**who, **DEFAULTS[name], **dead, **row})
        columns = dict.fromkeys(key for row in filled for key in row)
        assert set(columns) <= {column.name for column in TABLES[name]}
        frames[name] = pd.DataFrame(filled, columns=list(columns), dtype=object)
    return frames


@pytest.fixture(scope="session")
def clinical():
    return clinical_tables
