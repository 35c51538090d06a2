"""`bayesurv fit` of an ensemble: files, sentences, and what it refuses."""

import json

import pandas as pd
import pytest
import xarray as xr

from bayesurv.estimands.pooling import SPREAD
from bayesurv.inference import members
from bayesurv.plots.style import KINDS
from bayesurv.report.ensemble_words import ensemble_sentence, member_sentences

PLAN = """
[cohort]
file = "members.parquet"
unit = "months"
id = "pid"
member = "member"

[endpoint.efs]
time = "efs_months"
event = "efs_event"

[endpoint.os]
time = "os_months"
event = "os_event"

[model]
formula = "cti2 + (1 | centre)"
baseline = ["weibull"]

[priors]
median_survival = {lower = 4, upper = 40}

[estimand]
treatment = "cti2"
horizon = 8
times = [3, 6]

[sampling]
seed = 1
"""
OPTIONS = ("--time", "os_months", "--event", "os_event", "--unit", "months", "--formula", "cti2")


@pytest.fixture(scope="module")
def place(make_ensemble, tmp_path_factory):
    """A folder with the ensemble and a plan."""
    folder = tmp_path_factory.mktemp("ensemble")
    make_ensemble().to_parquet(folder / "members.parquet")
    (folder / "plan.toml").write_text(PLAN)
    return folder


@pytest.fixture(scope="module")
def ran(bayesurv, place):
    """What a run of the plan printed, and its folder."""
    out = place / "out"
    return bayesurv("fit", place / "plan.toml", "--out", out), out


def test_files_are_those_of_a_fit_and_more(ran):
    shown, out = ran
    assert (shown.code, shown.error) == (0, "")
    tables = "parameters hazard_ratios members survival benefit arms diagnostics"
    figures = "survival forest members benefit horizons"
    for endpoint in ("efs", "os"):
        folder = out / endpoint / "weibull"
        expected = {f"{name}.csv" for name in tables.split()}
        expected |= {"posterior.nc", "benefit.txt", "missing_data.txt", "figures"}
        assert {path.name for path in folder.iterdir()} == expected
        drawn = {path.name for path in (folder / "figures").iterdir()}
        assert drawn == {f"{name}.{kind}" for name in figures.split() for kind in KINDS}


def test_tables_tell_within_from_between(ran):
    folder = ran[1] / "os" / "weibull"
    for name in ("parameters", "hazard_ratios", "survival", "benefit", "arms"):
        assert set(SPREAD) <= {*pd.read_csv(folder / f"{name}.csv"), "mcse"}, name
    ratios = pd.read_csv(folder / "hazard_ratios.csv").set_index("term").loc["cti2"]
    assert 0 < ratios["share_between"] < 1
    own = pd.read_csv(folder / "members.csv")
    assert own["hazard_ratio"].min() == pytest.approx(ratios["member_low"], rel=1e-5)
    survival = pd.read_csv(folder / "survival.csv")
    assert survival["time"].unique().tolist() == [3, 6]
    checks = pd.read_csv(folder / "diagnostics.csv")
    assert checks["passed"].all()
    assert (checks["check"] == "r_hat").sum() == 1


def test_draws_are_kept_by_member(ran, bayesurv):
    file = ran[1] / "os" / "weibull" / "posterior.nc"
    with xr.open_datatree(file, engine="h5netcdf") as tree:
        coefficient = tree["posterior"]["coefficient"]
        assert coefficient.dims == ("member", "chain", "draw", "term")
        assert coefficient.sizes["member"] == 6
        assert tree["constant_data"]["member"].to_numpy().max() == 5
        assert tree["observed_data"].sizes["row"] == 6 * 61
        described = json.loads(tree.attrs["bayesurv"])
    assert described["formula"] == "cti2 + (1 | centre)"
    assert described["provenance"]["endpoint"] == "os"
    refused = bayesurv("benefit", file, "--treatment", "cti2", "--out", ran[1] / "no")
    assert refused.code == 2
    assert "the draws of an ensemble" in refused.error


def test_what_is_printed_and_written_says_how_much_is_missing_data(ran):
    shown, out = ran
    printed = " ".join(shown.out.split())
    assert "Pooled over 6 members of 61 patients." in printed
    assert "Pooled over 6 members of equal weight." in printed
    assert "none stands beside these fits" in printed
    said = (out / "os" / "weibull" / "missing_data.txt").read_text("utf-8").splitlines()
    assert said[0].startswith("Of the variance of the log hazard ratios, pooled over 6 members of")
    assert [line.partition(":")[0] for line in said[1:]] == [
        "Hazard ratio",
        "RMST difference to 8 months",
    ]
    benefit = (out / "os" / "weibull" / "benefit.txt").read_text("utf-8")
    assert "Standardised over the 61 patients of each of 6 members, pooled" in benefit
    assert "effect" not in "".join([*said, benefit])


