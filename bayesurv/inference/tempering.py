"""Move draws of one posterior to a nearby one, without gradients and without compiling anything.

A sequence of densities leads from the one that the draws come from to the target. At each step
the draws are weighted, resampled, and moved by a Markov kernel that leaves the step's density
invariant, until they have forgotten where they were copied. Exact but for Monte-Carlo error,
however far the target is; importance weights alone fail where it is not near.

Source: Del Moral, Doucet and Jasra, JRSS B 2006; kernel: Grumitt, Dai and Seljak 2022.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from bayesurv.inference.reweigh import systematic

ENOUGH = 0.5  # share of the draws that the weights of one step must be worth
FORGOTTEN = 0.1  # largest correlation between where draws were copied and where they are
MOST_MOVES = 1000
ACCEPTANCE = 0.35
LOWEST = -1e100  # stands for log(0), so that differences are numbers
TAILS = 5.0  # degrees of freedom of the kernel's reference

# Log densities of the two ends at positions (draw, axis), each of shape (draw,).
Densities = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Moved:
    """Draws of the target, and how they came there.

    log_ratio : logarithm of the target's normalising constant over that of the start.
    steps, moves : densities passed, and moves of every draw in all.
    settled : whether the draws forgot their copies at every step.
    """

    position: np.ndarray
    log_ratio: float
    steps: int
    moves: int
    settled: bool


def temper(position: np.ndarray, densities: Densities, generator: np.random.Generator) -> Moved:
    """Move draws of the first density, positions `(draw, axis)`, to the second."""
    log_start, log_target = densities(position)
    share, log_ratio, steps, moves, settled = 0.0, 0.0, 0, 0, True
    while share < 1.0:
        gap = log_target - log_start
        step = _step(gap, 1.0 - share)
        share = 1.0 if step >= 1.0 - share else share + step
        log_weight = step * gap
        log_ratio += float(logsumexp(log_weight) - np.log(len(log_weight)))
        weight = np.exp(log_weight - log_weight.max())
        kept = systematic(weight, len(weight), generator)
        state = (position[kept], log_start[kept], log_target[kept])
        (position, log_start, log_target), made = _move(state, share, densities, generator)
        steps, moves, settled = steps + 1, moves + made, settled and made < MOST_MOVES
    return Moved(position, log_ratio, steps, moves, settled)


def _step(gap: np.ndarray, left: float) -> float:
    """The longest step towards the target whose weights are still worth enough draws."""
    if _worth(left * gap) >= ENOUGH:
        return left
    low, high = 0.0, left
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _worth(middle * gap) >= ENOUGH else (low, middle)
    return max(low, 1e-6)


def _worth(log_weight: np.ndarray) -> float:
    """Effective share of the draws, 1 where all weights are equal."""
    weight = np.exp(log_weight - log_weight.max())
    return float(weight.mean() ** 2 / np.square(weight).mean())


def _move(
    state: tuple[np.ndarray, ...],
    share: float,
    densities: Densities,
    generator: np.random.Generator,
) -> tuple[tuple[np.ndarray, ...], int]:
    """Move draws under the density at `share` of the way, twice as long as they need to forget."""
    position, log_start, log_target = state
    origin, reference, scale = position, Reference.of(position), 0.5
    enough = MOST_MOVES
    for made in range(1, MOST_MOVES + 1):
        proposal, log_forward = reference.propose(position, scale, generator)
        new_start, new_target = (np.maximum(ends, LOWEST) for ends in densities(proposal))
        change = (1 - share) * (new_start - log_start) + share * (new_target - log_target)
        accepted = np.log(generator.uniform(size=len(position))) < change + log_forward
        position = np.where(accepted[:, None], proposal, position)
        log_start = np.where(accepted, new_start, log_start)
        log_target = np.where(accepted, new_target, log_target)
        gain = (accepted.mean() - ACCEPTANCE) / np.sqrt(made)
        scale = float(np.clip(scale * np.exp(gain), 0.02, 0.99))
        if enough == MOST_MOVES and _correlation(origin, position) < FORGOTTEN:
            enough = 2 * made
        if made >= enough:
            break
    return (position, log_start, log_target), made


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Largest correlation over the axes between the same draws at two moments."""
    a, b = first - first.mean(axis=0), second - second.mean(axis=0)
    scale = np.sqrt(np.square(a).sum(axis=0) * np.square(b).sum(axis=0))
    return float(((a * b).sum(axis=0) / scale).max())


@dataclass(frozen=True)
class Reference:
    """A multivariate t with the draws' mean and covariance, around which the kernel turns."""

    mean: np.ndarray
    root: np.ndarray
    whiten: np.ndarray

    @classmethod
    def of(cls, position: np.ndarray) -> "Reference":
        """Fit to draws, shape `(draw, axis)`."""
        covariance = np.atleast_2d(np.cov(position, rowvar=False))
        ridge = 1e-9 * np.diag(np.diag(covariance) + 1e-12)
        root = np.linalg.cholesky(covariance + ridge)
        return cls(position.mean(axis=0), root, np.linalg.inv(root))

    def propose(
        self, position: np.ndarray, scale: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """A proposal that leaves the reference invariant, and the log ratio of its densities.

        x' = m + sqrt(1 - scale^2) (x - m) + scale sqrt(s) L z, with s from its inverse-gamma
        distribution given x, under which x is normal with covariance s L L'.
        """
        axes = position.shape[1]
        away = position - self.mean
        distance = self._distance(away)
        spread = (TAILS + distance) / (2 * generator.gamma((axes + TAILS) / 2, size=len(away)))
        noise = generator.standard_normal(position.shape) @ self.root.T
        moved = np.sqrt(1 - scale**2) * away + scale * np.sqrt(spread)[:, None] * noise
        log_ratio = np.log1p(self._distance(moved) / TAILS) - np.log1p(distance / TAILS)
        return self.mean + moved, (axes + TAILS) / 2 * log_ratio

    def _distance(self, away: np.ndarray) -> np.ndarray:
        """Squared Mahalanobis distance, shape `(draw,)`."""
        return np.square(away @ self.whiten.T).sum(axis=-1)
