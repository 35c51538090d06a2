"""Cox's partial likelihood of two arms, for many cohorts at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bayesurv.frequentist.counting import count_at, count_at_risk

FARTHEST = 30.0  # log hazard ratios beyond it are not told from infinite ones
MOST_STEPS = 100
SMALLEST_STEP = 1e-10
MOST_CELLS = 2**20
NOBODY = 1e-300  # in place of 0, where an event has weight 0


@dataclass(frozen=True, eq=False)
class TwoArms:
    """Partial likelihood of the log hazard ratio b of the treated against the untreated.

    log L(b) = b d - sum of w log(u + v exp(b)) over the events, which needs no more of the
    patients than how many were at risk at each event. Leading dimensions, if any, are cohorts.

    untreated, treated : (..., event) at risk of each arm, u and v; weighted if patients are.
    weight : (..., event) of each event, w; 0 where a cohort has fewer events than others.
    in_treated : (...,) weight of the events that befell the treated, d.
    """

    untreated: np.ndarray
    treated: np.ndarray
    weight: np.ndarray
    in_treated: np.ndarray

    def log_likelihood(self, log_hazard_ratio: np.ndarray) -> np.ndarray:
        """At each of some log hazard ratios, (point,): shape (..., point)."""
        block = max(1, MOST_CELLS // max(self.weight.size, 1))
        starts = range(0, len(log_hazard_ratio), block)
        lost = [self._lost(log_hazard_ratio[start : start + block]) for start in starts]
        return self.in_treated[..., None] * log_hazard_ratio - np.concatenate(lost, axis=-1)

    def _lost(self, log_hazard_ratio: np.ndarray) -> np.ndarray:
        at_risk = self.treated[..., None] * np.exp(log_hazard_ratio)
        at_risk += self.untreated[..., None]
        np.log(np.maximum(at_risk, NOBODY), out=at_risk)
        return np.einsum("...e,...ep->...p", self.weight, at_risk)

    def estimate(self) -> tuple[np.ndarray, np.ndarray]:
        """Log hazard ratio and its standard error, each (...,), by Newton's method.

        Infinite, with a standard error that is not a number, where all events that could befall
        either arm befell one of them; not a number where there is none.
        """
        both = (self.untreated > 0) & (self.treated > 0)
        open_to = np.where(both, self.weight, 0).sum(axis=-1)
        certain = np.where(self.untreated > 0, 0, self.weight).sum(axis=-1)
        struck = self.in_treated - certain
        low, high = np.full_like(struck, -FARTHEST), np.full_like(struck, FARTHEST)
        found = np.zeros_like(struck)
        for _ in range(MOST_STEPS):
            score, information = self._slope(found)
            low, high = np.where(score > 0, found, low), np.where(score < 0, found, high)
            with np.errstate(divide="ignore", invalid="ignore"):
                newton = found + score / information
            inside = (newton > low) & (newton < high)
            # A step that leaves what the scores so far allow is replaced by halving that.
            ahead = np.where(score == 0, found, np.where(inside, newton, (low + high) / 2))
            settled = (abs(ahead - found) < SMALLEST_STEP).all()
            found = ahead
            if settled:
                break
        with np.errstate(divide="ignore"):
            error = 1 / np.sqrt(self._slope(found)[1])
        finite = (struck > 0) & (struck < open_to)
        limit = np.where(open_to > 0, np.where(struck > 0, np.inf, -np.inf), np.nan)
        return np.where(finite, found, limit), np.where(finite, error, np.nan)

    def _slope(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Score and information at one log hazard ratio a cohort, each (...,)."""
        treated = self.treated * np.exp(at)[..., None]
        share = treated / np.maximum(self.untreated + treated, NOBODY)
        score = self.in_treated - (self.weight * share).sum(axis=-1)
        return score, (self.weight * share * (1 - share)).sum(axis=-1)


def two_arms(
    time: ArrayLike, event: ArrayLike, treated: ArrayLike, entry: ArrayLike | None = None
) -> TwoArms:
    """Partial likelihood of one cohort, ties by Efron's rule.

    Parameters
    ----------
    time, event, entry : array, (row,)
        End of follow-up, whether it ended in the event, and its start, 0 unless given.
    treated : array, (row,)
        1 or true for the treated, 0 or false for the others.

    Source: Cox, JRSS B 1972; Efron, JASA 1977.
    """
    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    arms = np.asarray(treated).astype(bool)
    entry = np.full_like(time, -np.inf) if entry is None else np.asarray(entry, dtype=float)
    at = np.sort(time[event])
    _, first, tied = np.unique(at, return_index=True, return_counts=True)
    gone = (np.arange(len(at)) - np.repeat(first, tied)) / np.repeat(tied, tied)
    untreated, treated_left = (
        count_at_risk(entry[arm], time[arm], at) - gone * count_at(time[arm & event], at)
        for arm in (~arms, arms)
    )
    return TwoArms(
        untreated, treated_left, np.ones(len(at)), np.asarray(float((arms & event).sum()))
    )
