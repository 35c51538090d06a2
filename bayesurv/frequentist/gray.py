"""Gray's test of whether groups differ in the cumulative incidence of a cause."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bayesurv.frequentist.competing_risks import causes
from bayesurv.frequentist.counting import count_at, count_before
from bayesurv.frequentist.log_rank import chi_squared, rows_by_stratum


@dataclass(frozen=True, eq=False)
class GrayTest:
    """Of one cause.

    groups : (group,) in sorted order, as are the arrays.
    surplus : (group,) events of the cause beyond those expected, had all groups one incidence.
    variance : (group, group) of the surplus.
    statistic, degrees_of_freedom, p : the chi-squared test.
    """

    groups: np.ndarray
    surplus: np.ndarray
    variance: np.ndarray
    statistic: float
    degrees_of_freedom: int
    p: float


def gray_test(
    time: ArrayLike, cause: Iterable, group: ArrayLike, strata: ArrayLike | None = None
) -> dict[str, GrayTest]:
    """Compare cumulative incidence between groups, by cause.

    A log-rank test in which group r has n_r G_r(t-) / S_r(t-) at risk: n_r are free of any event,
    G_r = 1 - F_r is the share without an event of this cause, S_r that without any. With one
    cause it is the log-rank test, but for the estimate of its variance.

    Parameters
    ----------
    time, group : array, (row,)
        End of follow-up, from 0, and whose.
    cause : iterable, (row,)
        What follow-up ended in; 0, False or missing where it ended without an event.
    strata : array, (row,), optional
        Groups are compared within each stratum, and the differences added up.

    Source: Gray, Annals of Statistics 1988, with rho = 0; events at one time share out as a
    hypergeometric draw would.
    """
    time, name = np.asarray(time, dtype=float), causes(cause)
    groups, position = np.unique(np.asarray(group), return_inverse=True)
    strata_rows = rows_by_stratum(strata, len(time))
    tests = {}
    for own in map(str, np.unique(name[name != ""])):
        parts = [_compare(time[r], name[r], own, position[r], len(groups)) for r in strata_rows]
        surplus, variance = (np.sum(part, axis=0) for part in zip(*parts, strict=True))
        tests[own] = GrayTest(groups, surplus, variance, *chi_squared(surplus, variance))
    return tests


def _compare(
    time: np.ndarray, name: np.ndarray, cause: str, position: np.ndarray, groups: int
) -> tuple[np.ndarray, np.ndarray]:
    """Surplus and its variance in one stratum; arrays are (group, time)."""
    event, is_own = name != "", name == cause
    at = np.unique(time[event])
    members = [position == g for g in range(groups)]
    own = np.array([count_at(time[m & is_own], at) for m in members])
    other = np.array([count_at(time[m & event & ~is_own], at) for m in members])
    at_risk = np.array([m.sum() - count_before(time[m], at) for m in members])
    survival = np.cumprod(1 - _over(own + other, at_risk), axis=1)
    before = _previous(survival)
    free = 1 - np.cumsum(_over(before * own, at_risk), axis=1)
    exposed = _over(at_risk, before)
    at_risk_of_own = exposed * _previous(free)
    expected = at_risk_of_own * _over(own.sum(axis=0), at_risk_of_own.sum(axis=0))
    return (own - expected).sum(axis=1), _variance(own, other, at_risk, survival, exposed)


def _variance(
    own: np.ndarray,
    other: np.ndarray,
    at_risk: np.ndarray,
    survival: np.ndarray,
    exposed: np.ndarray,
) -> np.ndarray:
    """Variance of the surplus, (group, group), where all groups have one incidence."""
    step = _over(own.sum(axis=0), exposed.sum(axis=0))
    common = 1 - np.cumsum(step)
    # (group compared, group, time): what an event adds at once, and what it changes later.
    share = np.eye(len(own))[:, :, None] - _over(exposed, exposed.sum(axis=0))[:, None]
    passed = np.cumsum(exposed * share * _over(step, _previous(common)), axis=2)
    later = _over(passed[:, :, -1:] - passed, exposed)
    ratio = _over(common, survival)
    by_own, by_other = share + (1 - ratio) * later, ratio * later
    as_exposed = _previous(survival) * exposed.sum(axis=0)
    own_spread = exposed * step * _tied(own.sum(axis=0), as_exposed)
    other_spread = other * _tied(other, at_risk)
    return np.einsum("krt,lrt,rt->kl", by_own, by_own, own_spread) + np.einsum(
        "krt,lrt,rt->kl", by_other, by_other, other_spread
    )


def _over(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Divide, with 0 where the divisor is 0."""
    return np.where(b > 0, a, 0) / np.where(b > 0, b, 1)


def _previous(curve: np.ndarray) -> np.ndarray:
    """The curve just before each time; it starts at 1."""
    return np.concatenate([np.ones_like(curve[..., :1]), curve[..., :-1]], axis=-1)


def _tied(events: np.ndarray, at_risk: np.ndarray) -> np.ndarray:
    """(n - d) / (n - 1), the factor of the hypergeometric variance; 1 unless events are tied."""
    return np.where((events > 1) & (at_risk > 1), 1 - _over(events - 1, at_risk - 1), 1)
