"""Moves of the search: each changes one variable or one endpoint, and keeps the structure."""

import numpy as np

from bayesurv.data.reconstruct.state import GRID, State, Structure, derive, recode
from bayesurv.data.reconstruct.statistics import compiled
from bayesurv.data.reconstruct.targets import Targets

NEAR = 3


@compiled
def move(
    structure: Structure, targets: Targets, state: State, random: np.random.Generator
) -> tuple[int, int]:
    """Change something; returns the variable and the endpoint that changed, -1 for none."""
    variables = len(structure.movable)
    pick = random.integers(0, variables + (2 if structure.moving >= 0 else 0))
    if pick < variables:
        choice = structure.movable[pick]
        if structure.limits[choice, 0, 0] >= 0:
            moved = _change_number(structure, state, choice, random)
        elif random.random() < 0.3:
            moved = _change_level(structure, state, choice, random)
        else:
            moved = _exchange_levels(structure, state, choice, random)
        if moved:
            recode(targets, state, choice)
        return (choice if moved else -1), -1
    endpoint = structure.moving
    if endpoint == 0:
        kind = random.random()
        if kind < 0.3:
            _move_time(structure, state, random)
        elif kind < 0.5:
            _insert_time(structure, state, random)
        else:
            _exchange_events(structure, state, random)
    elif random.random() < 0.5:
        _change_share(state, endpoint, random)
    else:
        _exchange_shares(structure, state, endpoint, random)
    derive(state, endpoint)  # those within it are derived where they are searched themselves
    return -1, endpoint


@compiled
def _pair(structure: Structure, random: np.random.Generator) -> tuple[int, int]:
    """Two patients of one arm; half the time of nearly the same follow-up."""
    i = int(random.integers(0, len(structure.arm)))
    a = structure.arm[i]
    low, high = structure.first[a], structure.first[a] + structure.size[a]
    if random.random() < 0.5:
        low, high = max(low, i - NEAR), min(high, i + NEAR + 1)
    return i, int(random.integers(low, high))


@compiled
def _exchange_levels(
    structure: Structure, state: State, variable: int, random: np.random.Generator
) -> bool:
    i, j = _pair(structure, random)
    code, block = state.code[variable], structure.block[variable]
    if structure.least[variable] == 0 and random.random() < 0.3:
        j = int(random.integers(0, len(structure.arm)))
    if code[i] == code[j]:
        return False
    apart = structure.arm[i] != structure.arm[j]
    if apart and block[code[i]] != block[code[j]]:
        return False
    code[i], code[j] = code[j], code[i]
    return True


@compiled
def _change_level(
    structure: Structure, state: State, variable: int, random: np.random.Generator
) -> bool:
    """Another level of the same block."""
    i = random.integers(0, len(structure.arm))
    old = state.code[variable, i]
    new = random.integers(0, structure.levels[variable])
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
def _change_number(
    structure: Structure, state: State, variable: int, random: np.random.Generator
) -> bool:
    """Another number, within its arm's range and on the same side of its median."""
    i = random.integers(0, len(structure.arm))
    lowest, middle, highest = structure.limits[variable, structure.arm[i]]
    old = state.code[variable, i]
    new = random.integers(lowest, highest + 1)
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
def _move_time(structure: Structure, state: State, random: np.random.Generator) -> None:
    """A time between those of its neighbours in the arm; the two around a median move together."""
    a = random.integers(0, len(structure.size))
    n, first = structure.size[a], structure.first[a]
    if n < 3:
        return
    time = state.time[0, first : first + n]
    s = random.integers(1, n - 1)
    stated = structure.middle[a] == structure.middle[a]
    if stated and n % 2 == 1 and s == n // 2:
        return
    if stated and n % 2 == 0 and (s == n // 2 or s == n // 2 - 1):
        middle = structure.middle[a]
        room = min(middle - time[n // 2 - 2], time[n // 2 + 1] - middle) if n > 2 else 0.0
        away = np.floor(random.random() * room * GRID) / GRID
        time[n // 2 - 1], time[n // 2] = middle - away, middle + away
        return
    low, high = time[s - 1], time[s + 1]
    time[s] = np.round((low + random.random() * (high - low)) * GRID) / GRID


@compiled
def _insert_time(structure: Structure, state: State, random: np.random.Generator) -> None:
    """A time anywhere on its side of the arm's median; those that it passes move up or down."""
    a = random.integers(0, len(structure.size))
    n, first = structure.size[a], structure.first[a]
    if n < 6:
        return
    time = state.time[0, first : first + n]
    start, end = 1, n - 1
    if structure.middle[a] == structure.middle[a]:
        if random.random() < 0.5:
            end = (n - 1) // 2
        else:
            start = n // 2 + 1
    if end - start < 1:
        return
    low, high = time[start - 1], time[end]
    drawn = random.random()
    if random.random() < 0.5:
        new = low + drawn * (high - low)
    else:
        new = low * (high / low) ** drawn
    time[random.integers(start, end)] = np.round(new * GRID) / GRID
    time[start:end] = np.sort(time[start:end])


@compiled
def _exchange_events(structure: Structure, state: State, random: np.random.Generator) -> None:
    """An event and a censoring of one arm, or, where their number is not stated, one changes."""
    i, j = _pair(structure, random)
    event = state.event[0]
    if structure.events[structure.arm[i]] < 0:
        event[i] = not event[i]
    else:
        event[i], event[j] = event[j], event[i]


@compiled
def _change_share(state: State, endpoint: int, random: np.random.Generator) -> None:
    i = random.integers(0, state.share.shape[1])
    if state.share[endpoint, i] < 1 and random.random() < 0.4:
        state.share[endpoint, i] = 1.0
    else:
        state.share[endpoint, i] = 0.02 + 0.97 * random.random()


@compiled
def _exchange_shares(
    structure: Structure, state: State, endpoint: int, random: np.random.Generator
) -> None:
    i, j = _pair(structure, random)
    share = state.share[endpoint]
    share[i], share[j] = share[j], share[i]
