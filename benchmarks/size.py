"""What a fit costs as the cohort grows: 61 to 1e7 patients, counted once and then fitted.

Three binary covariates, whole days over five years. For each size: seconds to aggregate, seconds of
a fit of the counts in a process in which the model is compiled, the number of rows that the
likelihood has, and the relative difference of the log-likelihood from that of the patients, row by
row. Prints JSON, kept in results-size.json.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
import warnings
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
from registry import PLAN, aggregate, patients

import bayesurv as bs
from bayesurv.data.counts import Counts
from bayesurv.data.design import Rows
from bayesurv.fitting import compressed_cohort, specify
from bayesurv.inference.sample import Sampling
from bayesurv.models.likelihood import Observed, linear_predictor, log_likelihood
from bayesurv.plan import read_plan

SIZES = (61, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
TERMS = ("treated", "bulky", "advanced")
CHUNK = 500_000


def total(specification, observed, rows, parameters):
    """Log-likelihood of all rows together."""
    predictor = linear_predictor(specification.design, rows, parameters, np)
    values = log_likelihood(specification.baseline, observed, parameters, predictor, np)
    return float(values.sum())


def row_by_row(specification: object, file: Path, parameters: dict, rows: int) -> float:
    """Log-likelihood of the patients themselves, a part of the file at a time."""
    found = 0.0
    for start in range(0, rows, CHUNK):
        query = f"SELECT * FROM '{file}' LIMIT {CHUNK} OFFSET {start}"
        part = duckdb.sql(query).fetchnumpy()
        fixed = np.column_stack([part[name].astype(float) for name in specification.design.terms])
        none = np.zeros((len(fixed), 0))
        time_, event = part["days"].astype(float), part["died"].astype(bool)
        nan, zero = np.full(len(fixed), np.nan), np.zeros(len(fixed))
        observed = Observed.from_times(zero, time_, nan, event, specification.baseline)
        found += total(specification, observed, Rows(fixed, none.astype(int), none), parameters)
    return found


def measure(rows: int, folder: Path, runs: int) -> dict[str, float]:
    """One size of cohort, from its file to a posterior."""
    file = folder / "registry.parquet"
    patients(rows, file)
    counted = aggregate(file, folder)
    plan = read_plan(folder / "plan.toml")
    counts = Counts.from_file(folder / "counts.parquet", "os")
    [baseline], formula = plan.baselines(), plan.model.formula
    priors = bs.Priors(median_survival=bs.MedianSurvival(100, 3000))
    seconds = []
    for seed in range(runs + 1):
        begin = time.perf_counter()
        fit = bs.fit(counts, formula, baseline=baseline, priors=priors, seed=seed, sampling=SHORT)
        seconds.append(time.perf_counter() - begin)
    specification = specify(counts, formula, baseline, priors)
    one = {name: values[0, 0] for name, values in fit.parameters().items()}
    observed, patterns = compressed_cohort(specification, counts)
    exact = row_by_row(specification, file, one, rows)
    return {
        "aggregate": counted,
        "fit": statistics.median(seconds[1:]),
        "rows of the likelihood": len(observed.exact),
        "relative difference": abs(total(specification, observed, patterns, one) / exact - 1),
    }


SHORT = Sampling(chains=2, draws=1000, tune=1000)


def main() -> None:
    """Measure each size, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--most", type=int, default=SIZES[-1])
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "plan.toml").write_text(PLAN)
        sizes = [rows for rows in SIZES if rows <= asked.most]
        found = {str(rows): measure(rows, folder, asked.runs) for rows in sizes}
    report = {"cores": os.cpu_count(), "date": str(date.today()), "sizes": found}
    text = json.dumps(report, indent=2)
    (Path(__file__).parent / "results-size.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
