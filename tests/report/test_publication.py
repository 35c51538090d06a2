"""Which tables a folder gives, and that their strings are the numbers of its files."""

import json
import math
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.faults import InputError
from bayesurv.data.published import wang_2025
from bayesurv.plan import Plan
from bayesurv.report.publication import PaperTable, paper_table_html, paper_tables
from bayesurv.report.publication_read import Fitted, prior_notes
from bayesurv.report.publication_words import (
    chance,
    duration_in,
    estimate,
    p,
    p_range,
    points,
    ratio,
    term,
)
from bayesurv.report.published import recomputed
from bayesurv.report.reproduce_classical import classical_members
from bayesurv.report.reproduce_input import read_members
from bayesurv.report.reproduce_tables import adverse_event_rows, baseline_rows
from bayesurv.report.run import run_plan


@pytest.fixture(scope="module")
def fitted(make_cohort, tmp_path_factory):
    """A run of two baselines with a treatment."""
    base = tmp_path_factory.mktemp("publication")
    make_cohort().to_csv(base / "cohort.csv", index=False)
    options = {
        "file": base / "cohort.csv", "time": "os_months", "event": "os_event", "unit": "months",
        "formula": "cti2 + bulky", "treatment": "cti2", "draws": 500, "tune": 500, "horizon": 12,
        "times": [0, 6, 12],
    }  # fmt: skip
    baselines = ["weibull", "piecewise-exponential"]
    run_plan(Plan.from_options("os", **options, baseline=baselines), base / "out")
    return base / "out"


@pytest.fixture
def folder(fitted, tmp_path):
    """A copy to damage."""
    return shutil.copytree(fitted, tmp_path / "out")


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    """What `reproduce` writes without a sampler, and one pooled fit as it writes them."""
    out = tmp_path_factory.mktemp("reproduced")
    members, published = read_members(None, 3), wang_2025()
    tests = recomputed(published)
    baseline_rows(published, tests, members.cohorts).to_csv(out / "table1.csv", index=False)
    adverse_event_rows(published, tests).to_csv(out / "table2.csv", index=False)
    classical_members(members).to_csv(out / "classical.csv", index=False)
    place = out / "os" / "weibull"
    place.mkdir(parents=True)
    terms = ["cti2", "bulky", "I(stage - 3)"]
    ratios = {
        "term": terms, "hazard_ratio": [1.403, 2.55, 2.02], "lower": [0.713, 1.14, 1.17],
        "upper": [2.743, 5.55, 3.7], "prob_below_1": [0.156, 0.011, 0], "ci_prob": 0.9,
    }  # fmt: skip
    pd.DataFrame(ratios).to_csv(place / "hazard_ratios.csv", index=False)
    row = {"quantity": "rmst_difference", "margin": 0, "horizon": 12, "estimate": -0.77,
           "lower": -2.34, "upper": 0.94, "probability": 0.173, "mcse": 0.0056,
           "prob_low": 0.0131, "prob_high": 0.5263}  # fmt: skip
    pd.DataFrame([row]).to_csv(place / "benefit.csv", index=False)
    described = {"events": [41, 43], "priors": {"coefficient": "Normal(0, 0.75)"},
                 "passed_checks": False}  # fmt: skip
    mark = {"bayesurv": "0", "ensemble": {"members": 3, "patients": 61},
            "fits": {"os/weibull": described}, "files": []}  # fmt: skip
    (out / "provenance.json").write_text(json.dumps(mark), encoding="utf-8")
    return out


# --- A fit ---


def test_a_fit_with_a_treatment_gives_all_of_its_tables(fitted):
    found = paper_tables(fitted)
    assert set(found) == {
        "hazard_ratios_os", "kaplan_meier_os",
        "milestones_os_weibull", "benefit_os_weibull",
        "milestones_os_piecewise-exponential", "benefit_os_piecewise-exponential",
    }  # fmt: skip
    for table in found.values():
        assert isinstance(table, PaperTable)
        assert re.fullmatch(r"61 patients, \d+ events", table.subtitle)
        assert table.frame.map(lambda cell: isinstance(cell, str) and cell != "").all(axis=None)
        assert not table.frame.map(lambda cell: "nan" in cell or "inf" in cell).any(axis=None)
        assert set(table.labels) == set(table.frame.columns)
        assert any("Normal(0, 0.75)" in note for note in table.footnotes)
        assert len(paper_table_html(table)) < 20_000


