"""Newton's method: one maximiser for every likelihood of the classical analysis."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LONGEST_STEP = 2.0
MOST_STEPS = 200
MOST_HALVINGS = 40
SMALLEST_STEP = 1e-10
SMALLEST_SHARE = 1e-8
FLAT = 1e-12
DIFFERENCE = 1e-5
ROUNDING = 1e-9
NOTHING = 1e-10


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A log-likelihood at one value of its parameters.

    log_likelihood : float
    score : (parameter,) its gradient.
    information : (parameter, parameter) minus its second derivative; of a penalised likelihood,
        that of the likelihood without the penalty.
    penalised : bool
    """

    log_likelihood: float
    score: np.ndarray
    information: np.ndarray
    penalised: bool = False


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where the search ended.

    parameter : (parameter,)
    at : Evaluation
        The log-likelihood there.
    step : (direction,) the step that would have come next.
    settled : bool
        Whether that is nothing; if not, the log-likelihood may rise for ever.
    """

    parameter: np.ndarray
    at: Evaluation
    step: np.ndarray
    settled: bool


def maximise(
    evaluate: Callable[[np.ndarray], Evaluation], start: np.ndarray, directions: np.ndarray
) -> Maximum:
    """Maximise over start + directions z by Newton's method with step halving.

    Parameters
    ----------
    evaluate : callable
        The log-likelihood of parameters of shape (parameter,); NaN where it has no value.
    start : array, (parameter,)
        A point at which it has a value.
    directions : array, (parameter, direction)
        Where the parameters may go, of such a length that a step of 1 is one standard error or so.
    """
    parameter, here = start, evaluate(start)
    for _ in range(MOST_STEPS):
        value, vector = np.linalg.eigh(_curvature(evaluate, parameter, here, directions))
        # A likelihood that is not concave curves upwards in places: go up there too.
        steps = vector.T @ (directions.T @ here.score) / np.maximum(abs(value), FLAT)
        flat = abs(value) < FLAT
        small = _small(steps, value, here.penalised)
        if small[~flat].all():
            break
        move = np.where(flat, 0, steps)
        if here.penalised:  # no parabola far from its maximum: there a whole step leads astray
            move /= max(1, abs(move).max(initial=0) / LONGEST_STEP)
        there = _uphill(evaluate, parameter, here, directions @ vector @ move)
        if there is None:
            break
        parameter, here = there
    return Maximum(parameter, here, vector @ steps, bool(small.all()))


def _small(steps: np.ndarray, value: np.ndarray, penalised: bool) -> np.ndarray:
    """Which steps are as good as nothing.

    Towards infinity the steps stay long though the likelihood flattens, so that it is not their
    share of the standard error that counts; but a penalised likelihood has no maximum there.
    """
    if penalised:
        return abs(steps) * np.sqrt(abs(value)) < SMALLEST_SHARE
    return abs(steps) < SMALLEST_STEP


def _curvature(
    evaluate: Callable[[np.ndarray], Evaluation],
    parameter: np.ndarray,
    here: Evaluation,
    directions: np.ndarray,
) -> np.ndarray:
    """Minus the second derivative, (direction, direction); a penalty's by differences."""
    if here.penalised:
        beside = [evaluate(parameter + DIFFERENCE * way).score for way in directions.T]
        fall = (here.score - np.reshape(beside, (-1, len(parameter)))) / DIFFERENCE
        if np.isfinite(fall).all():
            return (fall @ directions + directions.T @ fall.T) / 2
    return directions.T @ here.information @ directions


def _uphill(
    evaluate: Callable[[np.ndarray], Evaluation],
    parameter: np.ndarray,
    here: Evaluation,
    move: np.ndarray,
) -> tuple[np.ndarray, Evaluation] | None:
    """The first of the whole step, half of it, ... that does not go down but for rounding."""
    floor = here.log_likelihood - ROUNDING * (1 + abs(here.log_likelihood))
    for _ in range(MOST_HALVINGS):
        there = evaluate(parameter + move)
        known = np.isfinite(there.score).all() and np.isfinite(there.information).all()
        if known and there.log_likelihood >= floor:
            return parameter + move, there
        move = move / 2
    return None


def null_space(information: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Directions, (parameter, direction), in which a likelihood curves and in which it is flat.

    The information is that of parameters whose steps of 1 are one standard error or so.
    """
    value, vector = np.linalg.eigh(information)
    flat = abs(value) < NOTHING
    return vector[:, ~flat], vector[:, flat]
