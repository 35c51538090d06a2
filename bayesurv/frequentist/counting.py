"""How many had the event, or are at risk, at each of some times."""

import numpy as np


def count_before(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """How many of the values are below each time."""
    return np.searchsorted(np.sort(values), times, side="left")


def count_at(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """How many of the values are at each time."""
    ordered = np.sort(values)
    return np.searchsorted(ordered, times, side="right") - np.searchsorted(ordered, times)


def count_at_risk(entry: np.ndarray, exit: np.ndarray, times: np.ndarray) -> np.ndarray:
    """How many have entry < t <= exit at each time t."""
    return count_before(entry, times) - count_before(exit, times)
