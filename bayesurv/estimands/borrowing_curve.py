"""How the answer moves with the prior weight of external evidence, and where it tips."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesurv.data.faults import InputError
from bayesurv.estimands.borrowing import Borrowed
from bayesurv.estimands.conclusion import ERRORS, threshold_faults, verdict

# Even steps, and closer ones to both ends, where evidence in conflict with the data counts at last.
_NEAR = np.array([0.003, 0.001, 3e-4, 1e-4, 1e-5, 1e-6])
GRID = np.unique(np.concatenate([np.linspace(0, 1, 101), _NEAR, 1 - _NEAR]))


@dataclass(frozen=True)
class Flip:
    """A weight at which the conclusion changes from one to another, as the weight grows."""

    weight: float
    before: str
    after: str


@dataclass(frozen=True)
class WeightCurve:
    """The answer over the prior weight of the evidence, from 0 to 1.

    curve : columns weight, posterior_weight (of all evidence), hazard_ratio, lower, upper,
        prob_benefit, mcse and conclusion.
    """

    threshold: float
    curve: pd.DataFrame
    flips: tuple[Flip, ...]

    @property
    def conclusion(self) -> str:
        """What is concluded without any evidence."""
        return str(self.curve["conclusion"].iloc[0])

    @property
    def close(self) -> bool:
        """Whether Monte-Carlo error alone could make that another."""
        first = self.curve.iloc[0]
        bounds = np.array([self.threshold, 1 - self.threshold])
        return bool((np.abs(first["prob_benefit"] - bounds) <= ERRORS * first["mcse"]).any())


def weight_curve(borrowed: Borrowed, threshold: float) -> WeightCurve:
    """Follow the answer of one estimate over the prior weight, exactly.

    P(benefit) goes monotonically from that without evidence to that with evidence alone, so that
    each bound, the threshold for benefit and 1 - threshold for harm, is passed once at most.

    Raises
    ------
    InputError
        The threshold is not between 0.5 and 1.
    """
    if faults := threshold_faults(threshold):
        raise InputError(faults)
    flips = tuple(_flips(borrowed, threshold))
    weights = np.union1d(GRID, [flip.weight for flip in flips])
    posterior = borrowed.weights(weights)
    found = borrowed.posteriors.summary(posterior)
    curve = pd.DataFrame(
        {
            "weight": weights,
            "posterior_weight": 1 - posterior[..., -1],
            "hazard_ratio": found.hazard_ratio,
            "lower": found.lower,
            "upper": found.upper,
            "prob_benefit": found.prob_benefit,
            "mcse": found.mcse,
        }
    )
    rounded = curve["prob_benefit"].round(9)  # at a bound, it is passed
    curve["conclusion"] = [verdict(chance, threshold) for chance in rounded]
    return WeightCurve(threshold, curve, flips)


def _flips(borrowed: Borrowed, threshold: float) -> Iterator[Flip]:
    """Where P(benefit) passes a bound: the posterior weight there, and the prior weight of it."""
    ends = borrowed.posteriors.summary(borrowed.weights([0.0, 1.0]))
    first, last = map(float, ends.prob_benefit)
    odds, rising = _bayes_factor(borrowed), last > first
    for bound in sorted((threshold, 1 - threshold), reverse=not rising):
        if (first < bound) == (last < bound):
            continue
        needed = (bound - first) / (last - first)
        weight = needed / (needed + (1 - needed) * odds)
        words = [verdict(bound + side * 1e-9, threshold) for side in (-1, 1)]
        before, after = words if rising else words[::-1]
        yield Flip(float(weight), before, after)


def _bayes_factor(borrowed: Borrowed) -> float:
    """Marginal likelihood of the data under the evidence over that under the vague component."""
    share = borrowed.weights(0.5)
    return float((1 - share[-1]) / share[-1])
