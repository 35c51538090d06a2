"""Posterior predictive checks: the cohort beside cohorts that the model makes again."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.data.follow_up import DAYS
from bayesurv.estimands.curves import Times
from bayesurv.estimands.patients import FollowUp, arm_covariate, arms, follow_up
from bayesurv.estimands.replicates import DRAWS, SEED, Ends, Replicates, replicate
from bayesurv.fitting import Fit
from bayesurv.frequentist.kaplan_meier import KaplanMeier, kaplan_meier
from bayesurv.frequentist.log_rank import log_rank
from bayesurv.inference.diagnostics import monte_carlo_error

MONTHS = (3, 6, 12)
LEVEL = 0.05
POINTS = 121
BETWEEN = "between arms"
EXPECTED = "as the model expects"
COUNTS = ("events before", "events in interval", "number at risk")
COLUMNS = (
    "arm",
    "statistic",
    "time",
    "observed",
    "replicated",
    "lower",
    "upper",
    "prob_above",
    "p_value",
    "mcse",
    "verdict",
)
type Statistics = dict[tuple[str, float], np.ndarray]


@dataclass(frozen=True, eq=False)
class Curves:
    """Kaplan-Meier estimate and numbers at risk of one arm, observed and replicated.

    time : (time,), tick : (tick,) in the fit's unit.
    observed, again : (replicate, time) survival.
    at_risk, at_risk_again : (replicate, tick)
    """

    time: np.ndarray
    observed: np.ndarray
    again: np.ndarray
    tick: np.ndarray
    at_risk: np.ndarray
    at_risk_again: np.ndarray


@dataclass(frozen=True, eq=False)
class Checks:
    """Statistics of the cohort beside those of its replicates, and each arm's curves."""

    table: pd.DataFrame
    curves: dict[str, Curves]
    replicates: Replicates
    notes: tuple[str, ...]

    @property
    def outside(self) -> pd.DataFrame:
        """Statistics outside the central 95% of the replicates, the furthest first."""
        found = self.table[self.table["verdict"] != EXPECTED]
        return found.sort_values("p_value", kind="stable")


