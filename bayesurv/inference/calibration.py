"""Simulation-based calibration: whether refits of simulated data find what made the data.

Parameters are drawn from the prior, data from the model at these parameters, and the model is
fitted to the data. The true value of any quantity is then one more draw from its posterior: its
rank among independent draws is uniform, for every model, prior and size of data, if and only if
simulation, model and sampler agree. Nothing here knows what the model is.

Source: Talts et al., arXiv:1804.06788 (2018); Modrák et al., Bayesian Analysis 2025.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from bayesurv.inference.ecdf import POINTS, simultaneous_p_value
from bayesurv.inference.members import _scores
from bayesurv.inference.sample import Progress

MOST_DRAWS = 199  # of a refit that are ranked
BINS, FEWEST_IN_BIN = 20, 10  # of the chi-squared test
COLUMNS = ("refit", "quantity", "rank", "draws", "true", "mean", "sd")
PROBABILITY = 0.95  # that every quantity is inside its band, where all is right


@dataclass(frozen=True, eq=False)
class Refit:
    """What one refit found, and how it went.

    true : value of each test quantity at the parameters that made the data.
    draws : nearly independent posterior draws of each, `(draw,)`.
    record : further entries of the table of refits, `passed` among them.
    """

    true: Mapping[str, float]
    draws: Mapping[str, np.ndarray]
    record: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Ranks:
    """Ranks of the true values, and how each refit went.

    ranks : columns refit, quantity, rank (0 to draws), draws, true, mean, sd (of the draws).
    refits : one row for each refit, also those that gave no draws.
    """

    ranks: pd.DataFrame
    refits: pd.DataFrame

    @property
    def failed(self) -> float:
        """Share of the refits that did not pass their checks."""
        return float(1 - self.refits["passed"].mean())


def calibrate(
    refit: Callable[[int], Refit],
    count: int,
    seed: int = 0,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Ranks:
    """Ranks of so many refits, made at the same time by several workers.

    Parameters
    ----------
    refit
        Simulates and fits the data set of a number from 0 on, with random numbers of its own, so
        that neither the number of workers nor that of refits changes any one of them.
    seed
        Of the ranks among equal draws.
    progress
        Told the share of the refits that are done.
    workers
        Unless given, as many as there are processors.
    """
    found: dict[int, Refit] = {}
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        jobs = {pool.submit(refit, number): number for number in range(count)}
        try:
            for job in as_completed(jobs):
                found[jobs[job]] = job.result()
                if progress is not None:
                    progress(len(found) / count)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    records = [{"refit": number, **found[number].record} for number in range(count)]
    rows = [row for number in range(count) for row in _ranked(number, found[number], seed)]
    return Ranks(pd.DataFrame(rows, columns=list(COLUMNS)), pd.DataFrame(records))


def _ranked(number: int, refit: Refit, seed: int) -> Iterator[tuple]:
    """A row for each test quantity, none where the refit gave no draws."""
    if not refit.draws:
        return
    names = list(refit.draws)
    true = np.array([refit.true[name] for name in names], dtype=float)
    draws = np.stack([refit.draws[name] for name in names], axis=-1)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, sd = draws.mean(axis=0), draws.std(axis=0)
    placed = ranks(true, draws, np.random.default_rng([seed, number]))
    for i, name in enumerate(names):
        yield number, name, placed[i], len(draws), true[i], mean[i], sd[i]


def ranks(true: np.ndarray, draws: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Number of draws `(draw, quantity)` below the true value `(quantity,)`.

    Among draws equal to it, it stands at random. What is no number counts as the lowest.
    """
    true, draws = (np.nan_to_num(each, nan=-np.inf, posinf=np.inf) for each in (true, draws))
    equal = (draws == true).sum(axis=0)
    return (draws < true).sum(axis=0) + random.integers(0, equal + 1)


