"""Pooled draws are mixtures, alike for every estimand, and the benefit they average."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesurv as bs
from bayesurv.estimands.contrasts import standardised_survival
from bayesurv.estimands.stacking import arm_survival, checked_arms, stacked, stacked_benefit


def draws(mean, chains=4, count=500, seed=0):
    values = np.random.default_rng(seed).normal(mean, 1, (chains, count, 3))
    coords = {"chain": range(chains), "draw": range(count), "time": [1.0, 2, 3]}
    return xr.DataArray(values, coords, ("chain", "draw", "time"), "survival", {"unit": "months"})


WEIGHTS = {"a": 0.62, "b": 0.3, "c": 0.08}
MODELS = {"a": draws(0, seed=1), "b": draws(100, seed=2), "c": draws(1000, seed=3)}


def test_shares_are_the_weights():
    pooled = stacked(MODELS, WEIGHTS)
    assert pooled.dims == ("chain", "draw", "time")
    assert pooled.attrs == {"unit": "months"}
    near = [np.abs(pooled.to_numpy() - mean).max(axis=-1) < 10 for mean in (0, 100, 1000)]
    assert [chosen.sum() for chosen in near] == [1240, 600, 160]
    for chain in range(4):
        assert near[0][chain].mean() == pytest.approx(0.62, abs=0.1)


def test_mean_is_that_of_the_mixture():
    pooled = stacked(MODELS, WEIGHTS).mean(("chain", "draw"))
    expected = sum(WEIGHTS[name] * each.mean(("chain", "draw")) for name, each in MODELS.items())
    np.testing.assert_allclose(pooled, expected, atol=0.15)


def test_each_draw_is_a_models_own():
    pooled = stacked(MODELS, WEIGHTS).to_numpy()
    every = np.stack([each.to_numpy() for each in MODELS.values()])
    assert (every == pooled).all(axis=-1).any(axis=0).all()


def test_pooled_draws_can_be_contrasted():
    doubled = {name: 2 * each for name, each in MODELS.items()}
    np.testing.assert_array_equal(2 * stacked(MODELS, WEIGHTS), stacked(doubled, WEIGHTS))


def test_all_weight_is_the_model_itself():
    pooled = stacked(MODELS, {"a": 0.0, "b": 1.0, "c": 0.0})
    np.testing.assert_array_equal(pooled, MODELS["b"])


def test_longer_runs_are_thinned():
    pooled = stacked({"a": draws(0, 4, 1000), "b": draws(50, 2, 400)}, {"a": 0.5, "b": 0.5})
    assert (pooled.sizes["chain"], pooled.sizes["draw"]) == (2, 400)
    assert float((pooled > 25).mean()) == 0.5


# --- Estimands of ovarian cancer ---

CUTS = (6.0, 12.0)


@pytest.fixture(scope="module")
def fits(ovarian, sampled):
    return {
        "weibull": sampled(ovarian, "rx2 + age10", bs.Weibull()),
        "piecewise": sampled(ovarian, "rx2 + residual", bs.PiecewiseExponential(CUTS)),
    }


def test_survival_of_arms(fits, ovarian):
    chosen = ovarian["rx2"].to_numpy() == 1
    curves = arm_survival(fits, {"rx2 = 0": ~chosen, "rx2 = 1": chosen})
    assert list(curves) == list(fits)
    for name, fit in fits.items():
        curve = curves[name]
        assert curve.individual.to_numpy().tolist() == ["rx2 = 0", "rx2 = 1"]
        assert curve.time.equals(curves["weibull"].time)
        at = curve.time.to_numpy()[[0, 10, 50, -1]]
        own = standardised_survival(fit, fit.design.training[chosen], at)
        np.testing.assert_allclose(curve.sel(time=at)[..., 1, :], own[..., 0, :])
    assert set(CUTS) <= set(curves["weibull"].time.to_numpy())


@pytest.mark.parametrize("name", ["weibull", "piecewise"])
def test_benefit_under_one_model_is_its_own(fits, name):
    weights = dict.fromkeys(fits, 0.0) | {name: 1.0}
    found = stacked_benefit(fits, weights, "rx2", 12.0).set_index("quantity")
    table = bs.benefit(fits[name], "rx2", 12.0)
    own = table[table["margin"].isin([0, 1])].set_index("quantity").loc[found.index]
    pd.testing.assert_frame_equal(found[list(own)], own)


def test_benefit_is_of_the_mixture(fits, ovarian):
    weights = {"weibull": 0.4, "piecewise": 0.6}
    found = stacked_benefit(fits, weights, "rx2").set_index("quantity")
    assert list(found.index) == ["rmst_difference", "survival_difference", "marginal_hazard_ratio"]
    alone = [
        stacked_benefit(fits, dict.fromkeys(fits, 0.0) | {name: 1.0}, "rx2").set_index("quantity")
        for name in fits
    ]
    expected = 0.4 * alone[0]["probability"] + 0.6 * alone[1]["probability"]
    error = 4 * np.sqrt(0.25 / 4000)
    np.testing.assert_allclose(found["probability"], expected, atol=error)
    treated = ovarian.query("rx2 == 1")["time"].max()
    assert (found["horizon"] == min(treated, ovarian.query("rx2 == 0")["time"].max())).all()


def test_a_model_without_the_treatment_is_named(fits):
    with pytest.raises(bs.InputError, match=r"piecewise: .*age10.* not in the formula"):
        checked_arms(fits, "age10")


def test_another_coding_of_the_treatment_is_named(fits, ovarian, sampled):
    other = sampled(ovarian.assign(rx2=1 - ovarian["rx2"]), "rx2", bs.Weibull(), draws=100)
    with pytest.raises(bs.InputError, match="turned: .*coded otherwise than in weibull"):
        checked_arms(fits | {"turned": other}, "rx2")


def test_a_horizon_past_follow_up_is_refused(fits):
    with pytest.raises(bs.InputError, match="horizon: 90"):
        stacked_benefit(fits, dict.fromkeys(fits, 0.5), "rx2", 90.0)
