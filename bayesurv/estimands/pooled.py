"""Tables of an ensemble's posterior: the usual ones, with what lies within and between members.

Besides the columns of a single fit each has those of `pooling.SPREAD`: within_sd and between_sd
(of the logarithm for ratios), share_between, member_low and member_high (range of the members' own
medians), and mcse.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.ensembles import EnsembleFit, member_elements
from bayesurv.estimands.benefit import contrasts, known_quantiles
from bayesurv.estimands.curves import Profiles, Times, labels, profile_frame, survival
from bayesurv.estimands.margins import NO_MARGINS, Margins
from bayesurv.estimands.members import MemberComparison, thinned
from bayesurv.estimands.pooling import SPREAD, monte_carlo_error, pool
from bayesurv.estimands.summary import CI_PROB, quantiles
from bayesurv.inference.members import effective_draws, r_hat, tail_draws

MOMENTS = ("mean", "sd")


def pooled_parameters(fit: EnsembleFit) -> pd.DataFrame:
    """Every parameter: `parameter_table` of the mixture; r_hat is the highest of all members."""
    rows = []
    for label, draws in member_elements(fit).items():
        found = pool(draws)
        row: dict[str, Any] = {"parameter": label, **{name: found[name] for name in MOMENTS}}
        row |= {"q2.5": found["lower"], "q50": found["median"], "q97.5": found["upper"]}
        row |= {"ess_bulk": effective_draws(draws), "ess_tail": tail_draws(draws)}
        row["r_hat"] = r_hat(np.moveaxis(draws, 0, -1)).max()
        rows.append(row | {name: found[name] for name in SPREAD})
    return _numbers(rows)


def pooled_hazard_ratios(fit: EnsembleFit, ci_prob: float = CI_PROB) -> pd.DataFrame:
    """Hazard ratio of each term, as `hazard_ratios` of the mixture.

    prob_low and prob_high are the range of the members' own probabilities of a ratio below 1; the
    sds are those of the log hazard ratio.
    """
    columns = ["term", "hazard_ratio", "lower", "upper", "prob_below_1", "ci_prob"]
    terms = fit.stacked.design.terms
    rows = []
    for i, term in enumerate(terms):
        draws = fit.by_member(fit.stacked.posterior["coefficient"].to_numpy()[..., i])
        found = pool(np.exp(draws), ci_prob, log=True)
        below = _chance(draws < 0)
        row: dict[str, Any] = {"term": term, "hazard_ratio": found["median"]}
        row |= {"lower": found["lower"], "upper": found["upper"]}
        row |= {"prob_below_1": below["probability"], "ci_prob": ci_prob}
        row |= {name: found[name] for name in SPREAD}
        rows.append(row | {"prob_low": below["prob_low"], "prob_high": below["prob_high"]})
    return _numbers(rows) if rows else pd.DataFrame(columns=[*columns, *SPREAD])


def member_hazard_ratios(fit: EnsembleFit, ci_prob: float = CI_PROB) -> pd.DataFrame:
    """Hazard ratio of each term in each member by itself.

    Columns member, events, term and those of `hazard_ratios`.
    """
    tables = []
    for i, term in enumerate(fit.stacked.design.terms):
        draws = fit.by_member(fit.stacked.posterior["coefficient"].to_numpy()[..., i])
        flat = draws.reshape(fit.n_members, -1)
        lower, middle, upper = np.exp(quantiles(flat.T, ci_prob))
        columns = {"member": fit.members, "events": fit.events, "term": term}
        columns |= {"hazard_ratio": middle, "lower": lower, "upper": upper}
        below = (flat < 0).mean(axis=1)
        tables.append(pd.DataFrame(columns | {"prob_below_1": below, "ci_prob": ci_prob}))
    names = ["member", "events", "term", "hazard_ratio", "lower", "upper", "prob_below_1"]
    return pd.concat(tables) if tables else pd.DataFrame(columns=[*names, "ci_prob"])


def pooled_survival(
    fit: EnsembleFit,
    profiles: Profiles,
    times: Times,
    ci_prob: float = CI_PROB,
    *,
    extrapolate: bool = False,
) -> pd.DataFrame:
    """Survival of each profile at each time, as `survival_table` of the mixture.

    Of the draws as many are used as make 15,000 of all members together.
    """
    thin, frame = thinned(fit), profile_frame(profiles)
    tables = []
    for i, profile in enumerate(labels(frame)):
        curve = survival(thin.stacked, frame.iloc[[i]], times, extrapolate=extrapolate)
        found = pool(fit.by_member(curve.to_numpy()[..., 0, :]), ci_prob)
        columns = {name: found[name] for name in ("mean", "median", "lower", "upper")}
        table = pd.DataFrame({"profile": profile, "time": curve["time"], **columns})
        spread = {name: found[name] for name in SPREAD}
        tables.append(table.assign(ci_prob=ci_prob, **spread))
    return pd.concat(tables, ignore_index=True)


def pooled_benefit(
    comparison: MemberComparison, margins: Margins = NO_MARGINS, ci_prob: float = CI_PROB
) -> pd.DataFrame:
    """Contrasts of the arms and probabilities of benefit, as `benefit_table` of the mixture.

    mcse is that of the probability; prob_low and prob_high are the range of the members' own
    probabilities; within_sd, between_sd and share_between are of the quantity, of the logarithm
    for ratios, and empty for medians and the number needed to treat, which may be infinite.
    """
    fit, rows = comparison.whole, []
    for name, horizon, draws, helped in contrasts(comparison, margins):
        found: dict[str, Any]
        if name == "median_difference":
            found = _difference(fit, draws, comparison.arms.end, ci_prob)
        else:
            found = pool(fit.by_member(draws), ci_prob, log="ratio" in name)
        for margin, beyond in helped.items():
            row: dict[str, Any] = {"quantity": name, "margin": margin, "horizon": horizon}
            row |= {"estimate": found["median"], "lower": found["lower"], "upper": found["upper"]}
            chance = _chance(fit.by_member(beyond))
            row |= {"probability": chance["probability"], "mcse": chance["mcse"]}
            row |= {each: found[each] for each in SPREAD if each != "mcse"}
            rows.append(row | {"prob_low": chance["prob_low"], "prob_high": chance["prob_high"]})
    return _numbers(rows)


def pooled_arms(comparison: MemberComparison, ci_prob: float = CI_PROB) -> pd.DataFrame:
    """RMST, survival and median of each arm, as `arms_table` of the mixture."""
    fit, rows = comparison.whole, []
    rmst, survived = comparison.curves
    for i, arm in enumerate(comparison.arms.names):
        draws = [("rmst", comparison.horizon, rmst[i])]
        draws += [
            ("survival", time, survived[i, ..., j]) for j, time in enumerate(comparison.milestones)
        ]
        draws.append(("median", comparison.arms.end, comparison.medians[i]))
        for quantity, time, values in draws:
            found = pool(fit.by_member(values), ci_prob)
            row = {"arm": arm, "quantity": quantity, "time": time, "estimate": found["median"]}
            missed = np.isinf(values).mean() if quantity == "median" else np.nan
            row |= {"lower": found["lower"], "upper": found["upper"], "prob_not_reached": missed}
            rows.append(row | {name: found[name] for name in SPREAD})
    return _numbers(rows)


def _difference(
    fit: EnsembleFit, medians: np.ndarray, end: float, ci_prob: float
) -> dict[str, Any]:
    """Summary of a difference of medians, of which each may not be reached."""
    lower, median, upper = known_quantiles(medians, end, ci_prob)
    per_member = [known_quantiles(own, end)[1] for own in np.moveaxis(_split(fit, medians), 0, 1)]
    known = np.array(per_member)[np.isfinite(per_member)]
    unknown = dict.fromkeys(SPREAD, np.nan)
    whole = {"lower": lower, "median": median, "upper": upper}
    if len(known) == fit.n_members:
        whole |= {"member_low": known.min(), "member_high": known.max()}
    return unknown | whole


def _split(fit: EnsembleFit, medians: np.ndarray) -> np.ndarray:
    """Draws of both arms `(arm, member x chain, draw)` as `(arm, member, chain, draw)`."""
    return np.stack([fit.by_member(own) for own in medians])


def _chance(true: np.ndarray) -> dict[str, Any]:
    """Probability of what is true in some draws `(member, chain, draw)`, and its range."""
    own = true.mean(axis=(1, 2))
    return {
        "probability": own.mean(),
        "mcse": monte_carlo_error(true),
        "prob_low": own.min(),
        "prob_high": own.max(),
    }


def _numbers(rows: Sequence[dict]) -> pd.DataFrame:
    """Rows as a table whose numbers are plain floats."""
    table = pd.DataFrame(list(rows))
    return table.map(lambda cell: cell.item() if isinstance(cell, np.ndarray) else cell)
