"""The cohort of the tutorial: clinical tables of 64 patients who never lived.

Treatment is drawn by lot, so that nothing confounds it; it lowers the hazards of progression and
of death to 0.6 of what they are without it, and a bulky mass raises them by half.

    python new_cohort.py clinical-tables        # the folder of `bayesurv template`
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 11
SIZE = 64
HAZARD_RATIO = 0.6
BULKY_HAZARD_RATIO = 1.5
MEDIAN_DAYS = 420  # of death, untreated and not bulky
SCANS = [30, *range(90, 1260, 90)]  # days after salvage on which everybody is scanned
CUTOFF = pd.Timestamp("2025-06-30")
DAY = pd.Timedelta(1, "D")


def patients(random: np.random.Generator) -> pd.DataFrame:
    """One row per patient, with the days to progression and to death still in it."""
    treated = random.permutation(np.arange(SIZE) % 2)
    bulk = random.gamma(6, 1.2, SIZE).round(1)
    start = pd.Timestamp("2021-06-01") + DAY * random.integers(0, 1100, SIZE)
    relative = HAZARD_RATIO**treated * BULKY_HAZARD_RATIO ** (bulk >= 7.5)
    scale = MEDIAN_DAYS / np.log(2)
    death = scale * random.exponential(1 / relative)
    progression = np.minimum(death, 0.9 * scale * random.exponential(1 / relative))
    return pd.DataFrame(
        {
            "patient_id": [f"X{i + 1:02d}" for i in range(SIZE)],
            "site": random.choice(["North", "South"], SIZE),
            "sex": random.choice(["F", "M"], SIZE),
            "age_at_salvage": random.normal(58, 11, SIZE).clip(20, 84).round(),
            "ann_arbor_onset": random.choice(["II", "III", "IV"], SIZE, p=[0.3, 0.3, 0.4]),
            "bulk_cm_onset": bulk,
            "salvage_type": np.where(treated, "CTI2", random.choice(["chemo", "targeted"], SIZE)),
            "salvage_start_date": start,
            "progression": np.ceil(progression),
            "death": np.ceil(death),
        }
    )


def with_ends(table: pd.DataFrame) -> pd.DataFrame:
    """Each patient's death, or the last contact where they lived on at the cutoff."""
    died = table["salvage_start_date"] + DAY * table["death"]
    lived = died > CUTOFF
    return table.assign(death_date=died.mask(lived), last_contact_date=died.where(~lived, CUTOFF))


def assessments(table: pd.DataFrame) -> pd.DataFrame:
    """Scans until the one that shows progression, or until the end."""
    rows = []
    for one in table.itertuples():
        for day in SCANS:
            date = one.salvage_start_date + DAY * day
            if date >= one.last_contact_date:
                break
            response = "PD" if day >= one.progression else "PR" if day == SCANS[0] else "CR"
            rows.append((one.patient_id, "salvage", date, "PETCT", response))
            if response == "PD":
                break
    return pd.DataFrame(rows, columns=["patient_id", "phase", "date", "modality", "response"])


def adverse_events(table: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Infections in the first two months: who had one of grade 3, and who was only looked at."""
    frame = pd.DataFrame(
        {
            "patient_id": table["patient_id"],
            "term": "infection",
            "grade": random.choice([0, 2, 3], len(table), p=[0.6, 0.25, 0.15]),
            "start_date": table["salvage_start_date"] + DAY * random.integers(3, 60, len(table)),
            "related": "1",
        }
    )
    followed = frame["start_date"] <= table["death_date"].fillna(table["last_contact_date"])
    return frame[followed]


def write(folder: Path) -> None:
    """Write patients.csv, assessments.csv and adverse_events.csv over the empty ones."""
    random = np.random.default_rng(SEED)
    table = with_ends(patients(random))
    tables = {
        "patients": table.drop(columns=["progression", "death"]),
        "assessments": assessments(table),
        "adverse_events": adverse_events(table, random),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, each in tables.items():
        each.to_csv(folder / f"{name}.csv", index=False, date_format="%Y-%m-%d")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
