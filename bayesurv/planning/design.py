"""The design of a study to be simulated: DESIGN.toml read, checked as a whole, then frozen."""

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from bayesurv.data.faults import Fault, InputError
from bayesurv.data.follow_up import DAYS
from bayesurv.plan_checks import Place, Problem, read_priors
from bayesurv.plan_faults import checked
from bayesurv.plan_file import read_toml, toml_section
from bayesurv.plan_keys import Keys
from bayesurv.planning.contradictions import PROBLEMS
from bayesurv.planning.key_faults import VOCABULARY
from bayesurv.planning.keys import SECTIONS, DesignKeys, DesignSections, TruthKeys


def read_design(path: str | Path) -> "StudyDesign":
    """Read a DESIGN.toml; the files it names are looked for beside it.

    Raises
    ------
    InputError
        Lists every fault with its section and key.
    """
    path = Path(path)
    return StudyDesign.from_document(read_toml(path), source=path.name, folder=path.parent)


class StudyDesign(DesignSections):
    """A checked design; made by `read_design` or `from_document`."""

    @classmethod
    def from_document(
        cls, document: Mapping[str, Any], *, source: str | None = None, folder: str | Path = "."
    ) -> Self:
        """Check sections and keys, one by one and against each other.

        Raises
        ------
        InputError
            Lists every fault.
        """
        design, problems = checked(cls, document, VOCABULARY)
        for name, check in PROBLEMS.items():
            if name in document:
                keys = _valid(SECTIONS[name], document[name])
                problems += check(keys) if keys is not None else ()
        read_priors(_table(document.get("priors")), problems)
        if design is not None and not problems:
            problems += design._across()
        if design is None or problems:
            raise InputError(Fault(_where(place) + what, source) for place, what in problems)
        return design._in_folder(Path(folder))

    def _across(self) -> Iterator[Problem]:
        """What is wrong between sections."""
        if self.running is None and (self.design is None or self.truth is None):
            missing = "design" if self.design is None else "truth"
            yield (missing,), "missing: a design has [design] and [truth], or [running]"
            return
        if (self.design is None) != (self.truth is None):
            missing = "design" if self.design is None else "truth"
            yield (missing,), "missing: [design] and [truth] go together"
        looks = self.design.looks if self.design is not None else None
        count = len(looks.at) if looks is not None else 0
        for key in ("efficacy", "futility"):
            bounds = getattr(self.decision, key)
            if bounds is not None and len(bounds) != count:
                message = f"holds {len(bounds)} numbers for {count} looks; give one for each"
                yield ("decision", key), message
        if self.design is not None and self.truth is not None:
            yield from _arms(self.design, self.truth)

    def _in_folder(self, folder: Path) -> Self:
        """The design with absolute paths of the files that it names."""

        def found(path: str | None) -> str | None:
            return None if path is None else os.path.abspath(folder / path)

        design = self
        if self.truth is not None and self.truth.baseline.fit is not None:
            baseline = self.truth.baseline.model_copy(
                update={"fit": found(self.truth.baseline.fit)}
            )
            truth = self.truth.model_copy(update={"baseline": baseline})
            design = design.model_copy(update={"truth": truth})
        if self.running is not None:
            files = {name: found(getattr(self.running, name)) for name in ("fit", "plan")}
            running = self.running.model_copy(update=files)
            design = design.model_copy(update={"running": running})
        return design

    def with_options(self, replicates: int | None, seed: int | None) -> Self:
        """The design with another number of replicates or another seed; None keeps its own.

        Raises
        ------
        InputError
            Fewer than 2 replicates, or a negative seed.
        """
        given = {"replicates": replicates, "seed": seed}
        update = {key: value for key, value in given.items() if value is not None}
        keys, problems = checked(
            type(self.simulation), self.simulation.model_dump() | update, VOCABULARY
        )
        if keys is None:
            raise InputError(Fault(f"--{place[0]}: {what}") for place, what in problems)
        return self.model_copy(update={"simulation": keys})

    def study(self) -> tuple[DesignKeys, TruthKeys]:
        """The sections [design] and [truth] of a design that has them."""
        if self.design is None or self.truth is None:
            raise ValueError("this design has no [design] and [truth]")
        return self.design, self.truth

    def to_toml(self) -> str:
        """Write the design as it is run, with its defaults; reading that gives an equal one."""
        sections = self.model_dump(exclude_none=True)
        inner = {
            f"{name}.{key}": sections[name].pop(key)
            for name, key in (("design", "looks"), ("truth", "baseline"))
            if name in sections and key in sections[name]
        }
        for key in ("covariates", "non_proportional"):
            tables = sections.get("truth", {}).pop(key, {})
            inner |= {f"truth.{key}.{name}": table for name, table in tables.items()}
        order = {name: i for i, name in enumerate(SECTIONS)}
        every = sections | inner
        names = sorted(every, key=lambda name: order[name.partition(".")[0]])
        return "\n".join(toml_section(name, every[name]) for name in names if every[name])

    def digest(self, *more: str) -> str:
        """What determines a simulated study's numbers, as a short code.

        The number of replicates does not: more of them go on from those that are there.
        """
        document = self.model_dump(mode="json", exclude={"simulation": {"replicates"}})
        text = json.dumps([document, *more], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def share_treated(keys: DesignKeys) -> float:
    """Share of the patients that is treated."""
    if keys.ratio is not None:
        return keys.ratio[0] / sum(keys.ratio)
    return keys.treated if keys.treated is not None else 0.5


def number_treated(keys: DesignKeys, patients: int) -> int:
    """Number treated among so many patients where the allocation is fixed."""
    return math.floor(share_treated(keys) * patients + 0.5)


def dropout_hazard(yearly: float | None, hazard: float | None, unit: str) -> float:
    """Hazard of dropping out per unit of time, from a yearly share or as it stands."""
    if yearly is None:
        return hazard or 0.0
    return -math.log1p(-yearly) * DAYS[unit] / DAYS["years"]


def _arms(keys: DesignKeys, truth: TruthKeys) -> Iterator[Problem]:
    if keys.treatment in truth.covariates:
        yield ("truth", "covariates", keys.treatment), "this is the treatment's name"
    for patients in keys.patients if keys.allocation == "fixed" else ():
        if not 0 < number_treated(keys, patients) < patients:
            yield ("design", "patients"), f"of {patients} patients, one arm would have none"


def _valid(kind: type[Keys], given: object) -> Keys | None:
    """The keys of a section; None where one is wrong, which is said of the whole design."""
    try:
        return kind.model_validate(given)
    except ValidationError:
        return None


def _table(given: object) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {}


def _where(place: Place) -> str:
    """Section and key, such as "[truth] covariates.bulky.treated: "."""
    section, *inside = place
    parts = [f" (number {part + 1})" if isinstance(part, int) else f".{part}" for part in inside]
    return f"[{section}] {''.join(parts)[1:]}".strip() + ": "
