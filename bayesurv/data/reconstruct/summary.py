"""A publication's aggregates, read from TOML, each checked by itself; `checks` has clashes."""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bayesurv.data.faults import Fault, InputError, listed, nearest

ARMS = 2
SHIPPED = ("cti2",)

Text = Annotated[str, Field(pattern=r"\S")]
Level = str | int
Counts = Annotated[tuple[int, ...], Field(min_length=ARMS, max_length=ARMS, strict=False)]
Numbers = Annotated[tuple[float, ...], Field(min_length=ARMS, max_length=ARMS, strict=False)]
Many = Field(strict=False, min_length=1)
Condition = dict[str, Any]


class Table(BaseModel):
    """A table of the file; nothing else may stand in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Group(Table):
    """Levels that together have these counts, by arm; between them patients are not told apart."""

    levels: Annotated[tuple[Level, ...], Many]
    counts: Counts


class FollowUp(Table):
    """Range and, where it is printed, median of the time observed, by arm."""

    upper: Numbers
    lower: Numbers = (0.0, 0.0)
    median: Numbers | None = None


class Endpoint(Table):
    """An event; `events` by arm where they are printed."""

    name: Text
    events: Counts | None = None
    follow_up: FollowUp | None = None
    reading: str = ""


class Flag(Table):
    """Who had the event of an endpoint before a time; for conditions only, and not written.

    most : how many at most, by arm, where the conditions leave room for no more.
    """

    name: Text
    endpoint: Text
    before: Annotated[float, Field(gt=0)]
    most: Counts | None = None


class Variable(Table):
    """A column: levels with counts, yes or no with counts or percentages, or a whole number.

    never : conditions on two columns that no patient fulfils both.
    together : pairs of conditions with how many patients fulfil both.
    least : patients that each level has at least, in the arms in which its group has any.
    """

    name: Text
    levels: Annotated[tuple[Level, ...], Many] = (0, 1)
    counts: Annotated[tuple[Counts, ...], Many] | None = None
    groups: Annotated[tuple[Group, ...], Many] | None = None
    yes: Counts | None = None
    percent: Numbers | None = None
    median: Numbers | None = None
    lower: Counts | None = None
    upper: Counts | None = None
    least: Annotated[int, Field(ge=0)] = 0
    never: Annotated[tuple[Condition, ...], Field(strict=False)] = ()
    together: Annotated[tuple[Condition, ...], Field(strict=False)] = ()
    reading: str = ""

    @model_validator(mode="after")
    def _one_form(self) -> "Variable":
        forms = ("counts", "groups", "yes", "percent", "median")
        given = [form for form in forms if getattr(self, form) is not None]
        if len(given) != 1:
            found = listed(given) or "none of them"
            raise ValueError(f"needs one of {listed(forms)}; it has {found}")
        if self.median is not None and (self.lower is None or self.upper is None):
            raise ValueError("a median needs lower and upper, the range")
        return self

    def yes_counts(self, patients: tuple[int, ...]) -> tuple[int, ...]:
        """How many have level 1, by arm, of a variable with `yes` or `percent`."""
        if self.percent is None:
            return self.yes or (0, 0)
        pairs = zip(self.percent, patients, strict=True)
        return tuple(self.whole_counts(percent, n)[0] for percent, n in pairs)

    @staticmethod
    def whole_counts(percent: float, patients: int) -> list[int]:
        """Every count that is this percentage of so many patients to its printed decimals."""
        decimals = len(f"{percent:g}".partition(".")[2])
        half = 0.5 * 10.0**-decimals + 1e-9
        counts = range(patients + 1)
        return [count for count in counts if abs(100 * count / patients - percent) <= half]

    @property
    def number(self) -> bool:
        """Whether it is a whole number with range and median."""
        return self.median is not None


class Target(Table):
    """A printed result that members must give when it is recomputed from their patients.

    p, ratio, lower, upper, value : as printed, for the decimals make the rounding interval.
    higher : whether the hazard, or the number, is higher in the treated arm (or at higher levels).
    status : "hard" or "soft" are searched for; "unmet" is only looked at, for the stated reason.
    """

    name: Text
    kind: Literal[
        "log-rank", "cox", "median", "median-limit", "survival", "events", "rank-sum", "association"
    ]
    status: Literal["hard", "soft", "unmet"] = "soft"
    endpoint: str | None = None
    term: str | None = None
    terms: Annotated[tuple[str, ...], Field(strict=False)] = ()
    of: str | None = None
    variable: str | None = None
    variables: Annotated[tuple[str, ...], Field(strict=False)] = ()
    test: Literal["pearson", "fisher", "spss"] = "spss"
    arm: str | None = None
    time: float | None = None
    p: str | None = None
    ratio: str | None = None
    lower: str | None = None
    upper: str | None = None
    value: str | None = None
    higher: bool | None = None
    reason: str = ""
    reading: str = ""


class Summary(Table):
    """Everything that one publication of two arms prints, as far as it is used.

    treatment : column that is 1 in the first arm and 0 in the second.
    times : at which the survival of members is looked at.
    """

    title: Text
    source: str = ""
    doi: str = ""
    licence: str = ""
    unit: Text
    treatment: Text
    arms: Annotated[tuple[Text, ...], Field(min_length=ARMS, max_length=ARMS, strict=False)]
    patients: Counts
    times: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(strict=False)] = ()
    endpoint: Annotated[tuple[Endpoint, ...], Many]
    variable: Annotated[tuple[Variable, ...], Field(strict=False)] = ()
    flag: Annotated[tuple[Flag, ...], Field(strict=False)] = ()
    target: Annotated[tuple[Target, ...], Field(strict=False)] = ()

    @property
    def follow_up(self) -> FollowUp:
        """That of the outermost endpoint."""
        found = self.endpoint[0].follow_up
        if found is None:
            raise ValueError("checked when it was read")
        return found

    def named(self, name: str) -> Variable | None:
        """The variable of this name."""
        return next((each for each in self.variable if each.name == name), None)


def read_summary(source: str | Path) -> Summary:
    """Read a summary from a TOML file, or the founding paper's own, called "cti2".

    Raises
    ------
    InputError
        Lists every fault: keys, types, and aggregates that cannot all hold.
    """
    from bayesurv.data.reconstruct.checks import clashes

    name, text = _text(source)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError([Fault(f"not a readable TOML file: {error}", name)]) from None
    try:
        summary = Summary.model_validate(document)
    except ValidationError as error:
        raise InputError(Fault(said, name) for said in _said(error, document)) from None
    found = [Fault(said, name) for said in clashes(summary)]
    if found:
        raise InputError(found)
    return summary


def _text(source: str | Path) -> tuple[str, str]:
    if str(source) in SHIPPED:
        name = f"{source}.toml"
        return name, (files("bayesurv.data.published") / name).read_text(encoding="utf-8")
    path = Path(source)
    try:
        return path.name, path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f"{path} cannot be read ({why}); name a .toml file, or {listed(SHIPPED)}"
        raise InputError([Fault(message)]) from None


def _said(error: ValidationError, document: Mapping[str, Any]) -> Iterator[str]:
    """Each fault with the section, the name of its entry, and the key."""
    known = {name for table in Table.__subclasses__() for name in table.model_fields}
    for each in error.errors(include_url=False):
        place = _place(each["loc"], document)
        said = each["msg"].removeprefix("Value error, ")
        if each["type"] == "extra_forbidden":
            said = f"no such key.{nearest(place[-1], known)}"
        elif each["type"] != "missing" and not isinstance(each["input"], dict):
            said = f"{each['input']!r}: {said[:1].lower()}{said[1:]}"
        yield f"[{place[0]}] {', '.join(place[1:])}: {said}" if place else said


def _place(parts: tuple[int | str, ...], document: Mapping[str, Any]) -> list[str]:
    """Where a fault is, entries of a list by their name."""
    place, here = [], document
    for part in parts:
        try:
            here = here[part]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            here = {}
        named = here.get("name") if isinstance(here, dict) else None
        place.append(f'"{named}"' if isinstance(part, int) and named else str(part))
    return place
