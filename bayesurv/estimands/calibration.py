"""How well patients are predicted by all the others: calibration, Brier score, concordance."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from bayesurv.estimands.checks import carried_survival, clock_times
from bayesurv.estimands.curves import Times
from bayesurv.estimands.left_out import LeftOut
from bayesurv.estimands.patients import FollowUp
from bayesurv.estimands.replicates import SEED, Replicates, replicate
from bayesurv.estimands.scores import (
    brier_weights,
    comparable_pairs,
    others_survival,
    uno_weights,
)
from bayesurv.estimands.summary import CI_PROB
from bayesurv.fitting import Fit
from bayesurv.frequentist.kaplan_meier import KaplanMeier, kaplan_meier
from bayesurv.inference.reweigh import MAX_PARETO_K

BINS = 5
BOOTSTRAPS = 2000
COLUMNS = ("measure", "time", "estimate", "lower", "upper", "reference", "p_value")
type Row = tuple[str, float, float, float, float, float, float]


@dataclass(frozen=True, eq=False)
class Calibration:
    """Measures of prediction, and the Cox-Snell curves of the figure.

    residuals : Kaplan-Meier estimate of the Cox-Snell residuals; exp(-residual) if calibrated.
    predicted : (point,) exp(-residual), from 1 down.
    again : (replicate, point) the estimate in each replicate.
    """

    table: pd.DataFrame
    residuals: KaplanMeier
    predicted: np.ndarray
    again: np.ndarray
    notes: tuple[str, ...]


def calibrate(
    fit: Fit, *, times: Times | None = None, replicates: Replicates | None = None, seed: int = SEED
) -> Calibration:
    """Predict each patient by the posterior of all the others, and compare with what happened.

    Rows of the table, with 95% intervals from the Bayesian bootstrap over patients:

    - `cox_snell_distance`: largest distance between the Kaplan-Meier estimate of the Cox-Snell
      residuals H(t) - H(entry) and exp(-residual). `reference`: its median in the replicates;
      `p_value`: the share of replicates at least as far.
    - `d_calibration_share`: share of patients whose survival at their own time, given entry, was
      predicted between `time` - 0.2 and `time`, a probability here; a censored patient is spread
      over all below. `d_calibration`: chi-squared of the five shares.
    - `brier_score`: mean squared error of survival predicted at a time, weighted for censoring.
      `reference`: that of the Kaplan-Meier estimate of all other patients.
      `scaled_brier_score`: 1 - score / reference.
    - `concordance`: of the pairs of patients of whom one is known to have had the event first,
      the share in which that one had the higher linear predictor (Harrell's).
      `uno_concordance`: the same for events until `time`, weighted for censoring.

    Parameters
    ----------
    times
        Of the Brier score, in the fit's unit; 3, 6 and 12 months unless given. Times past the
        follow-up are left out; the last one is that of Uno's concordance.
    replicates
        Those of `check`; new ones unless given.

    Sources: Cox and Snell, JRSS B 1968; Haider et al., JMLR 2020; Graf et al., Statistics in
    Medicine 1999; Harrell et al., JAMA 1982; Uno et al., Statistics in Medicine 2011; Rubin,
    Annals of Statistics 1981.
    """
    replicates = replicate(fit, seed=seed) if replicates is None else replicates
    left_out = LeftOut.of(fit)
    follow, interval = left_out.follow, left_out.follow.interval.any()
    clock = clock_times(fit, times)
    clock = clock[clock <= follow.time.max()]
    patients = len(follow.entry)
    bootstrap = np.random.default_rng(seed).dirichlet(np.ones(patients), BOOTSTRAPS)
    ends = left_out.survival(follow.time), left_out.survival(follow.upper)
    residuals = _residuals(follow, *ends)
    pairs = zip(replicates.hazard, replicates.again.event, strict=True)
    again = [kaplan_meier(hazard, event) for hazard, event in pairs]
    rows = [_cox_snell(residuals, again), *_d_calibration(follow, *ends, bootstrap)]
    if not interval:
        rows += _brier(left_out, clock, bootstrap)
        rows += _concordance(left_out, clock, bootstrap)
    predicted = np.linspace(1, np.exp(-residuals.end), 101)
    return Calibration(
        table=pd.DataFrame(rows, columns=list(COLUMNS)),
        residuals=residuals,
        predicted=predicted,
        again=carried_survival(again, -np.log(predicted)),
        notes=tuple(_notes(left_out)),
    )


def _residuals(follow: FollowUp, low: np.ndarray, high: np.ndarray) -> KaplanMeier:
    """Kaplan-Meier of -log predicted survival at the patients' times."""
    return kaplan_meier(-np.log(low), follow.event, upper=-np.log(high))


def _cox_snell(residuals: KaplanMeier, again: list[KaplanMeier]) -> Row:
    seen, others = _distance(residuals), np.array([_distance(each) for each in again])
    p = float((others >= seen).mean())
    return ("cox_snell_distance", np.nan, seen, np.nan, np.nan, float(np.median(others)), p)


def _distance(residuals: KaplanMeier) -> float:
    """Largest distance of the steps' upper and lower ends from exp(-residual)."""
    expected = np.exp(-residuals.time[1:])
    below, above = residuals.survival[1:], residuals.survival[:-1]
    return float(np.abs([below - expected, above - expected]).max())


def _d_calibration(
    follow: FollowUp, at_time: np.ndarray, at_upper: np.ndarray, bootstrap: np.ndarray
) -> Iterator[Row]:
    mass = bin_shares(np.where(follow.event, at_upper, 0), at_time)
    shares = mass.mean(axis=0)
    drawn = bootstrap @ mass
    for i, share in enumerate(shares):
        bounds = _interval(drawn[:, i])
        yield ("d_calibration_share", (i + 1) / BINS, share, *bounds, 1 / BINS, np.nan)
    statistic = len(mass) * BINS * float(np.square(shares - 1 / BINS).sum())
    p = float(chdtrc(BINS - 1, statistic))
    yield ("d_calibration", np.nan, statistic, np.nan, np.nan, BINS - 1.0, p)


def bin_shares(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Share of each patient in each fifth of (0, 1), `(patient, bin)`.

    A patient lies somewhere between two probabilities, each place alike; where they are equal,
    there.
    """
    edges = np.linspace(0, 1, BINS + 1)
    inside = np.clip(high[:, None], edges[:-1], edges[1:])
    inside = inside - np.clip(low[:, None], edges[:-1], edges[1:])
    place = np.minimum((high * BINS).astype(int), BINS - 1)
    exact = place[:, None] == np.arange(BINS)
    width = np.where(high > low, high - low, 1)[:, None]
    return np.where((high > low)[:, None], inside / width, exact)


def _brier(left_out: LeftOut, clock: np.ndarray, bootstrap: np.ndarray) -> Iterator[Row]:
    follow = left_out.follow
    known = follow.entry, follow.time, follow.event
    for at in clock:
        weights = brier_weights(*known, at)
        alive = follow.time > at
        predicted = left_out.survival(np.full(len(alive), at))
        by_others = others_survival(*known, at)
        loss, reference = (weights * (alive - p) ** 2 for p in (predicted, by_others))
        score, other = loss.sum() / weights.sum(), reference.sum() / weights.sum()
        drawn = bootstrap @ np.stack([loss, reference, weights], axis=1)
        scaled = 1 - drawn[:, 0] / drawn[:, 1]
        yield ("brier_score", at, score, *_interval(drawn[:, 0] / drawn[:, 2]), other, np.nan)
        yield ("scaled_brier_score", at, 1 - score / other, *_interval(scaled), 0.0, np.nan)


def _concordance(left_out: LeftOut, clock: np.ndarray, bootstrap: np.ndarray) -> Iterator[Row]:
    if not (left_out.fit.design.terms or left_out.fit.design.group_terms):
        return
    data = left_out.fit.draws["observed_data"]
    entry, time = data["entry"].to_numpy(), data["time"].to_numpy()
    event = data["event"].to_numpy() > 0
    owner = left_out.fit.draws["constant_data"]["individual"].to_numpy()
    riskier = left_out.riskier()
    rows = bootstrap[:, owner]
    pairs = comparable_pairs(entry, time, event).astype(float)
    yield ("concordance", np.nan, *_share(pairs, riskier, rows), 0.5, np.nan)
    if clock.size and not (entry > 0).any():
        pairs = comparable_pairs(entry, time, event, clock[-1])
        pairs = pairs * uno_weights(entry, time, event)[:, None]
        yield ("uno_concordance", clock[-1], *_share(pairs, riskier, rows), 0.5, np.nan)


def _share(
    pairs: np.ndarray, riskier: np.ndarray, bootstrap: np.ndarray
) -> tuple[float, float, float]:
    """Weighted share of pairs in which the first is riskier, with its interval."""
    right = pairs * riskier
    above, below = (((bootstrap @ each) * bootstrap).sum(axis=1) for each in (right, pairs))
    return float(right.sum() / pairs.sum()), *_interval(above / below)


def _interval(values: np.ndarray) -> tuple[float, float]:
    tail = (1 - CI_PROB) / 2
    lower, upper = np.quantile(values, [tail, 1 - tail])
    return float(lower), float(upper)


def _notes(left_out: LeftOut) -> Iterator[str]:
    follow, design = left_out.follow, left_out.fit.design
    bad = int((left_out.pareto_k > MAX_PARETO_K).sum())
    if bad:
        yield (
            f"Leaving out {bad} of {len(follow.entry)} patients moves the posterior so far that "
            "their predictions by reweighted draws are unreliable (Pareto k above 0.7)."
        )
    if follow.interval.any():
        yield (
            "Brier score and concordance need event times that are known, not intervals, and are "
            "left out."
        )
        return
    if not (design.terms or design.group_terms):
        yield "The model has no covariates, so there is no concordance."
    elif (follow.entry > 0).any():
        yield "Uno's concordance does not allow delayed entry and is left out."
