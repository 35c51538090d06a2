"""Pool draws of many members as a mixture, and tell its variance within and between them apart.

Within a member the uncertainty is that of a cohort of this size; between members it is what the
publication leaves open, the missing data. By the law of total variance, with members of equal
weight, Var = mean of the members' variances + variance of the members' means (the mean square from
their own mean). The means are known from a finite number of draws, whose noise would pass for a
difference between members; it is estimated from the means of half chains and taken off, never
below 0.
"""

import numpy as np

from bayesurv.estimands.summary import CI_PROB, quantiles
from bayesurv.inference.members import noise

SPREAD = ("within_sd", "between_sd", "share_between", "member_low", "member_high", "mcse")


def pool(
    draws: np.ndarray, ci_prob: float = CI_PROB, *, log: bool = False
) -> dict[str, np.ndarray]:
    """Summary of the mixture of members, draws of shape `(member, chain, draw, ...)`.

    Entries of shape `(...)`:

    - mean, median, lower, upper (equal-tailed interval) of the mixture;
    - sd, within_sd and between_sd, with sd^2 = within_sd^2 + between_sd^2, and share_between,
      between_sd^2 / sd^2; of the logarithm where `log` is true, as for ratios; not a number where
      a draw is infinite;
    - member_low and member_high, the range of the members' own medians;
    - mcse, the Monte-Carlo error of the mean, which knows a finite number of draws and of members.
    """
    flat = draws.reshape(-1, *draws.shape[3:])
    lower, median, upper = quantiles(flat, ci_prob)
    middles = member_medians(draws)
    found = {"mean": flat.mean(axis=0), "median": median, "lower": lower, "upper": upper}
    found |= spread(np.log(draws) if log else draws)
    found |= {"member_low": middles.min(axis=0), "member_high": middles.max(axis=0)}
    return found | {"mcse": monte_carlo_error(draws)}


def spread(draws: np.ndarray) -> dict[str, np.ndarray]:
    """Entries sd, within_sd, between_sd and share_between of `pool`."""
    draws = np.where(np.isfinite(draws).all(axis=(0, 1, 2)), draws, np.nan)
    members = len(draws)
    within = draws.var(axis=(1, 2)).mean(axis=0)
    chance = noise(draws).mean(axis=0) * (members - 1) / members
    between = np.fmax(draws.mean(axis=(1, 2)).var(axis=0) - chance, 0 * within)
    total = within + between
    with np.errstate(invalid="ignore"):
        share = np.where(total > 0, between / np.where(total > 0, total, 1), 0 * total)
    sds = {"sd": total, "within_sd": within, "between_sd": between}
    return {name: np.sqrt(variance) for name, variance in sds.items()} | {"share_between": share}


def member_medians(draws: np.ndarray) -> np.ndarray:
    """Median of each member, `(member, ...)`."""
    return np.stack([quantiles(own.reshape(-1, *own.shape[2:]))[1] for own in draws])


def monte_carlo_error(draws: np.ndarray) -> np.ndarray:
    """Standard error of the mixture's mean; of a sure event, that of one more draw against it."""
    means = draws.mean(axis=(1, 2), dtype=float)
    with np.errstate(invalid="ignore"):
        error = means.std(axis=0, ddof=1) / np.sqrt(len(draws))
    size = np.prod(draws.shape[:3])
    return np.where((draws == draws[:1, :1, :1]).all(axis=(0, 1, 2)), 1 / (size + 1), error)
