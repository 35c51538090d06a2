"""The command line: every option changes what it should, and a run is whole or leaves nothing."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from bayesurv.inference import sample as sampling
from bayesurv.models.baselines import BASELINES
from bayesurv.plots.style import KINDS
from bayesurv.report import results, run
from bayesurv.saved import load

OS = ("--time", "os_months", "--event", "os_event", "--unit", "months")
MODEL = "time event formula unit entry upper id treatment baseline endpoint missing out seed"
COMMANDS = {
    "fit": f"{MODEL} force",
    "prior": MODEL,
    "predict": "times out extrapolate",
}
PLAN = """
[cohort]
file = "cohort.csv"
unit = "months"
id = "pid"

[endpoint.efs]
time = "efs_months"
event = "efs_event"

[endpoint.os]
time = "os_months"
event = "os_event"

[model]
formula = "cti2"
baseline = ["weibull", "piecewise-exponential"]

[estimand]
treatment = "cti2"
times = [3, 6]

[sampling]
seed = 5
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_figures(monkeypatch):
    monkeypatch.setattr(results, "write_figures", lambda *given: None)


def csv(*parts):
    return pd.read_csv(Path(*parts))


def visible(folder="."):
    return sorted(os.listdir(folder))


# --- Help ---


def test_help(bayesurv):
    shown = bayesurv("--help")
    assert shown.code == 0
    assert [name for name in COMMANDS if name not in shown.out] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_explains_every_option(bayesurv, command):
    shown = bayesurv(command, "--help")
    assert shown.code == 0
    for option in COMMANDS[command].split():
        [line] = [line for line in shown.out.splitlines() if line.startswith(f"│ --{option} ")]
        assert len(line.strip("│ ").split()) > 4


def test_help_names_the_baselines(bayesurv):
    text = bayesurv("fit", "--help").out.replace("│", "")
    assert [name for name in BASELINES if name not in text] == []


def test_version(bayesurv):
    shown = bayesurv("--version")
    assert (shown.code, shown.out) == (0, "bayesurv 0.1.0\n")


def test_nothing_typed_shows_the_help(bayesurv):
    assert "predict" in bayesurv().out + bayesurv().error


# --- A plan with two endpoints and two baselines ---


@pytest.fixture(scope="module")
def planned(bayesurv, make_cohort, tmp_path_factory):
    """The folder of a run, and what was printed."""
    base = tmp_path_factory.mktemp("plan")
    make_cohort().to_csv(base / "cohort.csv", index=False)
    (base / "plan.toml").write_text(PLAN)
    return base / "out", bayesurv("fit", base / "plan.toml", "--out", base / "out")


def test_files_of_a_plan(planned):
    out, shown = planned
    assert (shown.code, shown.error) == (0, "")
    fits = [f"{e}/{b}" for e in ("efs", "os") for b in ("weibull", "piecewise-exponential")]
    tables = "parameters hazard_ratios survival benefit arms diagnostics loo"
    figures = "survival hazard forest chains benefit horizons"
    expected = {f"{fit}/{name}.csv" for fit in fits for name in tables.split()}
    expected |= {
        f"{fit}/figures/{name}.{kind}" for fit in fits for name in figures.split() for kind in KINDS
    }
    expected |= {f"{fit}/{name}" for fit in fits for name in ("posterior.nc", "benefit.txt")}
    expected |= {f"{e}/side_by_side.{kind}" for e in ("efs", "os") for kind in ("csv", "txt")}
    expected |= {"classical.csv", "plan.toml", "provenance.json", "report.html"}
    found = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    tables = {name for name in found if name.startswith("tables/")}
    assert found - tables == expected
    assert {f"tables/benefit_os_weibull.{kind}" for kind in ("html", "tex", "csv")} <= tables
    assert visible(out.parent) == ["cohort.csv", "out", "plan.toml"]


