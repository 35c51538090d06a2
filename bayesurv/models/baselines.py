"""Baseline hazards: each states its log hazard and cumulative hazard once.

A baseline splits what is known from what is sampled. `hazard_basis(time)` and
`cumulative_basis(time)` turn known times into arrays with numpy; `log_hazard(basis, parameters,
xp)` and `cumulative_hazard(basis, parameters, xp)` combine them with parameters on an array
namespace `xp`, either numpy (draws of shape `(chain, draw, ...)`) or pytensor.tensor (the model).
Everything else, the likelihood, survival, its integrals and quantiles, follows from those two.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from scipy.interpolate import BSpline

from bayesurv.data.faults import Fault, InputError, nearest

Array = Any  # a numpy array or a pytensor tensor, as the namespace says
Parameters = Mapping[str, Array]

# Stands for log(0): finite, so that gradients at a zero entry time are 0 instead of nan.
_LOG_ZERO = -1e10
SMOOTHINGS = ("random-walk", "independent")
_LOG_2 = float(np.log(2.0))


def _increasing(what: str, times: Sequence[float] | None) -> tuple[float, ...] | None:
    """Stated times as a tuple; refused unless they rise from above 0."""
    if times is None:
        return None
    if not (np.isfinite(times).all() and (np.diff([0.0, *times]) > 0).all()):
        message = f"{what} must be finite, above 0 and increasing"
        raise InputError([Fault(message, value=tuple(times))])
    return tuple(float(time) for time in times)


def _at_least(what: str, least: float, value: float) -> None:
    if not value >= least:
        raise InputError([Fault(f"{what} must be {least:g} or more", value=value)])


@dataclass(frozen=True)
class Parameter:
    """A sampled quantity: its name, the prior it takes from `Priors` and the dim it runs along."""

    name: str
    prior: str | None
    dim: str | None = None


class Baseline(ABC):
    """A baseline hazard h0(t); log h(t|x) = log h0(t) + x'b + group effects."""

    name: ClassVar[str]
    sampled: ClassVar[tuple[Parameter, ...]]

    # Attributes that come from the cohort: data of a compiled model, not part of its shape.
    constants: ClassVar[tuple[str, ...]] = ()

    # Whether log h0 and H0 are linear in their bases, up to a term that is the same at all times:
    # then the events and the person-time of patients alike are all that is to be known of them.
    additive: ClassVar[bool] = False

    @property
    def coords(self) -> dict[str, list[str]]:
        """Labels of the dims that the parameters run along."""
        return {}

    def with_constants(self, values: Mapping[str, Array]) -> Self:
        """The same baseline with symbols in place of its constants."""
        twin = copy(self)
        for name, value in values.items():
            object.__setattr__(twin, name, value)
        return twin

    def resolve(self, event_times: np.ndarray, end: float, median: float) -> "Baseline":
        """Fix what was left to the data (cuts, knots, scale), so that it can be stated and kept."""
        return self

    def assemble(self, sampled: Parameters, xp: Any) -> dict[str, Array]:
        """Turn sampled quantities into the parameters that the two formulas need."""
        return dict(sampled)

    @abstractmethod
    def level(self, log_median: Array, sampled: Parameters, xp: Any) -> Array:
        """Intercept at which the median survival of the reference profile is exp(log_median)."""

    @abstractmethod
    def hazard_basis(self, time: np.ndarray) -> np.ndarray:
        """Known functions of time in log h0, shape `(..., time)`."""

    @abstractmethod
    def cumulative_basis(self, time: np.ndarray) -> np.ndarray:
        """Known functions of time in H0, shape `(..., time)`."""

    @abstractmethod
    def log_hazard(self, basis: Array, parameters: Parameters, xp: Any) -> Array:
        """Evaluate log h0 at the basis' times: shape `(..., time)`."""

    @abstractmethod
    def cumulative_hazard(self, basis: Array, parameters: Parameters, xp: Any) -> Array:
        """Evaluate H0 at the basis' times: shape `(..., time)`, 0 at time 0."""

    def knots(self) -> np.ndarray:
        """Times at which h0 is not smooth: integration and plots should not step over them."""
        return np.empty(0)


