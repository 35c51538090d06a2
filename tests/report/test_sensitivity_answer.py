"""The answer of `bayesurv sensitivity`: its words, its tables, and what it refuses."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.faults import InputError
from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.tipping import TippingPoint
from bayesurv.models.priors import HazardRatio, Normal, StudentT
from bayesurv.plots.style import probability
from bayesurv.report.sensitivity import read_priors, sensitivity_answer
from bayesurv.report.sensitivity_words import FEWEST_EVENTS, SCALING_WORDS, tipping_words


@pytest.fixture(scope="module")
def answer(weibull_fit):
    return sensitivity_answer(weibull_fit, "cti2", 12, 0.9, ["trial=HazardRatio(0.5, 1.5)"])


def test_the_sentence_says_what_the_tables_hold(answer, weibull_fit):
    table = answer.tables["prior_sensitivity"]
    for row in table.itertuples():
        assert f"{row.prior}, {row.stated}, {probability(row.prob_benefit)}" in answer.sentence
    shares = answer.tables["prior_share"].set_index("quantity")["share"]
    share = shares["coefficient[cti2]"]
    events = share / (1 - share) * weibull_fit.n_events
    assert f"{100 * share:.0f}% of the precision of the log hazard ratio" in answer.sentence
    assert f"about as much as {events:.0f} more events would add" in answer.sentence
    assert "RMST differences are over 12 months" in answer.text()
    assert "cti2 = 1 against cti2 = 0" in answer.sentence
    assert "Monte-Carlo error" in answer.sentence
    scaling = answer.tables["power_scaling"].set_index("quantity")["diagnosis"]
    words = SCALING_WORDS[scaling["coefficient[cti2]"]]
    assert f"By power-scaling the hazard ratio {words}." in answer.sentence
    for word in ("effect", "benefit of", "risk", "nan", "inf "):
        assert word not in answer.sentence


def test_everything_is_written(answer, tmp_path):
    answer.write(tmp_path, "sensitivity")
    tables = [
        "power_scaling", "prior_sensitivity", "prior_share", "tipping_curve", "tipping_point",
    ]  # fmt: skip
    assert sorted(path.stem for path in tmp_path.glob("*.csv")) == tables
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [
        "sensitivity.png",
        "tipping_point.png",
    ]
    written = pd.read_csv(tmp_path / "prior_sensitivity.csv")
    assert list(written["prior"]) == list(answer.shown["prior"])
    assert answer.sentence in (tmp_path / "sensitivity.txt").read_text("utf-8")
    assert not written.drop(columns=["prior", "stated"]).isna().to_numpy().any()


def test_a_modified_treatment_is_said(weibull_fit, monkeypatch):
    monkeypatch.setattr(Comparison, "conditional_ratio", None)
    answer = sensitivity_answer(weibull_fit, "cti2", 12, 0.9, [])
    assert "marginal hazard ratio up to 12 months runs from" in answer.sentence
    assert "of the precision of the treatment's coefficient" in answer.sentence
    assert "more events" not in answer.sentence
    assert "the priors are those of the coefficient of cti2 alone" in answer.text()


def test_without_events_in_an_arm_the_prior_is_not_weighed_in_events(weibull_fit):
    tree = weibull_fit.draws.copy()
    treated = weibull_fit.design.training["cti2"].to_numpy() == 1
    event = tree["observed_data"]["event"].to_numpy().copy()
    event[np.flatnonzero(treated & (event > 0))[FEWEST_EVENTS - 1 :]] = 0
    tree["observed_data"] = tree["observed_data"].to_dataset().assign(event=("row", event))
    answer = sensitivity_answer(replace(weibull_fit, draws=tree), "cti2", 12, 0.9, [])
    assert "of the precision of the log hazard ratio as fitted comes from" in answer.sentence
    assert "more events" not in answer.sentence


# --- The tipping point in words ---


def said(chances, sd=np.nan, mcse=np.nan, direction="HR < 1"):
    sds = [2.5, 0.5, 0.02][: len(chances)]
    curve = pd.DataFrame({"sd": sds, "probability": chances, "mcse": 0.002})
    return tipping_words(TippingPoint(direction, 0.975, sd, mcse, curve))


def test_a_conclusion_that_falls():
    text = said([0.991, 0.98, 0.6], 0.1256, 0.01, "HR > 1")
    assert text.startswith("P(HR > 1) is 0.991 under Normal(0, 2.5) (Monte-Carlo error 0.002) and ")
    assert "falls to 0.975 under Normal(0, 0.13) (sd Monte-Carlo error 0.01)" in text
    assert "95% of hazard ratios between 0.78 and 1.28 is sceptical enough" in text
    assert "not known closely" in said([0.976, 0.97], 2.4, np.inf)


def test_no_conclusion_and_one_that_always_holds():
    assert said([0.94, 0.9]) == (
        "No conclusion to overturn at 0.975: P(HR < 1) is 0.940 (Monte-Carlo error 0.002) even "
        "under Normal(0, 2.5)."
    )
    assert "even under Normal(0, 0.02)" in said([1.0, 0.999, 0.98])
    assert "P(HR < 1) is >0.999 under" in said([1.0, 0.999, 0.98])


# --- Bad input ---


def test_priors_are_read_with_their_labels():
    found = read_priors(["a = Normal(0, 1)", "b=HazardRatio(0.5, 2)", "c=StudentT(3, 0, 1)"])
    assert found == {"a": Normal(0, 1), "b": HazardRatio(0.5, 2), "c": StudentT(3, 0, 1)}


def test_every_fault_is_listed_and_names_its_option(weibull_fit):
    priors = [
        "Normal(0, 1)", "=Normal(0, 1)", "vague=Normal(0, 1)", "as fitted=Normal(0, 1)",
        "x=Normal(0, 1)", "x=Normal(0, 2)", "neutral (as fitted)=Normal(0, 1)",
        "y=Norml(0, 1)", "z=Normal(0, -1)",
        "u=HazardRatio(2, 1)", "v=HalfNormal(1)", "w=MedianSurvival(1, 2)", "t=Normal(0)",
    ]  # fmt: skip
    with pytest.raises(InputError) as caught:
        sensitivity_answer(weibull_fit, "cti2", 500, 97.5, priors)
    said = [str(fault) for fault in caught.value.faults]
    options = [text.partition(":")[0] for text in said]
    assert options == ["--threshold", *["--prior"] * 12, "--horizon"]
    assert 'write "label=Normal(0, 1)", not "Normal(0, 1)"' in said[1]
    assert [text for text in said if "is taken" in text] == [
        f'--prior: the label "{label}" is taken; give another'
        for label in ("vague", "as fitted", "x", "neutral (as fitted)")
    ]
    assert 'Did you mean "Normal"?' in said[7]
    assert "use Normal, StudentT, Robust, HazardRatio" in said[10]


def test_an_unknown_treatment_is_refused_with_the_rest(weibull_fit):
    with pytest.raises(InputError) as caught:
        sensitivity_answer(weibull_fit, "cti", None, 0.3, [])
    assert [str(f).partition(":")[0] for f in caught.value.faults] == ["--threshold", "--treatment"]
    assert 'Did you mean "cti2"?' in str(caught.value)
