"""Time bayesurv aggregate on registries of 1e4 to 1e7 rows; prints seconds and peak memory."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import duckdb

PLAN = """\
[cohort]
file = "registry.parquet"
unit = "days"

[endpoint.os]
time = "days"
event = "died"

[model]
formula = "treated + bulky + advanced"
baseline = "piecewise-exponential"
cuts = [30, 90, 180, 365, 547, 730, 1095, 1461]
"""
ROWS = """
COPY (
    SELECT
        (hash(i, 1) % 2)::TINYINT AS treated,
        (hash(i, 2) % 10 < 3)::TINYINT AS bulky,
        (hash(i, 3) % 10 < 6)::TINYINT AS advanced,
        least(1826, 1 + floor(-700 * ln((hash(i, 4) % 1000000 + 1) / 1000001.0)))::INTEGER AS days,
        (hash(i, 4) % 1000000 > 73000 AND hash(i, 5) % 10 < 7)::TINYINT AS died
    FROM range({rows}) AS t(i)
) TO '{file}' ({options})
"""


def patients(rows: int, file: Path) -> None:
    """Write patients: 3 binary covariates, whole days over 5 years."""
    options = "FORMAT parquet" if file.suffix == ".parquet" else "FORMAT csv, HEADER"
    duckdb.sql(ROWS.format(rows=rows, file=file, options=options))


def aggregate(file: Path, folder: Path) -> dict[str, float]:
    """Seconds, processor seconds and peak memory of the whole process, as started from a shell."""
    command = [sys.executable, "-m", "bayesurv.cli", "aggregate", str(file)]
    command += ["--plan", str(folder / "plan.toml"), "--out", str(folder / "counts.parquet")]
    command += ["--allow-small-cells"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"aggregate ended with {process.returncode}")
    unit = 1 if platform.system() == "Darwin" else 1024
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_mb": round(used.ru_maxrss * unit / 1e6),
    }


def main() -> None:
    """Time each size and kind of file, the median of some runs after one that is not counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=float, default=1e7, help="Rows of the largest registry.")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, object] = {
        "versions": {name: version(name) for name in ("bayesurv", "duckdb", "ibis-framework")},
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "plan.toml").write_text(PLAN)
        for exponent in range(4, 8):
            for kind in ("parquet", "csv"):
                if 10**exponent > options.most:
                    continue
                file = folder / f"registry.{kind}"
                patients(10**exponent, file)
                aggregate(file, folder)
                runs = [aggregate(file, folder) for _ in range(options.runs)]
                runs.sort(key=lambda run: run["seconds"])
                found[f"1e{exponent} {kind}"] = runs[len(runs) // 2]
                file.unlink()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
