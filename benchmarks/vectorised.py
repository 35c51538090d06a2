"""Studies per second of both engines on the same simulated studies of 61 patients; prints JSON.

JAX takes a GPU where it finds one. Times are of this process, after one call that is not counted;
that call's time, nearly all of it compiling, is given apart. Run on an idle machine.
"""

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np

from bayesurv.planning import analysis, vectorised
from bayesurv.planning.design import StudyDesign, read_design
from bayesurv.planning.simulation import simulation_of
from bayesurv.planning.studies import simulate_studies

DESIGN = Path(__file__).parents[1] / "scripts" / "cti2_design.toml"
BASELINES = {
    "exponential": {"baseline": "exponential"},
    "weibull": {"baseline": "weibull"},
    "gompertz": {"baseline": "gompertz"},
    "piecewise-exponential": {"baseline": "piecewise-exponential", "cuts": [3, 6, 12]},
    "m-spline": {"baseline": "m-spline", "knots": [3, 6, 12], "boundary": 24},
}
SCENARIO, PATIENTS, BATCH, THRESHOLD = "proportional 0.6", 61, 250, 0.975


def asked(baseline):
    """Model and simulated studies, in batches as the command makes them."""
    document = read_design(DESIGN).model_dump(exclude_none=True)
    document["analysis"] = {"formula": "cti2 + bulky"} | BASELINES[baseline]
    return simulation_of(StudyDesign.from_document(document))


def batches(simulation, studies):
    scenario, truth = simulation.scenarios()[SCENARIO], simulation.baseline
    for first in range(0, studies, BATCH):
        count = min(BATCH, studies - first)
        yield simulate_studies(simulation.design, truth, scenario, PATIENTS, first, count)


def timed(engine, simulation, simulated):
    """Answers of every batch, seconds of the first call and studies per second of the rest."""
    model, keys = simulation.model(), simulation.design.analysis

    def answers(batch):
        return engine.analyse(
            model.specification,
            model.patterns,
            batch.studies,
            treatment=model.treatment,
            margin=simulation.design.decision.margin,
            ci_prob=keys.ci_prob,
            draws=keys.draws,
            seeds=batch.seeds[0],
        )

    start = time.perf_counter()
    answers(simulated[0])
    first = time.perf_counter() - start
    start = time.perf_counter()
    found = [answers(batch) for batch in simulated]
    seconds = time.perf_counter() - start
    whole = {
        name: np.concatenate([getattr(each, name) for each in found]) for name in vars(found[0])
    }
    return whole, first, sum(len(each.sd) for each in found) / seconds


def compared(found, expected):
    """How far the engines are apart on the same studies."""
    apart = np.abs(found["estimate"] - expected["estimate"]) / expected["sd"]
    error = np.sqrt(1 / found["effective"] + 1 / expected["effective"])
    decided = [each["probability"] >= THRESHOLD for each in (found, expected)]
    return {
        "studies": len(apart),
        "root mean square difference of estimates, in Monte Carlo errors": float(
            np.sqrt(np.mean((apart / error) ** 2))
        ),
        "largest difference of P(benefit)": float(
            np.abs(found["probability"] - expected["probability"]).max()
        ),
        "share that succeeds": [float(each.mean()) for each in decided],
        "decisions that differ": int((decided[0] != decided[1]).sum()),
    }


def measured(baseline, studies, compare):
    simulation = asked(baseline)
    simulated = list(batches(simulation, studies))
    found, first, speed = timed(vectorised, simulation, simulated)
    some = -(-compare // BATCH)
    expected, _, default = timed(analysis, simulation, simulated[:some])
    matching = {name: values[: len(expected["sd"])] for name, values in found.items()}
    return {
        "jax, studies per second": round(speed, 1),
        "jax, seconds of the first call": round(first, 1),
        "default engine, studies per second": round(default, 1),
        "share with k-hat up to 0.7": float((found["pareto_k"] <= 0.7).mean()),
        "median effective draws": float(np.median(found["effective"])),
        "engines": compared(matching, expected),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000, help="for JAX, of each baseline")
    parser.add_argument("--compare", type=int, default=250, help="for the default engine")
    parser.add_argument("--baseline", choices=BASELINES, action="append", help="all unless given")
    options = parser.parse_args()
    results = {
        name: measured(name, options.studies, options.compare)
        for name in options.baseline or BASELINES
    }
    where = {"device": str(jax.devices()[0].device_kind), "jax": version("jax")}
    print(json.dumps(where | {"patients": PATIENTS, "draws": 1000} | results, indent=2))


if __name__ == "__main__":
    main()
