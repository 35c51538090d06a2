"""Where the clock starts: landmark and delayed entry, each a new cohort.

A note says what was done and who was left out.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from bayesurv.data.cohort import ARRAYS, Cohort
from bayesurv.data.covariates import absent, code_covariates
from bayesurv.data.faults import Checklist
from bayesurv.data.follow_up import check_size
from bayesurv.data.read import as_text


def landmark(cohort: Cohort, time: float, treatment: str | None = None) -> Cohort:
    """Only patients still at risk after `time`, followed from there, the clock started anew.

    Covariates stay what they were at the landmark, a time-dependent treatment too: arms are formed
    by what had happened by then. The clock restarts so that curves, medians and parametric
    baselines speak of the time after the landmark; Cox's model is the same with either clock.

    Parameters
    ----------
    cohort : Cohort
    time : float
        In the cohort's unit.
    treatment : str, optional
        Covariate whose levels must all have somebody left.

    Raises
    ------
    InputError
        The time is not above 0, an arm has nobody left, or too few or no events remain.

    Source: Anderson, Cain and Gelber, Journal of Clinical Oncology 1983.
    """
    check = _checked(cohort, time)
    later = _after(cohort, time)
    held = np.flatnonzero(later & (cohort.entry <= time))
    at = dict(zip(cohort.patient[held].tolist(), held.tolist(), strict=True))
    kept = later & np.isin(cohort.patient, list(at))
    covariates = cohort.covariates.iloc[[at[who] for who in cohort.patient[kept].tolist()]]
    rows = {
        "entry": np.maximum(cohort.entry - time, 0)[kept],
        "time": (cohort.time - time)[kept],
        "upper": (cohort.upper - time)[kept],
    }
    what = f"Landmark at {time:g} {cohort.unit}, from which time now counts"
    return _taken(check, cohort, kept, rows, covariates, what, treatment)


def delayed_entry(cohort: Cohort, time: float, treatment: str | None = None) -> Cohort:
    """Everyone at risk from `time` at the earliest, the clock as it was.

    What happened before counts for nothing (left truncation): the hazard is that of patients who
    have come so far, and a parametric baseline still runs from the origin. Parameters and errors
    as for `landmark`.
    """
    check = _checked(cohort, time)
    kept = _after(cohort, time)
    rows = {"entry": np.maximum(cohort.entry, time)[kept]}
    what = f"Entry at {time:g} {cohort.unit} at the earliest, time still counted from the origin"
    return _taken(check, cohort, kept, rows, cohort.covariates[kept], what, treatment)


def _checked(cohort: Cohort, time: float) -> Checklist:
    check = Checklist(cohort.source, cohort.rows)
    if not (0 < time < np.inf):
        check.add(f"the landmark or entry {time:g} is not above 0, the origin; choose a later one")
    elif time >= cohort.end_of_follow_up:
        check.add(
            f"nobody is at risk after {time:g} {cohort.unit}; follow-up ends at "
            f"{cohort.end_of_follow_up:g}, so choose an earlier landmark or entry"
        )
    check.finish()
    return check


def last_seen(cohort: Cohort) -> np.ndarray:
    """Where each row ends, (row,): `upper` if its event is known only to an interval."""
    return np.fmax(cohort.time, cohort.upper)


def _after(cohort: Cohort, time: float) -> np.ndarray:
    """Rows, (row,), known to be without the event up to `time`, and followed beyond it."""
    return (cohort.time > time) | (cohort.interval & (cohort.time >= time))


def _taken(
    check: Checklist,
    cohort: Cohort,
    kept: np.ndarray,
    rows: Mapping[str, np.ndarray],
    covariates: pd.DataFrame,
    what: str,
    treatment: str | None,
) -> Cohort:
    """The rows that are kept, with what changes in them, and a note of what was left out."""
    arrays = {name: getattr(cohort, name)[kept] for name in ARRAYS} | dict(rows)
    note = f"{what}: {_left_out(cohort, arrays['patient'], arrays['event'])}."
    if treatment is not None:
        _check_arms(check, cohort, kept, treatment)
    check_size(check, arrays["patient"], arrays["event"], f" ({note})")
    check.finish()
    table = covariates.reset_index(drop=True)
    check.rows = arrays["rows"]
    coded = code_covariates(check, table, cohort.ordinal, cohort.reference)
    check.finish()
    return replace(cohort, covariates=coded, notes=(*cohort.notes, note), **arrays)


def _left_out(cohort: Cohort, patient: np.ndarray, event: np.ndarray) -> str:
    everyone = cohort.n_patients
    fewer, events = everyone - len(np.unique(patient)), cohort.n_events - int(event.sum())
    if not fewer:
        return f"all {everyone} patients are still at risk"
    which = "event" if events == 1 else "events"
    return f"{fewer} of {everyone} patients, {events} {which} among them, are left out"


def _check_arms(check: Checklist, cohort: Cohort, kept: np.ndarray, treatment: str) -> None:
    if treatment not in cohort.covariates:
        message = absent(treatment, cohort.covariates, "named as the treatment")
        check.add(message, column=treatment)
        return
    arm = np.array(as_text(cohort.covariates[treatment]), dtype=object)
    for level in sorted({level for level in arm if level is not None} - set(arm[kept])):
        last = float(last_seen(cohort)[arm == level].max())
        check.add(
            f"nobody with {treatment} = {level} is left; the last of them was seen at {last:g} "
            f"{cohort.unit}, so choose an earlier landmark or entry",
            column=treatment,
        )
