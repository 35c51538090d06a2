"""`bayesurv reproduce`, typed once on three members: every file, against what it should hold."""

import json

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.published.ensemble import REBUILT_BY, shipped_ensemble
from bayesurv.estimands.pooling import SPREAD
from bayesurv.frequentist.cox import cox
from bayesurv.plots.style import KINDS
from bayesurv.report.reproduce_index import FILES

MEMBERS = 3
TOP = {
    "README.txt", "answer.txt", "classical.csv", "detector.csv", "efs", "external.csv", "flow.csv",
    "hazard_ratios.csv", *(f"hazard_ratios.{kind}" for kind in KINDS), "os", "pfs",
    "prior_sensitivity.csv", "provenance.json", "responses.csv", "selection.csv",
    *(f"selection.{kind}" for kind in KINDS), "table1.csv", "table2.csv",
    "time_zero.csv", "variance.csv", "verdicts.csv", "verdicts.txt", "report.html", "tables",
}  # fmt: skip
OF_A_FIT = {
    "posterior.nc", "parameters.csv", "hazard_ratios.csv", "survival.csv", "benefit.csv",
    "diagnostics.csv", "figures", "arms.csv", "members.csv", "benefit.txt", "missing_data.txt",
}  # fmt: skip
FITS = [
    *(f"{endpoint}/{baseline}" for endpoint in ("efs", "pfs", "os")
      for baseline in ("weibull", "piecewise-exponential")),
    "os/weibull-unadjusted", "os/piecewise-exponential-unadjusted",
]  # fmt: skip


@pytest.fixture(scope="module")
def ran(bayesurv, tmp_path_factory):
    """What a run printed, and its folder."""
    out = tmp_path_factory.mktemp("reproduce") / "out"
    shown = bayesurv("reproduce", "--members", MEMBERS, "--seed", 3, "--out", out)
    assert (shown.code, shown.error) == (0, "")
    return shown.out, out


@pytest.fixture(scope="module")
def read(ran):
    return lambda name: pd.read_csv(ran[1] / name)


@pytest.fixture(scope="module")
def patients():
    table = shipped_ensemble()
    return [table[table["member"] == member] for member in range(MEMBERS)]


def words(text):
    return " ".join(text.split())


# --- The folder ---


def test_every_file_is_there_and_in_the_index(ran):
    _, out = ran
    assert {path.name for path in out.iterdir()} == TOP
    listed = set()
    for names in FILES:
        first, *more = names.split(", ")
        listed |= {first, *(first.split(".")[0] + n if n.startswith(".") else n for n in more)}
    assert TOP - {"efs", "pfs", "os"} <= listed
    assert all(name.split("/")[0] in TOP | {"<endpoint>"} for name in listed)


@pytest.mark.parametrize("fit", FITS)
def test_every_fit_has_the_files_of_the_contract(ran, fit):
    _, out = ran
    assert {path.name for path in (out / fit).iterdir()} == OF_A_FIT
    ratios = pd.read_csv(out / fit / "hazard_ratios.csv")
    assert list(ratios)[:6] == [
        "term", "hazard_ratio", "lower", "upper", "prob_below_1", "ci_prob",
    ]  # fmt: skip
    assert set(SPREAD) <= set(ratios)
    assert pd.read_csv(out / fit / "members.csv")["member"].nunique() == MEMBERS
    diagnostics = pd.read_csv(out / fit / "diagnostics.csv")
    assert diagnostics["passed"].all()


def test_nothing_names_the_machine(ran):
    _, out = ran
    for path in out.rglob("*"):
        if path.suffix in (".csv", ".txt"):
            text = path.read_text(encoding="utf-8")
            assert str(out.parent) not in text
            assert "/home/" not in text
            assert "site-packages" not in text


def test_provenance(ran):
    found = json.loads((ran[1] / "provenance.json").read_text(encoding="utf-8"))
    assert found["seed"] == 3
    assert found["ensemble"]["members"] == MEMBERS
    assert found["ensemble"]["rebuilt_by"] == REBUILT_BY
    assert len(found["ensemble"]["rows_sha256"]) == 64
    assert set(found["fits"]) == set(FITS)
    assert all(each["passed_checks"] for each in found["fits"].values())
    assert set(found["files"]) == TOP


