"""Whether and how much a treatment helps, with probabilities of benefit beyond margins."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.arms import (
    Comparison,
    checked_horizon,
    checked_milestones,
    checked_population,
    treatment_arms,
    treatment_levels,
)
from bayesurv.estimands.curves import Profiles
from bayesurv.estimands.margins import NO_MARGINS, RATIO_MARGINS, Margins
from bayesurv.estimands.summary import CI_PROB, quantiles, summarise
from bayesurv.fitting import Fit
from bayesurv.inference.diagnostics import monte_carlo_error

if TYPE_CHECKING:
    import xarray as xr

POINTS = 61  # of a curve
EQUIVALENCE = 0.8  # and its inverse: hazard ratios between the two are as good as 1
COLUMNS = (
    "quantity",
    "margin",
    "horizon",
    "estimate",
    "lower",
    "upper",
    "probability",
    "mcse",
)


type Helped = dict[float, np.ndarray]  # by margin, the draws with a benefit beyond it


def benefit(
    fit: Fit,
    treatment: str,
    horizon: float | None = None,
    *,
    times: Sequence[float] | None = None,
    population: Profiles | None = None,
    bootstrap: int | None = None,
    rmst_margin: float | None = None,
    survival_margin: float | None = None,
    hazard_ratio_margins: Sequence[float] = RATIO_MARGINS,
    ci_prob: float = CI_PROB,
) -> pd.DataFrame:
    """Contrasts of treated and untreated, and the probability that the treatment helps.

    Everyone of the population is treated, and then untreated, inside each draw; what is compared
    is the survival standardised over the population. Columns quantity, margin, horizon, estimate
    (posterior median), lower, upper (equal-tailed interval), probability (that of a benefit
    beyond the margin) and mcse (its Monte-Carlo error). Rows:

    - `hazard_ratio`, conditional on the other terms, benefit below the margin, and
      `hazard_ratio_equivalence`, the probability of 0.8 < ratio < 1.25; both are absent where
      interactions or groups modify the treatment.
    - `marginal_hazard_ratio`, ratio of the cumulative hazards at the horizon, and
      `average_hazard_ratio` up to it (Kalbfleisch and Prentice 1981); benefit below the margin.
    - `rmst_difference`, in the fit's unit, and `rmst_ratio`, to the horizon; benefit above.
    - `survival_difference`, at the horizon and at each of `times`; benefit above.
    - `median_difference`, horizon being the end of the shorter follow-up of the two arms. A median
      not reached by then is infinite, and where neither is reached the difference is unknown. The
      estimate and the interval are empty where what is not known could move them; the
      probability counts the draws that are known to be beyond the margin.
    - `number_needed_to_treat` for one more patient alive at the horizon, 1 / survival difference,
      infinite in draws without a gain; its probability is that of a gain.

    Parameters
    ----------
    treatment
        A covariate with two levels; the second, or 1, is treated.
    horizon
        In the fit's unit; unless given, the end of follow-up of the arm followed less long.
    population
        Covariates of the patients to standardise over; unless given, the cohort's.
    bootstrap
        A seed; weighs the patients anew in each draw (the Bayesian bootstrap).
    rmst_margin, survival_margin
        Gains that matter, in the fit's unit and as a share; asked besides any gain above 0.

    Raises
    ------
    InputError
        Lists every fault: the treatment is not in the formula or has not two levels, the horizon
        or a time is past the end of follow-up of an arm, a margin has the wrong sign or unit, or
        the population lacks a covariate.
    """
    margins = Margins(rmst_margin, survival_margin, tuple(hazard_ratio_margins))
    comparison = compare_arms(fit, treatment, horizon, times, population, bootstrap, margins)
    return benefit_table(comparison, margins, ci_prob)


def compare_arms(
    fit: Fit,
    treatment: str,
    horizon: float | None = None,
    times: Sequence[float] | None = None,
    population: Profiles | None = None,
    bootstrap: int | None = None,
    margins: Margins = NO_MARGINS,
    *,
    rank: bool = False,
) -> Comparison:
    """The two arms of a treatment as `benefit` compares them, or all of them to `rank` them.

    Lists every fault of what is asked.

    Raises
    ------
    InputError
        As for `benefit`.
    """
    faults: list[Fault] = []

    def collect[Kind](check: Callable[..., Kind], *given: Any) -> Kind | None:
        try:
            return check(*given)
        except InputError as error:
            faults.extend(error.faults)
            return None

    arms = collect(treatment_levels if rank else treatment_arms, fit, treatment)
    if arms is None:
        raise InputError([*faults, *margins.faults(horizon, fit.unit)])
    until = collect(checked_horizon, arms, horizon, fit.unit)
    milestones = collect(checked_milestones, arms, () if times is None else times, fit.unit)
    patients = collect(checked_population, fit, arms, population)
    faults += margins.faults(until, fit.unit)
    if until is None or milestones is None or patients is None or faults:
        raise InputError(faults)
    return Comparison(fit, arms, until, milestones, patients, bootstrap)


def benefit_table(
    comparison: Comparison, margins: Margins = NO_MARGINS, ci_prob: float = CI_PROB
) -> pd.DataFrame:
    """The table of `benefit`."""
    rows = []
    for name, horizon, draws, helped in contrasts(comparison, margins):
        if name == "median_difference":
            lower, estimate, upper = known_quantiles(draws, comparison.arms.end, ci_prob)
        else:
            lower, estimate, upper = quantiles(draws.ravel(), ci_prob)
        for margin, beyond in helped.items():
            probability = (beyond.mean(), monte_carlo_error(beyond))
            rows.append((name, margin, horizon, estimate, lower, upper, *probability))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def arms_table(comparison: Comparison, ci_prob: float = CI_PROB) -> pd.DataFrame:
    """RMST to the horizon, survival at it and at the times, and the median, of each arm.

    Columns arm, quantity, time, estimate (posterior median), lower, upper, and prob_not_reached,
    for the median the probability that it is not reached within the follow-up of both arms (its
    time); an infinite number means "not reached".
    """
    rmst, survival = comparison.curves
    rows = []
    for i, arm in enumerate(comparison.arms.names):
        draws = [("rmst", comparison.horizon, rmst[i])]
        draws += [("survival", t, survival[i, ..., j]) for j, t in enumerate(comparison.milestones)]
        draws += [("median", comparison.arms.end, comparison.medians[i])]
        for quantity, time, values in draws:
            lower, estimate, upper = quantiles(values.ravel(), ci_prob)
            missed = np.isinf(values).mean() if quantity == "median" else np.nan
            rows.append((arm, quantity, time, estimate, lower, upper, missed))
    columns = ["arm", "quantity", "time", "estimate", "lower", "upper", "prob_not_reached"]
    return pd.DataFrame(rows, columns=columns)


def difference_curve(comparison: Comparison, ci_prob: float = CI_PROB) -> "xr.Dataset":
    """Difference of the arms' survival over time, the second less the first, to the arms' end.

    Variables mean, median, lower, upper and probability (of a difference above 0) over `time`;
    after rmst_ the same of the difference in restricted mean survival to each time, the integral
    of the first by the trapezoidal rule.
    """
    import xarray as xr

    time = np.linspace(0, comparison.arms.end, POINTS)
    untreated, treated = comparison.survival(time)
    draws = xr.DataArray(treated - untreated, {"time": time}, ("chain", "draw", "time"))
    areas = np.diff(time) * (draws.to_numpy()[..., 1:] + draws.to_numpy()[..., :-1]) / 2
    lived = draws.copy(data=np.pad(areas.cumsum(axis=-1), [(0, 0), (0, 0), (1, 0)]))
    found = summarise(draws, ci_prob).assign(probability=(draws > 0).mean(("chain", "draw")))
    gained = summarise(lived, ci_prob).assign(probability=(lived > 0).mean(("chain", "draw")))
    return found.assign({f"rmst_{name}": values for name, values in gained.items()})


def contrasts(
    asked: Comparison, margins: Margins
) -> Iterator[tuple[str, float, np.ndarray, Helped]]:
    """Name, horizon and draws `(chain, draw)` of each contrast, and when it is a benefit."""
    horizon = asked.horizon
    own = asked.conditional_ratio
    if own is not None:
        yield "hazard_ratio", np.nan, own, _below(own, margins)
        same = (own > EQUIVALENCE) & (own < 1 / EQUIVALENCE)
        yield "hazard_ratio_equivalence", np.nan, own, {EQUIVALENCE: same}
    for name, ratio in (("marginal", asked.marginal_ratio), ("average", asked.average_ratio)):
        yield f"{name}_hazard_ratio", horizon, ratio, _below(ratio, margins)
    rmst, survival = asked.curves
    yield "rmst_difference", horizon, rmst[1] - rmst[0], _above(rmst[1] - rmst[0], margins.rmst)
    yield "rmst_ratio", horizon, rmst[1] / rmst[0], {1.0: rmst[1] > rmst[0]}
    gain = survival[1] - survival[0]
    for i, time in enumerate(asked.milestones):
        yield "survival_difference", time, gain[..., i], _above(gain[..., i], margins.survival)
    before, after = asked.medians
    yield "median_difference", asked.arms.end, asked.medians, {0.0: after > before}
    helped = gain[..., 0] > 0
    needed = np.where(helped, 1 / np.where(helped, gain[..., 0], 1), np.inf)
    yield "number_needed_to_treat", horizon, needed, {0.0: helped}


def _below(ratio: np.ndarray, margins: Margins) -> Helped:
    return {margin: ratio < margin for margin in margins.hazard_ratio}


def _above(gain: np.ndarray, margin: float | None) -> Helped:
    return {each: gain > each for each in (0.0, margin) if each is not None}


def known_quantiles(medians: np.ndarray, end: float, ci_prob: float = CI_PROB) -> np.ndarray:
    """Lower end, median and upper end of the second median less the first; NaN where not known.

    An infinite median is somewhere past the end, so each draw's difference has a lowest and a
    highest possible value; a quantile is known where it is the same for both. So it is if it falls
    among the draws in which one arm's median alone is not reached: then it is infinite.
    """
    before, after = medians.reshape(2, -1)
    with np.errstate(invalid="ignore"):
        difference = after - before
    cases = [
        np.where(np.isinf(before), -np.inf, np.minimum(after, end) - before),
        np.where(np.isinf(after), np.inf, after - np.minimum(before, end)),
        np.where(np.isinf(before), -np.inf, difference),
        np.where(np.isinf(after), np.inf, difference),
    ]
    lowest, highest, low, high = quantiles(np.stack(cases, axis=-1), ci_prob).T
    unbounded = np.where((low == high) & np.isinf(low), low, np.nan)
    return np.where(lowest == highest, lowest, unbounded)