@dataclass(frozen=True)
class Exponential(Baseline):
    """Constant hazard, h0(t) = exp(intercept)."""

    name: ClassVar[str] = "exponential"
    additive: ClassVar[bool] = True
    sampled: ClassVar[tuple[Parameter, ...]] = (Parameter("intercept", "intercept"),)

    def level(self, log_median: Array, sampled: Parameters, xp: Any) -> Array:
        return np.log(_LOG_2) - log_median

    def hazard_basis(self, time: np.ndarray) -> np.ndarray:
        return np.zeros_like(time, dtype=float)

    def cumulative_basis(self, time: np.ndarray) -> np.ndarray:
        return np.asarray(time, dtype=float)

    def log_hazard(self, basis: Array, parameters: Parameters, xp: Any) -> Array:
        return parameters["intercept"][..., None] + basis

    def cumulative_hazard(self, basis: Array, parameters: Parameters, xp: Any) -> Array:
        return xp.exp(parameters["intercept"])[..., None] * basis


@dataclass(frozen=True)
class Weibull(Baseline):
    """Power hazard, h0(t) = shape t^(shape - 1) exp(intercept), H0(t) = t^shape exp(intercept)."""

    name: ClassVar[str] = "weibull"
    sampled: ClassVar[tuple[Parameter, ...]] = (
        Parameter("intercept", "intercept"),
        Parameter("shape", "shape"),
    )

    def level(self, log_median: Array, sampled: Parameters, xp: Any) -> Array:
        return np.log(_LOG_2) - sampled["shape"] * log_median

    def hazard_basis(self, time: np.ndarray) -> np.ndarray:
        time = np.asarray(time, dtype=float)
        return np.log(time, where=time > 0, out=np.full_like(time, _LOG_ZERO))

    cumulative_basis = hazard_basis

    def log_hazard(self, basis: Array, parameters: Parameters, xp: Any) -> Array:
        shape = parameters["shape"][..., None]
        return parameters["intercept"][..., None] + xp.log(shape) + (shape - 1) * basis

    def cumulative_hazard(self, basis: Array, parameters: Parameters, xp: Any) -> Array:
        shape = parameters["shape"][..., None]
        return xp.exp(parameters["intercept"][..., None] + shape * basis)


@dataclass(frozen=True)
class Gompertz(Baseline):
    """Exponential change of the hazard, h0(t) = exp(intercept + slope t / scale).

    `scale` is a time in the cohort's unit, so that `slope` (change of the log hazard over one
    scale) has none; unless given it is the reference median of the prior.
    """

    scale: float | None = None
    constants: ClassVar[tuple[str, ...]] = ("scale",)
    name: ClassVar[str] = "gompertz"
    sampled: ClassVar[tuple[Parameter, ...]] = (
        Parameter("intercept", "intercept"),
        Parameter("slope", "slope"),
    )

    def __post_init__(self) -> None:
        _increasing("gompertz: scale", None if self.scale is None else (self.scale,))

    def resolve(self, event_times: np.ndarray, end: float, median: float) -> "Gompertz":
        return self if self.scale is not None else replace(self, scale=float(median))

    def level(self, log_median: Array, sampled: Parameters, xp: Any) -> Array:
        at_zero = {"intercept": 0.0 * log_median, "slope": sampled["slope"]}
        basis = xp.exp(log_median)[..., None] / self.scale
        return np.log(_LOG_2) - xp.log(self.cumulative_hazard(basis, at_zero, xp))[..., 0]

    def hazard_basis(self, time: np.ndarray) -> np.ndarray:
        return np.asarray(time, dtype=float) / self.scale

    cumulative_basis = hazard_basis

    def log_hazard(self, basis: Array, parameters: Parameters, xp: Any) -> Array:
        return parameters["intercept"][..., None] + parameters["slope"][..., None] * basis

    def cumulative_hazard(self, basis: Array, parameters: Parameters, xp: Any) -> Array:
        change = parameters["slope"][..., None] * basis
        flat = xp.abs(change) < 1e-5  # expm1(x) / x loses its gradient at x = 0
        safe = xp.where(flat, 1.0, change)
        growth = xp.where(flat, 1 + change / 2 + change**2 / 6, xp.expm1(safe) / safe)
        return xp.exp(parameters["intercept"])[..., None] * self.scale * basis * growth