def test_hazard_ratios_are_those_of_the_files_and_each_interval_has_its_name(fitted):
    table = paper_tables(fitted)["hazard_ratios_os"]
    own = table.frame.set_index("term")
    classical = pd.read_csv(fitted / "classical.csv")
    for method in ("cox", "cox-univariable"):
        rows = classical[classical["method"] == method].set_index("term")
        name = method.replace("-", "_")
        assert table.label(f"{name}_hr") == "HR (95% CI)"
        for each, row in rows[rows.index != "all terms"].iterrows():
            shown = f"{row['estimate']:.2f} ({row['lower']:.2f}–{row['upper']:.2f})"
            assert own.loc[each, f"{name}_hr"] == shown
            assert own.loc[each, f"{name}_p"] == p(row["p"])
    for baseline in ("weibull", "piecewise-exponential"):
        rows = pd.read_csv(fitted / "os" / baseline / "hazard_ratios.csv").set_index("term")
        name = baseline.replace("-", "_")
        assert table.label(f"{name}_hr") == "HR (95% CrI)"
        for each, row in rows.iterrows():
            shown = ratio([row["hazard_ratio"], row["lower"], row["upper"]])
            assert own.loc[each, f"{name}_hr"] == shown
            assert own.loc[each, f"{name}_probability"] == chance(row["prob_below_1"])
    overs = [over for over, _ in table.spanners]
    assert overs == [
        "Cox model, univariable", "Cox model, multivariable", "Bayesian model, Weibull",
        "Bayesian model, piecewise exponential",
    ]  # fmt: skip
    assert any("univariable hazard ratios are of the Cox model alone" in n for n in table.footnotes)


def test_milestones_have_both_arms_their_difference_and_the_probability(fitted):
    table = paper_tables(fitted)["milestones_os_weibull"]
    rows = table.frame.set_index("quantity")
    assert list(rows.index[:3]) == ["RMST to 12 months", "Survival at 6 months",
                                    "Survival at 12 months"]  # fmt: skip
    assert rows.index[3] == "Median, months"
    arms = pd.read_csv(fitted / "os" / "weibull" / "arms.csv")
    rmst = arms[(arms["quantity"] == "rmst") & (arms["arm"] == "cti2 = 1")].iloc[0]
    shown = f"{rmst['estimate']:.1f} ({rmst['lower']:.1f}–{rmst['upper']:.1f})"
    assert rows.loc["RMST to 12 months", "cti2 = 1"] == shown
    benefit = pd.read_csv(fitted / "os" / "weibull" / "benefit.csv")
    gain = benefit[(benefit["quantity"] == "survival_difference") & (benefit["horizon"] == 6)]
    assert rows.loc["Survival at 6 months", "p_benefit"] == chance(gain["probability"].iloc[0])
    assert rows.loc["Survival at 6 months", "difference"].endswith(" points")
    assert table.label("difference") == "Difference (95% CrI)"


def test_benefit_has_every_margin_of_the_file(fitted):
    table = paper_tables(fitted)["benefit_os_weibull"]
    benefit = pd.read_csv(fitted / "os" / "weibull" / "benefit.csv")
    assert len(table.frame) == len(benefit)
    assert table.frame["probability"].tolist() == [chance(each) for each in benefit["probability"]]
    asked = table.frame.loc[table.frame["quantity"] == "Hazard ratio, conditional", "benefit"]
    assert asked.tolist() == ["below 1", "below 0.8", "within 0.8–1.25"]
    assert any("Monte-Carlo error" in note for note in table.footnotes)


def test_kaplan_meier_stands_beside_every_fit(fitted):
    table = paper_tables(fitted)["kaplan_meier_os"]
    assert list(table.frame) == ["group", "quantity", "kaplan_meier", "weibull",
                                 "piecewise_exponential"]  # fmt: skip
    assert table.label("kaplan_meier") == "Kaplan–Meier (95% CI)"
    assert table.label("weibull") == "Weibull (95% CrI)"
    assert not table.frame["quantity"].str.contains(" 0 months").any()
    beside = pd.read_csv(fitted / "os" / "side_by_side.csv")
    median = beside[(beside["quantity"] == "median survival") & (beside["of"] == "cti2 = 1")].iloc[
        0
    ]
    rows = table.frame.set_index(["group", "quantity"])
    shown = rows.loc[("cti2 = 1", "Median, months"), "kaplan_meier"]
    assert shown.startswith(f"{median['classical']:.1f} ({median['classical_lower']:.1f}")


