"""`bayesurv time-zero`: its files, its words, and what it refuses."""

import json
import tomllib

import numpy as np
import pandas as pd
import pytest

from bayesurv.estimands.partial_posterior import partial_posterior
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.log_rank import log_rank
from bayesurv.frequentist.partial_likelihood import two_arms
from bayesurv.models.distributions import Normal
from bayesurv.plots.style import KINDS

CANCER = "--time", "os_months", "--event", "os_event", "--unit", "months"


@pytest.fixture(scope="module")
def guaranteed(tmp_path_factory):
    """34 patients of whom none could leave before month 3, and 27 who could."""
    random = np.random.default_rng(5)
    arm = np.repeat([0, 1], [34, 27])
    death = np.where(arm == 0, 3 + random.exponential(13, 61), 0.3 + random.exponential(6, 61))
    end = random.uniform(8, 50, 61)
    frame = pd.DataFrame(
        {
            "pid": [f"P{i:03d}" for i in range(61)],
            "cti2": arm,
            "bulky": random.integers(0, 2, 61),
            "everyone": 1,
            "stage": random.choice(["I", "II", "III"], 61),
            "os_months": np.minimum(death, end).round(3),
            "os_event": (death <= end).astype(int),
        }
    )
    path = tmp_path_factory.mktemp("guaranteed") / "cohort.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def waiting(tmp_path_factory):
    """Treatment that does nothing, started while waiting; more often where x = 0."""
    random = np.random.default_rng(6)
    x = random.integers(0, 2, 240)
    death, start = random.exponential(10 * np.exp(0.8 * x)), random.exponential(3 * np.exp(0.4 * x))
    end = random.uniform(6, 40, 240)
    time = np.minimum(death, end)
    frame = pd.DataFrame(
        {
            "x": x,
            "time": time,
            "event": (death <= end).astype(int),
            "start": np.where(start < time, start, np.nan),
        }
    )
    path = tmp_path_factory.mktemp("waiting") / "waiting.csv"
    frame.to_csv(path, index=False)
    return path


WAITING = "--time", "time", "--event", "event", "--unit", "months", "--treatment", "treated"


@pytest.fixture(scope="module")
def answered(guaranteed, tmp_path_factory, bayesurv):
    out = tmp_path_factory.mktemp("answer") / "out"
    result = bayesurv(
        "time-zero", guaranteed, *CANCER, "--treatment", "cti2", "--formula", "cti2 + bulky",
        "--landmark", 3, "--enter-at", 3, "--most-added", 6, "--out", out,
    )  # fmt: skip
    assert result.code == 0, result.error
    return result, out


def rows(out):
    return pd.read_csv(out / "time_zero.csv").set_index("analysis")


def test_every_file_is_there(answered):
    _, out = answered
    assert {path.name for path in out.iterdir()} == {
        "time_zero.csv", "selection.csv", "detector.csv",
        *(f"{name}.{kind}" for name in ("selection", "kaplan_meier_landmark") for kind in KINDS),
        "time_zero.txt", "plan.toml", "provenance.json",
    }  # fmt: skip
    asked = json.loads((out / "provenance.json").read_text())["asked"]
    assert (asked["landmark"], asked["enter_at"], asked["prior"]) == (3, 3, "Normal(0, 0.75)")
    assert tomllib.loads((out / "plan.toml").read_text())["model"]["formula"] == "cti2 + bulky"