def test_profiles_are_of_both_arms(read):
    survival = read("os/weibull/survival.csv")
    assert survival["profile"].nunique() == 6
    at_once = survival[survival["time"] == 0]
    assert (at_once["mean"] == 1).all()
    worst, best = (
        survival[
            (survival["profile"] == f"stage IV, {who}, other salvage") & (survival["time"] == 12)
        ]
        for who in ("bulky, NR to CTI1", "not bulky, CR to CTI1")
    )
    assert worst["mean"].item() < best["mean"].item()


# --- The numbers ---


def test_classical_is_recomputed(read, patients):
    table = read("classical.csv")
    row = table[
        (table["endpoint"] == "os") & (table["analysis"] == "Cox, univariable")
        & (table["term"] == "cti2")
    ].iloc[0]  # fmt: skip
    found = [
        cox(own["os_months"], own["os_event"], own[["cti2"]], ["cti2"], ties="breslow")
        for own in patients
    ]
    ratios = [float(np.exp(fit.coefficient[0])) for fit in found]
    p = [float(fit.p()[0]) for fit in found]
    assert row["hazard_ratio_low"] == pytest.approx(min(ratios))
    assert row["hazard_ratio_high"] == pytest.approx(max(ratios))
    assert row["p_median"] == pytest.approx(np.median(p))
    assert row["published_p"] == "0.048"
    assert 1.75 <= min(ratios) <= max(ratios) <= 1.90
    errors = [float(fit.standard_error[0]) for fit in found]
    assert 0.31 <= min(errors) <= max(errors) <= 0.33


def test_every_member_has_the_log_rank_p(read):
    table = read("classical.csv")
    rows = table[table["analysis"] == "log-rank"]
    assert rows["published_p"].tolist() == ["0.048", "0.057", "0.007"]
    assert (rows["same_p"] == 1).all()


def test_stage_cut_at_three_is_shown_with_firth(read):
    table = read("classical.csv")
    cut = table[table["term"] == "stage >= III"]
    assert set(cut["firth"]) == {True, False}
    assert (cut.loc[cut["firth"], "infinite"] == 0).all()
    firth = cut[cut["firth"]]
    assert np.isfinite(firth[["hazard_ratio_low", "hazard_ratio_high", "p_median"]]).all(axis=None)


def test_landmark_is_cox_of_those_left_at_three_months(read, patients):
    zero = read("time_zero.csv").set_index("analysis")
    ratios = []
    for own in patients:
        left = own[own["os_months"] > 3]
        fit = cox(left["os_months"] - 3, left["os_event"], left[["cti2"]], ["cti2"])
        ratios.append(float(np.exp(fit.coefficient[0])))
    landmark = zero.loc["landmark at 3 months"]
    assert landmark["member_low"] == pytest.approx(min(ratios))
    assert landmark["hazard_ratio"] == pytest.approx(np.exp(np.mean(np.log(ratios))))
    assert 1.3 < landmark["hazard_ratio"] < 1.8
    entry = zero.loc["entry at 3 months"]
    assert entry["hazard_ratio"] == pytest.approx(landmark["hazard_ratio"])
    assert landmark["hazard_ratio"] < zero.loc["as given", "hazard_ratio"]


def test_nobody_without_cti2_leaves_early(read):
    arms = read("detector.csv").set_index("arm")
    assert arms.loc["cti2 = 0", "first_exit_low"] == 3.0
    assert arms.loc["cti2 = 0", "improbable"] == 1
    assert arms.loc["cti2 = 1", "improbable"] == 0


def test_deaths_put_back(read, patients):
    table = read("selection.csv").set_index("added")
    assert list(table.index) == list(range(16))
    assert table.loc[4, "hazard_ratio"] == pytest.approx(1.5, abs=0.1)
    assert (table["hazard_ratio"].diff().dropna() < 0).all()
    assert (table["prob_benefit"].diff().dropna() > 0).all()
    given = [
        cox(own["os_months"], own["os_event"], own[["cti2"]], ["cti2"]).coefficient[0]
        for own in patients
    ]
    assert table.loc[0, "hazard_ratio"] == pytest.approx(np.exp(np.mean(given)), rel=1e-4)
    assert table.loc[0, "between_sd"] == pytest.approx(
        np.std(given, ddof=1) * np.sqrt(1 + 1 / MEMBERS), rel=1e-3
    )


