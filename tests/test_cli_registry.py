"""Aggregate and pool, typed: a file of counts, or every fault and nothing else."""

import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

PLAN = """\
[cohort]
file = "elsewhere.csv"
unit = "months"

[endpoint.os]
time = "time"
event = "event"

[model]
formula = "cti2 + bulky + (1 | centre)"
baseline = "piecewise-exponential"
cuts = [2, 4, 6, 8, 10, 12, 14, 16]
"""
WIDE = PLAN.replace("[2, 4, 6, 8, 10, 12, 14, 16]", "[6]")
AGGREGATE = ("--plan", "plan.toml", "--centre", "Rome")


def patients(size=600, seed=8):
    random = np.random.default_rng(seed)
    cti2 = random.integers(0, 2, size)
    return pd.DataFrame(
        {
            "cti2": cti2,
            "bulky": random.integers(0, 2, size),
            "time": random.exponential(8 * np.exp(0.5 * cti2), size) + 0.01,
            "event": (random.random(size) < 0.7).astype(int),
        }
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    patients().to_csv(tmp_path / "rome.csv", index=False)
    patients(9).to_csv(tmp_path / "small.csv", index=False)
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "wide.toml").write_text(WIDE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(shown):
    return " ".join(shown.out.split())


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_help_explains_every_option(bayesurv):
    options = "plan out centre table cuts fewest coarsen allow-small-cells max-patterns"
    shown = bayesurv("aggregate", "--help")
    for option in options.split():
        lines = [text.strip("│ *") for text in shown.out.splitlines()]
        [said] = [text for text in lines if text.startswith(f"--{option} ")]
        assert len(said.split()) > 4
    assert "FILES" in bayesurv("pool", "--help").out


def test_counts_are_written_and_summed_up_on_the_screen(bayesurv, folder):
    shown = bayesurv("aggregate", "rome.csv", *AGGREGATE, "--cuts", "6", "--out", "rome.parquet")
    assert shown.code == 0
    given = patients()
    for text in ("rows read │ 600", f"events │ {given['event'].sum()}", "patterns │ 4"):
        assert text in words(shown)
    assert f"person-time (months) │ {given['time'].sum():,.6g}" in words(shown)
    assert "The counts are in rome.parquet" in words(shown)
    cells = pq.read_table("rome.parquet").to_pandas()
    assert len(cells) == 8
    assert files(folder) == ["plan.toml", "rome.csv", "rome.parquet", "small.csv", "wide.toml"]


def test_small_cells_are_refused_with_what_they_expose_and_the_choices(bayesurv, folder):
    before = files(folder)
    shown = bayesurv("aggregate", "rome.csv", *AGGREGATE)
    assert shown.code == 2
    said = " ".join(shown.error.split())
    assert "of 36 cells tell of fewer than 5 patients, so that nothing was written" in said
    assert "gives that patient's own time" in said
    for choice in ("fewer covariates", "--coarsen", "--allow-small-cells"):
        assert choice in said
    assert "os, bulky 0, centre Rome, cti2 0, (14, 16]: " in said
    assert files(folder) == before


def test_intervals_are_joined_and_the_cost_stated(bayesurv, folder):
    shown = bayesurv("aggregate", "rome.csv", *AGGREGATE, "--coarsen")
    assert shown.code == 0, shown.error
    said = words(shown)
    assert "Of 9 intervals" in said
    assert "write that line into the plan: cuts = [" in said
    assert "standard error" in said
    line = said.partition("the plan: cuts = [")[2].partition("]")[0]
    cuts = [float(cut) for cut in line.split(", ")]
    assert set(cuts) < {2, 4, 6, 8, 10, 12, 14, 16}
    (folder / "plan.toml").write_text(PLAN.replace("2, 4, 6, 8, 10, 12, 14, 16", line))
    again = bayesurv("aggregate", "rome.csv", *AGGREGATE, "--out", "again.parquet")
    assert again.code == 0, again.error
    first, second = (pq.read_table(f).to_pandas() for f in ("counts.parquet", "again.parquet"))
    pd.testing.assert_frame_equal(first, second, rtol=1e-13)


def test_the_cost_is_that_of_poisson_regression_on_the_counts(folder):
    from scipy.optimize import approx_fprime

    from bayesurv.data.cohort import Cohort
    from bayesurv.data.counts import Counts
    from bayesurv.report.registry_cost import fixed_terms, standard_errors

    cohort = Cohort.from_frame(patients(), time="time", event="event", unit="months")
    counts = Counts.from_cohort(cohort, (2.0, 6.0))
    found = standard_errors(counts, "cti2 + bulky + (1 | centre)")
    assert fixed_terms("cti2 + bulky + (1 | centre)") == "cti2 + bulky"
    x = counts.covariates[["cti2", "bulky"]].to_numpy(dtype=float)

    def score(parameters):
        log_hazard = parameters[:3] + (x @ parameters[3:])[:, None]
        residual = counts.events - counts.person_time * np.exp(log_hazard)
        return np.concatenate([residual.sum(axis=0), residual.sum(axis=1) @ x])

    parameters = np.array([-2.0, -2.0, -2.0, 0.0, 0.0])
    for _ in range(30):
        jacobian = approx_fprime(parameters, score, 1e-7)
        parameters = parameters - np.linalg.solve(jacobian, score(parameters))
    expected = np.sqrt(np.diag(np.linalg.inv(-approx_fprime(parameters, score, 1e-7))))[3:]
    assert found.to_numpy() == pytest.approx(expected, rel=1e-4)


def test_a_hospital_of_nine_writes_only_when_it_is_allowed(bayesurv, folder):
    shown = bayesurv("aggregate", "small.csv", *AGGREGATE, "--coarsen")
    assert shown.code == 2
    assert "patterns stay too small even in a single interval" in " ".join(shown.error.split())
    allowed = bayesurv("aggregate", "small.csv", *AGGREGATE, "--allow-small-cells")
    assert allowed.code == 0
    said = words(allowed)
    assert "tell of fewer than 5 patients, as was allowed: " in said
    assert "as confidential as the patients' own" in said


def test_hospitals_are_pooled(bayesurv, folder):
    given = {"rome": patients(400, 1), "bari": patients(300, 2)}
    for name, table in given.items():
        table.to_parquet(f"{name}.data.parquet")
        typed = ("--plan", "wide.toml", "--centre", name, "--out", f"{name}.parquet")
        assert bayesurv("aggregate", f"{name}.data.parquet", *typed).code == 0
    shown = bayesurv("pool", "rome.parquet", "bari.parquet", "--out", "both.parquet")
    assert shown.code == 0
    events = sum(table["event"].sum() for table in given.values())
    assert f"patients │ 700 │ │ events │ {events} │" in words(shown)
    cells = pq.read_table("both.parquet").to_pandas()
    assert sorted(cells["centre"].unique()) == ["bari", "rome"]
    again = bayesurv("pool", "both.parquet", "bari.parquet", "--out", "all.parquet")
    assert again.code == 2
    assert "bari.parquet: the same patients (bari) are in both.parquet already" in again.error
    twice = bayesurv("pool", "bari.parquet", "bari.parquet", "nowhere.parquet")
    assert twice.code == 2
    assert "bari.parquet: is named twice" in twice.error
    assert "no file nowhere.parquet" in twice.error


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("rome.csv", *AGGREGATE, "--out", "counts.csv"), "not the name of a .parquet file"),
        (("rome.csv", *AGGREGATE, "--cuts", "6,3"), '--cuts reads like "30,90,180"'),
        (("rome.csv", *AGGREGATE, "--cuts", "soon"), '--cuts reads like "30,90,180"'),
        (("rome.csv", "--plan", "plan.toml"), "no column 'centre', which the formula groups by"),
        (("rome.csv", *AGGREGATE, "--table", "t"), "--table t is for a database"),
        (("rome.csv", "--plan", "nowhere.toml"), "no file nowhere.toml"),
        (("nowhere.csv", *AGGREGATE), "no file nowhere.csv"),
    ],
)
def test_bad_input_ends_with_code_2_and_no_file(bayesurv, folder, typed, said):
    before = files(folder)
    shown = bayesurv("aggregate", *typed)
    assert shown.code == 2
    assert said in " ".join(shown.error.split())
    assert "Traceback" not in shown.error
    assert files(folder) == before


