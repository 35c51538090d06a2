"""`bayesurv simulate`, typed: what it writes, where it runs, and how it goes on when stopped."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.planning import cluster
from bayesurv.planning.checkpoints import FOLDER, Checkpoints

DESIGN = """
[design]
unit = "months"
treatment = "cti2"
patients = [20, 40]
ratio = [27, 34]
accrual = 12
follow_up = 12
looks = { by = "time", at = [12] }
[truth]
hazard_ratio = [0.5]
prior = "Normal(-0.3, 0.2)"
baseline = { name = "exponential", median = 6 }
non_proportional.late = { kind = "delayed", until = 3, hazard_ratio = 0.5 }
[analysis]
baseline = "exponential"
draws = 200
[decision]
efficacy = 0.99
futility = 0.05
[simulation]
replicates = 12
"""
FIGURES = ("success_by_patients", "success_by_hazard_ratio", "probability_of_benefit")
FILES = {
    "operating_characteristics.csv", "sample_size.csv", "studies.parquet", "summary.txt",
    "design.toml", "provenance.json", "figures",
}  # fmt: skip
HERE = ("--workers", "1")


@pytest.fixture
def design(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bayesurv.plots.style.KINDS", ("png",))  # the others are in `reference`
    file = Path("design.toml")
    file.write_text(DESIGN)
    return file


@pytest.fixture(scope="module")
def reference(bayesurv, tmp_path_factory):
    """The studies of the design, simulated in this process without a stop."""
    folder = tmp_path_factory.mktemp("reference")
    (folder / "design.toml").write_text(DESIGN)
    shown = bayesurv("simulate", folder / "design.toml", *HERE, "--out", folder / "out")
    assert (shown.code, shown.error) == (0, "")
    return folder / "out", shown.out


def same_numbers(one, other):
    names = ("operating_characteristics.csv", "sample_size.csv", "summary.txt", "studies.parquet")
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def words(text):
    return " ".join(text.split())


def test_help_explains_every_option(bayesurv):
    shown = bayesurv("simulate", "--help")
    assert shown.code == 0
    for option in ("replicates", "scheduler", "workers", "engine", "seed", "out"):
        [said] = [text for text in shown.out.splitlines() if text.startswith(f"│ --{option} ")]
        assert len(said.strip("│ ").split()) > 4


def test_everything_is_written(reference):
    out, shown = reference
    assert set(os.listdir(out)) == FILES
    kinds = {f"{stem}.{kind}" for stem in FIGURES for kind in ("png", "svg", "pdf")}
    assert set(os.listdir(out / "figures")) == kinds
    table = pd.read_csv(out / "operating_characteristics.csv")
    assert list(table) == [
        "scenario", "patients", "hazard_ratio", "look", "quantity", "threshold", "estimate",
        "mcse", "lower", "upper", "studies", "remark",
    ]  # fmt: skip
    assert set(table["look"]) == {"1", "final", "with looks"}
    assert {"power", "type I error", "assurance", "success"} < set(table["quantity"])
    known = table[table["estimate"].notna()]
    assert known[["mcse", "lower", "upper"]].notna().all(axis=None)
    studies = pd.read_parquet(out / "studies.parquet")
    final = studies[studies["look"] == "final"]
    assert len(final) == 2 * 4 * 12
    assert final.groupby(["scenario", "patients", "hazard_ratio"], dropna=False).size().eq(12).all()
    said = words((out / "summary.txt").read_text())
    assert "With 20 patients (9 with cti2, 11 without)" in said
    assert "Success is P(HR < 1) of at least 0.975 at the final analysis, or a stop" in said
    assert "Under late the hazard ratio changes with time" in said
    assert said in words(shown.replace("Note: ", ""))
    mark = json.loads((out / "provenance.json").read_text())
    assert mark["simulation"] == {"replicates": 12, "seed": 0}
    assert mark["engine"] == "pymc"


def test_the_design_that_was_run_gives_the_same_numbers(bayesurv, design, reference):
    out, _ = reference
    shown = bayesurv("simulate", out / "design.toml", *HERE, "--out", "again")
    assert shown.code == 0
    assert same_numbers(out, Path("again"))


def test_another_seed_and_more_replicates(bayesurv, design, reference):
    typed = ("simulate", design, *HERE, "--out", "out")
    assert bayesurv(*typed, "--replicates", "5", "--seed", "3").code == 0
    studies = pd.read_parquet("out/studies.parquet")
    assert studies["study"].max() == 4
    before = pd.read_parquet(reference[0] / "studies.parquet")
    assert not np.isin(studies["estimate"].dropna(), before["estimate"]).any()
    assert bayesurv(*typed).code == 0
    assert same_numbers(Path("out"), reference[0])


# --- Stopped and started again ---

KILLED = """
import os, signal, sys
from bayesurv.planning.checkpoints import Checkpoints
write, count = Checkpoints.write, 0
def once(self, batch, table):
    global count
    write(self, batch, table)
    count += 1
    if count == 3:
        os.kill(os.getpid(), signal.SIGKILL)
