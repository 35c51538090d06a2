"""Risks of binary outcomes in the two arms of a treatment, and their contrasts, as draws."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import fisher_exact

from bayesurv.data.covariates import is_category
from bayesurv.data.faults import Fault, InputError, nearest
from bayesurv.estimands.curves import plain
from bayesurv.estimands.summary import CI_PROB, quantiles
from bayesurv.frequentist.logistic import logistic
from bayesurv.inference.diagnostics import monte_carlo_error
from bayesurv.responding import ResponseFit


@dataclass(frozen=True, eq=False)
class RiskComparison:
    """Two arms of a treatment; everyone of the cohort is in the first, and then in the second.

    levels : of the treatment, the one without it first.
    """

    fit: ResponseFit
    treatment: str
    levels: tuple[object, object]

    @property
    def names(self) -> tuple[str, str]:
        """Each arm as figures and sentences name it, such as "cti2 = 1"."""
        first, second = self.levels
        return f"{self.treatment} = {plain(first)}", f"{self.treatment} = {plain(second)}"

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Names of the outcomes."""
        return self.fit.outcomes.names

    @cached_property
    def risks(self) -> np.ndarray:
        """Risk of each outcome, averaged over the patients, `(arm, chain, draw, outcome)`."""
        parameters, specification = self.fit.parameters(), self.fit.specification
        training = self.fit.design.training
        arms = []
        for level in self.levels:
            given = pd.Series(level, training.index, training[self.treatment].dtype)
            rows = self.fit.design.apply(training.assign(**{self.treatment: given}))
            log_odds = specification.log_odds(rows.fixed, parameters)
            arms.append(expit(log_odds).mean(axis=-2))
        return np.stack(arms)

    @cached_property
    def counts(self) -> np.ndarray:
        """Patients with each outcome and those known, `(arm, 2, outcome)`."""
        values, received = self.fit.outcomes.values, self.fit.design.training[self.treatment]
        members = [values[(received == level).to_numpy()] for level in self.levels]
        return np.array([(np.nansum(m, axis=0), (~np.isnan(m)).sum(axis=0)) for m in members], int)

    @cached_property
    def worse(self) -> np.ndarray:
        """Draws in which the second arm is worse, `(chain, draw, outcome)`."""
        first, second = self.risks
        return second > first if self.fit.outcomes.harmful else second < first


def compare_risks(fit: ResponseFit, treatment: str) -> RiskComparison:
    """The two arms of a treatment.

    Raises
    ------
    InputError
        As `two_levels`.
    """
    return RiskComparison(fit, treatment, two_levels(fit.design.training, treatment))


def two_levels(covariates: pd.DataFrame, treatment: str) -> tuple[object, object]:
    """The levels of a treatment, the one without it first.

    Raises
    ------
    InputError
        The treatment is not among the covariates, or has not two levels.
    """
    if treatment not in covariates:
        hint = nearest(treatment, covariates)
        raise InputError([Fault(f'--treatment: "{treatment}" is not in the formula.{hint}')])
    values = covariates[treatment]
    levels = values.cat.categories if is_category(values) else np.sort(values.unique())
    if len(levels) != 2:
        message = f'--treatment: "{treatment}" has {len(levels)} levels; name a covariate with two'
        raise InputError([Fault(message)])
    first, second = levels.tolist()
    return first, second


def risk_table(asked: RiskComparison, ci_prob: float = CI_PROB) -> pd.DataFrame:
    """Risk of each outcome in each arm beside what was observed.

    Columns outcome, arm, events, patients (whose outcome is known), proportion, estimate
    (posterior median of the risk, standardised over the cohort), lower and upper (equal-tailed).
    """
    rows = []
    for k, outcome in enumerate(asked.outcomes):
        for arm, name in enumerate(asked.names):
            events, patients = asked.counts[arm, :, k].tolist()
            lower, estimate, upper = quantiles(asked.risks[arm, ..., k].ravel(), ci_prob)
            proportion = events / patients if patients else np.nan
            rows.append((outcome, name, events, patients, proportion, estimate, lower, upper))
    columns = "outcome arm events patients proportion estimate lower upper".split()
    return pd.DataFrame(rows, columns=columns)


