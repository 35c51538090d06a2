"""Targets as arrays, and their statistics in a state of the search."""

from typing import Any, NamedTuple

import numpy as np

from bayesurv.data.reconstruct.associations import fisher_p, pearson_p, spss_p
from bayesurv.data.reconstruct.statistics import (
    compiled,
    cox,
    log_rank_z,
    median_survival,
    rank_sum_z,
    survival_at,
)

# Kinds of targets. `which` is a model and a place in it, or a column or variable.
LOG_RANK, COX_Z, COX_LOG_RATIO, COX_LOWER, COX_UPPER = range(5)
MEDIAN, SURVIVAL, RANK_SUM, RANK_SUM_TIME, ASSOCIATION, EVENTS, BOTH = range(5, 12)
PEARSON, FISHER, SPSS = range(3)
WALD = 1.959963984540054
FAR = 1e3  # stands for an infinite statistic


class Targets(NamedTuple):
    """What is searched for.

    column_variable, column_score : (column,) and (column, level) coding of each column.
    model_endpoint, model_size, model_columns : (model,), (model,) and (model, term) Cox models.
    kind, endpoint, first, second, third : (target,) what each is of.
    at : (target,) the time of a survival.
    lower, upper : (target,) interval of its statistic; unsigned : (target,) whether of its size.
    scale : (target,) what one unit outside the interval counts.
    counted : (target,) False where a target is not to be met, only looked at.
    of_model : (target,) its model, or -1; on_variable : (target, variable) what it depends on.
    """

    column_variable: np.ndarray
    column_score: np.ndarray
    model_endpoint: np.ndarray
    model_size: np.ndarray
    model_columns: np.ndarray
    model_variable: np.ndarray
    kind: np.ndarray
    endpoint: np.ndarray
    first: np.ndarray
    second: np.ndarray
    third: np.ndarray
    at: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    unsigned: np.ndarray
    scale: np.ndarray
    counted: np.ndarray
    of_model: np.ndarray
    on_variable: np.ndarray
    arm: np.ndarray


@compiled
def evaluate(targets: Targets, state: Any, variable: int, endpoint: int, most: float) -> float:
    """What is outside the intervals in all, after a change of a variable or of an endpoint.

    Only targets that the change can touch are computed, and none once the total is above `most`.
    A change of an endpoint changes those within it too; variable and endpoint are -1 where nothing
    changed, and endpoint 0 changes everything.
    """
    total = 0.0
    for t in range(len(targets.kind)):
        m = targets.of_model[t]
        on = targets.model_variable[m] if m >= 0 else targets.on_variable[t]
        if not _touched(targets.endpoint[t], on, variable, endpoint):
            total += state.excess[t]
    for t in range(len(targets.kind)):
        own, on = targets.endpoint[t], targets.on_variable[t]
        if targets.of_model[t] < 0 and _touched(own, on, variable, endpoint):
            total += _settle(targets, state, t, _statistic(targets, state, t))
            if total > most:
                return total
    for m in range(len(targets.model_endpoint)):
        own, on = targets.model_endpoint[m], targets.model_variable[m]
        if _touched(own, on, variable, endpoint):
            total += _evaluate_model(targets, state, m)
            if total > most:
                return total
    return total


@compiled
def _touched(own: int, on: np.ndarray, variable: int, endpoint: int) -> bool:
    if variable >= 0 and on[variable]:
        return True
    return endpoint == 0 or (endpoint > 0 and own >= endpoint)


@compiled
def _settle(targets: Targets, state: Any, t: int, value: float) -> float:
    state.statistic[t] = value
    state.excess[t] = 0.0
    if targets.counted[t]:
        size = abs(value) if targets.unsigned[t] else value
        outside = max(targets.lower[t] - size, size - targets.upper[t], 0.0)
        state.excess[t] = min(outside, FAR) / targets.scale[t]
    return state.excess[t]


@compiled
def _evaluate_model(targets: Targets, state: Any, m: int) -> float:
    """All targets of one Cox model; returns what they are outside their intervals."""
    size, e = targets.model_size[m], targets.model_endpoint[m]
    columns = np.empty((size, state.column.shape[1]))
    for a in range(size):
        columns[a] = state.column[targets.model_columns[m, a]]
    beta, error = cox(state.time[e], state.event[e], state.order[e], columns, state.beta[m, :size])
    for a in range(size):
        state.beta[m, a] = beta[a] if abs(beta[a]) < 6 else 0.0
    total = 0.0
    for t in range(len(targets.kind)):
        if targets.of_model[t] == m:
            a, kind = targets.second[t], targets.kind[t]
            if kind == COX_Z:
                value = beta[a] / error[a]
            elif kind == COX_LOG_RATIO:
                value = beta[a]
            elif kind == COX_LOWER:
                value = beta[a] - WALD * error[a]
            else:
                value = beta[a] + WALD * error[a]
            total += _settle(targets, state, t, value)
    return total


@compiled
def _statistic(targets: Targets, state: Any, t: int) -> float:
    kind, e, first = targets.kind[t], targets.endpoint[t], targets.first[t]
    if kind == LOG_RANK:
        return log_rank_z(state.time[e], state.event[e], state.order[e], state.column[first])
    if kind == MEDIAN or kind == SURVIVAL:
        chosen = np.ones(len(targets.arm), dtype=np.bool_) if first < 0 else targets.arm == first
        if kind == MEDIAN:
            return min(median_survival(state.time[e], state.event[e], state.order[e], chosen), FAR)
        return survival_at(state.time[e], state.event[e], state.order[e], chosen, targets.at[t])
    if kind == RANK_SUM:
        values = state.code[first].astype(np.float64)
        return rank_sum_z(values, np.argsort(values), 1.0 - targets.arm)
    if kind == RANK_SUM_TIME:
        return rank_sum_z(state.time[e], state.order[e], 1.0 - targets.arm)
    if kind == BOTH:
        return (state.column[first] * state.column[targets.second[t]]).sum()
    if kind == EVENTS:
        total = 0.0
        for i in range(len(targets.arm)):
            if (first < 0 or targets.arm[i] == first) and state.time[e, i] < targets.at[t]:
                total += state.event[e, i]
        return total
    return np.log(_association_p(targets, state, t))


@compiled
def _association_p(targets: Targets, state: Any, t: int) -> float:
    """P of the test that two columns have nothing to do with each other."""
    one, other = state.column[targets.first[t]], state.column[targets.second[t]]
    table = np.zeros((int(one.max()) + 1, int(other.max()) + 1))
    for i in range(len(one)):
        table[int(one[i]), int(other[i])] += 1
    test = targets.third[t]
    if test == PEARSON:
        return max(pearson_p(table), 1e-12)
    if test == FISHER:
        return max(fisher_p(table), 1e-12)
    return max(spss_p(table), 1e-12)
