"""Approximate a posterior in milliseconds: Newton, a heavy-tailed proposal, importance weights.

The mode and curvature of the log density place a multivariate Student t; draws from it get
importance weights against the exact log density, Pareto-smoothed. Over hierarchical scales, where
the joint mode misleads, a fixed grid is laid first. Pareto k says whether the weights can be
trusted; where it is above 0.7 the posterior must be sampled.

Sources: Tierney and Kadane, JASA 1986; Geweke, Econometrica 1989; Vehtari et al., JMLR 2024.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesurv.inference.evaluate import kept, log_density
from bayesurv.inference.hyperparameter_grid import explore
from bayesurv.inference.importance import propose
from bayesurv.inference.reweigh import MAX_PARETO_K, smoothed, systematic

SCALES = ("group_sd", "smoothing_sd")
MOST_GRIDDED = 3
STARTS = 10


@dataclass(frozen=True)
class Approximation:
    """Weighted draws of a posterior on the unconstrained scale.

    Attributes
    ----------
    position : array
        Draws, shape `(draw, dim)`.
    weight : array
        Pareto-smoothed importance weights, shape `(draw,)`, adding up to 1.
    pareto_k : float
        Of the weights; above 0.7, or infinite, they cannot be trusted.
    mode : array
        Mode, shape `(dim,)`; given the best node's hyperparameters where there is a grid.
    log_evidence : float
        Logarithm of the integral of prior times likelihood.
    settled : bool
        Whether Newton's method came to a mode everywhere.
    places : mapping
        Positions in `dim` and shape of each unconstrained variable.
    """

    position: np.ndarray
    weight: np.ndarray
    pareto_k: float
    mode: np.ndarray
    log_evidence: float
    settled: bool
    places: dict[str, tuple[slice, tuple[int, ...]]]

    @property
    def reliable(self) -> bool:
        """Whether the draws can stand for the posterior; else it must be sampled."""
        return self.settled and self.pareto_k <= MAX_PARETO_K

    @property
    def effective_draws(self) -> float:
        """How many draws of equal weight the weighted ones are worth: 1 / sum of squares."""
        return float(1 / np.square(self.weight).sum())

    def named(self, name: str) -> np.ndarray:
        """Draws of an unconstrained variable, such as "coefficient", shape `(draw, ...)`."""
        place, shape = self.places[name]
        return self.position[:, place].reshape(-1, *shape)

    def resampled(self, draws: int, generator: np.random.Generator) -> np.ndarray:
        """Draws of equal weight, shape `(draw, dim)`, in the order of `position`."""
        return self.position[systematic(self.weight, draws, generator)]


def approximate(
    compiled: Any, draws: int = 1000, seed: Any = 0, gridded: Sequence[str] = SCALES
) -> Approximation:
    """Approximate the posterior of a compiled model; the same seed gives the same numbers.

    A mode that no draw comes near is not seen: neither Newton's method nor Pareto k tells of it.

    Parameters
    ----------
    compiled
        A `CompiledModel` that was told where to start.
    draws
        25 or more.
    seed
        Whatever numpy's `default_rng` takes.
    gridded
        Names of variables that a grid is laid over. Where Pareto k is above 0.7, one is laid over
        `log_median` too. A grid spans three elements at most; where there are more, none is laid.
    """
    places = _places(compiled)
    narrow, wide = (_elements(places, names) for names in (gridded, (*gridded, "log_median")))
    found = _attempt(compiled, draws, seed, narrow)
    if not found.reliable and len(narrow) < len(wide) <= MOST_GRIDDED:
        return _attempt(compiled, draws, seed, wide)
    return found


def _attempt(compiled: Any, draws: int, seed: Any, gridded: np.ndarray) -> Approximation:
    """Weighted draws from a proposal with a grid over these elements, unless there are too many."""
    few = gridded if len(gridded) <= MOST_GRIDDED else gridded[:0]
    grid = explore(compiled, few, _start(compiled))
    places = _places(compiled)
    if not np.isfinite(grid.log_mass).any():
        same, equal = np.tile(grid.mode, (draws, 1)), np.full(draws, 1 / draws)
        return Approximation(same, equal, np.inf, grid.mode, -np.inf, False, places)
    position, log_proposal = propose(grid, draws, np.random.default_rng(seed))
    log_ratio = log_density(compiled, position)[0] - log_proposal
    weight, pareto_k = smoothed(log_ratio[None])
    highest = log_ratio.max()
    log_evidence = float(highest + np.log(np.exp(log_ratio - highest).mean()))
    return Approximation(
        position, weight[0], pareto_k, grid.mode, log_evidence, grid.settled, places
    )


def expanded(compiled: Any, position: np.ndarray) -> dict[str, np.ndarray]:
    """Every parameter that NUTS keeps of a model, by name, at positions `(draw, dim)`.

    The arrays have shape `(draw, ...)`.
    """
    values, hidden = kept(compiled, position), compiled.reparameterized_names
    return {
        name: values[:, place].reshape(len(values), *map(int, shape))
        for name, place, shape in zip(*compiled.shape_info, strict=True)
        if name not in hidden
    }


def _places(compiled: Any) -> dict[str, tuple[slice, tuple[int, ...]]]:
    """Positions and shapes of the unconstrained variables, which stand first."""
    return {
        name: (place, tuple(map(int, shape)))
        for name, place, shape in zip(*compiled.shape_info, strict=True)
        if place.stop <= compiled.n_dim
    }


def _elements(places: dict[str, tuple[slice, tuple[int, ...]]], names: Sequence[str]) -> np.ndarray:
    """Positions of the elements of the variables of these names."""
    found: list[int] = []
    for name, (place, _) in places.items():
        if name.partition("_log__")[0] in names:
            found.extend(range(place.start, place.stop))
    return np.array(found, dtype=int)


def _start(compiled: Any) -> np.ndarray:
    """The first of the places where chains may start that has a finite log density."""
    for seed in range(STARTS):
        start = compiled.initial_point_func(seed)
        if np.isfinite(log_density(compiled, start[None])[0][0]):
            break
    return start
