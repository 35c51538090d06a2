"""The log-rank test of two or more groups: delayed entry, strata, weights, trend."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from bayesurv.frequentist.counting import count_at, count_at_risk

type Weight = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class LogRank:
    """Events observed in each group and those expected if all had one hazard, both weighted.

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

    def trend(self, scores: ArrayLike | None = None) -> tuple[float, float]:
        """Z and two-sided P of a trend over the groups: above 0 where later ones have more events.

        Scores 1, 2, ... unless given, in the order of `groups`.

        Source: Tarone, Biometrika 1975.
        """
        given = np.arange(len(self.groups)) if scores is None else np.asarray(scores, dtype=float)
        surplus, variance = given @ (self.observed - self.expected), given @ self.variance @ given
        if not variance > 0:
            return 0.0, 1.0
        return float(surplus / np.sqrt(variance)), float(chdtrc(1, surplus**2 / variance))


def log_rank(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    entry: ArrayLike | None = None,
    *,
    strata: ArrayLike | None = None,
    weight: str = "log-rank",
    powers: tuple[float, float] = (1.0, 0.0),
) -> LogRank:
    """Compare the hazards of groups, each patient at risk in (entry, time].

    At each event time, the events d share out among the n at risk as a hypergeometric draw would:
    expected d n_g / n, covariance d (n - d) / (n - 1) n_g / n (1[g = h] - n_h / n). Where the
    groups are never at risk together there is nothing to compare, and the statistic is 0.

    Parameters
    ----------
    time, event, group, entry : array, (row,)
        End of follow-up, whether it ended in the event, whose, and its start, 0 unless given.
    strata : array, (row,), optional
        Groups are compared within each stratum, and the differences added up.
    weight : str
        Of an event time: "log-rank" 1; "gehan" n (also known as Wilcoxon and Breslow);
        "tarone-ware" sqrt(n); "peto" product of 1 - d / (n + 1) up to and with it (Peto and Peto,
        as SAS and Stata have it); "fleming-harrington" S^p (1 - S)^q, S the Kaplan-Meier estimate
        just before it, of all groups.
    powers : tuple of float
        p and q of "fleming-harrington".

    Source: Mantel, Cancer Chemotherapy Reports 1966; Tarone and Ware, Biometrika 1977; Peto and
    Peto, Journal of the Royal Statistical Society A 1972; Fleming and Harrington, Communications
    in Statistics 1981.
    """
    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    entry = np.zeros_like(time) if entry is None else np.asarray(entry, dtype=float)
    names, position = np.unique(np.asarray(group), return_inverse=True)
    weigh = _weight(weight, powers)
    parts = [
        _compare(time[rows], event[rows], position[rows], entry[rows], len(names), weigh)
        for rows in rows_by_stratum(strata, len(time))
    ]
    observed, expected, variance = (np.sum(part, axis=0) for part in zip(*parts, strict=True))
    test = chi_squared(observed - expected, variance)
    return LogRank(names, observed, expected, variance, *test)


def rows_by_stratum(strata: ArrayLike | None, n: int) -> list[np.ndarray]:
    """Which of n rows are in each stratum; all in one unless strata are given."""
    if strata is None:
        return [np.ones(n, dtype=bool)]
    names, stratum = np.unique(np.asarray(strata), return_inverse=True)
    return [stratum == s for s in range(len(names))]


def chi_squared(surplus: np.ndarray, variance: np.ndarray) -> tuple[float, int, float]:
    """Statistic, degrees of freedom and P of differences, `(group,)`, that add up to 0."""
    # Groups that are never at risk with another add nothing: a generalised inverse.
    statistic = float(surplus[1:] @ np.linalg.pinv(variance[1:, 1:], hermitian=True) @ surplus[1:])
    freedom = int(np.linalg.matrix_rank(variance[1:, 1:], hermitian=True))
    return statistic, freedom, float(chdtrc(freedom, statistic)) if freedom else 1.0


def _compare(
    time: np.ndarray,
    event: np.ndarray,
    position: np.ndarray,
    entry: np.ndarray,
    groups: int,
    weigh: Weight,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed, expected and variance of one stratum."""
    at = np.unique(time[event])
    members = [position == g for g in range(groups)]
    dead = np.array([count_at(time[m & event], at) for m in members])
    at_risk = np.array([count_at_risk(entry[m], time[m], at) for m in members])
    deaths, total = dead.sum(axis=0), at_risk.sum(axis=0)
    weight, share = weigh(deaths, total), at_risk / total
    spread = weight**2 * deaths * (total - deaths) / np.maximum(total - 1, 1)
    variance = np.diag(share @ spread) - (share * spread) @ share.T
    return dead @ weight, share @ (weight * deaths), variance


def _weight(name: str, powers: tuple[float, float]) -> Weight:
    """Weight of each event time, from the events and those at risk then."""

    def fleming_harrington(deaths: np.ndarray, total: np.ndarray) -> np.ndarray:
        before = np.append(1.0, np.cumprod(1 - deaths / total))[:-1]
        return before ** powers[0] * (1 - before) ** powers[1]

    weights: dict[str, Weight] = {
        "log-rank": lambda deaths, total: np.ones(len(total)),
        "gehan": lambda deaths, total: total.astype(float),
        "tarone-ware": lambda deaths, total: np.sqrt(total),
        "peto": lambda deaths, total: np.cumprod(1 - deaths / (total + 1)),
        "fleming-harrington": fleming_harrington,
    }
    if name not in weights:
        raise ValueError(f'weight is "{name}", but must be one of {", ".join(weights)}')
    return weights[name]
