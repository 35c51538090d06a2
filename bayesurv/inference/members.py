"""Sample one compiled model on the data of many members, with short chains for each.

What is reported is the mixture of all members' posteriors, to which each adds as many draws, so a
member needs far fewer of them than a posterior that stands alone. Chains of 150 draws cannot
have an R-hat below 1.01 or 400 effective draws. What is asked of them instead:

- of each member: no divergence, R-hat at most 1.1, and an energy fraction (BFMI) of 0.2 or more;
  one that fails is sampled again, twice as long with a stricter acceptance, up to two times;
- of a member with the method "laplace": that its weights are good, or else it is sampled;
- of all members together: 400 effective draws in the bulk and the tails of every parameter, and a
  Monte-Carlo error beside every estimate.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import rankdata

from bayesurv.inference.diagnostics import MIN_ESS, elements, energy_fraction, judged
from bayesurv.inference.reweigh import MAX_PARETO_K
from bayesurv.inference.sample import LAPLACE, Progress, Sampling, draw
from bayesurv.inference.weighted import as_tree, weighted_draws

if TYPE_CHECKING:
    import xarray as xr

TOGETHER, FEWEST = 12_000, 150  # draws of all members, and of one chain, at the least
MAX_R_HAT = 1.1
MIN_BFMI = 0.2
ATTEMPTS = 3


@dataclass(frozen=True)
class Drawn:
    """Draws of one member, `(chain, draw, ...)` by parameter, and what its chains look like.

    Draws of the method "laplace" have no chains, but Pareto k of their weights.
    """

    posterior: Mapping[str, np.ndarray]
    r_hat: float = 1.0
    worst: str = ""
    divergences: int = 0
    bfmi: float = np.inf
    attempts: int = 1
    pareto_k: float = np.nan

    @property
    def passed(self) -> bool:
        """Whether the chains meet what is asked of one member."""
        return self.r_hat <= MAX_R_HAT and not self.divergences and self.bfmi >= MIN_BFMI


def short_chains(members: int) -> Sampling:
    """Settings for each of so many members: the more there are, the shorter the chains."""
    draws = max(FEWEST, -(-TOGETHER // (2 * members)))
    return Sampling(chains=2, draws=draws, tune=min(1000, draws + 50), target_accept=0.85)


def sample_members(
    make: Callable[[int], Any],
    seeds: Sequence[int],
    settings: Sampling,
    progress: Progress | None = None,
    workers: int | None = None,
) -> list[Drawn]:
    """Draws of every member; the same whatever the number of workers.

    Parameters
    ----------
    make
        The compiled model on the data of the member at a position.
    seeds
        One for each member.
    settings
        Of the first attempt; a member has as many draws after any other.
    progress
        Told the share of the members that are done.
    workers
        Members sampled at a time; unless given, as many as there are processors.
    """
    drawn: dict[int, Drawn] = {}
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        jobs = {
            pool.submit(_sample, make, position, replace(settings, seed=seed)): position
            for position, seed in enumerate(seeds)
        }
        try:
            for job in as_completed(jobs):
                drawn[jobs[job]] = job.result()
                if progress is not None:
                    progress(len(drawn) / len(jobs))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [drawn[position] for position in range(len(seeds))]


def _sample(make: Callable[[int], Any], position: int, settings: Sampling) -> Drawn:
    compiled, attempt = make(position), settings
    if settings.method == LAPLACE:
        weighted = weighted_draws(compiled, settings.chains * settings.draws, settings.seed)
        if weighted.reliable:
            posterior = as_tree(weighted, compiled, settings.chains)["posterior"].to_dataset()
            return Drawn(_arrays(posterior), pareto_k=weighted.pareto_k)
    for attempts in range(1, ATTEMPTS + 1):
        tree = draw(compiled, attempt)
        posterior = tree["posterior"].to_dataset()
        stats = tree["sample_stats"].to_dataset()
        every = elements(posterior)
        agreement = r_hat(np.stack([values for _, values in every], axis=-1))
        worst = int(agreement.argmax())
        thin = attempt.draws // settings.draws
        found = Drawn(
            _arrays(posterior.isel(draw=slice(None, None, thin))),
            r_hat=float(agreement[worst]),
            worst=every[worst][0],
            divergences=int(stats["diverging"].sum()),
            bfmi=energy_fraction(stats["energy"].to_numpy()),
            attempts=attempts,
        )
        if found.passed:
            break
        attempt = attempt.stricter()
    return found


def _arrays(posterior: "xr.Dataset") -> dict[str, np.ndarray]:
    return {str(name): values.to_numpy().copy() for name, values in posterior.data_vars.items()}


def r_hat(values: np.ndarray) -> np.ndarray:
    """Rank-normalised split R-hat of each element, values `(chain, draw, element)`.

    The larger of that of the ranks and that of the ranks of distances from the median.

    Source: Vehtari et al., Bayesian Analysis 2021.
    """
    half = values.shape[1] // 2
    halves = np.concatenate([values[:, :half], values[:, -half:]])
    away = np.abs(halves - np.median(halves, axis=(0, 1)))
    return np.fmax(_plain_r_hat(_scores(halves)), _plain_r_hat(_scores(away)))


def _scores(values: np.ndarray) -> np.ndarray:
    """Normal scores of the ranks of each element's draws."""
    flat = values.reshape(-1, values.shape[-1])
    ranks = rankdata(flat, axis=0)
    return ndtri((ranks - 0.375) / (len(flat) + 0.25)).reshape(values.shape)