@dataclass(frozen=True)
class PiecewiseExponential(Baseline):
    """Constant hazard exp(log_hazard[j]) on each interval (c[j-1], c[j]], the last one open.

    `cuts` are the inner interval ends c[1..J-1]; unless given they are quantiles of the event
    times that share the events out among `intervals`. With smoothing "random-walk",
    log_hazard[j] ~ Normal(log_hazard[j-1], smoothing_sd); with "independent" each interval has
    the prior of `log_hazard`.
    """

    cuts: tuple[float, ...] | None = None
    intervals: int = 6
    smoothing: Literal["random-walk", "independent"] = "random-walk"
    name: ClassVar[str] = "piecewise-exponential"
    additive: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "cuts", _increasing(f"{self.name}: cuts", self.cuts))
        _at_least(f"{self.name}: intervals", 1, self.intervals)

    @property
    def sampled(self) -> tuple[Parameter, ...]:  # type: ignore[override]
        if self.smoothing == "independent":
            return (Parameter("log_hazard", "log_hazard", "interval"),)
        return (
            Parameter("log_hazard_start", "log_hazard"),
            Parameter("smoothing_sd", "smoothing_sd"),
            Parameter("log_hazard_step", None, "step"),
        )

    @property
    def coords(self) -> dict[str, list[str]]:
        intervals = [str(j + 1) for j in range(len(self._edges))]
        return {"interval": intervals, "step": intervals[1:]}

    @property
    def _edges(self) -> np.ndarray:
        return np.concatenate([[0.0], np.asarray(self.cuts, dtype=float)])

    def resolve(self, event_times: np.ndarray, end: float, median: float) -> "PiecewiseExponential":
        if self.smoothing not in SMOOTHINGS:
            message = f"{self.name}: smoothing is one of {', '.join(SMOOTHINGS)}."
            message += nearest(self.smoothing, SMOOTHINGS)
            raise InputError([Fault(message, value=self.smoothing)])
        if self.cuts is not None:
            return self
        quantiles = np.arange(1, self.intervals) / self.intervals
        cuts = np.unique(np.quantile(event_times, quantiles, method="inverted_cdf"))
        return replace(self, cuts=tuple(cuts[cuts < end].tolist()))

    def assemble(self, sampled: Parameters, xp: Any) -> dict[str, Array]:
        if self.smoothing == "independent":
            return dict(sampled)
        start = sampled["log_hazard_start"][..., None]
        steps = sampled["smoothing_sd"][..., None] * sampled["log_hazard_step"]
        return {"log_hazard": xp.concatenate([start, start + xp.cumsum(steps, axis=-1)], axis=-1)}

    def level(self, log_median: Array, sampled: Parameters, xp: Any) -> Array:
        return np.log(_LOG_2) - log_median  # the constant hazard that has this median

    def hazard_basis(self, time: np.ndarray) -> np.ndarray:
        interval = np.searchsorted(self._edges[1:], time, side="left")
        return (np.arange(len(self._edges))[:, None] == interval).astype(float)

    def cumulative_basis(self, time: np.ndarray) -> np.ndarray:
        width = np.append(np.diff(self._edges), np.inf)[:, None]
        return np.clip(np.asarray(time, dtype=float) - self._edges[:, None], 0, width)

    def log_hazard(self, basis: Array, parameters: Parameters, xp: Any) -> Array:
        return parameters["log_hazard"] @ basis

    def cumulative_hazard(self, basis: Array, parameters: Parameters, xp: Any) -> Array:
        return xp.exp(parameters["log_hazard"]) @ basis

    def knots(self) -> np.ndarray:
        return self._edges[1:]


