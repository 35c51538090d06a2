"""Where a maximum-likelihood estimate is infinite: found exactly, by linear programming.

A concave log-likelihood has no finite maximum just if it falls in no step along some direction, and
along none back: a direction of recession. For the likelihoods here these are the directions d with
z.d >= 0 for a list of vectors z that come from the data:

    Cox            x_i - x_j for each event i and each j at risk with it
    logistic       (2 y - 1) x of each row
    parametric     see parametric.py

Source: Albert and Anderson, Biometrika 1984; Jacobsen, Scandinavian Journal of Statistics 1989.
"""

from collections.abc import Mapping

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, hstack

TOLERANCE = 1e-6


def recession(gaps: np.ndarray, equal: np.ndarray | None = None) -> np.ndarray | None:
    """A direction d with gaps d >= 0, as many of them as can be above 0; None if none can.

    Parameters
    ----------
    gaps : array, (gap, parameter)
    equal : array, (row, parameter), optional
        Rows that must be 0 along d.

    Returns
    -------
    array, (parameter,), or None
        Each gap that can open along some direction of recession is at least 1 along this one.
    """
    if not len(gaps):
        return None
    scale = _scale(gaps)
    rows, width = gaps.shape
    # Maximise the sum of openings, each at most 1 and at most its gap.
    found = linprog(
        np.append(np.zeros(width), -np.ones(rows)),
        A_ub=hstack([csr_array(-gaps / scale), eye_array(rows)]),
        b_ub=np.zeros(rows),
        **_equalities(equal, scale, rows),
        bounds=[(None, None)] * width + [(0, 1)] * rows,
    )
    direction = found.x[:width] / scale
    return direction if (gaps @ direction > 0.5).any() else None


def ways(gaps: np.ndarray, parameter: int, equal: np.ndarray | None = None) -> int:
    """Which way directions of recession move a parameter: 1 up, -1 down, 0 either way or not."""
    scale = _scale(gaps)
    width = gaps.shape[1]
    reach = [
        linprog(
            -sign * np.eye(width)[parameter],
            A_ub=-gaps / scale,
            b_ub=np.zeros(len(gaps)),
            **_equalities(equal, scale),
            bounds=(-1, 1),
        ).fun
        < -TOLERANCE
        for sign in (1, -1)
    ]
    return int(reach[0]) - int(reach[1])


def _scale(gaps: np.ndarray) -> np.ndarray:
    largest = abs(gaps).max(axis=0)
    return np.where(largest > 0, largest, 1.0)


def _equalities(equal: np.ndarray | None, scale: np.ndarray, slack: int = 0) -> dict:
    if equal is None or not len(equal):
        return {}
    padded = np.pad(equal / scale, ((0, 0), (0, slack)))
    return {"A_eq": csr_array(padded), "b_eq": np.zeros(len(equal))}


def reason(term: str, values: np.ndarray, absent: Mapping[str, np.ndarray]) -> str:
    """Why the estimate of a term is infinite, in words.

    Parameters
    ----------
    term : str
    values : array, (row,)
        The term's covariate.
    absent : mapping
        What a level may lack ("no event"), and which rows, (row,), have it.
    """
    levels = np.unique(values)
    for what, has in absent.items():
        for level in levels if len(levels) == 2 else ():
            if not has[values == level].any():
                return f"{what} among those with {term} = {level:g}"
    return f"{term}, alone or with other terms, puts the events in perfect order"
