"""Tables of an ensemble are those of its members, one by one and mixed."""

from dataclasses import replace

import numpy as np
import pytest

import bayesurv as bs
from bayesurv.data.faults import InputError
from bayesurv.estimands.arms import Arms
from bayesurv.estimands.benefit import benefit_table, compare_arms
from bayesurv.estimands.curves import survival
from bayesurv.estimands.margins import Margins
from bayesurv.estimands.members import compare_members, member_arms
from bayesurv.estimands.pooled import (
    member_hazard_ratios,
    pooled_arms,
    pooled_benefit,
    pooled_hazard_ratios,
    pooled_parameters,
    pooled_survival,
)
from bayesurv.estimands.pooling import SPREAD
from bayesurv.estimands.summary import survival_table

HORIZON = 10.0


@pytest.fixture(scope="module")
def compared(ensemble_fit):
    return compare_members(ensemble_fit, "cti2", HORIZON, [6], Margins(rmst=1.0))


def test_all_at_once_is_each_member_by_itself(ensemble_fit, compared):
    """Over its own patients: the same draws as from the member's own fit."""
    for position, label in enumerate(ensemble_fit.members):
        alone = compare_arms(ensemble_fit.of(label), "cti2", HORIZON, [6])
        alone = replace(alone, arms=replace(alone.arms, end=compared.arms.end))
        pairs = [
            (np.moveaxis(compared.curves[0], 0, -1), np.moveaxis(alone.curves[0], 0, -1)),
            (np.moveaxis(compared.curves[1], 0, -1), np.moveaxis(alone.curves[1], 0, -1)),
            (np.moveaxis(compared.medians, 0, -1), np.moveaxis(alone.medians, 0, -1)),
            (compared.marginal_ratio, alone.marginal_ratio),
            (compared.average_ratio, alone.average_ratio),
            (compared.conditional_ratio, alone.conditional_ratio),
        ]
        for together, own in pairs:
            np.testing.assert_allclose(ensemble_fit.by_member(together)[position], own, rtol=1e-9)


def test_the_end_is_within_every_members_follow_up(ensemble, ensemble_fit):
    arms = member_arms(ensemble_fit, "cti2")
    ends = [ensemble.end_of_follow_up]
    for _, cohort in ensemble.cohorts():
        for level in (0, 1):
            own = (cohort.covariates["cti2"] == level).to_numpy()
            last = cohort.time[own].argmax()
            ends += [] if cohort.event[own][last] else [cohort.time[own][last]]
    assert arms == Arms("cti2", (0, 1), min(ends))
    assert compare_members(ensemble_fit, "cti2").horizon == arms.end


def test_pooled_benefit_is_that_of_the_mixture(compared):
    margins = Margins(rmst=1.0)
    pooled, plain = pooled_benefit(compared, margins), benefit_table(compared, margins)
    names = ["quantity", "margin", "horizon", "estimate", "lower", "upper", "probability"]
    for name in names:
        assert pooled[name].tolist() == pytest.approx(plain[name].tolist(), nan_ok=True), name
    assert (pooled["prob_low"] <= pooled["probability"]).all()
    assert (pooled["prob_high"] >= pooled["probability"]).all()
    assert ((pooled["mcse"] > 0) & (pooled["mcse"] < 0.2)).all()
    finite = pooled[~pooled["quantity"].isin(["median_difference", "number_needed_to_treat"])]
    assert finite["share_between"].between(0, 1).all()
    assert (finite["member_low"] <= finite["member_high"]).all()
    ratio = pooled.set_index("quantity").loc["hazard_ratio"].iloc[0]
    assert ratio["within_sd"] == pytest.approx(
        np.log(compared.conditional_ratio).reshape(6, -1).std(axis=1).mean(), rel=0.05
    )


def test_pooled_arms(compared):
    table = pooled_arms(compared)
    assert table["arm"].unique().tolist() == ["cti2 = 0", "cti2 = 1"]
    assert table.groupby("arm")["quantity"].agg(list).iloc[0] == [
        "rmst", "survival", "survival", "median"
    ]  # fmt: skip
    medians = table[table["quantity"] == "median"]
    assert medians["prob_not_reached"].between(0, 1).all()
    assert set(SPREAD) <= set(table)


def test_hazard_ratios_of_all_and_of_each(ensemble_fit):
    pooled, plain = pooled_hazard_ratios(ensemble_fit), bs.hazard_ratios(ensemble_fit.stacked)
    for name in ("hazard_ratio", "lower", "upper", "prob_below_1"):
        assert pooled[name].iloc[0] == pytest.approx(plain[name].iloc[0], rel=1e-5)
    members = member_hazard_ratios(ensemble_fit)
    assert members["member"].tolist() == list(ensemble_fit.members)
    assert members["events"].tolist() == ensemble_fit.events.tolist()
    lowest = pytest.approx(pooled["member_low"].iloc[0], rel=1e-5)  # draws of single precision
    assert members["hazard_ratio"].min() == lowest
    assert members["prob_below_1"].max() == pytest.approx(pooled["prob_high"].iloc[0])
    own = bs.hazard_ratios(ensemble_fit.of("2")).iloc[0]
    for name in ("hazard_ratio", "lower", "upper", "prob_below_1"):
        assert members[name].iloc[2] == pytest.approx(own[name], rel=1e-5)


def test_survival_of_profiles(ensemble_fit):
    profiles = [{"cti2": 0, "label": "other"}, {"cti2": 1, "centre": "Rome"}]
    pooled = pooled_survival(ensemble_fit, profiles, [0, 6, 12])
    plain = survival_table(survival(ensemble_fit.stacked, profiles[:1], [0, 6, 12]))
    own = pooled[pooled["profile"] == "other"]
    for name in ("time", "mean", "median", "lower", "upper"):
        assert own[name].tolist() == pytest.approx(plain[name].tolist()), name
    assert pooled["profile"].unique().tolist() == ["other", "cti2=1, centre=Rome"]
    with pytest.raises(InputError, match="past the end of follow-up"):
        pooled_survival(ensemble_fit, profiles, [1000])


def test_parameters(ensemble_fit):
    pooled = pooled_parameters(ensemble_fit).set_index("parameter")
    plain = bs.parameter_table(ensemble_fit.stacked).set_index("parameter")
    assert list(pooled.index) == list(plain.index)
    for name in ("mean", "q2.5", "q50", "q97.5"):
        assert pooled[name].tolist() == pytest.approx(plain[name].tolist(), rel=1e-9), name
    assert pooled["sd"].tolist() == pytest.approx(plain["sd"].tolist(), rel=0.02)
    assert (pooled["ess_bulk"] > 400).all()
    assert pooled["r_hat"].between(0.99, 1.15).all()


def test_faults_of_a_comparison(ensemble_fit):
    with pytest.raises(InputError, match=r"horizon: 99 .*; the largest allowed is .*, in every"):
        compare_members(ensemble_fit, "cti2", 99)
    with pytest.raises(InputError) as caught:
        compare_members(ensemble_fit, "cti2", 99, [100])
    assert len(caught.value.faults) == 2
    with pytest.raises(InputError, match="is not in the formula"):
        compare_members(ensemble_fit, "cti")