def test_external_evidence_is_dropped(read):
    table = read("external.csv").set_index("estimate")
    assert (table["in_conflict"] == 1).all()
    assert (table["posterior_weight_high"] < 0.002).all()
    adjusted = table.loc["members, adjusted"]
    assert adjusted["borrowing"] == pytest.approx(adjusted["without"], abs=0.01)
    assert adjusted["pooled"] == pytest.approx(0.63, abs=0.02)
    assert adjusted["hazard_ratio"] == pytest.approx(1.665, abs=0.03)


def test_variance_is_that_of_the_fits(read):
    table = read("variance.csv")
    own = table[table["quantity"] == "hazard ratio of cti2"]
    assert len(own) == len(FITS)
    for row in own.itertuples():
        name = row.baseline if row.model == "adjusted" else f"{row.baseline}-{row.model}"
        ratios = read(f"{row.endpoint}/{name}/hazard_ratios.csv").set_index("term").loc["cti2"]
        assert row.estimate == pytest.approx(ratios["hazard_ratio"])
        assert row.probability_of_benefit == pytest.approx(ratios["prob_below_1"])
        sds = row.within_sd**2 + row.between_sd**2
        assert row.share_between == pytest.approx(row.between_sd**2 / sds)
    adjusted = own[(own["endpoint"] == "os") & (own["model"] == "adjusted")]
    assert adjusted["estimate"].between(1.2, 1.75).all()
    unadjusted = own[own["model"] == "unadjusted"]
    assert (unadjusted["estimate"].to_numpy() > adjusted["estimate"].to_numpy()).all()
    assert {"rmst difference", "survival difference"} < set(table["quantity"])


def test_the_forest_has_every_fit(read):
    ratios = read("hazard_ratios.csv")
    assert ratios["term"].is_unique
    assert len(ratios) == len(FITS) + 4
    assert ratios["term"].str.split(",").str[0].tolist() == ["EFS"] * 2 + ["PFS"] * 2 + ["OS"] * 8
    assert (
        (ratios["lower"] < ratios["hazard_ratio"]) & (ratios["hazard_ratio"] < ratios["upper"])
    ).all()


def test_verdicts(ran, read):
    table = read("verdicts.csv")
    kinds = {"reproduced", "consistent", "not reproducible", "contradicted"}
    assert set(table["verdict"]) == kinds
    assert (ran[1] / "verdicts.txt").read_text(encoding="utf-8").strip()


# --- The words ---


def test_the_screen_and_the_file_say_the_same(ran):
    shown, out = ran
    told = (out / "answer.txt").read_text(encoding="utf-8")
    assert words(told.splitlines()[0]) in words(shown)
    for part in ("Time zero:", "Selection:", "External evidence:", "synthetic", "association"):
        assert part in told
        assert part in shown


def test_the_headline_is_of_the_numbers(ran, read):
    told = (ran[1] / "answer.txt").read_text(encoding="utf-8").splitlines()[0]
    ratios = read("os/weibull/hazard_ratios.csv").set_index("term").loc["cti2"]
    span = f"{ratios['lower']:.2f}–{ratios['upper']:.2f}"
    assert f"{ratios['hazard_ratio']:.2f} (Weibull; 95% CrI {span}" in told
    assert f"{MEMBERS} synthetic cohorts" in told


def test_no_word_claims_an_effect(ran):
    told = (ran[1] / "answer.txt").read_text(encoding="utf-8").lower()
    own = [line for line in told.splitlines() if "statements" not in line]
    assert not any(word in line for line in own for word in (" effect", "proves", "significant"))


# --- What it refuses ---


def test_too_many_members_are_refused_and_nothing_is_written(bayesurv, tmp_path):
    out = tmp_path / "out"
    shown = bayesurv("reproduce", "--members", 100_000, "--out", out)
    assert shown.code == 2
    assert shown.error.startswith("Error: --members: 100000 is not from 2 to ")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_other_files_is_refused(bayesurv, tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    shown = bayesurv("reproduce", "--out", tmp_path)
    assert shown.code == 2
    assert "holds files that bayesurv did not write" in shown.error
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_another_table_is_refused(bayesurv, tmp_path, cohort_csv):
    shown = bayesurv("reproduce", "--ensemble", cohort_csv, "--out", tmp_path / "out")
    assert shown.code == 2
    assert "no such column, which an ensemble of the paper has" in shown.error
    assert "Traceback" not in shown.error
    assert not (tmp_path / "out").exists()


def test_help_explains_every_option(bayesurv):
    shown = bayesurv("reproduce", "--help")
    assert shown.code == 0
    for option in ("ensemble", "members", "seed", "out"):
        assert f"--{option} " in shown.out
