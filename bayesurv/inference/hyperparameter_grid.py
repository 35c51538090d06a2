"""A fixed grid over hyperparameters, with Laplace's approximation of the rest at each node.

The joint mode of a hierarchical scale and what it scales is far from the bulk of the posterior;
given the scale the rest is close to normal. Only the proposal of importance sampling comes from
the grid, so its spacing decides how good the draws are, not what they are draws of.

Source: Rue, Martino and Chopin, JRSS B 2009, section 3, for the exploration of the grid.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesurv.inference.mode import SETTLED, Peak, climb

STEP = 1.0  # distance of two nodes, on the log scale for a scale
TOO_COARSE = 2.0  # log mass that both neighbours of the best node lie below it on a coarse grid
MOST_HALVINGS = 12
NEGLIGIBLE = 6.0  # log mass below the best node's where the grid ends
MOST_STEPS = 30
MOST_NODES = 200  # on the way up
ROUGH = 1e-2  # tolerance of a climb at a node

Index = tuple[int, ...]


@dataclass(frozen=True)
class Grid:
    """Nodes in rows, the last hyperparameter's running fastest.

    gridded, free : positions of the hyperparameters and of the rest in a model's elements.
    lowest, step : of each hyperparameter, `(gridded,)`; `shape` says how many nodes.
    log_mass : log of the joint density with the rest integrated out, `(node,)`.
    centre, root : mode and Cholesky factor of the rest, `(node, free)`, `(node, free, free)`.
    mode : `(dim,)`, at the best node.
    settled : whether every node's climb came to a mode.
    """

    gridded: np.ndarray
    free: np.ndarray
    lowest: np.ndarray
    step: np.ndarray
    shape: Index
    log_mass: np.ndarray
    centre: np.ndarray
    root: np.ndarray
    mode: np.ndarray
    settled: bool


class _Search:
    """Peaks at nodes that have been visited, by index; node i stands at i times the step."""

    def __init__(self, compiled: Any, gridded: np.ndarray, free: np.ndarray) -> None:
        self.compiled, self.gridded, self.free = compiled, gridded, free
        self.tolerance = ROUGH if len(gridded) else SETTLED
        self.step = np.full(len(gridded), STEP)
        self.peaks: dict[Index, Peak] = {}

    def visit(self, index: Index, start: np.ndarray) -> Peak:
        """The peak at a node, from a start for the rest where the node is new."""
        if index not in self.peaks:
            position = start.copy()
            position[self.gridded] = np.array(index) * self.step
            self.peaks[index] = climb(self.compiled, position, self.free, self.tolerance)
        return self.peaks[index]

    def ascend(self, index: Index, start: np.ndarray) -> Index:
        """A node that no neighbour along any axis is better than, uphill from a first one."""
        best = self.visit(index, start)
        for _ in range(MOST_NODES):
            visited = {n: self.visit(n, best.position) for n in _neighbours(index)}
            better = max(visited, key=lambda n: visited[n].log_mass, default=index)
            if not visited or not visited[better].log_mass > best.log_mass:
                break
            index, best = better, visited[better]
        return index

    def refine(self, top: Index) -> Index:
        """Halve the step along the axes on which the best node stands alone."""
        for _ in range(MOST_HALVINGS):
            best = self.peaks[top]
            low = [best.log_mass - self.peaks[n].log_mass > TOO_COARSE for n in _neighbours(top)]
            coarse = np.logical_and(low[::2], low[1::2])
            if not coarse.any():
                break
            self.step = np.where(coarse, self.step / 2, self.step)
            top = tuple(i * 2 if halved else i for i, halved in zip(top, coarse, strict=True))
            self.peaks = {top: best}
            top = self.ascend(top, best.position)
        return top

    def ends(self, top: Index, axis: int) -> range:
        """Indices along an axis through the best node between those of negligible mass."""
        found = []
        for way in (-1, 1):
            index = top
            while self.peaks[top].log_mass - self.peaks[index].log_mass < NEGLIGIBLE:
                if abs(index[axis] - top[axis]) == MOST_STEPS:
                    break
                start = self.peaks[index].position
                index = _moved(index, axis, way)
                self.visit(index, start)
            found.append(index[axis])
        return range(found[0], found[1] + 1)


def explore(compiled: Any, gridded: np.ndarray, start: np.ndarray) -> Grid:
    """Lay a grid over the hyperparameters, positions in a model's elements, from a start `(dim,)`.

    Without hyperparameters it has one node, the mode of all elements.
    """
    free = np.setdiff1d(np.arange(compiled.n_dim), gridded)
    search = _Search(compiled, gridded, free)
    nearest = tuple(np.round(start[gridded] / STEP).astype(int).tolist())
    top = search.refine(search.ascend(nearest, start))
    axes = [search.ends(top, axis) for axis in range(len(gridded))]
    nodes = list(itertools.product(*axes))
    for node in sorted(nodes, key=lambda node: _distance(node, top)):
        search.visit(node, search.peaks[_towards(node, top)].position)
    peaks = [search.peaks[node] for node in nodes]
    return Grid(
        gridded=gridded,
        free=free,
        lowest=np.array([axis[0] for axis in axes]) * search.step,
        step=search.step,
        shape=tuple(len(axis) for axis in axes),
        log_mass=np.array([peak.log_mass for peak in peaks]),
        centre=np.array([peak.position[free] for peak in peaks]),
        root=np.array([peak.root for peak in peaks]),
        mode=search.peaks[top].position,
        settled=all(peak.settled for peak in peaks),
    )


def _moved(index: Index, axis: int, way: int) -> Index:
    return (*index[:axis], index[axis] + way, *index[axis + 1 :])


def _neighbours(index: Index) -> Iterator[Index]:
    """The nodes one step down and one up along each axis, axis by axis."""
    for axis in range(len(index)):
        yield _moved(index, axis, -1)
        yield _moved(index, axis, 1)


def _distance(index: Index, top: Sequence[int]) -> int:
    return int(np.abs(np.subtract(index, top)).sum())


def _towards(index: Index, top: Index) -> Index:
    """The node one step nearer to the best one."""
    for axis, (here, there) in enumerate(zip(index, top, strict=True)):
        if here != there:
            return _moved(index, axis, 1 if here < there else -1)
    return index