def test_without_the_classical_analysis_it_is_said(folder):
    (folder / "classical.csv").unlink()
    (folder / "os" / "side_by_side.csv").unlink()
    shutil.rmtree(folder / "os" / "piecewise-exponential")
    found = paper_tables(folder)
    assert set(found) == {"hazard_ratios_os", "milestones_os_weibull", "benefit_os_weibull"}
    table = found["hazard_ratios_os"]
    assert list(table.frame) == ["term", "weibull_hr", "weibull_probability"]
    assert any("No classical analysis" in note for note in table.footnotes)


def test_where_cox_has_no_maximum_it_is_said_and_firth_stands_beside(folder):
    path = folder / "classical.csv"
    table = pd.read_csv(path)
    infinite = (table["method"] == "cox") & (table["term"] == "bulky")
    table.loc[infinite, ["estimate", "lower", "upper", "p"]] = np.nan
    table.to_csv(path, index=False)
    shown = paper_tables(folder)["hazard_ratios_os"].frame.set_index("term")
    assert shown.loc["bulky", "cox_hr"] == "not estimable"
    assert shown.loc["bulky", "cox_p"] == "–"
    assert shown.loc["bulky", "cox_firth_hr"][0].isdigit()


def test_a_failed_fit_is_marked_in_each_of_its_tables(folder):
    path = folder / "provenance.json"
    mark = json.loads(path.read_text("utf-8"))
    mark["fits"]["os/weibull"]["passed_checks"] = False
    path.write_text(json.dumps(mark), encoding="utf-8")
    for stem, table in paper_tables(folder).items():
        failed = any("do not report these numbers" in note for note in table.footnotes)
        assert failed == ("piecewise" not in stem)


# --- Bad input ---


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("os/weibull/hazard_ratios.csv", "hazard_ratio,", "ratio,", "column hazard_ratio: no such"),
        ("os/weibull/hazard_ratios.csv", "\ncti2,", "\ncti2,much", "row 2, column hazard_ratio"),
        ("os/weibull/benefit.csv", "rmst_ratio", "rmst_odds", '"rmst_odds" is not known'),
        ("os/weibull/arms.csv", "median", "mode", '"mode" is not known'),
        ("classical.csv", "\nos,bulky,cox,", f"\nos,bulky,cox{20 * ','}", "cannot be read"),
        ("provenance.json", "{", "", "cannot be read"),
        ("provenance.json", '"fits": {', '"fits": 1, "no": {', "does not say which fits"),
    ],
)
def test_a_damaged_file_is_named_with_the_remedy(folder, file, old, new, said):
    path = folder / file
    text = path.read_text("utf-8")
    path.write_text(text.replace(old, new, 1) if new else text[5:], encoding="utf-8")
    with pytest.raises(InputError) as raised:
        paper_tables(folder)
    for part in (said, str(path), "run the command again that wrote the folder"):
        assert part in str(raised.value)


def test_an_empty_file_is_damaged(folder):
    (folder / "os" / "weibull" / "arms.csv").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="arms.csv: cannot be read"):
        paper_tables(folder)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"has no provenance.json; name a folder that bayesurv"):
        paper_tables(tmp_path)


# --- A reproduction ---


def test_the_published_p_stands_beside_the_recomputed_one(reproduced):
    found = paper_tables(reproduced)
    assert set(found) == {"baseline", "adverse_events", "hazard_ratios_os", "cox_os",
                          "benefit_os_weibull"}  # fmt: skip
    rows = found["baseline"].frame.set_index(["item", "level"])
    shown = rows.loc[("TP53 disruption", "yes"), ["CTI2", "published_p", "recomputed_p"]]
    assert shown.tolist() == ["12/27 (44%)", "0.084", "0.084"]
    assert rows.loc[("age", "median (range), years"), "non-CTI2"] == "50 (17–72)"
    assert rows.loc[("stage ≥ III at onset", "yes"), "smd"] == "−0.32 (−0.83 to 0.18)"
    events = found["adverse_events"].frame.set_index(["item", "level"])
    assert events.loc[("deaths", "yes"), "published_p"] == "–"
    assert found["baseline"].subtitle == "61 patients"


