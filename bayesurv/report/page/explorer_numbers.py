"""The explorer's numbers: draws of every profile, summarised and packed for the browser."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesurv.ensembles import EnsembleFit
from bayesurv.estimands.contrasts import baseline_covariates
from bayesurv.estimands.curves import baseline_cumulative_hazard, predictor, survival
from bayesurv.estimands.functionals import (
    per_patient,
    quadrature,
    rmst,
    survival_quantile,
    time_reaching,
)
from bayesurv.estimands.members import member_mixture
from bayesurv.estimands.population import distinct_rows, mixture
from bayesurv.estimands.stacking import stacked
from bayesurv.estimands.summary import quantiles
from bayesurv.fitting import Fit
from bayesurv.report.page.explorer_profiles import Choices

if TYPE_CHECKING:
    import xarray as xr

type Draws = Mapping[str, "xr.DataArray"]

COHORT = "cohort"  # key of the profile that stands for everyone
LEAST = 1e-300  # a cumulative hazard lost in rounding
SCALE = 10_000  # survival is packed as whole numbers of this part


@dataclass(frozen=True)
class Grid:
    """Times at which curves are known, those that the table states, and the horizon of RMST."""

    times: np.ndarray
    milestones: tuple[float, ...]
    horizon: float

    @property
    def positions(self) -> list[int]:
        """Position of each milestone among the times."""
        return np.searchsorted(self.times, self.milestones).tolist()


def profile_draws(fit: Fit, choices: Choices, grid: Grid) -> tuple[dict[str, Any], np.ndarray]:
    """Draws of each distinct profile, and the position among them of each `(arm, profile)`.

    `survival` at the grid's times, `rmst`, `median` (infinite beyond the arms' follow-up), and
    `log_hazard`, relative to the reference profile.
    """
    frame = choices.frame(fit)
    member = distinct_rows(fit.design.apply(frame))[1]
    own = frame.iloc[np.unique(member, return_index=True)[1]].reset_index(drop=True)
    own = own.assign(label=own.index.astype(str))
    median = survival_quantile(fit, own)
    draws = {
        "survival": survival(fit, own, grid.times),
        "rmst": rmst(fit, own, grid.horizon),
        "median": median.where(median <= choices.arms.end, np.inf),
        "log_hazard": per_patient(fit, predictor(fit, own), own, "log_hazard"),
    }
    return draws, member.reshape(len(choices.arms.levels), -1)


def cohort_draws(
    fit: Fit | EnsembleFit, choices: Choices, grid: Grid
) -> tuple[dict[str, Any], np.ndarray]:
    """The same of the cohort's patients, all of them in each arm, averaged inside each draw.

    `log_hazard` is the logarithm of the cumulative hazard at the horizon.
    """
    import xarray as xr

    whole = fit.stacked if isinstance(fit, EnsembleFit) else fit
    patients = whole.design.training if fit is not whole else baseline_covariates(whole)
    arms = [
        member_mixture(fit, given) if isinstance(fit, EnsembleFit) else mixture(fit, given)
        for given in choices.given(whole, patients)
    ]
    nodes, weights = quadrature(grid.horizon, whole.baseline.knots())
    every = np.concatenate([grid.times, nodes, [grid.horizon]])
    baseline = baseline_cumulative_hazard(whole, every)
    known = len(grid.times)
    curves = np.stack([arm.survival(baseline[..., :-1]) for arm in arms], axis=-2)
    target = np.stack([arm.reaching(np.log(2)) for arm in arms], axis=-1)
    names = ("chain", "draw", "individual")
    hazards = np.concatenate([arm.cumulative_hazard(baseline[..., -1:]) for arm in arms], axis=-1)
    draws = {
        "survival": xr.DataArray(curves[..., :known], dims=(*names, "time")),
        "rmst": xr.DataArray(curves[..., known:] @ weights, dims=names),
        "median": xr.DataArray(time_reaching(whole, target, choices.arms.end), dims=names),
        "log_hazard": xr.DataArray(np.log(np.maximum(hazards, LEAST)), dims=names),
    }
    return draws, np.arange(len(arms))[:, None]


def averaged(models: Mapping[str, Draws], weights: Mapping[str, float]) -> dict[str, Any]:
    """Draws of several models pooled by weight, one model for all quantities of a draw."""
    first = next(iter(models.values()))
    return {
        name: stacked({model: draws[name] for model, draws in models.items()}, weights)
        for name in first
    }


class Packed:
    """Curves, contrasts and profiles of one model as lists for JSON; equal curves stand once.

    Survival and differences are whole numbers of 1/10000, each the change from the one before.
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.curves: list[dict[str, Any]] = []
        self.contrasts: list[dict[str, Any]] = []
        self.profiles: dict[str, dict[str, list[int]]] = {}

    def add(self, draws: Draws, member: np.ndarray, keys: list[str]) -> None:
        """Summarise draws; `member` is the position in them of each `(arm, profile)`."""
        before = len(self.curves)
        flat = {name: _flat(values) for name, values in draws.items()}
        self.curves += self._curves(flat)
        known: dict[tuple[int, int], int] = {}
        for key, positions in zip(keys, member.T.tolist(), strict=True):
            pairs = [(positions[0], each) for each in positions[1:]]
            for pair in pairs:
                if pair not in known:
                    known[pair] = len(self.contrasts)
                    self.contrasts.append(self._contrast(flat, *pair))
            self.profiles[key] = {
                "curves": [before + each for each in positions],
                "contrasts": [known[pair] for pair in pairs],
            }

    def _curves(self, flat: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
        lower, middle, upper = _curve_quantiles(flat["survival"])
        area = quantiles(flat["rmst"]).T
        median = quantiles(flat["median"]).T
        missed = np.isinf(flat["median"]).mean(axis=0)
        return [
            {
                "survival": [changes(part[i]) for part in (middle, lower, upper)],
                "rmst": _estimate(area[i]),
                "median": [*_estimate(median[i]), digits(missed[i])],
            }
            for i in range(len(missed))
        ]

    def _contrast(self, flat: Mapping[str, np.ndarray], first: int, second: int) -> dict[str, Any]:
        """The second less the first, and the probability that the second lives longer."""
        apart = flat["survival"][:, second] - flat["survival"][:, first]
        lower, middle, upper = _curve_quantiles(apart)
        gained = flat["rmst"][:, second] - flat["rmst"][:, first]
        ratio = np.exp(flat["log_hazard"][:, second] - flat["log_hazard"][:, first])
        return {
            "survival": [changes(part) for part in (middle, lower, upper)],
            "probability": [digits((apart[:, i] > 0).mean()) for i in self.grid.positions],
            "rmst": [*_estimate(quantiles(gained)), digits((gained > 0).mean())],
            "hazard_ratio": [*_estimate(quantiles(ratio)), digits((ratio < 1).mean())],
        }


def _flat(draws: "xr.DataArray") -> np.ndarray:
    values = draws.to_numpy()
    return values.reshape(-1, *values.shape[2:])


def _curve_quantiles(values: np.ndarray) -> np.ndarray:
    """Quantiles in single precision, which sorts twice as fast and is finer than what is packed."""
    return quantiles(values.astype(np.float32))


def changes(values: np.ndarray) -> str:
    """Whole numbers of 1/10000, with commas: the first, then the change from each to the next."""
    return ",".join(map(str, np.diff(np.round(SCALE * values).astype(int), prepend=0)))


def _estimate(ends: np.ndarray) -> list[float | None]:
    """Posterior median, lower and upper end."""
    lower, middle, upper = ends
    return [digits(middle), digits(lower), digits(upper)]


def digits(value: Any, count: int = 4) -> float | None:
    """So many significant digits; None where infinite, "not reached"."""
    return float(f"{value:.{count}g}") if np.isfinite(value) else None
