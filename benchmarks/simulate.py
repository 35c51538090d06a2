"""Time 10,000 simulated 61-patient studies through the command, and by part; prints JSON.

The whole process counts, from start to figures, after one small run that is not counted (it fills
the compile cache). Beside it: how many k-hat are below 0.7, the time of each part in this process,
and 200 of the studies against NUTS. Run on an idle machine.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.inference import laplace
from bayesurv.planning.analysis import analyse
from bayesurv.planning.design import read_design
from bayesurv.planning.simulation import simulation_of
from bayesurv.planning.studies import simulate_studies

COMMAND = [str(Path(sys.executable).with_name("bayesurv")), "simulate", "design.toml"]
STUDIES, COMPARED = 10_000, 200
THRESHOLD = 0.975
DESIGN = """
[design]
unit = "months"
treatment = "cti2"
patients = 61
ratio = [27, 34]
accrual = 60
follow_up = 12
dropout_yearly = 0.25
[truth]
hazard_ratio = [0.6, 1.0]
baseline = {{ name = "weibull", median = 6.3, shape = 0.7 }}
covariates = {{ bulky = {{ treated = 0.26, control = 0.15, hazard_ratio = 2.0 }} }}
[simulation]
replicates = {replicates}
"""


def seconds(folder: Path, *options: str) -> float:
    """Wall time of the whole command, into a folder of its own."""
    out = tempfile.mkdtemp(dir=folder)
    start = time.perf_counter()
    subprocess.run([*COMMAND, *options, "--out", out], cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def quality(folder: Path) -> dict[str, float]:
    """What the last of the runs says of its weights, and of success."""
    out = max((p for p in folder.iterdir() if p.is_dir()), key=lambda path: path.stat().st_mtime)
    studies = pd.read_parquet(out / "studies.parquet")
    return {
        "studies": len(studies),
        "share with k-hat below 0.7": float((studies["pareto_k"] < 0.7).mean()),
        "largest k-hat": float(studies["pareto_k"].max()),
        "share sampled by NUTS": float((studies["method"] != "laplace").mean()),
        "mean effective draws": float(studies["effective"].mean()),
    }


def parts(folder: Path) -> dict[str, float]:
    """Milliseconds of processor time of each part of a study, and 200 studies against NUTS."""
    simulation = simulation_of(read_design(folder / "design.toml"))
    scenario = simulation.scenarios()["proportional 0.6"]
    model, design = simulation.model(), simulation.design

    def generate():
        return simulate_studies(design, simulation.baseline, scenario, 61, 0, COMPARED)

    def answers(found):
        return analyse(
            model.specification, model.patterns, found.studies, treatment=model.treatment,
            margin=1.0, ci_prob=0.95, draws=design.analysis.draws, seeds=found.seeds[0],
        )  # fmt: skip

    found = generate()
    start = time.perf_counter()
    answers(found)
    compiled = time.perf_counter() - start
    marks = [time.process_time()]
    found = generate()
    marks.append(time.process_time())
    fast = answers(found)
    marks.append(time.process_time())
    usual = laplace.approximate
    laplace.approximate = lambda *a, **k: replace(usual(*a, **k), pareto_k=np.inf)
    start = time.perf_counter()
    slow = answers(found)
    sampled = time.perf_counter() - start
    laplace.approximate = usual
    p = np.clip(slow.probability, 0.001, 0.999)
    error = np.sqrt(p * (1 - p) * (1 / fast.effective + 1 / 1000)) + 0.001
    z = (fast.probability - slow.probability) / error
    decided = (fast.probability >= THRESHOLD) != (slow.probability >= THRESHOLD)
    return {
        "first batch, seconds, with compiling": compiled,
        "simulating one study, ms": 1000 * (marks[1] - marks[0]) / COMPARED,
        "posterior of one study, ms": 1000 * (marks[2] - marks[1]) / COMPARED,
        "posterior of one study by NUTS, ms": 1000 * sampled / COMPARED,
        "studies against NUTS": COMPARED,
        "P(benefit), largest difference": float(np.abs(fast.probability - slow.probability).max()),
        "P(benefit), largest difference over its Monte Carlo error": float(np.abs(z).max()),
        "P(benefit), mean difference over its Monte Carlo error": float(z.mean()),
        "decisions that differ": int(decided.sum()),
        "of which beyond 3 Monte Carlo errors of the threshold": int(
            (np.abs(slow.probability - THRESHOLD) > 3 * error)[decided].sum()
        ),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--engine", choices=("pymc", "jax"), default="pymc")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = DESIGN.format(replicates=given.studies // 2)  # of each of two hazard ratios
        (folder / "design.toml").write_text(text, encoding="utf-8")
        seconds(folder, "--engine", given.engine, "--replicates", "300")
        times = [seconds(folder, "--engine", given.engine) for _ in range(given.runs)]
        print(
            json.dumps(
                {
                    "engine": given.engine,
                    "seconds": statistics.median(times),
                    "every run": times,
                    **quality(folder),
                    **parts(folder),
                },
                indent=2,
            )
        )


if __name__ == "__main__":
    main()
