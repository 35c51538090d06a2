"""Schoenfeld residuals, and the test of proportional hazards that goes with them."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import chi2, rankdata

from bayesurv.frequentist.cox import CoxFit
from bayesurv.frequentist.kaplan_meier import kaplan_meier

EVERY_TERM = "all terms"


def schoenfeld(fit: CoxFit, transform: str = "km") -> pd.DataFrame:
    """Test whether hazard ratios change with time.

    The score test that x g(t) adds nothing for each term beside all terms, and for all at once;
    g is a transform of time: "km" (1 - Kaplan-Meier just before), "rank" (of all follow-up times),
    "identity" or "log". These are the tests of R's cox.zph since survival 3.0, not those of before.

    Returns
    -------
    DataFrame
        Columns term, statistic, degrees_of_freedom, p; "all terms" is the last row.

    Raises
    ------
    ValueError
        The fit has infinite estimates or Firth's penalty, so that its score is not 0.

    Source: Grambsch and Therneau, Biometrika 1994.
    """
    g = _transformed(fit, transform)
    weight, total, mean = _at_risk(fit)
    likelihood = fit.likelihood
    residual = likelihood.covariates[likelihood.risk_sets.rows] - mean
    plain, crossed, squared = (
        likelihood.information(weight, total, mean, factor) for factor in (np.ones(len(g)), g, g**2)
    )
    within = squared - crossed @ np.linalg.solve(plain, crossed)
    score = g @ residual
    everything = float(score @ np.linalg.solve(within, score))
    size = len(fit.terms)
    table = pd.DataFrame(
        {
            "term": [*fit.terms, EVERY_TERM],
            "statistic": np.append(score**2 / np.diag(within), everything),
            "degrees_of_freedom": [1] * size + [size],
        }
    )
    return table.assign(p=chi2.sf(table["statistic"], table["degrees_of_freedom"]))


def scaled_residuals(fit: CoxFit) -> pd.DataFrame:
    """Schoenfeld residual of each event times the mean inverse information, plus the coefficient.

    Columns time and the terms, in order of time: their smooth shows each log hazard ratio over
    time. Those tied at one time are compared with the mean of all who were at risk then.
    """
    _, _, mean = _at_risk(fit)
    sets = fit.likelihood.risk_sets
    together = np.add.reduceat(mean, sets.first) / np.bincount(sets.time)[:, None]
    residual = fit.likelihood.covariates[sets.rows] - together[sets.time]
    scaled = fit.coefficient + fit.events * residual @ fit.covariance
    table = pd.DataFrame(scaled, columns=list(fit.terms))
    table.insert(0, "time", fit.time[sets.rows])
    return table.sort_values("time", kind="stable", ignore_index=True)


def _at_risk(fit: CoxFit) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weight of each row; sum of weights and mean of covariates of those at risk at each event."""
    if fit.infinite or fit.firth:
        raise ValueError("residuals need finite maximum-likelihood estimates")
    predictor = fit.likelihood.covariates @ fit.coefficient
    weight = np.exp(predictor - predictor.max())
    return weight, *fit.likelihood.means(weight)


def _transformed(fit: CoxFit, transform: str) -> np.ndarray:
    """The transformed time of each event, less their mean."""
    transforms: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "km": lambda time: _died_before(fit),
        "rank": rankdata,
        "identity": np.asarray,
        "log": np.log,
    }
    if transform not in transforms:
        raise ValueError(f'no transform "{transform}"; use one of {tuple(transforms)}')
    g = transforms[transform](fit.time)[fit.likelihood.risk_sets.rows]
    return g - g.mean()


def _died_before(fit: CoxFit) -> np.ndarray:
    curve = kaplan_meier(fit.time, fit.event, fit.entry)
    step = np.searchsorted(curve.time[1:], fit.time, side="left")
    return 1 - curve.survival[step]
