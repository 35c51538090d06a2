"""The answer on benefit: its words, its tables, and what it refuses."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.estimands.margins import Margins
from bayesurv.plots.style import KINDS
from bayesurv.report.benefit import benefit_answer, cohort_benefit
from bayesurv.saved import load, save

UNIT = {"days": 30.4375, "months": 1.0, "years": 1 / 12}


def stated_fit(
    formula="cti2", log_ratio=-0.5, *, unit="months", endpoint="os", rate=0.08, **values
):
    """A fit of an exponential model whose draws are about a stated log hazard ratio."""
    scale = UNIT[unit]
    time = np.append(np.linspace(3, 40, 34), np.linspace(1, 24, 27)) * scale
    frame = pd.DataFrame({"time": time, "event": 1, "cti2": np.repeat([0, 1], [34, 27])})
    frame["arm"] = np.where(frame["cti2"] == 1, "second CAR-T", "other")
    frame["age"] = np.resize([50.0, 60, 70, 55], 61)
    frame["regimen"] = np.resize(["BsAb", "CAR-T", "chemo"], 61)
    cohort = bs.Cohort.from_frame(
        frame, time="time", event="event", unit=unit, reference={"arm": "other"}
    )
    fit = bs.prior(cohort, formula, baseline=bs.Exponential(), draws=400)
    posterior = fit.draws["posterior"]
    posterior["intercept"][:] = np.log(rate / scale)
    if "coefficient" in posterior:
        posterior["coefficient"][:] = 0.0
        posterior["coefficient"][..., 0] = log_ratio + np.linspace(-0.4, 0.4, 400)
    for name, value in values.items():
        posterior[name][:] = value
    fit.draws.attrs["bayesurv"] = json.dumps({"provenance": {"endpoint": endpoint}})
    return fit


def sentences(fit, treatment="cti2", horizon=12, **options):
    return re.split(
        r"(?<=[.]) (?=[A-Z])", benefit_answer(fit, treatment, horizon, **options).sentence
    )


def refused(fit, treatment="cti2", horizon=12, **options):
    with pytest.raises(bs.InputError) as caught:
        benefit_answer(fit, treatment, horizon, **options)
    return [str(fault) for fault in caught.value.faults]


# --- Words ---


def test_a_gain():
    said = sentences(stated_fit(), rmst_margin=1.0)
    assert said == [
        "Over the first 12 months, cti2 = 1 was associated with 1.4 months more overall survival "
        "time than cti2 = 0 (difference 1.4 months, 95% CrI 0.4–2.2); posterior probability of "
        "any gain >0.999, of a gain above 1 month 0.69.",
        "Overall survival at 12 months: 56% with cti2 = 1 and 38% with cti2 = 0 (difference 18 "
        "percentage points, 95% CrI 4–29).",
        "Median 14.3 months (95% CrI 9.8–20.9) with cti2 = 1 and 8.7 months (95% CrI 8.7–8.7)"
        " with cti2 = 0.",
        "Hazard ratio 0.61 (95% CrI 0.41–0.89); P(HR < 1) >0.999, P(HR < 0.8) 0.84, "
        "P(0.8 < HR < 1.25) 0.15.",
        "Standardised over the 61 patients of the cohort; prior of the log hazard ratio "
        "Normal(0, 0.75).",
    ]


def test_a_loss_and_hardly_a_difference():
    [loss, *_] = sentences(stated_fit(log_ratio=0.5))
    assert "was associated with 1.7 months less overall survival time than cti2 = 0" in loss
    assert "(difference -1.7 months, 95% CrI -3.0 to -0.4)" in loss
    assert "of any gain <0.001." in loss
    [none, *_] = sentences(stated_fit(log_ratio=0.0))
    assert "was associated with about as much overall survival time as cti2 = 0" in none
    assert "(difference 0.0 months, " in none


@pytest.mark.parametrize("log_ratio", [-0.5, 0.5])
def test_no_words_that_claim_an_effect_or_call_a_hazard_ratio_a_risk(log_ratio):
    text = benefit_answer(stated_fit(log_ratio=log_ratio), "cti2", 12).sentence.lower()
    assert not re.search(r"effect|benefit|risk|cause|would|significan|prove", text)


def test_a_stated_causal_estimand():
    said = sentences(stated_fit(), causal="no confounding given age.")
    assert "cti2 = 1 would give 1.4 months more overall survival time" in said[0]
    assert "associated" not in said[0]
    end = "This is what the treatment would change, provided that: no confounding given age."
    assert said[-1] == end


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("EFS", "event-free survival"),
        ("ttnt", "survival (ttnt)"),
        (None, "survival"),
    ],
)
def test_what_survives(endpoint, name):
    said = sentences(stated_fit(endpoint=endpoint))
    assert f"months more {name} time than" in said[0]
    assert said[1].startswith(f"{name[0].upper()}{name[1:]} at 12 months: ")


@pytest.mark.parametrize(
    ("unit", "horizon", "said"),
    [("days", 365, "42 days more"), ("years", 1, "0.12 years more")],
)
def test_other_units(unit, horizon, said):
    [first, second, *_] = sentences(stated_fit(unit=unit), horizon=horizon)
    assert said in first
    assert {"days": "at 365 days:", "years": "at 1 year:"}[unit] in second
    assert {"days": "first 365 days,", "years": "first year,"}[unit] in first


def test_levels_of_a_category():
    said = sentences(stated_fit("arm"), "arm")
    assert "arm = second CAR-T was associated with 1.4 months more" in said[0]
    assert said[3].startswith("Hazard ratio 0.61 (95% CrI 0.41–0.89); ")


def test_covariates_that_the_hazard_ratio_holds_equal():
    said = sentences(stated_fit("cti2 + scale(age) + regimen"))
    assert said[3].startswith("Hazard ratio at equal age, regimen 0.61 (95% CrI ")
    assert said[-1].endswith("prior of the log hazard ratio Normal(0, 0.75).")


def test_a_hazard_ratio_that_is_modified():
    said = sentences(stated_fit("cti2 * scale(age)"))
    assert said[3] == (
        "No one hazard ratio holds for all (cti2, cti2:scale(age)); the marginal hazard ratio up "
        "to 12 months is 0.61 (95% CrI 0.41–0.89); P(HR < 1) >0.999, P(HR < 0.8) 0.84."
    )
    prior = "prior of the log hazard ratio of cti2, cti2:scale(age) Normal(0, 0.75)."
    assert said[4].endswith(prior)


def test_medians_that_are_not_reached():
    rates = np.log(np.linspace(0.02, 0.08, 400))
    said = sentences(stated_fit(intercept=rates, log_ratio=-1.5))
    assert said[2] == (
        "Median not reached by 24 months (probability >0.999) with cti2 = 1 and 13.8 months (95% "
        "CrI 8.8 to not reached by 24, probability 0.15) with cti2 = 0."
    )


def test_priors_of_each_part_of_the_treatment():
    priors = bs.Priors(coefficient={"cti2": bs.Normal(0, 0.35)})
    fit = stated_fit("cti2 + scale(age)")
    fit = replace(fit, specification=replace(fit.specification, priors=priors))
    assert sentences(fit)[-1].endswith("prior of the log hazard ratio Normal(0, 0.35).")
    grouped = stated_fit("scale(age) + (1 | regimen)", group_effect=[0.0, 0.1, -0.1])
    said = benefit_answer(grouped, "regimen", 12, rank=True).sentence
    assert "prior of the standard deviation of 1|regimen HalfNormal(0.5)." in said


def test_a_failed_fit_says_so():
    """In the figure here; in words where the answer is written, or beside the fit."""
    failed = replace(stated_fit(), failed=True)
    axes = benefit_answer(failed, "cti2", 12).figures["benefit"]
    assert "OS (FAILED CHECKS)" in axes.get_xlabel()
    for fit, count in ((failed, 1), (stated_fit(), 0)):
        answer = cohort_benefit(fit, "cti2", 12, None, Margins(), "os", None)
        assert answer.text().count("FAILED") == count


# --- Tables ---


def test_tables_and_what_is_shown():
    answer = benefit_answer(stated_fit(), "cti2", 12, times="3,6", survival_margin=0.1)
    fit = stated_fit()
    expected = bs.benefit(fit, "cti2", 12, times=[3, 6], survival_margin=0.1)
    pd.testing.assert_frame_equal(answer.tables["benefit"], expected)
    assert set(answer.tables) == {"benefit", "arms"}
    assert set(answer.figures) == {"benefit", "horizons"}
    shown = answer.shown.to_numpy().tolist()
    assert len(shown) == len(expected)
    assert shown[0] == ["hazard ratio", "", "0.61 (0.41–0.89)", "P(< 1) >0.999"]
    assert shown[2][3] == "P(0.8 to 1.25) 0.15"
    assert shown[7][:3] == ["RMST difference", "12", "1.38 (0.36–2.18)"]
    assert [row[3][:8] for row in shown[8:]] == ["P(> 1) >", *["P(> 0) >", "P(> 0.1)"] * 3] + [
        "P(> 0) >",
        "P(finite",
    ]


def test_what_is_infinite_or_unknown_is_shown_in_words():
    fit = stated_fit(log_ratio=0.0, rate=0.001)
    shown = benefit_answer(fit, "cti2", 12).shown.set_index("quantity")
    said = shown["estimate (95% CrI)"]
    assert said["median difference"] == "not known (not known to not known)"
    assert said["number needed to treat"].endswith(" to infinite)")


def test_no_patient_is_in_the_tables(make_cohort, weibull_fit):
    answer = benefit_answer(weibull_fit, "cti2", 12)
    text = answer.text() + "".join(t.to_csv() for t in answer.tables.values())
    assert not any(pid in text for pid in make_cohort()["pid"])


def test_written_and_loaded(weibull_fit, tmp_path):
    save(weibull_fit, tmp_path / "posterior.nc", endpoint="os")
    answer = benefit_answer(load(tmp_path), "cti2", 12)
    answer.write(tmp_path, "benefit")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "posterior.nc",
        "benefit.csv",
        "arms.csv",
        "benefit.txt",
        *(f"{name}.{kind}" for name in ("benefit", "horizons") for kind in KINDS),
    }
    again = pd.read_csv(tmp_path / "benefit.csv")
    pd.testing.assert_frame_equal(again, answer.tables["benefit"])
    assert "overall survival" in (tmp_path / "benefit.txt").read_text()


# --- Ranking ---


def test_ranking():
    fit = stated_fit("regimen", coefficient=[[[0.5, -0.5]]])
    answer = benefit_answer(fit, "regimen", 12, rank=True)
    assert set(answer.tables) == set(answer.figures) == {"ranking"}
    assert answer.tables["ranking"]["prob_best"].tolist() == [0, 0, 1]
    assert answer.sentence == (
        "Posterior probability of the longest mean overall survival time over the first 12 months "
        "among the levels of regimen: chemo >0.999 (9.1 months, 95% CrI 9.1–9.1); BsAb <0.001 "
        "(7.7 months, 95% CrI 7.7–7.7); CAR-T <0.001 (6.0 months, 95% CrI 6.0–6.0). "
        "Standardised over the 61 patients of the cohort; prior of the log hazard ratio of "
        "regimen[CAR-T], regimen[chemo] Normal(0, 0.75)."
    )
    assert answer.shown.columns.tolist()[:3] == ["level", "patients", "mean time (months)"]


# --- Over whom ---


@pytest.fixture
def people(tmp_path):
    def write(text):
        path = tmp_path / "people.csv"
        path.write_text(text)
        return path

    return write


def test_a_population_from_a_file(people):
    fit = stated_fit("cti2 + scale(age)")
    file = people("label,age\na,50\n\nb,70\n")
    answer = benefit_answer(fit, "cti2", 12, population=file)
    assert "Standardised over the 2 patients of people.csv; prior" in answer.sentence
    expected = bs.benefit(fit, "cti2", 12, population=[{"age": 50}, {"age": 70}])
    pd.testing.assert_frame_equal(answer.tables["benefit"], expected)


def test_the_bootstrap_is_said_and_repeats(people):
    fit = stated_fit("cti2 + scale(age)", coefficient=[[[-0.5, 0.8]]])
    first, second = (benefit_answer(fit, "cti2", 12, bootstrap=True) for _ in range(2))
    said = "61 patients of the cohort, weighed anew in each draw (Bayesian bootstrap); prior"
    assert said in first.sentence
    assert first.sentence == second.sentence
    fixed, free = (
        answer.tables["benefit"].query("quantity == 'rmst_difference'").iloc[0]
        for answer in (benefit_answer(fit, "cti2", 12), first)
    )
    assert free.upper - free.lower > fixed.upper - fixed.lower


# --- What is refused ---


def test_every_fault_names_its_option(people):
    fit = stated_fit("cti2 + scale(age) + regimen")
    file = people("age,regimen\n50,CAR-T\n\nold,CART\n")
    faults = refused(
        fit, horizon=30, times="6,48", population=file, rmst_margin=-1.0, survival_margin=10.0
    )
    within = (
        "is not above 0 and within the follow-up of both arms; the largest allowed is 24 months"
    )
    assert faults == [
        f"--horizon: 30 {within}",
        f"--times: 48 {within}",
        'people.csv, row 4, column age: "old" is no finite number',
        'people.csv, row 4, column regimen: "CART" is a level never seen in the cohort; known are '
        'BsAb, CAR-T, chemo. Did you mean "CAR-T"?',
        "--rmst-margin: -1 is not above 0; it is in months of gain",
        "--survival-margin: 10 is not between 0 and 1; it is a share: 10 points are 0.10",
    ]


def test_faults_of_text_and_file_come_with_the_others(people):
    faults = refused(
        stated_fit("cti2 + scale(age)"), "cti", times="3;6", population=people("age\n")
    )
    assert faults == [
        "--times reads like \"3,6,12\"; got '3;6'",
        "people.csv: the file names its columns but has no rows",
        '--treatment: "cti" is not in the formula. Did you mean "cti2"?',
    ]


def test_a_population_that_lacks_a_covariate(people):
    [fault] = refused(stated_fit("cti2 + scale(age)"), population=people("Age,cti2\n50,1\n"))
    assert fault == (
        'people.csv, column age: no such column, which the formula needs. Did you mean "Age"?'
    )


def test_several_levels_are_to_be_ranked():
    [fault] = refused(stated_fit("regimen"), "regimen")
    assert fault == (
        '--treatment: "regimen" has 3 levels; name a covariate with two, or rank them (--rank)'
    )


def test_a_ranking_takes_no_margins():
    faults = refused(stated_fit("regimen"), "regimen", rank=True, times="3", rmst_margin=1.0)
    unused = "is not used by --rank, which compares mean survival time; leave it out"
    assert faults == [f"--times: {unused}", f"--rmst-margin: {unused}"]


PLAN = """
[cohort]
file = "cohort.csv"
unit = "months"
[endpoint.os]
time = "os_months"
event = "os_event"
[model]
formula = "cti2"
[estimand]
treatment = "cti2"
horizon = 12
rmst_margin = {margin}
"""


@pytest.mark.parametrize(("margin", "code"), [(12, 2), (1, 0)])
def test_a_margin_in_a_plan_is_checked_before_anything_is_fitted(
    cohort_csv, bayesurv, margin, code
):
    file = cohort_csv.with_name("plan.toml")
    file.write_text(PLAN.format(margin=margin))
    found = bayesurv("prior", file, "--out", cohort_csv.with_name("out"))
    said = "[estimand] rmst_margin: 12 is not above 0 and below the horizon, 12; it is in months"
    assert (found.code, said in found.error) == (code, code == 2)
