"""What a rule of derivation is, what it finds, and the choices that it may depend on."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from types import MappingProxyType
from typing import Any

from bayesurv.data.clinical.patient import Patient
from bayesurv.data.faults import Fault, InputError, listed, nearest
from bayesurv.data.follow_up import DAYS

CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "origin": ("salvage-start", "failure", "decision", "apheresis", "conditioning"),
        "unit": tuple(DAYS),
        "efs": ("E1", "E2", "E3", "E4"),
        "unknown_related": ("no", "yes"),
        "pfs_censor": ("last-assessment", "last-contact"),
        "relapse_origin": ("response", "infusion"),
        "day_zero": ("refuse", "half-day"),
    }
)
ORIGINS: Mapping[str, str] = MappingProxyType(
    {
        "salvage-start": "salvage_start_date",
        "failure": "failure_date",
        "decision": "salvage_decision_date",
        "apheresis": "apheresis2_date",
        "conditioning": "lymphodepletion2_date",
    }
)
OF_CTI2 = ("apheresis", "conditioning")


@dataclass(frozen=True)
class Options:
    """What the paper leaves open, decided.

    Parameters
    ----------
    origin : str
        Day from which times count. apheresis and conditioning are those of CTI2; for other salvage
        they are its start.
    unit : str
        Of every time.
    efs : str
        Adverse events that end event-free survival: E1 none; E2 related, not haematological, grade
        3 or more; E3 related, grade 4 or more; E4 related, grade 5.
    unknown_related : str
        Whether an event of unknown relation ("unk", or empty) counts as related.
    pfs_censor : str
        Where PFS without an event ends.
    response_window : (int, int)
        Days after the start of salvage between which an assessment can be that of day 30.
    relapse_origin : str
        Day from which the time to relapse after the first infusion counts.
    day_zero : str
        An end of follow-up on the day on which salvage began: refuse it, or count half a day.

    Raises
    ------
    InputError
        An option has another value.
    """

    origin: str = "salvage-start"
    unit: str = "months"
    efs: str = "E2"
    unknown_related: str = "no"
    pfs_censor: str = "last-assessment"
    response_window: tuple[int, int] = (20, 45)
    relapse_origin: str = "response"
    day_zero: str = "refuse"

    def __post_init__(self) -> None:
        faults = []
        for name, allowed in CHOICES.items():
            given = getattr(self, name)
            if given not in allowed:
                hint = nearest(given, allowed)
                message = f'--{_typed(name)} "{given}" is none of {listed(allowed)}.{hint}'
                faults.append(Fault(message))
        first, last = self.response_window
        if not 0 < first <= 30 <= last:
            message = f'--response-window "{first}-{last}" does not hold day 30; write e.g. "20-45"'
            faults.append(Fault(message))
        if faults:
            raise InputError(faults)

    def shown(self) -> dict[str, str]:
        """Each option as it is typed."""
        shown = {_typed(field.name): str(getattr(self, field.name)) for field in fields(self)}
        return shown | {"response-window": "{}-{}".format(*self.response_window)}

    def time(self, days: float) -> float:
        """Days in the unit, to a millionth."""
        return round(days / DAYS[self.unit], 6)

    def origin_of(self, patient: Patient) -> tuple[str, date | None]:
        """The column of a patient's day of origin, and the day."""
        column = ORIGINS[self.origin]
        if self.origin in OF_CTI2 and patient["salvage_type"] != "CTI2":
            column = "salvage_start_date"
        return column, patient[column]


def _typed(name: str) -> str:
    return name.replace("_", "-")


@dataclass(frozen=True)
class Outcome:
    """The end of follow-up for an endpoint.

    `after` is the last day known to be free of an event that was found on `day`; None where the
    event is exact.
    """

    day: date
    event: bool
    after: date | None = None


@dataclass(frozen=True)
class Found:
    """A derived value, the cells it comes from, and what to know about it."""

    value: Any
    sources: tuple[str, ...] = ()
    remark: str = ""


Find = Callable[[Patient, Options], Found]


@dataclass(frozen=True)
class Rule:
    """How one variable is derived.

    Parameters
    ----------
    name : str
        Of the variable; of an endpoint, the start of the names of its columns.
    said : str
        The rule in words.
    source : str
        Where the rule comes from.
    find : callable
        Applies it to a patient.
    options : tuple of str
        The options it depends on.
    needs : tuple of str
        The columns it cannot do without, as "labs.value".
    """

    name: str
    said: str
    source: str
    find: Find
    options: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


def rule(
    source: str, *, options: tuple[str, ...] = (), needs: tuple[str, ...] = (), name: str = ""
) -> Callable[[Find], Rule]:
    """Make a rule of a function, whose docstring says it in words."""

    def make(find: Find) -> Rule:
        said = " ".join((inspect.getdoc(find) or "").split())
        return Rule(name or find.__name__, said, source, find, options, needs)

    return make
