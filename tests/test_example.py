"""The shipped example: its cohort is the public one, its plan can be read."""

from pathlib import Path

import pandas as pd
from lifelines.datasets import load_lymphoma

from bayesurv.plan import read_plan

SCRIPTS = Path(__file__).parents[1] / "scripts"


def test_the_cohort_is_that_of_lifelines():
    ours = pd.read_csv(SCRIPTS / "lymphoma.csv")
    theirs = load_lymphoma()
    assert ours["days"].tolist() == theirs["Time"].tolist()
    assert ours["died"].tolist() == theirs["Censor"].tolist()
    assert ours["stage"].tolist() == theirs["Stage_group"].map({1: "III", 2: "IV"}).tolist()


def test_the_plan_makes_one_cohort():
    [cohort] = read_plan(SCRIPTS / "lymphoma.toml").cohorts().values()
    assert (cohort.n_patients, cohort.n_events, cohort.unit) == (80, 54, "days")
