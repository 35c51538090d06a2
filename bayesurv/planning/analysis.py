"""Posterior of the treatment's effect in each of many simulated studies."""

from dataclasses import dataclass

import numpy as np

from bayesurv.data.design import Rows
from bayesurv.models.build import Specification
from bayesurv.planning.studies import Studies


@dataclass(frozen=True, eq=False)
class Answers:
    """What each study found, one value per study, all of shape `(study,)`.

    estimate, sd : posterior mean and standard deviation of the treatment's log hazard ratio.
    lower, upper : its equal-tailed interval.
    probability : posterior probability that the hazard ratio is below the margin.
    pareto_k, effective : k-hat of the importance weights, and the draws they are worth.
    method : "laplace" or "nuts".
    """

    estimate: np.ndarray
    sd: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    probability: np.ndarray
    pareto_k: np.ndarray
    effective: np.ndarray
    method: np.ndarray


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
    raise NotImplementedError
