"""Compressed follow-up: the same likelihood from as few rows as it needs, exactly.

Rows with the same covariates, times and end are one row with a weight. For a baseline whose log
hazard and cumulative hazard are linear in their bases (constant hazard in each interval), rows
with the same covariates x are one row: with d_j events and the person-time T_j in interval j,

    log L = sum_j d_j (log h_j + x'b) - T_j h_j exp(x'b),

so events and person-time are sufficient. The cost of the likelihood grows with the number of
distinct rows, not with the number of patients.

Source: Holford, Biometrics 1980; Laird and Olivier, JASA 1981.
"""

import numpy as np

from bayesurv.data.design import Rows
from bayesurv.data.person_time import Distinct, covariate_patterns, distinct_follow_up, taken
from bayesurv.models.baselines import Baseline
from bayesurv.models.likelihood import Observed


def compressed(
    baseline: Baseline,
    rows: Rows,
    entry: np.ndarray,
    time: np.ndarray,
    upper: np.ndarray,
    event: np.ndarray,
    *,
    delayed: bool | None = None,
    interval: bool | None = None,
) -> tuple[Observed, Rows]:
    """The distinct rows of some follow-up and their covariates, each time `(row,)` as in a Cohort.

    `delayed` and `interval` ask for the arrays of entry times and of intervals even where these
    rows need none, so that one compiled model serves several data sets.
    """
    known = distinct_follow_up(rows, entry, time, upper, event)
    rows = taken(rows, known.first)
    entry, time, upper, event = (each[known.first] for each in (entry, time, upper, event))
    between = event & np.isfinite(upper)
    delayed = bool((entry > 0).any()) if delayed is None else delayed
    interval = bool(between.any()) if interval is None else interval
    if not baseline.additive:
        each = Observed.from_times(
            entry, time, upper, event, baseline, delayed=delayed, interval=interval
        )
        return _weighted(each, known.count), rows
    summed, patterns = _summed(baseline, taken(rows, ~between), entry, time, event, ~between, known)
    if not interval:
        return summed, patterns
    kept = np.flatnonzero(between)
    times = entry[kept], time[kept], upper[kept], event[kept]
    apart = Observed.from_times(
        *times,
        baseline,
        delayed=delayed,
        interval=True,
    )
    both = _joined(summed, _weighted(apart, known.count[kept]))
    stacked = zip(vars(patterns).values(), vars(taken(rows, kept)).values(), strict=True)
    return both, Rows(*(np.concatenate(pair) for pair in stacked))


def _weighted(observed: Observed, count: np.ndarray) -> Observed:
    """Rows that each stand for `count` patients."""
    between = observed.between
    return Observed(
        exact=observed.exact * count,
        hazard=observed.hazard,
        time=observed.time,
        entry=observed.entry,
        upper=observed.upper,
        between=None if between is None else between * count,
        count=count.astype(float),
    )


def _summed(
    baseline: Baseline,
    rows: Rows,
    entry: np.ndarray,
    time: np.ndarray,
    event: np.ndarray,
    chosen: np.ndarray,
    known: Distinct,
) -> tuple[Observed, Rows]:
    """Events and exposure of the chosen rows, added up over those with the same covariates."""
    alike, count = covariate_patterns(rows), known.count[chosen]
    exposure = baseline.cumulative_basis(time[chosen]) - baseline.cumulative_basis(entry[chosen])
    events = event[chosen] * count
    hazard = baseline.hazard_basis(time[chosen])
    size = len(alike.first)
    exact = np.bincount(alike.member, events, size)
    observed = sums(
        exact,
        _added(hazard * events, alike.member, size),
        _added(exposure * count, alike.member, size),
    )
    return observed, taken(rows, alike.first)


def sums(events: np.ndarray, hazard: np.ndarray, exposure: np.ndarray) -> Observed:
    """Follow-up added up by covariate pattern, for an additive baseline.

    events : (pattern,); hazard : the hazard's basis summed over events, `(..., pattern)`;
    exposure : the cumulative hazard's basis summed over patients, from entry on.
    """
    mean = hazard / np.where(events > 0, events, 1.0)
    return Observed(exact=events, hazard=mean, time=exposure, count=np.ones(len(events)))


def _added(values: np.ndarray, member: np.ndarray, size: int) -> np.ndarray:
    """Sum of values `(..., row)` over the rows of each pattern, `(..., pattern)`."""
    flat = values.reshape(int(np.prod(values.shape[:-1])), values.shape[-1])
    added = [np.bincount(member, line, size) for line in flat]
    return np.stack(added).reshape(*values.shape[:-1], size)


def _joined(summed: Observed, apart: Observed) -> Observed:
    """Sums by pattern, without entry and interval, and rows that stand apart, as one."""
    nothing = np.zeros_like(summed.exact)
    fill = {
        "entry": None if apart.entry is None else np.zeros_like(summed.time),
        "upper": summed.time,
        "between": nothing,
    }
    arrays = {
        name: np.concatenate([fill.get(name, getattr(summed, name)), value], axis=-1)
        for name, value in apart.arrays().items()
    }
    return Observed(**arrays)
