"""Estimates from simulated studies, each with its Monte Carlo error."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

REACH = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Estimate:
    """An estimate, its Monte Carlo standard error, its 95% interval, and the studies it is from."""

    estimate: float
    mcse: float
    lower: float
    upper: float
    studies: int


NONE = Estimate(np.nan, np.nan, np.nan, np.nan, 0)


def share(happened: np.ndarray) -> Estimate:
    """A share of studies, with Wilson's interval.

    Source: Wilson, JASA 1927.
    """
    count = len(happened)
    if not count:
        return NONE
    p = float(np.mean(happened))
    spread = REACH**2 / count
    middle = (p + spread / 2) / (1 + spread)
    half = np.sqrt(p * (1 - p) * spread + spread**2 / 4) / (1 + spread)
    lower, upper = min(p, max(0.0, middle - half)), max(p, min(1.0, middle + half))
    return Estimate(p, float(np.sqrt(p * (1 - p) / count)), float(lower), float(upper), count)


def mean(values: np.ndarray) -> Estimate:
    """A mean over studies, with a normal interval; empty studies are left out."""
    kept = values[np.isfinite(values)]
    if not len(kept):
        return NONE
    middle = float(kept.mean())
    error = float(kept.std(ddof=1) / np.sqrt(len(kept))) if len(kept) > 1 else np.nan
    return Estimate(middle, error, middle - REACH * error, middle + REACH * error, len(kept))


def median(values: np.ndarray) -> Estimate:
    """A median over studies, with the interval between two order statistics.

    Its standard error is the interval's half-width over 1.96.
    """
    kept = np.sort(values[np.isfinite(values)])
    count = len(kept)
    if not count:
        return NONE
    half = REACH * np.sqrt(count) / 2
    low = max(0, int(np.floor(count / 2 - half)))
    high = min(count - 1, int(np.ceil(count / 2 + half)))
    lower, upper = float(kept[low]), float(kept[high])
    return Estimate(float(np.median(kept)), (upper - lower) / (2 * REACH), lower, upper, count)
