"""What a publication pins down of a cohort, and what it leaves open.

A quantity is looked at in every member, and in as many random starts: cohorts that keep the
printed counts, ranges and medians but were not searched for any printed test. Where members differ
as much as starts do, the printed tests say nothing of it.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from bayesurv.data.reconstruct.problem import groups
from bayesurv.data.reconstruct.summary import Summary
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.kaplan_meier import KaplanMeier, kaplan_meier
from bayesurv.frequentist.quantiles import quantile
from bayesurv.frequentist.recomputed import Coding

PINNED, NARROWED = 0.25, 0.75  # share of the starts' spread
CENTRAL = (0.025, 0.5, 0.975)


def quantities(summary: Summary, patients: pd.DataFrame) -> dict[str, float]:
    """Every quantity of one cohort, by name."""
    return dict(_quantities(summary, patients))


def _quantities(summary: Summary, patients: pd.DataFrame) -> Iterator[tuple[str, float]]:
    coding = Coding(summary, patients)
    treated = coding.column(summary.treatment)
    for endpoint in summary.endpoint:
        time, event = coding.times(endpoint.name)
        label = endpoint.name.upper()
        if event[treated > 0].any() and event[treated == 0].any():
            fit = cox(time, event, treated[:, None], [summary.treatment])
            yield f"{label}: hazard ratio of {summary.treatment}", float(np.exp(fit.coefficient[0]))
            yield f"{label}: its standard error (log)", float(fit.standard_error[0])
        for arm in summary.arms:
            rows = coding.arm(arm)
            curve = kaplan_meier(time[rows], event[rows])
            yield f"{label}: events, {arm}", float(event[rows].sum())
            yield f"{label}: median, {arm}", quantile(curve).estimate
            for at in summary.times:
                yield f"{label}: survival at {at:g} {summary.unit}, {arm}", _survival(curve, at)
    yield from _censoring(summary, coding)
    yield from _levels(summary, coding)


def _survival(curve: KaplanMeier, at: float) -> float:
    return float(curve.survival_at([at])[0]) if at <= curve.end else np.nan


def _censoring(summary: Summary, coding: Coding) -> Iterator[tuple[str, float]]:
    """Median time of those who were censored."""
    time, event = coding.times(summary.endpoint[0].name)
    for arm in summary.arms:
        censored = time[coding.arm(arm) & ~event]
        median = float(np.median(censored)) if len(censored) else np.nan
        yield f"median time of the censored, {arm}", median


def _levels(summary: Summary, coding: Coding) -> Iterator[tuple[str, float]]:
    """Patients of levels that are only counted together."""
    for variable in summary.variable:
        for levels, counts in groups(variable, summary.patients):
            for level in levels if len(levels) > 1 else ():
                name = variable.levels[level]
                held = (coding.patients[variable.name] == name).to_numpy()
                for a, arm in enumerate(summary.arms):
                    if counts[a]:
                        yield f"{variable.name} = {name}, {arm}", float(held[coding.arm(arm)].sum())


def identified(
    members: Sequence[dict[str, float]], starts: Sequence[dict[str, float]]
) -> pd.DataFrame:
    """How far each quantity varies over members, and over random starts.

    Columns: quantity, lowest, lower, median, upper, highest (lower and upper hold the central 95%
    of members), missing (members in which it is not reached), start_lower, start_upper,
    share (of the starts' central range that the members' takes), verdict.
    """
    found = pd.DataFrame(members).replace([np.inf, -np.inf], np.nan)
    before = pd.DataFrame(starts).replace([np.inf, -np.inf], np.nan).reindex(columns=found.columns)
    ends, begun = found.quantile(list(CENTRAL)), before.quantile(list(CENTRAL))
    spread = ends.loc[CENTRAL[2]] - ends.loc[CENTRAL[0]]
    possible = begun.loc[CENTRAL[2]] - begun.loc[CENTRAL[0]]
    share = (spread / possible.where(possible > 0)).where(possible > 0, 0.0)
    table = pd.DataFrame(
        {
            "quantity": found.columns,
            "lowest": found.min().to_numpy(),
            "lower": ends.loc[CENTRAL[0]].to_numpy(),
            "median": ends.loc[CENTRAL[1]].to_numpy(),
            "upper": ends.loc[CENTRAL[2]].to_numpy(),
            "highest": found.max().to_numpy(),
            "missing": found.isna().sum().to_numpy(),
            "start_lower": begun.loc[CENTRAL[0]].to_numpy(),
            "start_upper": begun.loc[CENTRAL[2]].to_numpy(),
            "share": share.to_numpy(),
        }
    )
    fixed = table["highest"] == table["lowest"]
    words = np.select(
        [fixed, table["share"] < PINNED, table["share"] < NARROWED],
        ["fixed", "pinned down", "narrowed"],
        "left open",
    )
    return table.assign(verdict=words)


def largest_gaps(
    summary: Summary, cohorts: Sequence[pd.DataFrame], pairs: Sequence[tuple[int, int]]
) -> np.ndarray:
    """Largest distance, (pair,), between the outermost endpoint's curves of two cohorts' arms."""
    grid = np.linspace(0, max(summary.follow_up.upper), 400)
    curves = []
    for patients in cohorts:
        coding = Coding(summary, patients)
        time, event = coding.times(summary.endpoint[0].name)
        each = []
        for arm in summary.arms:
            rows = coding.arm(arm)
            curve = kaplan_meier(time[rows], event[rows])
            step = np.searchsorted(curve.time, np.minimum(grid, curve.end), side="right") - 1
            each.append(curve.survival[step])
        curves.append(each)
    found = np.array(curves)
    return np.array([np.abs(found[i] - found[j]).max() for i, j in pairs])
