"""One cohort that meets stated numbers: simulated annealing over times, events and covariates.

Patients stand in order of arm and, within it, of follow-up, so that the range and the median of an
arm's follow-up hold by construction; levels are exchanged within an arm, so that its counts hold
too. What is left, the targets, is brought into its rounding interval by chance steps that become
ever more choosy.

Source: Kirkpatrick, Gelatt and Vecchi, Science 1983.
"""

import numpy as np

from bayesurv.data.reconstruct.moves import move
from bayesurv.data.reconstruct.state import State, Structure, derive, recode
from bayesurv.data.reconstruct.statistics import compiled
from bayesurv.data.reconstruct.targets import Targets, evaluate

COOLING = 0.95  # share of the steps in which it cools
NOTHING = 1e-9


@compiled
def search(
    structure: Structure,
    targets: Targets,
    start: State,
    steps: int,
    random: np.random.Generator,
    hottest: float,
    coldest: float,
) -> tuple[float, int]:
    """Anneal a state in place; returns what is left outside the intervals, and the steps made."""
    state, trial = start, _copied(start)
    for endpoint in range(len(state.time)):
        derive(state, endpoint)
    for variable in range(len(state.code)):
        recode(targets, state, variable)
    evaluate(targets, state, -1, 0, np.inf)
    _assign(trial, state)
    now = state.excess.sum()
    for made in range(steps):
        if now < NOTHING:
            return now, made
        cooled = min(made / (COOLING * steps), 1.0)
        temperature = hottest * (coldest / hottest) ** cooled
        variable, endpoint = move(structure, targets, trial, random)
        if variable == -1 and endpoint == -1:
            continue
        most = now - temperature * np.log(random.random())
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
    for endpoint in range(len(to.time)):
        _take(to, source, -1, endpoint)


@compiled
def _take(to: State, source: State, variable: int, endpoint: int) -> None:
    """Make one state what the other is, where a move of these may have changed it."""
    if variable >= 0:
        to.code[variable] = source.code[variable]
        to.column[:] = source.column
    if endpoint >= 0:
        to.share[endpoint] = source.share[endpoint]
        to.time[endpoint] = source.time[endpoint]
        to.event[endpoint] = source.event[endpoint]
        to.order[endpoint] = source.order[endpoint]
    to.beta[:] = source.beta
    to.statistic[:] = source.statistic
    to.excess[:] = source.excess