def _plain_r_hat(values: np.ndarray) -> np.ndarray:
    size = values.shape[1]
    within = values.var(axis=1, ddof=1).mean(axis=0)
    between = values.mean(axis=1).var(axis=0, ddof=1)
    return np.sqrt((size - 1) / size + between / within)


def noise(values: np.ndarray) -> np.ndarray:
    """Variance of each member's mean that is due to its finite number of draws.

    values `(member, chain, draw, ...)`; from the means of half chains. Of one member it is known
    roughly, of the average over members well.
    """
    half = values.shape[2] // 2
    parts = np.concatenate([values[:, :, :half], values[:, :, -half:]], axis=1).mean(axis=2)
    return parts.var(axis=1, ddof=1) / parts.shape[1]


def effective_draws(values: np.ndarray) -> np.ndarray:
    """Effective draws of all members together, values `(member, chain, draw, ...)`.

    Their number of independent draws with the same Monte-Carlo error of the members' means.
    """
    variance = values.var(axis=(1, 2), ddof=1).mean(axis=0)
    error = noise(values).mean(axis=0)
    size = np.prod(values.shape[:3])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = len(values) * variance / error
    return np.where(error > 0, np.minimum(found, size), size)


def tail_draws(values: np.ndarray) -> np.ndarray:
    """Effective draws of the 5% and 95% quantiles, the fewer of both."""
    flat = values.reshape(-1, *values.shape[3:])
    low, high = np.quantile(flat, [0.05, 0.95], axis=0)
    return np.fmin(*(effective_draws((values <= q).astype(float)) for q in (low, high)))


def diagnose_members(
    drawn: Sequence[Drawn], members: Sequence[str], stacked: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """Check all members, as `diagnostics.diagnose` does one run, and in the same columns.

    `stacked` are draws of every parameter by label, `(member, chain, draw)`.
    """
    agree = max(range(len(drawn)), key=lambda i: drawn[i].r_hat)
    slow = min(range(len(drawn)), key=lambda i: drawn[i].bfmi)
    diverging = [members[i] for i, each in enumerate(drawn) if each.divergences]
    bulk = {label: float(effective_draws(values)) for label, values in stacked.items()}
    tail = {label: float(tail_draws(values)) for label, values in stacked.items()}
    fewest, thinnest = min(bulk, key=bulk.__getitem__), min(tail, key=tail.__getitem__)
    divergences = sum(each.divergences for each in drawn)
    rows = [
        (
            "r_hat",
            drawn[agree].r_hat,
            MAX_R_HAT,
            f"{drawn[agree].worst} of member {members[agree]}",
        ),
        ("ess_bulk", bulk[fewest], MIN_ESS, fewest),
        ("ess_tail", tail[thinnest], MIN_ESS, thinnest),
        ("divergences", divergences, 0, ", ".join(f"member {label}" for label in diverging)),
        ("bfmi", drawn[slow].bfmi, MIN_BFMI, f"member {members[slow]}"),
    ]
    weighted = [i for i, each in enumerate(drawn) if not np.isnan(each.pareto_k)]
    if weighted:
        most = max(weighted, key=lambda i: drawn[i].pareto_k)
        rows.append(("pareto_k", drawn[most].pareto_k, MAX_PARETO_K, f"member {members[most]}"))
    if len(weighted) == len(drawn):  # there are no chains
        rows = [row for row in rows if row[0] in ("ess_bulk", "ess_tail", "pareto_k")]
    return judged(rows)
