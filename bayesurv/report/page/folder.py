"""An output folder as a report reads it: fits, tables, plan and where they come from."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.ensembles import EnsembleFit
from bayesurv.fitting import Fit
from bayesurv.refitting import needs_patients
from bayesurv.report.ensemble_file import load_ensemble
from bayesurv.report.folder import MARK
from bayesurv.saved import load

AGAIN = "run the fit again"


@dataclass(frozen=True)
class Results:
    """What a run of `fit` or `reproduce` left in its folder.

    fits : endpoint -> folder of the model, such as "weibull" -> fit; the headline's first.
    """

    path: Path
    provenance: Mapping[str, Any]
    plan: Mapping[str, Any]
    fits: Mapping[str, Mapping[str, Fit | EnsembleFit]]

    @property
    def reproduced(self) -> bool:
        """Whether this is the founding paper and not a cohort of the user."""
        return "ensemble" in self.provenance and (self.path / "verdicts.csv").is_file()

    @property
    def endpoint(self) -> str:
        """The endpoint of the headline: overall survival if there is one, else the first."""
        return next(iter(self.fits))

    @property
    def model(self) -> str:
        """The model of the headline: the first of the plan."""
        return next(iter(self.fits[self.endpoint]))

    @property
    def place(self) -> str:
        """Folder of the headline's fit within the results."""
        return f"{self.endpoint}/{self.model}"

    @property
    def fit(self) -> Fit:
        """The fit of the headline; of an ensemble, all members' draws together."""
        found = self.fits[self.endpoint][self.model]
        return found.stacked if isinstance(found, EnsembleFit) else found

    @property
    def members(self) -> int | None:
        """How many cohorts are pooled; None where the patients were given."""
        found = self.fits[self.endpoint][self.model]
        return found.n_members if isinstance(found, EnsembleFit) else None

    @property
    def treatment(self) -> str | None:
        """The treatment that was named, if any."""
        return "cti2" if self.reproduced else self._section("estimand").get("treatment")

    @property
    def horizon(self) -> float | None:
        """The horizon that was asked for, or that the benefit was computed to."""
        stated = self._section("estimand").get("horizon")
        benefit = self.table(f"{self.place}/benefit.csv")
        return stated if stated is not None or benefit is None else float(benefit["horizon"].max())

    @cached_property
    def failed(self) -> tuple[str, ...]:
        """Folders of the fits that failed the sampler's checks."""
        every = [(e, m, f) for e, models in self.fits.items() for m, f in models.items()]
        return tuple(f"{endpoint}/{model}" for endpoint, model, fit in every if fit.failed)

    def table(self, name: str) -> pd.DataFrame | None:
        """A table of the folder; None where it was not written."""
        path = self.path / name
        return pd.read_csv(path) if path.is_file() else None

    def text(self, name: str) -> list[str]:
        """Lines of a text of the folder; none where it was not written."""
        path = self.path / name
        return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []

    def figure(self, name: str) -> str | None:
        """A figure of the folder as SVG; None where it was not drawn."""
        path = self.path / f"{name}.svg"
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def described(self) -> Mapping[str, Any]:
        """What the provenance says of the headline's fit."""
        return self.provenance.get("fits", {}).get(self.place, {})

    def _section(self, name: str) -> Mapping[str, Any]:
        return self.plan.get(name, {})


def read_results(path: Path) -> Results:
    """Read a folder that `fit` or `reproduce` wrote.

    Raises
    ------
    InputError
        It is no such folder, holds no fit, another version wrote it, or its fits are of other data
        than the folder says, or of counts; lists every fault.
    """
    provenance = _provenance(path)
    found = sorted(path.glob("*/*/posterior.nc"))
    faults = list(_faults(path, provenance, found))
    if faults:
        raise InputError(faults)
    fits: dict[str, dict[str, Fit | EnsembleFit]] = {}
    for file in found:
        fit, own = _read(file)
        if isinstance(fit, Fit):
            needs_patients(fit, "the page")
        fits.setdefault(file.parts[-3], {})[file.parts[-2]] = fit
        faults += _other_data(file, provenance, own, fits[file.parts[-3]])
    if faults:
        raise InputError(faults)
    plan = path / "plan.toml"
    document = tomllib.loads(plan.read_text(encoding="utf-8")) if plan.is_file() else {}
    first = document.get("model", {}).get("baseline", ["weibull"])[0]
    ordered = {
        endpoint: dict(sorted(fits[endpoint].items(), key=lambda item: item[0] != first))
        for endpoint in sorted(fits, key=lambda name: name != "os")
    }
    return Results(path, provenance, document, ordered)


def _provenance(path: Path) -> dict[str, Any]:
    mark = path / MARK
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))
        if isinstance(found, dict) and "bayesurv" in found:
            return found
    except (OSError, ValueError):
        pass
    message = "no results of bayesurv; name the folder that fit or reproduce wrote (its --out)"
    raise InputError([Fault(message, file=str(path))])


def _faults(path: Path, provenance: Mapping[str, Any], found: list[Path]) -> Iterator[Fault]:
    if not found:
        message = "no fit in it (<endpoint>/<baseline>/posterior.nc); name the folder that fit or"
        yield Fault(f"{message} reproduce wrote", file=str(path))
    if provenance["bayesurv"] != version("bayesurv"):
        by, now = provenance["bayesurv"], version("bayesurv")
        yield Fault(f"written by bayesurv {by}, and this is {now}; {AGAIN}", file=str(path / MARK))
    for name in provenance.get("fits", {}):
        if not (path / name / "posterior.nc").is_file():
            yield Fault(f"{name} was fitted, and its file is gone; {AGAIN}", file=str(path / name))


def _read(file: Path) -> tuple[Fit | EnsembleFit, dict[str, Any]]:
    from bayesurv.saved import provenance

    try:
        fit = load(file)
        return fit, provenance(fit)
    except InputError as error:
        if "ensemble" not in str(error):
            raise
    ensemble = load_ensemble(file)
    return ensemble, provenance(ensemble.stacked)


def _other_data(
    file: Path,
    mark: Mapping[str, Any],
    own: Mapping[str, Any],
    beside: Mapping[str, Fit | EnsembleFit],
) -> Iterator[Fault]:
    """A fit that another cohort was used for than its folder, or the fits beside it, say."""
    endpoint = file.parts[-3]
    stated = mark.get("data", {}).get(endpoint, {}).get("sha256")
    used = own.get("data", {}).get("sha256")
    if stated is not None and used != stated:
        message = f"a fit of other data than {MARK} names for {endpoint}; {AGAIN}, all of it"
        yield Fault(message, file=str(file))
