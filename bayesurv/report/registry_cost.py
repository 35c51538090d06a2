"""What wider intervals cost: standard errors of the coefficients from the counts themselves."""

import re

import numpy as np
import pandas as pd

from bayesurv.data.coding import with_codings
from bayesurv.data.counts import Counts
from bayesurv.data.design import Design
from bayesurv.frequentist.newton import Evaluation, maximise

GROUP_TERM = re.compile(r"\([^()|]*\|[^()]*\)")


def fixed_terms(formula: str) -> str:
    """The formula without its group terms; "" if there is nothing else."""
    terms = (term.strip() for term in GROUP_TERM.sub("", formula).split("+"))
    return " + ".join(term for term in terms if term not in ("", "1"))


def standard_errors(counts: Counts, formula: str) -> pd.Series:
    """Standard error of each coefficient, by term; NaN where the counts do not bound it.

    Of the maximum likelihood of events ~ Poisson(person_time exp(l[j] + x[p]'b)), with a free log
    hazard l[j] in each interval; group terms are left out.

    Raises
    ------
    InputError
        The formula's terms are constant or collinear in these patterns.
    """
    fixed = fixed_terms(formula)
    if not fixed:
        return pd.Series(dtype=float)
    design = Design.from_frame(with_codings(fixed, counts.coding), counts.covariates)
    names = [design.terms[term] for term in design.column_term]
    covariates = design.rows.fixed
    found = maximise(
        lambda b: _evaluate(b, covariates, counts.events, counts.person_time),
        np.zeros(len(names)),
        np.eye(len(names)),
    )
    variance = np.full(len(names), np.nan)
    if found.settled:
        variance = np.diag(np.linalg.pinv(found.at.information))
    return pd.Series(np.sqrt(variance), index=names)


def _evaluate(
    coefficient: np.ndarray, covariates: np.ndarray, events: np.ndarray, person_time: np.ndarray
) -> Evaluation:
    """The log-likelihood at its maximum over the log hazards: l[j] = log(events / expected)."""
    predictor = covariates @ coefficient
    weight = person_time * np.exp(predictor)[:, None]
    total, expected = events.sum(axis=0), weight.sum(axis=0)
    seen = total > 0
    share = weight[:, seen] / expected[seen]
    mean = share.T @ covariates
    spread = np.einsum("pj,pa,pb->jab", share, covariates, covariates)
    spread -= np.einsum("ja,jb->jab", mean, mean)
    return Evaluation(
        float((events.sum(axis=1) * predictor).sum() - total[seen] @ np.log(expected[seen])),
        events.sum(axis=1) @ covariates - total[seen] @ mean,
        np.einsum("j,jab->ab", total[seen], spread),
    )
