"""Posterior from Cox's partial likelihood: against R's integrate, quadrature, and NUTS."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from bayesurv.data.cohort import Cohort
from bayesurv.estimands.partial_posterior import partial_posterior
from bayesurv.estimands.summary import hazard_ratios
from bayesurv.frequentist.partial_likelihood import TwoArms, two_arms
from bayesurv.models.distributions import Normal, StudentT
from bayesurv.models.priors import HazardRatio

REFERENCE = Path(__file__).parents[1] / "reference"
VALUES = pd.read_csv(REFERENCE / "time_zero.csv")
ARMS = {"heart": "transplant", "veteran": "trt"}


def public(case):
    table = pd.read_csv(REFERENCE / "data" / f"{case}.csv")
    entry = table["entry"] if "entry" in table else None
    return two_arms(table["time"], table["event"], table[ARMS[case]], entry)


@pytest.mark.parametrize("case", ARMS)
@pytest.mark.parametrize("sd", [0.35, 0.75])
def test_it_is_what_r_integrates(case, sd):
    rows = VALUES[(VALUES["case"] == case) & (VALUES["time"] == sd)]
    value = dict(zip(rows["quantity"], rows["value"], strict=True))
    found = partial_posterior(public(case), Normal(0, sd))
    assert found.probability_below() == pytest.approx(value["below_1"], abs=1e-6)
    for percent in (2.5, 50, 97.5):
        assert found.quantile(percent / 100) == pytest.approx(value[f"q{percent:g}"], abs=1e-5)


events = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20), st.booleans()), min_size=1, max_size=30
).filter(lambda rows: all(u + v > 0 for u, v, _ in rows))
priors = st.sampled_from(
    [Normal(0, 0.05), Normal(0, 0.75), Normal(0, 2.5), Normal(3, 0.4), StudentT(3, 0, 1),
     HazardRatio(0.5, 1.2)]
)  # fmt: skip


@given(events, priors, st.floats(0.4, 2.5))
def test_it_is_exact_quadrature(rows, prior, ratio):
    """Any number at risk, also where Cox's estimate is infinite, and any prior."""
    untreated, treated, struck = np.array(rows, dtype=float).T
    struck = np.where(treated == 0, 0, np.where(untreated == 0, 1, struck))
    likelihood = TwoArms(untreated, treated, np.ones(len(rows)), np.asarray(struck.sum()))
    found = partial_posterior(likelihood, prior)
    stated = prior.distribution() if isinstance(prior, HazardRatio) else prior

    def log_density(b):
        lost = np.log(untreated + treated * np.exp(b)).sum()
        return struck.sum() * b - lost + stated.frozen().logpdf(b)

    top = max(map(log_density, found.grid))
    inside = [b for b in np.linspace(found.grid[0], found.grid[-1], 9)[1:-1]]

    def area(low, high):
        points = [b for b in inside if low < b < high] or None
        return quad(lambda b: np.exp(log_density(b) - top), low, high, points=points)[0]

    low, high = found.grid[[0, -1]]
    below = np.clip(np.log(ratio), low, high)
    share = area(low, below) / area(low, high)
    assert found.probability_below(ratio) == pytest.approx(share, abs=2e-5)


def test_quantiles_and_probabilities_are_one_distribution():
    found = partial_posterior(public("veteran"))
    for share in (0.01, 0.3, 0.5, 0.9):
        at = np.exp(found.quantile(share))
        assert found.probability_below(at) == pytest.approx(share, abs=1e-5)


def test_a_mixture_is_the_average():
    both = TwoArms(
        *(np.stack([getattr(public("veteran"), name)] * 2) for name in ("untreated", "treated")),
        np.stack([public("veteran").weight, np.zeros(len(public("veteran").weight))]),
        np.array([float(public("veteran").in_treated), 0.0]),
    )
    found = partial_posterior(both, Normal(0.2, 0.5))
    assert found.density.shape[0] == 2
    assert found.probability_below().shape == (2,)
    mixed = found.mixture(axis=0)
    for ratio in (0.7, 1, 1.5):
        assert mixed.probability_below(ratio) == pytest.approx(
            found.probability_below(ratio).mean(), abs=1e-12
        )


def test_without_events_the_prior_is_left():
    prior = Normal(-0.3, 0.6)
    found = partial_posterior(TwoArms(*np.ones((2, 3)), np.zeros(3), np.asarray(0.0)), prior)
    assert found.probability_below() == pytest.approx(prior.frozen().cdf(0), abs=1e-6)
    assert found.quantile(0.975) == pytest.approx(prior.frozen().ppf(0.975), abs=1e-5)


def test_nuts_agrees_loosely(weibull_fit, make_cohort):
    """Another likelihood, with a Weibull baseline: the same to a fifth of a standard error."""
    cohort = Cohort.from_frame(make_cohort(), time="os_months", event="os_event", unit="months")
    found = partial_posterior(two_arms(cohort.time, cohort.event, cohort.covariates["cti2"]))
    sampled = hazard_ratios(weibull_fit).set_index("term").loc["cti2"]
    assert np.exp(found.quantile(0.5)) == pytest.approx(sampled["hazard_ratio"], rel=0.07)
    assert np.exp(found.quantile(0.025)) == pytest.approx(sampled["lower"], rel=0.1)
    assert np.exp(found.quantile(0.975)) == pytest.approx(sampled["upper"], rel=0.1)
    assert found.probability_below() == pytest.approx(sampled["prob_below_1"], abs=0.04)