def test_fits_of_a_plan_differ(planned):
    out, _ = planned
    rows = pd.concat([csv(path) for path in out.glob("*/*/hazard_ratios.csv")])
    assert rows["hazard_ratio"].nunique() == 4
    rows = csv(out, "efs", "piecewise-exponential", "parameters.csv")
    assert rows["parameter"].str.startswith("log_hazard[").sum() > 3


def test_estimands_of_a_plan(planned):
    out, _ = planned
    rows = csv(out, "os", "weibull", "survival.csv")
    assert rows[["profile", "time"]].to_numpy().tolist() == [
        ["cti2=0", 3],
        ["cti2=0", 6],
        ["cti2=1", 3],
        ["cti2=1", 6],
    ]


def test_provenance_of_a_plan(planned, make_cohort):
    out, _ = planned
    told = json.loads((out / "provenance.json").read_text())
    assert told["seed"] == 5
    assert told["command"] == f"bayesurv fit {out.parent}/plan.toml --out {out}"
    assert {"python", "pymc", "nutpie", "numpy"} <= set(told["versions"])
    assert [len(told["data"][name]["sha256"]) for name in ("efs", "os")] == [64, 64]
    assert told["data"]["efs"] != told["data"]["os"]
    top = ["classical.csv", "efs", "os", "plan.toml", "provenance.json", "report.html", "tables"]
    assert told["files"] == top
    one = told["fits"]["efs/weibull"]
    assert (one["patients"], one["events"]) == (61, make_cohort()["efs_event"].sum())
    assert one["passed_checks"] is True
    assert one["priors"]["coefficient"] == "Normal(0, 0.75)"
    assert one["sampling"]["seed"] == 5
    kept = json.loads(load(out / "efs" / "weibull").draws.attrs["bayesurv"])["provenance"]
    assert kept == {
        "endpoint": "efs",
        "treatment": "cti2",
        "horizon": None,
        "command": told["command"],
        "versions": told["versions"],
        "data": told["data"]["efs"],
    }


def test_plan_as_run_is_run_again(planned, bayesurv, no_figures):
    out, _ = planned
    again = tomllib.loads((out / "plan.toml").read_text())
    assert again["sampling"]["draws"] == 1000
    assert bayesurv("fit", out / "plan.toml", "--out", "again").code == 0
    name = "os/piecewise-exponential/parameters.csv"
    assert Path("again", name).read_bytes() == (out / name).read_bytes()


def test_screen_of_a_plan(planned):
    out, shown = planned
    for title in ("efs, weibull", "os, piecewise-exponential"):
        assert f"{title}: 61 patients, " in shown.out
    for endpoint in ("efs", "os"):  # the same for both baselines, so told once
        assert shown.out.count(f"Note on {endpoint}: Reference median survival: ") == 1
    assert shown.out.endswith(f"Results are in {out}\n")


def test_a_plan_takes_no_other_options(planned, bayesurv, folder):
    plan = planned[0].parent / "plan.toml"
    shown = bayesurv("fit", plan, "--time", "os_months", "--baseline", "weibull", "--out", "x")
    assert shown.code == 2
    assert shown.error == (
        "Error: plan.toml: --time, --baseline cannot be added to a plan; write it in the plan, "
        "or leave it out\n"
    )
    assert visible() == []


# --- Options ---


def test_options_reach_the_plan(bayesurv, cohort_csv, monkeypatch):
    seen = []

    def noted(plan, out, **more):
        seen.append((plan, out, more))
        return []

    monkeypatch.setattr(run, "run_plan", noted)
    given = {
        "time": "os_months", "event": "os_event", "formula": "cti2", "unit": "weeks",
        "entry": "start", "upper": "end", "cause": "of", "id": "pid", "treatment": "cti2",
        "baseline": "gompertz", "endpoint": "death", "missing": "drop", "out": "there", "seed": "9",
    }  # fmt: skip
    options = [part for name, value in given.items() for part in (f"--{name}", value)]
    assert (
        bayesurv(
            "fit", cohort_csv, *options, "--baseline", "m-spline", "--force", "--no-classical"
        ).code
        == 0
    )
    [(plan, out, more)] = seen
    columns = {name: given[name] for name in ("time", "event", "entry", "upper", "cause")}
    assert plan.endpoint["death"].model_dump() == columns
    assert plan.cohort.model_dump(include={"id", "unit", "missing"}) == {
        "id": "pid",
        "unit": "weeks",
        "missing": "drop",
    }
    assert plan.cohort.file == str(cohort_csv)
    assert (plan.model.formula, plan.model.baseline) == ("cti2", ("gompertz", "m-spline"))
    assert (plan.estimand.treatment, plan.sampling.seed) == ("cti2", 9)
    assert not plan.estimand.classical
    assert (out, more["force"]) == (Path("there"), True)


