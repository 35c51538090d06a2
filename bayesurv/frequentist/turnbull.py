"""Turnbull's estimate of survival where the event of some is known only to an interval."""

import numpy as np

MOST_STEPS = 50_000
SMALLEST_CHANGE = 1e-11
SMALLEST_MASS = 1e-8


def turnbull(
    entry: np.ndarray, exit: np.ndarray, last: np.ndarray, event: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Maximise the likelihood by EM; an exact event at t is (the number just below t, t].

    Each row, `(stay,)`, was at risk from `entry` to `exit`, and its event, if any, lies in
    (exit, last]. Returns the steps, `(step,)`, and survival from each on; a step is in the middle
    of an interval where the data cannot tell.

    Source: Turnbull, Journal of the Royal Statistical Society B 1976.
    """
    left = np.where(event & (last == exit), np.nextafter(exit, -np.inf), exit)
    right = np.where(event, last, np.inf)
    rows, weight = np.unique(np.column_stack([left, right, entry]), axis=0, return_counts=True)
    left, right, entry = rows.T
    lows = np.unique(left)
    highs = np.unique(np.append(right, entry[entry > lows[0]]))
    low = lows[np.searchsorted(lows, highs) - 1]
    # Only where a left end is followed at once by a right end can there be mass.
    places = np.append(-np.inf, highs[:-1]) <= low
    low, high = low[places], highs[places]
    holds = (left[:, None] <= low) & (high <= right[:, None])
    mass = _em(holds, entry[:, None] <= low, weight)
    kept = (mass > SMALLEST_MASS) & np.isfinite(high)
    exact = low == np.nextafter(high, -np.inf)
    steps = np.where(exact, high, (low + high) / 2)[kept]
    survival = 1 - np.cumsum(mass[kept])
    # Where delayed entry drives survival to 0, EM gets there too slowly to arrive.
    return steps, np.where(survival > 0.01 / weight.sum(), survival, 0.0)


def _em(holds: np.ndarray, seen: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mass of each place, given where each row's event and any observed event can lie."""
    mass = np.full(holds.shape[1], 1 / holds.shape[1])
    for _ in range(MOST_STEPS):
        unseen = weight / (seen @ mass)
        new = mass * ((weight / (holds @ mass)) @ holds + unseen.sum() - unseen @ seen)
        new /= new.sum()
        change, mass = np.abs(new - mass).max(), new
        if change < SMALLEST_CHANGE:
            break
    return mass
