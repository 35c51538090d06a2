"""Read an ensemble's fit from its file, to ask it what the tables beside it do not say."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesurv.data.cohort import Cohort
from bayesurv.data.ensemble import Ensemble
from bayesurv.data.faults import Fault, InputError
from bayesurv.data.follow_up import Columns
from bayesurv.ensembles import EnsembleFit
from bayesurv.fitting import Fit
from bayesurv.saved import ENSEMBLE, restore

if TYPE_CHECKING:
    import xarray as xr

AGAIN = "run the analysis again"


def load_ensemble(path: str | Path) -> EnsembleFit:
    """Read what `save_ensemble` wrote: the draws in single precision, and every member's rows.

    Raises
    ------
    InputError
        There is no such file, it is damaged, of one cohort, or an older version wrote it.
    """
    import h5py
    import xarray as xr

    path = Path(path)
    path = path / "posterior.nc" if path.is_dir() else path
    try:
        h5py.File(path).close()  # h5netcdf leaves a traceback behind where this fails
        tree = xr.load_datatree(path, engine="h5netcdf")
        stored = json.loads(tree.attrs["bayesurv"])
        kind = stored["format"]
    except (OSError, ValueError, LookupError, TypeError, RuntimeError):
        message = f"not there, damaged, or not a file that bayesurv wrote; {AGAIN}"
        raise InputError([Fault(message, file=str(path))]) from None
    if kind != ENSEMBLE or "levels" not in stored:
        message = f"not the draws of an ensemble, or written by an older version; {AGAIN}"
        raise InputError([Fault(message, file=str(path))])
    stacked = restore(_stacked(tree), stored)
    position = tree["constant_data"]["member"].to_numpy()
    members = tuple(map(str, stored["members"]))
    return EnsembleFit(stacked, Ensemble(_cohort(stacked, path.name), members, position))


def _stacked(tree: "xr.DataTree") -> "xr.DataTree":
    """The members' chains one after the other, in double precision."""
    import xarray as xr

    posterior = tree["posterior"].to_dataset().astype(float)
    sizes = posterior.sizes
    chains = np.arange(sizes["member"] * sizes["chain"])
    table: dict[str, Any] = {
        str(name): (
            ("chain", *values.dims[2:]),
            values.to_numpy().reshape(len(chains), *values.shape[2:]),
        )
        for name, values in posterior.data_vars.items()
    }
    labels = {k: v for k, v in posterior.coords.items() if k not in ("member", "chain")}
    groups = {name: tree[name].to_dataset() for name in ("observed_data", "constant_data")}
    stacked = xr.Dataset(table, {"chain": chains, **labels})
    whole = xr.DataTree.from_dict({"posterior": stacked, **groups})
    whole.attrs = tree.attrs
    return whole


def _cohort(fit: Fit, source: str) -> Cohort:
    """The members' rows; patients by number, for the file holds no ids."""
    data = {name: values.to_numpy() for name, values in fit.draws["observed_data"].items()}
    patient = fit.draws["constant_data"]["individual"].to_numpy()
    return Cohort(
        covariates=fit.design.training,
        entry=data["entry"],
        time=data["time"],
        upper=data["upper"],
        event=data["event"] > 0,
        patient=patient.astype(str),
        rows=np.arange(len(patient)),
        unit=fit.unit,
        source=source,
        columns=Columns(time="time", event="event", entry="entry", upper="upper"),
        ordinal={},
        coding={},
        reference={},
    )
