"""One cohort while it is searched for: what holds by construction, and what follows from what."""

from typing import NamedTuple

import numpy as np

from bayesurv.data.reconstruct.statistics import compiled
from bayesurv.data.reconstruct.targets import Targets

GRID = 100.0  # times are whole hundredths of the unit


class Structure(NamedTuple):
    """What holds in every member by construction.

    arm : (row,) 0 or 1, in order; first, size : (arm,) of its rows.
    shortest, middle, longest : (arm,) of its follow-up; the median is NaN where it is not stated.
    events : (arm,) deaths, or events of the outermost endpoint; -1 where not stated.
    inner : number of endpoints within the outermost one.
    levels : (variable,) number of levels.
    block : (variable, level) levels of one block may be exchanged for each other.
    least : (variable,) patients whom each level keeps in an arm.
    limits : (variable, arm, 3) lowest level of a number, twice its median, and highest; -1 where it
        is no number.
    movable : variables that are searched.
    moving : the endpoint whose times and events are searched, -1 for none.
    """

    arm: np.ndarray
    first: np.ndarray
    size: np.ndarray
    shortest: np.ndarray
    middle: np.ndarray
    longest: np.ndarray
    events: np.ndarray
    inner: int
    levels: np.ndarray
    block: np.ndarray
    least: np.ndarray
    limits: np.ndarray
    movable: np.ndarray
    moving: int


class State(NamedTuple):
    """One cohort while it is searched for.

    code : (variable, row) level of each patient.
    share : (endpoint, row) of an inner endpoint, its time as a share of the one around it; 1 where
        it had no event of its own. Not used of the outermost.
    time, event, order : (endpoint, row) as they follow, and the rows in order of time.
    column : (column, row) coded covariates.
    beta : (model, term) where the last search for each model's maximum ended.
    statistic, excess : (target,) and how far each is outside its interval.
    """

    code: np.ndarray
    share: np.ndarray
    time: np.ndarray
    event: np.ndarray
    order: np.ndarray
    column: np.ndarray
    beta: np.ndarray
    statistic: np.ndarray
    excess: np.ndarray


@compiled
def derive(state: State, endpoint: int) -> None:
    """Times and events of an inner endpoint from the one around it, and the order of the rows."""
    time, event = state.time[endpoint], state.event[endpoint]
    if endpoint > 0:
        for i in range(len(time)):
            share = state.share[endpoint, i]
            around = state.time[endpoint - 1, i]
            if share < 1:
                time[i] = min(max(np.round(share * around * GRID), 1.0) / GRID, around)
                event[i] = True
            else:
                time[i] = around
                event[i] = state.event[endpoint - 1, i]
    state.order[endpoint] = np.argsort(time - 1e-7 * event)


@compiled
def recode(targets: Targets, state: State, variable: int) -> None:
    """Columns that code a variable, from its levels."""
    for c in range(len(targets.column_variable)):
        if targets.column_variable[c] == variable:
            for i in range(state.code.shape[1]):
                state.column[c, i] = targets.column_score[c, state.code[variable, i]]
