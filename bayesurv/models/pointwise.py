"""Log-likelihood of each patient and log density of each prior, at given draws."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from bayesurv.data.design import Rows
from bayesurv.models.build import Specification
from bayesurv.models.likelihood import Observed, linear_predictor, log_likelihood

if TYPE_CHECKING:
    import xarray as xr


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


def log_prior(specification: Specification, drawn: "xr.Dataset") -> "xr.Dataset":
    """Log prior density of every stated prior at the draws, dims `(chain, draw, ...)`."""
    import xarray as xr

    found = {}
    for quantity in specification.sampled():
        values = drawn[quantity.name]
        if len(quantity.priors) == 1:
            density = quantity.priors[0].frozen().logpdf(values.to_numpy())
        else:
            columns = [p.frozen().logpdf(values[..., i]) for i, p in enumerate(quantity.priors)]
            density = np.stack(columns, axis=-1)
        found[quantity.name] = values.copy(data=density)
    return xr.Dataset(found)