def test_same_seed_same_bytes(bayesurv, cohort_csv, no_figures):
    for out, seed in (("a", 3), ("b", 3), ("c", 4)):
        shown = bayesurv("fit", cohort_csv, *OS, "--formula", "cti2", "--seed", seed, "--out", out)
        assert shown.code == 0
    for name in ("parameters", "hazard_ratios", "survival", "diagnostics", "loo"):
        a, b, c = (Path(out, f"os/weibull/{name}.csv").read_bytes() for out in "abc")
        assert a == b != c


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (("os_months", "os_event"), "os"),
        (("months", "os_event"), "endpoint"),
        (("überleben_m", "überleben_e"), "endpoint"),
    ],
)
def test_name_of_the_endpoint(bayesurv, frame, columns, name):
    frame = frame.rename(columns=dict(zip(("os_months", "os_event"), columns, strict=True)))
    frame.to_csv("c.csv", index=False)
    options = ("--time", columns[0], "--event", columns[1], "--unit", "months", "--formula", "cti2")
    assert bayesurv("prior", "c.csv", *options, "--out", "a").code == 0
    assert bayesurv("prior", "c.csv", *options, "--out", "b", "--endpoint", "died").code == 0
    assert (visible("a")[0], visible("b")[0]) == (name, "died")


def test_a_level_that_looks_like_markup(bayesurv, frame):
    frame.assign(regimen=frame["stage"].map(lambda s: f"bold {s}")).to_csv("c.csv", index=False)
    shown = bayesurv("prior", "c.csv", *OS, "--formula", "regimen", "--out", "a")
    assert "hazard_ratio regimen[bold II]" in shown.out


def test_missing_covariates_are_dropped_only_when_asked(bayesurv, frame, no_figures):
    frame["cti2"] = frame["cti2"].astype(object)
    frame.loc[[3, 40], "cti2"] = ""
    frame.to_csv("c.csv", index=False)
    fit = ("fit", "c.csv", *OS, "--formula", "cti2", "--id", "pid", "--out", "a")
    shown = bayesurv(*fit)
    assert shown.code == 2
    assert ["P003" in shown.error, "P040" in shown.error] == [True, True]
    shown = bayesurv(*fit, "--missing", "drop")
    assert shown.code == 0
    assert "os, weibull: 59 patients" in shown.out
    assert "Note: 2 of 61 patients dropped: cti2 missing for 2" in shown.out


# --- Priors ---


def prior(bayesurv, file, *options):
    shown = bayesurv("prior", file, *OS, "--formula", "cti2", "--out", "prior", *options)
    assert (shown.code, shown.error) == (0, "")
    return csv("prior/os/weibull/prior.csv"), shown


def test_prior(bayesurv, cohort_csv):
    table, shown = prior(bayesurv, cohort_csv, "--seed", 2)
    assert visible("prior") == ["os", "plan.toml", "provenance.json"]
    assert visible("prior/os/weibull") == [
        "prior.csv", "prior.pdf", "prior.png", "prior.svg", "survival.csv"
    ]  # fmt: skip
    assert list(table) == ["quantity", "of", "time", "median", "lower", "upper", "ci_prob"]
    ratio = table.query("quantity == 'hazard_ratio'").iloc[0]
    assert ratio["of"] == "cti2"
    assert ratio["lower"] == pytest.approx(0.23, abs=0.03)
    assert ratio["upper"] == pytest.approx(4.35, abs=0.5)
    assert table["quantity"].value_counts().to_dict() == {
        "survival": 8,
        "median_survival": 2,
        "hazard_ratio": 1,
    }
    assert "Prior of os, weibull (time in months)" in shown.out
    assert json.loads(Path("prior/provenance.json").read_text())["seed"] == 2