def test_cox_models_over_members_have_ranges_and_no_interval(reproduced):
    found = paper_tables(reproduced)
    rows = found["cox_os"].frame.set_index("term")
    classical = pd.read_csv(reproduced / "classical.csv")
    of = (classical["endpoint"] == "os") & (classical["analysis"] == "Cox, multivariable")
    row = classical[of & (classical["term"] == "cti2") & (classical["stage"] == "I to IV")].iloc[0]
    low, middle, high = (row[f"hazard_ratio_{end}"] for end in ("low", "median", "high"))
    assert rows.loc["cti2", "cox_hr"] == f"{middle:.2f} ({low:.2f}–{high:.2f})"
    assert rows.loc["cti2", "cox_published_p"] == "0.115"
    assert "CI" not in " ".join(found["cox_os"].labels.values())
    table = found["hazard_ratios_os"]
    shown = table.frame.set_index("term")
    assert shown.loc["cti2", "weibull_hr"] == "1.40 (0.71–2.74)"
    assert shown.loc["stage", "weibull_probability"] == "<0.001"
    assert shown.loc["hsct_bridging", "weibull_hr"] == "–"
    assert table.label("weibull_hr") == "HR (90% CrI)"
    assert table.subtitle == "61 patients, 41–43 events"
    assert any("Pooled over 3 synthetic cohorts" in note for note in table.footnotes)


def test_benefit_over_members_has_their_range(reproduced):
    row = paper_tables(reproduced)["benefit_os_weibull"].frame.iloc[0].to_dict()
    assert row == {
        "quantity": "RMST difference to 12 months", "estimate": "−0.8 (−2.3 to 0.9)",
        "benefit": "above 0 months", "probability": "0.17", "cohorts": "0.01–0.53",
    }  # fmt: skip


# --- `bayesurv tables` ---


def test_the_folder_of_a_baseline_table_gives_it(bayesurv, tmp_path, cohort_csv):
    out = tmp_path / "answer"
    asked = ("--by", "cti2", "--columns", "age,bulky,stage", "--out", out)
    assert bayesurv("tables", cohort_csv, *asked).code == 0
    (table,) = paper_tables(out).values()
    written = pd.read_csv(out / "baseline.csv", keep_default_na=False)
    assert table.frame["variable"].tolist() == ["age", "bulky", *["stage"] * 4]
    column = "cti2 1 (N=27)"
    assert table.frame[column].tolist() == written[column].tolist()
    assert "61 patients of cohort.csv by cti2" in table.subtitle
    assert any("Numbers are shown as median (minimum to maximum)." in n for n in table.footnotes)


# --- Words ---


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (ratio([1.54, 0.86, 2.75]), "1.54 (0.86–2.75)"),
        (ratio([math.inf] * 3), "not estimable"),
        (ratio([2, 1, math.inf]), "2.00 (1.00 to not estimable)"),
        (ratio([math.nan] * 3), "–"),
        (ratio([2, math.nan, math.nan]), "2.00"),
        (estimate([-0.77, -2.34, 0.94], duration_in("months"), "no"), "−0.8 (−2.3 to 0.9)"),
        (estimate([-0.01, -1, 1], duration_in("months"), "no"), "0.0 (−1.0 to 1.0)"),
        (estimate([219.2, 163.6, 269], duration_in("days"), "no"), "219 (164–269)"),
        (points(-0.0948), "−9.5"),
        (chance(0), "<0.001"),
        (chance(1), ">0.999"),
        (chance(math.nan), "–"),
        (p(0), "<0.001"),
        (p(math.nan), "–"),
        (p_range(0.0288, 0.0278, 0.0297), "0.029 (0.028–0.030)"),
        (p_range(0.0002, 0, 0.0004), "<0.001"),
        (term("stage[IV]"), "stage = IV"),
        (term("I(stage - 3)"), "stage"),
        (term("cti2:bulky"), "cti2 × bulky"),
    ],
)
def test_cells_have_one_style(cell, text):
    assert cell == text


def test_priors_of_all_fits_are_told_once():
    common = {"coefficient": "Normal(0, 0.75)", "coefficient[bulky]": "Normal(0, 0.25)"}
    median = {"median_survival": "MedianSurvival(0.724947716577236, 290, 0.95)"}
    fits = [Fitted("os/weibull", {"priors": {**common, "shape": "LogNormal(0, 0.5)"}}),
            Fitted("os/piecewise-exponential", {"priors": common | median})]  # fmt: skip
    assert list(prior_notes(fits)) == [
        "Priors: log hazard ratio Normal(0, 0.75); log hazard ratio of bulky Normal(0, 0.25).",
        "Priors of Weibull besides: Weibull shape LogNormal(0, 0.5).",
        "Priors of piecewise exponential besides: reference median survival between 0.725 and 290 "
        "with probability 0.95.",
    ]
