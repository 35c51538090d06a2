"""What hospitals must agree on before their counts may be added up, and its hash."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import pandas as pd

from bayesurv.data.design import variables
from bayesurv.data.faults import Fault, InputError, listed

PATIENTS_NEEDED = ("scale", "center", "bs", "poly")  # they depend on how patients are spread
WORDS = {
    "unit": "the unit of time",
    "endpoints": "the columns of endpoints",
    "covariates": "the covariates",
    "reference": "the reference levels",
    "ordinal": "the ordinal levels",
    "coding": "the coding of ordinal covariates",
    "cuts": "the cuts",
    "clock": "where the clock starts",
}


@dataclass(frozen=True)
class Agreement:
    """The part of a plan on which counts depend; files, sampling and priors are not in it.

    unit : str
    endpoints : mapping
        By endpoint, the columns named for time, event and (if any) entry and upper.
    covariates : tuple of str
        What patients are told apart by: every column that the formula names, in sorted order.
    reference, ordinal, coding : mapping
        As declared for those covariates.
    cuts : tuple of float
        Inner ends of the intervals (c[j-1], c[j]]; the last is open.
    clock : mapping
        `landmark` or `enter_at` of [time_zero], if stated.
    """

    unit: str
    endpoints: Mapping[str, Mapping[str, str]]
    covariates: tuple[str, ...]
    reference: Mapping[str, str]
    ordinal: Mapping[str, tuple[str, ...]]
    coding: Mapping[str, str]
    cuts: tuple[float, ...]
    clock: Mapping[str, float]

    @classmethod
    def from_plan(
        cls,
        sections: Mapping[str, Any],
        known: Iterable[str],
        cuts: Iterable[float] | None = None,
    ) -> Self:
        """Take from a plan's sections (`Plan.model_dump()`) what counts depend on.

        `known` are the columns that there are; `cuts`, if given, stand in place of the plan's.

        Raises
        ------
        InputError
            No cuts are stated, the formula cannot be used with counts, or it names another column.
        """
        formula, cohort = sections["model"]["formula"], sections["cohort"]
        stated = sections["model"].get("cuts") if cuts is None else tuple(cuts)
        refuse_spread(formula)
        if not stated:
            message = (
                "no cuts are stated; counts need the same intervals everywhere, and quantiles of "
                "event times cannot be taken without the patients: write cuts = [30, 90, 180] "
                'under [model], or give --cuts "30,90,180"'
            )
            raise InputError([Fault(message)])
        named = sorted(variables(formula, pd.DataFrame(columns=list(known))))
        declared = {k: v for k, v in (cohort.get("ordinal") or {}).items() if k in named}
        reference = cohort.get("reference") or {}
        clock = sections.get("time_zero") or {}
        return cls(
            unit=cohort["unit"].strip(),
            endpoints={
                name: {role: column for role, column in keys.items() if column and role != "cause"}
                for name, keys in sections["endpoint"].items()
            },
            covariates=tuple(named),
            reference={name: level for name, level in reference.items() if name in named},
            ordinal={name: tuple(keys["levels"]) for name, keys in declared.items()},
            coding={name: keys.get("coding", "monotone") for name, keys in declared.items()},
            cuts=tuple(float(cut) for cut in stated),
            clock={k: float(clock[k]) for k in ("landmark", "enter_at") if clock.get(k)},
        )

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Read what `content` wrote; KeyError or TypeError if it is something else."""
        tuples = {name: tuple(content[name]) for name in ("covariates", "cuts")}
        ordinal = {name: tuple(levels) for name, levels in content["ordinal"].items()}
        return cls(**{**content, **tuples, "ordinal": ordinal})

    def content(self) -> dict[str, Any]:
        """What is agreed, as it stands in a file."""
        return json.loads(json.dumps(asdict(self), sort_keys=True))

    @property
    def hash(self) -> str:
        """SHA-256 of what is agreed."""
        return hashlib.sha256(json.dumps(self.content(), sort_keys=True).encode()).hexdigest()

    @property
    def edges(self) -> tuple[float, ...]:
        """Start of each interval."""
        return (0.0, *self.cuts)

    def restricted(self, covariates: Iterable[str]) -> "Agreement":
        """The same with some of the covariates alone."""
        kept = set(covariates)
        return replace(
            self,
            covariates=tuple(sorted(kept)),
            reference={name: level for name, level in self.reference.items() if name in kept},
            ordinal={name: levels for name, levels in self.ordinal.items() if name in kept},
            coding={name: coding for name, coding in self.coding.items() if name in kept},
        )

    def differences(self, other: "Agreement", names: Iterable[str] = tuple(WORDS)) -> list[str]:
        """Say, thing by thing, what is not the same: this one's, then the other's."""
        ours, theirs = self.content(), other.content()
        return [
            f"{WORDS[name]}: {_said(ours[name])} against {_said(theirs[name])}"
            for name in names
            if ours[name] != theirs[name]
        ]


def _said(value: Any) -> str:
    if isinstance(value, list):
        return listed(f"{item:g}" if isinstance(item, float) else item for item in value) or "none"
    if isinstance(value, dict):
        pairs = (f"{name} ({_said(inside)})" for name, inside in value.items())
        return listed(pairs) or "none"
    return str(value)


def refuse_spread(formula: str) -> None:
    """Refuse functions whose result depends on how many patients have each value.

    Raises
    ------
    InputError
        The formula calls scale, center, bs or poly.
    """
    called = [name for name in PATIENTS_NEEDED if re.search(rf"(?<![\w.]){name}\s*\(", formula)]
    if called:
        message = f"formula: {listed(called)}() is computed from the patients, who are not in "
        message += "counts; write the numbers out, e.g. I((age - 60) / 10), or make groups"
        raise InputError([Fault(message)])


def group_factors(formula: str, names: Iterable[str]) -> list[str]:
    """Which of the names stand behind | in the formula's group terms."""
    factors = " ".join(re.findall(r"\|([^)]*)\)", formula))
    return [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", factors)]
