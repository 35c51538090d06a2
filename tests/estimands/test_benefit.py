"""Benefit of a treatment, on draws made by hand."""

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.inference.diagnostics import monte_carlo_error

RATE, SHAPE = 0.08, 1.3


@pytest.fixture
def cohort():
    generator = np.random.default_rng(4)
    frame = pd.DataFrame({"cti2": np.repeat([0, 1], [34, 27]), "age": generator.normal(0, 1, 61)})
    frame["time"] = np.append(np.linspace(3, 40, 34), np.linspace(1, 24, 27))
    frame["event"] = 1
    frame["arm"] = np.where(frame["cti2"] == 1, "CTI2", "other")
    frame["four"] = np.resize(list("abcd"), 61)
    return bs.Cohort.from_frame(
        frame, time="time", event="event", unit="months", reference={"arm": "other"}
    )


def fixed(cohort, formula, **values):
    """A fit whose every draw is the given numbers, or has the given draws."""
    fit = bs.prior(cohort, formula, draws=400)
    for name, value in values.items():
        fit.draws["posterior"][name][:] = value
    return fit


@pytest.fixture
def known(cohort):
    log_ratio = np.log(np.linspace(0.5, 1.5, 400))[None, :, None]
    return fixed(cohort, "cti2", intercept=np.log(RATE), shape=SHAPE, coefficient=log_ratio)


def row(table, quantity, margin):
    return table.query("quantity == @quantity and margin == @margin").iloc[0]


def test_columns_and_rows(known):
    table = bs.benefit(known, "cti2", horizon=12)
    columns = "quantity margin horizon estimate lower upper probability mcse"
    assert list(table) == columns.split()
    named = list(dict.fromkeys(table["quantity"]))
    assert named == [
        "hazard_ratio",
        "marginal_hazard_ratio",
        "rmst_difference",
        "survival_difference",
    ]


def test_hazard_ratio_and_its_probabilities(known):
    table = bs.benefit(known, "cti2", horizon=12)
    found = row(table, "hazard_ratio", 1.0)
    assert found.estimate == pytest.approx(1, abs=1e-9)
    assert (found.lower, found.upper) == pytest.approx((0.525, 1.475), abs=1e-9)
    assert found.probability == 0.5
    assert row(table, "hazard_ratio", 0.8).probability == pytest.approx(120 / 400)
    assert np.isnan(found.horizon)


def test_without_other_covariates_the_marginal_ratio_is_the_conditional_one(known):
    table = bs.benefit(known, "cti2", horizon=12)
    conditional, marginal = (row(table, q, 1.0) for q in ("hazard_ratio", "marginal_hazard_ratio"))
    numbers = ["estimate", "lower", "upper", "probability"]
    np.testing.assert_allclose(
        conditional[numbers].to_numpy(float), marginal[numbers].to_numpy(float), rtol=1e-9
    )
    assert marginal.horizon == 12


def test_with_another_covariate_the_marginal_ratio_is_nearer_to_1(cohort):
    fit = fixed(
        cohort, "cti2 + age", intercept=np.log(RATE), shape=SHAPE, coefficient=[np.log(0.5), 1.5]
    )
    table = bs.benefit(fit, "cti2", horizon=12)
    assert row(table, "hazard_ratio", 1.0).estimate == pytest.approx(0.5)
    age = fit.design.training["age"].to_numpy()
    risk = RATE * 12**SHAPE * np.exp(1.5 * age)
    expected = np.log(np.exp(-0.5 * risk).mean()) / np.log(np.exp(-risk).mean())
    found = row(table, "marginal_hazard_ratio", 1.0).estimate
    assert found == pytest.approx(expected, rel=1e-9)
    assert 0.5 < found < 1


def test_differences_are_those_of_the_curves(cohort):
    fit = fixed(cohort, "cti2", intercept=np.log(RATE), shape=1.0, coefficient=np.log(0.5))
    table = bs.benefit(fit, "cti2", horizon=12)
    treated, untreated = np.exp(-RATE * 6), np.exp(-RATE * 12)
    difference = row(table, "survival_difference", 0.0)
    assert difference.estimate == pytest.approx(treated - untreated, rel=1e-9)
    area = (1 - treated) / (RATE / 2) - (1 - untreated) / RATE
    assert row(table, "rmst_difference", 0.0).estimate == pytest.approx(area, rel=1e-8)
    assert difference.probability == 1
    assert difference.mcse > 0


def test_a_category_with_two_levels_is_a_treatment(cohort):
    fit = fixed(cohort, "arm", intercept=np.log(RATE), shape=1.0, coefficient=np.log(0.5))
    table = bs.benefit(fit, "arm", horizon=12)
    assert row(table, "hazard_ratio", 1.0).estimate == pytest.approx(0.5)
    assert row(table, "survival_difference", 0.0).estimate > 0


def test_a_treatment_that_something_modifies_has_no_single_hazard_ratio(cohort):
    fit = fixed(cohort, "cti2 * age", intercept=np.log(RATE), shape=1.0, coefficient=0.1)
    assert "hazard_ratio" not in set(bs.benefit(fit, "cti2")["quantity"])


def test_the_horizon_is_within_the_follow_up_of_both_arms(known):
    assert bs.benefit(known, "cti2")["horizon"].max() == 24
    assert bs.benefit(known, "cti2", horizon=24)["horizon"].max() == 24
    with pytest.raises(bs.InputError, match="largest allowed is 24 months"):
        bs.benefit(known, "cti2", horizon=24.5)


@pytest.mark.parametrize(
    ("treatment", "said"),
    [("cti", 'Did you mean "cti2"'), ("four", "has 4 levels"), ("age", "has 61 levels")],
)
def test_what_is_no_treatment(cohort, treatment, said):
    fit = bs.prior(cohort, "cti2 + age + four", draws=100)
    with pytest.raises(bs.InputError, match=said):
        bs.benefit(fit, treatment)


def test_ci_prob_widens_the_interval(known):
    wide, narrow = (bs.benefit(known, "cti2", 12, ci_prob=p).iloc[0] for p in (0.95, 0.5))
    assert wide.lower < narrow.lower < narrow.upper < wide.upper


def test_monte_carlo_error_of_independent_draws():
    draws = np.random.default_rng(1).random((4, 5000)) < 0.3
    assert monte_carlo_error(draws) == pytest.approx(np.sqrt(0.21 / 20000), rel=0.15)
    assert monte_carlo_error(np.ones((2, 10), bool)) == pytest.approx(1 / 21)
