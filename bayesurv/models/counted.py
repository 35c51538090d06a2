"""The likelihood of counts: events and person-time by covariate pattern and interval."""

import numpy as np

from bayesurv.data.counts import Counts
from bayesurv.data.faults import Fault, InputError, listed
from bayesurv.models.baselines import BASELINES, Baseline, PiecewiseExponential
from bayesurv.models.compression import sums
from bayesurv.models.likelihood import Observed


def observed_counts(
    baseline: Baseline, events: np.ndarray, person_time: np.ndarray, cuts: np.ndarray
) -> Observed:
    """Counts as an additive baseline sees them, one row for each pattern.

    events, person_time : (pattern, interval); cuts : inner ends of the intervals, of which those
        of the baseline are some. Inside an interval the hazard's basis is constant and that of the
        cumulative hazard grows evenly.
    """
    starts = np.append(0.0, cuts)
    ends = np.append(cuts, starts[-1] + 1)
    slope = (baseline.cumulative_basis(ends) - baseline.cumulative_basis(starts)) / (ends - starts)
    hazard = baseline.hazard_basis(ends) @ events.T
    return sums(events.sum(axis=1).astype(float), hazard, slope @ person_time.T)


def on_counts(baseline: Baseline | None, counts: Counts) -> Baseline:
    """The baseline that is fitted to counts; unless given, a hazard for each of their intervals.

    Raises
    ------
    InputError
        The baseline is not constant within the intervals of the counts, or there are no events.
    """
    if not counts.n_events:
        message = f"no events are counted for {counts.endpoint}, so there is nothing to learn from"
        raise InputError([Fault(message, counts.source)])
    if baseline is None:
        return PiecewiseExponential(cuts=counts.cuts)
    if not baseline.additive:
        allowed = " or ".join(name for name, kind in BASELINES.items() if kind.additive)
        message = f"{baseline.name} needs the patients' own times, which counts do not hold"
        raise InputError([Fault(f"{message}; use {allowed}", counts.source)])
    if isinstance(baseline, PiecewiseExponential):
        if baseline.cuts is None:
            return PiecewiseExponential(cuts=counts.cuts, smoothing=baseline.smoothing)
        unknown = sorted(set(baseline.cuts) - set(counts.cuts))
        if unknown:
            message = f"cuts: no counts begin at {listed(unknown)}; the cuts of the counts are "
            raise InputError([Fault(message + listed(counts.cuts), counts.source)])
    return baseline
