"""The log-rank test of two or more groups, with delayed entry."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc


@dataclass(frozen=True, eq=False)
class LogRank:
    """Events observed in each group and those expected if all had one hazard.

    groups : (group,) in sorted order, as are the arrays.
    observed, expected : (group,)
    variance : (group, group) of observed - expected.
    statistic, degrees_of_freedom, p : the chi-squared test.
    """

    groups: np.ndarray
    observed: np.ndarray
    expected: np.ndarray
    variance: np.ndarray
    statistic: float
    degrees_of_freedom: int
    p: float

    @property
    def z(self) -> float:
        """Of two groups: above 0 where the second has more events than expected."""
        if len(self.groups) != 2:
            raise ValueError("z compares two groups; use the statistic of more")
        return float(np.sign(self.observed[1] - self.expected[1]) * np.sqrt(self.statistic))


def log_rank(
    time: ArrayLike, event: ArrayLike, group: ArrayLike, entry: ArrayLike | None = None
) -> LogRank:
    """Compare the hazards of groups, each patient at risk in (entry, time].

    At each event time, the events d share out among the n at risk as a hypergeometric draw would:
    expected d n_g / n, covariance d (n - d) / (n - 1) n_g / n (1[g = h] - n_h / n). Where the
    groups are never at risk together there is nothing to compare, and the statistic is 0.

    Source: Mantel, Cancer Chemotherapy Reports 1966.
    """
    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    entry = np.zeros_like(time) if entry is None else np.asarray(entry, dtype=float)
    names, position = np.unique(np.asarray(group), return_inverse=True)
    at = np.unique(time[event])
    members = [position == g for g in range(len(names))]
    dead = np.array([_count(time[m & event], at) for m in members])
    at_risk = np.array(
        [np.searchsorted(np.sort(entry[m]), at) - np.searchsorted(np.sort(time[m]), at)
         for m in members]
    )  # fmt: skip
    deaths, total = dead.sum(axis=0), at_risk.sum(axis=0)
    share = at_risk / total
    spread = deaths * (total - deaths) / np.maximum(total - 1, 1)
    variance = np.diag(share @ spread) - (share * spread) @ share.T
    observed, expected = dead.sum(axis=1), share @ deaths
    surplus = (observed - expected)[1:]
    # Groups that are never at risk with another add nothing: a generalised inverse.
    statistic = float(surplus @ np.linalg.pinv(variance[1:, 1:], hermitian=True) @ surplus)
    freedom = int(np.linalg.matrix_rank(variance[1:, 1:], hermitian=True))
    p = float(chdtrc(freedom, statistic)) if freedom else 1.0
    return LogRank(names, observed, expected, variance, statistic, freedom, p)


def _count(times: np.ndarray, at: np.ndarray) -> np.ndarray:
    """How many of the times are at each of these."""
    ordered = np.sort(times)
    return np.searchsorted(ordered, at, side="right") - np.searchsorted(ordered, at)
