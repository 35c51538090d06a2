"""Short chains of many members: R-hat, Monte-Carlo noise, and retries."""

import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array_stats

from bayesurv.inference import members
from bayesurv.inference.members import (
    Drawn,
    diagnose_members,
    effective_draws,
    noise,
    r_hat,
    sample_members,
    short_chains,
    tail_draws,
)
from bayesurv.inference.sample import Sampling

SETTINGS = short_chains(200)


def walk(correlation, shape, seed=3):
    """Stationary draws of variance 1, correlated from one draw to the next along axis 2."""
    steps = np.random.default_rng(seed).standard_normal(shape)
    draws = steps.copy()
    for i in range(1, shape[2]):
        draws[:, :, i] = correlation * draws[:, :, i - 1]
        draws[:, :, i] += np.sqrt(1 - correlation**2) * steps[:, :, i]
    return draws


def test_r_hat_is_that_of_arviz():
    random = np.random.default_rng(3)
    values = random.standard_normal((4, 151, 5))
    values[0, :, 1] += 1
    values[1, :, 2] *= 4
    values[:, :, 3] = np.exp(3 * values[:, :, 3])
    values[:, :, 4] = values[:, :, 4].round()
    expected = [
        array_stats.rhat(values[..., i], chain_axis=0, draw_axis=1) for i in range(values.shape[2])
    ]
    np.testing.assert_allclose(r_hat(values), expected, rtol=1e-10)
    assert r_hat(values)[1] > 1.1
    assert r_hat(values)[2] > 1.1


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
def test_noise_of_means_is_known_also_for_correlated_draws(correlation):
    """The variance of a mean of n draws is 1/n times (1 + correlation) / (1 - correlation)."""
    draws = walk(correlation, (2000, 2, 200))
    true = (1 + correlation) / (1 - correlation) / 400
    assert noise(draws).mean() == pytest.approx(true, rel=0.08)
    assert draws.mean(axis=(1, 2)).var() == pytest.approx(true, rel=0.1)
    assert effective_draws(draws) == pytest.approx(2000 / true, rel=0.1)


def test_effective_draws_are_never_more_than_there_are():
    draws = np.random.default_rng(0).standard_normal((50, 2, 40, 2))
    draws[..., 1] = np.resize([1, -1], draws.shape[2])[:, None].T
    assert (effective_draws(draws) <= 4000).all()
    assert effective_draws(draws)[1] == 4000
    assert tail_draws(walk(0.9, (200, 2, 200))) < 16_000


def test_the_fewer_members_the_longer_their_chains():
    draws = {count: short_chains(count).draws for count in (2, 10, 40, 200, 1000)}
    assert draws == {2: 3000, 10: 600, 40: 150, 200: 150, 1000: 150}
    assert all(2 * count * size >= 12_000 for count, size in draws.items())


# --- Retries ---


def tree(settings, diverging):
    """Draws that count up, so that one sees which were kept."""
    random = np.random.default_rng(settings.seed)
    shape = (settings.chains, settings.draws)
    draws = random.standard_normal(shape)
    stats = {"diverging": np.zeros(shape, bool), "energy": random.standard_normal(shape)}
    stats["diverging"][0, :diverging] = True
    dims = ("chain", "draw")
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"a": (dims, draws)}),
            "sample_stats": xr.Dataset({k: (dims, v) for k, v in stats.items()}),
        }
    )


def test_a_member_that_fails_is_sampled_again_longer_and_stricter(monkeypatch):
    asked = []

    def draw(compiled, settings):
        asked.append((compiled, settings))
        return tree(settings, diverging=3 if compiled == 1 and settings.draws < 600 else 0)

    monkeypatch.setattr(members, "draw", draw)
    told = []
    drawn = sample_members(
        lambda position: position, [10, 11, 12], SETTINGS, told.append, workers=1
    )
    assert [each.attempts for each in drawn] == [1, 3, 1]
    assert all(each.passed for each in drawn)
    assert [each.posterior["a"].shape for each in drawn] == [(2, 150)] * 3
    of_second = [settings for compiled, settings in asked if compiled == 1]
    assert [settings.draws for settings in of_second] == [150, 300, 600]
    assert [settings.tune for settings in of_second] == [200, 400, 800]
    assert {settings.seed for settings in of_second} == {11}
    assert of_second[2].target_accept > of_second[1].target_accept > SETTINGS.target_accept
    kept = tree(of_second[2], 0)["posterior"]["a"].to_numpy()[:, ::4]
    np.testing.assert_array_equal(drawn[1].posterior["a"], kept)
    assert sorted(told) == [pytest.approx(i / 3) for i in (1, 2, 3)]


def test_an_error_in_one_member_stops_all(monkeypatch):
    def draw(compiled, settings):
        raise RuntimeError("no gradient")

    monkeypatch.setattr(members, "draw", draw)
    with pytest.raises(RuntimeError, match="no gradient"):
        sample_members(lambda position: position, range(9), Sampling(), workers=2)


def test_checks_name_the_member():
    fine = {"r_hat": 1.02, "worst": "shape", "divergences": 0, "bfmi": 0.8, "attempts": 1}
    drawn = [Drawn({}, **fine), Drawn({}, **{**fine, "r_hat": 1.3, "divergences": 4, "bfmi": 0.1})]
    stacked = {"shape": np.random.default_rng(1).standard_normal((2, 2, 150))}
    table = diagnose_members(drawn, ["17", "18"], stacked).set_index("check")
    assert table.loc["r_hat", "worst"] == "shape of member 18"
    assert table.loc["divergences", ["value", "worst"]].tolist() == [4, "member 18"]
    assert table.loc["bfmi", "worst"] == "member 18"
    assert not table.loc[["r_hat", "divergences", "bfmi"], "passed"].any()
    assert not table["passed"].all()
