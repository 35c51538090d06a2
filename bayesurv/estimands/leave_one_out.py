"""How well a model predicts each patient when that patient is left out of the fit."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from bayesurv.fitting import Fit
from bayesurv.inference.compare import bridge, standard_error
from bayesurv.inference.diagnostics import monte_carlo_error
from bayesurv.inference.reweigh import MAX_PARETO_K
from bayesurv.refitting import leave_out


@dataclass(frozen=True, eq=False)
class LeaveOneOut:
    """Log predictive density of each patient's follow-up, given all other patients.

    Arrays are `(patient,)`, in the cohort's order; densities are per the fit's unit of time.

    pointwise : log p(y_i | y without i), whose sum is elpd_loo.
    mcse : Monte-Carlo standard error of each; `total_mcse` of their sum, for all patients but
        those refitted share their draws.
    within : log p(y_i | y), with the patient among those fitted.
    pareto_k : of the importance weights; above 0.7 they are replaced by a refit.
    refitted : bool, whether the model was fitted again without the patient.
    failed : bool, refits whose draws did not pass their checks.
    """

    pointwise: np.ndarray
    mcse: np.ndarray
    total_mcse: float
    within: np.ndarray
    pareto_k: np.ndarray
    refitted: np.ndarray
    failed: np.ndarray

    @property
    def elpd(self) -> float:
        """Expected log predictive density of left-out patients, the sum over patients."""
        return float(self.pointwise.sum())

    @property
    def se(self) -> float:
        """Standard error of `elpd` as an estimate for other patients like these."""
        return standard_error(self.pointwise)

    @property
    def p_loo(self) -> float:
        """Effective number of parameters: what is lost by leaving each patient out."""
        return float((self.within - self.pointwise).sum())

    def table(self) -> pd.DataFrame:
        """One row: elpd_loo, se, p_loo, and how far the importance weights could be relied on."""
        row = {
            "elpd_loo": self.elpd,
            "se": self.se,
            "p_loo": self.p_loo,
            "pareto_k_max": self.pareto_k.max(),
            "patients_above_0.7": int((self.pareto_k > MAX_PARETO_K).sum()),
            "patients": self.pointwise.size,
        }
        return pd.DataFrame([row])


def leave_one_out(fit: Fit, seed: int = 0, *, exact: bool = True) -> LeaveOneOut:
    """Predict each patient from all others: log of the mean of p(y_i | draw) without patient i.

    By Pareto-smoothed importance weights, and where Pareto k is above 0.7 by fitting the model
    again without the patient, see `bridge`, unless that is not asked for (`exact`). A patient is
    all of their rows.

    Raises
    ------
    InputError
        The fit holds no draws of a posterior.

    Source: Vehtari, Gelman and Gabry, Statistics and Computing 2017.
    """
    left = [_predicted(fit, patient, seed, exact) for patient in range(fit.n_patients)]
    columns = (np.array(column) for column in zip(*left, strict=True))
    pointwise, errors, k, refitted, failed = columns
    mcse = np.array([monte_carlo_error(error) for error in errors])
    shared = monte_carlo_error(errors[~refitted].sum(axis=0))
    total = float(np.sqrt(shared**2 + np.square(mcse[refitted]).sum()))
    kept = fit.draws["log_likelihood"]["time"].to_numpy()
    within = np.logaddexp.reduce(kept, axis=(0, 1)) - np.log(kept[..., 0].size)
    return LeaveOneOut(pointwise, mcse, total, within, k, refitted, failed)


class _Predicted(NamedTuple):
    """One patient, left out: log density, and its error in each draw, whose mean is 0."""

    log_density: float
    error: np.ndarray
    pareto_k: float
    refitted: bool
    failed: bool


def _predicted(fit: Fit, patient: int, seed: int, exact: bool) -> _Predicted:
    left = leave_out(fit, [patient], seed, exact=exact)
    fitted, own = (
        each.draws["log_likelihood"]["time"].to_numpy()[..., patient] for each in (fit, left.fit)
    )
    if left.refitted:
        log_density, error = bridge(fitted, own)
        return _Predicted(log_density, error, left.pareto_k, True, left.fit.failed)
    with np.errstate(divide="ignore"):  # a weight may be 0
        logs = np.log(left.weights) + fitted
    mean = np.logaddexp.reduce(logs, axis=(0, 1))
    error = left.weights.size * (np.exp(logs - mean) - left.weights)
    return _Predicted(float(mean), error, left.pareto_k, False, False)
