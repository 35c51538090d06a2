"""Time one refit of 61 patients by its Laplace approximation, part by part; prints JSON.

Milliseconds, medians of `--cohorts` cohorts after one that is not counted, in one thread; the
share of cohorts whose weights can be trusted, and draws of equal weight that 1,000 are worth.
"""

import argparse
import json
import statistics
import time
import warnings
from typing import Any

import numpy as np
from cohort import cohort

import bayesurv as bs
from bayesurv.fitting import compiled_survival, compressed_cohort, specify
from bayesurv.inference import laplace
from bayesurv.models.baselines import Baseline

MODELS = {
    "exponential": ("cti2 + bulky + stage", bs.Exponential()),
    "weibull": ("cti2", bs.Weibull()),
    "weibull, 3 terms": ("cti2 + bulky + stage", bs.Weibull()),
    "weibull, groups": ("cti2 + bulky + (1 | salvage)", bs.Weibull()),
    "piecewise": ("cti2 + bulky + stage", bs.PiecewiseExponential(cuts=(2, 4, 6, 9, 12))),
    "m-spline": ("cti2 + bulky + stage", bs.MSpline()),
}
PARTS = {
    "explore": "mode",
    "propose": "proposal",
    "log_density": "densities",
    "smoothed": "weights",
}
spent: dict[str, float] = {}


def timed(name: str, label: str) -> None:
    """Add up the seconds spent in a function of the refit."""
    original = getattr(laplace, name)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return original(*arguments, **options)
        finally:
            spent[label] = spent.get(label, 0.0) + time.perf_counter() - start

    setattr(laplace, name, wrapped)


def compiled(seed: int, formula: str, baseline: Baseline) -> Any:
    """The model of one simulated cohort, on its distinct rows."""
    frame = cohort(seed)
    frame["stage"] = (frame["stage"] == "IV").astype(int)
    roles = {"time": "os_months", "event": "os_event", "unit": "months"}
    patients = bs.Cohort.from_frame(frame, **roles)
    specification = specify(patients, formula, baseline)
    return compiled_survival(specification, *compressed_cohort(specification, patients))


def measure(formula: str, baseline: Baseline, cohorts: int) -> dict[str, float]:
    """Medians over cohorts of one model."""
    rows, found = [], []
    for seed in range(cohorts + 1):
        model = compiled(seed, formula, baseline)
        spent.clear()
        start = time.perf_counter()
        found.append(laplace.approximate(model, draws=1000, seed=seed))
        rows.append({"whole": time.perf_counter() - start, **spent})
    parts = {f"{key}_ms": 1000 * statistics.median(r[key] for r in rows[1:]) for key in rows[0]}
    return {
        **{key: round(value, 2) for key, value in parts.items()},
        "reliable": float(np.mean([each.reliable for each in found])),
        "effective_draws": round(statistics.median(each.effective_draws for each in found)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=200)
    cohorts = parser.parse_args().cohorts
    warnings.simplefilter("ignore")
    for name, label in PARTS.items():
        timed(name, label)
    print(json.dumps({name: measure(*model, cohorts) for name, model in MODELS.items()}, indent=1))


if __name__ == "__main__":
    main()
