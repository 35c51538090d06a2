"""Analysis plan: which patients, which models, which questions; checked as a whole, then frozen."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pandas as pd

from bayesurv.data.coding import mentions
from bayesurv.data.cohort import Cohort
from bayesurv.data.counts import Counts, is_counts
from bayesurv.data.design import variables
from bayesurv.data.ensemble import Ensemble, refuse_ensemble
from bayesurv.data.faults import Fault, InputError
from bayesurv.data.read import as_text, read_table
from bayesurv.data.registry.agreement import Agreement
from bayesurv.data.time_zero import delayed_entry, landmark
from bayesurv.data.treatment_start import treatment_from
from bayesurv.inference.sample import Sampling
from bayesurv.models.baselines import BASELINES, Baseline
from bayesurv.models.priors import Priors
from bayesurv.plan_checks import BASELINE_KEYS, Place, contradictions, read_priors
from bayesurv.plan_faults import checked
from bayesurv.plan_file import read_toml, toml_section
from bayesurv.plan_keys import SECTIONS, VOCABULARY, EndpointKeys, Sections

REQUIRED = ("cohort", "endpoint", "model")


def read_plan(path: str | Path) -> "Plan":
    """Read a plan from a TOML file; the cohort's file is looked for beside the plan.

    Raises
    ------
    InputError
        Lists every fault of the plan with its section and key.
    """
    path = Path(path)
    return Plan.from_document(read_toml(path), source=path.name, folder=path.parent)


class Plan(Sections):
    """A checked plan; made by `read_plan`, `from_document` or `from_options`."""

    @classmethod
    def from_document(
        cls, document: Mapping[str, Any], *, source: str | None = None, folder: str | Path = "."
    ) -> Self:
        """Check a plan's sections and keys.

        Parameters
        ----------
        document : mapping
            Sections, as in a plan file.
        source : str, optional
            Name of the plan file; without it, faults name command-line options.
        folder : str or Path
            Where a relative path of the cohort's file begins.

        Raises
        ------
        InputError
            Lists every fault.
        """
        document = dict.fromkeys(REQUIRED, {}) | dict(document)
        plan, problems = checked(cls, document, VOCABULARY)
        problems += contradictions(document)
        place = _option if source is None else _key
        if plan is None or problems:
            raise InputError(Fault(place(where) + what, source) for where, what in problems)
        file = os.path.abspath(Path(folder) / plan.cohort.file)
        return plan.model_copy(update={"cohort": plan.cohort.model_copy(update={"file": file})})

    @classmethod
    def from_options(cls, endpoint: str, **options: Any) -> Self:
        """Make a plan of one endpoint from command-line options.

        Parameters
        ----------
        endpoint : str
            Name of the endpoint.
        options
            Values by key, of any section; None and empty lists are left out. A relative `file` is
            in the working folder.

        Raises
        ------
        InputError
            Lists every fault, naming the command-line option.
        """
        unknown = set(options) - {key for keys in SECTIONS.values() for key in keys.model_fields}
        if unknown:
            raise TypeError(f"no such options: {sorted(unknown)}")
        given = {key: value for key, value in options.items() if value not in (None, [], ())}
        given = {k: str(value) if isinstance(value, Path) else value for k, value in given.items()}
        document: dict[str, Any] = {
            name: {key: given[key] for key in keys.model_fields if key in given}
            for name, keys in SECTIONS.items()
        }
        return cls.from_document(document | {"endpoint": {endpoint: document["endpoint"]}})

    def to_toml(self) -> str:
        """Write the plan as it is run, with its defaults; reading that gives an equal plan."""
        sections = self.model_dump(exclude_none=True)
        endpoints = sections.pop("endpoint")
        sections |= {f"endpoint.{name}": columns for name, columns in endpoints.items()}
        return "\n".join(toml_section(name, keys) for name, keys in sections.items() if keys)

    def baselines(self) -> list[Baseline]:
        """Make the baselines, in the order of the plan."""
        made = []
        for name in self.model.baseline:
            keys = BASELINE_KEYS.get(name, {})
            given = {argument: getattr(self.model, key) for key, argument in keys.items()}
            arguments = {a: value for a, value in given.items() if value is not None}
            made.append(BASELINES[name](**arguments))
        return made

    def prior_table(self) -> Priors:
        """Make the priors; those not stated have their defaults."""
        return read_priors(self.priors.model_dump(exclude_none=True), [])

    def sampling_settings(self) -> Sampling:
        """Make the settings of the sampler."""
        return Sampling(**self.sampling.model_dump())

    def with_seed(self, seed: int | None) -> Self:
        """The plan with another seed, from 0 on; None keeps its own."""
        if seed is None:
            return self
        if not 0 <= seed < 2**63:
            raise InputError([Fault(f"--seed: {seed} is not a whole number from 0 on")])
        sampling = self.sampling.model_copy(update={"seed": seed})
        return self.model_copy(update={"sampling": sampling})

    def counts(self) -> dict[str, Counts] | None:
        """Counts of each endpoint, if the file holds counts in place of patients.

        Raises
        ------
        InputError
            Lists every fault of the file, or what the plan means otherwise than that of the counts.
        """
        if not is_counts(self.cohort.file):
            return None
        found = {name: Counts.from_file(self.cohort.file, name) for name in self.endpoint}
        for each in found.values():
            known = each.covariates.columns
            each.check_plan(Agreement.from_plan(self.model_dump(), known, each.cuts))
        return found

    def cohorts(self, *, as_given: bool = False) -> dict[str, Cohort]:
        """Read the cohort's file once and make the cohort of each endpoint.

        The columns of other endpoints are not covariates, unless the formula names them. With
        `as_given`, clock and treatment are left as the file has them, whatever [time_zero] says.

        Raises
        ------
        InputError
            Lists every fault of the file, for all endpoints, once; or it is an ensemble or holds
            counts.
        """
        if is_counts(self.cohort.file):
            message = "these are counts, which hold no patients; bayesurv fit alone takes them"
            raise InputError([Fault(message, Path(self.cohort.file).name)])
        if self.cohort.member is not None:
            message = "member: an ensemble is analysed by bayesurv fit alone"
            raise InputError([Fault(f"{message}; elsewhere, give the rows of one member")])
        frame = self._with_treatment(read_table(self.cohort.file, self.cohort.sheet))
        refuse_ensemble(frame, Path(self.cohort.file).name)
        needed, faults = self._needed(frame)
        made = {}
        for name, endpoint in self.endpoint.items():
            try:
                cohort = self._cohort(frame, endpoint, needed)
                made[name] = cohort if as_given else self._from_time_zero(cohort)
            except InputError as error:
                faults += error.faults
        if faults:
            raise InputError({str(fault): fault for fault in faults}.values())
        return made

    def ensembles(self) -> dict[str, Ensemble]:
        """Read the file of an ensemble once and make that of each endpoint.

        Raises
        ------
        InputError
            Lists every fault of the file, for all endpoints, once.
        """
        if self.time_zero.model_fields_set:
            message = "[time_zero] is not for ensembles; leave it out, or leave member out"
            raise InputError([Fault(message)])
        frame = read_table(self.cohort.file, self.cohort.sheet)
        needed, faults = self._needed(frame)
        made = {}
        for name, endpoint in self.endpoint.items():
            try:
                made[name] = Ensemble.from_frame(
                    frame, member=self.cohort.member or "", **self._options(endpoint, needed)
                )
            except InputError as error:
                faults += error.faults
        if faults:
            raise InputError({str(fault): fault for fault in faults}.values())
        return made

    def _with_treatment(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The table; where only its start tells who was treated, with a column that does too."""
        start, treatment = self.time_zero.start, self.estimand.treatment
        if start is None or treatment is None or start not in frame or treatment in frame:
            return frame
        return frame.assign(
            **{treatment: [int(cell is not None) for cell in as_text(frame[start])]}
        )

    def _needed(self, frame: pd.DataFrame) -> tuple[tuple[str, ...], list[Fault]]:
        """Columns that the formula needs, and what is wrong with it."""
        try:
            return variables(self.model.formula, frame), []
        except InputError as error:
            known = [str(name) for name in frame if mentions(self.model.formula, str(name))]
            return tuple(known), list(error.faults)

    def _cohort(
        self, frame: pd.DataFrame, endpoint: EndpointKeys, needed: tuple[str, ...]
    ) -> Cohort:
        cohort = Cohort.from_frame(frame, **self._options(endpoint, needed))
        theirs = {column for keys in self.endpoint.values() for _, column in keys if column}
        others = theirs.intersection(cohort.covariates).difference(needed, {endpoint.cause})
        return replace(cohort, covariates=cohort.covariates.drop(columns=list(others)))

    def _options(self, endpoint: EndpointKeys, needed: tuple[str, ...]) -> dict[str, Any]:
        """Arguments by which the table becomes an endpoint's cohort."""
        return {
            "source": Path(self.cohort.file).name,
            "covariates": needed,
            **self.cohort.model_dump(exclude={"file", "sheet", "member"}),
            **endpoint.model_dump(exclude={"cause"}),
        }

    def _from_time_zero(self, cohort: Cohort) -> Cohort:
        """The cohort with its clock and its treatment as [time_zero] has them."""
        keys, treatment = self.time_zero, self.estimand.treatment
        if keys.start is not None and treatment is not None:
            cohort = treatment_from(cohort, keys.start, treatment)
        if keys.landmark is not None:
            return landmark(cohort, keys.landmark, treatment)
        if keys.enter_at is not None:
            return delayed_entry(cohort, keys.enter_at, treatment)
        return cohort


def _key(place: Place) -> str:
    """Section and key, such as "[estimand] profiles (number 2).bulky: "."""
    depth = 2 if place[0] == "endpoint" else 1
    section = ".".join(map(str, place[:depth]))
    inside = place[depth:-1] if isinstance(place[-1], int) else place[depth:]
    parts = [f" (number {part + 1})" if isinstance(part, int) else f".{part}" for part in inside]
    return f"[{section}] {''.join(parts)[1:]}".strip() + ": "


def _option(place: Place) -> str:
    """The option that gives a key, such as "--target-accept: "; nothing for a whole section."""
    key = place[2:3] if place[0] == "endpoint" else place[1:2]
    return f"--{str(key[0]).replace('_', '-')}: " if key else ""
