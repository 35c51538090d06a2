"""The model by which every simulated study of a design is analysed; made once."""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd

from bayesurv.data.design import Design, Rows
from bayesurv.data.faults import Fault, InputError, listed
from bayesurv.models.baselines import BASELINES, Baseline
from bayesurv.models.build import Specification
from bayesurv.models.priors import MEDIAN_SPREAD, MedianSurvival
from bayesurv.plan_checks import BASELINE_KEYS, read_priors
from bayesurv.planning.design import StudyDesign


@dataclass(frozen=True, eq=False)
class Model:
    """A specification, the distinct covariate patterns as it sees them, and the term asked for."""

    specification: Specification
    patterns: Rows
    treatment: str


def study_model(design: StudyDesign, median: float) -> Model:
    """The model of [analysis] and [priors].

    Where no prior of the level is stated, the reference median survival is within a factor of 20
    of `median`, the true one, with probability 0.95: a cohort's fit takes its crude median there,
    which would change from study to study.

    Raises
    ------
    InputError
        Formula or priors that cannot be used, naming the section.
    """
    keys, truth = design.study()
    formula = design.analysis.formula or " + ".join([keys.treatment, *truth.covariates])
    frame = covariate_patterns(keys.treatment, tuple(truth.covariates))
    try:
        coded = Design.from_frame(formula, frame)
        priors = read_priors(design.priors.model_dump(exclude_none=True), [])
        priors.coefficients(coded.terms)
    except InputError as error:
        faults = [replace(fault, message=f"[analysis] {fault.message}") for fault in error.faults]
        raise InputError(faults) from None
    if keys.treatment not in coded.terms:
        message = f'[analysis] formula: the treatment "{keys.treatment}" is no term of its own; '
        raise InputError([Fault(f"{message}terms are {listed(coded.terms)}")])
    stated = priors.median_survival or MedianSurvival.around(median, MEDIAN_SPREAD)
    specification = Specification(_baseline(design, stated.centre), coded, priors, stated)
    if specification.two_modes:
        message = "[priors] coefficient: a robust prior can give a posterior of two modes, which "
        message += "the quick approximation of a simulated study does not see; state a plain one"
        raise InputError([Fault(message)])
    return Model(specification, coded.rows, keys.treatment)


def covariate_patterns(treatment: str, covariates: tuple[str, ...]) -> pd.DataFrame:
    """Every combination of treatment and binary covariates, in the order of `Studies.pattern`."""
    names = [treatment, *covariates]
    rows = [combination[::-1] for combination in product((0, 1), repeat=len(names))]
    return pd.DataFrame(rows, columns=names)


def _baseline(design: StudyDesign, median: float) -> Baseline:
    keys = design.analysis
    given = {
        argument: getattr(keys, key, None)
        for key, argument in BASELINE_KEYS.get(keys.baseline, {}).items()
    }
    made = BASELINES[keys.baseline](**{k: v for k, v in given.items() if v is not None})
    return made.resolve(np.array([median]), median, median)
