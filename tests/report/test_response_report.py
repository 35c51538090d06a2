"""What is said of responses and adverse events, and the question that is asked of a file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.faults import InputError
from bayesurv.data.outcomes import Outcomes
from bayesurv.estimands.response import compare_risks, risk_contrasts, risk_table
from bayesurv.inference.sample import Sampling
from bayesurv.models.distributions import Beta, Normal
from bayesurv.models.priors import OddsRatio
from bayesurv.models.response import OutcomePriors
from bayesurv.report.response import answered
from bayesurv.report.response_question import Question, read_outcomes, read_priors
from bayesurv.report.response_words import p_value, percent, risks_sentence
from bayesurv.responding import respond

pytestmark = pytest.mark.filterwarnings("ignore::bayesurv.fitting.CohortWarning")


@pytest.fixture(scope="module")
def asked():
    """Responses and events of the paper's arms, each with the conjugate posterior."""
    frame = pd.DataFrame(
        {
            "cti2": np.repeat([1, 0], [27, 34]),
            "day30": np.r_[np.arange(27) < 8, np.arange(34) < 2],
            "infection": np.r_[np.arange(27) < 18, np.arange(34) < 12],
            "renal": np.r_[np.arange(27) < 1, np.arange(34) < 0],
        }
    )
    fits = {}
    for kind, names in (("response", ["day30"]), ("event", ["infection", "renal"])):
        outcomes = Outcomes.from_frame(frame, names, harmful=kind == "event", covariates=["cti2"])
        priors = OutcomePriors(risk=Beta(1, 1))
        fits[kind] = respond(outcomes, "cti2", priors=priors, sampling=Sampling(seed=1))
    return {kind: compare_risks(fit, "cti2") for kind, fit in fits.items()}


def test_the_sentence_says_the_numbers_of_the_tables(asked):
    each = asked["event"]
    risks, contrasts = risk_table(each), risk_contrasts(each)
    heading, infection, renal, closing = risks_sentence(each, risks, contrasts).splitlines()
    assert heading.startswith("Harmful outcomes (more is worse): what was associated with cti2 = 1")
    assert "(observed 18/27 and 12/34)" in infection
    row = contrasts.iloc[0]
    said = [f"{100 * row[name]:.0f}" for name in ("estimate", "lower", "upper")]
    assert f"difference {said[0]} percentage points (95% CrI {said[1]}–{said[2]})" in infection
    assert f"is worse {row.prob_worse:.3f}; Fisher P 0.021." in infection
    assert renal.startswith("renal: 6% with cti2 = 1 and 2% with cti2 = 0 (observed 1/27 and 0/34)")
    assert closing.startswith("Standardised over the 61 patients of the cohort; ")
    assert "risk Beta(1, 1); before any outcome they put a risk between 3% and 97%" in closing


def test_fewer_responses_are_worse(asked):
    each = asked["response"]
    sentence = risks_sentence(each, risk_table(each), risk_contrasts(each))
    assert sentence.startswith("Good outcomes (fewer is worse)")
    assert float(sentence.partition("is worse ")[2][:4]) < 0.05


def test_an_answer_has_every_kind_one_under_another(asked):
    answer = answered(asked)
    names = "response response_contrasts response_classical parameters diagnostics"
    assert list(answer.tables) == names.split()
    for table in answer.tables.values():
        assert list(table["kind"].unique()) == ["response", "event"]
    assert list(answer.shown["outcome"]) == ["day30", "infection", "renal"]
    assert answer.shown["cti2 = 1"].str.endswith(("(8/27)", "(18/27)", "(1/27)")).all()
    assert answer.sentence.index("Good outcomes") < answer.sentence.index("Harmful outcomes")
    labels = [text.get_text() for text in answer.figures["response"].get_yticklabels()]
    assert labels == ["day30\n(more is better)", "infection", "renal"]


def test_no_share_and_no_p_is_printed_as_certain():
    assert [percent(x) for x in (0.0, 0.004, 0.25, 0.996, 1.0)] == "<1% <1% 25% >99% >99%".split()
    assert [p_value(x) for x in (1e-6, 0.0171, 1.0)] == ["<0.001", "0.017", "1.000"]


def test_priors_are_read_by_name():
    texts = ["intercept=Normal(0, 2)", "coefficient[cti2] = OddsRatio(0.5, 2)"]
    read = read_priors(texts)
    assert read == OutcomePriors(
        intercept=Normal(0, 2), coefficient={"cti2": OddsRatio(0.5, 2, 0.95)}
    )
    assert read_priors([]) == OutcomePriors()


@pytest.mark.parametrize(
    ("texts", "messages"),
    [
        (["Normal(0, 1)"], ['write "NAME=Normal(0, 1)"']),
        (["intersept=Normal(0, 1)"], ['Did you mean "intercept"?']),
        (["intercept=Norml(0, 1)", "group_sd=Normal(0, 1)"], ["unknown prior", "is positive"]),
        (["coefficient=Normal(0, 1)", "coefficient[a]=Normal(0, 1)"], ["not both"]),
        (["risk=Beta(1, 1)", "group_sd=HalfNormal(1)"], ["state it alone"]),
    ],
)
def test_priors_that_cannot_be_read_are_all_listed(texts, messages):
    with pytest.raises(InputError) as caught:
        read_priors(texts)
    assert len(caught.value.faults) == len(messages)
    for fault, message in zip(caught.value.faults, messages, strict=True):
        assert message in str(fault)


def test_every_fault_of_a_question_is_listed_once(tmp_path):
    file = Path(tmp_path, "cohort.csv")
    file.write_text("cti2,stage,a,b\n0,I,0,1\n1,,2,1\n2,II,1,1\n")
    outcomes = {"response": ["a", "b"], "event": ["b", "c"]}
    question = Question(file, outcomes, "cti2", "cti2 + stage", priors=["risk=Normal(0, 1)"])
    with pytest.raises(InputError) as caught:
        read_outcomes(question)
    said = [str(fault) for fault in caught.value.faults]
    starts = [
        "b is named as a response and as an event",
        "priors: risk is between 0 and 1",
        "cohort.csv, row 3, column a: ",
        "cohort.csv, row 3, column stage: is missing",
        "cohort.csv, column c: no such column",
    ]
    assert len(said) == len(starts)
    for text, start in zip(said, starts, strict=True):
        assert text.startswith(start)


def test_some_outcome_must_be_named(tmp_path):
    file = Path(tmp_path, "cohort.csv")
    file.write_text("cti2,a\n0,0\n1,1\n")
    with pytest.raises(InputError, match="--response .more is better. or --event"):
        read_outcomes(Question(file, {"response": [], "event": []}, "cti2"))
