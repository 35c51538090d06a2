"""Draws of equal weight from a Laplace approximation, or none where its weights are no good."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesurv.inference.laplace import Approximation, approximate, expanded
from bayesurv.inference.reweigh import MAX_PARETO_K

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

PROPOSED = 6  # weighted draws for each one that is kept


@dataclass(frozen=True)
class Weighted:
    """Equally weighted draws of every parameter by name, `(draw, ...)`, and their weights' worth.

    pareto_k, effective_draws : of the weights that the draws were resampled by.
    """

    parameters: dict[str, np.ndarray]
    pareto_k: float
    effective_draws: float

    @property
    def reliable(self) -> bool:
        """Whether the draws can stand for the posterior.

        Pareto k is at most 0.7, and the weighted draws are worth as many as were kept, so that
        those kept are little worse than independent ones.
        """
        kept = len(next(iter(self.parameters.values())))
        return self.pareto_k <= MAX_PARETO_K and self.effective_draws >= kept


def weighted_draws(compiled: Any, draws: int, seed: Any) -> Weighted:
    """Approximate the posterior of a compiled model and resample draws of equal weight.

    `seed` is whatever numpy's `default_rng` takes; the same one gives the same draws.
    """
    found: Approximation = approximate(compiled, PROPOSED * draws, seed)
    generator = np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])
    kept = generator.permutation(found.resampled(draws, generator))
    k = found.pareto_k if found.settled else np.inf
    return Weighted(expanded(compiled, kept), k, found.effective_draws)


def as_tree(found: Weighted, compiled: Any, chains: int) -> "xr.DataTree":
    """Groups posterior and sample_stats, dims `(chain, draw, ...)`, as NUTS leaves them."""
    import xarray as xr

    posterior: dict[str, Any] = {}
    labels: dict[str, Any] = {}
    for name, values in found.parameters.items():
        dims = tuple(compiled.dims.get(name) or ())
        shaped = values.reshape(chains, -1, *values.shape[1:])
        posterior[name] = (("chain", "draw", *dims), shaped)
        labels |= {dim: compiled.coords[dim] for dim in dims}
    coords = {"chain": np.arange(chains), "draw": np.arange(shaped.shape[1])}
    stats = {"pareto_k": found.pareto_k, "effective_draws": found.effective_draws}
    return xr.DataTree.from_dict(
        {"posterior": xr.Dataset(posterior, coords | labels), "sample_stats": xr.Dataset(stats)}
    )


def diagnose_weights(found: Weighted) -> "pd.DataFrame":
    """Checks of the weights, in the columns of `diagnostics.diagnose`."""
    from bayesurv.inference.diagnostics import judged

    kept = len(next(iter(found.parameters.values())))
    return judged(
        [
            ("pareto_k", found.pareto_k, MAX_PARETO_K, ""),
            ("effective_draws", found.effective_draws, float(kept), ""),
        ]
    )
