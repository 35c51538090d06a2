"""Pointwise intervals of a probability, such as survival or cumulative incidence at each time."""

import numpy as np
from scipy.stats import norm

INTERVALS = ("log-log", "log", "plain")
ROUNDING = 1e-12  # an estimate this near to 0 or 1 is there


def pointwise(
    estimate: np.ndarray, standard_error: np.ndarray, ci_prob: float, interval: str
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bound of a probability p at each step, from its standard error.

    With v = z standard error: `plain` is p -/+ v, `log` is p exp(-/+ v / p), each kept within 0
    and 1; `log-log` is p ** exp(+/- v / (p |log p|)). NaN where the transform is not defined: `log`
    at 0, `log-log` at 0 and 1.
    """
    if interval not in INTERVALS:
        raise ValueError(f'interval is "{interval}", but must be one of {", ".join(INTERVALS)}')
    spread = norm.ppf((1 + ci_prob) / 2) * standard_error
    with np.errstate(divide="ignore", invalid="ignore"):
        if interval == "plain":
            lower, upper = estimate - spread, estimate + spread
        elif interval == "log":
            factor = np.exp(spread / estimate)
            lower, upper = estimate / factor, estimate * factor
        else:
            away = np.minimum(estimate, 1 - estimate) > ROUNDING
            inside = np.where(away, estimate, np.nan)
            power = np.exp(-spread / (inside * np.log(inside)))
            lower, upper = inside**power, inside ** (1 / power)
    return lower.clip(0, 1), upper.clip(0, 1)
