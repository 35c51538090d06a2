"""What P(hazard ratio < 1) says at a threshold, and what it would take to say otherwise."""

from dataclasses import dataclass

import numpy as np

from bayesurv.data.faults import Fault
from bayesurv.inference.diagnostics import monte_carlo_error

ERRORS = 2.0  # Monte-Carlo errors by which a probability must pass its bound


def threshold_faults(threshold: float) -> list[Fault]:
    """What is wrong with the probability that makes a conclusion."""
    if 0.5 < threshold < 1:
        return []
    message = f"threshold: {threshold:g} is not above 0.5 and below 1; it is the probability from "
    return [Fault(f"{message}which on a conclusion is drawn, such as 0.95", value=threshold)]


def verdict(prob_benefit: float, threshold: float) -> str:
    """Benefit from the threshold on, harm up to 1 - threshold, undecided between."""
    if prob_benefit >= threshold:
        return "benefit"
    return "harm" if prob_benefit <= 1 - threshold else "undecided"


@dataclass(frozen=True)
class Conclusion:
    """P(hazard ratio < 1) with its Monte-Carlo error, and what it says at a threshold."""

    prob_benefit: float
    mcse: float
    hazard_ratio: float
    threshold: float

    @classmethod
    def of(cls, ratio: np.ndarray, threshold: float) -> "Conclusion":
        """From draws of the hazard ratio, `(chain, draw)`; its estimate is their median."""
        helps = ratio < 1
        error = monte_carlo_error(helps)
        return cls(float(helps.mean()), error, float(np.median(ratio)), threshold)

    @property
    def word(self) -> str:
        """Benefit, harm or undecided."""
        return verdict(self.prob_benefit, self.threshold)

    @property
    def close(self) -> bool:
        """Whether Monte-Carlo error alone could make the conclusion another."""
        bounds = np.array([self.threshold, 1 - self.threshold])
        return bool((np.abs(self.prob_benefit - bounds) <= ERRORS * self.mcse).any())

    def aims(self) -> "list[Aim]":
        """Other conclusions next to this one, the nearest first."""
        upper, lower = self.threshold, 1 - self.threshold
        around = {
            "benefit": [Aim("undecided", upper, -1)],
            "harm": [Aim("undecided", lower, 1)],
            "undecided": [Aim("benefit", upper, 1), Aim("harm", lower, -1)],
        }
        return sorted(around[self.word], key=lambda aim: abs(aim.bound - self.prob_benefit))


@dataclass(frozen=True)
class Aim:
    """Another conclusion, and the bound that P(benefit) must pass, up (1) or down (-1)."""

    word: str
    bound: float
    sign: int

    def beyond[Number: (float, np.ndarray)](self, probability: Number) -> Number:
        """How far a probability, or each of several, is past the bound."""
        return self.sign * (probability - self.bound)
