"""Exponential and Weibull proportional hazards by maximum likelihood.

With H(t) = exp(u), u = intercept + x b + shape log t, the log-likelihood of a row is

    exact at t             u + log(shape / t) - H(t) + H(entry)
    right-censored at t                       - H(t) + H(entry)
    event in (t, upper]    log(1 - exp(H(t) - H(upper))) - H(t) + H(entry)

Along a direction d in (intercept, b, shape), with u.d for its part of u, it never falls just if
u.d = 0 at exact times, u.d <= 0 at the times t of the other rows, u.d >= 0 at every upper, and the
shape does not shrink.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from bayesurv.data.faults import Fault, InputError
from bayesurv.frequentist.estimate import Estimate
from bayesurv.frequentist.maximum_likelihood import maximum, spread, term_columns
from bayesurv.frequentist.newton import Evaluation
from bayesurv.frequentist.separation import reason

UNBOUNDED = "the shape grows for ever: within covariates, the events are all at one time"


@dataclass(frozen=True, eq=False)
class PowerLikelihood:
    """The likelihood of a cumulative hazard that is a power of time; arrays are (row,).

    covariates : (row, term), the intercept's column of ones among them.
    upper : infinite where the event is not known to an interval.
    shaped : whether log_shape is the last parameter; else the shape is 1.
    """

    covariates: np.ndarray
    entry: np.ndarray
    time: np.ndarray
    upper: np.ndarray
    exact: np.ndarray
    shaped: bool
    firth: bool = False

    def evaluate(self, parameter: np.ndarray) -> Evaluation:
        with np.errstate(all="ignore"):  # where it overflows, the log-likelihood is not a number
            return self._evaluate(parameter)

    def _evaluate(self, parameter: np.ndarray) -> Evaluation:
        shape = np.exp(parameter[-1]) if self.shaped else 1.0
        linear = np.append(parameter[: self.covariates.shape[1]], shape)
        ends = [self._design(t) for t in (self.entry, self.time, self.upper)]
        before, until, beyond = (
            np.where(known, np.exp(design @ linear), 0) for design, known in ends
        )
        at_entry, at_time, at_upper = (design for design, _ in ends)
        between = ends[2][1]
        inside = np.where(between, beyond - until, 1)
        slope = np.where(between, 1 / np.expm1(inside), 0)
        log_likelihood = (
            (at_time @ linear + np.log(shape) - at_time[:, -1])[self.exact].sum()
            - until.sum()
            + before.sum()
            + np.log(-np.expm1(-inside))[between].sum()
        )
        change = beyond[:, None] * at_upper - until[:, None] * at_time
        score = at_time[self.exact].sum(axis=0) - until @ at_time + before @ at_entry
        score += slope @ change
        curve = -(at_time.T * until * (1 + slope)) @ at_time + (at_entry.T * before) @ at_entry
        curve += (at_upper.T * slope * beyond) @ at_upper
        curve -= (change.T * slope * (1 + slope)) @ change
        score[-1] += self.exact.sum() / shape
        curve[-1, -1] -= self.exact.sum() / shape**2
        if not self.shaped:
            return Evaluation(float(log_likelihood), score[:-1], -curve[:-1, :-1])
        # From the shape to its logarithm.
        score[-1] *= shape
        curve[-1] *= shape
        curve[:, -1] *= shape
        curve[-1, -1] += score[-1]
        return Evaluation(float(log_likelihood), score, -curve)

    def gaps(self, moving: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Times must not rise nor uppers fall, and exact times must stay."""
        at_time, after_0 = self._part(self.time)
        at_upper, between = self._part(self.upper)
        gaps = [-at_time[after_0 & ~self.exact], at_upper[between]]
        if self.shaped:
            gaps.append(np.eye(at_time.shape[1])[-1:])
        return np.unique(np.concatenate(gaps), axis=0), np.unique(at_time[self.exact], axis=0)

    def limit(self, direction: np.ndarray) -> "PowerLikelihood":
        """Far along it, some times are as good as 0 and some uppers as good as never."""
        if self.shaped and self.exact.any() and direction[-1] > 1e-6:
            raise InputError([Fault(UNBOUNDED)])
        (at_time, _), (at_upper, between) = self._part(self.time), self._part(self.upper)
        start = (at_time @ direction < -0.5) & ~self.exact
        never = between & (at_upper @ direction > 0.5)
        return replace(
            self,
            time=np.where(start, 0, self.time),
            entry=np.where(start, 0, self.entry),
            upper=np.where(never, np.inf, self.upper),
        )

    def _part(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The columns of u, (row, parameter), and where the time is after 0 and not never."""
        design, known = self._design(times)
        return design if self.shaped else design[:, :-1], known

    def _design(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        known = (times > 0) & np.isfinite(times)
        log_time = np.log(np.where(known, times, 1))
        return np.column_stack([self.covariates, log_time]), known


def exponential(
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    terms: Sequence[str],
    *,
    entry: ArrayLike | None = None,
    upper: ArrayLike | None = None,
) -> Estimate:
    """Fit hazard(t | x) = exp(intercept + x b); see `weibull`."""
    return _fit(time, event, covariates, terms, entry, upper, shaped=False)


def weibull(
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    terms: Sequence[str],
    *,
    entry: ArrayLike | None = None,
    upper: ArrayLike | None = None,
) -> Estimate:
    """Fit hazard(t | x) = shape t^(shape - 1) exp(intercept + x b).

    Parameters
    ----------
    time, event : array, (row,)
    covariates : array, (row, term)
    terms : sequence of str
        Their names; the result has "intercept" before them and "log_shape" after.
    entry : array, (row,), optional
        Start of follow-up, 0 unless given; a patient may have several rows that follow each other.
    upper : array, (row,), optional
        Finite and above `time` where the event was in (time, upper].

    Raises
    ------
    InputError
        There is no event, a covariate is missing, terms cannot be told apart, or the likelihood
        has no bound.
    """
    return _fit(time, event, covariates, terms, entry, upper, shaped=True)


def _fit(
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    terms: Sequence[str],
    entry: ArrayLike | None,
    upper: ArrayLike | None,
    shaped: bool,
) -> Estimate:
    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    x = term_columns(covariates, terms, len(time))
    if not event.any():
        raise InputError([Fault("no event was observed, so no hazards can be compared")])
    entry = np.zeros_like(time) if entry is None else np.asarray(entry, dtype=float)
    upper = time if upper is None else np.asarray(upper, dtype=float)
    between = event & np.isfinite(upper) & (upper > time)
    likelihood = PowerLikelihood(
        covariates=np.column_stack([np.ones(len(time)), x]),
        entry=entry,
        time=time,
        upper=np.where(between, upper, np.inf),
        exact=event & ~between,
        shaped=shaped,
    )
    exposure = np.where(between, (time + upper) / 2, time) - entry
    rate = np.log(event.sum() / exposure.sum())
    shape = [0.0] if shaped else []
    return maximum(
        Estimate,
        likelihood,
        ("intercept", *terms, *(["log_shape"] if shaped else [])),
        start=np.concatenate([[rate], np.zeros(len(terms)), shape]),
        scale=np.concatenate([[1], spread(x), np.exp(shape)]) * np.sqrt(event.sum()),
        tested=np.concatenate([[False], np.ones(len(terms), bool), np.zeros(len(shape), bool)]),
        n=len(time),
        events=int(event.sum()),
        reasons=lambda i: reason(terms[i - 1], x[:, i - 1], {"no event": event}),
    )
