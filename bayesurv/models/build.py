"""The PyMC model: the only file that opens a model context."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesurv.data.design import Design, Rows
from bayesurv.models.baselines import Array, Baseline
from bayesurv.models.distributions import Robust, Sampled
from bayesurv.models.likelihood import (
    Observed,
    increment_name,
    linear_predictor,
    log_likelihood,
)
from bayesurv.models.priors import MedianSurvival, Priors
from bayesurv.models.response import OutcomeSpecification

if TYPE_CHECKING:
    import pymc as pm


@dataclass(frozen=True)
class Specification:
    """Everything a model needs besides data: baseline, design and the prior of each parameter."""

    baseline: Baseline
    design: Design
    priors: Priors
    median: MedianSurvival

    @property
    def level(self) -> str | None:
        """Name of the baseline parameter whose prior is stated as a median survival, if any."""
        for parameter in self.baseline.sampled:
            if parameter.prior in ("intercept", "log_hazard"):
                return parameter.name if getattr(self.priors, parameter.prior) is None else None
        return None

    @property
    def two_modes(self) -> bool:
        """Whether a prior can give the posterior a second mode, which no approximation sees."""
        return any(isinstance(p, Robust) for quantity in self.sampled() for p in quantity.priors)

    def described_priors(self) -> dict[str, str]:
        """Printed form of every prior that the model uses, the reference median among them."""
        used = {p.prior for p in self.baseline.sampled}
        used |= {"coefficient"} if self.design.terms else set()
        used |= {"group_sd"} if self.design.group_terms else set()
        table = {k: v for k, v in self.priors.describe().items() if k.partition("[")[0] in used}
        return table | ({"median_survival": str(self.median)} if self.level else {})

    def sampled(self) -> list[Sampled]:
        """Every sampled quantity with a prior of its own, in the order of the model."""
        listed = []
        for parameter in self.baseline.sampled:
            if parameter.name == self.level:
                listed.append(Sampled("log_median", (self.median.distribution(),), parameter.dim))
            elif parameter.prior is not None:
                prior = getattr(self.priors, parameter.prior)
                listed.append(Sampled(parameter.name, (prior,), parameter.dim))
        if self.design.terms:
            chosen = self.priors.coefficients(self.design.terms)
            listed.append(Sampled("coefficient", tuple(chosen), "term"))
        if self.design.group_terms:
            listed.append(Sampled("group_sd", (self.priors.group_sd,), "group_term"))
        return listed

    def standard_normals(self) -> list[tuple[str, str]]:
        """Name and dim of the non-centred effects, each Normal(0, 1) before it is scaled."""
        steps = [(p.name, p.dim) for p in self.baseline.sampled if p.prior is None and p.dim]
        return steps + ([("group_offset", "group")] if self.design.group_terms else [])

    def coords(self) -> dict[str, list[str]]:
        """Labels of every dim of the model."""
        coords = {k: v for k, v in self.baseline.coords.items()}
        if self.design.terms:
            coords["term"] = list(self.design.terms)
        if self.design.group_terms:
            coords |= {
                "group_term": list(self.design.group_terms),
                "group": list(self.design.groups),
            }
        for term, steps in self.design.monotone.items():
            coords[f"step[{term}]"] = list(steps)
        return coords

    def dim(self, parameter: str) -> str | None:
        """Dim of a parameter's labels; None for a scalar."""
        if parameter.startswith("increment["):
            return parameter.replace("increment", "step", 1)
        return DIMS.get(parameter)

    def assemble(self, drawn: Mapping[str, Array], xp: Any) -> dict[str, Array]:
        """Turn sampled quantities into the parameters that likelihood and estimands use."""
        drawn = dict(drawn)
        if "log_median" in drawn:
            drawn[str(self.level)] = self.baseline.level(drawn.pop("log_median"), drawn, xp)
        names = [parameter.name for parameter in self.baseline.sampled]
        parameters = self.baseline.assemble({name: drawn[name] for name in names}, xp)
        for name in ("coefficient", "group_sd", *map(increment_name, self.design.monotone)):
            if name in drawn:
                parameters[name] = drawn[name]
        if self.design.group_terms:
            scale = drawn["group_sd"][..., self.design.group_term_of]
            parameters["group_effect"] = scale * drawn["group_offset"]
        return parameters

    def parameters(self, drawn: Mapping[str, Array]) -> dict[str, Array]:
        """The parameters that a posterior keeps of sampled quantities, by name and in order."""
        every = {**drawn, **self.assemble(drawn, np)}
        increments = map(increment_name, self.design.monotone)
        return {name: every[name] for name in (*PARAMETERS, *increments) if name in every}


