"""The answer to `bayesurv compare`: its words are its tables', and faults name what is wrong."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.faults import InputError
from bayesurv.estimands.comparison import ModelComparison, compare
from bayesurv.estimands.stacking import arm_survival, stacked
from bayesurv.models.baselines import Exponential
from bayesurv.report.compare import compare_answer, notes, ranking


@pytest.fixture(scope="module")
def fits(weibull_fit, piecewise_fit):
    return {"os/weibull": weibull_fit, "os/piecewise-exponential": piecewise_fit}


@pytest.fixture(scope="module")
def answer(fits):
    return compare_answer(fits, "cti2", 12.0)


def test_files(answer):
    assert list(answer.tables) == ["comparison", "stacked_survival", "stacked_benefit"]
    assert list(answer.figures) == ["comparison", "stacked_survival"]
    assert list(answer.shown["model"]) == list(answer.tables["comparison"]["model"])


def test_without_a_treatment(fits):
    answer = compare_answer(fits, None, None)
    assert list(answer.tables) == ["comparison", "stacked_survival"]
    assert "associated" not in answer.sentence


def test_sentence(answer):
    best, other = answer.tables["comparison"].to_dict("records")
    said = answer.sentence
    assert said.startswith("2 models of 61 patients with ")
    assert "are indistinguishable by their predictions of left-out patients; first comes" in said
    assert f"{best['model']} (elpd {best['elpd_loo']:.1f}, SE {best['se']:.1f})" in said
    assert f"then {other['model']} (" in said
    assert "rest on 61 patients, and standard errors are optimistic at that size" in said
    for row in (best, other):
        assert f"{row['model']} {row['weight']:.2f} (" in said
    assert "effect" not in said


def test_screen(answer):
    best = answer.tables["comparison"].iloc[0]
    row = answer.shown.iloc[0]
    assert row["model"] == best["model"]
    assert row["elpd difference (SE)"] == "0.0 (0.0)"
    assert row["weight"] == f"{best['weight']:.2f}"


def test_sentence_of_the_treatment(answer):
    row = answer.tables["stacked_benefit"].set_index("quantity").loc["rmst_difference"]
    said = re.search(r"difference of (\S+) months in mean survival to 12 months", answer.sentence)
    assert float(said[1]) == pytest.approx(row["estimate"], abs=0.051)
    assert f"95% CrI {row['lower']:.1f} to {row['upper']:.1f}" in answer.sentence
    assert "cti2 = 1 rather than cti2 = 0 is associated with" in answer.sentence


def test_stacked_survival_is_of_pooled_draws(answer, fits, make_cohort):
    table = answer.tables["stacked_survival"]
    columns = "profile time mean median lower upper ci_prob"
    assert list(table) == columns.split()
    assert table["profile"].unique().tolist() == ["cti2 = 0", "cti2 = 1"]
    treated = make_cohort()["cti2"].to_numpy() == 1
    curves = arm_survival(fits, {"cti2 = 1": treated})
    weights = answer.tables["comparison"].set_index("model")["weight"].to_dict()
    at = table[table["profile"] == "cti2 = 1"].iloc[40]
    pooled = stacked(curves, weights).sel(time=at["time"])
    assert at["mean"] == pytest.approx(float(pooled.mean()))
    assert at["upper"] == pytest.approx(np.quantile(pooled, 0.975))
    axes = answer.figures["stacked_survival"]
    assert any(np.isin(at["mean"], line.get_ydata()).all() for line in axes.lines)


def found(fits, pointwise):
    """A comparison in which each model's patients have these densities."""
    made = compare(fits).models
    return ModelComparison({k: replace(made[k], pointwise=v) for k, v in pointwise.items()})


def test_a_worse_model_is_said_to_be_worse(fits):
    base = compare(fits).models["os/weibull"].pointwise
    models = {"os/weibull": base, "os/piecewise-exponential": base - np.linspace(0, 0.5, 61)}
    sentence = ranking(fits, found(fits, models))
    assert sentence.startswith("Of 2 models")
    assert (
        "predicts left-out patients best; worse: os/piecewise-exponential (15.2 lower" in sentence
    )
    assert "indistinguishable" not in sentence


def test_failures_are_noted(fits):
    failed = fits | {"os/weibull": replace(fits["os/weibull"], failed=True)}
    made = compare(fits).models
    many = np.arange(61) < 3
    models = {"os/weibull": replace(made["os/weibull"], refitted=many, failed=many)}
    text = " ".join(notes(failed, ModelComparison(made | models)))
    assert "os/weibull failed the checks of its draws" in text
    assert "os/weibull: patients predicted by an exact refit: 3." in text
    assert "refits that failed the checks of their draws: 3;" in text
    assert "os/piecewise-exponential" not in text


@pytest.mark.parametrize(
    ("treatment", "horizon", "words"),
    [
        (None, 12.0, "--horizon: .*--treatment"),
        ("cti", None, 'os/weibull: --treatment: "cti" is not in the formula. Did you mean "cti2"'),
        ("cti2", 900.0, "^--horizon: 900 .* largest allowed"),
    ],
)
def test_faults(fits, treatment, horizon, words):
    with pytest.raises(InputError, match=words):
        compare_answer(fits, treatment, horizon)


def test_other_data_come_before_the_treatment(fits, known_fit):
    table = pd.DataFrame({"time": [3.0, 8.0], "event": [1, 0], "age": [0.0, 1.0]})
    other = known_fit(table, "age", Exponential(), intercept=-2.0, coefficient=0.0)
    with pytest.raises(InputError, match="^other: refused: different data, it has 2 patients"):
        compare_answer({**fits, "other": other}, "cti2", None)


def test_one_fit(fits):
    with pytest.raises(InputError, match="two different fits or more"):
        compare_answer(dict([next(iter(fits.items()))]), None, None)
