"""Logistic model of binary outcomes of the same patients, tied together by shared priors.

For patient i and outcome k,

    logit P(y_ik = 1) = intercept_k + x_i' coefficient_k + patient_effect_i

Of several outcomes, such as kinds of adverse event, each term's coefficients are partially pooled,
coefficient_k = group_mean + group_sd z_k, and patient_effect_i = patient_sd z_i lets the outcomes
of one patient go together. A single outcome has neither.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesurv.data.design import Design
from bayesurv.data.faults import Fault, InputError
from bayesurv.models.baselines import Array, Parameters
from bayesurv.models.distributions import Beta, Distribution, HalfNormal, Normal, Sampled
from bayesurv.models.priors import (
    POSITIVE,
    REAL,
    OddsRatio,
    coefficient_priors,
    described,
    family_names,
)

FAMILIES: dict[str, type] = {cls.__name__: cls for cls in (*REAL, *POSITIVE, OddsRatio, Beta)}
LogOddsRatio = Distribution | OddsRatio
DEFAULT_COEFFICIENT = Normal(0, 1)  # an odds ratio between 0.14 and 7.1 with probability 0.95


@dataclass(frozen=True)
class OutcomePriors:
    """Priors of a model of binary outcomes; each default is the one table of defaults.

    intercept : log odds of each outcome at the reference profile; 0.05 to 0.95 as a risk.
    coefficient : log odds ratio of every term, or a mapping by term; of several outcomes, that
        of their mean.
    group_sd, patient_sd : sd of a term's coefficients over outcomes, and of the patients' effects.
    risk : if given, of the risk of each outcome in each arm, all independent of one another, in
        place of all the others. The posterior is then a Beta distribution too.
    """

    intercept: Distribution = Normal(0, 1.5)
    coefficient: LogOddsRatio | Mapping[str, LogOddsRatio] = DEFAULT_COEFFICIENT
    group_sd: Distribution = HalfNormal(0.5)
    patient_sd: Distribution = HalfNormal(1)
    risk: Beta | None = None

    def __post_init__(self) -> None:
        faults = [Fault(f"priors: {sentence}") for sentence in self._contradictions()]
        if faults:
            raise InputError(faults)

    def _contradictions(self) -> Iterator[str]:
        if not isinstance(self.intercept, REAL):
            yield f"intercept may be negative, unlike {self.intercept}; use {family_names(REAL)}"
        for name in ("group_sd", "patient_sd"):
            given = getattr(self, name)
            if not isinstance(given, POSITIVE):
                yield f"{name} is positive, not {given}; use {family_names(POSITIVE)}"
        given = self.coefficient
        for prior in given.values() if isinstance(given, Mapping) else [given]:
            if not isinstance(prior, (*REAL, OddsRatio)):
                allowed = family_names((*REAL, OddsRatio))
                yield f"a coefficient is a log odds ratio; use {allowed}, not {prior}"
        risk: object = self.risk
        if not isinstance(risk, Beta | None):
            yield f"risk is between 0 and 1, unlike {risk}; use Beta"


@dataclass(frozen=True)
class OutcomeSpecification:
    """Everything a model of binary outcomes needs besides data."""

    design: Design
    outcomes: tuple[str, ...]
    priors: OutcomePriors

    def __post_init__(self) -> None:
        if self.design.group_terms:
            message = "formula: terms such as (1 | centre) are not supported for 0/1 outcomes"
            raise InputError([Fault(f"{message}; leave them out")])
        fixed = self.design.rows.fixed
        if self.priors.risk is not None and (fixed.shape[1] != 1 or not set(fixed.flat) <= {0, 1}):
            message = "priors: risk is that of an arm, so the formula must be the treatment alone, "
            raise InputError([Fault(message + "coded 0 and 1 or with two named levels")])

    @property
    def pooled(self) -> bool:
        """Whether several outcomes share a prior."""
        return len(self.outcomes) > 1 and self.priors.risk is None

    def sampled(self) -> list[Sampled]:
        """Every sampled quantity with a prior of its own, in the order of the model."""
        priors, terms = self.priors, self.design.terms
        if priors.risk is not None:
            return [Sampled("risk", (priors.risk,), "cell")]
        coefficients = tuple(coefficient_priors(priors.coefficient, DEFAULT_COEFFICIENT, terms))
        listed = [Sampled("intercept", (priors.intercept,), "outcome")]
        if not self.pooled:
            return [*listed, Sampled("coefficient", coefficients, "effect")]
        return [
            *listed,
            Sampled("group_mean", coefficients, "term"),
            Sampled("group_sd", (priors.group_sd,), "term"),
            Sampled("patient_sd", (priors.patient_sd,)),
        ]

    def standard_normals(self) -> list[tuple[str, str]]:
        """Name and dim of the non-centred effects, each Normal(0, 1) before it is scaled."""
        return [("offset", "effect"), ("patient_offset", "individual")] if self.pooled else []

    def coords(self) -> dict[str, list]:
        """Labels of every dim of the model; effects and cells run over the outcomes fastest."""
        terms, outcomes = list(self.design.terms), list(self.outcomes)
        return {
            "outcome": outcomes,
            "term": terms,
            "effect": [f"{term}, {outcome}" for term in terms for outcome in outcomes],
            "cell": [f"{arm}, {outcome}" for arm in ("reference", *terms) for outcome in outcomes],
            "individual": list(range(len(self.design.rows.fixed))),
        }

    def dim(self, parameter: str) -> str | None:
        """Dim of a parameter's labels; None for a scalar."""
        return DIMS.get(parameter)

    def described_priors(self) -> dict[str, str]:
        """Printed form of every prior that the model uses."""
        used = {quantity.name for quantity in self.sampled()}
        used |= {"coefficient"} if "group_mean" in used else set()
        return {k: v for k, v in described(self.priors).items() if k.partition("[")[0] in used}

    def parameters(self, drawn: Mapping[str, Array], xp: Any = np) -> dict[str, Array]:
        """What likelihood and estimands use, made of sampled quantities, by name and in order."""
        made = dict(drawn)
        size = len(self.outcomes)
        if self.priors.risk is not None:
            log_odds = xp.log(drawn["risk"]) - xp.log1p(-drawn["risk"])
            made["intercept"] = log_odds[..., :size]
            made["coefficient"] = log_odds[..., size:] - log_odds[..., :size]
        if self.pooled:
            term = np.repeat(np.arange(len(self.design.terms)), size)
            spread = drawn["group_sd"][..., term] * drawn["offset"]
            made["coefficient"] = drawn["group_mean"][..., term] + spread
            made["patient_effect"] = drawn["patient_sd"][..., None] * drawn["patient_offset"]
        return {name: made[name] for name in PARAMETERS if name in made}

    def log_odds(self, fixed: Array, parameters: Parameters) -> Array:
        """Log odds of each patient's outcomes, shape `(..., individual, outcome)`.

        fixed : (individual, term) covariates, coded by the design.
        """
        size = len(self.outcomes)
        total = parameters["intercept"][..., None, :]
        for t in range(len(self.design.terms)):
            own = parameters["coefficient"][..., None, t * size : (t + 1) * size]
            total = total + fixed[:, t, None] * own
        if self.pooled:
            total = total + parameters["patient_effect"][..., :, None]
        return total

    def log_likelihood(
        self, data: Mapping[str, Array], parameters: Parameters, xp: Any = np
    ) -> Array:
        """Log-likelihood of each patient, shape `(..., individual)`, given the patient's effect.

        data : as `outcome_arrays` gives; what is not known adds nothing.
        """
        log_odds = self.log_odds(data["fixed"], parameters)
        each = data["happened"] * log_odds - xp.logaddexp(0.0, log_odds)
        return (data["known"] * each).sum(axis=-1)


PARAMETERS = ("intercept", "coefficient", "group_mean", "group_sd", "patient_sd", "patient_effect")
DIMS = {
    "intercept": "outcome",
    "coefficient": "effect",
    "group_mean": "term",
    "group_sd": "term",
    "patient_effect": "individual",
    "outcomes": "individual",  # log-likelihood
}


def outcome_arrays(design: Design, values: np.ndarray) -> dict[str, np.ndarray]:
    """The model's data: covariates, outcomes with 0 where not known, and 1 where known.

    values : (individual, outcome) 1.0 or 0.0, NaN where not known.
    """
    known = ~np.isnan(values)
    return {
        "fixed": design.rows.fixed,
        "happened": np.where(known, values, 0.0),
        "known": known.astype(float),
    }
