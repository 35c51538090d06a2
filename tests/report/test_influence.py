"""The answer to how much hangs on single patients, in words, tables and a figure."""

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.conclusion import Conclusion
from bayesurv.report.influence import influence_answer, influence_sentence
from bayesurv.saved import load, save


@pytest.fixture(scope="module")
def answer(weibull_fit):
    return influence_answer(weibull_fit, "cti2", 12, 0.95)


def test_the_sentence_gives_the_range_over_all_patients_and_names_the_prior(answer, weibull_fit):
    table = answer.tables["influence"]
    low, high = table["prob_benefit"].min(), table["prob_benefit"].max()
    with_all = (compare_arms(weibull_fit, "cti2", 12).hazard_ratio < 1).mean()
    assert answer.sentence.startswith("cti2 = 1 against cti2 = 0: leaving out any one of the 61 ")
    expected = f"P(HR < 1) between {low:.2f} and {high:.2f} ({with_all:.2f} with all)"
    assert expected in answer.sentence
    assert "prior of the log hazard ratio Normal(0, 0.75)" in answer.sentence
    assert '"benefit" where P(HR < 1) is at least 0.95' in answer.sentence
    assert '"harm" where it is at most 0.05' in answer.sentence
    assert not {"effect", "risk", "significant"} & set(answer.sentence.split())


def test_a_loaded_fit_gives_the_same_answer(answer, weibull_fit, tmp_path):
    save(weibull_fit, tmp_path / "posterior.nc", endpoint="os")
    again = influence_answer(load(tmp_path / "posterior.nc"), "cti2", 12, 0.95)
    assert again.text() == answer.text()
    pd.testing.assert_frame_equal(again.tables["influence"], answer.tables["influence"])
    again.write(tmp_path, "influence")
    assert (tmp_path / "influence.png").stat().st_size > 10_000
    table = pd.read_csv(tmp_path / "influence.csv")
    assert len(table) == 61
    assert list(pd.read_csv(tmp_path / "influence_flip.csv")) == [
        "direction",
        "patients_removed",
        "patients",
        "prob_benefit",
        "mcse",
        "hazard_ratio",
        "flips",
        "exact",
    ]
    assert not any("P0" in file.read_text() for file in tmp_path.glob("*.csv"))


def test_what_is_shown_is_the_most_influential(answer):
    assert len(answer.shown) == 10
    assert answer.shown["without"].tolist() == answer.tables["influence"]["patient"][:10].tolist()


def test_notes_say_whose_time_is_averaged(answer):
    assert any("12 months is that of all 61 patients" in note for note in answer.notes)
    assert any("no reason to leave them out" in note for note in answer.notes)


# --- Words, from stated numbers ---


@pytest.fixture(scope="module")
def asked(weibull_fit):
    return compare_arms(weibull_fit, "cti2", 12)


def flip(direction="benefit", patients="4 17 30", flips=True, exact=True):
    return {
        "direction": direction,
        "patients_removed": len(patients.split()),
        "patients": patients,
        "prob_benefit": 0.97,
        "mcse": 0.002,
        "hazard_ratio": 0.55,
        "flips": flips,
        "exact": exact,
    }


def sentence(asked, *rows, size=61, values=(0.88, 0.94), everyone=0.93):
    table = pd.DataFrame({"prob_benefit": np.resize(values, size), "hazard_ratio": 0.7})
    conclusion = Conclusion(everyone, 0.004, 0.68, 0.95)
    return influence_sentence(asked, conclusion, table, pd.DataFrame(rows))


def test_several_patients_who_change_the_conclusion(asked):
    said = sentence(asked, flip(), flip("harm", "1 2 3", flips=False))
    assert 'no single removal changes the conclusion "undecided"; leaving out 3 patients' in said
    assert '(numbers 4, 17 and 30) would change it to "benefit" (P(HR < 1) 0.97' in said
    assert "no fewer would" in said
    assert "fewer may do" in sentence(asked, flip(patients="1 2 3 4", exact=False))


def test_the_smaller_of_two_sets_is_named(asked):
    said = sentence(asked, flip(), flip("harm", "8 9"))
    assert 'numbers 8 and 9) would change it to "harm"' in said


def test_one_patient_who_changes_the_conclusion(asked):
    said = sentence(asked, flip(patients="24"))
    assert (
        'leaving out patient 24 alone changes the conclusion from "undecided" to "benefit"' in said
    )
    assert "no single removal" not in said


def test_nobody_changes_the_conclusion(asked):
    none = flip(patients="1 2 3", flips=False)
    said = sentence(asked, none)
    assert (
        'changes the conclusion "undecided", nor does that of any pair or of the larger sets that '
        "were tried, up to 10 patients." in said
    )
    assert "nor does that of any pair." in sentence(asked, none, size=12)
    assert 'changes the conclusion "undecided". ' in sentence(asked, none, size=8)


def test_a_removal_past_the_threshold_by_less_than_monte_carlo_error(asked):
    said = sentence(asked, flip(), values=(0.88, 0.951))
    assert 'the conclusion "undecided" by more than Monte-Carlo error' in said


def test_a_modified_treatment_is_said_to_have_a_marginal_ratio(asked):
    class Modified(type(asked)):
        conditional_ratio = None

    said = sentence(Modified(**vars(asked)), flip())
    assert "the marginal hazard ratio up to 12 months between" in said


def test_a_note_on_a_conclusion_near_its_threshold(weibull_fit):
    with_all = (compare_arms(weibull_fit, "cti2", 12).hazard_ratio < 1).mean()
    threshold = round(max(with_all, 1 - with_all), 3)
    notes = influence_answer(weibull_fit, "cti2", 12, threshold).notes
    assert any("within Monte-Carlo error of the threshold" in note for note in notes)


def test_every_fault_is_listed_by_its_option(weibull_fit):
    with pytest.raises(bs.InputError) as raised:
        influence_answer(weibull_fit, "ctl2", 12, 95)
    assert "--threshold: 95 is not above 0.5 and below 1" in str(raised.value)
    assert '--treatment: "ctl2" is not in the formula. Did you mean "cti2"?' in str(raised.value)
    with pytest.raises(bs.InputError, match="^--horizon: 99 is not above 0 and within"):
        influence_answer(weibull_fit, "cti2", 99, 0.95)
