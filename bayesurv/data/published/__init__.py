"""The numbers that the founding paper prints, as data: counts by arm, medians, P values."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Printed:
    """A number, or a row of them, with where it is printed and its P as it stands there."""

    where: tuple[str, ...]
    source: str = "paper"
    p: str | None = None
    derived: str | None = None


@dataclass(frozen=True, kw_only=True)
class Counts(Printed):
    """Patients of each group (`groups`) at each level.

    counts : (level, group)
    of : (group,) how many there are in all.
    percent : (group,) as printed, where it is.
    ordered : whether the levels stand in order.
    """

    name: str
    groups: tuple[str, ...]
    levels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    of: tuple[int, ...]
    percent: tuple[int, ...] = ()
    ordered: bool = False

    @property
    def table(self) -> np.ndarray:
        """Counts, shape (level, group), with those at none of the levels as a last row if any."""
        counts = np.array(self.counts)
        rest = np.array(self.of) - counts.sum(axis=0)
        return np.vstack([counts, rest]) if rest.any() else counts


@dataclass(frozen=True, kw_only=True)
class Medians(Printed):
    """Median of each group with its `bounds`, lower and upper, shapes (group,)."""

    name: str
    unit: str
    groups: tuple[str, ...]
    median: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    bounds: str = "range"


@dataclass(frozen=True, kw_only=True)
class PValue(Printed):
    """P of a factor for an outcome, by a test that needs every patient's data."""

    outcome: str
    factor: str
    test: str

    @property
    def name(self) -> str:
        return f"{self.outcome} by {self.factor}, {self.test}"


@dataclass(frozen=True, kw_only=True)
class HazardRatio(Printed):
    """Hazard ratio of a factor with its 95% confidence interval."""

    outcome: str
    factor: str
    estimate: float
    lower: float
    upper: float

    @property
    def name(self) -> str:
        return f"{self.outcome} by {self.factor}"


@dataclass(frozen=True, kw_only=True)
class Step(Printed):
    """How many patients came to a step of the study."""

    step: str
    patients: int


@dataclass(frozen=True)
class Contradiction:
    """What numbers of these names say that cannot all be so."""

    about: tuple[str, ...]
    finding: str


@dataclass(frozen=True)
class Published:
    """Everything one paper prints, in the order of its file.

    arms, patients : (arm,)
    sources : mapping
        By name, where the numbers come from.
    """

    arms: tuple[str, ...]
    patients: tuple[int, ...]
    sources: Mapping[str, Mapping[str, str]]
    flow: tuple[Step, ...]
    counts: tuple[Counts, ...]
    medians: tuple[Medians, ...]
    p_values: tuple[PValue, ...]
    hazard_ratios: tuple[HazardRatio, ...]
    contradictions: tuple[Contradiction, ...]

    def named(self, name: str) -> Counts | Medians:
        """The first counts or medians of this name."""
        items: tuple[Counts | Medians, ...] = (*self.counts, *self.medians)
        return next(item for item in items if item.name == name)


@cache
def wang_2025() -> Published:
    """Salvage after failure of CAR-T, 61 patients: Wang, Cancer Immunol Immunother 2025."""
    text = (files(__name__) / "wang_2025.toml").read_text(encoding="utf-8")
    raw = {key: _frozen(value) for key, value in tomllib.loads(text).items()}
    arms = {"groups": raw["arms"]}
    return Published(
        arms=raw["arms"],
        patients=raw["patients"],
        sources=raw["sources"],
        counts=tuple(Counts(**{**arms, "of": raw["patients"], **row}) for row in raw["counts"]),
        medians=tuple(Medians(**{**arms, **row}) for row in raw["medians"]),
        flow=tuple(Step(**row) for row in raw["flow"]),
        p_values=tuple(PValue(**row) for row in raw["p_values"]),
        hazard_ratios=tuple(HazardRatio(**row) for row in raw["hazard_ratios"]),
        contradictions=tuple(Contradiction(**row) for row in raw["contradictions"]),
    )


def _frozen(value: Any) -> Any:
    """Lists as tuples, at every depth."""
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value


def rounding_interval(printed: str) -> tuple[float, float]:
    """Between what numbers one lies that is printed so: "0.014" is 0.0135 to 0.0145.

    "<0.001" is 0 to 0.001, and ">0.05", of a P, 0.05 to 1.
    """
    if printed.startswith("<"):
        return 0.0, float(printed[1:])
    if printed.startswith(">"):
        return float(printed[1:]), 1.0
    half = 0.5 * 10.0 ** -len(printed.partition(".")[2])
    return float(printed) - half, float(printed) + half


def rounds_to(value: float, printed: str) -> bool:
    """Whether a value would be printed so."""
    lower, upper = rounding_interval(printed)
    return lower - 1e-9 <= value <= upper + 1e-9


def denominators(count: int, percent: int, most: int) -> list[int]:
    """Every number of patients up to `most` of whom `count` are `percent` to the printed unit."""
    return [n for n in range(max(count, 1), most + 1) if rounds_to(100 * count / n, str(percent))]
