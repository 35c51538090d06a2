"""The E-value: how strong unmeasured confounding would have to be to explain an estimate away."""

from dataclasses import dataclass

import numpy as np

LOG_2 = np.log(2)
MEASURES = ("hazard ratio", "odds ratio", "risk ratio")


@dataclass(frozen=True)
class EValue:
    """The risk ratio by which a confounder would have to go with both treatment and outcome.

    estimate : to take the estimate to 1.
    limit : to take the limit of its interval that is nearer to 1 there; 1 if the interval has 1.
    """

    estimate: float
    limit: float


def e_value(
    ratio: float,
    lower: float,
    upper: float,
    *,
    measure: str = "hazard ratio",
    rare: bool = False,
) -> EValue:
    """E-value of a ratio and of its interval.

    E = RR + sqrt(RR (RR - 1)), RR turned over if below 1. Where the outcome is rare (under 15% at
    the end of follow-up) a hazard or odds ratio stands for the risk ratio; otherwise RR is about
    (1 - 0.5^sqrt(HR)) / (1 - 0.5^sqrt(1 / HR)), or sqrt(OR).

    Parameters
    ----------
    ratio, lower, upper : float
        The estimate and its interval, all above 0, in order.
    measure : str
        "hazard ratio", "odds ratio" or "risk ratio".
    rare : bool
        Whether the outcome is rare.

    Source: VanderWeele and Ding, Annals of Internal Medicine 2017.
    """
    if measure not in MEASURES:
        raise ValueError(f'no measure "{measure}"; use one of {MEASURES}')
    if not 0 <= lower <= ratio <= upper or not 0 < ratio < np.inf:
        raise ValueError(f"{ratio} ({lower} to {upper}) is not a ratio within its interval")
    nearer = float(np.clip(1, lower, upper))
    as_risk = "risk ratio" if rare else measure
    return EValue(_e_value(_risk_ratio(ratio, as_risk)), _e_value(_risk_ratio(nearer, as_risk)))


def _risk_ratio(ratio: float, measure: str) -> float:
    if measure == "hazard ratio":
        return float(np.expm1(-LOG_2 * np.sqrt(ratio)) / np.expm1(-LOG_2 / np.sqrt(ratio)))
    return float(np.sqrt(ratio)) if measure == "odds ratio" else ratio


def _e_value(risk_ratio: float) -> float:
    away = max(risk_ratio, 1 / risk_ratio)
    return float(away + np.sqrt(away * (away - 1)))
