"""One cohort that meets stated numbers: simulated annealing over times, events and covariates.

Patients stand in order of arm and, within it, of follow-up, so that the range and the median of an
arm's follow-up hold by construction; levels are exchanged within an arm, so that its counts hold
too. What is left, the targets, is brought into its rounding interval by chance steps that become
ever more choosy.

Source: Kirkpatrick, Gelatt and Vecchi, Science 1983.
"""

from typing import NamedTuple

import numba
import numpy as np

from bayesurv.data.reconstruct.statistics import compiled
from bayesurv.data.reconstruct.targets import Targets, evaluate

GRID = 100.0  # times are whole hundredths of the unit
HOTTEST, COLDEST = 1.0, 1e-4
COOLING = 0.95  # share of the steps in which it cools
NEAR = 3
NOTHING = 1e-9


class Structure(NamedTuple):
    """What holds in every member by construction.

    arm : (row,) 0 or 1, in order; first, size : (arm,) of its rows.
    shortest, middle, longest : (arm,) of its follow-up; the median is NaN where it is not stated.
    events : (arm,) deaths, or events of the outermost endpoint; -1 where not stated.
    inner : number of endpoints within the outermost one.
    levels, pooled : (variable,) number of levels; whether counts are of both arms together.
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
    pooled: np.ndarray
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
def search(
    structure: Structure, targets: Targets, start: State, steps: int, seed: int, hottest: float, coldest: float
) -> tuple[float, int]:
    """Anneal a state in place; returns what is left outside the intervals, and the steps made."""
    np.random.seed(seed)
    state, trial = start, _copied(start)
    for endpoint in range(len(state.time)):
        _derive(state, endpoint)
    for variable in range(len(state.code)):
        _recode(targets, state, variable)
    evaluate(targets, state, -1, 0, np.inf)
    _assign(trial, state)
    now = state.excess.sum()
    for made in range(steps):
        if now < NOTHING:
            return now, made
        cooled = min(made / (COOLING * steps), 1.0)
        temperature = hottest * (coldest / hottest) ** cooled
        variable, endpoint = _move(structure, targets, trial)
        if variable == -1 and endpoint == -1:
            continue
        most = now - temperature * np.log(np.random.random())
        then = evaluate(targets, trial, variable, endpoint, most)
        if then <= most:
            _take(state, trial, variable, endpoint)
            now = then
        else:
            _take(trial, state, variable, endpoint)
    return now, steps


@compiled
def _copied(state: State) -> State:
    return State(
        state.code.copy(),
        state.share.copy(),
        state.time.copy(),
        state.event.copy(),
        state.order.copy(),
        state.column.copy(),
        state.beta.copy(),
        state.statistic.copy(),
        state.excess.copy(),
    )


@compiled
def _assign(to: State, source: State) -> None:
    to.code[:] = source.code
    to.column[:] = source.column
    _take(to, source, -1, 0)


@compiled
def _take(to: State, source: State, variable: int, endpoint: int) -> None:
    """Make one state what the other is, where a move of these may have changed it."""
    if variable >= 0:
        to.code[variable] = source.code[variable]
        to.column[:] = source.column
    if endpoint >= 0:
        to.share[:] = source.share
        to.time[:] = source.time
        to.event[:] = source.event
        to.order[:] = source.order
    to.beta[:] = source.beta
    to.statistic[:] = source.statistic
    to.excess[:] = source.excess


# --- What follows from what ---


@compiled
def _derive(state: State, endpoint: int) -> None:
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
def _recode(targets: Targets, state: State, variable: int) -> None:
    for c in range(len(targets.column_variable)):
        if targets.column_variable[c] == variable:
            for i in range(state.code.shape[1]):
                state.column[c, i] = targets.column_score[c, state.code[variable, i]]


# --- Moves: each changes one variable or one endpoint, and keeps the structure ---


@compiled
def _move(structure: Structure, targets: Targets, state: State) -> tuple[int, int]:
    """Change something; returns the variable and the endpoint that changed, -1 for none."""
    variables = len(structure.movable)
    pick = np.random.randint(0, variables + (2 if structure.moving >= 0 else 0))
    if pick < variables:
        choice = structure.movable[pick]
        if structure.limits[choice, 0, 0] >= 0:
            moved = _change_number(structure, state, choice)
        elif np.random.random() < 0.3:
            moved = _change_level(structure, state, choice)
        else:
            moved = _exchange_levels(structure, state, choice)
        if moved:
            _recode(targets, state, choice)
        return (choice if moved else -1), -1
    endpoint = structure.moving
    if endpoint == 0:
        kind = np.random.random()
        if kind < 0.3:
            _move_time(structure, state)
        elif kind < 0.5:
            _insert_time(structure, state)
        else:
            _exchange_events(structure, state)
    elif np.random.random() < 0.5:
        _change_share(state, endpoint)
    else:
        _exchange_shares(structure, state, endpoint)
    for inner in range(endpoint, structure.inner + 1):
        _derive(state, inner)
    return -1, endpoint


@compiled
def _pair(structure: Structure, pooled: bool) -> tuple[int, int]:
    """Two patients, of one arm unless pooled; half the time of nearly the same follow-up."""
    if pooled:
        return np.random.randint(0, len(structure.arm)), np.random.randint(0, len(structure.arm))
    i = np.random.randint(0, len(structure.arm))
    a = structure.arm[i]
    low, high = structure.first[a], structure.first[a] + structure.size[a]
    if np.random.random() < 0.5:
        low, high = max(low, i - NEAR), min(high, i + NEAR + 1)
    return i, np.random.randint(low, high)


@compiled
def _exchange_levels(structure: Structure, state: State, variable: int) -> bool:
    i, j = _pair(structure, structure.pooled[variable])
    code, block = state.code[variable], structure.block[variable]
    if structure.least[variable] == 0 and np.random.random() < 0.3:
        j = np.random.randint(0, len(structure.arm))
    if code[i] == code[j]:
        return False
    apart = structure.arm[i] != structure.arm[j] and not structure.pooled[variable]
    if apart and block[code[i]] != block[code[j]]:
        return False
    code[i], code[j] = code[j], code[i]
    return True


@compiled
def _change_level(structure: Structure, state: State, variable: int) -> bool:
    """Another level of the same block."""
    i = np.random.randint(0, len(structure.arm))
    old = state.code[variable, i]
    new = np.random.randint(0, structure.levels[variable])
    if new == old or structure.block[variable, new] != structure.block[variable, old]:
        return False
    a, left = structure.arm[i], 0
    for j in range(structure.first[a], structure.first[a] + structure.size[a]):
        left += state.code[variable, j] == old
    if left <= structure.least[variable]:
        return False
    state.code[variable, i] = new
    return True


@compiled
def _change_number(structure: Structure, state: State, variable: int) -> bool:
    """Another number, within its arm's range and on the same side of its median."""
    i = np.random.randint(0, len(structure.arm))
    lowest, middle, highest = structure.limits[variable, structure.arm[i]]
    old = state.code[variable, i]
    new = np.random.randint(lowest, highest + 1)
    if new == old:
        return False
    state.code[variable, i] = new
    a = structure.arm[i]
    inside = state.code[variable, structure.first[a] : structure.first[a] + structure.size[a]]
    ordered = np.sort(inside)
    n = len(ordered)
    fits = ordered[0] == lowest and ordered[n - 1] == highest
    if fits and (middle < 0 or ordered[(n - 1) // 2] + ordered[n // 2] == middle):
        return True
    state.code[variable, i] = old
    return False


@compiled
def _move_time(structure: Structure, state: State) -> None:
    """A time between those of its neighbours in the arm; the two around a median move together."""
    a = np.random.randint(0, len(structure.size))
    n, first = structure.size[a], structure.first[a]
    if n < 3:
        return
    time = state.time[0, first : first + n]
    s = np.random.randint(1, n - 1)
    stated = structure.middle[a] == structure.middle[a]
    if stated and n % 2 == 1 and s == n // 2:
        return
    if stated and n % 2 == 0 and (s == n // 2 or s == n // 2 - 1):
        middle = structure.middle[a]
        room = min(middle - time[n // 2 - 2], time[n // 2 + 1] - middle) if n > 2 else 0.0
        away = np.floor(np.random.random() * room * GRID) / GRID
        time[n // 2 - 1], time[n // 2] = middle - away, middle + away
        return
    low, high = time[s - 1], time[s + 1]
    time[s] = np.round((low + np.random.random() * (high - low)) * GRID) / GRID


@compiled
def _insert_time(structure: Structure, state: State) -> None:
    """A time anywhere on its side of the arm's median; those that it passes move up or down."""
    a = np.random.randint(0, len(structure.size))
    n, first = structure.size[a], structure.first[a]
    if n < 6:
        return
    time = state.time[0, first : first + n]
    start, end = 1, n - 1
    if structure.middle[a] == structure.middle[a]:
        if np.random.random() < 0.5:
            end = (n - 1) // 2
        else:
            start = n // 2 + 1
    if end - start < 1:
        return
    low, high = time[start - 1], time[end]
    drawn = np.random.random()
    if np.random.random() < 0.5:
        new = low + drawn * (high - low)
    else:
        new = low * (high / low) ** drawn
    time[np.random.randint(start, end)] = np.round(new * GRID) / GRID
    time[start:end] = np.sort(time[start:end])


@compiled
def _exchange_events(structure: Structure, state: State) -> None:
    """An event and a censoring of one arm, or, where their number is not stated, one changes."""
    i, j = _pair(structure, False)
    event = state.event[0]
    if structure.events[structure.arm[i]] < 0:
        event[i] = not event[i]
    else:
        event[i], event[j] = event[j], event[i]


@compiled
def _change_share(state: State, endpoint: int) -> None:
    i = np.random.randint(0, state.share.shape[1])
    if state.share[endpoint, i] < 1 and np.random.random() < 0.4:
        state.share[endpoint, i] = 1.0
    else:
        state.share[endpoint, i] = 0.02 + 0.97 * np.random.random()


@compiled
def _exchange_shares(structure: Structure, state: State, endpoint: int) -> None:
    i, j = _pair(structure, False)
    share = state.share[endpoint]
    share[i], share[j] = share[j], share[i]
