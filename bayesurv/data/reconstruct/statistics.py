"""What publications print of a cohort, from its columns: compiled, for it is computed by millions.

Every function is held to the package's own classical analysis, and so to R, by the tests. Ties of
event times are Breslow's, as in SPSS. Machine code is kept on disk, by the date of each file alone:
after a change of this one, `make clean` lets what calls it be compiled anew.
"""

import math

import numba
import numpy as np

LARGEST = 12.0  # a log hazard ratio beyond which the estimate is called infinite
MOST_STEPS = 25
ENOUGH = 1e-4  # of a Newton step, whose error is its square
TOTAL = 1e-9
SINGULAR = 1e-10
UNKNOWN = 1e3  # stands for the standard error of an infinite estimate

compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


@compiled
def log_rank_z(time: np.ndarray, event: np.ndarray, order: np.ndarray, group: np.ndarray) -> float:
    """Log-rank z, above 0 where group 1 has more events than expected; `order` sorts the times."""
    n = len(order)
    total, ones = n, 0
    for i in range(n):
        ones += group[i] > 0.5
    surplus = variance = 0.0
    i = 0
    while i < n:
        j, deaths, dead_ones, left_ones = i, 0, 0, 0
        while j < n and time[order[j]] == time[order[i]]:
            k = order[j]
            one = group[k] > 0.5
            left_ones += one
            if event[k]:
                deaths += 1
                dead_ones += one
            j += 1
        if deaths:
            share = ones / total
            surplus += dead_ones - deaths * share
            if total > 1:
                variance += deaths * share * (1 - share) * (total - deaths) / (total - 1)
        total -= j - i
        ones -= left_ones
        i = j
    return surplus / math.sqrt(variance) if variance > 0 else 0.0


