"""Whether and how much a treatment helps, with probabilities of benefit beyond margins."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError, nearest
from bayesurv.estimands.contrasts import baseline_covariates, standardised_survival
from bayesurv.estimands.functionals import quadrature
from bayesurv.estimands.summary import CI_PROB
from bayesurv.fitting import Fit
from bayesurv.inference.diagnostics import monte_carlo_error

RATIO_MARGINS = (1.0, 0.8)
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


@dataclass(frozen=True)
class Arms:
    """The two levels of a treatment, and how long each arm was followed."""

    treatment: str
    without: object
    treated: object
    end: float


def benefit(
    fit: Fit, treatment: str, horizon: float | None = None, ci_prob: float = CI_PROB
) -> pd.DataFrame:
    """Contrasts of treated and untreated, and the probability that the treatment helps.

    Rows `hazard_ratio` (conditional on the other terms), and of the survival standardised over
    the cohort's patients, all treated against all untreated, inside each draw:
    `marginal_hazard_ratio` (ratio of the cumulative hazards at the horizon),
    `rmst_difference` (integral of the difference to the horizon, in the fit's unit) and
    `survival_difference` (at the horizon). `estimate` is the posterior median, `probability` that
    of a hazard ratio below the margin or a difference above it, `mcse` its Monte-Carlo error.

    Parameters
    ----------
    treatment
        A covariate with two levels; the second, or 1, is treated.
    horizon
        In the fit's unit; unless given, the end of follow-up of the arm followed less long.

    Raises
    ------
    InputError
        The treatment is not in the formula or has not two levels, or the horizon is not above 0
        or past the end of follow-up of an arm.
    """
    arms = treatment_arms(fit, treatment)
    horizon = checked_horizon(arms, horizon, fit.unit)
    draws = dict(_draws(fit, arms, horizon))
    rows = []
    for quantity, values in draws.items():
        ratio = quantity.endswith("ratio")
        helps: Callable = np.less if ratio else np.greater
        tail = (1 - ci_prob) / 2
        lower, estimate, upper = np.quantile(values, [tail, 0.5, 1 - tail])
        for margin in RATIO_MARGINS if ratio else (0.0,):
            beyond = helps(values, margin)
            rows.append(
                {
                    "quantity": quantity,
                    "margin": margin,
                    "horizon": np.nan if quantity == "hazard_ratio" else horizon,
                    "estimate": estimate,
                    "lower": lower,
                    "upper": upper,
                    "probability": beyond.mean(),
                    "mcse": monte_carlo_error(beyond),
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def treatment_arms(fit: Fit, treatment: str) -> Arms:
    """The treatment's two levels, and the end of follow-up of the arm followed less long."""
    training = fit.design.training
    if treatment not in training:
        message = f'treatment: "{treatment}" is not in the formula.{nearest(treatment, training)}'
        raise InputError([Fault(message)])
    values = training[treatment]
    levels = list(values.cat.categories) if hasattr(values, "cat") else sorted(values.unique())
    if len(levels) != 2:
        message = f'treatment: "{treatment}" has {len(levels)} levels; name a covariate with two'
        raise InputError([Fault(message)])
    data = fit.draws["observed_data"]
    last = np.fmax(data["time"].to_numpy(), data["upper"].to_numpy())
    end = min(last[(values == level).to_numpy()].max() for level in levels)
    return Arms(treatment, levels[0], levels[1], float(end))


def checked_horizon(arms: Arms, horizon: float | None, unit: str) -> float:
    """The horizon, refused past the end of follow-up of an arm."""
    if horizon is None:
        return arms.end
    if not 0 < horizon <= arms.end:
        message = f"horizon: {horizon:g} is not above 0 and within the follow-up of both arms"
        raise InputError([Fault(f"{message}; the largest allowed is {arms.end:g} {unit}")])
    return horizon


def _draws(fit: Fit, arms: Arms, horizon: float) -> Iterator[tuple[str, np.ndarray]]:
    """Each contrast's draws, shape `(chain, draw)`."""
    patients = baseline_covariates(fit)
    nodes, weights = quadrature(horizon, fit.baseline.knots())
    times = np.append(nodes, horizon)
    curves = {}
    for level in (arms.without, arms.treated):
        dtype = patients[arms.treatment].dtype
        everyone = patients.assign(**{arms.treatment: pd.Series(level, patients.index, dtype)})
        curves[level] = standardised_survival(fit, everyone, times).to_numpy()[:, :, 0]
    untreated, treated = curves.values()
    at_horizon = [np.log(curve[..., -1]) for curve in (untreated, treated)]
    ratio = conditional_ratio(fit, arms.treatment)
    if ratio is not None:
        yield "hazard_ratio", ratio
    yield "marginal_hazard_ratio", at_horizon[1] / at_horizon[0]
    yield "rmst_difference", (treated - untreated)[..., :-1] @ weights
    yield "survival_difference", (treated - untreated)[..., -1]


def conditional_ratio(fit: Fit, treatment: str) -> np.ndarray | None:
    """Draws of the treatment's own hazard ratio; None where interactions or groups modify it."""
    names = [term for term in fit.design.terms if term.partition("[")[0] == treatment]
    others = [t for t in (*fit.design.terms, *fit.design.group_terms) if t not in names]
    modified = any(treatment in t.replace("|", ":").split(":") for t in others)
    if len(names) != 1 or modified:
        return None
    return np.exp(fit.posterior["coefficient"].sel(term=names[0]).to_numpy())
