"""A population inside each draw, whose survival is a mixture of its patients' own.

Hazards are proportional, so that it depends on the time through the baseline's cumulative hazard
alone: S(t) = sum_i share_i exp(-relative_i H0(t)). Quantiles and average hazard ratios of a
population follow from that function, whatever the baseline.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesurv.data.design import Rows
from bayesurv.estimands.curves import Profiles, profile_frame, relative_hazard
from bayesurv.estimands.functionals import quadrature
from bayesurv.fitting import Fit

PATIENTS = "(patients)"  # column of a population whose rows stand for several
HALVINGS = 10  # more than for one curve in time: the frailest may be long gone
ALL_GONE = 40.0  # a cumulative hazard that nobody survives, e^-40


@dataclass(frozen=True)
class Mixture:
    """Patients of a population in each draw; functions of the baseline cumulative hazard H0.

    share : each distinct patient's weight, `(chain, draw, patient)`, or 1 for the first two where
        all draws share it; sums to 1.
    relative : hazard relative to the reference profile, `(chain, draw, patient)`.
    """

    share: np.ndarray
    relative: np.ndarray

    def survival(self, baseline: np.ndarray) -> np.ndarray:
        """Mean survival at H0, both `(chain, draw, time)`."""
        return np.exp(-self.least * baseline) * self._beside(self.share, baseline)

    def cumulative_hazard(self, baseline: np.ndarray) -> np.ndarray:
        """Minus the log of the mean survival, also where that is too small for a number."""
        return self.least * baseline - np.log(self._beside(self.share, baseline))

    def density(self, baseline: np.ndarray) -> np.ndarray:
        """Minus the derivative of the mean survival in H0."""
        deaths = self._beside(self.share * self.relative, baseline)
        return np.exp(-self.least * baseline) * deaths

    def hazard(self, baseline: np.ndarray) -> np.ndarray:
        """Mean relative hazard of those still at risk."""
        deaths = self._beside(self.share * self.relative, baseline)
        return deaths / self._beside(self.share, baseline)

    def reaching(self, target: float) -> np.ndarray:
        """H0 at which the cumulative hazard is the target, `(chain, draw)`; by bisection."""
        low, high = (np.log(target / end(self.relative, axis=-1)) for end in (np.max, np.min))
        for _ in range(60):
            middle = (low + high) / 2
            above = self.cumulative_hazard(np.exp(middle)[..., None])[..., 0] >= target
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return np.exp((low + high) / 2)

    @property
    def least(self) -> np.ndarray:
        """Relative hazard of the hardiest patient, `(chain, draw, 1)`."""
        return self.relative.min(axis=-1, keepdims=True)

    def _beside(self, weights: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Weighted sum of survival beside that of the hardiest, who is at risk at any time."""
        excess, total = self.relative - self.least, np.zeros(baseline.shape)
        for i in range(excess.shape[-1]):
            total += weights[..., i, None] * np.exp(-excess[..., i, None] * baseline)
        return total


def mixture(
    fit: Fit, population: Profiles, bootstrap: int | None = None, source: str = "new patients"
) -> Mixture:
    """Patients of a population in each draw of a fit, equal ones as one.

    With `bootstrap`, a seed, each draw weighs the patients by a Dirichlet(1, ..., 1) of its own
    (the Bayesian bootstrap), so that intervals speak of the population these patients are a
    sample of. The same seed gives the same weights to the same patients, whatever their treatment.

    Source: Rubin, Annals of Statistics 1981.
    """
    frame = profile_frame(population)
    rows, member = distinct_rows(fit.design.apply(frame, source))
    relative = relative_hazard(fit, rows)
    weights = patients_of(frame)[None, None]
    if bootstrap is not None:
        size = (*relative.shape[:2], len(member))
        weights = np.random.default_rng(bootstrap).standard_gamma(weights, size)
    of_distinct = weights @ (member[:, None] == np.arange(len(rows.fixed)))
    return Mixture(of_distinct / weights.sum(axis=-1, keepdims=True), relative)


def patients_of(frame: pd.DataFrame) -> np.ndarray:
    """Number of patients that each row of a population stands for, `(row,)`; 1 unless it says."""
    return frame[PATIENTS].to_numpy(dtype=float) if PATIENTS in frame else np.ones(len(frame))


def distinct_rows(rows: Rows) -> tuple[Rows, np.ndarray]:
    """Distinct covariate patterns, and the position among them of each patient, `(patient,)`."""
    table = np.column_stack([rows.fixed, rows.group_index, rows.group_value])
    _, first, member = np.unique(table, axis=0, return_index=True, return_inverse=True)
    return Rows(*(array[first] for array in vars(rows).values())), member.reshape(-1)


def average_ratio(first: Mixture, second: Mixture, baseline: np.ndarray) -> np.ndarray:
    """Average hazard ratio up to H0 of shape `(chain, draw)`: see `average_hazard_ratio`.

    The two integrals add up to 1 - S1 S2, the probability that either event has come.
    """
    hardiest = (first.least + second.least)[..., 0]
    nodes, weights = quadrature(1.0, np.empty(0), HALVINGS)
    end = np.minimum(baseline, ALL_GONE / hardiest)
    at = end[..., None] * nodes
    first_dies = end * ((second.survival(at) * first.density(at)) @ weights)
    risks = [each.cumulative_hazard(baseline[..., None])[..., 0] for each in (first, second)]
    return first_dies / (-np.expm1(-sum(risks)) - first_dies)
