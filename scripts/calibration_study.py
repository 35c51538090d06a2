"""Simulation-based calibration of every baseline at 61 patients: a study.

Parameters are drawn from the prior, a cohort of 61 patients is simulated at them, and the model is
fitted to it; over many refits the ranks of the true values among the posterior draws are uniform
if simulation, likelihood, priors and sampler agree. Each baseline is looked at plainly, with a
group term, with delayed entry and with events known to intervals between visits. All share their
random numbers, so that what chance does to one shows in others as well. The result is kept in
scripts/reference; after a change of what it rests on, from the root of the repository:

    python scripts/calibration_study.py                # about an hour on two cores
    python scripts/calibration_study.py --resume       # goes on with what is not there yet
    python scripts/calibration_study.py --stamp        # of what is there, without refits

What is simulated and its log densities are kept too, for some data sets of each configuration:
a test holds the code to them, so that the result does not outlive the model that it is of.
"""

import argparse
import datetime
import json
from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.calibrating import calibrate_model, experiment
from bayesurv.data.cohort import Cohort
from bayesurv.inference.calibration import shares, uniformity
from bayesurv.inference.sample import Sampling
from bayesurv.models.baselines import (
    Exponential,
    Gompertz,
    MSpline,
    PiecewiseExponential,
    Weibull,
)
from bayesurv.models.priors import HalfNormal, LogNormal, MedianSurvival, Normal, Priors
from bayesurv.report.origin import versions

RESULT = Path(__file__).parent / "reference" / "calibration_study"
PATIENTS, TREATED, REFITS, BINS = 61, 27, 500, 20
HORIZON, VISITS = 12.0, 3.0  # months; how often patients are seen where events are intervals
SAMPLING = Sampling(chains=1, draws=400, tune=300, target_accept=0.9, seed=2026)
BASELINES = (
    Exponential(),
    Weibull(),
    Gompertz(scale=12.0),
    PiecewiseExponential(cuts=(3.0, 8.0, 16.0)),
    MSpline(inner=(3.0, 8.0, 16.0), boundary=30.0),
)
DESIGNS = {
    "plain": "cti2 + bulky",
    "group": "cti2 + bulky + (1 | salvage)",
    "entry": "cti2 + bulky",
    "interval": "cti2 + bulky",
}
PRIORS = Priors(
    median_survival=MedianSurvival(4, 30, 0.95),
    coefficient=Normal(0, 0.75),
    shape=LogNormal(0, 0.4),
    slope=Normal(0, 1),
    smoothing_sd=HalfNormal(0.5),
    group_sd=HalfNormal(0.5),
)
SETTINGS = {
    "patients": PATIENTS,
    "refits": REFITS,
    "horizon": HORIZON,
    "visits": VISITS,
    "sampling": {
        name: getattr(SAMPLING, name)
        for name in ("chains", "draws", "tune", "target_accept", "seed")
    },
    "baselines": [str(baseline) for baseline in BASELINES],
    "designs": DESIGNS,
    "priors": PRIORS.describe(),
}


def cohort(design):
    """61 patients, 27 treated, whose covariates, entries and ends of follow-up are kept."""
    random = np.random.default_rng(61)
    treated = np.repeat([0, 1], [PATIENTS - TREATED, TREATED])
    bulky = random.integers(0, 2, PATIENTS)
    salvage = random.choice(["chemotherapy", "polatuzumab", "bispecific", "other"], PATIENTS)
    entry = random.uniform(0, 3, PATIENTS) if design == "entry" else np.zeros(PATIENTS)
    death = entry + random.exponential(16 * np.exp(0.4 * treated - 0.4 * bulky))
    last = entry + random.uniform(6, 36, PATIENTS)
    time, event = np.minimum(death, last), death <= last
    frame = pd.DataFrame({"cti2": treated, "bulky": bulky, "salvage": salvage})
    frame = frame.assign(months=time, died=event.astype(int))
    columns = {"time": "months", "event": "died", "unit": "months"}
    if design == "entry":
        return Cohort.from_frame(frame.assign(enters=entry), entry="enters", **columns)
    if design == "interval":
        before = np.floor(time / VISITS) * VISITS
        frame = frame.assign(months=np.maximum(before, 0.1), until=before + VISITS)
        frame["until"] = frame["until"].where(event)
        return Cohort.from_frame(frame, upper="until", **columns)
    return Cohort.from_frame(frame, **columns)


def configurations():
    """Every baseline with every design, by the names of both."""
    for design, formula in DESIGNS.items():
        for baseline in BASELINES:
            yield (baseline.name, design), experiment(
                cohort(design), formula, baseline=baseline, priors=PRIORS, treatment="cti2",
                horizon=HORIZON, sampling=SAMPLING,
            )  # fmt: skip


def calibration(name, model, refits):
    """The table of one configuration, with the refits that failed and the counts of the ranks."""
    found = calibrate_model(model, refits)
    table = uniformity(found.ranks)
    counts = [
        " ".join(map(str, np.histogram(share, BINS, (0, 1))[0]))
        for share in shares(found.ranks).values()
    ]
    table.insert(0, "design", name[1])
    table.insert(0, "baseline", name[0])
    failed = int((~found.refits["passed"]).sum())
    effective = found.refits["effective_draws"].median()
    return table.assign(failed=failed, effective_draws=effective, counts=counts)


def behaviour(model):
    """Numbers that change when simulation or density do, of the first data sets."""
    rows = []
    for number in range(3):
        simulated, truth = model.simulate(number), model.truth(number)
        quantities = model.quantities(truth, simulated)
        ends = np.fmax(simulated.time, simulated.upper).sum()
        rows += [float(quantities[name][0, 0]) for name in ("log_likelihood", "log_prior")]
        rows += [float(ends), float(simulated.event.sum())]
    return rows


def fingerprint():
    """Behaviour of every configuration, by its name."""
    return {"/".join(name): behaviour(model) for name, model in configurations()}


def kept():
    """What an interrupted run has left."""
    file = RESULT.with_suffix(".csv")
    return pd.read_csv(file) if file.exists() else pd.DataFrame(columns=["baseline", "design"])


def stamp(refits):
    """Write settings, date, versions and behaviour of the code beside the result."""
    made = {
        "made_on": str(datetime.date.today()),
        "settings": SETTINGS | {"refits": refits},
        "versions": versions(),
        "behaviour": fingerprint(),
    }
    RESULT.with_suffix(".json").write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


def run(done, refits):
    """Refit every configuration that is not done, and keep each as soon as it is."""
    there = set(zip(done["baseline"], done["design"], strict=True))
    tables = [done] if len(done) else []
    for name, model in configurations():
        if name in there:
            continue
        tables.append(calibration(name, model, refits))
        whole = pd.concat(tables, ignore_index=True)
        whole.to_csv(RESULT.with_suffix(".csv"), index=False, float_format="%.6g")
        smallest, failed = tables[-1]["p_value"].min(), tables[-1]["failed"].iloc[0]
        print(*name, f"smallest p {smallest:.4f}, {failed} failed", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--stamp", action="store_true")
    parser.add_argument("--refits", type=int, default=REFITS)
    given = parser.parse_args()
    if not given.stamp:
        nothing = pd.DataFrame(columns=["baseline", "design"])
        run(kept() if given.resume else nothing, given.refits)
    stamp(given.refits)


if __name__ == "__main__":
    main()
