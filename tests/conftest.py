"""A synthetic cohort like the paper's, fits of it, and the command line in this process."""

import contextlib
import io
import os
import sys
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayesurv import cli
from bayesurv.data.cohort import Cohort
from bayesurv.data.ensemble import Ensemble
from bayesurv.ensembles import fit_ensemble
from bayesurv.fitting import fit, prior
from bayesurv.inference.sample import Sampling
from bayesurv.models.baselines import PiecewiseExponential
from bayesurv.models.priors import MedianSurvival, Priors

os.environ["COLUMNS"] = "120"  # the screen is as wide, whichever test prints on it first


def synthetic_cohort(seed=27):
    """61 patients in arms of 34 and 27, with EFS <= PFS <= OS."""
    random = np.random.default_rng(seed)
    size = 61
    frame = pd.DataFrame(
        {
            "pid": [f"P{i:03d}" for i in range(size)],
            "cti2": np.repeat([0, 1], [34, 27]),
            "bulky": random.integers(0, 2, size),
            "stage": random.choice(["I", "II", "III", "IV"], size, p=[0.15, 0.25, 0.3, 0.3]),
            "centre": random.choice(["Bari", "Milan", "Rome", "Turin"], size),
            "age": random.integers(24, 78, size),
        }
    )
    death = random.exponential(14 * np.exp(0.7 * frame["cti2"] - 0.4 * frame["bulky"]))
    last_contact = random.uniform(8, 40, size)
    for endpoint, share in {"efs": 0.4, "pfs": 0.6, "os": 1.0}.items():
        observed = np.minimum(share * death, last_contact)
        frame[f"{endpoint}_months"] = observed.clip(0.1).round(2)
        frame[f"{endpoint}_event"] = (share * death <= last_contact).astype(int)
    return frame


@pytest.fixture(scope="session")
def make_cohort():
    return synthetic_cohort


def synthetic_ensemble(members=6):
    """Versions of such a cohort; no patient of the first member was treated in Turin."""
    tables = [synthetic_cohort(seed).assign(member=seed, synthetic=True) for seed in range(members)]
    tables[0] = tables[0].replace({"centre": {"Turin": "Rome"}})
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="session")
def make_ensemble():
    return synthetic_ensemble


@pytest.fixture
def frame():
    return synthetic_cohort()


@pytest.fixture
def cohort_csv(tmp_path, frame):
    path = tmp_path / "cohort.csv"
    frame.to_csv(path, index=False)
    return path


# --- Fits ---

STATED = Priors(median_survival=MedianSurvival(4, 40))
SAMPLING = Sampling(chains=4, draws=600, tune=500, seed=1)  # enough to need no retry


def overall_survival():
    return Cohort.from_frame(
        synthetic_cohort(), time="os_months", event="os_event", unit="months", id="pid"
    )


@pytest.fixture(scope="session")
def weibull_fit():
    return fit(overall_survival(), "cti2", sampling=SAMPLING)


@pytest.fixture(scope="session")
def piecewise_fit():
    baseline = PiecewiseExponential()
    return fit(overall_survival(), "cti2", baseline=baseline, sampling=SAMPLING)


@pytest.fixture(scope="session")
def grouped_fit():
    sampling = Sampling(chains=4, draws=1000, tune=1000, target_accept=0.98, seed=1)
    return fit(overall_survival(), "cti2 + (1 | centre)", sampling=sampling)


@pytest.fixture(scope="session")
def ensemble():
    columns = {"time": "os_months", "event": "os_event", "unit": "months", "id": "pid"}
    return Ensemble.from_frame(synthetic_ensemble(), **columns)


@pytest.fixture(scope="session")
def ensemble_fit(ensemble):
    return fit_ensemble(ensemble, "cti2 + (1 | centre)", priors=STATED, seed=1)


@pytest.fixture(scope="session")
def known_fit():
    """Make a fit of a table (columns time, event, ...) whose draws are all as a test states."""

    def make(table, formula, baseline, draws=1, unit="months", **parameters):
        columns = {name: name for name in ("entry", "upper", "id") if name in table}
        cohort = Cohort.from_frame(table, time="time", event="event", unit=unit, **columns)
        drawn = prior(cohort, formula, baseline=baseline, draws=draws)
        stated = {
            name: (drawn.posterior[name].dims, np.broadcast_to(value, drawn.posterior[name].shape))
            for name, value in parameters.items()
        }
        groups = {name: group.to_dataset() for name, group in drawn.draws.children.items()}
        groups["posterior"] = xr.Dataset(stated, drawn.posterior.coords)
        return replace(drawn, draws=xr.DataTree.from_dict(groups))

    return make


# --- The command line ---


@dataclass
class Result:
    code: int
    out: str
    error: str


def typed(*arguments):
    """Run `bayesurv` with these arguments as its console script does, in this process."""
    out, error, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["bayesurv", *map(str, arguments)])
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            try:
                cli.main()
            except SystemExit as stop:
                code = stop.code or 0
    return Result(code, out.getvalue(), error.getvalue())


@pytest.fixture(scope="session")
def bayesurv():
    return typed
