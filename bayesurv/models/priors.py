"""Priors in clinical units: small frozen objects that print themselves, and their defaults."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np

from bayesurv.data.faults import Fault, InputError, nearest


def _written(prior: object, *numbers: float) -> str:
    """Printed form of a prior, from which `parse_prior` makes exactly the same one."""
    short = (f"{v:g}" if float(f"{v:g}") == v else repr(float(v)) for v in numbers)
    return f"{type(prior).__name__}({', '.join(short)})"


@dataclass(frozen=True)
class Distribution:
    """A plain prior distribution; its fields are the numbers of its printed form."""

    positive: ClassVar[bool] = False
    scipy_name: ClassVar[str]

    def __post_init__(self) -> None:
        for name, value in self.numbers().items():
            allowed = np.isfinite(value) and (name == "mu" or value > 0)
            if not allowed:
                bound = "finite" if name == "mu" else "finite and above 0"
                raise InputError([Fault(f"prior {self}: {name} must be {bound}", value=value)])

    def __str__(self) -> str:
        return _written(self, *self.numbers().values())

    def numbers(self) -> dict[str, float]:
        """Hyperparameters by name, in the order of the printed form."""
        return {f.name: float(getattr(self, f.name)) for f in fields(self)}

    def frozen(self) -> Any:
        """The same distribution in scipy.stats, for log densities and prior draws."""
        return _frozen(self)

    def _scipy_arguments(self) -> dict[str, float]:
        return {"scale": self.sigma}  # type: ignore[attr-defined]


@cache
def _frozen(prior: Distribution) -> Any:
    from scipy import stats

    return getattr(stats, prior.scipy_name)(**prior._scipy_arguments())


@dataclass(frozen=True)
class Normal(Distribution):
    """Normal(mu, sigma)."""

    mu: float
    sigma: float
    scipy_name: ClassVar[str] = "norm"

    def _scipy_arguments(self) -> dict[str, float]:
        return {"loc": self.mu, "scale": self.sigma}


@dataclass(frozen=True)
class StudentT(Distribution):
    """StudentT(nu, mu, sigma)."""

    nu: float
    mu: float
    sigma: float
    scipy_name: ClassVar[str] = "t"

    def _scipy_arguments(self) -> dict[str, float]:
        return {"df": self.nu, "loc": self.mu, "scale": self.sigma}


@dataclass(frozen=True)
class LogNormal(Distribution):
    """LogNormal(mu, sigma): the logarithm is Normal(mu, sigma)."""

    mu: float
    sigma: float
    positive: ClassVar[bool] = True
    scipy_name: ClassVar[str] = "lognorm"

    def _scipy_arguments(self) -> dict[str, float]:
        return {"s": self.sigma, "scale": float(np.exp(self.mu))}


@dataclass(frozen=True)
class HalfNormal(Distribution):
    """HalfNormal(sigma)."""

    sigma: float
    positive: ClassVar[bool] = True
    scipy_name: ClassVar[str] = "halfnorm"


@dataclass(frozen=True)
class HalfCauchy(Distribution):
    """HalfCauchy(beta)."""

    beta: float
    positive: ClassVar[bool] = True
    scipy_name: ClassVar[str] = "halfcauchy"

    def _scipy_arguments(self) -> dict[str, float]:
        return {"scale": self.beta}


@dataclass(frozen=True)
class Gamma(Distribution):
    """Gamma(alpha, beta) with shape alpha and rate beta."""

    alpha: float
    beta: float
    positive: ClassVar[bool] = True
    scipy_name: ClassVar[str] = "gamma"

    def _scipy_arguments(self) -> dict[str, float]:
        return {"a": self.alpha, "scale": 1 / self.beta}


def _central(lower: float, upper: float, prob: float, what: str) -> Normal:
    """Normal for the logarithm of a quantity between lower and upper with probability prob."""
    if not (0 < lower < upper < np.inf and 0 < prob < 1):
        message = f"{what} prior needs 0 < lower < upper and 0 < prob < 1"
        raise InputError([Fault(message, value=(lower, upper, prob))])
    width = NormalDist().inv_cdf(0.5 + prob / 2)
    middle, half = (np.log(upper) + np.log(lower)) / 2, (np.log(upper) - np.log(lower)) / 2
    return Normal(float(middle), float(half / width))


@dataclass(frozen=True)
class HazardRatio:
    """Hazard ratio between lower and upper with probability prob: a Normal log hazard ratio."""

    lower: float
    upper: float
    prob: float = 0.95

    def __post_init__(self) -> None:
        self.distribution()

    def __str__(self) -> str:
        return _written(self, self.lower, self.upper, self.prob)

    def distribution(self) -> Normal:
        """Return the Normal prior of the log hazard ratio."""
        return _central(self.lower, self.upper, self.prob, "hazard ratio")


@dataclass(frozen=True)
class MedianSurvival:
    """Median survival of the reference profile between lower and upper with probability prob.

    In the cohort's time unit; the logarithm of the median is Normal. It takes the place of the
    intercept's prior. For baselines without a closed median (piecewise, M-spline) it is the
    median of the constant hazard from which the baseline starts.
    """

    lower: float
    upper: float
    prob: float = 0.95

    def __post_init__(self) -> None:
        self.distribution()

    def __str__(self) -> str:
        return _written(self, self.lower, self.upper, self.prob)

    def distribution(self) -> Normal:
        """Return the Normal prior of the log median."""
        return _central(self.lower, self.upper, self.prob, "median survival")

    @property
    def centre(self) -> float:
        """Prior median of the median survival, in the cohort's time unit."""
        return float(np.sqrt(self.lower * self.upper))

    @classmethod
    def around(cls, median: float, spread: float) -> "MedianSurvival":
        """Between median / spread and median * spread with probability 0.95."""
        return cls(median / spread, median * spread, 0.95)


