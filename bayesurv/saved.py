"""Save a fit to one netCDF file and load it again, without its cohort or a compiler.

The file holds draws, the patients' times and the covariates that the formula names, in the
cohort's order but without the hospital's ids. It is not anonymous; handle it as the cohort.
"""

import json
import os
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from bayesurv.data.design import Design
from bayesurv.data.faults import Fault, InputError, listed
from bayesurv.fitting import Fit
from bayesurv.models.baselines import BASELINES
from bayesurv.models.build import Specification
from bayesurv.models.priors import FAMILIES, Priors

FORMAT = 2
ENSEMBLE = "ensemble"  # in place of the format
PRIOR = "draws of a prior are not saved; call prior()"


def save(fit: Fit, path: str | Path, **origin: Any) -> None:
    """Write a fit; the file appears whole or not at all. `origin` goes into its attributes.

    Raises
    ------
    InputError
        The fit holds draws of a prior, or is a refit; both are made anew rather than kept.
    """
    if "sample_stats" not in fit.draws.children:
        refitted = "positions" in fit.draws.children
        what = "a refit is not saved; call refit()" if refitted else PRIOR
        raise InputError([Fault(f"{what} again")])
    path = Path(path)
    tree = fit.draws.copy()
    tree.attrs = {"bayesurv": json.dumps(describe(fit) | {"provenance": origin})}
    partial = path.with_name(f".{path.name}.partial")
    try:
        tree.to_netcdf(partial, engine="h5netcdf", encoding=_checksums(tree))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def load(path: str | Path) -> Fit:
    """Read a fit from its file, or from the folder that holds `posterior.nc`.

    Raises
    ------
    InputError
        There is no such file, it is damaged, or another version wrote it.
    """
    import h5py
    import xarray as xr

    path = _file(Path(path))
    try:
        h5py.File(path).close()  # h5netcdf leaves a traceback behind where this fails
        tree = xr.load_datatree(path, engine="h5netcdf")
        stored = json.loads(tree.attrs["bayesurv"])
        written = stored["version"]
        if stored["format"] == FORMAT:
            return restore(tree, stored)
    except (OSError, ValueError, LookupError, TypeError, RuntimeError):
        message = "damaged, or not a file that bayesurv wrote; run the fit again"
        raise InputError([Fault(message, file=str(path))]) from None
    if stored["format"] == ENSEMBLE:
        message = "the draws of an ensemble, which answers no questions; read the tables beside it"
        raise InputError([Fault(message, file=str(path))])
    message = f"written by bayesurv {written} in another format; run the fit again"
    raise InputError([Fault(message, file=str(path))])


def provenance(fit: Fit) -> dict[str, Any]:
    """What was said of a loaded fit when it was saved: endpoint, command, versions and data."""
    stored = json.loads(fit.draws.attrs.get("bayesurv", "{}"))
    return stored.get("provenance", {})


def _file(path: Path) -> Path:
    """The file itself, or the one in this folder."""
    inside = path / "posterior.nc" if path.is_dir() else path
    if inside.is_file():
        return inside
    fits = sorted(found.parent for found in path.glob("*/*/posterior.nc"))
    message = f"no such file; name {listed(fits) or 'a posterior.nc, or the folder that holds it'}"
    raise InputError([Fault(message, file=str(inside))])


def _checksums(tree: Any) -> dict[str, Any]:
    """Encoding by which a damaged number is found when it is read."""
    return {
        group.path: {
            name: {"fletcher32": True}
            for name, values in group.variables.items()
            if values.ndim and values.dtype.kind in "biuf"
        }
        for group in tree.subtree
    }


def describe(fit: Fit) -> dict[str, Any]:
    """All of a fit but its draws and its data, as plain values for JSON."""
    specification = fit.specification
    training = fit.design.training
    return {
        "format": FORMAT,
        "version": version("bayesurv"),
        "formula": fit.design.formula,
        "levels": {
            name: {"levels": list(values.cat.categories), "ordered": bool(values.cat.ordered)}
            for name, values in training.items()
            if isinstance(values.dtype, pd.CategoricalDtype)
        },
        "columns": list(training),
        "baseline": {"name": fit.baseline.name, **_stored_fields(fit.baseline)},
        "priors": {f.name: _encode(getattr(specification.priors, f.name)) for f in fields(Priors)},
        "median": _encode(specification.median),
        "diagnostics": fit.diagnostics.to_dict("list"),
        **{name: getattr(fit, name) for name in _PLAIN},
    }


_PLAIN = ("unit", "end_of_follow_up", "n_patients", "n_events", "notes", "settings", "failed")


def restore(tree: Any, stored: dict[str, Any]) -> Fit:
    """The fit that `describe` described, with the draws and data of its tree."""
    constant = tree["constant_data"]
    training = pd.DataFrame(
        {name: constant[f"covariate_{name}"].to_numpy() for name in stored["columns"]},
        index=pd.RangeIndex(constant.sizes["row"]),
    )
    for name, kind in stored["levels"].items():
        training[name] = pd.Categorical(training[name], kind["levels"], ordered=kind["ordered"])
    given = {k: v for k, v in stored["baseline"].items() if k != "name"}
    baseline = BASELINES[stored["baseline"]["name"]](**{k: _tuple(v) for k, v in given.items()})
    priors = Priors(**{name: _decode(value) for name, value in stored["priors"].items()})
    design = Design.from_frame(stored["formula"], training)
    specification = Specification(baseline, design, priors, _decode(stored["median"]))
    plain = {name: _tuple(stored[name]) for name in _PLAIN}
    return Fit(specification, tree, pd.DataFrame(stored["diagnostics"]), **plain)


def _stored_fields(baseline: Any) -> dict[str, Any]:
    return {f.name: getattr(baseline, f.name) for f in fields(baseline) if f.init}


def _encode(prior: Any) -> Any:
    """A prior as plain data: family and numbers, or one such for each term."""
    if prior is None:
        return None
    if isinstance(prior, dict):
        return {"terms": {term: _encode(each) for term, each in prior.items()}}
    return {"family": type(prior).__name__, **asdict(prior)}


def _decode(stored: Any) -> Any:
    if stored is None:
        return None
    if "terms" in stored:
        return {term: _decode(each) for term, each in stored["terms"].items()}
    numbers = {k: v for k, v in stored.items() if k != "family"}
    return FAMILIES[stored["family"]](**numbers)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
