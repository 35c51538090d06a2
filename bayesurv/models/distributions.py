"""Prior distributions: small frozen objects that print themselves, and what is drawn from them."""

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar

import numpy as np

from bayesurv.data.faults import Fault, InputError
from bayesurv.models.mixture import NormalMixture


def written(prior: object, *numbers: float) -> str:
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
        return written(self, *self.numbers().values())

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
class Robust(Distribution):
    """Robust(mu, sigma, weight, vague): weight on Normal(mu, sigma), else on Normal(0, vague).

    What is known from elsewhere, and the doubt whether it holds here: data that contradict it move
    the posterior to the vague component. Where they do, the posterior can have two modes, between
    which a Markov chain hardly goes; `estimands.borrowing` weighs the components exactly.

    Source: Schmidli et al., Biometrics 2014.
    """

    mu: float
    sigma: float
    weight: float
    vague: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weight >= 1:
            message = f"prior {self}: weight must be below 1, so that some doubt remains"
            raise InputError([Fault(message, value=self.weight)])

    def frozen(self) -> NormalMixture:
        """The same distribution, with the methods that scipy.stats has."""
        weights = self.weight, 1 - self.weight
        return NormalMixture.of(weights, (self.mu, 0), (self.sigma, self.vague))


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


@dataclass(frozen=True)
class Beta(Distribution):
    """Beta(alpha, beta) of a risk, worth alpha patients with the outcome and beta without."""

    alpha: float
    beta: float
    scipy_name: ClassVar[str] = "beta"

    def _scipy_arguments(self) -> dict[str, float]:
        return {"a": self.alpha, "b": self.beta}


@dataclass(frozen=True)
class Sampled:
    """One sampled quantity: the priors of its elements (all of one or of several families).

    `priors` has one entry for a scalar or a shared prior, else one for each label of `dim`.
    """

    name: str
    priors: tuple[Distribution, ...]
    dim: str | None = None

    def families(self) -> dict[str, list[int]]:
        """Positions of the priors of each family."""
        found: dict[str, list[int]] = {}
        for i, prior in enumerate(self.priors):
            found.setdefault(type(prior).__name__, []).append(i)
        return found

    def hyperparameters(self) -> dict[str, np.ndarray]:
        """Every hyperparameter by the name of its data array."""
        arrays = {}
        for label, members in self.families().items():
            priors = [self.priors[i] for i in members]
            for key in priors[0].numbers():
                values = np.array([prior.numbers()[key] for prior in priors])
                arrays[f"{self.name}_{label}_{key}"] = values if len(self.priors) > 1 else values[0]
        return arrays

    def start(self) -> np.ndarray:
        """Prior medians on the sampler's scale, where chains start."""
        middles = [
            np.log(prior.frozen().median()) if prior.positive else prior.frozen().median()
            for prior in self.priors
        ]
        return np.array(middles if len(middles) > 1 else middles[0])
