"""Benefit of a treatment, on draws made by hand."""

import re

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.estimands.benefit import arms_table, compare_arms, difference_curve, known_quantiles
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
        "hazard_ratio_equivalence",
        "marginal_hazard_ratio",
        "average_hazard_ratio",
        "rmst_difference",
        "rmst_ratio",
        "survival_difference",
        "median_difference",
        "number_needed_to_treat",
    ]


def test_margins_of_each_quantity(known):
    table = bs.benefit(known, "cti2", 12, times=[3, 6], rmst_margin=1.5, survival_margin=0.1)
    margins = {name: rows["margin"].tolist() for name, rows in table.groupby("quantity")}
    assert margins == {
        "hazard_ratio": [1, 0.8],
        "hazard_ratio_equivalence": [0.8],
        "marginal_hazard_ratio": [1, 0.8],
        "average_hazard_ratio": [1, 0.8],
        "rmst_difference": [0, 1.5],
        "rmst_ratio": [1],
        "survival_difference": [0, 0.1] * 3,
        "median_difference": [0],
        "number_needed_to_treat": [0],
    }
    horizons = table.query("quantity == 'survival_difference'")["horizon"].tolist()
    assert horizons == [12, 12, 3, 3, 6, 6]
    other = bs.benefit(known, "cti2", 12, hazard_ratio_margins=[0.7])
    assert other.query("quantity == 'hazard_ratio'")["margin"].tolist() == [0.7]


def test_equivalence_is_between_the_margin_and_its_inverse(known):
    found = row(bs.benefit(known, "cti2", 12), "hazard_ratio_equivalence", 0.8)
    ratios = np.linspace(0.5, 1.5, 400)
    assert found.probability == ((ratios > 0.8) & (ratios < 1.25)).mean()
    assert found.estimate == pytest.approx(1)


def test_probabilities_fall_as_margins_rise(known):
    table = bs.benefit(known, "cti2", 12, rmst_margin=1.0, survival_margin=0.1)
    for quantity, low, high in (
        ("rmst_difference", 0, 1.0),
        ("survival_difference", 0, 0.1),
        ("hazard_ratio", 1.0, 0.8),
    ):
        assert row(table, quantity, low).probability > row(table, quantity, high).probability > 0


def test_the_gain_beyond_a_margin_is_counted_in_the_draws(known):
    ratios = np.linspace(0.5, 1.5, 400)
    gain = np.exp(-ratios * RATE * 12**SHAPE) - np.exp(-RATE * 12**SHAPE)
    table = bs.benefit(known, "cti2", 12, survival_margin=0.05)
    assert row(table, "survival_difference", 0.05).probability == (gain > 0.05).mean()


def test_number_needed_to_treat_is_infinite_where_nothing_is_gained(known):
    found = row(bs.benefit(known, "cti2", 12), "number_needed_to_treat", 0)
    ratios = np.linspace(0.5, 1.5, 400)
    gain = np.exp(-ratios * RATE * 12**SHAPE) - np.exp(-RATE * 12**SHAPE)
    needed = np.where(gain > 0, 1 / np.where(gain > 0, gain, 1), np.inf)
    lower, middle = np.quantile(needed, [(1 - 0.95) / 2, 0.5], method="inverted_cdf")
    assert (found.lower, found.estimate) == pytest.approx((lower, middle))
    assert np.isinf(found.upper)
    assert found.probability == (gain > 0).mean() == 0.5


# --- Medians, reached or not ---


def medians(*pairs):
    """Medians of both arms, `(arm, chain, draw)`, from pairs without and with treatment."""
    return np.array(pairs, dtype=float).T[:, None, :]


def test_the_difference_of_medians_that_are_reached(cohort):
    rates = np.linspace(0.05, 0.09, 400)
    fit = fixed(cohort, "cti2", intercept=np.log(rates), shape=1.0, coefficient=np.log(0.8))
    found = row(bs.benefit(fit, "cti2"), "median_difference", 0)
    difference = np.log(2) / rates * (1 / 0.8 - 1)
    assert found.horizon == 24
    assert found.estimate == pytest.approx(np.median(difference), rel=1e-8)
    assert found.lower == pytest.approx(np.quantile(difference, 0.025), rel=1e-8)
    assert found.probability == 1


