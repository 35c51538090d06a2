"""The groups of patients whose curves scripts/reference/survival.R made."""

from pathlib import Path

import pandas as pd
import pytest

DATA = Path(__file__).parents[1] / "reference" / "data"
SPLIT_BY = {
    "veteran": "trt",
    "lung": "female",
    "ovarian": "rx2",
    "channing": "male",
    "bmt": "group",
}


@pytest.fixture(scope="session")
def follow_up():
    """Columns time, event and entry of a group, such as veteran_0, kidney, ovarian_censored."""

    def of(case):
        name, _, part = case.partition("_")
        table = pd.read_csv(DATA / f"{name}.csv", keep_default_na=False)
        if name == "bmt":
            table["event"] = (table["cause"] != "").astype(int)
        if part == "censored":
            table["event"] = 0
        elif part:
            table = table[table[SPLIT_BY[name]] == int(part)]
        table["entry"] = table.get("entry", 0.0)
        return table[["time", "event", "entry"]]

    return of
