"""What is read from the options, and said of what was borrowed."""

import numpy as np
import pytest

from bayesurv.data.faults import InputError
from bayesurv.data.published.external import external_evidence
from bayesurv.report.borrow import borrow_answer
from bayesurv.report.borrow_list import evidence_table
from bayesurv.report.borrow_question import Question, read_question


def asked(**options):
    question = Question(**{"origin": "infusion", **options})
    found, faults = read_question(question, "os")
    assert faults == []
    return found


def answer(estimate="1.665 (0.883-3.141)", **options):
    given = {"evidence": ["xue_2024_os"], "across_origins": True, "endpoint": "os", **options}
    return borrow_answer(None, None, Question(estimate=estimate, **given))


@pytest.mark.parametrize(
    ("typed", "label", "origin"),
    [
        ("0.5 (0.3-0.83) from infusion", "0.5 (0.3-0.83)", "infusion"),
        ("trial=0.5 (0.3-0.83) from infusion", "trial", "infusion"),
        ("a trial = 0.5 (0.3–0.83)   from infusion ", "a trial", "infusion"),  # noqa: RUF001
        ("HR = 0.5 (0.3-0.83) from infusion", "HR", "infusion"),
    ],
)
def test_evidence_as_typed(typed, label, origin):
    [piece] = asked(hazard_ratio=[typed]).pieces
    assert (piece.label, piece.origin) == (label, origin)
    assert piece.prior.mu == pytest.approx(np.log(0.5))


def test_an_origin_that_is_not_given_is_not_that_of_the_data():
    _, faults = read_question(Question(hazard_ratio=["0.5 (0.3-0.83)"], origin="infusion"), "os")
    assert "from not-stated" in faults[0].message
    [piece] = asked(hazard_ratio=["0.5 (0.3-0.83)"], across_origins=True).pieces
    assert piece.origin == "not-stated"


def test_other_is_never_the_same_as_other():
    question = Question(hazard_ratio=["0.5 (0.3-0.83) from other"], origin="other")
    _, faults = read_question(question, "os")
    assert "time counts from other in the data" in faults[0].message


def test_the_endpoint_said_goes_before_that_of_the_fit():
    question = Question(evidence=["xue_2024_os"], across_origins=True, endpoint="OS")
    found, faults = read_question(question, "death")
    assert faults == []
    assert found.endpoint == "OS"


def test_the_same_evidence_twice_is_one():
    assert len(asked(evidence=["xue_2024_os"] * 2, across_origins=True).pieces) == 1


# --- What is said ---


def test_evidence_that_agrees_is_told_as_borrowed():
    found = answer("0.30 (0.18-0.50)")
    assert "The data are not in conflict with xue_2024_os (z 0.2" in found.sentence
    assert "it is borrowed from nearly in full" in found.sentence
    assert "what was borrowed adds the precision of" in found.sentence
    assert 'the conclusion without evidence is "benefit", and no weight' in found.sentence


def test_doubt_takes_precision_away():
    """Evidence about as likely as the vague component, and elsewhere: two modes."""
    found = answer("0.80 (0.45-1.422)")
    row = found.tables["borrow"].set_index("analysis").loc["with borrowing"]
    assert row["events_borrowed"] < -0.5
    assert "the doubt between evidence and data takes away the precision of" in found.sentence


def test_the_tables_say_the_same_as_the_sentence():
    found = answer(weight=0.8)
    table = found.tables["borrow"].set_index("analysis")
    assert f"P(HR < 1) {table['prob_benefit']['with borrowing']:.2f}" in found.sentence
    curve = found.tables["tipping"].set_index("weight")
    for column in ("hazard_ratio", "lower", "upper", "prob_benefit"):
        assert curve[column][0.8] == pytest.approx(table[column]["with borrowing"])
        assert curve[column][0.0] == pytest.approx(table[column]["without evidence"])
        assert curve[column][1.0] == pytest.approx(table[column]["all evidence pooled"])
    components = found.tables["components"].set_index("component")
    assert components["conflict"].tolist() == [True, False]
    assert components["events"]["xue_2024_os"] == pytest.approx(4 / 0.2957**2, rel=0.001)
    assert components["source"]["xue_2024_os"].startswith("Xue 2024, Front Oncol")


def test_no_causal_words():
    found = answer()
    assert "P(HR < 1) is of an association" in " ".join(found.notes)
    assert "effect" not in found.sentence


def test_a_vague_prior_elsewhere_is_described():
    notes = " ".join(answer(vague="Normal(0.693147, 0.5)").notes)
    assert "Normal(0.693147, 0.5): 95% of hazard ratios from 0.38 to 2.66 times 2.00" in notes


def test_a_fit_and_an_estimate_at_once_are_refused(weibull_fit):
    question = Question(
        estimate="1.6 (0.9-2.84)", hazard_ratio=["0.5 (0.3-0.83)"], across_origins=True
    )
    with pytest.raises(InputError, match="not both"):
        borrow_answer(weibull_fit, "cti2", question)


def test_the_list_has_a_use_for_every_number():
    table = evidence_table()
    assert list(table["evidence"]) == [each.name for each in external_evidence()]
    uses = table.set_index("evidence")["use"]
    assert uses["xue_2024_os"] == "prior of the treatment"
    assert uses["gouni_2022_pfs"] == "hazard 0.30 (0.23–0.40) a month"
    assert uses["xue_2024_pfs"] == "none: the confidence interval is cut off"
    assert uses["np30179_complete_response"] == "none: no hazard"
