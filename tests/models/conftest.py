"""Reference cases made by R (tests/reference/README.md), as bayesurv reads their data."""

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import settings

from bayesurv.data.cohort import Cohort
from bayesurv.models.baselines import (
    Exponential,
    Gompertz,
    MSpline,
    PiecewiseExponential,
    Weibull,
)

# The same examples every time, however busy the machine is.
settings.register_profile("bayesurv", deadline=None, derandomize=True)
settings.load_profile("bayesurv")

REFERENCE = Path(__file__).parents[1] / "reference"


def baseline_of(case):
    """The baseline of a case; its constants stand among the parameters or beside them."""
    numbers = case | case.get("parameters", {})
    match case["baseline"]:
        case "exponential":
            return Exponential()
        case "weibull":
            return Weibull()
        case "gompertz":
            return Gompertz(scale=float(numbers["scale"]))
        case "piecewise-exponential":
            return PiecewiseExponential(cuts=numbers["cuts"], smoothing="independent")
        case "mspline":
            return MSpline(inner=numbers["knots"], boundary=numbers["boundary"])


def cohort_of(case, **options):
    """The case's data, its times in the columns the case names."""
    columns = {role: case[role] for role in ("entry", "upper") if role in case}
    path = REFERENCE / "data" / f"{case['data']}.csv"
    return Cohort.from_file(path, time="time", event="event", unit="months", **columns, **options)


class Reference:
    """Cases of one JSON file beside the numbers that R found for them."""

    def __init__(self, cases, numbers):
        self.cases = json.loads((REFERENCE / cases).read_text())
        self.numbers = pd.read_csv(REFERENCE / numbers, float_precision="round_trip")

    def __getitem__(self, name):
        case = self.cases[name]
        rows = self.numbers[self.numbers["case"] == name]
        return case, cohort_of(case), baseline_of(case), rows


@pytest.fixture(scope="session")
def fixed():
    """Log-likelihood of rows at fixed parameters."""
    return Reference("log_likelihood_parameters.json", "log_likelihood.csv")


@pytest.fixture(scope="session")
def maximal():
    """Estimates under flat priors."""
    return Reference("maximum_likelihood_models.json", "maximum_likelihood.csv")
