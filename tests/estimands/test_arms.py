"""The levels of a treatment, and what can be asked of them."""

import numpy as np
import pytest

import bayesurv as bs
from bayesurv.estimands.arms import (
    checked_milestones,
    checked_population,
    treatment_arms,
    treatment_levels,
    treatment_terms,
)
from bayesurv.estimands.benefit import compare_arms


def test_arms_are_named_and_end_with_the_shorter_follow_up(prior):
    fit = prior("cti2")
    arms = treatment_arms(fit, "cti2")
    assert arms.names == ("cti2 = 0", "cti2 = 1")
    time = fit.draws["observed_data"]["time"].to_numpy()
    treated = fit.design.training["cti2"].to_numpy() == 1
    assert arms.end == min(time[treated].max(), time[~treated].max()) < 30


def test_levels_of_a_category_and_of_a_group_term_alone(prior):
    assert treatment_levels(prior("stage"), "stage").levels == ("I", "II", "III")
    assert treatment_levels(prior("cti2 + (1 | centre)"), "centre").levels == ("A", "B", "C")


def test_a_level_that_no_patient_has_is_none(prior):
    fit = prior("stage + scale(age)", ordinal={"stage": ["0", "I", "II", "III"]})
    assert fit.design.training["stage"].cat.categories[0] == "0"
    assert treatment_levels(fit, "stage").levels == ("I", "II", "III")


@pytest.mark.parametrize(
    ("treatment", "rank", "said"),
    [
        ("stage", False, "has 3 levels; name a covariate with two, or rank them (--rank)"),
        ("age", False, "has 7 levels; name a covariate with two, or rank them (--rank)"),
        ("cti", True, 'is not in the formula. Did you mean "cti2"?'),
    ],
)
def test_what_is_no_treatment(prior, treatment, rank, said):
    fit = prior("cti2 + stage + scale(age)")
    with pytest.raises(bs.InputError) as caught:
        (treatment_levels if rank else treatment_arms)(fit, treatment)
    assert str(caught.value) == f'treatment: "{treatment}" {said}'


def test_the_terms_of_a_treatment(prior):
    def terms(formula, treatment):
        fit = prior(formula)
        return treatment_terms(fit, compare_arms(fit, treatment, rank=True).arms)

    assert terms("cti2 + stage + cti2:scale(age)", "cti2") == ["cti2", "cti2:scale(age)"]
    assert terms("stage + (cti2 | centre)", "cti2") == ["cti2|centre"]
    assert terms("stage + (1 | centre)", "centre") == ["1|centre"]
    assert terms("stage + (1 | centre)", "stage") == ["stage[II]", "stage[III]"]


@pytest.mark.parametrize(
    ("formula", "treatment"), [("cti2", "cti2"), ("scale(cti2)", "cti2"), ("cti2 + stage", "cti2")]
)
def test_the_conditional_ratio_is_that_of_the_arms_whatever_the_coding(prior, formula, treatment):
    fit = prior(formula)
    asked = compare_arms(fit, treatment)
    other = {"stage": "II"}
    one, two = (bs.hazard(fit, [{"cti2": v, **other}], [5]).to_numpy()[..., 0, 0] for v in (0, 1))
    np.testing.assert_allclose(asked.conditional_ratio, two / one)


@pytest.mark.parametrize(
    "formula", ["cti2 * scale(age)", "cti2 + (cti2 | centre)", "I(cti2 * age)"]
)
def test_a_ratio_that_differs_between_patients_is_none(prior, formula):
    assert compare_arms(prior(formula), "cti2").conditional_ratio is None


def test_milestones_are_in_order_and_within_follow_up(prior):
    arms = treatment_arms(prior("cti2"), "cti2")
    assert checked_milestones(arms, [12, 3, 12.0], "months") == (3.0, 12.0)
    with pytest.raises(bs.InputError) as caught:
        checked_milestones(arms, [0, 3, 400], "months")
    allowed = f"within the follow-up of both arms; the largest allowed is {arms.end:g} months"
    assert [str(fault) for fault in caught.value.faults] == [
        f"times: 0 is not above 0 and {allowed}",
        f"times: 400 is not above 0 and {allowed}",
    ]


def test_a_population_needs_no_treatment_and_what_it_says_of_it_is_of_no_account(prior):
    fit = prior("cti2 + scale(age)")
    without = [{"age": 50}, {"age": 60}]
    stated = [{"age": 50, "cti2": "unknown"}, {"age": 60, "cti2": None}]
    first, second = (
        bs.benefit(fit, "cti2", population=each).drop(columns="mcse") for each in (without, stated)
    )
    assert first.equals(second)


def test_a_population_of_the_cohort_is_the_default(prior):
    fit = prior("cti2 + scale(age)")
    explicit = compare_arms(fit, "cti2", population=fit.design.training.drop(columns="cti2"))
    fit.draws["constant_data"]["individual"][:] = np.arange(24)
    np.testing.assert_allclose(explicit.curves[0], compare_arms(fit, "cti2").curves[0])


def test_a_population_of_nobody(prior):
    fit = prior("cti2")
    with pytest.raises(bs.InputError, match="population: no patients were given"):
        checked_population(fit, treatment_arms(fit, "cti2"), [])


def test_one_mixture_an_arm_serves_every_number(prior):
    asked = compare_arms(prior("cti2 + scale(age)"), "cti2", 12, times=[3, 12])
    assert asked.mixtures is asked.mixtures
    assert asked.milestones == (12.0, 3.0)
    rmst, survival = asked.curves
    assert (rmst.shape, survival.shape) == ((2, 1, 40), (2, 1, 40, 2))
    np.testing.assert_allclose(survival, asked.survival([12, 3]))
