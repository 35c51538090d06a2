"""Draw from a grid of Student-t distributions, with the exact density of what is drawn.

Hyperparameters come from a density that is linear between the nodes of the grid and falls beyond
them with the inverse square of the distance in steps. Given them, the rest is a multivariate t
whose centre and scale are interpolated between the nodes. As the density of every draw is known,
importance weights against the joint density are right whatever the grid is.
"""

import itertools
from collections.abc import Iterator
from math import lgamma, log, pi

import numpy as np

from bayesurv.inference.hyperparameter_grid import Grid

TAILS = 6.0  # degrees of freedom


def propose(
    grid: Grid, draws: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Positions `(draw, dim)` and the log of the density that they are drawn from, `(draw,)`."""
    weight = np.exp(grid.log_mass - grid.log_mass.max())
    place, total = _places(grid, weight, draws, generator)
    noise, log_noise = _student(draws, len(grid.free), generator)
    density = np.zeros(draws)
    rest, scale = np.zeros((2, draws, len(grid.free)))
    for node, share in _corners(grid, place):
        density += share * weight[node]
        scale += share[:, None] * np.diagonal(grid.root, axis1=1, axis2=2)[node]
        for each in np.unique(node):
            here = node == each
            moved = grid.centre[each] + noise[here] @ grid.root[each].T
            rest[here] += share[here, None] * moved
    position = np.empty((draws, len(grid.gridded) + len(grid.free)))
    position[:, grid.gridded] = grid.lowest + place * grid.step
    position[:, grid.free] = rest
    volume = np.log(scale).sum(axis=-1) + np.log(grid.step).sum()
    beyond = np.log1p(_beyond(grid, place)).sum(axis=-1)
    return position, np.log(density / total) - 2 * beyond + log_noise - volume


def _places(
    grid: Grid, weight: np.ndarray, draws: int, generator: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Where hyperparameters are drawn, in steps from the lowest node; and the density's integral.

    A node's part of the density is a triangle of half width 1; on the outer side of a node at the
    grid's edge it is the inverse square of 1 + distance, of mass 1.
    """
    last = np.array(grid.shape, dtype=int) - 1
    index = np.stack(np.unravel_index(np.arange(len(weight)), grid.shape or (1,)), axis=-1)
    index = index[:, : len(last)]
    up, down = (np.where(index == edge, 1.0, 0.5) for edge in (last, 0))
    mass = weight * (up + down).prod(axis=-1)
    node = generator.choice(len(weight), draws, p=mass / mass.sum())
    upwards = generator.random((draws, len(last))) * (up + down)[node] < up[node]
    outer = np.where(upwards, up[node], down[node]) == 1
    uniform = 1 - generator.random((draws, len(last)))
    distance = np.where(outer, 1 / uniform - 1, 1 - np.sqrt(uniform))
    return index[node] + np.where(upwards, distance, -distance), float(mass.sum())


def _beyond(grid: Grid, place: np.ndarray) -> np.ndarray:
    """How many steps a place lies outside the grid, `(draw, gridded)`."""
    return np.abs(place - np.clip(place, 0, np.array(grid.shape, dtype=int) - 1))


def _corners(grid: Grid, place: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Nodes around each place and their shares in a linear interpolation, both `(draw,)`."""
    last = np.array(grid.shape, dtype=int) - 1
    within = np.clip(place, 0, last)
    low = np.minimum(np.floor(within).astype(int), np.maximum(last - 1, 0))
    strides = np.array([np.prod(grid.shape[axis + 1 :]) for axis in range(len(last))], dtype=int)
    for corner in itertools.product((0, 1), repeat=len(last)):
        index = np.minimum(low + np.array(corner, dtype=int), last)
        share = np.where(corner, within - low, 1 - (within - low)).prod(axis=-1)
        yield index @ strides, share


def _student(
    draws: int, count: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draws `(draw, count)` of a standard multivariate t, and their log density `(draw,)`."""
    spread = TAILS / generator.chisquare(TAILS, draws)
    noise = np.sqrt(spread)[:, None] * generator.standard_normal((draws, count))
    constant = lgamma((TAILS + count) / 2) - lgamma(TAILS / 2) - count / 2 * log(TAILS * pi)
    distance = np.square(noise).sum(axis=-1)
    return noise, constant - (TAILS + count) / 2 * np.log1p(distance / TAILS)
