"""Published numbers as normal distributions of a log hazard ratio or of a log hazard."""

import re
from dataclasses import dataclass

import numpy as np

from bayesurv.data.faults import Fault, InputError
from bayesurv.data.published import rounding_interval
from bayesurv.data.published.external import Evidence
from bayesurv.models.distributions import Normal

Z = 1.959963984540054  # normal quantile of the limits of a 95% interval
NUMBER = r"(\d+(?:\.\d+)?|\.\d+)"
DASH = r"\s*(?:-|\u2010|\u2011|\u2012|\u2013|\u2014|\u2212|to|,|;)\s*"
RATIO = re.compile(
    rf"(?:HR\s*=?\s*)?{NUMBER}\s*[(\[]\s*(?:95\s*%\s*CI:?\s*)?{NUMBER}{DASH}{NUMBER}\s*[)\]]", re.I
)
EVENTS = rf"{NUMBER}\s*\(\s*(\d+)(?:\s*events?)?\s*\)"
MEDIANS = re.compile(rf"{EVENTS}\s*(?:vs?\.?|against)\s*{EVENTS}", re.I)
NO_PRIOR = ", so that it is no prior"
DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}


@dataclass(frozen=True)
class PrintedRatio:
    """A hazard ratio with its 95% interval, each as printed: decimals are part of a number."""

    estimate: str
    lower: str
    upper: str

    def __str__(self) -> str:
        return f"{self.estimate} ({self.lower}-{self.upper})"


def read_ratio(text: str) -> PrintedRatio:
    """Read "0.28 (0.16-0.51)", with a hyphen, a dash, "to" or a comma between the limits.

    Raises
    ------
    InputError
        It does not read so.
    """
    match = RATIO.fullmatch(text.strip())
    if match is None:
        message = f'hazard ratio: write "0.28 (0.16-0.51)", not "{text}"'
        raise InputError([Fault(message, value=text)])
    return PrintedRatio(*match.groups())


def log_hazard_ratio(ratio: PrintedRatio) -> Normal:
    """Normal(log HR, SE) of a published hazard ratio, SE = log(upper / lower) / (2 * 1.96).

    Raises
    ------
    InputError
        The limits are not above 0 and in order around the estimate, or the estimate is not in
        their middle on the log scale, by more than rounding: the numbers are not of one estimate.
    """
    estimate, lower, upper = (float(part) for part in (ratio.estimate, ratio.lower, ratio.upper))
    said = f"hazard ratio {ratio}"
    if not 0 < lower < upper:
        raise InputError([Fault(f"{said}: its limits are not above 0 and in order")])
    if not lower <= estimate <= upper:
        raise InputError([Fault(f"{said}: the estimate does not lie in its interval")])
    ranges = [rounding_interval(part) for part in (ratio.lower, ratio.upper)]
    lowest, highest = (np.sqrt(max(a, 0.0) * b) for a, b in zip(*ranges, strict=True))
    least, most = rounding_interval(ratio.estimate)
    if most < lowest or least > highest:
        message = (
            f"{said}: the middle of the interval on the log scale is {np.sqrt(lower * upper):.3g}"
        )
        message += ", not the estimate, by more than rounding; a limit may be misprinted"
        raise InputError([Fault(message)])
    return Normal(float(np.log(estimate)), float(np.log(upper / lower) / (2 * Z)))


def read_medians(text: str) -> Normal:
    """Log hazard ratio of "8.15 (40 events) vs 3.02 (35 events)", treated against control.

    Raises
    ------
    InputError
        It does not read so, or a median or a number of events is 0.
    """
    match = MEDIANS.fullmatch(text.strip())
    if match is None:
        message = f'medians: write "8.15 (40 events) vs 3.02 (35 events)", not "{text}"'
        raise InputError([Fault(message, value=text)])
    treated, events, control, others = match.groups()
    return log_ratio_of_medians(float(treated), int(events), float(control), int(others))


def log_ratio_of_medians(treated: float, events: int, control: float, others: int) -> Normal:
    """Log hazard ratio of two medians and their events, were both hazards constant.

    log HR = log(control / treated), with SE = sqrt(1 / events + 1 / others).

    Raises
    ------
    InputError
        A median or a number of events is not above 0.
    """
    if min(treated, events, control, others) <= 0:
        raise InputError([Fault("medians: medians and numbers of events must be above 0")])
    return Normal(float(np.log(control / treated)), float(np.sqrt(1 / events + 1 / others)))


