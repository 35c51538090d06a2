"""Find the maximum of a likelihood, or what it rises to where it has none."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bayesurv.data.faults import Fault, InputError, listed
from bayesurv.frequentist.estimate import Estimate, Likelihood
from bayesurv.frequentist.newton import Maximum, maximise, null_space
from bayesurv.frequentist.separation import recession, ways

MOVING = 1e-3
STILL = 1e-6
CONSTANT = 1e-9
NO_NULL = "without covariates there is no maximum: the events' times are too much alike"
UNSETTLED = (
    "Newton's method found no maximum of the likelihood; look for covariates that are nearly sums "
    "of others, or that put the events in order"
)


def maximum[Kind: Estimate](
    kind: type[Kind],
    likelihood: Likelihood,
    terms: Sequence[str],
    *,
    start: np.ndarray,
    scale: np.ndarray,
    tested: np.ndarray,
    n: int,
    events: int,
    reasons: Callable[[int], str],
    **more: Any,
) -> Kind:
    """Maximise a likelihood, from a `start` in the null model, (term,).

    `reasons` says in words why the estimate of a term is infinite.

    Raises
    ------
    InputError
        Some terms cannot be told apart, the null model has no maximum, or the search found none.
    """
    directions = np.diag(1 / scale)
    null = maximise(likelihood.evaluate, start, directions[:, ~tested])
    if not (null.settled or likelihood.firth):
        raise InputError([Fault(NO_NULL)])
    _refuse_dependent(directions @ null.at.information @ directions, terms)
    top = maximise(likelihood.evaluate, null.parameter, directions)
    signs: dict[int, int] = {}
    limit = likelihood
    if not top.settled:
        if likelihood.firth:
            raise InputError([Fault(UNSETTLED)])
        limit, directions, signs = _at_infinity(likelihood, null, top, directions)
        top = maximise(limit.evaluate, null.parameter, directions)
    coefficient = top.parameter.copy()
    inverse = np.linalg.inv(directions.T @ top.at.information @ directions)
    covariance = directions @ inverse @ directions.T
    for term, sign in signs.items():
        coefficient[term] = sign * np.inf if sign else np.nan
        covariance[term] = covariance[:, term] = np.nan
    return kind(
        likelihood=likelihood,
        limit=limit,
        terms=tuple(terms),
        tested=tested,
        coefficient=coefficient,
        covariance=covariance,
        log_likelihood=top.at.log_likelihood,
        null=null,
        scale=scale,
        n=n,
        events=events,
        infinite={terms[term]: sign for term, sign in signs.items()},
        notes=tuple(f"{terms[i]} has no finite estimate: {reasons(i)}" for i in signs if tested[i]),
        **more,
    )


def _at_infinity(
    likelihood: Likelihood, null: Maximum, top: Maximum, directions: np.ndarray
) -> tuple[Likelihood, np.ndarray, dict[int, int]]:
    """What the likelihood becomes far along a direction of recession.

    Returns
    -------
    limit : Likelihood
    directions : array, (term, direction)
        Those in which that still curves.
    signs : dict
        Which way each term goes that the others move: 1, -1, or 0, either.
    """
    gaps, equal = likelihood.gaps(abs(top.step) > MOVING)
    direction = recession(gaps, equal)
    if direction is None:
        raise InputError([Fault(UNSETTLED)])
    limit = likelihood.limit(direction)
    information = limit.evaluate(null.parameter).information
    curved, flat = null_space(directions @ information @ directions)
    directions = directions @ curved
    signs = {term: ways(gaps, term, equal) for term in _moved(flat)}
    return limit, directions, signs


def _moved(flat: np.ndarray) -> list[int]:
    """Terms that some direction, (term, direction), moves."""
    return [i for i, moves in enumerate((abs(flat) > STILL).any(axis=1)) if moves]


def _refuse_dependent(information: np.ndarray, terms: Sequence[str]) -> None:
    _, flat = null_space(information)
    if flat.shape[1]:
        names = listed(terms[i] for i in _moved(flat))
        message = (
            f"the data cannot tell these terms apart, or say nothing of them: {names}; "
            "leave out what is constant or the sum of others"
        )
        raise InputError([Fault(message)])


def spread(columns: np.ndarray) -> np.ndarray:
    """Standard deviation of each column, (term,); 1 if the column is constant."""
    deviation = columns.std(axis=0)
    return np.where(deviation > CONSTANT * abs(columns).max(axis=0), deviation, 1.0)


def term_columns(covariates: ArrayLike, terms: Sequence[str], rows: int) -> np.ndarray:
    """Covariates as numbers, (row, term).

    Raises
    ------
    InputError
        A term has a missing or infinite value.
    ValueError
        The shape is not (row, term).
    """
    values = np.asarray(covariates, dtype=float)
    if values.shape != (rows, len(terms)):
        raise ValueError(f"covariates of shape {values.shape}, not {(rows, len(terms))}")
    known = np.isfinite(values).all(axis=0)
    faults = [
        Fault("a value is missing or not finite; leave out such rows", column=term)
        for term, all_known in zip(terms, known, strict=True)
        if not all_known
    ]
    if faults:
        raise InputError(faults)
    return values
