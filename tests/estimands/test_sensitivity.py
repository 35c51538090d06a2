"""Prior sensitivity against the paper's anchors, NUTS, arviz and closed forms."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from arviz_stats import psense_summary
from numpy.testing import assert_allclose
from scipy import stats

import bayesurv as bs
from bayesurv.data.faults import InputError
from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.prior_weight import power_scaling, prior_share
from bayesurv.estimands.sensitivity import (
    prior_sensitivity,
    prior_table,
    treatment_term,
    under_treatment_prior,
    with_treatment_prior,
)
from bayesurv.inference.sample import Sampling
from bayesurv.inference.sensitivity import CONFLICT, NOT_SENSITIVE, STRONG_PRIOR
from bayesurv.models.priors import HazardRatio, Normal, Priors, StudentT

NEUTRAL = Normal(0, 0.75)
LOG_RATIO = 1.977 * 0.315
ERROR = np.sqrt(1 / 22 + 1 / 19)  # 0.313, that of an exponential model

# Prior sd: hazard ratio, interval and P(HR > 1) if the likelihood is normal, z 1.977, SE 0.315.
ANCHORS = {
    0.35: (1.41, 0.89, 2.23, 0.929),
    0.50: (1.56, 0.93, 2.63, 0.953),
    0.75: (1.70, 0.96, 3.00, 0.966),
    1.0: (1.76, 0.98, 3.18, 0.970),
    2.5: (1.85, 1.00, 3.41, 0.975),
}


def two_arms(log_ratio=LOG_RATIO):
    """34 patients with 19 deaths and 27 with 22, whose crude rates have this log ratio."""
    frame = pd.DataFrame(
        {
            "cti2": np.repeat([0, 1], [34, 27]),
            "event": np.repeat([1, 0, 1, 0], [19, 15, 22, 5]),
            "months": np.concatenate([np.linspace(2, 38, 34), np.linspace(1, 2, 27)]),
        }
    )
    treated = frame["cti2"] == 1
    time = 22 / 19 * frame["months"][~treated].sum() / np.exp(log_ratio)
    frame.loc[treated, "months"] *= time / frame["months"][treated].sum()
    return frame


def fitted(formula="cti2", prior=NEUTRAL, frame=None):
    """Fit an exponential model by NUTS."""
    frame = two_arms() if frame is None else frame
    cohort = bs.Cohort.from_frame(frame, time="months", event="event", unit="months")
    sampling = Sampling(chains=4, draws=2500, tune=500, seed=5)
    priors = Priors(coefficient=prior)
    baseline = bs.Exponential()
    return bs.fit(cohort, formula, baseline=baseline, priors=priors, sampling=sampling)


@pytest.fixture(scope="module")
def neutral():
    return compare_arms(fitted(), "cti2", 12)


# --- Other priors ---


def test_the_anchors_of_the_paper(neutral):
    others = {f"sd {sd}": Normal(0, sd) for sd in ANCHORS}
    rows = prior_table(neutral, others).set_index("prior")
    for sd, (ratio, lower, upper, harm) in ANCHORS.items():
        row = rows.loc[f"sd {sd}"]
        assert row["hazard_ratio"] == pytest.approx(ratio, abs=0.1)
        assert_allclose(row[["lower", "upper"]].astype(float), [lower, upper], atol=0.1)
        assert 1 - row["prob_benefit"] == pytest.approx(harm, abs=0.01)
        assert row["prob_below_0.8"] <= 0.02 + 2 * row["mcse"]
        assert not row["refitted"]


@pytest.mark.parametrize("prior", [Normal(0, 0.35), Normal(-0.693, 0.35)])
def test_another_prior_is_nuts_under_it(neutral, prior):
    row = prior_table(neutral, {"again": prior}).set_index("prior").loc["again"]
    again = compare_arms(fitted(prior=prior), "cti2", 12)
    ratio, rmst = again.conditional_ratio, again.curves[0]
    found = row[["lower", "hazard_ratio", "upper"]].astype(float)
    at = [0.025, 0.5, 0.975]
    assert_allclose(np.log(found), np.log(np.quantile(ratio, at)), atol=0.04)
    expected = row[["rmst_lower", "rmst_difference", "rmst_upper"]].astype(float)
    assert_allclose(expected, np.quantile(rmst[1] - rmst[0], at), atol=0.1)
    assert row["prob_benefit"] == pytest.approx((ratio < 1).mean(), abs=0.015)


def test_a_prior_that_weights_cannot_reach_is_refitted_and_is_nuts_under_it(neutral):
    prior = Normal(-1.5, 0.15)
    row = prior_table(neutral, {"far": prior}).set_index("prior").loc["far"]
    ratio = compare_arms(fitted(prior=prior), "cti2", 12).conditional_ratio
    assert row["refitted"]
    assert not row["failed"]
    found = row[["lower", "hazard_ratio", "upper"]].astype(float)
    assert_allclose(np.log(found), np.log(np.quantile(ratio, [0.025, 0.5, 0.975])), atol=0.04)


@pytest.mark.parametrize("sign", [1, -1])
def test_sceptic_and_enthusiast_stand_on_either_side(sign, neutral):
    asked = compare_arms(fitted(frame=two_arms(-LOG_RATIO)), "cti2", 12) if sign < 0 else neutral
    table = prior_table(asked).set_index("prior")
    sceptical, enthusiastic = table.loc["sceptical"], table.loc["enthusiastic"]
    between = table.loc[["neutral (as fitted)", "vague"]]
    assert (enthusiastic["hazard_ratio"] < between["hazard_ratio"]).all()
    assert (enthusiastic["prob_benefit"] > between["prob_benefit"]).all()
    assert (
        np.abs(np.log(sceptical["hazard_ratio"])) < between["hazard_ratio"].map(np.log).abs()
    ).all()
    if sign < 0:
        assert sceptical["hazard_ratio"] > between["hazard_ratio"].max()
        assert sceptical["prob_benefit"] < between["prob_benefit"].min()


def test_the_fitted_prior_again_changes_nothing(neutral):
    moved, found = under_treatment_prior(neutral, Normal(0, 0.75))
    assert moved is neutral
    assert np.ptp(found.weights) == 0
    table = prior_table(neutral, {"again": Normal(0, 0.75)}).set_index("prior")
    again, own = table.loc["again"], table.loc["neutral (as fitted)"]
    pd.testing.assert_series_equal(again, own, check_names=False)
    ratio = np.exp(neutral.fit.posterior["coefficient"].to_numpy())
    assert own["hazard_ratio"] == pytest.approx(np.median(ratio))
    assert own["prob_benefit"] == pytest.approx((ratio < 1).mean())


def test_each_prior_is_described_by_its_hazard_ratios(neutral):
    table = prior_table(neutral, {"x": HazardRatio(0.5, 2), "t": StudentT(3, 0.1, 0.5)})
    rows = table.set_index("prior")
    assert list(rows.index) == [
        "sceptical", "neutral (as fitted)", "enthusiastic", "vague", "x", "t",
    ]  # fmt: skip
    assert list(rows["stated"]) == [
        "Normal(0, 0.35)", "Normal(0, 0.75)", "Normal(-0.693, 0.35)", "Normal(0, 2.5)",
        "HazardRatio(0.5, 2, 0.95)", "StudentT(3, 0.1, 0.5)",
    ]  # fmt: skip
    assert_allclose(rows.loc["x", ["prior_lower", "prior_upper"]].astype(float), [0.5, 2])
    expected = np.exp(stats.t(3, 0.1, 0.5).ppf([0.025, 0.975]))
    assert_allclose(rows.loc["t", ["prior_lower", "prior_upper"]].astype(float), expected)
    assert rows["prior_prob_benefit"].to_dict() == pytest.approx(
        {
            "sceptical": 0.5,
            "neutral (as fitted)": 0.5,
            "enthusiastic": stats.norm.cdf(0.693 / 0.35),  # 0.02 of harm
            "vague": 0.5,
            "x": 0.5,
            "t": stats.t(3, 0.1, 0.5).cdf(0),
        }
    )


def test_the_error_is_that_of_repeated_fits(neutral):
    """Halves of the draws disagree by about what their Monte-Carlo errors say."""
    found = []
    for half in (slice(0, 1250), slice(1250, None)):
        tree = neutral.fit.draws.isel(draw=half)
        asked = compare_arms(replace(neutral.fit, draws=tree), "cti2", 12)
        found.append(prior_table(asked))
    apart = (found[0]["prob_benefit"] - found[1]["prob_benefit"]).abs()
    error = np.hypot(found[0]["mcse"], found[1]["mcse"])
    assert (apart < 4 * error).all()
    assert (error < 0.03).all()


# --- Which coefficient, and which prior, is the treatment's ---


def test_other_terms_keep_their_priors(prior):
    priors = Priors(coefficient={"age": Normal(0, 0.02), "cti2": HazardRatio(0.4, 2)})
    asked = compare_arms(posterior_like(prior("cti2 + age + stage", priors=priors)), "cti2", 12)
    changed = with_treatment_prior(asked, Normal(0, 0.1))
    terms = asked.fit.design.terms
    own = terms.index("cti2")
    before, after = (p.coefficients(terms) for p in (priors, changed))
    assert after[own] == Normal(0, 0.1)
    assert before[:own] + before[own + 1 :] == after[:own] + after[own + 1 :]
    assert replace(changed, coefficient=priors.coefficient) == priors


def posterior_like(drawn):
    """Draws of a prior, said to be a posterior's: enough to ask which coefficient is meant."""
    drawn.draws["log_likelihood"] = drawn.draws["posterior"]
    return drawn


