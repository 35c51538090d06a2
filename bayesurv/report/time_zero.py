"""Answer to `bayesurv time-zero`: one comparison from several time zeros, and selection into it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.cohort import Cohort
from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.selection import SelectionCurve, selection_curve
from bayesurv.estimands.summary import CI_PROB
from bayesurv.estimands.time_zero import (
    COLUMNS,
    Row,
    TimeZero,
    analyses,
    by_strategy,
    strategy_row,
    treated_rows,
)
from bayesurv.frequentist.clone_censor_weight import STRATEGIES, CloneCensorWeight
from bayesurv.frequentist.guaranteed_time import detector_table, first_exits, guaranteed_time
from bayesurv.frequentist.observations import Observations
from bayesurv.models.distributions import Normal, StudentT
from bayesurv.models.priors import DEFAULT_COEFFICIENT, HazardRatio, Prior, parse_prior
from bayesurv.plan import Plan
from bayesurv.plan_keys import TimeZeroKeys
from bayesurv.report.answer import Answer
from bayesurv.report.classical import observations
from bayesurv.report.folder import staged
from bayesurv.report.origin import write_provenance
from bayesurv.report.time_zero_figures import figures
from bayesurv.report.time_zero_words import shown, told

REPLICATES = 200
PRIORS = {cls.__name__: cls for cls in (Normal, StudentT, HazardRatio)}


@dataclass(frozen=True, eq=False)
class Found:
    """What was found of one endpoint; `selection` is none where treatment starts later on."""

    rows: list[Row]
    observed: dict[str, Observations]
    detector: pd.DataFrame
    warnings: list[str]
    selection: SelectionCurve | None
    strategies: CloneCensorWeight | None


def needed_treatment(named: str | None) -> str:
    """The treatment, which has to be named."""
    if named is None:
        raise InputError([Fault("--treatment: name the column whose two arms are compared")])
    return named


def asked_of(
    plan: Plan,
    clock: Mapping[str, Any],
    within: float | None,
    most_added: int,
    earliest: float | None,
    prior: str,
    resamples: int,
    seed: int,
) -> tuple[Plan, TimeZero]:
    """The plan and what is asked of it: options (`clock` among them) before the plan's own keys.

    Raises
    ------
    InputError
        There is no treatment, no start for the window, or the prior cannot be read.
    """
    needed_treatment(plan.estimand.treatment)
    faults = []
    keys = {k: v if v is not None else getattr(plan.time_zero, k) for k, v in clock.items()}
    if within is not None and keys["start"] is None:
        message = "--within: name the column that says when treatment started (--start)"
        faults.append(Fault(message, value=within))
    believed: Prior = DEFAULT_COEFFICIENT
    try:
        believed = parse_prior(prior, "--prior", PRIORS)
    except InputError as error:
        faults += error.faults
    if faults:
        raise InputError(faults)
    plan = plan.model_copy(update={"time_zero": TimeZeroKeys(start=keys["start"])})
    return plan, TimeZero(
        **keys,
        within=within,
        most_added=most_added,
        earliest=earliest,
        prior=believed,
        seed=seed,
        resamples=resamples,
    )


def run_time_zero(plan: Plan, asked: TimeZero, out: Path) -> Answer:
    """Write tables, figures and sentences under `out`, whole or not at all.

    Raises
    ------
    InputError
        Cohort, formula, treatment, an option or the output folder cannot be used; lists every
        fault.
    """
    treatment = needed_treatment(plan.estimand.treatment)
    with staged(out) as staging:
        cohorts = plan.cohorts(as_given=True)
        found = _of_each(plan, cohorts, treatment, asked)
        answer = Answer(
            sentence="\n".join(told(name, each, treatment) for name, each in found.items()),
            shown=shown(_table({name: each.rows for name, each in found.items()})),
            tables=_tables(found),
            figures=figures(found, asked, treatment),
            notes=tuple(_notes(cohorts, found)),
        )
        answer.write(staging, "time_zero")
        (staging / "plan.toml").write_text(plan.to_toml(), encoding="utf-8")
        data = {name: {"sha256": cohort.digest()} for name, cohort in cohorts.items()}
        write_provenance(staging, asked=asdict(asked) | {"prior": str(asked.prior)}, data=data)
    return answer


def _of_each(
    plan: Plan, cohorts: Mapping[str, Cohort], treatment: str, asked: TimeZero
) -> dict[str, Found]:
    """What is found of each endpoint; the faults of all are raised together."""
    found: dict[str, Found] = {}
    faults: list[Fault] = []
    for name, cohort in cohorts.items():
        try:
            found[name] = _of(plan, cohort, treatment, asked)
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError({str(fault): fault for fault in faults}.values())
    return found


def _of(plan: Plan, cohort: Cohort, treatment: str, asked: TimeZero) -> Found:
    def observe(each: Cohort) -> Observations:
        return observations(plan, each)

    if treatment in cohort.covariates:
        treated_rows(cohort, treatment)
    given = observe(cohort)
    done = list(analyses(cohort, observe, treatment, asked))
    rows = [row for row, _ in done]
    strategies = _told_as("--within", by_strategy, given, treatment, asked)
    if strategies is not None:
        rows.append(strategy_row(strategies, given.cohort))
    return Found(
        rows=rows,
        observed={row["analysis"]: observed for row, observed in done},
        detector=detector_table(first_exits(given, treatment)),
        warnings=guaranteed_time(given, treatment),
        selection=_told_as("--earliest", _selection, given, treatment, asked),
        strategies=strategies,
    )


def _told_as[Result](option: str, do: Callable[..., Result], *given: Any) -> Result:
    """What it gives; its faults name the option."""
    try:
        return do(*given)
    except InputError as error:
        raise InputError(
            replace(f, message=f"{option}: {f.message}") for f in error.faults
        ) from None


def _selection(observed: Observations, treatment: str, asked: TimeZero) -> SelectionCurve | None:
    """Early deaths put back; rows of one patient joined, arms as they were at first.

    Not where treatment starts later on, for then there are no arms at time 0.
    """
    if asked.start is not None:
        return None
    curves = [observed.kaplan_meier(rows, CI_PROB) for rows in observed.arms(treatment).values()]
    joined = (
        np.concatenate([getattr(curve, name) for curve in curves])
        for name in ("exit", "event", "entry")
    )
    time, event, entry = joined
    return selection_curve(
        time,
        event,
        np.repeat([0, 1], [len(curve.exit) for curve in curves]),
        entry,
        most=asked.most_added,
        replicates=REPLICATES,
        earliest=asked.earliest,
        prior=asked.prior,
        seed=asked.seed,
    )


# --- Tables ---


def _by_endpoint(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, names=["endpoint"]).reset_index("endpoint")


def _table(rows: Mapping[str, list[Row]]) -> pd.DataFrame:
    return _by_endpoint(
        {name: pd.DataFrame(each, columns=list(COLUMNS)) for name, each in rows.items()}
    )


def _tables(found: Mapping[str, Found]) -> dict[str, pd.DataFrame]:
    tables = {
        "time_zero": _table({name: each.rows for name, each in found.items()}),
        "detector": _by_endpoint({name: each.detector for name, each in found.items()}),
    }
    selections = {n: each.selection.table() for n, each in found.items() if each.selection}
    if selections:
        tables["selection"] = _by_endpoint(selections)
    strategies = {n: each.strategies for n, each in found.items() if each.strategies}
    if strategies:
        tables["strategies"] = _by_endpoint({n: s.estimates for n, s in strategies.items()})
        tables["strategy_curves"] = _by_endpoint({n: _curves(s) for n, s in strategies.items()})
    return tables


def _curves(found: CloneCensorWeight) -> pd.DataFrame:
    """Weighted survival of each strategy, a row for each step."""
    return pd.DataFrame(
        {
            "strategy": np.repeat(STRATEGIES, len(found.time)),
            "time": np.tile(found.time, len(STRATEGIES)),
            "survival": found.survival.ravel(),
        }
    )


def _notes(cohorts: Mapping[str, Cohort], found: Mapping[str, Found]) -> Iterator[str]:
    """What was left out at each time zero, once."""
    said = [note for cohort in cohorts.values() for note in cohort.notes]
    for each in found.values():
        said += [note for observed in each.observed.values() for note in observed.cohort.notes]
    yield from dict.fromkeys(said)
