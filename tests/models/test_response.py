"""The model of binary outcomes: its likelihood, its priors, and the compiled model beside them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit

from bayesurv.data.design import Design
from bayesurv.data.faults import InputError
from bayesurv.models.build import build_response
from bayesurv.models.distributions import Beta, HalfNormal, Normal
from bayesurv.models.prior_draws import prior_draws
from bayesurv.models.priors import HazardRatio, OddsRatio
from bayesurv.models.response import OutcomePriors, OutcomeSpecification, outcome_arrays

SIZE = 12
FRAME = pd.DataFrame({"cti2": np.arange(SIZE) % 2, "age": np.linspace(-1, 1, SIZE) ** 3})
KINDS = {
    "several": (("infection", "anaemia", "renal"), "cti2 + age", OutcomePriors()),
    "one": (("infection",), "cti2 + age", OutcomePriors(coefficient=OddsRatio(0.25, 4))),
    "cells": (("infection", "anaemia"), "cti2", OutcomePriors(risk=Beta(1, 2))),
}


def specified(kind="several"):
    names, formula, priors = KINDS[kind]
    return OutcomeSpecification(Design.from_frame(formula, FRAME), names, priors)


def observed(outcomes, seed=0):
    """Outcomes of the patients, a fifth of which are not known."""
    random = np.random.default_rng(seed)
    values = random.integers(0, 2, (SIZE, outcomes)).astype(float)
    return np.where(random.random(values.shape) < 0.2, np.nan, values)


def drawn(specification, seed=0):
    return prior_draws(specification, 5, seed)


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 10**6))
def test_the_likelihood_is_that_of_independent_bernoulli_trials(kind, seed):
    specification = specified(kind)
    values, parameters = observed(len(specification.outcomes), seed), drawn(specification, seed)
    found = specification.log_likelihood(outcome_arrays(specification.design, values), parameters)
    expected = np.zeros((1, 5, SIZE))
    slopes = parameters["coefficient"].reshape(1, 5, -1, len(specification.outcomes))
    fixed = FRAME[["cti2", "age"]].to_numpy()[:, : slopes.shape[2]]
    for i, k in np.argwhere(~np.isnan(values)):
        log_odds = parameters["intercept"][..., k] + slopes[..., k] @ fixed[i]
        if kind == "several":
            log_odds = log_odds + parameters["patient_effect"][..., i]
        expected[..., i] += stats.bernoulli.logpmf(int(values[i, k]), expit(log_odds))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_compiled_model_has_this_likelihood_and_these_priors(kind):
    specification = specified(kind)
    data = outcome_arrays(specification.design, observed(len(specification.outcomes)))
    model = build_response(specification, data)
    random, coords = np.random.default_rng(4), specification.coords()
    point, density = {}, 0.0
    for quantity in specification.sampled():
        size = len(coords[quantity.dim]) if quantity.dim else 1
        each = quantity.priors * size if len(quantity.priors) == 1 else quantity.priors
        values = np.array([prior.frozen().rvs(random_state=random) for prior in each])
        density += sum(p.frozen().logpdf(v) for p, v in zip(each, values, strict=True))
        point[quantity.name] = values if quantity.dim else values[0]
    for name, dim in specification.standard_normals():
        point[name] = random.standard_normal(len(coords[dim]))
        density += stats.norm.logpdf(point[name]).sum()
    parameters = specification.parameters(point)
    density += specification.log_likelihood(data, parameters).sum()
    transformed = {
        variable.name: model.rvs_to_transforms[rv].forward(point[rv.name]).eval()
        if model.rvs_to_transforms[rv] is not None else point[rv.name]
        for rv, variable in model.rvs_to_values.items()
    }  # fmt: skip
    assert model.compile_logp(jacobian=False)(transformed) == pytest.approx(density, rel=1e-9)


@given(st.permutations(range(SIZE)), st.permutations(range(3)))
def test_the_order_of_patients_and_outcomes_is_of_no_account(patients, outcomes):
    specification, values = specified(), observed(3)
    parameters = drawn(specification)
    data = outcome_arrays(specification.design, values)
    moved = {
        "fixed": data["fixed"][patients],
        **{name: data[name][np.ix_(patients, outcomes)] for name in ("happened", "known")},
    }
    slopes = parameters["coefficient"].reshape(1, 5, 2, 3)[..., outcomes]
    others = parameters | {
        "intercept": parameters["intercept"][..., outcomes],
        "coefficient": slopes.reshape(1, 5, -1),
        "patient_effect": parameters["patient_effect"][..., patients],
    }
    one = specification.log_likelihood(data, parameters)[..., patients]
    np.testing.assert_allclose(specification.log_likelihood(moved, others), one, rtol=1e-9)


def test_coefficients_of_several_outcomes_spread_around_their_mean():
    specification = specified()
    parameters = prior_draws(specification, 40_000, 1)
    slopes = parameters["coefficient"].reshape(-1, 2, 3)
    spread = slopes - parameters["group_mean"].reshape(-1, 2, 1)
    expected = np.sqrt(1 + 0.5**2)  # Normal(0, 1) and HalfNormal(0.5)
    np.testing.assert_allclose(slopes.std(axis=0), expected, rtol=0.03)
    np.testing.assert_allclose(spread.std(axis=0), 0.5, rtol=0.03)
    effects = parameters["patient_effect"].reshape(-1, SIZE)
    np.testing.assert_allclose(effects.std(axis=0), 1, rtol=0.03)


def test_one_outcome_has_neither_a_mean_nor_effects_of_patients():
    assert set(drawn(specified("one"))) == {"intercept", "coefficient"}
    assert specified("one").standard_normals() == []


def test_a_risk_of_its_own_for_each_cell():
    parameters = prior_draws(specified("cells"), 40_000, 1)
    first = parameters["intercept"]
    for risk in (expit(first), expit(first + parameters["coefficient"])):
        for k in range(2):
            assert stats.kstest(risk[0, :, k], stats.beta(1, 2).cdf).pvalue > 0.001


def test_priors_describe_what_the_model_uses():
    assert specified().described_priors() == {
        "intercept": "Normal(0, 1.5)",
        "coefficient": "Normal(0, 1)",
        "group_sd": "HalfNormal(0.5)",
        "patient_sd": "HalfNormal(1)",
    }
    assert specified("one").described_priors() == {
        "intercept": "Normal(0, 1.5)",
        "coefficient": "OddsRatio(0.25, 4, 0.95)",
    }
    assert specified("cells").described_priors() == {"risk": "Beta(1, 2)"}


def test_a_prior_by_term():
    priors = OutcomePriors(coefficient={"age": Normal(0, 0.2)})
    specification = OutcomeSpecification(specified().design, ("infection",), priors)
    [_, coefficient] = specification.sampled()
    assert coefficient.priors == (Normal(0, 1), Normal(0, 0.2))


def test_every_contradiction_of_priors_is_listed():
    with pytest.raises(InputError) as caught:
        OutcomePriors(
            intercept=Beta(1, 1), coefficient={"cti2": HazardRatio(0.5, 2)},
            group_sd=Normal(0, 1), patient_sd=Beta(1, 1), risk=HalfNormal(1),
        )  # fmt: skip
    said = [fault.message for fault in caught.value.faults]
    names = ("intercept", "group_sd", "patient_sd", "coefficient", "risk")
    assert len(said) == len(names)
    for name, message in zip(names, said, strict=True):
        assert name in message
        assert "use " in message


@pytest.mark.parametrize(
    ("formula", "frame"), [("cti2 + age", FRAME), ("cti2", FRAME.assign(cti2=FRAME["cti2"] + 1))]
)
def test_a_risk_needs_two_arms_and_no_more(formula, frame):
    with pytest.raises(InputError, match="the formula must be the treatment alone"):
        OutcomeSpecification(
            Design.from_frame(formula, frame), ("infection",), OutcomePriors(risk=Beta(1, 1))
        )


def test_groups_are_refused():
    frame = FRAME.assign(centre=list("abc") * 4)
    frame["centre"] = frame["centre"].astype("category")
    with pytest.raises(InputError, match="not supported for 0/1 outcomes"):
        OutcomeSpecification(
            Design.from_frame("cti2 + (1 | centre)", frame), ("infection",), OutcomePriors()
        )
