"""Time the command line and the library as a user meets them; writes benchmarks/results.json.

Run on an idle machine: `make bench`. Medians of `--runs` whole processes after one that is not
counted, except the cold fit, which is run once with an empty compile cache, and the questions to
a fit, which are timed once after one that is not counted.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

from cohort import cohort

HERE = Path(__file__).parent
COMMAND = [str(Path(sys.executable).with_name("bayesurv"))]
SIX = """
[cohort]
file = "cohort.csv"
unit = "months"
ordinal = { stage = { levels = ["I", "II", "III", "IV"], coding = "linear" } }
[endpoint.efs]
time = "efs_months"
event = "efs_event"
[endpoint.pfs]
time = "pfs_months"
event = "pfs_event"
[endpoint.os]
time = "os_months"
event = "os_event"
[model]
formula = "cti2 + bulky + stage + (1 | salvage)"
baseline = ["weibull", "piecewise-exponential"]
[estimand]
treatment = "cti2"
"""


def seconds(command: list[str], folder: Path, **environment: str) -> float:
    """Wall time of one whole process."""
    start = time.perf_counter()
    subprocess.run(
        command, cwd=folder, check=True, capture_output=True, env=os.environ | environment
    )
    return time.perf_counter() - start


def median(command: list[str], folder: Path, runs: int) -> float:
    """Median wall time after one run that is not counted."""
    return statistics.median([seconds(command, folder) for _ in range(runs + 1)][1:])


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cohort().to_csv(folder / "cohort.csv", index=False)
        (folder / "six.toml").write_text(SIX)
        one = [*COMMAND, "fit", "cohort.csv", "--time", "os_months", "--event", "os_event"]
        one += ["--unit", "months", "--formula", "cti2 + bulky", "--treatment", "cti2"]
        one += ["--out", "one"]
        cache = f"base_compiledir={folder / 'cache'}"
        inside = [sys.executable, str(HERE / "in_process.py"), "cohort.csv"]
        found = {
            "--help": median([*COMMAND, "--help"], folder, runs),
            "fit, cold (empty cache)": seconds(one, folder, PYTENSOR_FLAGS=cache),
            "fit, warm": median(one, folder, runs),
            "bare PyMC + nutpie script, warm": median(
                [sys.executable, str(HERE / "bare.py"), "cohort.csv"], folder, runs
            ),
            "six fits, warm": median([*COMMAND, "fit", "six.toml", "--out", "six"], folder, runs),
        }
        kinds = {
            "one/os/weibull": "OS, weibull",
            "six/os/piecewise-exponential": "OS, piecewise and group",
        }
        for fit, label in kinds.items():
            for question in ("benefit", "check", "influence", "sensitivity"):
                found[f"{question} ({label})"] = median([*COMMAND, question, fit], folder, 1)
        both = ["six/os/weibull", "six/os/piecewise-exponential"]
        found["compare (both, with group)"] = median([*COMMAND, "compare", *both], folder, 1)
        output = subprocess.run(inside, cwd=folder, check=True, capture_output=True, text=True)
        found["in one process"] = json.loads(output.stdout)
    libraries = {
        name: version(name) for name in ("bayesurv", "pymc", "pytensor", "nutpie", "numba")
    }
    machine = {"cores": os.cpu_count(), "processor": platform.machine(), "date": str(date.today())}
    report = {"machine": machine, "versions": libraries, "seconds": found}
    text = json.dumps(report, indent=2)
    (HERE / "results.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
