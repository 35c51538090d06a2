"""What is concluded of a study: at each look, and at the final analysis."""

from dataclasses import dataclass

import numpy as np

from bayesurv.planning.keys import DecisionKeys


@dataclass(frozen=True, eq=False)
class Course:
    """How each study goes under a rule, all of shape `(study,)`.

    success : whether it ends in success, at a look or at the final analysis.
    stage : position of the analysis at which it ends; the last one is the final analysis.
    """

    success: np.ndarray
    stage: np.ndarray


def course(probability: np.ndarray, keys: DecisionKeys, threshold: float) -> Course:
    """Follow each study through its looks.

    It stops in success where the probability is at least the look's efficacy bound, and without
    success where it is at most the futility bound; the final analysis compares with the threshold.

    Parameters
    ----------
    probability : (look, study)
        Posterior probability of benefit, the final analysis last; nan where there was no look.
    """
    looks = len(probability) - 1
    success = probability[-1] >= threshold
    stage = np.full(len(success), looks)
    for look in reversed(range(looks)):
        won, lost = stopped(probability[look], keys, look)
        success = np.where(won, True, np.where(lost, False, success))
        stage = np.where(won | lost, look, stage)
    return Course(success, stage)


def stopped(
    probability: np.ndarray, keys: DecisionKeys, look: int
) -> tuple[np.ndarray, np.ndarray]:
    """Whether a look's own bounds stop a study for success or for futility, both `(study,)`."""
    nobody = np.zeros(probability.shape, dtype=bool)
    won = probability >= keys.efficacy[look] if keys.efficacy is not None else nobody
    lost = probability <= keys.futility[look] if keys.futility is not None else nobody
    return won, lost & ~won