def risk_contrasts(asked: RiskComparison, ci_prob: float = CI_PROB) -> pd.DataFrame:
    """The second arm against the first, for each outcome.

    Columns outcome, quantity, estimate (posterior median), lower, upper (equal-tailed interval),
    prob_worse (that the second arm is worse: less of a good outcome, more of a harmful one), mcse
    (its Monte-Carlo error) and fisher_p (two-sided Fisher's exact test of the counts). Rows:

    - `risk_difference`, `risk_ratio` and `odds_ratio` of the standardised risks; the ratio of odds
      is marginal, nearer to 1 than that at equal covariates.
    - `number_needed_to_treat` for one patient more who is better off, and `number_needed_to_harm`
      for one who is worse off: 1 / risk difference, infinite in the draws without one.
    """
    rows = []
    for k, outcome in enumerate(asked.outcomes):
        worse = asked.worse[..., k]
        events, patients = asked.counts[:, :, k].T
        fisher = float(fisher_exact(np.array([events, patients - events])).pvalue)
        shared = (float(worse.mean()), monte_carlo_error(worse), fisher)
        first, second = asked.risks[..., k]
        for quantity, draws in _contrasts(first, second, worse):
            lower, estimate, upper = quantiles(draws.ravel(), ci_prob)
            rows.append((outcome, quantity, estimate, lower, upper, *shared))
    columns = "outcome quantity estimate lower upper prob_worse mcse fisher_p".split()
    return pd.DataFrame(rows, columns=columns)


def _contrasts(
    first: np.ndarray, second: np.ndarray, worse: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """Name and draws of each contrast of two risks."""
    difference = second - first
    yield "risk_difference", difference
    yield "risk_ratio", second / first
    yield "odds_ratio", second / (1 - second) * (1 - first) / first
    with np.errstate(divide="ignore"):
        needed = 1 / np.abs(difference)
    yield "number_needed_to_treat", np.where(worse, np.inf, needed)
    yield "number_needed_to_harm", np.where(worse, needed, np.inf)


def classical_odds(asked: RiskComparison, ci_prob: float = CI_PROB) -> pd.DataFrame:
    """Logistic regression of each outcome by itself, beside the posterior.

    Columns outcome, term, method (`logistic`; also `logistic-firth` where an estimate of the former
    is not finite), odds_ratio, lower, upper (profile likelihood) and p (likelihood-ratio test). An
    outcome that is the same in all patients has no rows.
    """
    tables = [
        _odds(name, values, asked, ci_prob)
        for name, values in zip(asked.outcomes, asked.fit.outcomes.values.T, strict=True)
    ]
    columns = "outcome term method odds_ratio lower upper p".split()
    return pd.DataFrame([row for table in tables for row in table], columns=columns)


def _odds(
    outcome: str, values: np.ndarray, asked: RiskComparison, ci_prob: float
) -> Iterator[tuple]:
    """Rows of `classical_odds` of one outcome."""
    design, known = asked.fit.design, ~np.isnan(values)
    data = values[known], design.rows.fixed[known], design.terms
    try:
        found = [logistic(*data)]
    except InputError:  # nothing can be compared
        return
    if found[0].infinite:
        found.append(logistic(*data, firth=True))
    for each in found:
        method = "logistic-firth" if each.firth else "logistic"
        lower, upper = each.interval(ci_prob, "profile")
        numbers = np.exp([each.coefficient, lower, upper]), each.p("likelihood-ratio")
        rows = np.vstack(numbers).T[1:]  # without the intercept
        yield from ((outcome, t, method, *row) for t, row in zip(design.terms, rows, strict=True))