# --- Killed ---

KILLED = """
import os, signal, sys
import pyarrow.parquet as pq
from bayesurv.data.registry import engine, table

def kill(*given, **named):
    os.kill(os.getpid(), signal.SIGKILL)

def half(content, path, **named):
    write(content, path, **named)
    os.truncate(path, os.path.getsize(path) // 2)
    kill()

write, moment = pq.write_table, sys.argv.pop(1)
if moment == "query":
    engine.Engine.ask = kill
elif moment == "write":
    table.pq.write_table = half
else:
    table.os.replace = kill
from bayesurv.cli import main
main()
"""


@pytest.mark.parametrize("moment", ["query", "write", "replace"])
def test_a_killed_run_leaves_what_was_there_and_a_rerun_is_the_same(bayesurv, folder, moment):
    typed = ("aggregate", "rome.csv", "--plan", "wide.toml", "--centre", "Rome")
    assert bayesurv(*typed, "--out", "undisturbed.parquet").code == 0
    (folder / "counts.parquet").write_bytes(b"of an earlier run")
    command = [sys.executable, "-c", KILLED, moment, *typed]
    ended = subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert (folder / "counts.parquet").read_bytes() == b"of an earlier run"
    assert bayesurv(*typed).code == 0
    assert not list(folder.glob(".*"))
    again, undisturbed = (pq.read_table(f) for f in ("counts.parquet", "undisturbed.parquet"))
    assert again.equals(undisturbed, check_metadata=True)
