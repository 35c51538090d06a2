"""Scores of predictions under censoring and delayed entry: Brier score and concordance.

Each score is a weighted mean over patients, or over pairs of them, so that the Bayesian bootstrap
over patients gives its uncertainty.
"""

import numpy as np

from bayesurv.estimands.replicates import censoring_hazard
from bayesurv.frequentist.kaplan_meier import kaplan_meier


def brier_weights(entry: np.ndarray, time: np.ndarray, event: np.ndarray, at: float) -> np.ndarray:
    """Inverse probability of not being censored from entry to `at` or the event, `(patient,)`.

    0 for those who entered later, or whose state at that time is not known. The probability is
    the reverse Kaplan-Meier estimate of all patients.

    Source: Graf et al., Statistics in Medicine 1999.
    """
    failed, alive = event & (time <= at), time > at
    steps, hazard = censoring_hazard(entry, time, event)
    passed = np.append(0, hazard)
    before = passed[np.searchsorted(steps, time)]  # an event comes before a censoring
    until = np.where(failed, before, passed[np.searchsorted(steps, at, side="right")])
    since = passed[np.searchsorted(steps, entry, side="right")]
    return np.where((failed | alive) & (entry < at), np.exp(until - since), 0)


def others_survival(
    entry: np.ndarray, time: np.ndarray, event: np.ndarray, at: float
) -> np.ndarray:
    """Kaplan-Meier survival from a patient's entry to a time, of all other patients."""
    found = []
    for i, since in enumerate(entry):
        others = np.arange(len(entry)) != i
        km = kaplan_meier(time[others], event[others], entry[others])
        step = np.searchsorted(km.time, [max(since, km.time[0]), at], side="right") - 1
        start, end = km.survival[step]
        found.append(end / start if start > 0 else 0.0)
    return np.array(found)


def comparable_pairs(
    entry: np.ndarray, time: np.ndarray, event: np.ndarray, until: float = np.inf
) -> np.ndarray:
    """Whether the first of two rows had the event while the second was at risk, `(row, row)`.

    Source: Harrell et al., JAMA 1982; with delayed entry as Therneau's R package survival.
    """
    outlived = (time > time[:, None]) | ((time == time[:, None]) & ~event)
    return (event & (time <= until))[:, None] & (entry < time[:, None]) & outlived


def uno_weights(entry: np.ndarray, time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Inverse square of the probability of not being censored before each time, `(patient,)`.

    Source: Uno et al., Statistics in Medicine 2011.
    """
    steps, hazard = censoring_hazard(entry, time, event)
    return np.exp(2 * np.append(0, hazard)[np.searchsorted(steps, time)])
