"""Climb to the mode of a compiled model, with all or some of its elements free to move."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesurv.inference.evaluate import log_density

SETTLED = 1e-6  # what a last step would still add to the log density
MOST_STEPS = 100
MOST_HALVINGS = 40
ENOUGH = 2e-4  # share of the gain promised by the curvature that a step must bring
FIRST_REACH = 1e-4  # half the width of a central difference before any curvature is known
REACH = 1e-3  # the same in conditional standard deviations
FLATTEST = 1e-8  # smallest curvature that is believed, with each element scaled to curvature 1


@dataclass(frozen=True)
class Peak:
    """Mode of the log density along its free elements, the others held where they are.

    position : `(dim,)`.
    root : lower Cholesky factor of the inverse negative Hessian, `(free, free)`.
    log_mass : Laplace's approximation to the log of the integral over the free elements.
    settled : whether the climb came to a mode.
    """

    position: np.ndarray
    root: np.ndarray
    log_mass: float
    settled: bool


@dataclass(frozen=True)
class _Local:
    """A point of the climb: log density, gradient and Hessian along the free elements."""

    position: np.ndarray
    value: float
    gradient: np.ndarray
    hessian: np.ndarray

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.value) and np.isfinite(self.hessian).all())


def climb(compiled: Any, start: np.ndarray, free: np.ndarray, tolerance: float = SETTLED) -> Peak:
    """Newton's method from `start` `(dim,)` along the elements `free`, positions in it.

    Where the log density is not concave, its curvatures count as if it were; a step is halved
    until it gains enough. The Hessian is a central difference of the exact gradient. A last step
    that would gain less than the tolerance is taken unseen.
    """
    here = _start(compiled, start, free)
    for _ in range(MOST_STEPS if here.finite else 0):
        scale, root, concave = _scaling(here.hessian)
        ascent = root.T @ here.gradient
        gain = float(ascent @ ascent) / 2
        step = np.zeros_like(start)
        step[free] = root @ ascent
        if concave and gain < tolerance:
            return _peak(here.position + step, here.value + gain, root, settled=True)
        there = _higher(compiled, here, free, step, gain, REACH * scale)
        if there is None:
            break
        here = there
    root = _scaling(here.hessian)[1] if here.finite else np.eye(len(free))
    return _peak(here.position, here.value, root, settled=False)


def _peak(position: np.ndarray, value: float, root: np.ndarray, settled: bool) -> Peak:
    factor = np.linalg.cholesky(root @ root.T)
    volume = np.log(np.diag(factor)).sum() + len(root) / 2 * np.log(2 * np.pi)
    return Peak(position, factor, float(value + volume), settled)


def _start(compiled: Any, start: np.ndarray, free: np.ndarray) -> _Local:
    """Evaluate at the start, reaching less far where the log density is not finite there."""
    for power in range(6):
        here = _local(compiled, start, free, np.full(len(free), FIRST_REACH / 10**power))
        if here.finite:
            break
    return here


def _local(compiled: Any, position: np.ndarray, free: np.ndarray, reach: np.ndarray) -> _Local:
    """Evaluate at a position and at `reach` `(free,)` on both sides of it along each element."""
    count = len(free)
    shift = np.zeros((count, len(position)))
    shift[np.arange(count), free] = reach
    points = np.concatenate([position[None], position + shift, position - shift])
    value, gradient = log_density(compiled, points)
    hessian = np.full((count, count), np.nan)
    if np.isfinite(value).all():
        above, below = gradient[1 : count + 1, free], gradient[count + 1 :, free]
        with np.errstate(over="ignore", invalid="ignore"):  # far out; then it is not finite
            slope = (above - below) / (2 * reach[:, None])
            hessian = (slope + slope.T) / 2
    return _Local(position, float(value[0]), gradient[0, free], hessian)


def _scaling(hessian: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Scale of each element, a root of the inverse curvature, and whether all is concave."""
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-12))
    curvature, axes = np.linalg.eigh(-hessian * scale * scale[:, None])
    root = scale[:, None] * axes / np.sqrt(np.maximum(np.abs(curvature), FLATTEST))
    return scale, root, bool((curvature > 0).all())


def _higher(
    compiled: Any,
    here: _Local,
    free: np.ndarray,
    step: np.ndarray,
    gain: float,
    reach: np.ndarray,
) -> _Local | None:
    """After the longest of step, step / 2, step / 4, ... that gains enough; None if none does."""
    for halving in range(MOST_HALVINGS):
        part = 0.5**halving
        there = _local(compiled, here.position + part * step, free, reach)
        if there.finite and there.value >= here.value + ENOUGH * part * gain:
            return there
    return None
