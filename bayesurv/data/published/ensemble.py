"""The synthetic cohorts that come with the package, drawn from what the founding paper prints."""

from importlib.resources import files
from io import BytesIO

import pandas as pd

SUMMARY = "cti2"
FILE = f"{SUMMARY}_ensemble.parquet"
MEMBERS, SEED = 200, 2025
REBUILT_BY = f"bayesurv reconstruct {SUMMARY} --members {MEMBERS} --seed {SEED} --out FILE"


def shipped_ensemble() -> pd.DataFrame:
    """Cohorts that each have every count, range and median that the founding paper prints.

    One row for each member and patient, all of them synthetic; made by `REBUILT_BY`.
    """
    return pd.read_parquet(BytesIO((files(__package__) / FILE).read_bytes()))
