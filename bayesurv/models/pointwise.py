"""Log-likelihood of each patient and log density of each prior, at given draws."""

from collections.abc import Mapping

import numpy as np

from bayesurv.data.design import Rows
from bayesurv.models.build import Specification
from bayesurv.models.likelihood import Observed, linear_predictor, log_likelihood


def patient_log_likelihood(
    specification: Specification,
    observed: Observed,
    rows: Rows,
    patients: np.ndarray,
    parameters: Mapping[str, np.ndarray],
) -> np.ndarray:
    """Log-likelihood of each patient, shape `(chain, draw, individual)`: the sum over the rows."""
    predictor = linear_predictor(specification.design, rows, parameters, np)
    by_row = log_likelihood(specification.baseline, observed, parameters, predictor, np)
    by_row = np.broadcast_to(by_row, (*by_row.shape[:-1], len(patients)))
    if len(np.unique(patients)) == len(patients):
        return by_row
    summed = np.zeros((*by_row.shape[:-1], patients.max() + 1))
    for row, patient in enumerate(patients):
        summed[..., patient] += by_row[..., row]
    return summed


def log_prior(
    specification: Specification, drawn: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Log prior density of every stated prior at the draws, each `(chain, draw, ...)`."""
    found = {}
    for quantity in specification.sampled():
        values, priors = drawn[quantity.name], quantity.priors
        if len(priors) == 1:
            found[quantity.name] = priors[0].frozen().logpdf(values)
        else:
            columns = [p.frozen().logpdf(values[..., i]) for i, p in enumerate(priors)]
            found[quantity.name] = np.stack(columns, axis=-1)
    return found
