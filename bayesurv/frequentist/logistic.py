"""Logistic regression, and Firth's penalised version of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from bayesurv.data.faults import Fault, InputError
from bayesurv.frequentist.estimate import Estimate
from bayesurv.frequentist.maximum_likelihood import maximum, spread, term_columns
from bayesurv.frequentist.newton import Evaluation
from bayesurv.frequentist.separation import reason


@dataclass(frozen=True, eq=False)
class LogisticLikelihood:
    """The binomial likelihood; with `firth`, plus half the log determinant of the information.

    covariates : (row, term), the intercept's column of ones among them.
    outcome : (row,) 1.0 or 0.0.
    """

    covariates: np.ndarray
    outcome: np.ndarray
    firth: bool = False

    def evaluate(self, coefficient: np.ndarray) -> Evaluation:
        x, y = self.covariates, self.outcome
        predictor = x @ coefficient
        prob = expit(predictor)
        weight = prob * (1 - prob)
        information = (x.T * weight) @ x
        log_likelihood = float((y * predictor - np.logaddexp(0, predictor)).sum())
        if not self.firth:
            return Evaluation(log_likelihood, x.T @ (y - prob), information)
        sign, log_determinant = np.linalg.slogdet(information)
        if not sign > 0:
            return Evaluation(np.nan, np.zeros(len(coefficient)), information, penalised=True)
        leverage = weight * np.einsum("ij,jk,ik->i", x, np.linalg.inv(information), x)
        score = x.T @ (y - prob + leverage * (0.5 - prob))
        penalised = log_likelihood + log_determinant / 2
        return Evaluation(penalised, score, information, penalised=True)

    def gaps(self, moving: np.ndarray) -> tuple[np.ndarray, None]:
        """No row's predictor may go the wrong way."""
        return np.unique(self._right_way(), axis=0), None

    def limit(self, direction: np.ndarray) -> "LogisticLikelihood":
        """Far along it, only the rows that it does not tell apart are in doubt."""
        kept = self._right_way() @ direction < 0.5
        return replace(self, covariates=self.covariates[kept], outcome=self.outcome[kept])

    def _right_way(self) -> np.ndarray:
        return (2 * self.outcome - 1)[:, None] * self.covariates


def logistic(
    outcome: ArrayLike, covariates: ArrayLike, terms: Sequence[str], *, firth: bool = False
) -> Estimate:
    """Fit log odds(outcome = 1 | x) = intercept + x b; coefficients are log odds ratios.

    Parameters
    ----------
    outcome : array, (row,)
        1 or 0.
    covariates : array, (row, term)
    terms : sequence of str
        Their names; "intercept" comes first in the result.
    firth : bool
        Add half the log determinant of the information, which keeps every estimate finite.

    Raises
    ------
    InputError
        The outcome is the same in all, a covariate is missing, or terms cannot be told apart.

    Source: Firth, Biometrika 1993; Heinze and Schemper, Statistics in Medicine 2002.
    """
    y = np.asarray(outcome, dtype=bool)
    x = term_columns(covariates, terms, len(y))
    if y.all() or not y.any():
        raise InputError([Fault("the outcome is the same in all, so no odds can be compared")])
    absent = {"no event": y, "nothing but events": ~y}
    return maximum(
        Estimate,
        LogisticLikelihood(np.column_stack([np.ones(len(y)), x]), y.astype(float), firth),
        ("intercept", *terms),
        start=np.append(np.log(y.mean() / (1 - y.mean())), np.zeros(len(terms))),
        scale=np.append(1, spread(x)) * np.sqrt(len(y)),
        tested=np.arange(len(terms) + 1) > 0,
        n=len(y),
        events=int(y.sum()),
        reasons=lambda i: reason(terms[i - 1], x[:, i - 1], absent),
    )
