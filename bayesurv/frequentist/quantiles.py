"""The median and other quantiles of a Kaplan-Meier estimate, with their interval."""

from dataclasses import dataclass

import numpy as np

from bayesurv.frequentist.kaplan_meier import KaplanMeier

SAME = 1e-8  # survival this near to the level is at it, whatever the order of the products


@dataclass(frozen=True)
class Quantile:
    """The time by which a share `probability` had the event; NaN where it was not reached."""

    probability: float
    estimate: float
    lower: float
    upper: float
    ci_prob: float


def quantile(estimate: KaplanMeier, probability: float = 0.5) -> Quantile:
    """Time at which survival falls to 1 - probability; the bounds are where its interval does.

    Where survival stays at 1 - probability for a while, the middle of that while. NaN where the
    curve, or a bound, does not fall as far.

    Source: Brookmeyer and Crowley, Biometrics 1982.
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability is {probability:g}, but must be between 0 and 1")
    level = 1 - probability
    return Quantile(
        probability,
        _reached(estimate, estimate.survival, level),
        _reached(estimate, estimate.lower, level),
        _reached(estimate, estimate.upper, level),
        estimate.ci_prob,
    )


def _reached(estimate: KaplanMeier, curve: np.ndarray, level: float) -> float:
    times = np.append(estimate.time, estimate.end)
    arrived = np.append(curve <= level + SAME, False)
    if not arrived.any():
        return np.nan
    passed = np.append(curve < level - SAME, True)
    return float(times[np.argmax(arrived)] + times[np.argmax(passed)]) / 2