def build(specification: Specification, observed: Observed, rows: Rows) -> "pm.Model":
    """Make the PyMC model of follow-up and coded covariates, row by row or compressed.

    All data and all hyperparameters are `pm.Data`, so that a compiled model of the same shape
    serves other data and other priors of the same families. The group effects and random-walk
    steps are non-centred, which samples well for the small groups of small cohorts; the steps are
    partly centred where there are many events. It is the same model either way.
    """
    import pymc as pm
    import pytensor.tensor as pt

    design, baseline = specification.design, specification.baseline
    with pm.Model(coords=specification.coords(), check_bounds=False) as model:
        symbols = {name: pm.Data(name, getattr(baseline, name)) for name in baseline.constants}
        symbolic = replace(specification, baseline=baseline.with_constants(symbols))
        drawn = {q.name: _variable(q, pm, pt) for q in specification.sampled()}
        known = {k: pm.Data(k, value) for k, value in step_error(specification, observed).items()}
        for name, dim in specification.standard_normals():
            if known and name != "group_offset":
                spread = pt.sqrt(1 + (drawn["smoothing_sd"] / known[STEP_ERROR]) ** 2)
                wide = pm.Normal(f"{name}_spread", 0.0, spread, dims=dim)
                drawn[name] = pm.Deterministic(name, wide / spread, dims=dim)
            else:
                drawn[name] = pm.Normal(name, 0.0, 1.0, dims=dim)
        for term in design.monotone:
            dim = f"step[{term}]"
            ones = np.ones(len(design.monotone[term]))
            drawn[increment_name(term)] = pm.Dirichlet(increment_name(term), ones, dims=dim)
        parameters = symbolic.assemble(drawn, pt)
        for name, value in parameters.items():
            if name not in model.named_vars:
                pm.Deterministic(name, value, dims=DIMS.get(name))
        data = {name: pm.Data(name, value) for name, value in data_arrays(rows, observed).items()}
        coded: dict[str, Any] = {name: data.get(name) for name in Rows.__dataclass_fields__}
        times = Observed(**{name: data.get(name) for name in Observed.__dataclass_fields__})
        predictor = linear_predictor(design, Rows(**coded), parameters, pt)
        terms = log_likelihood(symbolic.baseline, times, parameters, predictor, pt)
        pm.Potential("log_likelihood", terms.sum())
    return model


STEP_ERROR = "step_error"
MANY_EVENTS = 100  # for each step of a random walk


def step_error(specification: Specification, observed: Observed) -> dict[str, np.ndarray]:
    """How well the data know a random-walk step, by the name of its data array, if well.

    With e events for each step its standard error s is about 1 / sqrt(e). A step z ~ Normal(0, 1)
    that is scaled by the standard deviation d is then sampled as z sqrt(1 + d^2 / s^2), whose
    posterior has about the same width whatever d is.
    """
    events = observed.exact.sum()
    events += 0 if observed.between is None else observed.between.sum()
    coords = specification.coords()
    steps = [p.dim for p in specification.baseline.sampled if p.prior is None and p.dim]
    number = sum(len(coords[dim]) for dim in steps)
    if not number or events <= MANY_EVENTS * number:
        return {}
    return {STEP_ERROR: np.sqrt(number / events)}


def build_response(specification: OutcomeSpecification, arrays: Mapping[str, Array]) -> "pm.Model":
    """Make the PyMC model of binary outcomes; `arrays` are those of `outcome_arrays`."""
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model(coords=specification.coords(), check_bounds=False) as model:
        drawn = {q.name: _variable(q, pm, pt) for q in specification.sampled()}
        for name, dim in specification.standard_normals():
            drawn[name] = pm.Normal(name, 0.0, 1.0, dims=dim)
        parameters = specification.parameters(drawn, pt)
        for name, value in parameters.items():
            if name not in model.named_vars:
                pm.Deterministic(name, value, dims=specification.dim(name))
        data = {name: pm.Data(name, value) for name, value in arrays.items()}
        pm.Potential("log_likelihood", specification.log_likelihood(data, parameters, pt).sum())
    return model


# What a posterior keeps, in this order; the rest only serves the sampler.
PARAMETERS = (
    "intercept",
    "shape",
    "slope",
    "log_hazard",
    "weight",
    "smoothing_sd",
    "coefficient",
    "group_sd",
    "group_effect",
)
DIMS = {
    "log_hazard": "interval",
    "weight": "basis",
    "coefficient": "term",
    "group_sd": "group_term",
    "group_effect": "group",
}


def data_arrays(rows: Rows, observed: Observed) -> dict[str, np.ndarray]:
    """Every data array of the model by name; a compiled model takes others of the same rank."""
    arrays = observed.arrays()
    if rows.fixed.shape[1]:
        arrays["fixed"] = rows.fixed
    if rows.group_index.shape[1]:
        arrays |= {"group_index": rows.group_index, "group_value": rows.group_value}
    return arrays


def hyperparameters(specification: Specification) -> dict[str, np.ndarray]:
    """Every hyperparameter and constant of the model by the name of its data array."""
    baseline = specification.baseline
    arrays = {name: np.asarray(getattr(baseline, name), float) for name in baseline.constants}
    for quantity in specification.sampled():
        arrays |= quantity.hyperparameters()
    return arrays


def _variable(quantity: Sampled, pm: Any, pt: Any) -> Array:
    """Make the random variable of a sampled quantity, one for each family of its priors."""
    numbers, families = quantity.hyperparameters(), quantity.families()
    parts = []
    for label, members in families.items():
        prefix = f"{quantity.name}_{label}_"
        keys = quantity.priors[members[0]].numbers()
        data = {key: pm.Data(prefix + key, numbers[prefix + key]) for key in keys}
        name, dim = quantity.name, quantity.dim
        if len(families) > 1:
            name, dim = f"{name}_{label}", f"{name}_{label}_element"
            pm.modelcontext(None).add_coord(dim, range(len(members)))
        make = _robust if label == "Robust" else getattr(pm, label)
        parts.append(make(name, **data, dims=dim))
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate(list(families.values())))
    return pm.Deterministic(quantity.name, pt.concatenate(parts)[order], dims=quantity.dim)


def _robust(name: str, mu: Any, sigma: Any, weight: Any, vague: Any, dims: str | None) -> Array:
    """Make a random variable that has a `Robust` prior, in PyMC's names."""
    import pymc as pm
    import pytensor.tensor as pt

    weights, centres = [weight, 1 - weight], [mu, pt.zeros_like(mu)]
    stacked = (pt.stack(pair, axis=-1) for pair in (weights, centres, [sigma, vague]))
    return pm.NormalMixture(name, *stacked, dims=dims)