def test_options_change_the_prior(bayesurv, frame):
    later = frame["os_event"] * (frame["os_months"] + 3)
    frame = frame.assign(start=frame["os_months"] / 2, later=later.where(later > 0))
    frame.to_csv("c.csv", index=False)
    first, _ = prior(bayesurv, "c.csv", "--seed", 1)
    for options in (
        ("--entry", "start"),
        ("--upper", "later"),
        ("--seed", "2"),
        ("--time", "efs_months", "--event", "efs_event", "--endpoint", "os"),
        ("--formula", "cti2 + bulky"),
    ):
        other, _ = prior(bayesurv, "c.csv", "--seed", 1, *options)
        assert not other.equals(first), options
    same, _ = prior(bayesurv, "c.csv", "--seed", 1)
    assert same.equals(first)


def test_treatment_makes_the_profiles(bayesurv, cohort_csv):
    options = ("--formula", "cti2 + bulky", "--treatment")
    profiles = [
        set(prior(bayesurv, cohort_csv, *options, name)[0].query("time > 0")["of"])
        for name in ("cti2", "bulky")
    ]
    assert profiles[0] == {"cti2=0, bulky=0", "cti2=1, bulky=0"}
    assert profiles[1] == {"cti2=0, bulky=0", "cti2=0, bulky=1"}


def test_id_finds_a_patient_who_is_there_twice(bayesurv, frame):
    frame.assign(pid=frame["pid"].replace("P001", "P000")).to_csv("c.csv", index=False)
    prior(bayesurv, "c.csv")
    shown = bayesurv("prior", "c.csv", *OS, "--formula", "cti2", "--id", "pid", "--out", "x")
    assert shown.code == 2
    assert "c.csv, row 3, column pid: patient P000 is already in row 2" in shown.error


# --- Predictions ---


def test_predict(bayesurv, planned):
    Path("new.csv").write_text("label,cti2\nAnna,1\n")
    fit = planned[0] / "os" / "weibull"
    shown = bayesurv("predict", fit, "new.csv", "--times", "3,6", "--out", "p.csv")
    assert (shown.code, shown.error) == (0, "")
    assert shown.out == "Predicted the survival of 1 patient at 2 times: p.csv\n"
    expected = csv(fit, "survival.csv").query("profile == 'cti2=1'").reset_index(drop=True)
    pd.testing.assert_frame_equal(csv("p.csv"), expected.assign(profile="Anna"))


def test_predict_past_follow_up_is_asked_for(bayesurv, planned):
    Path("new.csv").write_text("cti2\n1\n")
    line = ("predict", planned[0] / "os" / "weibull", "new.csv", "--times", "600")
    assert bayesurv(*line).code == 2
    assert visible() == ["new.csv"]
    assert bayesurv(*line, "--extrapolate").code == 0
    assert visible() == ["new.csv", "predictions.csv"]


# --- Sampling that fails, or is stopped ---


@pytest.fixture
def stuck(monkeypatch):
    """Chains that never meet; the settings of each attempt come back as a list."""
    attempts, draw = [], sampling.draw

    def bad(compiled, settings, progress=None):
        attempts.append(settings)
        tree = draw(compiled, settings, progress)
        tree["posterior"]["coefficient"][:] += 5.0 * tree["posterior"]["chain"]
        return tree

    monkeypatch.setattr(sampling, "draw", bad)
    return attempts


