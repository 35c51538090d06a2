"""What `bayesurv borrow` is asked: evidence and settings read and checked, every fault at once."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bayesurv.data.faults import Fault, InputError, listed, nearest
from bayesurv.data.published.external import NOT_STATED, ORIGINS, Evidence, named_evidence
from bayesurv.estimands.borrowing import VAGUE, WEIGHT, weight_faults
from bayesurv.estimands.conclusion import threshold_faults
from bayesurv.estimands.tipping import THRESHOLD
from bayesurv.models.distributions import Normal
from bayesurv.models.evidence import log_hazard_ratio, read_medians, read_ratio, treatment_prior
from bayesurv.models.priors import parse_prior

STATED = re.compile(r"(?:(?P<label>[^=()]+)=)?(?P<number>.*?)(?:\s+from\s+(?P<origin>[\w-]+))?\s*")
UNCOMPARABLE = ("other", NOT_STATED)  # an origin of this name need not be another of this name


@dataclass(frozen=True)
class Question:
    """The options of the command, as they were typed."""

    evidence: Sequence[str] = ()
    hazard_ratio: Sequence[str] = ()
    medians: Sequence[str] = ()
    estimate: str | None = None
    weight: float = WEIGHT
    vague: str = str(VAGUE)
    origin: str | None = None
    endpoint: str | None = None
    across_origins: bool = False
    threshold: float = THRESHOLD


@dataclass(frozen=True)
class Piece:
    """One piece of evidence: its prior of the log hazard ratio, and what time counts from in it.

    found : the cohort that it is of, unless it was typed.
    """

    label: str
    prior: Normal
    printed: str
    origin: str
    found: Evidence | None = None


@dataclass(frozen=True)
class Asked:
    """A question that can be answered; `estimate` is None where a fit is asked."""

    pieces: tuple[Piece, ...]
    vague: Normal
    weight: float
    threshold: float
    origin: str
    endpoint: str | None
    across_origins: bool
    estimate: Normal | None


def read_question(question: Question, endpoint: str | None) -> tuple[Asked | None, list[Fault]]:
    """Read and check; nothing where there is a fault. `endpoint` is that of the fit, if it has one.

    A fault names its option.
    """
    faults: list[Fault] = []

    def collect(option: str, read: Callable, *given: Any) -> Any:
        try:
            return read(*given)
        except InputError as error:
            faults.extend(replace(f, message=_said(option, f.message)) for f in error.faults)

    pieces = [
        collect("evidence", _published, [name for name in question.evidence]) or (),
        *((collect("hazard-ratio", _typed, text, _ratio),) for text in question.hazard_ratio),
        *((collect("medians", _typed, text, read_medians),) for text in question.medians),
    ]
    given = tuple(piece for group in pieces for piece in group if piece is not None)
    if not (question.evidence or question.hazard_ratio or question.medians):
        message = "--evidence: none is given; name a cohort (bayesurv borrow --list), or state a "
        faults.append(Fault(message + '--hazard-ratio such as "0.5 (0.3-0.8)"'))
    vague = collect("vague", _normal, question.vague)
    estimate = collect("estimate", _ratio, question.estimate) if question.estimate else None
    faults += [replace(f, message=f"--{f.message}") for f in weight_faults(question.weight)]
    faults += [replace(f, message=f"--{f.message}") for f in threshold_faults(question.threshold)]
    faults += _labels(given)
    endpoint = question.endpoint or endpoint
    faults += _endpoints(given, endpoint)
    faults += _origins(given, question.origin, question.across_origins)
    if faults:
        return None, faults
    asked = Asked(
        given,
        vague,
        question.weight,
        question.threshold,
        question.origin or NOT_STATED,
        endpoint,
        question.across_origins,
        estimate,
    )
    return asked, []


def _said(option: str, message: str) -> str:
    """A message after the option that it is about, named once."""
    return f"--{option}: {message.removeprefix(f'{option.replace("-", " ")}: ')}"


def _published(names: list[str]) -> list[Piece]:
    """Cohorts by name as evidence; faults of all of them are raised together."""
    pieces: list[Piece] = []
    faults: list[Fault] = []
    for name in dict.fromkeys(names):
        try:
            [found] = named_evidence([name])
            prior = treatment_prior(found)
            pieces.append(Piece(name, prior, found.printed, found.origin, found))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return pieces


def _typed(text: str, read: Callable[[str], Normal]) -> Piece:
    """Evidence as typed: "label=0.28 (0.16-0.51) from progression", label and origin as wished."""
    match = STATED.fullmatch(text)
    parts = match.groupdict() if match else {"number": text}
    number, origin = parts["number"].strip(), parts.get("origin") or NOT_STATED
    if origin not in ORIGINS:
        raise InputError([Fault(_unknown_origin(origin))])
    label = (parts.get("label") or number).strip()
    return Piece(label, read(number), number, origin)


def _ratio(text: str) -> Normal:
    return log_hazard_ratio(read_ratio(text))


def _normal(text: str) -> Normal:
    prior = parse_prior(text, "vague")
    if not isinstance(prior, Normal):
        raise InputError([Fault(f'vague: must be a Normal such as "{VAGUE}", not {prior}')])
    return prior


def _unknown_origin(origin: str) -> str:
    suggestion = nearest(origin, ORIGINS)
    return f'"{origin}" is no origin of time; use one of {listed(ORIGINS)}.{suggestion}'


def _labels(pieces: Sequence[Piece]) -> list[Fault]:
    labels = [piece.label for piece in pieces]
    return [
        Fault(f'--hazard-ratio: the label "{label}" is taken; write "another=..."')
        for label in dict.fromkeys(labels)
        if labels.count(label) > 1
    ]


def _endpoints(pieces: Sequence[Piece], endpoint: str | None) -> list[Fault]:
    """Evidence on another endpoint than that of the data."""
    found = [piece.found for piece in pieces if piece.found is not None]
    if found and endpoint is None:
        message = "--endpoint: say what is estimated, such as os or pfs, so that evidence on "
        return [Fault(message + "another endpoint can be refused")]
    return [
        Fault(
            f"--evidence: {each.name} is on {each.endpoint}, the data are on {endpoint}; "
            "name evidence on the same endpoint, or say with --endpoint what the data are on"
        )
        for each in found
        if each.endpoint.lower() != str(endpoint).lower()
    ]


def _origins(pieces: Sequence[Piece], origin: str | None, across: bool) -> list[Fault]:
    """Evidence whose time does not count from where that of the data does."""
    if origin is not None and origin not in ORIGINS:
        return [Fault(f"--origin: {_unknown_origin(origin)}")]
    if across:
        return []
    if origin is None:
        message = "--origin: say what time counts from in the data, "
        return [Fault(f"{message}{listed(ORIGINS)}; pool across origins with --across-origins")]
    return [
        Fault(
            f"--origin: time counts from {origin} in the data, in {piece.label} from "
            f"{piece.origin}: hazards from different origins differ, and so do their ratios; "
            "pool them all the same with --across-origins"
        )
        for piece in pieces
        if piece.origin != origin or origin in UNCOMPARABLE
    ]
