"""Maximum-likelihood estimates with their tests and intervals, whatever the likelihood."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import chi2, norm

from bayesurv.frequentist.newton import Evaluation, Maximum, maximise

MOST_DOUBLINGS = 60


class Likelihood(Protocol):
    """What can be maximised, and what it does where it has no finite maximum."""

    @property
    def firth(self) -> bool:
        """Whether it has Firth's penalty."""

    def evaluate(self, parameter: np.ndarray, /) -> Evaluation:
        """The log-likelihood; NaN where it has no value."""

    def gaps(self, moving: np.ndarray, /) -> tuple[np.ndarray, np.ndarray | None]:
        """What must not fall, and what must stay, along a direction of recession.

        `moving`, (parameter,), is true where the search was still moving.
        """

    def limit(self, direction: np.ndarray, /) -> "Likelihood":
        """The likelihood far along a direction of recession."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """The maximum of a likelihood, or of Firth's penalised likelihood.

    Parameters
    ----------
    likelihood : Likelihood
        What was maximised.
    limit : Likelihood
        What it becomes where it rises to its limit; itself if it has a maximum.
    terms : tuple of str
        Names of the parameters; log hazard ratios or log odds ratios, and what goes with them.
    tested : array, (term,)
        False for the parameters that the null model has too (intercept, log_shape).
    coefficient : array, (term,)
        Infinite where the likelihood rises for ever, NaN where it does so either way.
    covariance : array, (term, term)
        Inverse of the information; NaN for terms without a finite estimate. With those, the rest
        is the limit that the other terms go to.
    log_likelihood : float
        With Firth's penalty if there is one; without a maximum, what it rises to.
    null : Maximum
        The null model.
    scale : array, (term,)
        Steps of 1 / scale are one standard error or so.
    n, events : int
        Number of rows and of events.
    infinite : dict
        Terms without a finite estimate: 1 if it is infinite, -1 if minus infinite, 0 if nothing
        tells which.
    notes : tuple of str
        What the reader must know.
    """

    likelihood: Likelihood
    limit: Likelihood
    terms: tuple[str, ...]
    tested: np.ndarray
    coefficient: np.ndarray
    covariance: np.ndarray
    log_likelihood: float
    null: Maximum
    scale: np.ndarray
    n: int
    events: int
    infinite: dict[str, int]
    notes: tuple[str, ...] = ()

    @property
    def firth(self) -> bool:
        return self.likelihood.firth

    @property
    def null_log_likelihood(self) -> float:
        return self.null.at.log_likelihood

    @property
    def standard_error(self) -> np.ndarray:
        return np.sqrt(np.diag(self.covariance))

    def p(self, test: str = "wald") -> np.ndarray:
        """Two-sided P of each term, (term,), by "wald", "likelihood-ratio" or "score"."""
        if test == "wald":
            return 2 * norm.sf(abs(self._finite / self.standard_error))
        if test == "likelihood-ratio":
            rise = [self.log_likelihood - there.at.log_likelihood for there in self._without]
            return chi2.sf(2 * np.maximum(rise, 0), 1)
        if test == "score" and not self.firth:
            return chi2.sf([_score_statistic(there.at) for there in self._without], 1)
        raise ValueError(f'no test "{test}" of a term{" with Firth" if self.firth else ""}')

    def tests(self) -> pd.DataFrame:
        """Tests that no term matters: test, statistic, degrees_of_freedom, p.

        With Firth's penalty there is no score test; Wald's is missing if an estimate is infinite.
        """
        size = int(self.tested.sum())
        rise = 2 * (self.log_likelihood - self.null_log_likelihood)
        statistics = {"likelihood-ratio": max(rise, 0.0), "wald": self._wald_statistic()}
        if not self.firth:
            statistics["score"] = _score_statistic(self.null.at)
        table = pd.DataFrame(statistics.items(), columns=["test", "statistic"])
        return table.assign(degrees_of_freedom=size, p=chi2.sf(table["statistic"], size))

    def interval(
        self, ci_prob: float = 0.95, method: str = "wald"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends, (term,), by "wald" or "profile" likelihood."""
        if method == "wald":
            half = norm.ppf((1 + ci_prob) / 2) * self.standard_error
            return self._finite - half, self._finite + half
        if method != "profile":
            raise ValueError(f'no interval "{method}"; use "wald" or "profile"')
        ends = [
            [self._profile_end(i, way, ci_prob) for i in range(len(self.terms))] for way in (-1, 1)
        ]
        return np.array(ends[0]), np.array(ends[1])

    def _wald_statistic(self) -> float:
        if self.infinite:
            return np.nan
        coefficient = self.coefficient[self.tested]
        within = self.covariance[np.ix_(self.tested, self.tested)]
        return float(coefficient @ np.linalg.solve(within, coefficient))

    @property
    def _finite(self) -> np.ndarray:
        return np.where(np.isfinite(self.coefficient), self.coefficient, np.nan)

    @cached_property
    def _without(self) -> list[Maximum]:
        """The maximum with each term at 0."""
        return [self._profile(i, 0.0, self.null.parameter) for i in range(len(self.terms))]

    def _profile(self, term: int, value: float, start: np.ndarray) -> Maximum:
        """The maximum with one term at a value."""
        start = start.copy()
        start[term] = value
        others = np.delete(np.diag(1 / self.scale), term, axis=1)
        rises = self.terms[term] in self.infinite
        likelihood = self.likelihood if rises else self.limit
        return maximise(likelihood.evaluate, start, others)

    def _profile_end(self, term: int, way: int, ci_prob: float) -> float:
        """Where, below or above the estimate, the profile has fallen as far as the test allows."""
        sign = self.infinite.get(self.terms[term])
        if sign in (way, 0):
            return way * np.inf
        floor = self.log_likelihood - chi2.ppf(ci_prob, 1) / 2
        # The start of each search is where the last one ended.
        warm = np.where(np.isfinite(self.coefficient), self.coefficient, self.null.parameter)

        def above(value: float) -> float:
            nonlocal warm
            there = self._profile(term, value, warm)
            warm = there.parameter
            return there.at.log_likelihood - floor

        inner = outer = 0.0 if sign else self.coefficient[term]
        width = way / self.scale[term]
        for _ in range(MOST_DOUBLINGS):
            if above(inner) > 0:
                break
            inner, width = inner - width, 2 * width
        for _ in range(MOST_DOUBLINGS):
            if above(outer) < 0:
                return float(brentq(above, inner, outer, xtol=1e-10))
            outer, width = outer + width, 2 * width
        return way * np.inf


def _score_statistic(at: Evaluation) -> float:
    return float(at.score @ np.linalg.pinv(at.information, hermitian=True) @ at.score)
