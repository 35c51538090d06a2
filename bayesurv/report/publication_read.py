"""What tables for a paper are made from: the files of an output folder, checked."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bayesurv.data.faults import Checklist, Fault, InputError
from bayesurv.report.answer import FAILED
from bayesurv.report.folder import MARK
from bayesurv.report.origin import UNNAMED

REMEDY = "run the command again that wrote the folder"
PRIORS = {
    "coefficient": "log hazard ratio",
    "shape": "Weibull shape",
    "smoothing_sd": "standard deviation of the random walk of the log hazard",
    "group_sd": "standard deviation of group effects",
    "median_survival": "reference median survival",
    "intercept": "intercept",
    "log_hazard": "log hazard",
}


MEDIAN = re.compile(r"MedianSurvival\((.+), (.+), (.+)\)")


@dataclass(frozen=True, eq=False)
class Fitted:
    """What the provenance says of one fit; `place` is its folder, as "os/weibull"."""

    place: str
    described: dict[str, Any]

    @property
    def endpoint(self) -> str:
        return self.place.partition("/")[0]

    @property
    def model(self) -> str:
        """Its baseline in words, and whether it is unadjusted."""
        return self.place.partition("/")[2].replace("-unadjusted", ", unadjusted").replace(
            "piecewise-exponential", "piecewise exponential"
        ).replace("weibull", "Weibull")  # fmt: skip

    def priors(self) -> list[str]:
        """Every prior with what it is of."""
        return [_prior(name, str(own)) for name, own in self.described.get("priors", {}).items()]

    def failed(self) -> list[str]:
        """What is said of a fit that failed its checks."""
        return [] if self.described.get("passed_checks", True) else [f"{self.model}: {FAILED}"]


def _prior(name: str, prior: str) -> str:
    """A prior in words: log hazard ratio of bulky Normal(0, 0.5), numbers in three digits."""
    name, bracket, of = name.partition("[")
    prior = re.sub(r"\d+\.\d{3,}", lambda found: f"{float(found[0]):.3g}", prior)
    prior = MEDIAN.sub(r"between \1 and \2 with probability \3", prior)
    return f"{PRIORS.get(name, name)}{f' of {of[:-1]}' if bracket else ''} {prior}"


def named(endpoint: str) -> str:
    """An endpoint as it is printed: OS."""
    return "Survival" if endpoint == UNNAMED else endpoint.upper()


def prior_notes(fits: Sequence[Fitted]) -> Iterator[str]:
    """The priors that all of these fits have, and those of some."""
    every = [fit.priors() for fit in fits]
    common = [prior for prior in every[0] if all(prior in own for own in every)]
    if common:
        yield f"Priors: {'; '.join(common)}."
    for fit, own in zip(fits, every, strict=True):
        more = [prior for prior in own if prior not in common]
        if more:
            yield f"Priors of {fit.model}{' besides' if common else ''}: {'; '.join(more)}."


@dataclass(frozen=True)
class Output:
    """An output folder and what it says of itself."""

    folder: Path
    provenance: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "Output":
        """Read the provenance.

        Raises
        ------
        InputError
            There is none, or it cannot be read.
        """
        path = folder / MARK
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            message = f"{folder} has no {MARK}; name a folder that bayesurv wrote"
            raise InputError([Fault(message)]) from None
        except (OSError, ValueError):
            raise _damaged(path, "cannot be read") from None
        fits = found.get("fits", {}) if isinstance(found, dict) else None
        if not isinstance(fits, dict) or not all(isinstance(each, dict) for each in fits.values()):
            raise _damaged(path, "does not say which fits there are")
        return cls(folder, found)

    def fits(self) -> list[Fitted]:
        """Every fit, in the order of the run."""
        return [Fitted(place, told) for place, told in self.provenance.get("fits", {}).items()]

    def endpoints(self) -> dict[str, list[Fitted]]:
        """The fits of each endpoint."""
        found: dict[str, list[Fitted]] = {}
        for fit in self.fits():
            found.setdefault(fit.endpoint, []).append(fit)
        return found

    def members(self) -> int:
        """How many members of an ensemble the fits are pooled over; 0 for a cohort."""
        told = [self.ensemble(), *(fit.described for fit in self.fits())]
        return max(int(each.get("members", 0)) for each in told)

    def ensemble(self) -> dict[str, Any]:
        """What is said of the ensemble of the founding paper; nothing for other data."""
        told = self.provenance.get("ensemble")
        return told if isinstance(told, dict) else {}

    def size(self) -> str:
        """The patients of the founding paper, in words."""
        count = self.ensemble().get("patients")
        return f"{count} patients" if count else ""

    def patients(self, fit: Fitted) -> str:
        """Patients and events of a fit, in words."""
        count = fit.described.get("patients") or self.ensemble().get("patients")
        events = fit.described.get("events")
        if isinstance(events, list):
            events = f"{events[0]}" if events[0] == events[-1] else f"{events[0]}–{events[-1]}"
        told = ((count, "patients"), (events, "events"))
        return ", ".join(f"{value} {name}" for value, name in told if value is not None)

    def table(
        self,
        place: str,
        numbers: Sequence[str] = (),
        texts: Sequence[str] = (),
        known: Mapping[str, Collection[str]] = {},
    ) -> pd.DataFrame | None:
        """A table of the folder with these columns among others; None where there is no such file.

        `known` are the texts that a column may hold.

        Raises
        ------
        InputError
            The file cannot be read, lacks a column, or a cell is none of those known or no number.
        """
        path = self.folder / place
        try:
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:  # a parser's error is a ValueError
            raise _damaged(path, f"cannot be read ({str(error).splitlines()[0]})") from None
        check = Checklist(str(path), range(2, len(table) + 2))
        for name in (*texts, *numbers):
            if name not in table:
                check.add(f"no such column; {REMEDY}", column=name)
        for name in [name for name in table.columns if name in numbers]:
            values = pd.to_numeric(table[name], errors="coerce")
            wrong = values.isna() & ~table[name].isin(["", "nan"])
            check.refuse(wrong, name, f"{{value}} is no number; {REMEDY}", value=table[name])
            table[name] = values
        for name in [name for name in known if name in table]:
            wrong = ~table[name].isin(list(known[name]))
            check.refuse(wrong, name, f"{{value}} is not known; {REMEDY}", value=table[name])
        check.finish()
        return table


def _damaged(path: Path, why: str) -> InputError:
    return InputError([Fault(f"{why}; {REMEDY}", str(path))])
