"""What statements are judged by: the printed numbers, and cohorts reconstructed from them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bayesurv.data.published import Counts, HazardRatio, Medians, Published, PValue, wang_2025
from bayesurv.data.published.statements import PAPER
from bayesurv.data.reconstruct.summary import Summary, Target
from bayesurv.frequentist.recomputed import Coding, recomputed
from bayesurv.plots.style import p_value
from bayesurv.report import published as printed_p

REPRODUCED = "reproduced"
CONSISTENT = "consistent"
NOT_REPRODUCIBLE = "not reproducible"
CONTRADICTED = "contradicted"
VERDICTS = (REPRODUCED, CONSISTENT, NOT_REPRODUCIBLE, CONTRADICTED)

SIGNIFICANT = 0.05


class Finding(NamedTuple):
    """What a check found: its verdict, the printed number, the recomputed one, and a sentence."""

    verdict: str
    printed: str
    found: str
    evidence: str


@dataclass(frozen=True, eq=False)
class Material:
    """Printed numbers and an ensemble's cohorts, with what is recomputed from both.

    every : (member,) one table of patients for each cohort.
    """

    published: Published
    summary: Summary
    every: tuple[pd.DataFrame, ...]

    @cached_property
    def results(self) -> pd.DataFrame:
        """Every target in the cohorts with the printed deaths of each arm.

        Columns: member, target, quantity, printed, found, residual.
        """
        rows = [
            (member, *found.__dict__.values())
            for member, patients in enumerate(self.every)
            if self._deaths(patients) == self.summary.endpoint[0].events
            for found in recomputed(self.summary, patients)
        ]
        columns = ["member", "target", "quantity", "printed", "found", "residual"]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def sound(self) -> tuple[int, ...]:
        """Members with the printed deaths of each arm that meet every hard target."""
        hard = [target.name for target in self.summary.target if target.status == "hard"]
        of_hard = self.results[self.results["target"].isin(hard)]
        missed = of_hard.groupby("member")["residual"].max()
        return tuple(missed.index[missed == 0])

    def _deaths(self, patients: pd.DataFrame) -> tuple[int, ...]:
        coding = Coding(self.summary, patients)
        event = coding.times(self.summary.endpoint[0].name)[1]
        return tuple(int(event[coding.arm(arm)].sum()) for arm in self.summary.arms)

    @property
    def cohorts(self) -> list[Coding]:
        """The sound members."""
        return [Coding(self.summary, self.every[member]) for member in self.sound]

    @property
    def n(self) -> int:
        """How many sound members there are."""
        return len(self.sound)

    def over(self, statistic: Callable[[Coding], float]) -> np.ndarray:
        """A statistic of every sound member, (member,)."""
        return np.array([statistic(cohort) for cohort in self.cohorts], dtype=float)

    def of_target(self, name: str) -> pd.DataFrame:
        """What the sound members give for one target."""
        own = self.results[self.results["target"] == name]
        return own[own["member"].isin(self.sound)]

    def target(self, name: str) -> Target:
        return next(target for target in self.summary.target if target.name == name)

    @cached_property
    def tests(self) -> pd.DataFrame:
        """The paper's printed P beside counts, recomputed by every test and rule."""
        own = [item for item in self.published.counts if item.p and item.source == PAPER]
        return pd.DataFrame([tested(item) for item in own])

    def row(self, item: str, source: str = PAPER) -> pd.Series:
        """The tests of one item."""
        same = (x for x in self.published.counts if x.name == item and x.source == source)
        return tested(next(same))

    def counts(self, name: str) -> Counts:
        return next(item for item in self.published.counts if item.name == name)

    def medians(self, name: str) -> Medians:
        return next(item for item in self.published.medians if item.name == name)

    def p_values(self, names: Iterable[str]) -> list[PValue]:
        """Printed P of times and responses, by name."""
        by_name = {item.name: item for item in self.published.p_values}
        return [by_name[name] for name in names]

    def ratio(self, name: str) -> HazardRatio:
        return next(item for item in self.published.hazard_ratios if item.name == name)


@cache
def tested(item: Counts) -> pd.Series:
    """The counts of one item by every test and rule."""
    return printed_p.recomputed(replace(wang_2025(), counts=(item,))).iloc[0]


Check = Callable[[Material, Mapping[str, Any]], Finding]


def span(
    values: Sequence[float] | np.ndarray,
    form: Callable[[float], str] = p_value,
    absent: str = "not reached",
) -> str:
    """The least and the greatest, "0.051 to 0.053", or one where they agree; how many lack it."""
    every = np.asarray(values, dtype=float)
    known = every[~np.isnan(every)]
    if not len(known):
        return absent
    low, high = form(known.min()), form(known.max())
    lacking = f" ({absent} in {len(every) - len(known)})" if len(known) < len(every) else ""
    return f"{low if low == high else f'{low} to {high}'}{lacking}"


def plain(value: float) -> str:
    """Three meaningful digits at most."""
    return f"{value:.3g}"


def fine(p: float) -> str:
    """P in four decimals, which tell apart what rounds to three."""
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


def fraction(count: int, of: int) -> str:
    """A share as counts, "8/27"."""
    return f"{count}/{of}"


def of_cohorts(count: int, material: Material) -> str:
    """How many of the sound members: "39 of 40 reconstructed cohorts"."""
    return f"{count} of {material.n} reconstructed cohorts"


def consistent_if(count: int) -> str:
    """The verdict on what some, or no, reconstructed cohort has."""
    return CONSISTENT if count else NOT_REPRODUCIBLE
