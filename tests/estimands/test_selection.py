"""Early deaths put back: each cohort against Cox, the averages, and what is refused."""

import numpy as np
import pytest

from bayesurv.data.faults import InputError
from bayesurv.estimands.partial_posterior import partial_posterior
from bayesurv.estimands.selection import pooled_selection, selection_curve
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.partial_likelihood import two_arms
from bayesurv.models.distributions import Normal


def cohort(seed=1, digits=9, entry=False):
    """34 untreated who all live 3 months, 27 treated who do not."""
    random = np.random.default_rng(seed)
    arm = np.repeat([0, 1], [34, 27])
    death = np.where(arm == 0, 3 + random.exponential(13, 61), 1.1 + random.exponential(7, 61))
    end = random.uniform(8, 45, 61)
    late = np.where((arm == 1) & entry, random.uniform(0, 1, 61), 0)
    return np.minimum(death, end).round(digits), death <= end, arm, late


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("digits", [0, 9])
@pytest.mark.parametrize("arm", [0, 1, None])
def test_every_cohort_is_that_of_cox(arm, digits, late):
    time, event, treated, entry = cohort(digits=digits, entry=late)
    time = np.maximum(time, 1.0)
    found = selection_curve(
        time, event, treated, entry, most=6, replicates=3, arm=arm, earliest=0.25, seed=7
    )
    assert found.arm == (0 if arm is None else arm)
    assert found.latest == time[treated == found.arm].min()
    early = np.random.default_rng(7).uniform(0.25, found.latest, (3, 6))
    for k in (0, 1, 6):
        for replicate in range(3):
            more = np.concatenate([time, early[replicate, :k]])
            arms = np.append(treated, np.full(k, found.arm))
            events, begin = np.append(event, np.ones(k, bool)), np.append(entry, np.zeros(k))
            fitted = cox(more, events, arms[:, None], ["arm"], entry=begin)
            place = k, replicate
            np.testing.assert_allclose(
                found.log_hazard_ratio[place], fitted.coefficient[0], rtol=1e-7, atol=1e-9
            )
            np.testing.assert_allclose(
                found.standard_error[place], fitted.standard_error[0], rtol=1e-7
            )
            alone = partial_posterior(two_arms(more, events, arms, begin), found.prior)
            np.testing.assert_allclose(
                found.posterior.probability_below()[place], alone.probability_below(), atol=2e-5
            )


def test_the_table_averages_over_the_replicates():
    time, event, treated, _ = cohort()
    found = selection_curve(time, event, treated, replicates=12, prior=Normal(0, 0.35))
    table = found.table()
    assert list(table["added"]) == list(range(16))
    estimates = found.log_hazard_ratio[9]
    row = table.iloc[9]
    assert row["hazard_ratio"] == pytest.approx(np.exp(estimates.mean()))
    spread = (found.standard_error[9] ** 2).mean() + estimates.var(ddof=1) * (1 + 1 / 12)
    assert np.log(row["upper"] / row["lower"]) == pytest.approx(2 * 1.959964 * np.sqrt(spread))
    assert row["prob_benefit"] == pytest.approx(found.posterior.probability_below()[9].mean())
    first = table.loc[0, ["hazard_ratio_mcse", "prob_benefit_mcse"]]
    np.testing.assert_allclose(first.astype(float), 0, atol=1e-12)
    assert (table["posterior_lower"] < table["posterior_median"]).all()


def test_deaths_put_back_move_the_ratio_towards_and_past_1():
    time, event, treated, _ = cohort()
    table = selection_curve(time, event, treated, most=40).table()
    assert (table["hazard_ratio"].diff()[1:] < 0).all()
    assert (table["prob_benefit"].diff()[1:] > 0).all()
    assert table["hazard_ratio"].iloc[0] > 1.5
    assert table["hazard_ratio"].iloc[-1] < 1


def test_the_monte_carlo_error_is_the_spread_over_seeds():
    time, event, treated, _ = cohort()
    given = {"most": 8, "replicates": 10}
    tables = [
        selection_curve(time, event, treated, seed=seed, **given).table() for seed in range(60)
    ]
    last = np.array([table["hazard_ratio"].iloc[-1] for table in tables])
    stated = np.mean([table["hazard_ratio_mcse"].iloc[-1] for table in tables])
    assert last.std(ddof=1) == pytest.approx(stated, rel=0.3)


def test_the_unit_does_not_matter():
    time, event, treated, _ = cohort()
    months, days = (selection_curve(scale * time, event, treated).table() for scale in (1, 30.4375))
    np.testing.assert_allclose(months, days, rtol=1e-6)


def test_an_arm_without_events_has_a_posterior_all_the_same():
    time = np.arange(1.0, 21)
    treated = np.tile([0, 1], 10)
    found = selection_curve(time, treated == 0, treated, most=3, replicates=4, arm=1)
    assert np.isinf(found.log_hazard_ratio[0]).all()
    assert np.isfinite(found.log_hazard_ratio[1:]).all()
    table = found.table()
    assert np.isnan(table["hazard_ratio"][0])
    assert table["prob_benefit"][0] > 0.9


def test_members_are_pooled_within_and_between():
    curves = []
    for seed in range(5):
        time, event, treated, _ = cohort(seed)
        curves.append(selection_curve(time, event, treated, most=5, replicates=4, seed=seed))
    tables, pooled = [curve.table() for curve in curves], pooled_selection(curves)
    logs = np.log([table["hazard_ratio"] for table in tables])
    np.testing.assert_allclose(np.log(pooled["hazard_ratio"]), logs.mean(axis=0))
    errors = [np.log(table["upper"] / table["lower"]) / 2 / 1.959964 for table in tables]
    total = np.mean(np.square(errors), axis=0) + logs.var(axis=0, ddof=1) * 1.2
    width = np.log(pooled["upper"] / pooled["lower"]) / 2 / 1.959964
    np.testing.assert_allclose(width**2, total, rtol=1e-6)
    chances = np.array([table["prob_benefit"] for table in tables])
    np.testing.assert_allclose(pooled["prob_benefit"], chances.mean(axis=0))
    np.testing.assert_allclose(pooled["prob_benefit_highest"], chances.max(axis=0))
    for end, share in {"posterior_lower": 0.025, "posterior_median": 0.5}.items():
        for k in (0, 5):
            below = [
                curve.posterior.mixture(axis=-2).probability_below(pooled[end][k])[k]
                for curve in curves
            ]
            assert np.mean(below) == pytest.approx(share, abs=1e-4)


def test_one_member_pooled_is_itself():
    time, event, treated, _ = cohort()
    curve = selection_curve(time, event, treated, most=4, replicates=5)
    alone, pooled = curve.table(), pooled_selection([curve])
    for name in ("hazard_ratio", "lower", "upper", "posterior_median", "posterior_upper"):
        np.testing.assert_allclose(pooled[name], alone[name], rtol=1e-4)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"treated": [1, 1, 1]}, "one of the two arms has nobody"),
        ({"earliest": 5}, "5, is not above 0 and below 3, the first exit of the arm"),
        ({"earliest": 0}, "0, is not above 0 and below 3"),
    ],
)
def test_what_cannot_be_asked(given, said):
    treated = given.pop("treated", [0, 1, 1])
    with pytest.raises(InputError, match=said):
        selection_curve([3, 1, 4], [1, 1, 0], treated, **given)
