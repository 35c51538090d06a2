"""Simulated studies: who is treated, when patients enter, and how their follow-up ends."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Studies:
    """A batch of simulated studies of the same size and model.

    A patient who has not entered by the analysis stands with time 0 and no event, which adds
    nothing to the likelihood.

    pattern : (study, patient) position among the design's distinct covariate patterns.
    time : (study, patient) follow-up, in the design's unit.
    event : (study, patient) whether it ended with the event.
    entry : (study, patient) time at which a patient comes under observation; None where all do at 0.
    """

    pattern: np.ndarray
    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray | None = None
