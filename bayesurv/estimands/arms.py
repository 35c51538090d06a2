"""The levels of a treatment, each given to everyone of one population, inside each draw."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bayesurv.data.coding import mentions
from bayesurv.data.faults import Fault, InputError, nearest
from bayesurv.estimands.contrasts import baseline_covariates
from bayesurv.estimands.curves import (
    Profiles,
    baseline_cumulative_hazard,
    plain,
    predictor,
    profile_frame,
)
from bayesurv.estimands.functionals import quadrature, time_reaching
from bayesurv.estimands.population import Mixture, average_ratio, mixture
from bayesurv.fitting import Fit

POPULATION = "population"  # what its faults name
MOST_LEVELS = 10  # a number with more is measured, not given


@dataclass(frozen=True)
class Arms:
    """The levels of a treatment and the end of follow-up of the one followed least long."""

    treatment: str
    levels: tuple[object, ...]
    end: float

    @property
    def names(self) -> tuple[str, ...]:
        """Each arm as figures and sentences name it, such as "cti2 = 1"."""
        return tuple(f"{self.treatment} = {plain(level)}" for level in self.levels)


def treatment_arms(fit: Fit, treatment: str) -> Arms:
    """The two arms of a treatment, the one without it first.

    Raises
    ------
    InputError
        The treatment is not in the formula, or has not two levels.
    """
    arms = treatment_levels(fit, treatment, rank=False)
    if len(arms.levels) > 2:
        message = f'treatment: "{treatment}" has {len(arms.levels)} levels; name a covariate '
        raise InputError([Fault(message + "with two, or rank them (--rank)")])
    return arms


def treatment_levels(fit: Fit, treatment: str, rank: bool = True) -> Arms:
    """The arms of a treatment with two levels or more.

    Raises
    ------
    InputError
        The treatment is not in the formula, has one level, or is a number of many values.
    """
    training = fit.design.training
    if treatment not in training:
        message = f'treatment: "{treatment}" is not in the formula.{nearest(treatment, training)}'
        raise InputError([Fault(message)])
    values = training[treatment]
    category = isinstance(values.dtype, pd.CategoricalDtype)
    known = values.cat.categories if category else np.sort(values.unique())
    levels = [level for level in known.tolist() if (values == level).any()]
    if len(levels) < 2 or (len(levels) > MOST_LEVELS and not category):
        message = f'treatment: "{treatment}" has {len(levels)} levels; name a covariate with two'
        raise InputError([Fault(message + " or a few" * rank)])
    last = last_seen(fit)
    ends = [last[(values == level).to_numpy()].max() for level in levels]
    return Arms(treatment, tuple(levels), float(min(ends)))


def last_seen(fit: Fit) -> np.ndarray:
    """End of each row's follow-up, `(row,)`; of counts, the last cut that it went beyond."""
    data = fit.draws["observed_data"]
    if fit.counted:
        return data["last"].to_numpy()
    return np.fmax(data["time"].to_numpy(), data["upper"].to_numpy())


def checked_horizon(arms: Arms, horizon: float | None, unit: str) -> float:
    """The horizon, unless given the arms' end; refused past the end of follow-up of an arm."""
    if horizon is None:
        return arms.end
    if not 0 < horizon <= arms.end:
        raise InputError([Fault(f"horizon: {_outside(arms, horizon, unit)}")])
    return float(horizon)


def checked_milestones(arms: Arms, times: Iterable[float], unit: str) -> tuple[float, ...]:
    """Times at which arms are compared, in order; refused past the end of follow-up of an arm."""
    given = tuple(sorted({float(time) for time in times}))
    faults = [
        Fault(f"times: {_outside(arms, time, unit)}") for time in given if not 0 < time <= arms.end
    ]
    if faults:
        raise InputError(faults)
    return given


def _outside(arms: Arms, time: float, unit: str) -> str:
    which = "both arms" if len(arms.levels) == 2 else "every arm"
    allowed = f"the largest allowed is {arms.end:g} {unit}"
    return f"{time:g} is not above 0 and within the follow-up of {which}; {allowed}"


def checked_population(fit: Fit, arms: Arms, population: Profiles | None) -> pd.DataFrame:
    """The population, unless given the cohort's patients; each must be what the formula needs.

    A column of the treatment is of no account.
    """
    if population is None:
        return baseline_covariates(fit)
    if not len(population):
        raise InputError([Fault(f"{POPULATION}: no patients were given; name at least one")])
    frame = profile_frame(population)
    fit.design.apply(treated(fit, frame, arms.treatment, arms.levels[0]), source=POPULATION)
    return frame


