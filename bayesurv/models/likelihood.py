"""Log-likelihood of censored and truncated times from a log hazard and a cumulative hazard.

For a row entering at e, with eta = x'b + group effects and H(t|x) = H0(t) exp(eta):

    exact at t             log h(t|x) - H(t|x) + H(e|x)
    right-censored at t               - H(t|x) + H(e|x)
    event in (t, u]        log(1 - exp(H(t|x) - H(u|x))) - H(t|x) + H(e|x)

Written once for numpy draws and for the pytensor model. A row may stand for several patients, see
`models.compression`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesurv.data.cohort import Cohort
from bayesurv.data.design import Design, Rows
from bayesurv.models.baselines import Array, Baseline, Parameters


@dataclass(frozen=True)
class Observed:
    """A cohort's times as a baseline sees them; what the cohort does not need is None.

    exact, between : (row,) number of events that are exact, or in (time, upper]; 1.0 or 0.0 for a
        row that is one patient's.
    hazard, time, entry, upper : bases of the baseline at each row's times, `(..., row)`.
    count : (row,) number of times that the row's cumulative hazard counts; None: once each.
    """

    exact: Array
    hazard: Array
    time: Array
    entry: Array | None = None
    upper: Array | None = None
    between: Array | None = None
    count: Array | None = None

    @classmethod
    def from_cohort(cls, cohort: Cohort, baseline: Baseline) -> "Observed":
        """Evaluate the baseline's bases at the cohort's times."""
        return cls.from_times(cohort.entry, cohort.time, cohort.upper, cohort.event, baseline)

    @classmethod
    def from_times(
        cls,
        entry: np.ndarray,
        time: np.ndarray,
        upper: np.ndarray,
        event: np.ndarray,
        baseline: Baseline,
        *,
        delayed: bool = False,
        interval: bool = False,
    ) -> "Observed":
        """Evaluate the baseline's bases at times of shape `(row,)`, as a Cohort holds them.

        `delayed` and `interval` keep the arrays of entry times and of intervals that no row needs.
        """
        between = event & np.isfinite(upper)
        # Rows without an interval get one of positive length, masked out of the likelihood.
        end = np.where(between, upper, 2 * time + 1)
        delayed = delayed or bool((entry > 0).any())
        interval = interval or bool(between.any())
        return cls(
            exact=(event & ~between).astype(float),
            hazard=baseline.hazard_basis(time),
            time=baseline.cumulative_basis(time),
            entry=baseline.cumulative_basis(entry) if delayed else None,
            upper=baseline.cumulative_basis(end) if interval else None,
            between=between.astype(float) if interval else None,
        )

    def arrays(self) -> dict[str, Array]:
        """The arrays that are there, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}


def log_likelihood(
    baseline: Baseline, observed: Observed, parameters: Parameters, predictor: Array, xp: Any
) -> Array:
    """Log-likelihood of each row, shape `(..., row)`.

    `predictor` is the linear predictor of each row, shape `(..., row)`.
    """
    relative = xp.exp(predictor)
    counted = relative if observed.count is None else observed.count * relative
    until_time = baseline.cumulative_hazard(observed.time, parameters, xp)
    log_hazard = baseline.log_hazard(observed.hazard, parameters, xp) + predictor
    total = observed.exact * log_hazard - until_time * counted
    if observed.entry is not None:
        total = total + baseline.cumulative_hazard(observed.entry, parameters, xp) * counted
    if observed.upper is not None and observed.between is not None:
        until_upper = baseline.cumulative_hazard(observed.upper, parameters, xp)
        inside = xp.where(observed.between > 0, (until_upper - until_time) * relative, 1.0)
        total = total + observed.between * xp.log(-xp.expm1(-inside))
    return total


def linear_predictor(design: Design, rows: Rows, parameters: Parameters, xp: Any) -> Array:
    """X'b plus group effects of each row, shape `(..., row)`; position -1 is group effect 0."""
    total = 0.0
    if design.terms:
        total = total + _column_effects(design, parameters, xp) @ xp.transpose(rows.fixed)
    if design.group_terms:
        effect = parameters["group_effect"]
        padded = xp.concatenate([effect, 0 * effect[..., :1]], axis=-1)
        for i in range(len(design.group_terms)):
            total = total + padded[..., rows.group_index[:, i]] * rows.group_value[:, i]
    return total


def _column_effects(design: Design, parameters: Parameters, xp: Any) -> Array:
    """Effect of each column of `Rows.fixed`: a monotone term shares its own out over steps."""
    if not design.monotone:
        return parameters["coefficient"]
    shares = []
    for i, term in enumerate(design.terms):
        effect = parameters["coefficient"][..., i, None]
        if term in design.monotone:
            effect = effect * parameters[increment_name(term)]
        shares.append(effect)
    return xp.concatenate(shares, axis=-1)


def increment_name(term: str) -> str:
    """Name of a monotone term's step shares in the posterior."""
    return f"increment[{term}]"
