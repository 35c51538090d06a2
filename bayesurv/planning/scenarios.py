"""What is true in simulated studies: the baseline, and the treatment's effect over time.

With H0 the cumulative hazard of a control patient without covariates, a hazard ratio that is
constant between cuts c[1] < c[2] < ... makes the treated patient's cumulative hazard

    H1(t) = sum_j r[j] (H0(min(t, c[j+1])) - H0(c[j]))    over the c[j] < t, with c[0] = 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesurv.estimands.functionals import invert, own_cumulative_hazard
from bayesurv.models.baselines import Baseline, Exponential, PiecewiseExponential, Weibull
from bayesurv.models.distributions import Distribution
from bayesurv.planning.contradictions import PRIOR, PROPORTIONAL
from bayesurv.planning.design import StudyDesign
from bayesurv.planning.keys import BaselineKeys, NonProportionalKeys, parse_effect

WANING_STEPS = 24


@dataclass(frozen=True, eq=False)
class TrueBaseline:
    """The baseline of the control patients; one row of parameters, or draws from a posterior.

    parameters : by name, each of shape `(draw, ...)`.
    scale : a time of the order of the follow-up, in the design's unit.
    """

    baseline: Baseline
    parameters: Mapping[str, np.ndarray]
    scale: float

    @property
    def draws(self) -> int:
        """Number of draws; 1 where the baseline is stated."""
        return len(next(iter(self.parameters.values())))

    def of(self, draw: np.ndarray) -> "TrueBaseline":
        """The baseline with a row of parameters for each of some draws, given by position."""
        chosen = {name: value[draw] for name, value in self.parameters.items()}
        return TrueBaseline(self.baseline, chosen, self.scale)

    def cumulative_hazard(self, time: np.ndarray) -> np.ndarray:
        """H0 at times of shape `(draw,)`, each under its own row of parameters."""
        return own_cumulative_hazard(self.baseline, self.parameters, time)

    def time(self, hazard: np.ndarray) -> np.ndarray:
        """Time at which H0 reaches a value, both `(draw,)`; infinite where it never does."""
        return invert(self.baseline, self.parameters, hazard, self.scale)

    def median(self) -> float:
        """Median survival of a control patient without covariates, the median over draws."""
        return float(np.median(self.time(np.full(self.draws, np.log(2)))))


def stated_baseline(keys: BaselineKeys) -> TrueBaseline:
    """The baseline that a design states in numbers."""
    if keys.name == "piecewise-exponential":
        cuts, hazards = keys.cuts or (), np.asarray(keys.hazards, dtype=float)
        piecewise = PiecewiseExponential(cuts=cuts, smoothing="independent")
        scale = float(cuts[-1])
        return TrueBaseline(piecewise, {"log_hazard": np.log(hazards)[None]}, scale)
    baseline: Baseline = Weibull() if keys.name == "weibull" else Exponential()
    median = float(keys.median or 1.0)
    parameters = {} if keys.shape is None else {"shape": np.array([keys.shape])}
    level = baseline.level(np.log([median]), parameters, np)
    return TrueBaseline(baseline, {"intercept": level, **parameters}, median)


@dataclass(frozen=True)
class Scenario:
    """One truth about the treatment: a fixed hazard ratio, a design prior, or one over time.

    cuts, ratios : the hazard ratio is ratios[j] from cuts[j - 1] to cuts[j].
    prior : of the log hazard ratio, from which each study draws its own.
    """

    name: str
    ratios: tuple[float, ...] = (1.0,)
    cuts: tuple[float, ...] = ()
    prior: Distribution | None = None

    @property
    def label(self) -> str:
        """Name that no other scenario of a design has."""
        return f"{self.name} {self.ratios[0]:.12g}" if self.name == PROPORTIONAL else self.name

    @property
    def hazard_ratio(self) -> float:
        """The one true hazard ratio; nan where there is none."""
        return self.ratios[0] if self.name == PROPORTIONAL else np.nan


def scenarios(design: StudyDesign) -> list[Scenario]:
    """Every truth of a design: rising hazard ratios with 1 and the margin, prior, the others."""
    _, truth = design.study()
    ratios = sorted({*truth.hazard_ratio, 1.0, design.decision.margin})
    found = [Scenario(PROPORTIONAL, (ratio,)) for ratio in ratios]
    if truth.prior is not None:
        found.append(Scenario(PRIOR, prior=parse_effect(truth.prior)))
    return found + [_over_time(name, keys) for name, keys in truth.non_proportional.items()]


def _over_time(name: str, keys: NonProportionalKeys) -> Scenario:
    if keys.kind == "delayed":
        return Scenario(name, (1.0, keys.hazard_ratio), (keys.until,))
    if keys.kind == "crossing":
        return Scenario(name, (float(keys.early or 1.0), keys.hazard_ratio), (keys.until,))
    edges = np.linspace(float(keys.since or 0.0), keys.until, WANING_STEPS + 1)
    left = 1 - (np.arange(WANING_STEPS) + 0.5) / WANING_STEPS
    steps = np.exp(left * np.log(keys.hazard_ratio))
    ratios = (keys.hazard_ratio, *steps.tolist(), 1.0)
    return Scenario(name, ratios, tuple(edges.tolist()))


def time_at(
    baseline: TrueBaseline, cuts: tuple[float, ...], ratios: np.ndarray, hazard: np.ndarray
) -> np.ndarray:
    """Time at which a patient's own cumulative hazard reaches a value.

    Parameters
    ----------
    baseline : TrueBaseline
        With one row of parameters for each patient.
    ratios : (patient, interval)
        Hazard ratio of each patient between the cuts.
    hazard : (patient,)

    Returns
    -------
    (patient,) array
        Infinite where it is never reached.
    """
    count = len(hazard)
    at_cuts = [baseline.cumulative_hazard(np.full(count, cut)) for cut in cuts]
    edges = np.stack([np.zeros(count), *at_cuts], axis=-1)
    reached = np.cumsum(np.diff(edges, axis=-1) * ratios[:, :-1], axis=-1)
    reached = np.concatenate([np.zeros((count, 1)), reached], axis=-1)
    interval = (hazard[:, None] > reached[:, 1:]).sum(axis=-1)
    own = np.arange(count), interval
    return baseline.time(edges[own] + (hazard - reached[own]) / ratios[own])
