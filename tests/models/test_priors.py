"""Priors print, parse, and are the same distribution in scipy and in PyMC."""

import re

import numpy as np
import pymc as pm
import pytensor
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesurv.data.faults import InputError
from bayesurv.models.build import _variable
from bayesurv.models.distributions import Sampled
from bayesurv.models.priors import (
    FAMILIES,
    Distribution,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HazardRatio,
    LogNormal,
    MedianSurvival,
    Normal,
    Priors,
    Robust,
    RobustHazardRatio,
    StudentT,
    parse_prior,
)

MU = st.floats(-1e6, 1e6)
POSITIVE = st.floats(1e-6, 1e6)
RANGE = st.tuples(st.floats(1e-3, 1e3), st.floats(1.01, 1e3), st.floats(0.01, 0.99)).map(
    lambda r: (r[0], r[0] * r[1], r[2])
)
ARGUMENTS = {
    Normal: st.tuples(MU, POSITIVE),
    StudentT: st.tuples(POSITIVE, MU, POSITIVE),
    LogNormal: st.tuples(MU, POSITIVE),
    HalfNormal: st.tuples(POSITIVE),
    HalfCauchy: st.tuples(POSITIVE),
    Gamma: st.tuples(POSITIVE, POSITIVE),
    Robust: st.tuples(MU, POSITIVE, st.floats(0.01, 0.99), POSITIVE),
    HazardRatio: RANGE,
    RobustHazardRatio: st.tuples(RANGE, st.floats(0.01, 0.99), POSITIVE).map(
        lambda r: (*r[0], *r[1:])
    ),
    MedianSurvival: RANGE,
}
ANY_PRIOR = st.one_of(values.map(lambda v, f=f: f(*v)) for f, values in ARGUMENTS.items())
EXAMPLES = [
    Normal(0.3, 2),
    StudentT(4, -1, 0.7),
    LogNormal(0.2, 0.5),
    HalfNormal(0.8),
    HalfCauchy(1.5),
    Gamma(2.5, 0.4),
    Robust(-1.25, 0.3, 0.4, 1.5),
]


def in_pymc(prior):
    """The distribution that the model takes, from the functions that build it."""
    with pm.Model() as model:
        _variable(Sampled("x", (prior,)), pm, pytensor.tensor)
    return model.free_RVs[0]


def refused(action):
    with pytest.raises(InputError) as caught:
        action()
    return str(caught.value)


def test_every_family_is_tested():
    assert set(ARGUMENTS) == set(FAMILIES.values())
    plain = {family for family in FAMILIES.values() if issubclass(family, Distribution)}
    assert {type(example) for example in EXAMPLES} == plain


@given(ANY_PRIOR)
def test_the_printed_form_is_read_back_exactly(prior):
    assert parse_prior(str(prior)) == prior


@pytest.mark.parametrize(
    ("text", "prior"),
    [
        ("Normal(0, 2.5)", Normal(0, 2.5)),
        (" LogNormal ( 0,1 ) ", LogNormal(0, 1)),
        ("StudentT(3, 0, 2)", StudentT(nu=3, mu=0, sigma=2)),
        ("HazardRatio(0.5, 2)", HazardRatio(0.5, 2, 0.95)),
        ("MedianSurvival(3, 30, 0.9)", MedianSurvival(3, 30, 0.9)),
        ("Normal(-1e-3, 1e2)", Normal(-0.001, 100)),
    ],
)
def test_forms_that_a_plan_may_hold(text, prior):
    assert parse_prior(text) == prior


def test_the_printed_form_is_short():
    assert str(Normal(0.0, 2.5)) == "Normal(0, 2.5)"
    assert str(HazardRatio(0.5, 2)) == "HazardRatio(0.5, 2, 0.95)"


@pytest.mark.parametrize("prior", EXAMPLES, ids=str)
def test_scipy_and_pymc_have_the_same_density(prior):
    points = np.array([0.05, 0.4, 1.0, 2.7, 9.0])
    if not prior.positive:
        points = np.concatenate([points, -points])
    tensor = pm.logp(in_pymc(prior), points)
    found = pytensor.function([], tensor, mode="FAST_COMPILE")()
    # Without optimisation PyTensor keeps some constants in single precision.
    np.testing.assert_allclose(prior.frozen().logpdf(points), found, rtol=1e-7, atol=1e-8)
    assert prior.positive == (prior.frozen().support()[0] >= 0)


@given(RANGE)
def test_a_hazard_ratio_lies_in_its_range_with_its_probability(stated):
    lower, upper, prob = stated
    log_ratio = HazardRatio(*stated).distribution().frozen()
    assert log_ratio.cdf(np.log(lower)) == pytest.approx((1 - prob) / 2, rel=1e-6)
    assert log_ratio.sf(np.log(upper)) == pytest.approx((1 - prob) / 2, rel=1e-6)


@given(RANGE)
def test_a_median_lies_in_its_range_with_its_probability(stated):
    lower, upper, prob = stated
    prior = MedianSurvival(*stated)
    log_median = prior.distribution().frozen()
    assert log_median.cdf(np.log(lower)) == pytest.approx((1 - prob) / 2, rel=1e-6)
    assert log_median.sf(np.log(upper)) == pytest.approx((1 - prob) / 2, rel=1e-6)
    assert prior.centre == pytest.approx(np.exp(log_median.median()))


