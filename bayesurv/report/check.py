"""Answer whether a cohort looks like the cohorts that its model makes again."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.calibration import Calibration, calibrate
from bayesurv.estimands.checks import BETWEEN, EXPECTED, LEVEL, Checks, check, clock_times
from bayesurv.estimands.patients import EVERYONE, arm_covariate
from bayesurv.fitting import Fit
from bayesurv.plots.checks import (
    plot_calibration,
    plot_checks,
    plot_statistics,
    statistic_name,
    statistic_value,
)
from bayesurv.plots.style import duration, limits, number, probability, time_ticks
from bayesurv.report.answer import Answer
from bayesurv.report.origin import endpoint_name
from bayesurv.report.predict import read_times
from bayesurv.saved import provenance

FEWEST, MOST = 100, 10_000
MOST_NAMED = 3
MOST_INTERVALS = 100
CONSERVATIVE = (
    "Posterior predictive p-values are conservative: the model has seen these data, so small ones "
    "are rarer than they should be, and their absence does not show that the model fits."
)


def check_answer(
    fit: Fit,
    treatment: str | None = None,
    times: str | None = None,
    replicates: int = 500,
    seed: int = 0,
    interval: float | None = None,
) -> Answer:
    """Compare the cohort with replicated ones by arm, and each patient with their prediction.

    Events are counted in intervals of the given length, or else between the ticks of the figures.

    Raises
    ------
    InputError
        Lists every fault: the treatment cannot tell arms apart, or times, interval or the number
        of replicates cannot be used.
    """
    faults = list(_faults(fit, treatment, times, replicates))
    end = fit.end_of_follow_up
    if interval is not None and not end / MOST_INTERVALS <= interval < end:
        message = f"--interval: {interval:g} is not from {end / MOST_INTERVALS:.2g} to below the "
        faults.append(Fault(f"{message}end of follow-up, {end:g} {fit.unit}"))
    if faults:
        raise InputError(faults)
    stated = None if times is None else read_times(times)
    grid = time_ticks(end, fit.unit) if interval is None else np.arange(interval, end, interval)
    checks = check(fit, treatment, times=stated, grid=grid, draws=replicates, seed=seed)
    calibration = calibrate(fit, times=stated, replicates=checks.replicates, seed=seed)
    label = (endpoint_name(provenance(fit)) or "").upper()
    survival = f"Survival ({label})" if label else "Survival"
    return Answer(
        sentence=check_sentence(checks, fit.unit),
        shown=_shown(checks, fit.unit),
        tables={"checks": checks.table, "calibration": calibration.table},
        figures={
            "checks": plot_checks(checks, unit=fit.unit, label=survival),
            "statistics": plot_statistics(checks.table, unit=fit.unit),
            "calibration": plot_calibration(calibration),
        },
        notes=tuple(_notes(fit.unit, checks, calibration)),
    )


def _faults(fit: Fit, treatment: str | None, times: str | None, count: int) -> Iterator[Fault]:
    if not FEWEST <= count <= MOST:
        message = f"--replicates: {count} is not from {FEWEST} to {MOST}"
        yield Fault(f"{message}; 500 are enough for a first look")
    try:
        arm_covariate(fit, treatment)
    except InputError as error:
        yield from error.faults
    try:
        clock_times(fit, None if times is None else read_times(times))
    except InputError as error:
        yield from error.faults


def check_sentence(checks: Checks, unit: str) -> str:
    """How many statistics lie outside what the model expects, and which first."""
    outside, count = checks.outside, len(checks.table)
    replicated = f"{len(checks.replicates.again.time)} cohorts replicated from the model"
    if not len(outside):
        return (
            f"All {count} statistics of the observed follow-up lie within the central 95% of "
            f"{replicated}."
        )
    named = "; ".join(_named(row, unit) for row in outside.head(MOST_NAMED).itertuples())
    more = "first of all " if len(outside) > MOST_NAMED else ""
    lie = "lies" if len(outside) == 1 else "lie"
    return (
        f"{len(outside)} of {count} statistics of the observed follow-up {lie} outside the central "
        f"95% of {replicated}: {more}{named}."
    )


def _named(row: Any, unit: str) -> str:
    arm = "" if row.arm in (BETWEEN, EVERYONE) else f" in {row.arm}"
    seen, low, high = (
        statistic_value(row.statistic, value) for value in (row.observed, row.lower, row.upper)
    )
    return (
        f"{statistic_name(row, unit)}{arm}, {row.verdict} (observed {seen}, replicates "
        f"{limits(low, high)}, p {_p(row.p_value)})"
    )


def _p(value: float) -> str:
    written = probability(value)
    return written if written.startswith("<") else f"= {written}"


def _shown(checks: Checks, unit: str) -> pd.DataFrame:
    """The statistics at times of interest, and whatever is outside, as the screen shows them."""
    table = checks.table
    often = table["statistic"].isin(["events in interval", "number at risk"])
    rows = []
    for row in table[~often | (table["verdict"] != EXPECTED)].itertuples():
        seen, low, high = (
            statistic_value(row.statistic, value) for value in (row.observed, row.lower, row.upper)
        )
        named = (row.arm, statistic_name(row, unit), seen, limits(low, high))
        rows.append((*named, probability(row.p_value), row.verdict))
    columns = ["arm", "statistic", "observed", "95% of replicates", "p", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def _notes(unit: str, checks: Checks, calibration: Calibration) -> Iterator[str]:
    yield calibration_sentence(calibration.table, unit)
    yield CONSERVATIVE
    yield (
        f"{len(checks.table)} statistics are looked at, many of them related; of a model that is "
        f"right, up to {100 * LEVEL:g}% lie outside by chance."
    )
    yield from checks.notes
    yield from calibration.notes


def calibration_sentence(table: pd.DataFrame, unit: str) -> str:
    """Calibration, Brier score and concordance in words."""
    known = table.set_index("measure")
    p = float(known.loc["d_calibration", "p_value"])
    said = "no departure from calibration seen" if p >= LEVEL else "not calibrated"
    parts = [f"{said} (D-calibration p {_p(p)})"]
    scores = table[table["measure"] == "brier_score"]
    if len(scores):
        last = scores.iloc[-1]
        parts.append(
            f"Brier score at {duration(float(f'{last.time:.3g}'), unit)} {_measured(last)}, "
            f"Kaplan-Meier's {number(last.reference)}"
        )
    if "concordance" in known.index:
        parts.append(f"concordance {_measured(known.loc['concordance'])}")
    return f"Each patient predicted by the others: {'; '.join(parts)}."


def _measured(row: Any) -> str:
    return f"{number(row.estimate)} (95% interval {limits(number(row.lower), number(row.upper))})"
