"""Posterior of the treatment's effect in each of many simulated studies."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bayesurv.data.design import Rows
from bayesurv.fitting import compiled_survival
from bayesurv.inference.reweigh import MAX_PARETO_K, weighted_quantile
from bayesurv.models.build import Specification
from bayesurv.models.compression import compressed
from bayesurv.planning.studies import Studies

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
    0.7 the study is sampled by NUTS instead.

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
    found = [
        _posterior(specification, patterns, studies, i, treatment, draws, int(seed))
        for i, seed in enumerate(seeds)
    ]
    return Answers.of(found, margin, ci_prob)


def _posterior(
    specification: Specification,
    patterns: Rows,
    studies: Studies,
    i: int,
    treatment: str,
    draws: int,
    seed: int,
) -> Posterior:
    from bayesurv.inference.laplace import approximate

    compiled = _compiled(specification, patterns, studies, i)
    name, element = _coefficient(specification, treatment)
    found = approximate(compiled, draws=draws, seed=seed)
    if found.pareto_k <= MAX_PARETO_K:
        values = found.named(name)[:, element]
        return Posterior(values, found.weight, float(found.pareto_k), LAPLACE)
    return _sampled(specification, compiled, treatment, float(found.pareto_k), seed)


def _compiled(specification: Specification, patterns: Rows, studies: Studies, i: int) -> Any:
    """The compiled model on one study's data."""
    chosen = studies.pattern[i]
    rows = Rows(patterns.fixed[chosen], patterns.group_index[chosen], patterns.group_value[chosen])
    time, event = studies.time[i], studies.event[i]
    entry = np.zeros_like(time) if studies.entry is None else studies.entry[i]
    upper = np.full_like(time, np.nan)
    observed, distinct = compressed(specification.baseline, rows, entry, time, upper, event)
    return compiled_survival(specification, observed, distinct)


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
