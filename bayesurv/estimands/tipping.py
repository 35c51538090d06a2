"""Reverse Bayes: how sceptical a prior must be for a conclusion about a treatment to fall."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from bayesurv.data.faults import InputError
from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.conclusion import threshold_faults
from bayesurv.estimands.sensitivity import LEAST_WORTH, under_treatment_prior
from bayesurv.estimands.summary import CI_PROB
from bayesurv.models.priors import Normal

VAGUE = 2.5
NARROWEST = 0.02
DRAWN_TO = 0.2  # the curve goes at least this far down
STEP = 2**0.5
THRESHOLD = 0.975
CURVE_COLUMNS = (
    "sd",
    "hazard_ratio_lower",
    "hazard_ratio_upper",
    "probability",
    "mcse",
    "failed",
)
HALVINGS = 12
NEARBY = 0.1  # in log sd, where the slope is taken

type Direction = Literal["HR < 1", "HR > 1"]


@dataclass(frozen=True)
class TippingPoint:
    """The prior Normal(0, sd) under which the probability of the conclusion is the threshold.

    direction : "HR < 1" or "HR > 1", the likelier of the two under Normal(0, 2.5).
    vague, vague_mcse : its probability there and the Monte-Carlo error of that.
    sd : missing where there is no such prior: the probability is below the threshold even there
        or, `holds`, above it even under Normal(0, 0.02).
    mcse : Monte-Carlo error of sd, that of the probability over the slope; infinite on a plateau.
    curve : columns sd, hazard_ratio_lower, hazard_ratio_upper (95% of the prior), probability and
        mcse of priors from vague to sceptical.
    """

    direction: Direction
    threshold: float
    sd: float
    mcse: float
    curve: pd.DataFrame

    @property
    def vague(self) -> float:
        """Probability of the conclusion under Normal(0, 2.5)."""
        return float(self.curve["probability"].iloc[0])

    @property
    def vague_mcse(self) -> float:
        """Its Monte-Carlo error."""
        return float(self.curve["mcse"].iloc[0])

    @property
    def holds(self) -> bool:
        """Whether the conclusion stands under every prior that was tried."""
        return bool((self.curve["probability"] >= self.threshold).all())

    def table(self) -> pd.DataFrame:
        """One row, with the 95% range of the prior and the probability under the vague one."""
        lower, upper = prior_range(self.sd)
        return pd.DataFrame(
            {
                "direction": [self.direction],
                "threshold": self.threshold,
                "sd": self.sd,
                "mcse": self.mcse,
                "hazard_ratio_lower": lower,
                "hazard_ratio_upper": upper,
                "probability_when_vague": self.vague,
            }
        )


def prior_range(sd: float, ci_prob: float = CI_PROB) -> tuple[float, float]:
    """Equal-tailed interval of the hazard ratio under a Normal(0, sd) log hazard ratio."""
    from scipy.special import ndtri

    reach = float(np.exp(sd * ndtri(0.5 + ci_prob / 2)))
    return 1 / reach, reach


def tipping_point(
    comparison: Comparison, threshold: float = THRESHOLD, seed: int = 0
) -> TippingPoint:
    """The sceptical prior of the treatment's log hazard ratio that overturns the conclusion.

    The conclusion is HR < 1, or HR > 1 if that is likelier under Normal(0, 2.5), with a posterior
    probability of at least the threshold. From there the prior Normal(0, sd) is narrowed until
    the probability falls below it, and sd found by bisection. For a normal likelihood with
    estimate b and standard error s, sd = s / sqrt((b / (s z))^2 - 1), z being the normal quantile
    of the threshold.

    Source: Matthews, Royal Society Open Science 2018; Held, same journal, 2019.

    Raises
    ------
    InputError
        The threshold is not between 0.5 and 1.
    """
    if faults := threshold_faults(threshold):
        raise InputError(faults)
    start = _Step(comparison, comparison.hazard_ratio, "HR < 1", seed)
    vague = start.at(VAGUE)
    if vague.probability < 0.5:
        vague = replace(start, direction="HR > 1").at(VAGUE)
    steps = list(_narrowing(vague, threshold))
    sd, error = _crossing(steps, threshold)
    rows = [
        (s.sd, *prior_range(s.sd), s.probability, s.mcse, s.comparison.fit.failed) for s in steps
    ]
    curve = pd.DataFrame(rows, columns=list(CURVE_COLUMNS))
    return TippingPoint(vague.direction, threshold, sd, error, curve)


@dataclass(frozen=True)
class _Step:
    """Probability of a conclusion under Normal(0, sd), from the draws of a comparison.

    They are those of the fit, and of a refit from where their weights became too uneven.
    """

    comparison: Comparison
    ratio: np.ndarray
    direction: Direction
    seed: int
    sd: float = np.nan
    probability: float = np.nan
    mcse: float = np.nan

    def at(self, sd: float, least_worth: float = LEAST_WORTH) -> "_Step":
        """The same under another prior."""
        prior = Normal(0, float(sd))
        moved, found = under_treatment_prior(self.comparison, prior, self.seed, least_worth)
        ratio = moved.hazard_ratio if found.refitted else self.ratio
        true = ratio < 1 if self.direction == "HR < 1" else ratio > 1
        return replace(
            self,
            comparison=moved,
            ratio=ratio,
            sd=prior.sigma,
            probability=found.probability(true),
            mcse=found.error(true),
        )


def _narrowing(step: _Step, threshold: float) -> Iterator[_Step]:
    """The first step, and narrower ones until the conclusion has fallen and the curve is drawn."""
    yield step
    while step.sd > DRAWN_TO or (step.probability >= threshold and step.sd > NARROWEST):
        step = step.at(max(step.sd / STEP, NARROWEST))
        yield step


def _crossing(steps: list[_Step], threshold: float) -> tuple[float, float]:
    """Where the probability first falls to the threshold, and the Monte-Carlo error of that."""
    fallen = [i for i, step in enumerate(steps) if step.probability < threshold]
    if not fallen or fallen[0] == 0:
        return np.nan, np.nan
    before, after = steps[fallen[0] - 1 : fallen[0] + 1]
    # Few draws of vaguer priors lie on the far side of 1; of a refit at this one, enough do.
    base = after.at(after.sd, least_worth=0.99)

    def at(log_sd: float) -> _Step:  # of the same draws, so that the probability has no jumps
        return base.at(np.exp(log_sd), least_worth=0)

    low, high = np.log([after.sd / STEP, before.sd])
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if at(middle).probability >= threshold else (middle, high)
    found, narrower, wider = (at(low + change) for change in (0, -NEARBY, NEARBY))
    slope = (wider.probability - narrower.probability) / (2 * NEARBY)
    return found.sd, found.sd * found.mcse / slope if slope > 0 else np.inf