def test_failed_sampling_is_tried_again_and_told(bayesurv, cohort_csv, stuck):
    shown = bayesurv("fit", cohort_csv, *OS, "--formula", "cti2", "--out", "a")
    assert shown.code == 1
    assert shown.error.startswith("Error: sampling failed its checks:\n  R-hat of coefficient[cti")
    assert "--force" in shown.error
    assert "Traceback" not in shown.error
    assert (shown.out, visible()) == ("", ["cohort.csv"])
    first, second = stuck
    assert second.draws > first.draws
    assert second.tune > first.tune
    assert second.target_accept > first.target_accept


def test_failed_sampling_is_written_when_forced_and_marked(bayesurv, cohort_csv, stuck, no_figures):
    shown = bayesurv("fit", cohort_csv, *OS, "--formula", "cti2", "--out", "a", "--force")
    assert shown.code == 0
    assert "FAILED the sampler's checks: do not report these numbers" in shown.out
    assert "R-hat of coefficient[cti2]" in Path("a/os/weibull/FAILED.txt").read_text()
    checks = csv("a/os/weibull/diagnostics.csv").set_index("check")["passed"]
    assert not checks["r_hat"]
    told = json.loads(Path("a/provenance.json").read_text())
    assert told["fits"]["os/weibull"]["passed_checks"] is False
    Path("new.csv").write_text("cti2\n1\n")
    assert "FAILED" in bayesurv("predict", "a/os/weibull", "new.csv", "--times", "3").out


def test_interrupt_leaves_nothing(bayesurv, cohort_csv, monkeypatch):
    def stopped(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(sampling, "draw", stopped)
    shown = bayesurv("fit", cohort_csv, *OS, "--formula", "cti2", "--out", "deep/a")
    assert (shown.code, shown.out) == (130, "")
    assert shown.error == "Interrupted; no results were written.\n"
    assert visible() == ["cohort.csv"]


@pytest.fixture
def heard():
    """Ctrl-C is heard, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_an_interrupt_lost_in_a_callback_is_repeated(bayesurv, cohort_csv, monkeypatch):
    class Callback:
        def __del__(self):
            raise KeyboardInterrupt  # Python can only ignore it here

    def sampled(*given):
        callback = Callback()
        del callback
        for _ in range(50):
            time.sleep(0.1)
        pytest.fail("the interrupt was lost")

    monkeypatch.setattr(sampling, "draw", sampled)
    before = sys.unraisablehook
    shown = bayesurv("fit", cohort_csv, *OS, "--formula", "cti2", "--out", "a")
    assert (shown.code, shown.error) == (130, "Interrupted; no results were written.\n")
    assert sys.unraisablehook is before


def test_a_full_disk_is_no_traceback(bayesurv, cohort_csv, monkeypatch):
    def full(*given, **options):
        raise OSError(28, "No space left on device", "posterior.nc")

    monkeypatch.setattr(results, "save", full)
    shown = bayesurv("fit", cohort_csv, *OS, "--formula", "cti2", "--out", "a")
    assert shown.code == 1
    assert shown.error == "Error: [Errno 28] No space left on device: 'posterior.nc'\n"
    assert visible() == ["cohort.csv"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_real_signal_while_fitting(cohort_csv, folder, stop, code):
    Path("out").mkdir()
    Path("out/kept.csv").write_text("old")
    Path("out/provenance.json").write_text('{"bayesurv": "0", "files": ["kept.csv"]}')
    Path("plan.toml").write_text(PLAN + "tune = 3000000\n")
    line = [sys.executable, "-m", "bayesurv.cli", "fit", "plan.toml", "--out", "out"]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as process:
        for _ in range(600):
            if len(visible("out")) > 2 or process.poll() is not None:
                break
            time.sleep(0.1)
        time.sleep(2)  # building, compiling or sampling
        process.send_signal(stop)
        try:
            error = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == code
    assert "Traceback" not in error
    assert Path("out/kept.csv").read_text() == "old"
    names = [name for name in visible("out") if not name.startswith(".bayesurv-")]
    assert names == ["kept.csv", "provenance.json"]
    assert len(visible("out")) == (2 if stop is signal.SIGINT else 3)
