"""Cox's proportional hazards, and Firth's penalised version of it.

Our own and not lifelines, which has no profile interval, score test or Firth's penalty, nor
firthmodels, which knows neither Efron's ties nor strata nor delayed entry; both are held against
this by the tests.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from bayesurv.data.faults import Fault, InputError
from bayesurv.frequentist.estimate import Estimate
from bayesurv.frequentist.maximum_likelihood import maximum, spread, term_columns
from bayesurv.frequentist.newton import Evaluation
from bayesurv.frequentist.risk_sets import RiskSets
from bayesurv.frequentist.separation import reason

TIES = ("efron", "breslow")
MOST_CELLS = 20_000
MOST_PATTERNS = 500


@dataclass(frozen=True, eq=False)
class PartialLikelihood:
    """Cox's partial likelihood; with `firth`, plus half the log determinant of the information.

    covariates : (row, term), centred.
    """

    risk_sets: RiskSets
    covariates: np.ndarray
    firth: bool = False

    def evaluate(self, coefficient: np.ndarray) -> Evaluation:
        with np.errstate(all="ignore"):  # where it overflows, the log-likelihood is not a number
            return self._evaluate(coefficient)

    def _evaluate(self, coefficient: np.ndarray) -> Evaluation:
        sets, x = self.risk_sets, self.covariates
        predictor = x @ coefficient
        predictor -= predictor.max()
        weight = np.exp(predictor)
        total, mean = self.means(weight)
        plain = Evaluation(
            float(predictor[sets.rows].sum() - np.log(total).sum()),
            x[sets.rows].sum(axis=0) - mean.sum(axis=0),
            self.information(weight, total, mean),
        )
        return self._penalised(plain, weight, total, mean) if self.firth else plain

    def means(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sum of weights, (event,), and weighted mean of covariates, (event, term), at risk."""
        sums = self.risk_sets.sums(np.column_stack([weight, weight[:, None] * self.covariates]))
        return sums[:, 0], sums[:, 1:] / sums[:, :1]

    def information(
        self,
        weight: np.ndarray,
        total: np.ndarray,
        mean: np.ndarray,
        factor: np.ndarray | float = 1.0,
    ) -> np.ndarray:
        """Sum of the covariances of those at risk, each event's times its factor."""
        hazard = weight * self.risk_sets.shares(factor / total)
        return (self.covariates.T * hazard) @ self.covariates - (mean.T * factor) @ mean

    def _penalised(
        self, plain: Evaluation, weight: np.ndarray, total: np.ndarray, mean: np.ndarray
    ) -> Evaluation:
        """Firth: to each score is added half the trace of I^-1 dI / d coefficient."""
        sets, x = self.risk_sets, self.covariates
        sign, log_determinant = np.linalg.slogdet(plain.information)
        if not (sign > 0 and np.isfinite(log_determinant)):
            return replace(plain, log_likelihood=np.nan, penalised=True)
        inverse = np.linalg.inv(plain.information)
        spread = np.einsum("ij,jk,ik->i", x, inverse, x)
        turned = mean @ inverse
        # Third central moments of those at risk, from moments about the mean of all.
        raw = weight * spread * sets.shares(1 / total)
        raw -= 2 * weight * np.einsum("ij,ij->i", x, sets.shares(turned / total[:, None]))
        middle = 2 * np.einsum("ij,ij->i", turned, mean) - sets.sums(weight * spread) / total
        return Evaluation(
            plain.log_likelihood + log_determinant / 2,
            plain.score + (x.T @ raw + mean.T @ middle) / 2,
            plain.information,
            penalised=True,
        )

    def gaps(self, moving: np.ndarray) -> tuple[np.ndarray, None]:
        """An event's covariates less those at risk with it.

        In large data only the terms that are moving are looked at, and nothing where even these
        have too many different values to compare.
        """
        x = self.covariates
        large = len(x) * len(self.risk_sets.first) > MOST_CELLS
        looked_at = moving if large else np.ones(x.shape[1], dtype=bool)
        if large and len(np.unique(x[:, moving], axis=0)) > MOST_PATTERNS:
            return np.zeros((0, x.shape[1])), None
        found = self.risk_sets.comparisons(x[:, looked_at])
        gaps = np.zeros((len(found), x.shape[1]))
        gaps[:, looked_at] = found
        return gaps, None

    def limit(self, direction: np.ndarray) -> "PartialLikelihood":
        """Far along it, only those who stand equally far along it are compared."""
        place = self.covariates @ direction
        place = np.round(place - place.min(), 4)
        return replace(self, risk_sets=self.risk_sets.within(place))


@dataclass(frozen=True, eq=False)
class CoxFit(Estimate):
    """A fitted Cox model; coefficients are log hazard ratios.

    time, event : array, (row,)
    entry : array, (row,), or None
    """

    likelihood: PartialLikelihood
    limit: PartialLikelihood
    time: np.ndarray = field(kw_only=True)
    event: np.ndarray = field(kw_only=True)
    entry: np.ndarray | None = field(kw_only=True)


def cox(
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    terms: Sequence[str],
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    ties: str = "efron",
    firth: bool = False,
) -> CoxFit:
    """Fit hazard(t | x) = hazard_stratum(t) exp(x b), each row at risk in (entry, time].

    Parameters
    ----------
    time, event : array, (row,)
    covariates : array, (row, term)
    terms : sequence of str
        Their names.
    entry : array, (row,), optional
        Start of follow-up, 0 unless given; a patient may have several rows that follow each other.
    strata : array, (row,), optional
        Labels of the strata, each with a baseline hazard of its own.
    ties : str
        "efron" or "breslow".
    firth : bool
        Add half the log determinant of the information, which keeps every estimate finite.

    Raises
    ------
    InputError
        There is no event, a covariate is missing, or terms cannot be told apart.

    Source: Cox, JRSS B 1972; Efron, JASA 1977; Heinze and Schemper, Biometrics 2001.
    """
    if ties not in TIES:
        raise ValueError(f'no ties "{ties}"; use one of {TIES}')
    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    x = term_columns(covariates, terms, len(time))
    if not event.any():
        raise InputError([Fault("no event was observed, so no hazards can be compared")])
    entry = None if entry is None else np.asarray(entry, dtype=float)
    start = np.full(len(time), -np.inf) if entry is None else entry
    labels = np.zeros(len(time), dtype=int) if strata is None else np.asarray(strata)
    _, stratum = np.unique(labels, return_inverse=True)
    risk_sets = RiskSets.from_times(time, event, start, stratum, ties)
    return maximum(
        CoxFit,
        PartialLikelihood(risk_sets, x - x.mean(axis=0), firth),
        terms,
        start=np.zeros(len(terms)),
        scale=spread(x) * np.sqrt(event.sum()),
        tested=np.ones(len(terms), dtype=bool),
        n=len(time),
        events=int(event.sum()),
        reasons=lambda i: reason(terms[i], x[:, i], {"no event": event}),
        time=time,
        event=event,
        entry=entry,
    )