def test_the_rows_are_those_of_cox_log_rank_and_partial_posterior(answered, guaranteed):
    table, frame = rows(answered[1]), pd.read_csv(guaranteed)
    later = frame[frame["os_months"] > 3]
    for name, patients in {"as given": frame, "landmark at 3 months": later}.items():
        given = patients["os_months"], patients["os_event"], patients["cti2"]
        fitted = cox(*given[:2], patients[["cti2"]], ["cti2"])
        row = table.loc[name]
        assert row["hazard_ratio"] == pytest.approx(np.exp(fitted.coefficient[0]))
        assert row["upper"] == pytest.approx(np.exp(fitted.interval()[1][0]))
        assert row["p"] == pytest.approx(log_rank(*given).p)
        posterior = partial_posterior(two_arms(*given), Normal(0, 0.75))
        assert row["prob_benefit"] == pytest.approx(float(posterior.probability_below()))
        assert (row["patients"], row["events"]) == (len(patients), patients["os_event"].sum())
        joint = cox(*given[:2], patients[["cti2", "bulky"]], ["cti2", "bulky"])
        adjusted = table.loc[f"{name}, adjusted"]
        assert adjusted["hazard_ratio"] == pytest.approx(np.exp(joint.coefficient[0]))
        assert np.isnan(adjusted["prob_benefit"])
        assert adjusted["note"] == "adjusted for bulky (Cox, Wald)"
    entry = table.loc["entry at 3 months"]
    assert entry["hazard_ratio"] == pytest.approx(table.loc["landmark at 3 months", "hazard_ratio"])


def test_the_words_warn_and_claim_no_more(answered):
    said = " ".join((answered[1] / "time_zero.txt").read_text().split())
    assert "None of the 34 patients with cti2 = 0 left before 3.0" in said
    assert "compatible with guaranteed time or selection into this arm" in said
    assert "If early deaths are put back into cti2 = 0, each at a time drawn between 0.3" in said
    assert "with 4 it is " in said
    assert "with 6 it is " in said
    assert "the prior Normal(0, 0.75)" in said
    assert "Landmark at 3 months, from which time now counts" in said
    assert " effect" not in said


def test_the_first_row_of_the_selection_is_the_cohort_as_given(answered):
    _, out = answered
    selection, given = pd.read_csv(out / "selection.csv"), rows(out).loc["as given"]
    assert list(selection["added"]) == list(range(7))
    for name in ("hazard_ratio", "lower", "upper"):
        assert selection[name][0] == pytest.approx(given[name])
    assert selection["prob_benefit"][0] == pytest.approx(given["prob_benefit"], abs=1e-6)


def test_no_patient_is_named(answered):
    result, out = answered
    texts = [path.read_text("latin-1") for path in out.iterdir() if path.suffix != ".png"]
    assert not any("P0" in text for text in (result.out, *texts))


def test_treatment_from_its_start_repairs_what_arms_of_the_future_show(waiting, tmp_path, bayesurv):
    out = tmp_path / "out"
    result = bayesurv(
        "time-zero", waiting, *WAITING, "--formula", "treated + x", "--start", "start",
        "--landmark", 2, "--within", 3, "--resamples", 60, "--out", out,
    )  # fmt: skip
    assert result.code == 0, result.error
    table = rows(out)
    assert table.loc["as given, ever treated or not", "upper"] < 0.6
    for name in (
        "treatment from its start",
        "treatment from its start, adjusted",
        "landmark at 2 months, treated by then or not, adjusted",
        "treatment within 3 months (clone, censor, weight)",
    ):
        assert table.loc[name, "lower"] < 1 < table.loc[name, "upper"]
    assert "Do not report the first of these" in " ".join(result.out.split())
    assert not (out / "selection.csv").exists()
    strategies = pd.read_csv(out / "strategies.csv")
    assert set(strategies["quantity"]) == {"survival", "restricted mean survival", "hazard ratio"}
    curves = pd.read_csv(out / "strategy_curves.csv")
    assert (curves.groupby("strategy")["survival"].max() == 1).all()


def test_a_plan_is_asked_by_its_own_keys_or_by_options(guaranteed, tmp_path, bayesurv):
    plan = guaranteed.with_name("plan.toml")
    plan.write_text(
        '[cohort]\nfile = "cohort.csv"\nunit = "months"\n[time_zero]\nlandmark = 3\n'
        '[endpoint.os]\ntime = "os_months"\nevent = "os_event"\n[model]\nformula = "cti2"\n'
        '[estimand]\ntreatment = "cti2"\n'
    )
    for options, months in (((), 3), (("--landmark", 2), 2)):
        out = tmp_path / f"out{months}"
        assert bayesurv("time-zero", plan, *options, "--out", out).code == 0
        assert list(rows(out).index) == ["as given", f"landmark at {months} months"]