Checkpoints.write = once
from bayesurv.cli import main
sys.argv = ["bayesurv", "simulate", "design.toml", "--workers", "1", "--out", "out"]
main()
"""


def test_a_killed_run_goes_on_and_gives_the_same_numbers(bayesurv, design, reference, monkeypatch):
    ended = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert os.listdir("out") == [FOLDER]
    assert len(list(Path("out", FOLDER).glob("*.npz"))) == 3
    written = []
    write = Checkpoints.write
    monkeypatch.setattr(
        Checkpoints, "write", lambda self, *given: (written.append(1), write(self, *given))
    )
    shown = bayesurv("simulate", design, *HERE, "--out", "out")
    assert (shown.code, shown.error) == (0, "")
    assert len(written) == 5
    assert set(os.listdir("out")) == FILES
    assert same_numbers(Path("out"), reference[0])


def stop_after(count, error):
    """Replace `Checkpoints.write` by one that stops the run after so many batches."""
    write, done = Checkpoints.write, []

    def once(self, batch, table):
        write(self, batch, table)
        done.append(batch)
        if len(done) == count:
            raise error

    return once


def test_ctrl_c_keeps_what_is_finished(bayesurv, design, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "write", stop_after(2, KeyboardInterrupt))
        shown = bayesurv("simulate", design, *HERE, "--out", "out")
    assert shown.code == 130
    assert "Finished batches are kept: the same command goes on from there." in shown.error
    assert os.listdir("out") == [FOLDER]


def test_a_checkpoint_of_another_design_is_refused(bayesurv, design, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "write", stop_after(2, KeyboardInterrupt))
        bayesurv("simulate", design, *HERE, "--out", "out")
    shown = bayesurv("simulate", design, *HERE, "--seed", "9", "--out", "out")
    assert shown.code == 2
    assert f"out/{FOLDER} holds finished batches of another design" in shown.error
    assert len(list(Path("out", FOLDER).glob("*.npz"))) == 2


def test_a_full_disk_leaves_the_batches_that_are_finished(bayesurv, design, monkeypatch):
    full = OSError(28, "No space left on device")
    monkeypatch.setattr(Checkpoints, "write", stop_after(2, full))
    shown = bayesurv("simulate", design, *HERE, "--out", "out")
    assert shown.code == 1
    assert "No space left on device" in shown.error
    assert os.listdir("out") == [FOLDER]


# --- Dask ---


def test_a_cluster_by_its_address_where_a_worker_dies(bayesurv, design, reference, monkeypatch):
    from dask.distributed import LocalCluster

    write, killed = Checkpoints.write, []
    with (
        cluster._quiet(),
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs="CRITICAL"
        ) as local,
    ):

        def kill_once(self, batch, table):
            write(self, batch, table)
            if not killed:
                killed.append(local.workers[0].pid)
                os.kill(killed[0], signal.SIGKILL)

        monkeypatch.setattr(Checkpoints, "write", kill_once)
        address = local.scheduler_address
        shown = bayesurv("simulate", design, "--scheduler", address, "--out", "out")
    assert (shown.code, shown.error) == (0, "")
    assert len(killed) == 1
    assert same_numbers(Path("out"), reference[0])


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2, 4])
def test_any_number_of_workers_gives_the_same_numbers(bayesurv, design, reference, workers):
    shown = bayesurv("simulate", design, "--workers", workers, "--out", "out")
    assert (shown.code, shown.error) == (0, "")
    assert same_numbers(Path("out"), reference[0])


def test_without_dask_one_core_is_used_and_it_is_said(bayesurv, design, reference, monkeypatch):
    monkeypatch.setattr(cluster, "have_dask", lambda: False)
    monkeypatch.setattr(cluster, "cores", lambda: 8)
    monkeypatch.setattr("bayesurv.report.simulate.have_dask", lambda: False)
    monkeypatch.setattr("bayesurv.report.simulate.cores", lambda: 8)
    shown = bayesurv("simulate", design, "--out", "out")
    assert shown.code == 0
    assert "Dask is not installed, so one core was used" in words(shown.out)
    shown = bayesurv("simulate", design, "--workers", "2", "--out", "other")
    assert shown.code == 2
    assert "pip install 'bayesurv[cluster]'" in shown.error


# --- Faults ---


@pytest.fixture
def refused(bayesurv, design):
    """Type a command; its error, after checking that nothing else has happened."""

    def typed(*arguments, text=DESIGN):
        design.write_text(text)
        before = sorted(Path().rglob("*"))
        shown = bayesurv("simulate", design, *arguments)
        assert (shown.code, shown.out) == (2, "")
        assert "Traceback" not in shown.error
        assert sorted(Path().rglob("*")) == before
        return words(shown.error)

    return typed


def test_a_scheduler_that_does_not_answer(refused):
    said = refused("--scheduler", "tcp://127.0.0.1:1", "--out", "out")
    assert "--scheduler: no Dask scheduler answers at tcp://127.0.0.1:1" in said
    assert "leave --scheduler out to use this machine" in said


def test_an_address_that_is_none(refused):
    said = refused("--scheduler", "nowhere")
    assert '--scheduler: "nowhere" is no address; write it as tcp://10.0.0.1:8786' in said


def test_workers_here_and_a_cluster(refused):
    said = refused("--scheduler", "tcp://127.0.0.1:1", "--workers", "2")
    assert "--workers is for this machine" in said


def test_every_fault_of_the_design_at_once(refused):
    text = DESIGN.replace('"months"', '"month"').replace("efficacy = 0.99", "efficacy = 9")
    said = refused(text=text)
    assert "2 faults" in said
    assert "design.toml: [design] unit:" in said
    assert "design.toml: [decision] efficacy (number 1):" in said


def test_a_fit_that_is_not_there(refused):
    text = DESIGN.replace('{ name = "exponential", median = 6 }', '{ fit = "results/os" }')
    assert "results/os" in refused(text=text)


def test_a_folder_of_another_origin(refused):
    Path("mine").mkdir()
    Path("mine", "thesis.txt").write_text("mine")
    assert "holds files that bayesurv did not write" in refused("--out", "mine")


def test_no_design(bayesurv, design):
    shown = bayesurv("simulate", "desing.toml")
    assert shown.code == 2
    assert 'Did you mean "design.toml"?' in shown.error


# --- A fit ---


def test_the_baseline_of_a_fit_and_a_running_study(bayesurv, design, weibull_fit):
    bs.save(weibull_fit, "posterior.nc", endpoint="os", treatment="cti2")
    text = DESIGN.replace('{ name = "exponential", median = 6 }', '{ fit = "posterior.nc" }')
    running = '[running]\nfit = "posterior.nc"\nfollow_up = 12\npatients = 10\naccrual = 6\n'
    design.write_text(text + running + "treated = 0.5\n")
    shown = bayesurv("simulate", design, *HERE, "--out", "out")
    assert (shown.code, shown.error) == (0, "")
    said = words(shown.out)
    assert "Each study draws its baseline from the posterior of a saved fit" in said
    assert "Every censored patient of the running study is taken to be still followed" in said
    table = pd.read_csv("out/predictive.csv").set_index("quantity")
    assert 0 <= table.loc["predictive probability of success", "estimate"] <= 1
    studies = pd.read_parquet("out/studies.parquet")
    assert (studies["scenario"] == "running study").sum() == 12
    assert not set(studies) & {"cti2", "age", "centre", "pid"}


def test_a_fit_in_another_unit(refused, weibull_fit):
    bs.save(weibull_fit, "posterior.nc", endpoint="os", treatment="cti2")
    text = DESIGN.replace('{ name = "exponential", median = 6 }', '{ fit = "posterior.nc" }')
    said = refused(text=text.replace('"months"', '"days"'))
    assert "baseline.fit: it counts time in months, the design in days" in said