@compiled
def cox(
    time: np.ndarray,
    event: np.ndarray,
    order: np.ndarray,
    covariates: np.ndarray,
    start: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Log hazard ratios and their standard errors, each (term,); `covariates` is (term, row).

    Where the estimate is infinite the search ends far out, with a large standard error.
    """
    size, n = covariates.shape
    sorted_time, died, rows = np.empty(n), np.empty(n, dtype=np.bool_), np.empty((n, size))
    for i in range(n):
        k = order[n - 1 - i]
        sorted_time[i], died[i] = time[k], event[k]
        for a in range(size):
            rows[i, a] = covariates[a, k]
    beta = start.copy()
    information, root = np.zeros((size, size)), np.zeros((size, size))
    score, step = np.zeros(size), np.zeros(size)
    definite = False
    for _ in range(MOST_STEPS):
        _score(sorted_time, died, rows, beta, score, information)
        definite = _factor(information, root)
        if not definite:
            break
        _solve(root, score, step)
        largest = 0.0
        for a in range(size):
            change = min(max(step[a], -2.0), 2.0)
            beta[a] = min(max(beta[a] + change, -LARGEST), LARGEST)
            largest = max(largest, abs(change))
        if largest < ENOUGH:
            break
    error = np.full(size, UNKNOWN)
    for a in range(size if definite else 0):
        score[:] = 0.0
        score[a] = 1.0
        _solve(root, score, step)
        error[a] = math.sqrt(step[a])
    return beta, error


@compiled
def _score(
    time: np.ndarray,
    died: np.ndarray,
    rows: np.ndarray,
    beta: np.ndarray,
    score: np.ndarray,
    information: np.ndarray,
) -> None:
    """Score and information of Breslow's partial likelihood; rows stand from the last time on."""
    n, size = rows.shape
    first, second = np.zeros(size), np.zeros((size, size))
    score[:] = 0.0
    information[:] = 0.0
    weights = 0.0
    deaths = 0
    for i in range(n):
        predictor = 0.0
        for a in range(size):
            predictor += beta[a] * rows[i, a]
        weight = math.exp(min(predictor, 300.0))
        weights += weight
        for a in range(size):
            first[a] += weight * rows[i, a]
            for b in range(a + 1):
                second[a, b] += weight * rows[i, a] * rows[i, b]
        if died[i]:
            deaths += 1
            for a in range(size):
                score[a] += rows[i, a]
        if deaths and (i == n - 1 or time[i + 1] != time[i]):
            _add_deaths(deaths, weights, first, second, score, information)
            deaths = 0
    for a in range(size):
        for b in range(a):
            information[b, a] = information[a, b]


@compiled
def _add_deaths(
    deaths: int,
    weights: float,
    first: np.ndarray,
    second: np.ndarray,
    score: np.ndarray,
    information: np.ndarray,
) -> None:
    """What the deaths of one time take from the score and add to the information."""
    for a in range(len(first)):
        mean = first[a] / weights
        score[a] -= deaths * mean
        for b in range(a + 1):
            information[a, b] += deaths * (second[a, b] / weights - mean * first[b] / weights)


@compiled
def _factor(matrix: np.ndarray, root: np.ndarray) -> bool:
    """Cholesky's root of a matrix; false where it is not positive definite."""
    for a in range(len(matrix)):
        for b in range(a + 1):
            total = matrix[a, b]
            for c in range(b):
                total -= root[a, c] * root[b, c]
            if a > b:
                root[a, b] = total / root[b, b]
            elif total <= SINGULAR:
                return False
            else:
                root[a, a] = math.sqrt(total)
    return True


@compiled
def _solve(root: np.ndarray, right: np.ndarray, found: np.ndarray) -> None:
    """Solve root root' found = right."""
    size = len(right)
    for a in range(size):
        total = right[a]
        for b in range(a):
            total -= root[a, b] * found[b]
        found[a] = total / root[a, a]
    for a in range(size - 1, -1, -1):
        total = found[a]
        for b in range(a + 1, size):
            total -= root[b, a] * found[b]
        found[a] = total / root[a, a]


@compiled
def survival_at(
    time: np.ndarray, event: np.ndarray, order: np.ndarray, chosen: np.ndarray, at: float
) -> float:
    """Kaplan-Meier survival of the chosen at a time."""
    at_risk = 0
    for i in range(len(order)):
        at_risk += chosen[i]
    survival = 1.0
    for k in order:
        if time[k] > at:
            break
        if chosen[k]:
            if event[k]:
                survival *= 1 - 1 / at_risk
            at_risk -= 1
    return survival


@compiled
def median_survival(
    time: np.ndarray, event: np.ndarray, order: np.ndarray, chosen: np.ndarray
) -> float:
    """First time at which the Kaplan-Meier survival of the chosen is 1/2 or less; else infinite.

    Where it is 1/2 for a while, the middle of that, as R has it.
    """
    at_risk = 0
    for i in range(len(order)):
        at_risk += chosen[i]
    survival, half = 1.0, -1.0
    for k in order:
        if chosen[k]:
            if event[k]:
                if half >= 0:
                    return (half + time[k]) / 2
                survival *= 1 - 1 / at_risk
                if survival < 0.5 - TOTAL:
                    return time[k]
                if survival < 0.5 + TOTAL:
                    half = time[k]
            at_risk -= 1
    return half if half >= 0 else np.inf


@compiled
def rank_sum_z(values: np.ndarray, order: np.ndarray, group: np.ndarray) -> float:
    """Wilcoxon's rank sum z without continuity correction, above 0 where group 1 has more."""
    n = len(values)
    ones, ranks, tied = 0, 0.0, 0.0
    i = 0
    while i < n:
        j, here = i, 0
        while j < n and values[order[j]] == values[order[i]]:
            here += group[order[j]] > 0.5
            j += 1
        ones += here
        ranks += here * (i + j + 1) / 2
        tied += float(j - i) ** 3 - (j - i)
        i = j
    others = n - ones
    variance = ones * others / 12 * (n + 1 - tied / (n * (n - 1)))
    return (ranks - ones * (n + 1) / 2) / math.sqrt(variance) if variance > 0 else 0.0
