"""Time one Weibull or Cox fit beside other software, one after another in one run.

    python benchmarks/peers.py [--rows 61 1000 10000] [--bambi PYTHON]

Each peer fits cti2, bulky and stage in a process of its own: the first fit there (compilation
included, imports not), and the median of others. Bayesian ones draw 4 x 1,000 after as many of
warm-up. What is not installed is left out and said. `--bambi` names a Python that has bambi. Writes
results-peers.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent


def cohort(rows: int, seed: int = 1) -> pd.DataFrame:
    """Patients with three covariates, Weibull times in months, and uniform censoring."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({"cti2": generator.binomial(1, 27 / 61, rows)})
    frame["bulky"] = generator.binomial(1, 0.35, rows)
    frame["stage"] = generator.binomial(1, 0.6, rows)
    log_hazard = -0.4 * frame["cti2"] + 0.5 * frame["bulky"] + 0.3 * frame["stage"]
    death = 10 * (generator.exponential(1, rows) / np.exp(log_hazard)) ** (1 / 1.2)
    end = generator.uniform(3, 40, rows)
    time = np.minimum(death, end).round(2) + 0.01
    return frame.assign(time=time, event=(death <= end).astype(int))


def peers(bambi: str) -> dict[str, list[str]]:
    """Command of each peer, without the file."""
    here = [sys.executable]
    return {
        "bayesurv, NUTS": [*here, "bayesurv_fit.py", "{file}", "nuts"],
        "bayesurv, laplace": [*here, "bayesurv_fit.py", "{file}", "laplace"],
        "PyMC and nutpie on rows": [*here, "pymc_rows.py", "{file}"],
        "bambi": [bambi, "bambi_fit.py", "{file}"],
        "brms (Stan)": ["Rscript", "brms_fit.R", "{file}"],
        "lifelines, Cox": [*here, "lifelines_fit.py", "{file}", "cox"],
        "lifelines, Weibull": [*here, "lifelines_fit.py", "{file}", "weibull"],
    }


def measure(command: list[str], file: Path) -> dict[str, float] | str:
    """What a peer prints, or the last line of why it could not."""
    whole = [part.replace("{file}", str(file)) for part in command]
    try:
        done = subprocess.run(whole, cwd=HERE / "peers", capture_output=True, text=True)
    except FileNotFoundError:
        return "not installed"
    if done.returncode:
        return f"failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
    return json.loads(done.stdout[done.stdout.index("{") :])


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[61, 1_000, 10_000])
    parser.add_argument("--bambi", default=sys.executable)
    asked = parser.parse_args()
    found: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as name:
        for rows in asked.rows:
            file = Path(name) / "cohort.csv"
            cohort(rows).to_csv(file, index=False)
            found[str(rows)] = {
                peer: measure(command, file) for peer, command in peers(asked.bambi).items()
            }
            print(rows, json.dumps(found[str(rows)], indent=2), flush=True)
    report = {"cores": os.cpu_count(), "date": str(date.today()), "patients": found}
    (HERE / "results-peers.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
