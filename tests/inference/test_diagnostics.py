"""Checks of the sampler, on chains made by hand."""

import arviz_stats
import numpy as np
import pytest
import xarray as xr

import bayesurv as bs
from bayesurv.inference.diagnostics import diagnose, elements, failures, summarise_chains


def tree(seed=1, *, shift=0.0, slow=0.0, divergent=0, energy=1.0):
    """Four chains of a scalar and a pair; `shift` moves a chain, `slow` correlates draws."""
    generator = np.random.default_rng(seed)
    draws = generator.normal(size=(4, 1000, 3))
    for i in range(1, 1000):
        draws[:, i] = slow * draws[:, i - 1] + np.sqrt(1 - slow**2) * draws[:, i]
    draws[0, :, 0] += shift
    coords = {"chain": range(4), "draw": range(1000), "term": ["a", "b"]}
    posterior = xr.Dataset(
        {
            "shape": (("chain", "draw"), draws[..., 0]),
            "coefficient": (("chain", "draw", "term"), draws[..., 1:]),
        },
        coords,
    )
    diverging = np.zeros((4, 1000), bool)
    diverging[0, :divergent] = True
    walk = np.cumsum(generator.normal(size=(4, 1000)), axis=1)
    noise = generator.normal(size=(4, 1000))
    stats = {"diverging": diverging, "energy": energy * noise + (1 - energy) * walk}
    sample_stats = xr.Dataset({k: (("chain", "draw"), v) for k, v in stats.items()})
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": sample_stats})


def test_good_chains_pass():
    table = diagnose(tree())
    assert list(table) == ["check", "value", "limit", "passed", "worst"]
    assert table["check"].tolist() == ["r_hat", "ess_bulk", "ess_tail", "divergences", "bfmi"]
    assert table["passed"].all()
    assert failures(table) == []


@pytest.mark.parametrize(
    ("fault", "check", "said"),
    [
        ({"shift": 1.0}, "r_hat", "R-hat of shape is 1."),
        ({"slow": 0.98}, "ess_bulk", "effective draws in the bulk, below 400"),
        ({"slow": 0.98}, "ess_tail", "effective draws in the tails, below 400"),
        ({"divergent": 3}, "divergences", "3 divergent transitions"),
        ({"energy": 0.0}, "bfmi", "(BFMI)"),
    ],
)
def test_a_fault_is_found_and_said(fault, check, said):
    table = diagnose(tree(**fault))
    assert not table.set_index("check").loc[check, "passed"]
    assert any(said in sentence for sentence in failures(table))


def test_numbers_are_those_of_arviz():
    posterior = tree(slow=0.5)["posterior"].to_dataset()
    ours = summarise_chains(posterior)
    assert list(ours.index) == ["shape", "coefficient[a]", "coefficient[b]"]
    theirs = {
        "ess_bulk": arviz_stats.ess(posterior, method="bulk"),
        "ess_tail": arviz_stats.ess(posterior, method="tail", prob=(0.05, 0.95)),
        "r_hat": arviz_stats.rhat(posterior),
    }
    for column, values in theirs.items():
        expected = [values["shape"].item(), *values["coefficient"].to_numpy()]
        np.testing.assert_allclose(ours[column], expected, rtol=1e-10)


def test_elements_are_scalars_by_label():
    found = dict(elements(tree()["posterior"].to_dataset()))
    assert list(found) == ["shape", "coefficient[a]", "coefficient[b]"]
    assert all(values.shape == (4, 1000) for values in found.values())


def test_a_sampling_error_says_what_to_do():
    error = bs.SamplingError(["R-hat of shape is 1.200"])
    assert "R-hat of shape is 1.200" in str(error)
    assert "--force" in str(error)
