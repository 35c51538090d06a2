"""Draws as the groups of a posterior: parameters, likelihood by patient, prior, and the data."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.data.cohort import Cohort
from bayesurv.data.counts import Counts
from bayesurv.models.build import Specification
from bayesurv.models.density import Density
from bayesurv.models.pointwise import log_prior, patient_log_likelihood

if TYPE_CHECKING:
    import xarray as xr


DRAWS = ("chain", "draw")


def groups(
    density: Density, drawn: Mapping[str, np.ndarray], *, pointwise: bool = True
) -> "dict[str, xr.Dataset]":
    """Groups of draws of the sampled quantities, each of shape `(chain, draw, ...)`.

    `posterior` holds the parameters, `log_likelihood` that of each patient, `log_prior` the
    density of each stated prior, and `positions` where each draw stands among
    the sampled quantities, from which the model can be fitted again. Without `pointwise`, as for
    counts, there is no likelihood by patient.
    """
    specification = density.specification
    parameters = specification.parameters(drawn)
    values = {
        "posterior": parameters,
        "log_prior": log_prior(specification, drawn),
        "positions": {"position": density.position(drawn)},
    }
    if pointwise:
        by_patient = patient_log_likelihood(
            specification, density.observed, density.rows, density.patients, parameters
        )
        values["log_likelihood"] = {"time": by_patient}
    return {name: dataset(specification, group) for name, group in values.items()}


def dataset(specification: Specification, values: Mapping[str, np.ndarray]) -> "xr.Dataset":
    """Draws by name, each of shape `(chain, draw, ...)`, with the labels of the model's dims."""
    import xarray as xr

    own = {"time": "individual", "position": "axis"}
    own |= {quantity.name: quantity.dim for quantity in specification.sampled() if quantity.dim}
    table, used = {}, set()
    for name, array in values.items():
        dim = own.get(name) or specification.dim(name)
        table[name] = ((*DRAWS, dim) if array.ndim > 2 else DRAWS, array)
        used.add(dim)
    coords = {dim: np.arange(size) for dim, size in zip(DRAWS, array.shape, strict=False)}
    labels = {dim: names for dim, names in specification.coords().items() if dim in used}
    return xr.Dataset(table, coords | labels)


def data(specification: Specification, cohort: Cohort | Counts) -> "dict[str, xr.Dataset]":
    """Groups of the follow-up, and of whose rows they are and their covariates.

    Of counts: events and person-time by pattern (row) and interval, the patients of each pattern,
    and the last cut beyond which any of them was followed.
    """
    import xarray as xr

    if isinstance(cohort, Counts):
        starts = np.array([0.0, *cohort.cuts])
        cells = ("row", "cell")
        follow_up: dict[str, Any] = {
            "events": (cells, cohort.events),
            "person_time": (cells, cohort.person_time),
            "event": ("row", happened(cohort).astype(float)),
            "last": ("row", np.where(cohort.at_risk > 0, starts, 0.0).max(axis=1)),
            "start": ("cell", starts),
        }
        whose = {"patients": ("row", cohort.patients)}
    else:
        follow_up = {
            name: ("row", np.asarray(getattr(cohort, name), dtype=float))
            for name in ("entry", "time", "upper", "event")
        }
        whose = {}
    covariates = {
        f"covariate_{name}": ("row", _plain(values))
        for name, values in specification.design.training.items()
    }
    whose |= {"individual": ("row", individuals(cohort))}
    return {"observed_data": xr.Dataset(follow_up), "constant_data": xr.Dataset(whose | covariates)}


def individuals(cohort: Cohort | Counts) -> np.ndarray:
    """Position of the patient, or of the pattern of counts, that each row belongs to."""
    if isinstance(cohort, Counts):
        return np.arange(cohort.n_rows)
    return pd.factorize(cohort.patient)[0]


def happened(cohort: Cohort | Counts) -> np.ndarray:
    """Rows, (row,), in which there was an event."""
    return cohort.events.sum(axis=1) > 0 if isinstance(cohort, Counts) else cohort.event


def _plain(values: pd.Series) -> np.ndarray:
    """Numbers as they are, levels as text."""
    return (
        values.to_numpy()
        if pd.api.types.is_numeric_dtype(values)
        else values.astype(str).to_numpy()
    )
