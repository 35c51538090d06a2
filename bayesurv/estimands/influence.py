"""How far each patient moves what is concluded about a treatment: the answer without that one."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.benefit import compare_arms
from bayesurv.fitting import Fit
from bayesurv.inference.diagnostics import monte_carlo_error
from bayesurv.refitting import Reweighed, leave_out


def influence(
    fit: Fit, treatment: str, horizon: float | None = None, seed: int = 0
) -> pd.DataFrame:
    """The answer when each patient is left out, the most influential first.

    The posterior without a patient is that of the fit with importance weights, or a refit where
    Pareto k is above 0.7. Standardised quantities stay those of all patients of the cohort, also
    of the one left out: only what is learned from that patient goes.

    Columns: `patient`, from 1 in the cohort's order; `arm`, that of the first row; `event`;
    `pareto_k`; `refitted`; `failed`, the draws failed their checks; `hazard_ratio`, posterior
    median of the conditional one, or of the marginal one at the horizon where the treatment has
    not a single one; `prob_benefit`, P(hazard ratio < 1); `rmst_gain`, posterior median in the
    fit's unit, and `prob_rmst_gain`, P(gain > 0), to the horizon. A `_change` is the difference
    from the answer with all patients, `hazard_ratio_mcse` and `mcse` are the Monte-Carlo errors
    of the changes of hazard ratio and P(benefit).

    Raises
    ------
    InputError
        The treatment is not in the formula or has not two levels, the horizon is past the end of
        follow-up of an arm, or the fit holds no draws of a posterior.
    """
    left_out = each_left_out(fit, seed)
    return influence_table(compare_arms(fit, treatment, horizon), left_out)


def each_left_out(fit: Fit, seed: int = 0) -> list[Reweighed]:
    """The posterior without each patient, in the cohort's order."""
    return [leave_out(fit, [i], seed) for i in range(fit.n_patients)]


def influence_table(asked: Comparison, left_out: list[Reweighed]) -> pd.DataFrame:
    """The columns of `influence`, from the posteriors without each patient."""
    everyone = Measured.of(asked)
    rows = pd.DataFrame([_row(asked, everyone, found) for found in left_out])
    who = pd.DataFrame(
        {
            "patient": np.arange(1, len(rows) + 1),
            "arm": _arms(asked),
            "event": _events(asked.fit),
        }
    )
    order = rows["prob_benefit_change"].abs().sort_values(ascending=False, kind="stable").index
    return who.join(rows).loc[order].reset_index(drop=True)


@dataclass(frozen=True)
class Measured:
    """What is asked of a posterior, in each draw `(chain, draw)`: hazard ratio and time gained."""

    ratio: np.ndarray
    gain: np.ndarray

    @classmethod
    def of(cls, asked: Comparison) -> "Measured":
        """Measure the fit of a comparison."""
        without, treated = asked.curves[0]
        return cls(asked.hazard_ratio, treated - without)


def _row(asked: Comparison, everyone: Measured, found: Reweighed) -> dict[str, object]:
    own = Measured.of(replace(asked, fit=found.fit)) if found.refitted else everyone
    before, after = float(np.median(everyone.ratio)), float(found.quantiles(own.ratio, [0.5])[0])
    share = change_error(everyone.ratio < before, found, own.ratio < after)
    low, high = found.quantiles(own.ratio, [0.5 - share, 0.5 + share])
    helped, gained = found.probability(own.ratio < 1), found.probability(own.gain > 0)
    return {
        "pareto_k": found.pareto_k,
        "refitted": found.refitted,
        "failed": found.fit.failed,
        "hazard_ratio": after,
        "hazard_ratio_change": after - before,
        "hazard_ratio_mcse": (high - low) / 2,
        "prob_benefit": helped,
        "prob_benefit_change": helped - (everyone.ratio < 1).mean(),
        "mcse": change_error(everyone.ratio < 1, found, own.ratio < 1),
        "rmst_gain": found.quantiles(own.gain, [0.5])[0],
        "rmst_gain_change": found.quantiles(own.gain, [0.5])[0] - np.median(everyone.gain),
        "prob_rmst_gain": gained,
        "prob_rmst_gain_change": gained - (everyone.gain > 0).mean(),
    }


def change_error(before: np.ndarray, found: Reweighed, after: np.ndarray) -> float:
    """Monte-Carlo error of the change from P(before) to P(after), draws `(chain, draw)`.

    Weights stand on the same draws, so that most of the error cancels: it is that of the mean of
    S w (after - P(after)) - (before - P(before)), S being the number of draws. The draws of a
    refit are their own, and the two errors add up.
    """
    if found.refitted:
        return float(np.hypot(monte_carlo_error(before), found.error(after)))
    if after.all() or not after.any():
        return found.error(after)
    own = found.weights.size * found.weights * (after - found.probability(after))
    residual = own - (before - before.mean())
    return monte_carlo_error(residual) if np.ptp(residual) else 0.0


def _arms(asked: Comparison) -> list[str]:
    """Arm of each patient, such as "cti2 = 1"."""
    names = dict(zip(asked.arms.levels, asked.arms.names, strict=True))
    return [names[level] for level in asked.patients[asked.arms.treatment]]


def _events(fit: Fit) -> np.ndarray:
    """Whether each patient had an event, `(patient,)`."""
    happened = fit.draws["observed_data"]["event"].to_numpy() > 0
    individual = fit.draws["constant_data"]["individual"].to_numpy()
    return np.bincount(individual, happened, fit.n_patients) > 0
