"""Priors in clinical units: small frozen objects that print themselves, and their defaults."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np

from bayesurv.data.faults import Fault, InputError, nearest
from bayesurv.models.distributions import (
    Distribution,
    Gamma,
    HalfCauchy,
    HalfNormal,
    LogNormal,
    Normal,
    Robust,
    StudentT,
    written,
)


def _central(lower: float, upper: float, prob: float, what: str) -> Normal:
    """Normal for the logarithm of a quantity between lower and upper with probability prob."""
    if not (0 < lower < upper < np.inf and 0 < prob < 1):
        message = f"{what} prior needs 0 < lower < upper and 0 < prob < 1"
        raise InputError([Fault(message, value=(lower, upper, prob))])
    width = NormalDist().inv_cdf(0.5 + prob / 2)
    middle, half = (np.log(upper) + np.log(lower)) / 2, (np.log(upper) - np.log(lower)) / 2
    return Normal(float(middle), float(half / width))


@dataclass(frozen=True)
class Ratio:
    """A ratio between lower and upper with probability prob: its logarithm is Normal."""

    lower: float
    upper: float
    prob: float = 0.95
    what: ClassVar[str]

    def __post_init__(self) -> None:
        self.distribution()

    def __str__(self) -> str:
        return written(self, *(getattr(self, f.name) for f in fields(self)))

    def distribution(self) -> Distribution:
        """Return the Normal prior of the log ratio."""
        return _central(self.lower, self.upper, self.prob, self.what)


@dataclass(frozen=True)
class HazardRatio(Ratio):
    """Hazard ratio between lower and upper with probability prob: a Normal log hazard ratio."""

    what: ClassVar[str] = "hazard ratio"


@dataclass(frozen=True)
class RobustHazardRatio(HazardRatio):
    """A `HazardRatio` that holds with a weight, and else a log ratio that is Normal(0, vague)."""

    weight: float = 0.5
    vague: float = 1.0

    def distribution(self) -> Robust:
        """Return the `Robust` prior of the log ratio."""
        known = _central(self.lower, self.upper, self.prob, self.what)
        return Robust(known.mu, known.sigma, self.weight, self.vague)


@dataclass(frozen=True)
class OddsRatio(Ratio):
    """Odds ratio between lower and upper with probability prob: a Normal log odds ratio."""

    what: ClassVar[str] = "odds ratio"


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
        return written(self, self.lower, self.upper, self.prob)

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
REAL = (Normal, StudentT, Robust)


def family_names(families: tuple[type, ...]) -> str:
    """Names of families in words."""
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
            if not isinstance(given, POSITIVE):
                yield f"{name} is positive, not {given}; use {family_names(POSITIVE)}"
        for name in ("intercept", "slope", "log_hazard"):
            given = getattr(self, name)
            if given is not None and not isinstance(given, REAL):
                yield f"{name} may be negative, unlike {given}; use {family_names(REAL)}"
        for term, given in self._by_term().items():
            if not isinstance(given, (*REAL, HazardRatio)):
                allowed = family_names((*REAL, HazardRatio))
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
        return coefficient_priors(self.coefficient, DEFAULT_COEFFICIENT, terms)

    def describe(self) -> dict[str, str]:
        """Printed form of every prior that is set."""
        return described(self)


def coefficient_priors(
    given: Distribution | Ratio | Mapping[str, Distribution | Ratio],
    default: Distribution,
    terms: tuple[str, ...],
) -> list[Distribution]:
    """Prior of each term's coefficient; terms that a mapping does not name have the default.

    Raises
    ------
    InputError
        A term is named that the model does not have.
    """
    named: Mapping[str, Distribution | Ratio] = given if isinstance(given, Mapping) else {}
    unknown = [name for name in named if name not in terms]
    if unknown:
        raise InputError(
            Fault(f"priors: no term {name!r} in the model.{nearest(name, terms)}")
            for name in unknown
        )
    rest = default if isinstance(given, Mapping) else given
    chosen = [named.get(term, rest) for term in terms]
    return [p.distribution() if isinstance(p, Ratio) else p for p in chosen]


def described(priors: Any) -> dict[str, str]:
    """Printed form of every prior that is set in a table of priors."""
    table: dict[str, str] = {}
    for entry in fields(priors):
        value = getattr(priors, entry.name)
        if isinstance(value, Mapping):
            table |= {f"{entry.name}[{term}]": str(prior) for term, prior in value.items()}
        elif value is not None:
            table[entry.name] = str(value)
    return table


FAMILIES: dict[str, type] = {
    cls.__name__: cls for cls in (*REAL, *POSITIVE, HazardRatio, RobustHazardRatio, MedianSurvival)
}


def parse_prior(text: str, where: str = "prior", families: Mapping[str, type] = FAMILIES) -> Any:
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
    if name not in families:
        message = f"{where}: unknown prior {name!r}; use one of {', '.join(families)}."
        raise InputError([Fault(message + nearest(name, families))])
    try:
        numbers = [float(part) for part in inside.split(",")]
    except ValueError:
        raise InputError([Fault(f"{where}: {text!r} holds something that is no number")]) from None
    try:
        return families[name](*numbers)
    except TypeError:
        wanted = ", ".join(f.name for f in fields(families[name]))
        raise InputError([Fault(f"{where}: {text!r} should read {name}({wanted})")]) from None