@dataclass(frozen=True)
class MSpline(Baseline):
    """Smooth hazard, h0(t) = exp(intercept) sum_i weight[i] M_i(t), constant beyond the boundary.

    Cubic M-splines M_i (each integrates to 1 over [0, boundary]) with weights on the simplex:
    weight = softmax(log w0 + random walk), w0 being the weights of a constant hazard, so that the
    prior is centred there and `smoothing_sd` = 0 is the exponential model. Unless given, inner
    knots are quantiles of the event times and the boundary is the last event time.

    Source: Jackson, BMC Medical Research Methodology 2023; Ramsay, Statistical Science 1988.
    """

    inner: tuple[float, ...] | None = None
    boundary: float | None = None
    inner_knots: int = 5
    constants: ClassVar[tuple[str, ...]] = ("log_boundary", "constant_weights")
    name: ClassVar[str] = "m-spline"
    sampled: ClassVar[tuple[Parameter, ...]] = (
        Parameter("intercept", "intercept"),
        Parameter("smoothing_sd", "smoothing_sd"),
        Parameter("weight_step", None, "step"),
    )
    _degree: ClassVar[int] = 3
    log_boundary: Array = field(init=False, repr=False, compare=False, default=None)
    constant_weights: Array = field(init=False, repr=False, compare=False, default=None)
    _spline: BSpline = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        _at_least(f"{self.name}: inner_knots", 0, self.inner_knots)
        boundary = () if self.boundary is None else (self.boundary,)
        _increasing(f"{self.name}: knots and boundary", (*(self.inner or ()), *boundary))
        if self.inner is None or self.boundary is None:
            return
        object.__setattr__(self, "inner", tuple(self.inner))
        ends = [0.0] * (self._degree + 1), [self.boundary] * (self._degree + 1)
        knots = np.array([*ends[0], *self.inner, *ends[1]])
        count = len(knots) - self._degree - 1
        scale = (self._degree + 1) / (knots[self._degree + 1 :] - knots[:count])
        object.__setattr__(self, "_spline", BSpline(knots, np.diag(scale), self._degree))
        object.__setattr__(self, "log_boundary", np.log(self.boundary))
        object.__setattr__(self, "constant_weights", 1 / scale / self.boundary)

    @property
    def coords(self) -> dict[str, list[str]]:
        names = [str(i + 1) for i in range(len(self._spline.c))]
        return {"basis": names, "step": names[1:]}

    @property
    def _end(self) -> float:
        if self.boundary is None:
            raise ValueError("an M-spline baseline needs resolve() before it is used")
        return self.boundary

    def resolve(self, event_times: np.ndarray, end: float, median: float) -> "MSpline":
        boundary = self.boundary if self.boundary is not None else float(event_times.max())
        if self.inner is not None:
            return replace(self, boundary=boundary)
        quantiles = np.arange(1, self.inner_knots + 1) / (self.inner_knots + 1)
        inner = np.unique(np.quantile(event_times, quantiles))
        return replace(self, inner=tuple(inner[inner < boundary].tolist()), boundary=boundary)

    def assemble(self, sampled: Parameters, xp: Any) -> dict[str, Array]:
        walk = xp.cumsum(sampled["smoothing_sd"][..., None] * sampled["weight_step"], axis=-1)
        first = 0 * walk[..., :1]
        path = xp.concatenate([first, walk], axis=-1)
        raw = xp.exp(path - xp.max(path, axis=-1, keepdims=True)) * self.constant_weights
        return {"intercept": sampled["intercept"], "weight": raw / raw.sum(axis=-1, keepdims=True)}

    def level(self, log_median: Array, sampled: Parameters, xp: Any) -> Array:
        return np.log(_LOG_2) + self.log_boundary - log_median  # of the constant hazard w0

    def hazard_basis(self, time: np.ndarray) -> np.ndarray:
        return self._spline(np.minimum(time, self._end)).T

    def cumulative_basis(self, time: np.ndarray) -> np.ndarray:
        inside = np.minimum(time, self._end)
        integral = self._spline.antiderivative()(inside) - self._spline.antiderivative()(0.0)
        beyond = np.asarray(time, dtype=float) - inside
        return integral.T + beyond * self._spline(self._end)[:, None]

    def log_hazard(self, basis: Array, parameters: Parameters, xp: Any) -> Array:
        return parameters["intercept"][..., None] + xp.log(parameters["weight"] @ basis)

    def cumulative_hazard(self, basis: Array, parameters: Parameters, xp: Any) -> Array:
        return xp.exp(parameters["intercept"])[..., None] * (parameters["weight"] @ basis)

    def knots(self) -> np.ndarray:
        return np.array([*(self.inner or ()), self._end])


BASELINES: dict[str, type[Baseline]] = {
    cls.name: cls for cls in (Exponential, Weibull, Gompertz, PiecewiseExponential, MSpline)
}
