"""Checks of statements on best response, whose counts are not printed but can be told from P."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesurv.data.faults import listed
from bayesurv.frequentist.counts_of_p import counts_of_p, joint_counts
from bayesurv.frequentist.rules import p_by_rule
from bayesurv.report.verdict_material import (
    CONSISTENT,
    CONTRADICTED,
    NOT_REPRODUCIBLE,
    Finding,
    Material,
    fraction,
)

Given = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """Responders that two printed P together allow.

    arms, sides : patients by arm, and with and without bulky disease.
    pairs : every pair of (by arm, by side) that prints both P.
    """

    arms: tuple[int, ...]
    sides: tuple[int, ...]
    pairs: list[tuple[tuple[int, ...], tuple[int, ...]]]

    @property
    def fewer(self) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Pairs with a smaller share of responders among those with bulky disease."""
        return [(a, b) for a, b in self.pairs if b[0] / self.sides[0] < b[1] / self.sides[1]]


def told(material: Material, given: Given) -> Told:
    """The responders that P by salvage and P by bulky disease allow."""
    by_salvage, by_bulky = material.p_values(given["p_values"][:2])
    arms = tuple(material.published.patients)
    bulky = sum(material.counts("bulky disease at onset").counts[0])
    sides = bulky, sum(arms) - bulky
    pairs = joint_counts(arms, by_salvage.p or "", sides, by_bulky.p or "")
    return Told(arms, sides, pairs)


def best_responders(material: Material, given: Given) -> Finding:
    """How many responded at best, by arm and by bulky disease."""
    by_salvage, by_bulky = (item.p for item in material.p_values(given["p_values"]))
    found = told(material, given)
    arms, sides = found.arms, found.sides
    said = [
        f"{' and '.join(map(fraction, a, arms))} by arm, {fraction(b[0], sides[0])} with and "
        f"{fraction(b[1], sides[1])} without bulky disease"
        for a, b in found.fewer
    ]
    return Finding(
        CONSISTENT if said else CONTRADICTED,
        f"P = {by_salvage} and P = {by_bulky}",
        "; ".join(said) or "no counts",
        "The counts are not printed. By Pearson's test, or Fisher's where fewer than 5 are "
        f"expected, {len(found.pairs)} of all pairs of tables give P = {by_salvage} by salvage and "
        f"P = {by_bulky} by bulky disease with the same number of responders, {len(said)} of them "
        f"with fewer responders among the bulky: {'; '.join(said) or 'none'}. By another test "
        "they may be others.",
    )


def breakdown(material: Material, given: Given) -> Finding:
    """How the responders, as many as were told, divide by response to CTI1."""
    printed = material.p_values(given["p_values"])[2].p or ""
    sizes = tuple(int(n) for n in material.counts("best response to CTI1").table.sum(axis=1))
    totals = sorted({sum(a) for a, _ in told(material, given).fewer})
    found = [counts for n in totals for counts in counts_of_p(sizes, printed, total=n)]
    every = [", ".join(map(fraction, counts, sizes)) for counts in found]
    falling = [
        said
        for counts, said in zip(found, every, strict=True)
        if (np.diff(np.divide(counts, sizes)) < 0).all()
    ]
    return Finding(
        CONSISTENT if falling else CONTRADICTED,
        f"P = {printed}",
        "; ".join(falling) or "none",
        f"With {listed(totals) or 'no'} responders in all, {len(every)} ways to share them among "
        f"CR, PR and NR to CTI1 give P = {printed} by the same rule: {'; '.join(every) or 'none'}. "
        f"Their share falls from CR over PR to NR in {len(falling)} of these: "
        f"{'; '.join(falling) or 'none'}.",
    )


def regimen_alone(material: Material, given: Given) -> Finding:
    """A regimen of few patients against the rest of its arm."""
    item = material.counts(given["item"])
    found = told(material, given)
    here, of = sum(count for (count,) in item.counts), item.of[0]
    rest = found.arms[1] - of
    tested = []
    for responders in sorted({a[1] for a, _ in found.fewer}):
        others = responders - here
        table = np.array([[here, others], [of - here, rest - others]])
        p = p_by_rule(table, "fisher").p
        tested.append(f"{fraction(here, of)} v {fraction(others, rest)}, P {p:.3f}")
    said = "; ".join(tested) or "not known"
    return Finding(
        NOT_REPRODUCIBLE,
        f"an advantage in {of} patients",
        said,
        "Against the rest of its arm, by the responders that the printed P tell, Fisher's test "
        f"gives: {said}. The regimen was singled out after its result was seen.",
    )