def check(
    fit: Fit,
    treatment: str | None = None,
    *,
    times: Times | None = None,
    grid: Times | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Checks:
    """Compare the cohort with cohorts replicated from the posterior, by arm.

    In the table, `prob_above` is the probability that a replicate is above the observed value,
    ties counted half; `p_value`, 2 min(prob_above, 1 - prob_above), is small where the cohort is
    unlike its replicates, and `mcse` is its Monte-Carlo error. `lower` and `upper` hold the
    central 95% of the replicates. A median that is not reached is infinite. Survival past the
    last time of a replicate is carried on.

    Parameters
    ----------
    treatment
        Its levels are the arms; unless given, those of the first covariate with few levels.
    times
        In the fit's unit: events before each, and survival there; 3, 6 and 12 months unless given.
    grid
        Ends of the intervals in which events are counted, with the number at risk there; eighths
        of the follow-up unless given.

    Raises
    ------
    InputError
        The treatment cannot tell arms apart, a time is not above 0 and within follow-up, or
        patients were followed past their event.

    Sources: Gelman, Meng and Stern, Statistica Sinica 1996; Meng, Annals of Statistics 1994.
    """
    members, follow, clock = arms(fit, treatment), follow_up(fit), clock_times(fit, times)
    ticks = np.linspace(0, fit.end_of_follow_up, 9) if grid is None else np.asarray(grid, float)
    group = np.select(list(members.values()), range(len(members)), -1)
    replicates = replicate(fit, draws, seed, groups=group)
    notes = [*_notes(fit, follow, treatment)]
    rows: list[dict[str, object]] = []
    curves = {}
    for name, chosen in members.items():
        end = float(follow.upper[chosen].max())
        late = [f"{time:.3g}" for time in clock if time > end]
        if late:
            said = f"Follow-up ends at {end:.3g} {fit.unit} ({name})"
            notes.append(f"{said}: nothing is checked at {', '.join(late)}.")
        found, curves[name] = _arm(replicates, chosen, end, clock[clock <= end], ticks)
        rows += _rows(replicates.chains, name, *found)
    if len(members) > 1:
        tested = [
            _between(replicates.entry, ends, group)
            for ends in (replicates.observed, replicates.again)
        ]
        rows += _rows(replicates.chains, BETWEEN, *tested)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return Checks(table, curves, replicates, tuple(notes))


def clock_times(fit: Fit, times: Times | None) -> np.ndarray:
    """The stated times, or 3, 6 and 12 months in the fit's unit."""
    if times is None:
        if fit.unit not in DAYS:
            message = f"--times: 3, 6 and 12 months are not known in {fit.unit}"
            raise InputError([Fault(f'{message}; name times in {fit.unit}, such as "1,2,5"')])
        return np.array(MONTHS) * DAYS["months"] / DAYS[fit.unit]
    clock = np.unique(np.asarray(times, dtype=float))
    end = fit.end_of_follow_up
    faults = [
        Fault(f"--times: {time:g} is not above 0 and within follow-up, {end:.12g} {fit.unit}")
        for time in clock
        if not 0 < time <= end
    ]
    if faults:
        raise InputError(faults)
    return clock


def _arm(
    replicates: Replicates, chosen: np.ndarray, end: float, clock: np.ndarray, ticks: np.ndarray
) -> tuple[list[Statistics], Curves]:
    """Statistics of one arm as observed and as replicated, and its curves."""
    entry, inside = replicates.entry[chosen], _within(ticks, end)
    sides = [ends.of(chosen) for ends in (replicates.observed, replicates.again)]
    estimates = [_estimates(entry, side) for side in sides]
    found = [
        _figures(estimate, clock) | _counts(entry, side, inside, clock, end)
        for side, estimate in zip(sides, estimates, strict=True)
    ]
    return found, _curves(estimates, end, ticks[ticks <= end])


# --- Statistics, each of shape `(replicate,)`, by name and time ---


def _counts(
    entry: np.ndarray, ends: Ends, ticks: np.ndarray, clock: np.ndarray, end: float
) -> Statistics:
    """The last time, events before times of interest and between ticks, and numbers at risk."""
    found: Statistics = {("last time", np.nan): ends.time.max(axis=1)}
    found |= {("events before", t): _events(ends, 0, t) for t in clock}
    for start, stop in zip([0, *ticks[:-1]], ticks, strict=True):
        found["events in interval", stop] = _events(ends, start, stop)
        at_risk = (entry < stop) & (stop <= ends.time)
        if stop <= end:
            found["number at risk", stop] = at_risk.sum(axis=1)
    return found


def _events(ends: Ends, start: float, stop: float) -> np.ndarray:
    return (ends.event & (start < ends.time) & (ends.time <= stop)).sum(axis=1)


def _figures(estimates: list[KaplanMeier], clock: np.ndarray) -> Statistics:
    """Survival at times of interest, and the median."""
    survival = carried_survival(estimates, clock)
    found: Statistics = {("survival", t): survival[:, i] for i, t in enumerate(clock)}
    return found | {("median", np.nan): np.array([_median(each) for each in estimates])}


def _between(entry: np.ndarray, ends: Ends, group: np.ndarray) -> Statistics:
    """The log-rank statistic of the arms: z of two, chi-squared of more."""
    inside = group >= 0
    tests = [
        log_rank(time[inside], event[inside], group[inside], entry[inside])
        for time, event in zip(ends.time, ends.event, strict=True)
    ]
    if len(tests[0].groups) == 2:
        return {("log-rank z", np.nan): np.array([test.z for test in tests])}
    return {("log-rank chi-squared", np.nan): np.array([test.statistic for test in tests])}


def _estimates(entry: np.ndarray, ends: Ends) -> list[KaplanMeier]:
    pairs = zip(ends.time, ends.event, strict=True)
    return [kaplan_meier(time, event, entry) for time, event in pairs]


def carried_survival(estimates: list[KaplanMeier], times: np.ndarray) -> np.ndarray:
    """Survival of each replicate at times, carried on past its last, `(replicate, time)`."""
    steps = [np.searchsorted(each.time, times, side="right") - 1 for each in estimates]
    pairs = zip(estimates, steps, strict=True)
    survival = np.stack([each.survival[np.maximum(step, 0)] for each, step in pairs])
    return survival.round(12)  # so that equal ones are ties, whatever the order of the products


def _median(estimate: KaplanMeier) -> float:
    below = estimate.survival <= 0.5 + 1e-9
    return float(estimate.time[np.argmax(below)]) if below.any() else np.inf


def _curves(sides: list[list[KaplanMeier]], end: float, ticks: np.ndarray) -> Curves:
    """Of an arm as observed and as replicated."""
    time = np.linspace(0, end, POINTS)
    observed, again = (carried_survival(estimates, time) for estimates in sides)
    at_risk, at_risk_again = (np.stack([e.at_risk(ticks) for e in each]) for each in sides)
    return Curves(time, observed, again, ticks, at_risk, at_risk_again)


def _within(ticks: np.ndarray, end: float) -> np.ndarray:
    """Ticks above 0 as far as the first at or past the end."""
    return ticks[(ticks > 0) & (np.append(-np.inf, ticks[:-1]) < end)]


# --- Rows of the table ---


def _rows(
    chains: int, arm: str, observed: Statistics, again: Statistics
) -> Iterator[dict[str, object]]:
    for (statistic, time), values in again.items():
        seen = observed[statistic, time]
        lower, middle, upper = np.quantile(values, [0.025, 0.5, 0.975], method="inverted_cdf")
        above = (values > seen) + 0.5 * (values == seen)
        prob = float((above.sum() + 0.5) / (above.size + 1))  # never 0 or 1
        p = 2 * min(prob, 1 - prob)
        yield {
            "arm": arm,
            "statistic": statistic,
            "time": time,
            "observed": np.quantile(seen, 0.5, method="inverted_cdf"),
            "replicated": middle,
            "lower": lower,
            "upper": upper,
            "prob_above": prob,
            "p_value": p,
            "mcse": 2 * monte_carlo_error(above.reshape(chains, -1)),
            "verdict": EXPECTED if p >= LEVEL else _verdict(statistic, prob > 0.5),
        }


def _verdict(statistic: str, less: bool) -> str:
    words = ("more", "fewer") if statistic in COUNTS else ("higher", "lower")
    return f"{words[less]} than the model expects"


def _notes(fit: Fit, follow: FollowUp, treatment: str | None) -> Iterator[str]:
    if follow.interval.any():
        yield (
            f"The event of {follow.interval.sum()} patients is known only to an interval: each "
            "replicate is compared with the cohort completed from the same posterior draw, and "
            "an observed value is the median of these."
        )
    if follow.gaps.any():
        yield (
            f"{follow.gaps.sum()} patients were out of sight between two rows; observed and "
            "replicated alike, they count as at risk there, and have no event."
        )
    covariate = arm_covariate(fit, treatment)
    if covariate is not None:
        level = fit.design.training[covariate].to_numpy()
        changed = (level[follow.row] != level[follow.row[:, :1]]).any(axis=1).sum()
        if changed:
            yield f"{covariate} changes over time in {changed} patients; arms are those at entry."
