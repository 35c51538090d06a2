"""Simultaneous bands of the empirical distribution of uniform numbers, exact.

Of n independent uniform numbers, as many as Binomial(n, z) are below z. The probability that the
counts at several z are all within limits follows from z to z: given i below one, the count below
the next is i + Binomial(n - i, share of the rest that lies between).

Source: Säilynoja, Bürkner and Vehtari, Statistics and Computing 2022.
"""

from functools import cache

import numpy as np
from scipy.special import gammaln
from scipy.stats import binom

POINTS = 100  # at which the distribution is looked at
ROUNDING = 1e-9  # tails closer than this are equal, as that of z and that of 1 - z are


def simultaneous_p_value(values: np.ndarray, points: int = POINTS) -> float:
    """Probability that uniform numbers are anywhere as far from uniform as these.

    The distance is the smallest tail probability of the counts at 1/points, 2/points, ...
    """
    count, at = len(values), _grid(points)
    below = np.searchsorted(np.sort(values), at, side="right")
    tails = np.minimum(binom.cdf(below, count, at), binom.sf(below - 1, count, at))
    return 1 - _inside(count, points, float(tails.min()))


@cache
def simultaneous_band(
    count: int, level: float, points: int = POINTS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the distribution of so many uniform numbers lies but with probability `level`.

    Places z, and the lowest and the highest share of the numbers below z, each `(point,)`.
    """
    low, high = np.log(level / points) - 5, np.log(level)
    for _ in range(40):
        middle = (low + high) / 2
        if 1 - _inside(count, points, float(np.exp(middle))) > level:
            high = middle
        else:
            low = middle
    lowest, highest = _limits(count, points, float(np.exp(low)))
    return _grid(points), lowest / count, highest / count


def _grid(points: int) -> np.ndarray:
    return np.arange(1, points) / points


def _limits(count: int, points: int, tail: float) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest counts of which each tail has more than this probability."""
    at = _grid(points)
    numbers = np.arange(count + 1)[:, None]
    tail *= 1 + ROUNDING
    lowest = (binom.cdf(numbers, count, at) <= tail).sum(axis=0)
    highest = count - (binom.sf(numbers - 1, count, at) <= tail).sum(axis=0)
    return lowest, highest


def _inside(count: int, points: int, tail: float) -> float:
    """Probability that the counts at all points are within the limits of a tail probability."""
    at = _grid(points)
    lowest, highest = _limits(count, points, tail)
    if (lowest > highest).any():
        return 0.0
    factorial = gammaln(np.arange(count + 2) + 1)
    before, chance, place = np.array([0]), np.array([1.0]), 0.0
    for z, low, high in zip(at, lowest, highest, strict=True):
        after = np.arange(low, high + 1)
        gained = after - before[:, None]
        left = count - before[:, None]
        step = (z - place) / (1 - place)
        possible = gained >= 0
        more = np.where(possible, gained, 0)
        log_chance = (
            factorial[left] - factorial[more] - factorial[left - more]
            + more * np.log(step) + (left - more) * np.log1p(-step)
        )  # fmt: skip
        chance = chance @ np.where(possible, np.exp(log_chance), 0.0)
        before, place = after, z
    return float(min(chance.sum(), 1.0))
