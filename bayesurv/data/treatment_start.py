"""Treatment that starts during follow-up: start-stop rows in place of arms fixed at time 0."""

from dataclasses import replace

import numpy as np
import pandas as pd

from bayesurv.data.cohort import ARRAYS, Cohort
from bayesurv.data.covariates import absent, code_covariates
from bayesurv.data.faults import Checklist
from bayesurv.data.read import as_numbers
from bayesurv.data.time_zero import last_seen


def treatment_from(cohort: Cohort, start: str, treatment: str) -> Cohort:
    """Rows split where each patient's treatment starts: 0 up to it, 1 after it (start-stop rows).

    Time before the start is credited to the untreated, as it should be, and not to the arm that a
    patient joined later. Whoever starts at the end of follow-up was never at risk as treated.

    Parameters
    ----------
    cohort : Cohort
    start : str
        Column with the time of the start, from the origin, in the cohort's unit; empty for those
        never treated. It is no covariate of the new cohort.
    treatment : str
        The covariate that becomes 0 and 1; where there is such a column, it must be 1 for those
        with a start and 0 for those without.

    Raises
    ------
    InputError
        Lists every row whose start is no time, lies before entry or after follow-up, differs
        within a patient, falls inside the interval of the event, or contradicts the treatment.

    Source: Mantel and Byar, JASA 1974; Andersen and Gill, Annals of Statistics 1982.
    """
    begin = treatment_starts(cohort, start, treatment)
    ends = np.where(cohort.interval, np.nextafter(cohort.time, np.inf), cohort.time)
    split = (cohort.entry < begin) & (begin < ends)
    index = np.repeat(np.arange(cohort.n_rows), 1 + split)
    second = np.append(False, index[1:] == index[:-1])
    first = np.append(second[1:], False)
    arrays = {name: getattr(cohort, name)[index] for name in ARRAYS}
    arrays["time"] = np.where(first, begin[index], arrays["time"])
    arrays["upper"] = np.where(first, np.nan, arrays["upper"])
    arrays["event"] = arrays["event"] & ~first
    arrays["entry"] = np.where(second, begin[index], arrays["entry"])
    treated = (arrays["entry"] >= begin[index]).astype(int)
    check = Checklist(cohort.source, arrays["rows"])
    _check_both(check, treated, start)
    table = cohort.covariates.iloc[index].reset_index(drop=True).assign(**{treatment: treated})
    coded = code_covariates(check, table.drop(columns=start), cohort.ordinal, cohort.reference)
    check.finish()
    ever = len(np.unique(arrays["patient"][treated == 1]))
    note = (
        f"{treatment} from its start ({start}): {ever} of {cohort.n_patients} patients were at "
        "risk as treated; their time before counts as untreated."
    )
    return replace(cohort, covariates=coded, notes=(*cohort.notes, note), **arrays)


def treatment_starts(cohort: Cohort, start: str, treatment: str) -> np.ndarray:
    """When treatment started, (row,), infinite for those never treated; as `treatment_from`."""
    check = Checklist(cohort.source, cohort.rows)
    if start not in cohort.covariates:
        message = absent(start, cohort.covariates, "named for the start of treatment")
        check.add(message, column=start)
        check.finish()
    given = cohort.covariates[start]
    numbers, wrong = as_numbers(given)
    message = f"{{value}} is not a time; write it in {_plain(cohort.unit)} from the origin, or "
    check.refuse(wrong, start, message + "leave it empty if treatment never started", value=given)
    begin = np.where(np.isnan(numbers), np.inf, numbers)
    _check_times(check, cohort, start, begin)
    _check_treatment(check, cohort, treatment, np.isfinite(begin) | wrong, start)
    check.finish()
    return begin


def _check_times(check: Checklist, cohort: Cohort, start: str, begin: np.ndarray) -> None:
    """A start lies within the follow-up of its patient, and is one."""
    table = pd.DataFrame({"entry": cohort.entry, "end": last_seen(cohort), "begin": begin})
    patient = table.groupby(cohort.patient)
    first, last = patient["entry"].transform("min"), patient["end"].transform("max")
    check.refuse(
        begin < first,
        start,
        "{value} is before {entry}, where follow-up of the patient begins; write that if treatment "
        "had started by then, or correct it",
        value=begin,
        entry=first,
    )
    check.refuse(
        np.isfinite(begin) & (begin > last),
        start,
        "{value} is after {end}, the end of follow-up of the patient; leave it empty if treatment "
        "had not started by then, or correct it",
        value=begin,
        end=last,
    )
    check.refuse(
        patient["begin"].transform("min") != patient["begin"].transform("max"),
        start,
        "{value} differs from other rows of the patient; write the same start in each",
        value=np.where(np.isfinite(begin), begin, np.nan),
    )
    check.refuse(
        cohort.interval & (cohort.time < begin) & (begin < cohort.upper),
        start,
        "{value} lies in ({time}, {upper}], where the event is known to lie, so that nobody can "
        "tell which came first; narrow the interval",
        value=begin,
        time=cohort.time,
        upper=cohort.upper,
    )


def _plain(text: str) -> str:
    """Text as it may stand in a message with places for cells."""
    return text.replace("{", "{{").replace("}", "}}")


def _check_treatment(
    check: Checklist, cohort: Cohort, treatment: str, started: np.ndarray, start: str
) -> None:
    """Where there is a treatment column, it says the same as the starts do."""
    if treatment not in cohort.covariates:
        return
    given = cohort.covariates[treatment]
    numbers, wrong = as_numbers(given, flags=True)
    named = _plain(start)
    neither = wrong | ~np.isin(numbers, (0, 1)) & ~np.isnan(numbers)
    message = f"{{value}} is neither 0 nor 1, as a treatment that starts in {named} has to be"
    check.refuse(neither, treatment, message, value=given)
    message = f"is 1, but {named} is empty; write when treatment started, or 0"
    check.refuse((numbers == 1) & ~started, treatment, message)
    message = f"is 0, but {named} says when treatment started; write 1, or leave {named} empty"
    check.refuse((numbers == 0) & started, treatment, message)


def _check_both(check: Checklist, treated: np.ndarray, start: str) -> None:
    if treated.all() or not treated.any():
        who = "everyone was treated from the beginning" if treated.all() else "nobody was treated"
        check.add(f"{who}, so there is nothing to compare", column=start)
        check.finish()
