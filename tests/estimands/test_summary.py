"""From draws to tables."""

import numpy as np
import pytest
import xarray as xr

import bayesurv as bs
from bayesurv.estimands.summary import survival_table


def draws(values):
    """Draws of shape (chain, draw, individual)."""
    values = np.asarray(values, dtype=float)
    coords = {"individual": [f"p{i}" for i in range(values.shape[2])]}
    return xr.DataArray(values, coords, ("chain", "draw", "individual"), attrs={"unit": "months"})


def test_a_summary_goes_over_chains_and_draws():
    values = np.random.default_rng(1).gamma(2, size=(4, 250, 3))
    found = bs.summarise(draws(values), ci_prob=0.8)
    flat = values.reshape(-1, 3)
    np.testing.assert_allclose(found["mean"], flat.mean(axis=0))
    np.testing.assert_allclose(found["median"], np.median(flat, axis=0))
    np.testing.assert_allclose(found["lower"], np.quantile(flat, 0.1, axis=0))
    np.testing.assert_allclose(found["upper"], np.quantile(flat, 0.9, axis=0))
    assert found["mean"].dims == ("individual",)
    assert found.individual.to_numpy().tolist() == ["p0", "p1", "p2"]
    assert found.attrs == {"unit": "months", "ci_prob": 0.8}
    assert bs.summarise(draws(values)).attrs["ci_prob"] == 0.95


def test_dims_may_stand_in_any_order():
    values = draws(np.random.default_rng(1).normal(size=(2, 50, 3)))
    turned = values.transpose("individual", "draw", "chain")
    assert bs.summarise(turned).equals(bs.summarise(values))


def test_not_reached_is_infinite_in_every_summary_that_meets_it():
    reached = np.arange(1.0, 101)
    few, many = reached.copy(), reached.copy()
    few[-1:], many[-60:] = np.inf, np.inf
    found = bs.summarise(draws(np.stack([few, many], axis=-1)[None]))
    assert found["mean"].to_numpy().tolist() == [np.inf, np.inf]
    assert found["median"].to_numpy().tolist() == [50, np.inf]
    assert found["lower"].to_numpy().tolist() == [3, 3]
    assert found["upper"].to_numpy().tolist() == [98, np.inf]
    never = bs.summarise(draws(np.full((1, 10, 1), np.inf)))
    assert never["lower"].item() == never["upper"].item() == np.inf


# --- Hazard ratios ---

COLUMNS = ["term", "hazard_ratio", "lower", "upper", "prob_below_1", "ci_prob"]


def test_hazard_ratios_of_each_term(stated):
    logs = np.stack([np.linspace(-1, 0.5, 101), np.linspace(0.01, 0.02, 101)], axis=-1)
    fit = stated("cti2 + age", bs.Exponential(), intercept=np.zeros(101), coefficient=logs)
    table = bs.hazard_ratios(fit, ci_prob=0.9)
    assert list(table) == COLUMNS
    assert table["term"].tolist() == ["cti2", "age"]
    first, second = table.to_dict("records")
    assert first["hazard_ratio"] == pytest.approx(np.exp(-0.25))
    assert first["lower"] == pytest.approx(np.exp(-1 + 0.05 * 1.5))
    assert first["upper"] == pytest.approx(np.exp(0.5 - 0.05 * 1.5))
    assert first["prob_below_1"] == pytest.approx(67 / 101)
    assert second["prob_below_1"] == 0
    assert table["ci_prob"].tolist() == [0.9, 0.9]
    assert bs.hazard_ratios(fit)["ci_prob"].tolist() == [0.95, 0.95]


def test_a_monotone_term_has_one_hazard_ratio_of_the_last_level_against_the_first(prior):
    fit = prior("stage + cti2", ordinal={"stage": ["I", "II", "III"]}, draws=101)
    table = bs.hazard_ratios(fit)
    assert table["term"].tolist() == ["monotone(stage)", "cti2"]
    profiles = [{"stage": "I", "cti2": 0}, {"stage": "III", "cti2": 0}]
    hazard = bs.hazard(fit, profiles, [5.0]).squeeze()
    ratio = np.median(hazard.isel(individual=1) / hazard.isel(individual=0))
    assert table["hazard_ratio"][0] == pytest.approx(ratio)


def test_without_terms_there_are_no_hazard_ratios(prior):
    table = bs.hazard_ratios(prior("(1 | centre)"))
    assert list(table) == COLUMNS
    assert table.empty


# --- Tables ---


def test_the_survival_table_has_a_row_for_each_profile_and_time(prior):
    curve = bs.survival(prior(), [{"cti2": 0}, {"label": "treated", "cti2": 1}], [6, 12])
    table = survival_table(curve, ci_prob=0.8)
    assert list(table) == ["profile", "time", "mean", "median", "lower", "upper", "ci_prob"]
    assert table["profile"].tolist() == ["cti2=0", "cti2=0", "treated", "treated"]
    assert table["time"].tolist() == [6, 12, 6, 12]
    at = curve.sel(individual="treated", time=6).to_numpy().ravel()
    row = table.iloc[2]
    assert row["mean"] == pytest.approx(at.mean())
    assert row["lower"] == pytest.approx(np.quantile(at, 0.1))
    assert row["ci_prob"] == 0.8


def test_the_parameter_table_names_every_parameter(prior):
    fit = prior("cti2 + (1 | centre)", draws=400)
    table = bs.parameter_table(fit).set_index("parameter")
    assert table.index.tolist() == [
        "intercept", "shape", "coefficient[cti2]", "group_sd[1|centre]",
        "group_effect[1|centre[A]]", "group_effect[1|centre[B]]", "group_effect[1|centre[C]]",
    ]  # fmt: skip
    assert list(table) == ["mean", "sd", "q2.5", "q50", "q97.5", "ess_bulk", "ess_tail", "r_hat"]
    shape = fit.posterior["shape"].to_numpy().ravel()
    row = table.loc["shape"]
    assert row["mean"] == pytest.approx(shape.mean())
    assert row["sd"] == pytest.approx(shape.std(ddof=1))
    assert row[["q2.5", "q50", "q97.5"]].tolist() == pytest.approx(
        np.quantile(shape, [0.025, 0.5, 0.975]).tolist()
    )