def treated(fit: Fit, patients: pd.DataFrame, treatment: str, level: object) -> pd.DataFrame:
    """Patients who all have this level of the treatment."""
    dtype = fit.design.training[treatment].dtype
    return patients.assign(**{treatment: pd.Series(level, patients.index, dtype)})


def treatment_terms(fit: Fit, arms: Arms) -> list[str]:
    """Terms and group terms that the treatment has a part in."""
    every = (*fit.design.terms, *fit.design.group_terms)
    return [term for term in every if mentions(re.sub(r"\[[^]]*\]", "", term), arms.treatment)]


@dataclass(frozen=True)
class Comparison:
    """The arms of a treatment over one population, up to a horizon; every number as draws.

    Quantiles are known up to the end of follow-up of the arm followed least long: beyond it a
    draw's quantile is infinite, "not reached".
    """

    fit: Fit
    arms: Arms
    horizon: float
    times: tuple[float, ...]
    patients: pd.DataFrame
    bootstrap: int | None = None

    @property
    def populations(self) -> list[pd.DataFrame]:
        """The population under each level of the treatment."""
        treatment, levels = self.arms.treatment, self.arms.levels
        return [treated(self.fit, self.patients, treatment, level) for level in levels]

    @cached_property
    def mixtures(self) -> list[Mixture]:
        """The population under each level of the treatment, in each draw."""
        return [mixture(self.fit, patients, self.bootstrap) for patients in self.populations]

    def survival(self, times: np.ndarray) -> np.ndarray:
        """Standardised survival of each arm, `(arm, chain, draw, time)`."""
        baseline = baseline_cumulative_hazard(self.fit, np.asarray(times, dtype=float))
        return np.stack([each.survival(baseline) for each in self.mixtures])

    @cached_property
    def milestones(self) -> tuple[float, ...]:
        """The horizon and then the other times."""
        return (self.horizon, *(time for time in self.times if time != self.horizon))

    @cached_property
    def curves(self) -> tuple[np.ndarray, np.ndarray]:
        """RMST `(arm, chain, draw)` and survival at the milestones `(arm, chain, draw, time)`."""
        nodes, weights = quadrature(self.horizon, self.fit.baseline.knots())
        curves = self.survival(np.append(nodes, self.milestones))
        return curves[..., : len(nodes)] @ weights, curves[..., len(nodes) :]

    @cached_property
    def medians(self) -> np.ndarray:
        """Standardised median of each arm, `(arm, chain, draw)`; infinite where not reached."""
        targets = np.stack([each.reaching(np.log(2)) for each in self.mixtures], axis=-1)
        return np.moveaxis(time_reaching(self.fit, targets, self.arms.end), -1, 0)

    @property
    def conditional_ratio(self) -> np.ndarray | None:
        """Hazard ratio of the second arm to the first at equal other covariates, `(chain, draw)`.

        None where interactions or groups modify it, so that it is not one for all.
        """
        if any(":" in term or "|" in term for term in treatment_terms(self.fit, self.arms)):
            return None
        first, second = (predictor(self.fit, patients) for patients in self.populations)
        ratio = np.exp(second - first)
        return ratio[..., 0] if np.allclose(ratio, ratio[..., :1]) else None

    @property
    def hazard_ratio(self) -> np.ndarray:
        """The conditional hazard ratio, or else the marginal one at the horizon."""
        conditional = self.conditional_ratio
        return self.marginal_ratio if conditional is None else conditional

    @property
    def marginal_ratio(self) -> np.ndarray:
        """Ratio of the cumulative hazards at the horizon, second arm to first, `(chain, draw)`."""
        first, second = (each.cumulative_hazard(self._at_horizon) for each in self.mixtures)
        return (second / first)[..., 0]

    @property
    def average_ratio(self) -> np.ndarray:
        """Average hazard ratio up to the horizon, second arm to first, `(chain, draw)`."""
        first, second = self.mixtures
        return average_ratio(second, first, self._at_horizon[..., 0])

    @property
    def _at_horizon(self) -> np.ndarray:
        return baseline_cumulative_hazard(self.fit, np.array([self.horizon]))