def test_a_run_says_where_it_comes_from_and_is_repeated_by_its_plan(ran, place, bayesurv):
    shown, out = ran
    written = json.loads((out / "provenance.json").read_text("utf-8"))
    fit = written["fits"]["os/weibull"]
    assert (fit["members"], fit["patients"], fit["passed_checks"]) == (6, 61, True)
    assert fit["events"][0] <= fit["events"][1]
    assert fit["sampling"]["draws"] == 1000
    plan = (out / "plan.toml").read_text().replace("[endpoint.efs]\n", "")
    plan = plan.replace('time = "efs_months"\nevent = "efs_event"\n', "")
    (place / "again.toml").write_text(plan)
    again = bayesurv("fit", place / "again.toml", "--out", place / "again")
    assert again.code == 0
    for name in ("hazard_ratios", "benefit", "survival"):
        first, second = (
            where / "os" / "weibull" / f"{name}.csv" for where in (out, place / "again")
        )
        assert first.read_text() == second.read_text()


def test_a_forced_run_is_marked(place, bayesurv, monkeypatch):
    monkeypatch.setattr(members, "MAX_R_HAT", 0.99)
    monkeypatch.setattr(members, "ATTEMPTS", 1)
    ask = ("fit", place / "members.parquet", "--member", "member", *OPTIONS)
    failed = bayesurv(*ask, "--out", place / "failed")
    assert failed.code == 1
    assert "of member" in failed.error
    assert not (place / "failed").exists()
    forced = bayesurv(*ask, "--out", place / "failed", "--force")
    assert forced.code == 0
    assert "FAILED" in forced.out
    assert (place / "failed" / "os" / "weibull" / "FAILED.txt").is_file()


# --- Bad input ---


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('member = "member"', 'member = "membr"'), 'Did you mean "member"?'),
        (('member = "member"\n', ""), "6 synthetic versions of one cohort"),
        (("horizon = 8", "horizon = 15"), "[estimand] horizon: 15 is past the follow-up of a mem"),
        (("times = [3, 6]", "times = [3, 300]"), "[estimand] times: 300 is past the end"),
        (("[sampling]", "[time_zero]\nlandmark = 3\n\n[sampling]"), "[time_zero] is not for ense"),
        (("cti2 + (1", "cti2 + bulk + (1"), "no column 'bulk'"),
    ],
)
def test_faults_of_a_plan_are_found_before_sampling(place, bayesurv, monkeypatch, change, said):
    monkeypatch.setattr(members, "draw", None)
    (place / "bad.toml").write_text(PLAN.replace(*change))
    shown = bayesurv("fit", place / "bad.toml", "--out", place / "bad")
    assert shown.code == 2
    assert said in shown.error
    assert "Traceback" not in shown.error
    assert not (place / "bad").exists()


@pytest.mark.parametrize("command", ["classical", "prior"])
def test_other_commands_take_no_ensemble(place, bayesurv, command):
    shown = bayesurv(command, place / "plan.toml", "--out", place / "other")
    assert shown.code == 2
    assert "member: an ensemble is analysed by bayesurv fit alone" in shown.error


def test_an_ensemble_without_its_column_named_is_refused(place, bayesurv):
    for command in ("fit", "classical"):
        shown = bayesurv(command, place / "members.parquet", *OPTIONS, "--out", place / "other")
        assert shown.code == 2
        assert "--member member" in shown.error


# --- Words ---


def test_without_covariates_there_is_no_share_to_tell(ensemble_fit):
    none = pd.DataFrame(columns=["term", "share_between"])
    assert ensemble_sentence(ensemble_fit, none) == "Pooled over 6 members of 61 patients."


def test_words_of_what_is_unknown():
    row = {"estimate": 1.2, "lower": 0.5, "upper": 2.0, "share_between": float("nan")}
    row |= {"member_low": 1.0, "member_high": 1.4, "probability": 0.2}
    row |= {"prob_low": 0.0, "prob_high": 0.5, "horizon": 12.0}
    table = pd.DataFrame([{"quantity": name, **row} for name in QUANTITIES])
    first, second = member_sentences(table, "months")
    assert first.startswith("Marginal hazard ratio to 12 months: 1.20 (95% CrI 0.50–2.00), an un")
    assert second.endswith("probability of benefit 0.20; that of single members <0.001 to 0.50.")


QUANTITIES = ("marginal_hazard_ratio", "rmst_difference")
