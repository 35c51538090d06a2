"""Selection into an arm: what the hazard ratio becomes when early deaths are put back into it."""

from collections.abc import Sequence
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

POOLED_POINTS = 1501
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


def pooled_selection(curves: Sequence[SelectionCurve], ci_prob: float = CI_PROB) -> pd.DataFrame:
    """One table for several cohorts that could each be the true one, as those of an ensemble.

    Columns as in `SelectionCurve.table`, with hazard_ratio_lowest, hazard_ratio_highest,
    prob_benefit_lowest and prob_benefit_highest over the members. An interval's variance is that
    within members plus (1 + 1/M) that between them; posteriors are averaged over members. A mcse is
    the error that so few members leave.
    """
    tables = [curve.table(ci_prob) for curve in curves]
    found = {name: np.stack([t[name].to_numpy() for t in tables], axis=1) for name in tables[0]}
    reach = float(ndtri(0.5 + ci_prob / 2))
    log_ratio = np.log(found["hazard_ratio"])
    within = (np.log(found["upper"] / found["lower"]) / (2 * reach)) ** 2
    between, members = _variance(log_ratio), len(curves)
    middle = log_ratio.mean(axis=1)
    reach *= np.sqrt(within.mean(axis=1) + between * (1 + 1 / members))
    median, lower, upper = _pooled_quantiles(curves, ci_prob)
    return pd.DataFrame(
        {
            "added": found["added"][:, 0],
            "hazard_ratio": np.exp(middle),
            "lower": np.exp(middle - reach),
            "upper": np.exp(middle + reach),
            "hazard_ratio_mcse": np.exp(middle) * np.sqrt(between / members),
            "hazard_ratio_lowest": found["hazard_ratio"].min(axis=1),
            "hazard_ratio_highest": found["hazard_ratio"].max(axis=1),
            "posterior_median": median,
            "posterior_lower": lower,
            "posterior_upper": upper,
            "prob_benefit": found["prob_benefit"].mean(axis=1),
            "prob_benefit_mcse": np.sqrt(_variance(found["prob_benefit"]) / members),
            "prob_benefit_lowest": found["prob_benefit"].min(axis=1),
            "prob_benefit_highest": found["prob_benefit"].max(axis=1),
            "ci_prob": ci_prob,
        }
    )


def _pooled_quantiles(curves: Sequence[SelectionCurve], ci_prob: float) -> list[np.ndarray]:
    """Median and ends, each (added,), of the hazard ratio over all members' posteriors."""
    ends = [curve.posterior.grid[[0, -1]] for curve in curves]
    fine = np.linspace(np.min(ends), np.max(ends), POOLED_POINTS)
    averaged = [curve.posterior.mixture(axis=-2) for curve in curves]
    below = np.mean([each.probability_below(np.exp(fine)) for each in averaged], axis=0)
    shares = (0.5, 0.5 - ci_prob / 2, 0.5 + ci_prob / 2)
    rising = np.maximum.accumulate(below, axis=1)
    return [np.exp([np.interp(share, row, fine) for row in rising]) for share in shares]


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