def effective_draws(values: np.ndarray) -> float:
    """Smallest bulk effective sample size of quantities, values `(chain, draw, quantity)`.

    Those that are the same in all draws, such as a survival of 0, or not finite have no say. Of
    the ranks' normal scores in half chains, by Geyer's initial monotone sequence.

    Source: Vehtari et al., Bayesian Analysis 2021.
    """
    total = values.shape[0] * values.shape[1]
    varied = np.isfinite(values).all(axis=(0, 1)) & (values != values[0, 0]).any(axis=(0, 1))
    if not varied.any():
        return float(total)
    half = values.shape[1] // 2
    scores = _scores(np.concatenate([values[:, :half], values[:, -half:]])[..., varied])
    halves, size = scores.shape[:2]
    centred = scores - scores.mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(centred, 2 * size, axis=1)) ** 2
    covariance = np.fft.irfft(spectrum, axis=1)[:, :size] / size
    within = covariance[:, 0].mean(axis=0) * size / (size - 1)
    variance = within * (size - 1) / size + scores.mean(axis=1).var(axis=0, ddof=1)
    correlation = 1 - (within - covariance.mean(axis=0)) / variance
    pairs = correlation[: size // 2 * 2].reshape(-1, 2, correlation.shape[-1]).sum(axis=1)
    positive = np.minimum.accumulate(pairs > 0, axis=0)
    sums = (np.minimum.accumulate(pairs, axis=0) * positive).sum(axis=0)
    length = np.maximum(2 * sums - 1, 1 / np.log10(halves * size))
    return float(min((halves * size / length).min(), total))


def independent(effective: float, draws: int, most: int = MOST_DRAWS) -> np.ndarray:
    """Positions of evenly spread draws, as many as are effective and at most so many."""
    kept = int(np.clip(effective, 1, min(most, draws)))
    return np.floor((np.arange(kept) + 0.5) * draws / kept).astype(int)


def shares(found: pd.DataFrame, seed: int = 0) -> dict[str, np.ndarray]:
    """Ranks of each quantity as numbers between 0 and 1, spread over the width each stands for."""
    random = np.random.default_rng(seed)
    return {
        str(quantity): ((own["rank"] + random.random(len(own))) / (own["draws"] + 1)).to_numpy(
            float
        )
        for quantity, own in found.groupby("quantity", sort=False)
    }


def uniformity(
    found: pd.DataFrame, seed: int = 0, probability: float = PROBABILITY
) -> pd.DataFrame:
    """Whether the ranks of each quantity are uniform; one row for each, in their order.

    Columns:

    - `refits`: that gave draws.
    - `p_value`: of the largest distance of the ranks' distribution from the uniform one.
    - `inside_band`: that distance is within the simultaneous band, which all quantities of the
      table are with the given probability if all is right.
    - `chi_square`, `chi_square_p_value`: of counts in equal bins.
    - `mean_rank`: 0.5 if right; above it, the posterior lies too low.
    - `spread`: variance of the ranks over that of uniform ones, 1 if right; above 1 the posterior
      is too narrow, below it too wide.
    - `mean_z`: mean of (posterior mean - true) / posterior sd, near 0 if right.
    - `contraction`: 1 - mean posterior variance / variance of the true values: how much the
      data say.

    Source: Säilynoja, Bürkner and Vehtari, Statistics and Computing 2022.
    """
    uniform = shares(found, seed)
    level = (1 - probability) / max(len(uniform), 1)
    rows = []
    for quantity, share in uniform.items():
        own = found[found["quantity"] == quantity]
        p = simultaneous_p_value(share, POINTS)
        rows.append(
            {"quantity": quantity, "refits": len(own), "p_value": p, "inside_band": p > level}
            | _chi_square(share)
            | {"mean_rank": share.mean(), "spread": 12 * share.var()}
            | _accuracy(own)
        )
    return pd.DataFrame(rows)


def _chi_square(share: np.ndarray) -> dict[str, float]:
    bins = int(np.clip(len(share) // FEWEST_IN_BIN, 2, BINS))
    counts = np.histogram(share, bins, (0, 1))[0]
    expected = len(share) / bins
    statistic = float(np.square(counts - expected).sum() / expected)
    return {"chi_square": statistic, "chi_square_p_value": float(chdtrc(bins - 1, statistic))}


def _accuracy(own: pd.DataFrame) -> dict[str, float]:
    true, mean, sd = (own[name].to_numpy() for name in ("true", "mean", "sd"))
    with np.errstate(all="ignore"):
        z = (mean - true) / sd
        contraction = 1 - np.square(sd).mean() / true.var(ddof=1)
    known = np.isfinite(z)
    return {
        "mean_z": float(z[known].mean()) if known.any() else np.nan,
        "contraction": float(contraction) if np.isfinite(contraction) else np.nan,
    }