def test_where_one_median_is_not_reached_the_difference_is_infinite():
    reached = [(8.0, 10.0)] * 10
    longer = known_quantiles(medians(*reached, *[(8.0, np.inf)] * 30), 24)
    assert longer.tolist() == [2, np.inf, np.inf]
    shorter = known_quantiles(medians(*reached, *[(np.inf, 8.0)] * 30), 24)
    assert shorter.tolist() == [-np.inf, -np.inf, 2]


def test_where_neither_median_is_reached_the_difference_is_unknown():
    assert np.isnan(known_quantiles(medians(*[(np.inf, np.inf)] * 40), 24)).all()
    few = known_quantiles(medians(*[(8.0, 10.0)] * 990, *[(np.inf, np.inf)] * 10), 24)
    assert few.tolist() == [2, 2, 2]


def test_an_estimate_that_the_unknown_could_move_is_empty():
    """A median past 24 may be 25: 17 more than 8, and less than the 18 of other draws."""
    draws = [(2.0, 20.0)] * 15 + [(2.0, 22.0)] * 10 + [(8.0, np.inf)] * 15
    lower, estimate, upper = known_quantiles(medians(*draws), 24)
    assert np.isnan([lower, estimate]).all()
    assert np.isinf(upper)


def test_the_table_counts_only_what_is_known(cohort):
    """Half the draws reach neither median within 24 months, half both."""
    rates = np.repeat([0.001, 0.08], 200)
    fit = fixed(cohort, "cti2", intercept=np.log(rates), shape=1.0, coefficient=np.log(0.8))
    table = bs.benefit(fit, "cti2")
    found = row(table, "median_difference", 0)
    assert found.probability == 0.5
    assert np.isnan([found.estimate, found.lower, found.upper]).all()
    arms = arms_table(compare_arms(fit, "cti2")).query("quantity == 'median'")
    assert arms["prob_not_reached"].tolist() == [0.5, 0.5]
    assert np.isinf(arms["upper"]).all()
    assert arms["lower"].tolist() == pytest.approx([np.log(2) / 0.08, np.log(2) / 0.064])


# --- Each arm ---


def test_arms_table(cohort):
    fit = fixed(cohort, "arm", intercept=np.log(RATE), shape=1.0, coefficient=np.log(0.5))
    table = arms_table(compare_arms(fit, "arm", 12, times=[6]))
    columns = "arm quantity time estimate lower upper prob_not_reached"
    assert list(table) == columns.split()
    assert table["quantity"].tolist() == ["rmst", "survival", "survival", "median"] * 2
    assert table["time"].tolist() == [12, 12, 6, 24] * 2
    other, treated = table.groupby("arm", sort=False)
    assert (other[0], treated[0]) == ("arm = other", "arm = CTI2")
    rate = RATE / 2
    area, late, early = -np.expm1(-12 * rate) / rate, np.exp(-12 * rate), np.exp(-6 * rate)
    expected = [area, late, early, np.log(2) / rate]
    np.testing.assert_allclose(treated[1]["estimate"], expected, rtol=1e-8)
    assert table["prob_not_reached"].dropna().tolist() == [0, 0]


# --- Over whom ---


def test_intervals_do_not_mix_patients_in(cohort):
    """Patients who differ hugely, draws that hardly do: the interval is that of the draws."""
    rates = 0.02 * np.exp(np.linspace(-0.01, 0.01, 400))
    fit = fixed(
        cohort,
        "cti2 + age",
        intercept=np.log(rates),
        shape=1.0,
        coefficient=np.array([np.log(0.5), 2.0]),
    )
    table = bs.benefit(fit, "cti2", 12)
    patients = [{"cti2": 0, "age": age} for age in fit.design.training["age"]]
    own = bs.rmst(fit, patients, 12).to_numpy()
    assert np.ptp(own, axis=2).min() > 8
    for quantity, margin in (
        ("rmst_difference", 0),
        ("survival_difference", 0),
        ("marginal_hazard_ratio", 1),
    ):
        found = row(table, quantity, margin)
        assert found.upper - found.lower < 0.05 * abs(found.estimate)


def test_a_population_of_its_own(cohort):
    fit = fixed(cohort, "cti2 + age", intercept=-3, shape=1.0, coefficient=[np.log(0.5), 1.0])
    one = bs.benefit(fit, "cti2", 12, population=[{"age": 0.7}])
    rate = np.exp(-3 + 0.7)
    gain = np.exp(-6 * rate) - np.exp(-12 * rate)
    assert row(one, "survival_difference", 0).estimate == pytest.approx(gain, rel=1e-8)
    assert row(one, "marginal_hazard_ratio", 1).estimate == pytest.approx(0.5, rel=1e-8)


