"""Posterior of the treatment's effect in each of many simulated studies."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from bayesurv.data.design import Rows
from bayesurv.fitting import compiled_survival
from bayesurv.inference.reweigh import weighted_quantile
from bayesurv.models.build import Specification
from bayesurv.models.likelihood import Observed
from bayesurv.planning.studies import Studies
from bayesurv.planning.vectorised_data import study_arrays

LAPLACE, NUTS, DOUBTFUL = "laplace", "nuts", "nuts, checks failed"


@dataclass(frozen=True, eq=False)
class Answers:
    """What each study found, one value per study, all of shape `(study,)`.

    estimate, sd : posterior mean and standard deviation of the treatment's log hazard ratio.
    lower, upper : its equal-tailed interval.
    probability : posterior probability that the hazard ratio is below the margin.
    pareto_k, effective : k-hat of the importance weights, and the draws they are worth.
    method : "laplace", or where k-hat is above 0.7 "nuts" or "nuts, checks failed".
    """

    estimate: np.ndarray
    sd: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    probability: np.ndarray
    pareto_k: np.ndarray
    effective: np.ndarray
    method: np.ndarray

    @classmethod
    def of(cls, found: "list[Posterior]", margin: float, ci_prob: float) -> Self:
        """Summaries of the posterior of each study."""
        ends = np.array([each.quantiles(ci_prob) for each in found])
        below = [each.weight @ (each.draws < np.log(margin)) for each in found]
        return cls(
            estimate=np.array([each.mean for each in found]),
            sd=np.array([each.sd for each in found]),
            lower=ends[:, 0],
            upper=ends[:, 1],
            probability=np.clip(below, 0.0, 1.0),
            pareto_k=np.array([each.pareto_k for each in found]),
            effective=np.array([1 / (each.weight @ each.weight) for each in found]),
            method=np.array([each.method for each in found]),
        )


@dataclass(frozen=True, eq=False)
class Posterior:
    """Weighted draws of one study's log hazard ratio, both `(draw,)`; weights add up to 1."""

    draws: np.ndarray
    weight: np.ndarray
    pareto_k: float
    method: str

    @property
    def mean(self) -> float:
        """Posterior mean."""
        return float(self.weight @ self.draws)

    @property
    def sd(self) -> float:
        """Posterior standard deviation."""
        return float(np.sqrt(self.weight @ (self.draws - self.mean) ** 2))

    def quantiles(self, ci_prob: float) -> np.ndarray:
        """Ends of the equal-tailed interval."""
        ends = [(1 - ci_prob) / 2, (1 + ci_prob) / 2]
        return weighted_quantile(self.draws, self.weight, ends)


def analyse(
    specification: Specification,
    patterns: Rows,
    studies: Studies,
    *,
    treatment: str,
    margin: float,
    ci_prob: float,
    draws: int,
    seeds: np.ndarray,
) -> Answers:
    """Analyse every study by the same model.

    The posterior is a Laplace approximation with importance weights; where their k-hat is above
    0.7, or no mode was found, the study is sampled by NUTS instead.

    Parameters
    ----------
    specification : Specification
        Built once for the design, on its distinct covariate patterns.
    patterns : Rows
        The distinct patterns as the model sees them; `studies.pattern` points into them.
    treatment : str
        The term whose coefficient is the treatment's log hazard ratio.
    margin, ci_prob, draws
        Hazard ratio below which a treatment helps, probability of the intervals, draws a study.
    seeds : (study,) array of int
        A seed for each study, so that its numbers depend on no other.
    """
    from bayesurv.inference.laplace import approximate

    own, shared = _arrays(specification, patterns, studies)
    name, element = _coefficient(specification, treatment)
    compiled = _compiled(specification, {key: value[0] for key, value in own.items()} | shared)
    found = []
    for i, seed in enumerate(seeds.tolist()):
        study = compiled.with_data(**{key: value[i] for key, value in own.items()})
        approximation = approximate(study, draws=draws, seed=seed)
        if approximation.reliable:
            values, weight = approximation.named(name)[:, element], approximation.weight
            posterior = Posterior(values, weight, approximation.pareto_k, LAPLACE)
        else:
            posterior = _sampled(specification, study, treatment, approximation.pareto_k, seed)
        found.append(posterior)
    return Answers.of(found, margin, ci_prob)


def _arrays(
    specification: Specification, patterns: Rows, studies: Studies
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Data that each study has of its own, along the first axis, and those that all share."""
    own, shared = study_arrays(specification, patterns, studies)
    if specification.design.group_terms:
        groups = {"group_index": patterns.group_index, "group_value": patterns.group_value}
        if specification.baseline.additive:
            shared = shared | groups
        else:
            own = own | {name: value[studies.pattern] for name, value in groups.items()}
    return own, shared


def _compiled(specification: Specification, arrays: Mapping[str, np.ndarray]) -> Any:
    """The compiled model on these arrays."""
    none = np.empty((arrays["fixed"].shape[0], 0))
    rows = Rows(
        arrays["fixed"],
        arrays.get("group_index", none.astype(int)),
        arrays.get("group_value", none),
    )
    names = [each.name for each in fields(Observed) if each.name in arrays]
    observed = Observed(**{name: arrays[name] for name in names})
    return compiled_survival(specification, observed, rows)


def _sampled(
    specification: Specification, compiled: Any, treatment: str, pareto_k: float, seed: int
) -> Posterior:
    """The posterior of one study by NUTS."""
    from bayesurv.inference.sample import Sampling, sample

    run = sample(compiled, Sampling(seed=seed), force=True)
    position = specification.design.terms.index(treatment)
    values = run.tree["posterior"]["coefficient"].to_numpy()[..., position].ravel()
    method = DOUBTFUL if run.failures else NUTS
    return Posterior(values, np.full(len(values), 1 / len(values)), pareto_k, method)


def _coefficient(specification: Specification, treatment: str) -> tuple[str, int]:
    """Name of the sampled quantity that holds the treatment's coefficient, and its place in it."""
    position = specification.design.terms.index(treatment)
    [quantity] = [each for each in specification.sampled() if each.name == "coefficient"]
    families = quantity.families()
    if len(families) == 1:
        return quantity.name, position
    [label] = [label for label, members in families.items() if position in members]
    return f"{quantity.name}_{label}", families[label].index(position)