def test_the_classical_analysis_and_a_landmark_say_so(guaranteed, tmp_path, bayesurv):
    asked = "classical", guaranteed, *CANCER, "--treatment", "cti2", "--formula", "cti2"
    plain = bayesurv(*asked, "--out", tmp_path / "plain")
    assert "compatible with guaranteed time" in " ".join(plain.out.split())
    later = bayesurv(*asked, "--landmark", 3, "--out", tmp_path / "later")
    assert "Landmark at 3 months, from which time now counts" in later.out
    assert "guaranteed" not in later.out
    assert "landmark = 3.0" in (tmp_path / "later" / "plan.toml").read_text()


def test_a_fit_takes_treatment_from_its_start(waiting, tmp_path, bayesurv):
    """The sampler on start-stop rows with delayed entry: Cox's hazard ratio, drawn to the prior."""
    plan = waiting.with_name("plan.toml")
    plan.write_text(
        '[cohort]\nfile = "waiting.csv"\nunit = "months"\n'
        '[time_zero]\nstart = "start"\nenter_at = 1\n'
        '[endpoint.os]\ntime = "time"\nevent = "event"\n[model]\nformula = "treated"\n'
        '[estimand]\ntreatment = "treated"\n[sampling]\ndraws = 500\ntune = 500\n'
    )
    result = bayesurv("fit", plan, "--out", tmp_path / "fit")
    assert result.code == 0, result.error
    assert "treated from its start (start)" in result.out
    assert "Entry at 1 months at the earliest" in result.out
    ratios = pd.read_csv(tmp_path / "fit" / "os" / "weibull" / "hazard_ratios.csv")
    asked = "--start", "start", "--enter-at", 1, "--out", tmp_path / "out"
    assert bayesurv("time-zero", waiting, *WAITING, *asked).code == 0
    entry = rows(tmp_path / "out").loc["entry at 1 months"]
    assert ratios["hazard_ratio"][0] == pytest.approx(entry["posterior_median"], rel=0.08)
    assert ratios["prob_below_1"][0] == pytest.approx(entry["prob_benefit"], abs=0.08)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--treatment: name the column whose two arms are compared"),
        (("--treatment", "ct2"), "no column 'ct2'"),
        (("--treatment", "everyone"), "column everyone: two arms are compared, but it has 1; name"),
        (("--treatment", "stage"), "column stage: two arms are compared, but it has I, II, III"),
        (("--treatment", "cti2", "--within", 1), "--within: name the column that says when"),
        (("--treatment", "cti2", "--landmark", 70), "nobody is at risk after 70 months"),
        (("--treatment", "cti2", "--landmark", 30), "nobody with cti2 = 1 is left"),
        (("--treatment", "cti2", "--enter-at", -1), "-1 is not above 0, the origin"),
        (("--treatment", "cti2", "--earliest", 9), "--earliest: the earliest death to put back, 9"),
        (("--treatment", "cti2", "--prior", "Gamma(1, 1)"), "--prior: unknown prior 'Gamma'"),
        (("--treatment", "cti2", "--start", "strat"), "column strat: no such column"),
    ],
)
def test_what_is_refused(options, said, guaranteed, tmp_path, bayesurv):
    result = bayesurv("time-zero", guaranteed, *CANCER, *options, "--out", tmp_path / "out")
    assert result.code == 2
    assert said in result.error
    assert "Traceback" not in result.error
    assert not (tmp_path / "out").exists()


def test_starts_that_cannot_be_are_listed_by_row(waiting, tmp_path, bayesurv):
    frame = pd.read_csv(waiting)
    frame.loc[[3, 5], "start"] = [90, -2]
    frame.to_csv(tmp_path / "bad.csv", index=False)
    asked = "--start", "start", "--out", tmp_path / "out"
    result = bayesurv("time-zero", tmp_path / "bad.csv", *WAITING, *asked)
    assert result.code == 2
    assert "bad.csv, row 5, column start: 90.0 is after" in result.error
    assert "bad.csv, row 7, column start: -2.0 is before 0.0" in result.error
    window = bayesurv("time-zero", waiting, *WAITING, "--within", 99, *asked)
    assert "--within: the window 99 is not shorter than follow-up" in window.error