@pytest.mark.parametrize(
    ("formula", "term"),
    [
        ("cti2 + age", "cti2"),
        ("cti2 * age + stage", "cti2"),
        ("stage + C(cti2)", "C(cti2)[1]"),
        ("cti2 + (cti2 | centre)", "cti2"),
    ],
)
def test_the_term_of_the_treatment_alone(prior, formula, term):
    assert treatment_term(compare_arms(posterior_like(prior(formula)), "cti2", 12)) == term


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("age + age:cti2", "no coefficient of its own"),
        ("age + (1 | cti2)", "no coefficient of its own"),
        ("scale(cti2)", "code it 0 and 1"),
    ],
)
def test_without_a_log_hazard_ratio_of_its_own_there_is_no_prior_to_change(prior, formula, said):
    asked = compare_arms(posterior_like(prior(formula)), "cti2", 12)
    with pytest.raises(InputError, match=said):
        treatment_term(asked)


def test_without_one_hazard_ratio_for_all_it_is_the_marginal_one(neutral, monkeypatch):
    own = neutral.conditional_ratio
    monkeypatch.setattr(Comparison, "conditional_ratio", None)
    row = prior_table(neutral).set_index("prior").loc["neutral (as fitted)"]
    assert row["hazard_ratio"] == pytest.approx(np.median(own))  # there is no other covariate
    found = power_scaling(neutral).set_index("quantity")
    ends = found.loc[["log_marginal_hazard_ratio", "coefficient[cti2]"], ["prior", "likelihood"]]
    assert_allclose(*ends.to_numpy())


