"""Clone, censor, weight: "treatment within a window of time 0" against "none within it".

Nobody can say at time 0 which strategy a patient follows, so each patient is in both, as a clone
that is censored when the patient departs from its strategy. Weights, the inverse of the
probability of not being censored so, make up for those who depart being different.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayesurv.data.faults import Fault, InputError
from bayesurv.frequentist.clones import Clones, Patients

RESAMPLES = 500
STRATEGIES = ("none within the window", "treatment within the window")
HAZARD_RATIO, RATIO = "hazard ratio", "treatment against none"
DIFFERENCE = "treatment minus none"


@dataclass(frozen=True, eq=False)
class CloneCensorWeight:
    """Weighted survival under each of STRATEGIES, with bootstrap intervals.

    within, horizon : float
    time : (step,) where the curves step, beginning with 0.
    survival : (strategy, step)
    largest_weight : float
    estimates : DataFrame
        Columns quantity, strategy, time, estimate, lower, upper, ci_prob.
    lost : int
        Resamples without an answer: in them nobody, or everybody, had started in the window.
    """

    within: float
    horizon: float
    time: np.ndarray
    survival: np.ndarray
    largest_weight: float
    estimates: pd.DataFrame
    lost: int


def clone_censor_weight(
    time: ArrayLike,
    event: ArrayLike,
    start: ArrayLike,
    within: float,
    covariates: ArrayLike | None = None,
    *,
    horizon: float | None = None,
    resamples: int = RESAMPLES,
    ci_prob: float = 0.95,
    seed: int = 0,
) -> CloneCensorWeight:
    """Compare survival under "treatment within the window" with that under "none within it".

    A clone of the first strategy is censored at the end of the window if treatment has not
    started; its weight from then on is 1 / P(started | still at risk then). A clone of the second
    is censored when treatment starts within the window; its weight at t is 1 / P(not started
    before t). Without covariates these are the Kaplan-Meier estimate of the start and the share
    that started, so they cancel from the curves of a strategy and matter to the hazard ratio
    alone; with covariates they are Cox's and the logistic model, both with Firth's penalty.

    Whoever has none within the window may still start after it. Survival under a strategy is that
    of patients like these only if the covariates are all that start and survival have in common.

    Parameters
    ----------
    time, event : array, (patient,)
        End of follow-up from time 0, and whether it ended in the event.
    start : array, (patient,)
        When treatment started; infinite for those never treated.
    within : float
        The window; it includes its end.
    covariates : array, (patient, term), optional
        Measured at time 0.
    horizon : float, optional
        Of restricted means and survival; unless given, where the shorter strategy's follow-up ends.
    resamples : int
        Bootstrap samples of patients, for the intervals (percentiles); everything is done anew in
        each.
    seed : int

    Raises
    ------
    InputError
        The window is not inside follow-up; nobody, or everybody, of those at risk at its end had
        started; or the horizon is not followed under both strategies.

    Source: Hernan and Robins, American Journal of Epidemiology 2016; Maringe et al., International
    Journal of Epidemiology 2020.
    """
    patients = Patients.of(time, event, start, covariates)
    clones = Clones.of(patients, within)
    end = clones.end
    until = end if horizon is None else horizon
    if not 0 < until <= end:
        message = f"the horizon {until:g} is not followed under both strategies; it can be {end:g}"
        raise InputError([Fault(f"{message} at most")])
    found = _quantities(clones, until)
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        rows = random.integers(len(patients.time), size=len(patients.time))
        try:
            drawn.append(_quantities(Clones.of(patients.taken(rows), within), until))
        except InputError:
            continue
    return CloneCensorWeight(
        within=within,
        horizon=until,
        time=np.append(0.0, clones.time),
        survival=clones.survival,
        largest_weight=clones.largest_weight,
        estimates=_estimates(found, drawn, until, ci_prob),
        lost=resamples - len(drawn),
    )


def _quantities(clones: Clones, horizon: float) -> dict[tuple[str, str], float]:
    """Every estimate, by quantity and strategy; the hazard ratio as its logarithm."""
    inside = clones.time < horizon
    widths = np.diff(np.concatenate([[0.0], clones.time[inside], [horizon]]))
    rmst = clones.survival[:, : inside.sum() + 1] @ widths
    last = clones.survival[:, (clones.time <= horizon).sum()]
    found: dict[tuple[str, str], float] = {}
    for name, each in {"survival": last, "restricted mean survival": rmst}.items():
        found |= {(name, strategy): each[i] for i, strategy in enumerate(STRATEGIES)}
        found[name, DIFFERENCE] = each[1] - each[0]
    return found | {(HAZARD_RATIO, RATIO): clones.log_hazard_ratio()}


def _estimates(
    found: dict[tuple[str, str], float],
    drawn: list[dict[tuple[str, str], float]],
    horizon: float,
    ci_prob: float,
) -> pd.DataFrame:
    """Estimates with percentiles of the resamples."""
    rows = []
    for (quantity, strategy), estimate in found.items():
        values = [each[quantity, strategy] for each in drawn] or [np.nan]
        ends = np.quantile(values, [0.5 - ci_prob / 2, 0.5 + ci_prob / 2])
        three = np.array([estimate, *ends])
        three = np.exp(three) if quantity == HAZARD_RATIO else three
        rows.append((quantity, strategy, horizon, *three, ci_prob))
    names = ["quantity", "strategy", "time", "estimate", "lower", "upper", "ci_prob"]
    table = pd.DataFrame(rows, columns=names)
    table.loc[table["quantity"] == HAZARD_RATIO, "time"] = np.nan  # over all of follow-up
    return table