def test_around_a_median():
    assert MedianSurvival.around(6, 20) == MedianSurvival(0.3, 120, 0.95)


# --- The table of defaults, as the README states it ---


def test_defaults_are_the_table():
    assert Priors() == Priors(
        intercept=None,
        median_survival=None,
        coefficient=Normal(0, 0.75),
        shape=LogNormal(0, 0.5),
        slope=Normal(0, 1),
        log_hazard=None,
        smoothing_sd=HalfNormal(0.5),
        group_sd=HalfNormal(0.5),
    )
    ratio = Priors().coefficient.frozen()
    assert np.exp(ratio.interval(0.95)) == pytest.approx([0.23, 4.3], abs=0.06)


def test_coefficients_by_term_or_one_for_all():
    terms = ("cti2", "bulky", "age")
    assert Priors(coefficient=Normal(0, 2)).coefficients(terms) == [Normal(0, 2)] * 3
    some = Priors(coefficient={"age": StudentT(4, 0, 1), "cti2": HazardRatio(0.5, 2)})
    assert some.coefficients(terms) == [
        HazardRatio(0.5, 2).distribution(), Normal(0, 0.75), StudentT(4, 0, 1)
    ]  # fmt: skip


def test_priors_describe_themselves():
    described = Priors(coefficient={"age": Normal(0, 1)}, median_survival=MedianSurvival(3, 30))
    table = described.describe()
    assert table["coefficient[age]"] == "Normal(0, 1)"
    assert table["median_survival"] == "MedianSurvival(3, 30, 0.95)"
    assert table["shape"] == "LogNormal(0, 0.5)"
    assert "intercept" not in table


# --- What is refused ---


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Normla(0, 1)", "unknown prior 'Normla'"),
        ("Normla(0, 1)", 'Did you mean "Normal"?'),
        ("Normal(0)", "should read Normal(mu, sigma)"),
        ("HalfNormal(0, 1)", "should read HalfNormal(sigma)"),
        ("Normal(0, one)", "holds something that is no number"),
        ("Normal(,)", "holds something that is no number"),
        ("Normal 0, 1", 'a prior reads like "Normal(0, 2.5)"'),
        ("Normal(0, 1) + 1", 'a prior reads like "Normal(0, 2.5)"'),
        ("Normal(0, -1)", "sigma must be finite and above 0"),
        ("Normal(nan, 1)", "mu must be finite"),
        ("Gamma(1, 0)", "beta must be finite and above 0"),
        ("HalfCauchy(inf)", "beta must be finite and above 0"),
        ("HazardRatio(2, 0.5)", "needs 0 < lower < upper"),
        ("HazardRatio(0, 2)", "needs 0 < lower < upper"),
        ("HazardRatio(0.5, 2, 1)", "0 < prob < 1"),
        ("MedianSurvival(3, 3)", "needs 0 < lower < upper"),
    ],
)
def test_text_that_is_no_prior(text, said):
    assert said in refused(lambda: parse_prior(text))


def test_a_message_says_where_the_prior_stands():
    assert refused(lambda: parse_prior("x", where="priors.shape")).startswith("priors.shape: ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shape": Normal(0, 1)}, "shape is positive, not Normal(0, 1)"),
        ({"smoothing_sd": StudentT(3, 0, 1)}, "smoothing_sd is positive"),
        ({"group_sd": Normal(0, 1)}, "group_sd is positive"),
        ({"intercept": HalfNormal(1)}, "intercept may be negative"),
        ({"slope": LogNormal(0, 1)}, "slope may be negative"),
        ({"log_hazard": Gamma(1, 1)}, "log_hazard may be negative"),
        ({"coefficient": LogNormal(0, 1)}, "the coefficient of every term is a log hazard ratio"),
        ({"coefficient": {"age": HalfNormal(1)}}, "the coefficient of age is a log hazard ratio"),
        ({"coefficient": MedianSurvival(1, 2)}, "or HazardRatio, not MedianSurvival(1, 2, 0.95)"),
        ({"median_survival": Normal(0, 1)}, "median_survival is a MedianSurvival(lower, upper)"),
        (
            {"median_survival": MedianSurvival(3, 30), "intercept": Normal(0, 1)},
            "median_survival takes the place of intercept",
        ),
        (
            {"median_survival": MedianSurvival(3, 30), "log_hazard": Normal(0, 1)},
            "median_survival takes the place of log_hazard",
        ),
    ],
)
def test_priors_that_cannot_be(options, said):
    assert said in refused(lambda: Priors(**options))


def test_every_contradiction_is_said_at_once():
    said = refused(lambda: Priors(shape=Normal(0, 1), slope=Gamma(1, 1), group_sd=Normal(0, 1)))
    assert said.startswith("3 faults")


def test_a_term_that_the_model_lacks():
    priors = Priors(coefficient={"bulkyy": Normal(0, 1), "agee": Normal(0, 1)})
    said = refused(lambda: priors.coefficients(("bulky", "age")))
    assert re.search(r"no term 'bulkyy' in the model. Did you mean \"bulky\"", said)
    assert "agee" in said
