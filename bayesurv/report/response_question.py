"""What is asked of a file of binary outcomes, read and checked before anything is sampled."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bayesurv.data.design import variables
from bayesurv.data.faults import Fault, InputError, nearest
from bayesurv.data.outcomes import Outcomes
from bayesurv.data.read import read_table
from bayesurv.estimands.response import two_levels
from bayesurv.models.priors import parse_prior
from bayesurv.models.response import FAMILIES, OutcomePriors

RESPONSES, EVENTS = "response", "event"
PRIORS = tuple(field.name for field in fields(OutcomePriors))


@dataclass(frozen=True)
class Question:
    """What is asked of a file: its good outcomes and its harmful ones, treatment and model."""

    file: Path
    outcomes: Mapping[str, Sequence[str]]
    treatment: str
    formula: str | None = None
    priors: Sequence[str] = ()
    id: str | None = None
    missing: str = "error"
    seed: int | None = None


def read_outcomes(asked: Question) -> dict[str, Outcomes]:
    """Outcomes by kind.

    Raises
    ------
    InputError
        Lists every fault of the file, the options and the formula.
    """
    faults: list[Fault] = []
    frame = read_table(asked.file)

    def collect(check: Callable, *given: Any, **named: Any) -> Any:
        try:
            return check(*given, **named)
        except InputError as error:
            faults.extend(fault for fault in error.faults if fault not in faults)

    if not any(asked.outcomes.values()):
        message = "name at least one outcome: --response (more is better) or --event (more is "
        faults.append(Fault(message + "worse)"))
    message = "is named as a response and as an event; is more of it better, or worse?"
    both = (name for name in asked.outcomes[RESPONSES] if name in asked.outcomes[EVENTS])
    faults += [Fault(f"{name} {message}") for name in dict.fromkeys(both)]
    needed = collect(variables, asked.formula or asked.treatment, frame) or ()
    collect(read_priors, asked.priors)
    read = {
        kind: collect(
            Outcomes.from_frame, frame, names, harmful=kind == EVENTS, covariates=needed,
            id=asked.id, missing=asked.missing, source=asked.file.name,
        )
        for kind, names in asked.outcomes.items()
        if names
    }  # fmt: skip
    for outcomes in [*filter(None, read.values())][:1] if needed else ():
        collect(two_levels, outcomes.covariates, asked.treatment)
    if faults:
        raise InputError(faults)
    return read


def read_priors(texts: Sequence[str]) -> OutcomePriors:
    """Priors by name, each as "intercept=Normal(0, 1.5)" or "coefficient[cti2]=OddsRatio(0.5, 2)".

    Raises
    ------
    InputError
        Lists every fault: no such name, or a prior that cannot be read or is of another kind.
    """
    given: dict[str, Any] = {}
    by_term: dict[str, Any] = {}
    faults: list[Fault] = []
    for text in texts:
        name, _, prior = (part.strip() for part in text.partition("="))
        term = re.fullmatch(r"coefficient\[(.+)\]", name)
        if not (term or name in PRIORS):
            message = f'prior: write "NAME=Normal(0, 1)" with one of {", ".join(PRIORS)} or '
            message += f'coefficient[TERM] for NAME, not "{text}".{nearest(name, PRIORS)}'
            faults.append(Fault(message))
            continue
        try:
            found = parse_prior(prior, f"prior {name}", FAMILIES)
        except InputError as error:
            faults += error.faults
            continue
        (by_term if term else given)[term[1] if term else name] = found
    if by_term and "coefficient" in given:
        message = "prior: state coefficient for every term, or coefficient[TERM] for some, not both"
        faults.append(Fault(message))
    if "risk" in given and len(texts) > 1:
        faults.append(Fault("prior: risk takes the place of all the others; state it alone"))
    try:
        priors = OutcomePriors(**(given | ({"coefficient": by_term} if by_term else {})))
    except InputError as error:
        faults += error.faults
    if faults:
        raise InputError(faults)
    return priors
