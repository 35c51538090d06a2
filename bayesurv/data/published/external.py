"""What other cohorts found after CAR-T failed, as data: numbers with their time origins."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from bayesurv.data.faults import Fault, InputError, nearest

ORIGINS = ("progression", "salvage-start", "infusion", "other", "not-stated")
NOT_STATED = "not-stated"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One number of one cohort, with where it was found and what it is about.

    endpoint : such as "os" or "pfs".
    measure : "hazard ratio", "median", "survival" (at a time, per cent), "proportion" (per cent)
        or "count" (of `patients`).
    estimate, lower, upper : as printed, texts, with the limits of the 95% interval.
    treatment, control : a hazard ratio is the hazard of the first over that of the second.
    unit : of a median.
    at : months at which survival is given.
    origin : what times count from, one of `ORIGINS`.
    group : whom the number is about, where not the whole cohort.
    missing : what was not found, for which the number cannot be a prior.
    """

    name: str
    source: str
    address: str
    population: str
    endpoint: str
    measure: str
    estimate: str | None = None
    lower: str | None = None
    upper: str | None = None
    treatment: str | None = None
    control: str | None = None
    unit: str = "months"
    at: int | None = None
    patients: int | None = None
    events: int | None = None
    origin: str = NOT_STATED
    group: str | None = None
    p: str | None = None
    missing: str | None = None
    remark: str | None = None

    @property
    def printed(self) -> str:
        """The number with its interval where there is one: "0.28 (0.16-0.51)"."""
        if self.estimate is None:
            return ""
        interval = f" ({self.lower}-{self.upper})" if self.lower and self.upper else ""
        return f"{self.estimate}{interval}"


@cache
def external_evidence() -> tuple[Evidence, ...]:
    """Every number of the external cohorts, in the order of their file."""
    text = (files(__package__) / "external.toml").read_text(encoding="utf-8")
    return tuple(
        _evidence(cohort, number)
        for cohort in tomllib.loads(text)["cohorts"]
        for number in cohort["numbers"]
    )


def _evidence(cohort: dict[str, Any], number: dict[str, Any]) -> Evidence:
    """A number with what holds for its cohort; how many patients does not hold for a group."""
    shared = {key: value for key, value in cohort.items() if key != "numbers"}
    if "group" in number:
        shared.pop("patients", None)
    return Evidence(**shared | number | {"name": f"{cohort['name']}_{number['name']}"})


def named_evidence(names: Iterable[str]) -> list[Evidence]:
    """Evidence by name, in the order asked for.

    Raises
    ------
    InputError
        Lists every name that there is none of, with the nearest.
    """
    known = {each.name: each for each in external_evidence()}
    asked = list(names)
    faults = [
        Fault(f'evidence: none is named "{name}".{nearest(name, known)}', value=name)
        for name in asked
        if name not in known
    ]
    if faults:
        raise InputError(faults)
    return [known[name] for name in asked]
