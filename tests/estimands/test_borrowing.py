"""Borrowing against closed forms, quadrature, and the conflict that the founding paper is in."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from scipy.stats import norm

import bayesurv as bs
from bayesurv.data.faults import InputError
from bayesurv.data.published.external import named_evidence
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.borrowing import CONFLICT_TAIL, Borrowing, borrow
from bayesurv.estimands.borrowing_curve import weight_curve
from bayesurv.estimands.borrowing_fit import allocation, borrow_in_fit
from bayesurv.models.distributions import Normal, Robust
from bayesurv.models.evidence import log_hazard_ratio, read_ratio, treatment_prior

XUE = treatment_prior(named_evidence(["xue_2024_os"])[0])
ABSTRACT = log_hazard_ratio(read_ratio("1.665 (0.883-3.141)"))
UNADJUSTED = (1.977 * 0.315, 0.315)
ADJUSTED = (ABSTRACT.mu, ABSTRACT.sigma)
ESTIMATES = st.tuples(st.floats(-2, 2), st.floats(0.1, 1))
PRIORS = st.lists(
    st.tuples(st.floats(-2, 2), st.floats(0.1, 1)).map(lambda p: Normal(*p)), min_size=1, max_size=3
)
GRID = np.linspace(-12, 12, 12001)


# --- The natural test: Xue 2024 and the founding paper ---


@pytest.mark.parametrize(
    ("estimate", "z", "alone"), [(UNADJUSTED, 4.39, 1.76), (ADJUSTED, 4.07, 1.59)]
)
def test_xue_is_dropped_and_not_averaged_in(estimate, z, alone):
    found = borrow(*estimate, XUE, 0.5, Normal(0, 1), allocation=27 / 61)
    conflict, tail = found.conflict
    assert conflict[0] == pytest.approx(z, abs=0.005)
    assert tail[0] < 1e-4 < CONFLICT_TAIL
    assert found.weights()[0] < 0.001
    assert found.borrowing.hazard_ratio == pytest.approx(found.without.hazard_ratio, rel=0.001)
    assert found.without.hazard_ratio == pytest.approx(alone, abs=0.005)
    assert found.pooled.hazard_ratio < 0.7
    assert abs(found.events_borrowed) < 0.5


def test_conflict_at_the_rounded_hazard_ratios_is_that_of_the_literature():
    """z = 4.3 at HR 1.83 and 4.1 at 1.665."""
    assert borrow(np.log(1.83), 0.315, XUE).conflict[0][0] == pytest.approx(4.3, abs=0.05)
    assert borrow(np.log(1.665), 0.324, XUE).conflict[0][0] == pytest.approx(4.1, abs=0.05)


@pytest.mark.parametrize(
    ("sd", "expected"),
    [
        (0.35, (1.41, 0.89, 2.23, 0.929)),
        (0.5, (1.56, 0.93, 2.63, 0.953)),
        (0.75, (1.70, 0.96, 3.00, 0.966)),
        (1.0, (1.76, 0.98, 3.18, 0.970)),
        (2.5, (1.85, 1.00, 3.41, 0.975)),
    ],
)
def test_without_evidence_the_vague_prior_alone_is_the_prior(sd, expected):
    """Hazard ratio, interval and P(HR > 1) of the unadjusted estimate under Normal(0, sd)."""
    found = borrow(*UNADJUSTED, XUE, 0.0, Normal(0, sd)).borrowing
    numbers = found.hazard_ratio, found.lower, found.upper, 1 - found.prob_benefit
    assert_allclose(numbers, expected, atol=0.006)


def test_evidence_that_agrees_is_borrowed_nearly_in_full():
    found = borrow(XUE.mu, 0.3, XUE, 0.5, Normal(0, 1))
    assert found.weights()[0] > 0.75
    assert found.conflict[1][0] == pytest.approx(1)
    assert found.borrowing.hazard_ratio == pytest.approx(found.pooled.hazard_ratio, rel=0.02)
    assert 0.5 * found.component_events[0] < found.events_borrowed < found.component_events[0]


# --- Exactness ---

XUE_IN_R = (np.log(0.28), np.log(0.51 / 0.16) / 3.919928)
REFERENCE = pd.read_csv(Path(__file__).parents[1] / "reference" / "borrowing.csv")
CASES = {
    "unadjusted": (UNADJUSTED, [XUE_IN_R], 0.5, 1.0),
    "adjusted": ((np.log(1.665), 0.324), [XUE_IN_R], 0.5, 1.0),
    "agreeing": ((np.log(0.3), 0.31), [XUE_IN_R], 0.5, 1.0),
    "sceptical": ((-0.35, 0.25), [(0.2, 0.15)], 0.8, 0.75),
    "two": ((-0.2, 0.3), [(np.log(0.28), 0.3), (np.log(0.7), 0.2)], 0.5, 1.0),
}


@pytest.mark.parametrize("case", CASES)
def test_borrowing_is_what_quadrature_in_r_gives(case):
    estimate, evidence, weight, vague = CASES[case]
    found = borrow(*estimate, [Normal(*each) for each in evidence], weight, Normal(0, vague))
    expected = REFERENCE[REFERENCE["case"] == case].set_index("quantity")["value"]
    for name in ("hazard_ratio", "lower", "upper", "prob_benefit", "sd"):
        assert getattr(found.borrowing, name) == pytest.approx(expected[name], rel=1e-6)
    assert found.prior.mixture.information() == pytest.approx(expected["information"], rel=1e-6)
    z, tail = found.conflict
    assert (z[0], tail[0]) == pytest.approx(
        (expected["conflict_z"], expected["conflict_tail"]), rel=1e-6
    )
    weights = expected[expected.index.str.startswith("weight_")]
    assert_allclose(found.weights(), weights, rtol=1e-6)


@given(ESTIMATES, PRIORS, st.floats(0, 1), st.floats(0.3, 2))
def test_borrowing_is_bayes_rule_on_a_grid(estimate, evidence, weight, vague):
    found = borrow(*estimate, evidence, weight, Normal(0, vague))
    shares = [weight / len(evidence)] * len(evidence) + [1 - weight]
    parts = np.array([
        share * norm(prior.mu, prior.sigma).pdf(GRID) * norm(GRID, estimate[1]).pdf(estimate[0])
        for share, prior in zip(shares, (*evidence, Normal(0, vague)), strict=True)
    ])  # fmt: skip
    areas = parts.sum(axis=1)
    assert_allclose(found.weights(), areas / areas.sum(), atol=1e-8)
    density = parts.sum(axis=0) / areas.sum()
    up_to = np.cumsum(density) - density / 2
    assert found.borrowing.prob_benefit == pytest.approx(np.interp(0, GRID, up_to), abs=1e-4)
    mean = (density * GRID).sum()
    sd = np.sqrt((density * (GRID - mean) ** 2).sum())
    assert found.borrowing.sd == pytest.approx(sd, rel=1e-4)
    for name, probability in {"lower": 0.025, "hazard_ratio": 0.5, "upper": 0.975}.items():
        at = np.log(getattr(found.borrowing, name))
        assert np.interp(at, GRID, up_to) == pytest.approx(probability, abs=1e-4)


@given(ESTIMATES, PRIORS)
def test_the_ends_of_the_weight(estimate, evidence):
    none = borrow(*estimate, evidence, 0.0)
    assert none.borrowing.hazard_ratio == pytest.approx(float(none.without.hazard_ratio))
    assert none.weights()[-1] == 1
    assert none.events_borrowed == pytest.approx(0, abs=1e-6)
    full = borrow(*estimate, evidence[:1], 1.0)
    assert full.borrowing.hazard_ratio == pytest.approx(float(full.pooled.hazard_ratio))
    assert full.events_borrowed == pytest.approx(
        4 / evidence[0].sigma ** 2 - 4 / full.prior.vague.sigma**2, rel=1e-6
    )


def test_members_at_once_are_each_by_itself():
    estimates, errors = np.linspace(0.4, 0.8, 7), np.linspace(0.3, 0.33, 7)
    many = borrow(estimates, errors, [XUE, Normal(0.5, 0.3)])
    each = [borrow(*pair, [XUE, Normal(0.5, 0.3)]) for pair in zip(estimates, errors, strict=True)]
    assert many.weights().shape == (7, 3)
    assert_allclose(many.weights(), [one.weights() for one in each])
    for name in ("borrowing", "without", "pooled"):
        for number in ("hazard_ratio", "lower", "upper", "prob_benefit", "sd"):
            alone = [getattr(getattr(one, name), number) for one in each]
            assert_allclose(getattr(getattr(many, name), number), alone, rtol=1e-9)
    assert_allclose(many.conflict, np.stack([one.conflict for one in each], axis=1))
    assert_allclose(many.events_borrowed, [one.events_borrowed for one in each], atol=1e-6)


def test_pooled_evidence_is_one_study():
    """Two pieces and the data as three estimates of one number."""
    second = Normal(-0.4, 0.4)
    found = borrow(0.1, 0.3, [XUE, second]).pooled
    sds = np.array([XUE.sigma, second.sigma, 0.3])
    mean = np.average([XUE.mu, second.mu, 0.1], weights=sds**-2)
    assert np.log(found.hazard_ratio) == pytest.approx(mean)
    assert found.sd == pytest.approx((sds**-2).sum() ** -0.5)


def test_events_are_precision_at_the_allocation():
    """A log-rank comparison of D events in equal arms has the precision D / 4."""
    found = borrow(0.0, 0.3, Normal(0, np.sqrt(4 / 40)), allocation=0.5)
    assert found.component_events[0] == pytest.approx(40)
    unequal = borrow(0.0, 0.3, Normal(0, np.sqrt(4 / 40)), allocation=0.2)
    assert unequal.component_events[0] == pytest.approx(10 / 0.16)
    assert found.component_events[-1] < found.prior_events < 40


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_that_is_no_probability(weight):
    with pytest.raises(InputError, match="weight: .* is not from 0 to 1"):
        borrow(0.5, 0.3, XUE, weight)


def test_what_cannot_be_borrowed_for():
    with pytest.raises(InputError, match="standard error above 0"):
        borrow([0.5, 0.1], [0.3, 0.0], XUE)
    with pytest.raises(InputError, match="log hazard ratio is finite"):
        borrow(np.nan, 0.3, XUE)
    with pytest.raises(InputError, match="evidence: none is given"):
        borrow(0.5, 0.3, [])


# --- The curve over the weight ---


@given(ESTIMATES, PRIORS, st.sampled_from([0.9, 0.95, 0.975]))
def test_the_conclusion_changes_where_it_is_said(estimate, evidence, threshold):
    found = borrow(*estimate, evidence)
    curve = weight_curve(found, threshold)
    chances = curve.curve["prob_benefit"]
    steps = np.diff(chances) * np.sign(chances.iloc[-1] - chances.iloc[0])
    assert (steps > -1e-12).all()
    assert curve.curve["weight"].iloc[[0, -1]].tolist() == [0, 1]
    for flip in curve.flips:
        at = borrow(*estimate, evidence, flip.weight).borrowing.prob_benefit
        if 1 - flip.weight < 1e-9:
            continue  # too near 1 for a number to say how near
        assert min(abs(at - threshold), abs(at - 1 + threshold)) < 1e-6
    words = [curve.conclusion, *(flip.after for flip in curve.flips)]
    assert words[1:] == [flip.after for flip in curve.flips]
    assert words[:-1] == [flip.before for flip in curve.flips]
    assert curve.curve["conclusion"].iloc[-1] == words[-1]


def test_from_harm_through_undecided_to_benefit():
    curve = weight_curve(borrow(0.6, 0.2, Normal(-1.5, 0.1)), 0.95)
    assert [(flip.before, flip.after) for flip in curve.flips] == [
        ("harm", "undecided"), ("undecided", "benefit"),
    ]  # fmt: skip


def test_the_curve_needs_a_threshold():
    with pytest.raises(InputError, match="threshold"):
        weight_curve(borrow(0.5, 0.3, XUE), 0.5)


# --- A fit ---

LEVEL = Normal(-2, 1.5)
DEATHS = 25  # in each arm


def cohort(ratio):
    """Two arms of deaths alone, with this ratio of their rates."""
    months = np.linspace(0.5, 12, DEATHS)
    return pd.DataFrame(
        {
            "time": np.concatenate([months, months / ratio]),
            "event": 1,
            "cti2": np.repeat([0, 1], DEATHS),
        }
    )


@pytest.fixture(scope="module")
def fits(sampled):
    """An exponential model with one coefficient, without a compiler."""
    priors = bs.Priors(intercept=LEVEL, coefficient=bs.Normal(0, 0.75))
    made = {
        ratio: sampled(cohort(ratio), "cti2", bs.Exponential(), priors, draws=1000, seed=4)
        for ratio in (0.35, 1.8)
    }
    return {ratio: compare_arms(fit, "cti2") for ratio, fit in made.items()}


def quadrature(ratio, prior):
    """Log marginal likelihood and P(HR < 1) under one prior, by sums over a plane."""
    frame = cohort(ratio)
    a, b = np.meshgrid(np.linspace(-5, 1, 601), np.linspace(-4, 4, 1601), indexing="ij")
    first, second = (frame.loc[frame["cti2"] == arm, "time"].sum() for arm in (0, 1))
    log = DEATHS * (2 * a + b) - np.exp(a) * (first + second * np.exp(b))
    log += norm(LEVEL.mu, LEVEL.sigma).logpdf(a) + norm(prior.mu, prior.sigma).logpdf(b)
    total = logsumexp(log)
    return total, float(np.exp(logsumexp(log[b < 0]) - total))


@pytest.mark.parametrize("ratio", [0.35, 1.8])
def test_a_fit_is_borrowed_for_as_quadrature_says(fits, ratio):
    prior = Borrowing((XUE,), 0.5, Normal(0, 1))
    found = borrow_in_fit(fits[ratio], prior)
    exact = np.array([quadrature(ratio, each) for each in prior.components])
    assert found.posteriors.settled
    evidence_over_vague = np.diff(found.log_marginal[::-1])[0]
    expected = exact[0, 0] - exact[1, 0]
    error = np.hypot(*found.posteriors.log_marginal_error)
    assert evidence_over_vague == pytest.approx(expected, abs=4 * error + 0.05)
    weights = np.exp(exact[:, 0] - logsumexp(exact[:, 0]))
    assert_allclose(found.weights(), weights, atol=0.02)
    chance = weights @ exact[:, 1]
    assert found.borrowing.prob_benefit == pytest.approx(
        chance, abs=4 * found.borrowing.mcse + 0.005
    )


def test_evidence_pooled_whole_in_a_fit_is_as_quadrature_says(fits):
    prior = Borrowing((XUE, Normal(0.3, 0.4)))
    found = borrow_in_fit(fits[1.8], prior).pooled
    _, chance = quadrature(1.8, prior.pooled)
    assert found.prob_benefit == pytest.approx(chance, abs=4 * found.mcse + 0.005)


def test_evidence_in_conflict_is_dropped_by_a_fit_and_agreeing_evidence_kept(fits):
    against = borrow_in_fit(fits[1.8], Borrowing((XUE,)))
    assert against.weights()[0] < 0.005
    assert against.conflict[1][0] < 0.001
    assert against.borrowing.hazard_ratio == pytest.approx(
        float(against.without.hazard_ratio), rel=0.01
    )
    assert against.pooled.hazard_ratio < 0.75
    agreeing = borrow_in_fit(fits[0.35], Borrowing((XUE,)))
    assert agreeing.weights()[0] > 0.7
    assert agreeing.events_borrowed > 15


@pytest.mark.parametrize("ratio", [0.35, 1.8])
def test_a_fit_and_its_normal_approximation_agree(fits, ratio):
    evidence = (XUE, Normal(0.3, 0.4))
    found = borrow_in_fit(fits[ratio], Borrowing(evidence))
    normal = borrow(found.estimate, found.standard_error, evidence)
    assert found.standard_error == pytest.approx(np.sqrt(2 / DEATHS), rel=0.06)
    assert_allclose(found.weights(), normal.weights(), atol=0.03)
    for name in ("borrowing", "without", "pooled"):
        ours, theirs = getattr(found, name), getattr(normal, name)
        assert ours.hazard_ratio == pytest.approx(float(theirs.hazard_ratio), rel=0.04)
        assert ours.prob_benefit == pytest.approx(float(theirs.prob_benefit), abs=0.03)
    at = np.linspace(-2, 2, 401)
    density = found.posteriors.density(found.weights(), at)
    exact = normal.posteriors.density(normal.weights(), at)
    assert np.abs(density - exact).sum() * (at[1] - at[0]) < 0.12


def test_the_same_seed_gives_the_same_numbers(fits):
    prior = Borrowing((XUE,))
    first, second = (borrow_in_fit(fits[0.35], prior, seed) for seed in (3, 3))
    assert_allclose(first.log_marginal, second.log_marginal, rtol=0)
    assert first.borrowing.hazard_ratio == second.borrowing.hazard_ratio


@pytest.mark.parametrize("ratio", [0.35, 1.8])
def test_a_fit_under_the_robust_prior_itself_is_the_same(fits, sampled, ratio):
    """Draws of the mixture's posterior in one piece, against its components put together."""
    robust = Robust(XUE.mu, XUE.sigma, 0.5, 1)
    priors = bs.Priors(intercept=LEVEL, coefficient=robust)
    whole = sampled(cohort(ratio), "cti2", bs.Exponential(), priors, draws=1000, seed=6)
    draws = whole.posterior["coefficient"].to_numpy()
    found = borrow_in_fit(fits[ratio], Borrowing((XUE,), 0.5, Normal(0, 1))).borrowing
    assert np.exp(np.median(draws)) == pytest.approx(float(found.hazard_ratio), rel=0.03)
    assert (draws < 0).mean() == pytest.approx(float(found.prob_benefit), abs=0.015)
    assert draws.std() == pytest.approx(float(found.sd), rel=0.06)


def test_allocation_is_the_share_of_the_patients_treated(fits):
    assert allocation(fits[1.8]) == 0.5
    switching = pd.DataFrame(
        {
            "id": [1, 1, 2, 3, 4, 5],
            "entry": [0, 2, 0, 0, 0, 0.0],
            "time": [2, 5, 4, 6, 3, 7.0],
            "event": [0, 1, 1, 1, 1, 1],
            "cti2": [0, 1, 0, 0, 1, 0],
        }
    )
    people = bs.Cohort.from_frame(
        switching, time="time", event="event", entry="entry", id="id", unit="months"
    )
    assert allocation(compare_arms(bs.prior(people, "cti2", draws=10), "cti2")) == 2 / 5


def test_a_fit_without_one_hazard_ratio_or_data(prior):
    interacting = compare_arms(prior("cti2 * age"), "cti2")
    with pytest.raises(InputError, match="no one hazard ratio of"):
        borrow_in_fit(interacting, Borrowing((XUE,)))
    with pytest.raises(InputError, match="fit the cohort first"):
        borrow_in_fit(compare_arms(prior("cti2"), "cti2"), Borrowing((XUE,)))
