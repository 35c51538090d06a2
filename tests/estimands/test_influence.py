"""The answer without each patient, against refits by NUTS and by what symmetry demands."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesurv as bs
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.influence import (
    change_error,
    each_left_out,
    influence,
)
from bayesurv.inference.diagnostics import monte_carlo_error
from bayesurv.inference.sample import Sampling
from bayesurv.posterior import data, groups
from bayesurv.refitting import Reweighed, density, leave_out, refit

SIZE = 24
PRIORS = bs.Priors(
    median_survival=bs.MedianSurvival(6, 60),
    coefficient=bs.Normal(0, 0.75),
    shape=bs.LogNormal(0, 0.5),
)


def patients(seed=3):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"cti2": np.arange(SIZE) % 2, "age": random.normal(0, 1, SIZE)})
    death = random.exponential(np.where(frame["cti2"] == 1, 18, 12))
    end = random.uniform(8, 30, SIZE)
    return frame.assign(time=np.minimum(death, end).round(2), event=(death <= end).astype(int))


def cohort(frame, **columns):
    return bs.Cohort.from_frame(frame, time="time", event="event", unit="months", **columns)


@pytest.fixture(scope="module")
def weibull(sampled):
    """A Weibull model of a table, without a compiler."""

    def make(frame, formula="cti2", **columns):
        return sampled(frame, formula, bs.Weibull(), PRIORS, **columns)

    return make


@pytest.fixture(scope="module")
def fit(weibull):
    return weibull(patients())


@pytest.fixture(scope="module")
def planted(weibull):
    """Deaths within months, but for a treated patient, the last, alive for long."""
    frame = patients().assign(time=np.linspace(1, 7, SIZE), event=1)
    last = pd.DataFrame({"cti2": [1], "age": [0.0], "time": [60.0], "event": [0]})
    return weibull(pd.concat([frame, last], ignore_index=True), "cti2 + age")


def test_each_row_is_a_patient_and_the_most_influential_is_first(fit):
    table, frame = influence(fit, "cti2", 12), patients()
    assert sorted(table["patient"]) == list(range(1, SIZE + 1))
    assert (table["prob_benefit_change"].abs().diff().dropna() <= 0).all()
    own = frame.loc[table["patient"] - 1]
    assert table["arm"].tolist() == [f"cti2 = {level}" for level in own["cti2"]]
    assert table["event"].tolist() == (own["event"] == 1).tolist()
    assert not set(table) & {"time", "entry", "upper", "age", "patient_id"}


def test_changes_are_differences_from_the_answer_with_all_patients(fit):
    table, benefit = influence(fit, "cti2", 12), bs.benefit(fit, "cti2", 12)
    ratio = benefit.query("quantity == 'hazard_ratio' and margin == 1").iloc[0]
    gain = benefit.query("quantity == 'rmst_difference'").iloc[0]
    for name, everyone in {
        "hazard_ratio": ratio.estimate,
        "prob_benefit": ratio.probability,
        "rmst_gain": gain.estimate,
        "prob_rmst_gain": gain.probability,
    }.items():
        changed = table[name] - table[f"{name}_change"]
        np.testing.assert_allclose(changed, everyone, rtol=1e-9)


def test_leaving_out_who_speaks_for_the_treatment_speaks_against_it(planted):
    table = influence(planted, "cti2", 6)
    first = table.iloc[0]
    assert first.patient == SIZE + 1
    assert first.refitted
    assert first.prob_benefit_change < -0.1 < 0.1 < first.hazard_ratio_change
    assert abs(first.prob_benefit_change) > 3 * abs(table["prob_benefit_change"].iloc[1])


def test_one_hazard_ratio_below_1_is_a_gain_in_time(planted):
    table = influence(planted, "cti2", 6)
    np.testing.assert_allclose(table["prob_rmst_gain"], table["prob_benefit"], rtol=1e-12)


def test_a_modified_treatment_has_a_marginal_hazard_ratio(weibull):
    fit = weibull(patients(), "cti2 * age")
    table, benefit = influence(fit, "cti2", 12), bs.benefit(fit, "cti2", 12)
    marginal = benefit.query("quantity == 'marginal_hazard_ratio'").iloc[0].estimate
    np.testing.assert_allclose(table["hazard_ratio"] - table["hazard_ratio_change"], marginal)
    assert (table["prob_rmst_gain"] != table["prob_benefit"]).any()


def test_standardised_quantities_stay_those_of_all_patients(planted):
    table = influence(planted, "cti2", 6).set_index("patient")
    last = refit(planted, without=[SIZE])
    everyone = bs.benefit(last, "cti2", 6).query("quantity == 'rmst_difference'").iloc[0]
    assert table.loc[SIZE + 1, "rmst_gain"] == pytest.approx(everyone.estimate, rel=1e-3)
    assert table.loc[SIZE + 1, "prob_rmst_gain"] == pytest.approx(everyone.probability)


def test_twins_have_the_same_influence(weibull):
    frame = patients()
    table = influence(weibull(pd.concat([frame, frame.iloc[[5]]])), "cti2").set_index("patient")
    twins = table.loc[[6, SIZE + 1]].drop(columns="refitted")
    assert (twins.iloc[0] == twins.iloc[1]).all()
    assert not table.loc[6, "refitted"]


def test_the_order_of_the_rows_changes_the_numbers_of_the_patients_only(fit):
    order = np.random.default_rng(1).permutation(SIZE)
    other = bs.prior(cohort(patients().iloc[order]), "cti2", priors=PRIORS, draws=4)
    position = fit.draws["positions"]["position"].to_numpy()
    drawn = groups(density(other), density(fit).sampled(position))
    known = data(other.specification, cohort(patients().iloc[order]))
    other = replace(other, draws=xr.DataTree.from_dict(drawn | known))
    one, two = (influence(each, "cti2", 12).set_index("patient") for each in (fit, other))
    two = two.loc[np.argsort(order) + 1].set_axis(np.arange(1, SIZE + 1)).loc[one.index]
    numbers = one.select_dtypes("number").columns
    np.testing.assert_allclose(one[numbers], two[numbers], rtol=1e-6, atol=1e-9)
    assert (one["arm"].to_numpy() == two["arm"].to_numpy()).all()


def test_a_patient_of_several_rows_is_one_patient(weibull):
    frame = patients().assign(pid=np.arange(SIZE), entry=0.0)
    half = frame.assign(time=frame["time"] / 2, event=0)
    rows = pd.concat([half, frame.assign(entry=frame["time"] / 2)]).sort_values(["pid", "entry"])
    fits = weibull(frame), weibull(rows, id="pid", entry="entry")
    one, two = (influence(fit, "cti2", 12).set_index("patient") for fit in fits)
    assert len(two) == SIZE
    both = one.join(two, rsuffix="_split")
    assert (both["event"] == both["event_split"]).all()
    apart = (both["prob_benefit_change"] - both["prob_benefit_change_split"]).abs()
    assert (apart < 5 * np.hypot(both["mcse"], both["mcse_split"]) + 0.005).all()


# --- Monte-Carlo error of a change ---


def weighted(draws):
    weights = np.exp(0.4 * draws)
    return Reweighed(None, weights / weights.sum(), 0.1, refitted=False)


def test_error_of_a_change_on_common_draws_is_that_of_many_replicates():
    random, changes, errors = np.random.default_rng(8), [], []
    for _ in range(300):
        draws = random.normal(size=(4, 250))
        found = weighted(draws)
        below = draws < 0.3
        changes.append(found.probability(below) - below.mean())
        errors.append(change_error(below, found, below))
    assert np.mean(errors) == pytest.approx(np.std(changes), rel=0.12)
    assert np.mean(errors) < 0.6 * monte_carlo_error(below)


def test_error_of_a_change_to_a_refit_adds_that_of_both():
    draws = np.random.default_rng(2).normal(size=(2, 4, 500)) < 0.3
    equal = Reweighed(None, np.full((4, 500), 1 / 2000), 0.9, refitted=True)
    expected = np.hypot(*(monte_carlo_error(each) for each in draws))
    assert change_error(draws[0], equal, draws[1]) == pytest.approx(expected, rel=1e-6)


def test_error_where_nothing_changes_and_where_all_draws_agree():
    below = np.random.default_rng(2).normal(size=(4, 500)) < 0.3
    equal = Reweighed(None, np.full((4, 500), 1 / 2000), -np.inf, refitted=False)
    assert change_error(below, equal, below) == 0
    assert 0 < change_error(np.ones((4, 500), bool), equal, np.ones((4, 500), bool)) < 0.001


# --- Against the sampler ---


def by_nuts(frame, baseline, seed):
    sampling = Sampling(draws=2000, tune=1000, seed=seed)
    return bs.fit(cohort(frame), "cti2", baseline=baseline, priors=PRIORS, sampling=sampling)


def median_error(draws):
    """Monte-Carlo error of a median: how far quantiles move within that of its probability."""
    share = monte_carlo_error(draws < np.median(draws))
    return np.diff(np.quantile(draws, [0.5 - share, 0.5 + share]))[0] / 2


def agrees_with_nuts(baseline, count):
    """Changes against fits by NUTS without the patient, within four Monte-Carlo errors.

    The error of the difference joins those of the two fits and of the weighted change.
    """
    frame = patients()
    everyone = by_nuts(frame, baseline, 1)
    table = influence(everyone, "cti2", 12)
    before = compare_arms(everyone, "cti2", 12).hazard_ratio
    for row in pd.concat([table.head(count - 1), table.tail(1)]).itertuples():
        without = by_nuts(frame.drop(index=row.patient - 1), baseline, 10 + row.patient)
        after = compare_arms(without, "cti2", 5).hazard_ratio
        change = (after < 1).mean() - (before < 1).mean()
        errors = monte_carlo_error(after < 1), monte_carlo_error(before < 1), row.mcse
        assert abs(row.prob_benefit_change - change) < 4 * np.linalg.norm(errors)
        change = np.median(after) - np.median(before)
        errors = median_error(after), median_error(before), row.hazard_ratio_mcse
        assert abs(row.hazard_ratio_change - change) < 4 * np.linalg.norm(errors)
        if row.Index == 0:
            assert abs(row.prob_benefit_change) > 10 * row.mcse


@pytest.mark.filterwarnings("ignore::bayesurv.fitting.CohortWarning")
def test_weibull_without_the_most_and_the_least_influential_as_by_nuts():
    agrees_with_nuts(bs.Weibull(), 2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::bayesurv.fitting.CohortWarning")
@pytest.mark.parametrize("baseline", [bs.Weibull(), bs.PiecewiseExponential((5.0, 10.0))])
def test_several_patients_as_by_nuts(baseline):
    agrees_with_nuts(baseline, 6)


# --- Bad input ---


def test_draws_of_a_prior_know_no_patients(prior):
    with pytest.raises(bs.InputError, match="fit the cohort first"):
        influence(prior(), "cti2")


def test_what_is_no_treatment_or_horizon(fit):
    with pytest.raises(bs.InputError, match="not in the formula"):
        influence(fit, "cti")
    with pytest.raises(bs.InputError, match="the largest allowed"):
        influence(fit, "cti2", 99)


def test_each_left_out_is_in_the_order_of_the_cohort(fit):
    found = each_left_out(fit)
    assert len(found) == SIZE
    np.testing.assert_array_equal(found[7].weights, leave_out(fit, [7]).weights)