def log_hazard_of_median(
    median: float, limits: tuple[float, float] | None = None, events: int | None = None
) -> Normal:
    """Log hazard of a median, were the hazard constant: log(log(2) / median).

    SE = 1 / sqrt(events), or log(upper / lower) / (2 * 1.96) of the 95% limits where the events
    are not known. Limits of a Kaplan-Meier median need not lie around it evenly.

    Raises
    ------
    InputError
        Neither events nor limits are known, or a number is not above 0.
    """
    if events is None and limits is None:
        raise InputError([Fault("median: no interval or events")])
    lower, upper = limits or (median, np.inf)
    if not (0 < lower <= median <= upper and lower < upper and (events is None or events > 0)):
        raise InputError([Fault("median: it must be above 0, in its interval, and have events")])
    error = events**-0.5 if events is not None else np.log(upper / lower) / (2 * Z)
    return Normal(float(np.log(np.log(2) / median)), float(error))


def log_hazard_of_survival(survival: float, time: float, patients: int) -> Normal:
    """Log hazard of the share alive at a time, were the hazard constant: log(-log(S) / t).

    By the delta method SE = sqrt((1 - S) / (n S)) / |log S|, as if nobody had been censored
    before.

    Raises
    ------
    InputError
        The share is not between 0 and 1, or time or patients are not above 0.
    """
    if not (0 < survival < 1 and time > 0 and patients > 0):
        message = f"survival: {survival:g} at {time:g} of {patients} patients has no hazard"
        raise InputError([Fault(message)])
    cumulative = -np.log(survival)
    error = np.sqrt((1 - survival) / (patients * survival)) / cumulative
    return Normal(float(np.log(cumulative / time)), float(error))


def treatment_prior(evidence: Evidence) -> Normal:
    """The log hazard ratio of a cohort's treatment, as a prior.

    Raises
    ------
    InputError
        It is no hazard ratio, something is missing, or its interval does not fit the estimate.
    """
    if evidence.measure != "hazard ratio":
        raise InputError([Fault(f"{evidence.name}: a {evidence.measure}, not a hazard ratio")])
    if evidence.missing or not (evidence.estimate and evidence.lower and evidence.upper):
        message = f"{evidence.name}: {evidence.missing or 'no interval'}{NO_PRIOR}"
        raise InputError([Fault(message)])
    printed = PrintedRatio(evidence.estimate, evidence.lower, evidence.upper)
    try:
        return log_hazard_ratio(printed)
    except InputError as error:
        raise InputError(Fault(f"{evidence.name}: {fault}") for fault in error.faults) from None


def hazard_prior(evidence: Evidence) -> Normal:
    """The log hazard a month of a cohort, were its hazard constant, as a prior.

    Raises
    ------
    InputError
        It is neither a median nor survival at a time, or what a standard error needs is missing.
    """
    if evidence.measure not in ("median", "survival"):
        raise InputError([Fault(f"{evidence.name}: a {evidence.measure} has no hazard")])
    if evidence.missing or evidence.estimate is None:
        raise InputError([Fault(f"{evidence.name}: {evidence.missing}")])
    try:
        return _median(evidence) if evidence.measure == "median" else _survival(evidence)
    except InputError as error:
        raise InputError(Fault(f"{evidence.name}: {fault}") for fault in error.faults) from None


def _median(evidence: Evidence) -> Normal:
    month = DAYS["months"] / DAYS[evidence.unit]
    numbers = [float(x) / month for x in (evidence.estimate, evidence.lower, evidence.upper) if x]
    limits = (numbers[1], numbers[2]) if len(numbers) == 3 else None
    return log_hazard_of_median(numbers[0], limits, evidence.events)


def _survival(evidence: Evidence) -> Normal:
    if evidence.patients is None or evidence.at is None or evidence.estimate is None:
        raise InputError([Fault("survival: no number of patients")])
    return log_hazard_of_survival(float(evidence.estimate) / 100, evidence.at, evidence.patients)