def test_the_bootstrap_widens_the_interval_of_what_differs_between_patients(cohort):
    fit = fixed(cohort, "cti2 + age", intercept=-3, shape=1.0, coefficient=[np.log(0.5), 1.0])
    fixed_, free = (
        row(bs.benefit(fit, "cti2", 12, bootstrap=seed), "survival_difference", 0)
        for seed in (None, 1)
    )
    assert fixed_.upper - fixed_.lower < 1e-9 < free.upper - free.lower
    assert free.estimate == pytest.approx(fixed_.estimate, abs=0.02)
    again = row(bs.benefit(fit, "cti2", 12, bootstrap=1), "survival_difference", 0)
    assert again.equals(free)


def test_the_difference_over_time_is_that_of_the_curves(known):
    asked = compare_arms(known, "cti2", 12)
    curve = difference_curve(asked)
    assert (curve.time[0], curve.time[-1]) == (0, 24)
    assert curve["median"][0] == 0
    at = curve.sel(time=12, method="nearest")
    ratios = np.linspace(0.5, 1.5, 400)
    time = float(at.time)
    gain = np.exp(-ratios * RATE * time**SHAPE) - np.exp(-RATE * time**SHAPE)
    assert float(at["lower"]) == pytest.approx(np.quantile(gain, 0.025))
    assert float(at["probability"]) == (gain > 0).mean()
    assert curve.attrs["ci_prob"] == 0.95


def test_the_time_gained_to_each_horizon_is_that_of_the_restricted_means(known):
    curve = difference_curve(compare_arms(known, "cti2", 12))
    assert curve["rmst_median"][0] == 0
    for i in (15, 30, 60):
        untreated, treated = compare_arms(known, "cti2", float(curve.time[i])).curves[0]
        gain, at = treated - untreated, curve.isel(time=i)
        assert float(at["rmst_median"]) == pytest.approx(np.median(gain), abs=0.02)
        assert float(at["rmst_lower"]) == pytest.approx(np.quantile(gain, 0.025), abs=0.02)
        assert float(at["rmst_probability"]) == pytest.approx((gain > 0).mean(), abs=0.005)


# --- What cannot be asked ---


def test_every_fault_at_once(known):
    with pytest.raises(bs.InputError) as caught:
        bs.benefit(
            known,
            "cti2",
            30,
            times=[6, 48],
            population=[],
            rmst_margin=-1,
            survival_margin=10,
            hazard_ratio_margins=[1.25],
        )
    within = (
        "is not above 0 and within the follow-up of both arms; the largest allowed is 24 months"
    )
    assert [str(fault) for fault in caught.value.faults] == [
        f"horizon: 30 {within}",
        f"times: 48 {within}",
        "population: no patients were given; name at least one",
        "rmst_margin: -1 is not above 0; it is in months of gain",
        "survival_margin: 10 is not between 0 and 1; it is a share: 10 points are 0.10",
        "hazard_ratio_margins: 1.25 is not above 0 and at most 1; a benefit is a ratio below it, "
        "as 0.8",
    ]


@pytest.mark.parametrize(
    ("margins", "said"),
    [
        ({"rmst_margin": 12}, "rmst_margin: 12 is not above 0 and below the horizon, 12; it is in"),
        ({"rmst_margin": 0}, "rmst_margin: 0 is not above 0 and below the horizon"),
        ({"rmst_margin": np.nan}, "rmst_margin: nan is not above 0"),
        ({"survival_margin": -0.1}, "survival_margin: -0.1 is not between 0 and 1"),
        ({"survival_margin": 5}, "5 points are 0.05"),
        ({"hazard_ratio_margins": [0]}, "hazard_ratio_margins: 0 is not above 0"),
    ],
)
def test_margins_of_the_wrong_sign_or_unit(known, margins, said):
    with pytest.raises(bs.InputError, match=re.escape(said)):
        bs.benefit(known, "cti2", 12, **margins)


def test_a_population_that_lacks_a_covariate_or_has_an_unknown_level(cohort):
    fit = bs.prior(cohort, "cti2 + age + four", draws=10)
    with pytest.raises(bs.InputError) as caught:
        bs.benefit(fit, "cti2", 30, population=[{"four": "a"}, {"four": "z"}])
    assert [str(fault) for fault in caught.value.faults[1:]] == [
        "population, column age: no such column, which the formula needs.",
        'population, row 1, column four: "z" is a level never seen in the cohort; known are a, b, '
        "c, d.",
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