Prior = Distribution | HazardRatio
CoefficientPrior = Prior | Mapping[str, Prior]

DEFAULT_COEFFICIENT = Normal(0, 0.75)
POSITIVE = (LogNormal, HalfNormal, HalfCauchy, Gamma)
REAL = (Normal, StudentT)


def _named(families: tuple[type, ...]) -> str:
    *names, last = [family.__name__ for family in families]
    return f"{', '.join(names)} or {last}"


# 95% of the reference median within this factor of the stated or crude median.
MEDIAN_SPREAD = 20.0


@dataclass(frozen=True)
class Priors:
    """Priors of a model; each default is the one table of defaults.

    `coefficient` is one prior for every term or a mapping by term (terms not named keep the
    default). With neither `intercept` nor `median_survival`, the reference median is within a
    factor of 20 of the crude exponential median with probability 0.95, and the fit says which
    number that was. `log_hazard` is the first interval's prior (every interval's when the
    smoothing is independent); unless given it follows from the reference median.
    """

    intercept: Distribution | None = None
    median_survival: MedianSurvival | None = None
    coefficient: CoefficientPrior = DEFAULT_COEFFICIENT
    shape: Distribution = LogNormal(0, 0.5)
    slope: Distribution = Normal(0, 1)
    log_hazard: Distribution | None = None
    smoothing_sd: Distribution = HalfNormal(0.5)
    group_sd: Distribution = HalfNormal(0.5)

    def __post_init__(self) -> None:
        faults = [Fault(f"priors: {sentence}") for sentence in self._contradictions()]
        if faults:
            raise InputError(faults)

    def _contradictions(self) -> Iterator[str]:
        median: object = self.median_survival
        if not isinstance(median, MedianSurvival | None):
            yield f"median_survival is a MedianSurvival(lower, upper), not {median}"
        for name in ("intercept", "log_hazard"):
            if self.median_survival is not None and getattr(self, name) is not None:
                yield f"median_survival takes the place of {name}; give one of them"
        for name in ("shape", "smoothing_sd", "group_sd"):
            given = getattr(self, name)
            if not (isinstance(given, Distribution) and given.positive):
                yield f"{name} is positive, not {given}; use {_named(POSITIVE)}"
        for name in ("intercept", "slope", "log_hazard"):
            given = getattr(self, name)
            if given is not None and not (isinstance(given, Distribution) and not given.positive):
                yield f"{name} may be negative, unlike {given}; use {_named(REAL)}"
        for term, given in self._by_term().items():
            if not isinstance(given, (*REAL, HazardRatio)):
                allowed = _named((*REAL, HazardRatio))
                yield f"the coefficient of {term} is a log hazard ratio; use {allowed}, not {given}"

    def _by_term(self) -> Mapping[str, Prior]:
        given = self.coefficient
        return given if isinstance(given, Mapping) else {"every term": given}

    def coefficients(self, terms: tuple[str, ...]) -> list[Distribution]:
        """Prior of each term's log hazard ratio, in the order of `terms`.

        Raises
        ------
        InputError
            A term is named that the model does not have.
        """
        given = self.coefficient
        default: Prior = DEFAULT_COEFFICIENT if isinstance(given, Mapping) else given
        named: Mapping[str, Prior] = given if isinstance(given, Mapping) else {}
        unknown = [name for name in named if name not in terms]
        if unknown:
            raise InputError(
                Fault(f"priors: no term {name!r} in the model.{nearest(name, terms)}")
                for name in unknown
            )
        chosen = [named.get(term, default) for term in terms]
        return [p.distribution() if isinstance(p, HazardRatio) else p for p in chosen]

    def describe(self) -> dict[str, str]:
        """Printed form of every prior that is set."""
        table: dict[str, str] = {}
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, Mapping):
                table |= {f"{entry.name}[{term}]": str(prior) for term, prior in value.items()}
            elif value is not None:
                table[entry.name] = str(value)
        return table


FAMILIES: dict[str, type] = {
    cls.__name__: cls for cls in (*REAL, *POSITIVE, HazardRatio, MedianSurvival)
}


def parse_prior(text: str, where: str = "prior") -> Any:
    """Read a prior from its printed form, such as "Normal(0, 2.5)" or "HazardRatio(0.5, 2, 0.95)".

    Raises
    ------
    InputError
        Unknown family, wrong number of numbers, or a number out of range.
    """
    match = re.fullmatch(r"\s*(\w+)\s*\(([^()]*)\)\s*", text)
    if match is None:
        message = f'{where}: a prior reads like "Normal(0, 2.5)"; got {text!r}'
        raise InputError([Fault(message)])
    name, inside = match.groups()
    if name not in FAMILIES:
        message = f"{where}: unknown prior {name!r}; use one of {', '.join(FAMILIES)}."
        raise InputError([Fault(message + nearest(name, FAMILIES))])
    try:
        numbers = [float(part) for part in inside.split(",")]
    except ValueError:
        raise InputError([Fault(f"{where}: {text!r} holds something that is no number")]) from None
    try:
        return FAMILIES[name](*numbers)
    except TypeError:
        wanted = ", ".join(f.name for f in fields(FAMILIES[name]))
        raise InputError([Fault(f"{where}: {text!r} should read {name}({wanted})")]) from None
