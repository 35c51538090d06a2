"""Selection into an arm: what the hazard ratio becomes when early deaths are put back into it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtri

from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.partial_posterior import PartialPosterior, partial_posterior
from bayesurv.estimands.summary import CI_PROB
from bayesurv.frequentist.counting import count_at_risk
from bayesurv.frequentist.partial_likelihood import TwoArms, two_arms
from bayesurv.models.priors import DEFAULT_COEFFICIENT, Prior

MOST_ADDED = 15
REPLICATES = 20
EARLIEST = 0.1  # of the arm's first exit: who dies before that had no time to be treated


@dataclass(frozen=True, eq=False)
class SelectionCurve:
    """Hazard ratio of the treated when 0, 1, 2, ... early deaths are put back into one arm.

    arm : 0 or 1, untreated or treated, who get them.
    earliest, latest : between which the deaths are drawn, uniformly.
    log_hazard_ratio, standard_error : (added, replicate) by Cox's model; infinite where all events
        befell one arm.
    posterior : density (added, replicate, point) of the log hazard ratio.
    prior : of the log hazard ratio.
    """

    arm: int
    earliest: float
    latest: float
    log_hazard_ratio: np.ndarray
    standard_error: np.ndarray
    posterior: PartialPosterior
    prior: Prior

    def table(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """A row for each number of deaths.

        Columns added, hazard_ratio, lower, upper (Cox), hazard_ratio_mcse, posterior_median,
        posterior_lower, posterior_upper, prob_benefit (hazard ratio below 1), prob_benefit_mcse,
        ci_prob. Hazard ratios are geometric means over the replicates; an interval's variance is
        that within replicates plus (1 + 1/R) that between them (Rubin, 1987). Posteriors are
        averaged. A mcse is the Monte-Carlo error that drawing the times leaves. Where an estimate
        is infinite, Cox's columns are not numbers.
        """
        replicates = self.log_hazard_ratio.shape[1]
        ratios = np.where(np.isfinite(self.log_hazard_ratio), self.log_hazard_ratio, np.nan)
        between = _variance(ratios)
        within = (self.standard_error**2).mean(axis=1)
        reach = ndtri(0.5 + ci_prob / 2) * np.sqrt(within + between * (1 + 1 / replicates))
        middle = ratios.mean(axis=1)
        averaged = self.posterior.mixture(axis=-2)
        benefit = self.posterior.probability_below()
        ends = (0.5, 0.5 - ci_prob / 2, 0.5 + ci_prob / 2)
        median, lower, upper = (np.exp(averaged.quantile(end)) for end in ends)
        return pd.DataFrame(
            {
                "added": np.arange(len(middle)),
                "hazard_ratio": np.exp(middle),
                "lower": np.exp(middle - reach),
                "upper": np.exp(middle + reach),
                "hazard_ratio_mcse": np.exp(middle) * np.sqrt(between / replicates),
                "posterior_median": median,
                "posterior_lower": lower,
                "posterior_upper": upper,
                "prob_benefit": benefit.mean(axis=1),
                "prob_benefit_mcse": np.sqrt(_variance(benefit) / replicates),
                "ci_prob": ci_prob,
            }
        )


def selection_curve(
    time: ArrayLike,
    event: ArrayLike,
    treated: ArrayLike,
    entry: ArrayLike | None = None,
    *,
    most: int = MOST_ADDED,
    replicates: int = REPLICATES,
    arm: int | None = None,
    earliest: float | None = None,
    prior: Prior = DEFAULT_COEFFICIENT,
    seed: int = 0,
) -> SelectionCurve:
    """Put 0, 1, ..., `most` early deaths back into one arm, and compare the arms anew each time.

    The times are uniform between `earliest` and the first exit of that arm, drawn `replicates`
    times; the first k of them are those of k deaths, so that a curve over k is not jagged.

    Parameters
    ----------
    time, event, entry : array, (row,)
        End of follow-up, whether it ended in the event, and its start, 0 unless given.
    treated : array, (row,)
        1 for the treated, 0 for the others.
    most : int
        Most deaths put back.
    replicates : int
        Draws of their times.
    arm : {0, 1}, optional
        Who get them; unless given, the arm whose first exit is later.
    earliest : float, optional
        Earliest time of a death put back; unless given, a tenth of the arm's first exit.
    prior : Normal, StudentT or HazardRatio
        Of the log hazard ratio.
    seed : int

    Raises
    ------
    InputError
        An arm has nobody, or `earliest` is not between 0 and the arm's first exit.
    """
    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    arms = np.asarray(treated).astype(bool)
    if arms.all() or not arms.any():
        raise InputError([Fault("one of the two arms has nobody; nothing can be compared")])
    exits = [float(time[~arms].min()), float(time[arms].min())]
    chosen = int(exits[1] > exits[0]) if arm is None else arm
    latest = exits[chosen]
    earliest = EARLIEST * latest if earliest is None else earliest
    if not 0 < earliest < latest:
        message = f"the earliest death to put back, {earliest:g}, is not above 0 and below "
        raise InputError([Fault(f"{message}{latest:g}, the first exit of the arm", value=earliest)])
    early = np.random.default_rng(seed).uniform(earliest, latest, (replicates, most))
    likelihood = _with_early(time, event, arms, entry, chosen, early)
    estimate, error = likelihood.estimate()
    posterior = partial_posterior(likelihood, prior)
    return SelectionCurve(chosen, earliest, latest, estimate, error, posterior, prior)


def _with_early(
    time: np.ndarray,
    event: np.ndarray,
    arms: np.ndarray,
    entry: ArrayLike | None,
    chosen: int,
    early: np.ndarray,
) -> TwoArms:
    """Partial likelihoods, (added, replicate), with the first deaths of `early`, (replicate, most).

    Nobody of the arm leaves before them, and all of them leave before anyone of it: it is enough
    to count.
    """
    base = two_arms(time, event, arms, entry)
    begin = np.zeros_like(time) if entry is None else np.asarray(entry, dtype=float)
    added = np.arange(early.shape[1] + 1)
    put_back = np.arange(early.shape[1]) < added[:, None, None]
    there = [count_at_risk(begin[arm], time[arm], early) for arm in (~arms, arms)]
    at_risk = []
    for arm, left in enumerate((base.untreated, base.treated)):
        later = np.broadcast_to(left, (len(added), len(early), len(left)))
        own = np.broadcast_to(there[arm], (len(added), *early.shape)).astype(float)
        if arm == chosen:
            later = later + _still_there(early, np.sort(time[event]))
            own = own + _still_there(early, early)
        at_risk.append(np.concatenate([later, own], axis=-1))
    present = np.broadcast_to(put_back, own.shape).astype(float)
    weight = np.concatenate([np.ones_like(later), present], axis=-1)
    in_treated = base.in_treated + chosen * np.broadcast_to(added[:, None], own.shape[:-1])
    return TwoArms(at_risk[0], at_risk[1], weight, in_treated)


def _still_there(early: np.ndarray, at: np.ndarray) -> np.ndarray:
    """How many of the first 0, 1, ... early deaths come at or after each time.

    `at` is (time,) or (replicate, time); the counts are (added, replicate, time).
    """
    times = at if at.ndim == 2 else at[None, :]
    after = np.cumsum(early[:, :, None] >= times[:, None, :], axis=1)
    counts = np.concatenate([np.zeros_like(after[:, :1]), after], axis=1)
    return counts.transpose(1, 0, 2)


def _variance(values: np.ndarray) -> np.ndarray:
    """Variance over the replicates, (added, replicate); 0 where there is one."""
    return values.var(axis=1, ddof=1) if values.shape[1] > 1 else np.zeros(len(values))