@pytest.mark.slow
def test_where_the_treatment_is_modified_the_ratio_is_the_marginal_one():
    frame = two_arms().assign(bulky=np.resize([0, 1, 1], 61))
    asked = compare_arms(fitted("cti2 * bulky", frame=frame), "cti2", 12)
    row = prior_table(asked).set_index("prior").loc["neutral (as fitted)"]
    assert row["hazard_ratio"] == pytest.approx(np.median(asked.marginal_ratio))
    assert power_scaling(asked)["quantity"][0] == "log_marginal_hazard_ratio"


def test_a_fitted_prior_of_its_own_stands_first(neutral):
    asked = compare_arms(fitted(prior={"cti2": HazardRatio(0.4, 2)}), "cti2", 12)
    table = prior_table(asked)
    assert list(table["prior"]) == ["as fitted", "sceptical", "neutral", "enthusiastic", "vague"]
    assert table["stated"][0] == "HazardRatio(0.4, 2, 0.95)"


# --- Power-scaling ---


def test_power_scaling_is_arvizs(neutral):
    found = power_scaling(neutral).set_index("quantity")
    expected = psense_summary(neutral.fit.draws, round_to=10)
    assert set(expected.index) <= set(found.index)
    for part in ("prior", "likelihood"):
        assert_allclose(found.loc[expected.index, part], expected[part], rtol=1e-6)
    alone = psense_summary(neutral.fit.draws, prior_var_names=["coefficient"], round_to=10)
    assert_allclose(found.loc[alone.index, "treatment_prior"], alone["prior"], rtol=1e-6)
    assert found.loc["coefficient[cti2]", "diagnosis"] == NOT_SENSITIVE


def test_a_prior_far_from_the_data_is_a_conflict(neutral):
    asked = compare_arms(fitted(prior=Normal(-1.5, 0.3)), "cti2", 12)
    found = power_scaling(asked).set_index("quantity").loc[["coefficient[cti2]", "rmst_difference"]]
    assert list(found["diagnosis"]) == [CONFLICT, CONFLICT]
    assert (found["treatment_prior"] > 0.2).all()


def test_a_prior_that_leaves_nothing_to_the_data_is_strong(neutral):
    asked = compare_arms(fitted(prior=Normal(0, 0.02)), "cti2", 12)
    found = power_scaling(asked).set_index("quantity").loc["coefficient[cti2]"]
    assert found["diagnosis"] == STRONG_PRIOR
    assert found["likelihood"] < 0.05


# --- Share of the prior ---


@pytest.mark.parametrize("sd", [0.2, 0.75])
def test_the_share_is_that_of_normal_precisions(sd):
    found = prior_share(fitted(prior=Normal(0, sd))).set_index("quantity").loc["coefficient[cti2]"]
    assert found["prior"] == f"Normal(0, {sd})"
    assert found["share"] == pytest.approx(ERROR**2 / (ERROR**2 + sd**2), abs=0.03)
    assert 0 < found["mcse"] < 0.03


def test_every_stated_prior_has_a_share(grouped_fit):
    found = prior_share(grouped_fit).set_index("quantity")
    assert list(found.index) == [
        "median_survival", "shape", "coefficient[cti2]", "group_sd[1|centre]",
    ]  # fmt: skip
    shape = np.log(grouped_fit.posterior["shape"].to_numpy())
    believed = 2 * 0.5 * stats.norm.ppf(0.75)  # LogNormal(0, 0.5), on the logarithm
    width = np.subtract(*np.quantile(shape, [0.75, 0.25]))
    assert found.loc["shape", "share"] == pytest.approx((width / believed) ** 2)
    assert found.loc["median_survival", "prior"].startswith("MedianSurvival(")


def test_from_a_fit_and_a_treatment(neutral):
    others = {"registry": HazardRatio(0.4, 1.1)}
    table = prior_sensitivity(neutral.fit, "cti2", 12, others)
    pd.testing.assert_frame_equal(table, prior_table(neutral, others))
    with pytest.raises(InputError, match='Did you mean "cti2"'):
        prior_sensitivity(neutral.fit, "cti3")
