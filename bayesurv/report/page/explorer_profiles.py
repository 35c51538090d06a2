"""Which patients the explorer offers: every combination of what the formula tells apart."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import floor, log10, prod
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.coding import mentions
from bayesurv.ensembles import EnsembleFit
from bayesurv.estimands.arms import Arms, treated, treatment_levels
from bayesurv.estimands.contrasts import baseline_covariates
from bayesurv.estimands.curves import compared, plain, predictor
from bayesurv.estimands.members import member_arms
from bayesurv.fitting import Fit

MOST_PROFILES = 200
MOST_LEVELS = 6  # of a number; with more it is measured, and stands at its quartiles
QUARTILES = {0.25: "lower quartile", 0.5: "median", 0.75: "upper quartile"}
AVERAGE = "average group"


@dataclass(frozen=True)
class Choice:
    """The values that the explorer offers of one covariate.

    values : one for each label; None puts a patient at the groups' centre, effect 0.
    start : position of the value shown first.
    """

    name: str
    values: tuple[Any, ...]
    labels: tuple[str, ...]
    start: int = 0

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Choices:
    """Arms that are compared, the covariates that can be chosen, and those that stand still.

    arms : `treatment` is empty where the formula tells no arms apart.
    """

    arms: Arms
    offered: tuple[Choice, ...]
    still: tuple[Choice, ...] = ()

    @property
    def keys(self) -> list[str]:
        """Each profile as the positions of its values, such as "0-2-1"."""
        return ["-".join(map(str, key)) for key in self._positions()]

    def frame(self, fit: Fit) -> pd.DataFrame:
        """Covariates of every profile in every arm, arm after arm."""
        columns = {each.name: each.values[each.start] for each in self.still}
        rows = [
            columns | {c.name: c.values[i] for c, i in zip(self.offered, key, strict=True)}
            for key in self._positions()
        ]
        profiles = pd.DataFrame(rows, index=range(len(rows)))
        return pd.concat(list(self.given(fit, profiles)), ignore_index=True)

    def given(self, fit: Fit, patients: pd.DataFrame) -> Iterator[pd.DataFrame]:
        """These patients in each arm."""
        for level in self.arms.levels:
            named = self.arms.treatment
            yield treated(fit, patients, named, level) if named else patients

    def _positions(self) -> Iterator[tuple[int, ...]]:
        return product(*(range(len(choice)) for choice in self.offered))


def choices(fit: Fit | EnsembleFit, treatment: str | None) -> Choices:
    """What the explorer offers of a fit, 200 profiles at most.

    Where there are more combinations, the covariates whose values move the linear predictor least
    stand still, each at the value shown first.
    """
    whole = fit.stacked if isinstance(fit, EnsembleFit) else fit
    arms = compared_arms(fit, treatment)
    patients = baseline_covariates(whole)
    others = [str(name) for name in whole.design.training if name != arms.treatment]
    offered = tuple(_choice(whole, patients, name) for name in others)
    found = Choices(arms, offered)
    while prod(map(len, found.offered)) > MOST_PROFILES:
        found = _hold(found, min(found.offered, key=lambda each: _spread(whole, found, each)))
    return found


def compared_arms(fit: Fit | EnsembleFit, treatment: str | None) -> Arms:
    """The treatment's arms, or those of the covariate that figures tell apart, or one of all."""
    whole = fit.stacked if isinstance(fit, EnsembleFit) else fit
    named = compared(whole, treatment)
    if named is None:
        return Arms("", (None,), whole.end_of_follow_up)
    arms = (
        member_arms(fit, named) if isinstance(fit, EnsembleFit) else treatment_levels(whole, named)
    )
    return replace(arms, end=min(arms.end, whole.end_of_follow_up))


def _choice(fit: Fit, patients: pd.DataFrame, name: str) -> Choice:
    values = patients[name]
    if name in fit.design.group_variables:
        groups = sorted(set(_informed(fit, name)), key=str)
        return Choice(name, (None, *groups), (AVERAGE, *map(plain, groups)))
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _levels(values, list(values.cat.categories))
    distinct = np.sort(values.unique()).tolist()
    whole = all(float(value).is_integer() for value in distinct)
    if len(distinct) <= 2 or (whole and len(distinct) <= MOST_LEVELS):
        return _levels(values, distinct)
    return _quartiles(values)


def _levels(values: pd.Series, known: list[Any]) -> Choice:
    """Every level that a patient has, the most common first shown."""
    counts = values.value_counts()
    levels = tuple(level for level in known if counts.get(level, 0))
    names = {0: "no", 1: "yes"} if set(levels) == {0, 1} else {}
    labels = tuple(names.get(level, plain(level)) for level in levels)
    return Choice(str(values.name), levels, labels, int(np.argmax([counts[x] for x in levels])))


def _quartiles(values: pd.Series) -> Choice:
    """The quartiles, so coarsely rounded that they are nobody's."""
    found = values.quantile(list(QUARTILES)).to_numpy()
    spread = float(np.ptp(found)) or float(values.std())
    step = next(m for m in (5, 2, 1) if m * _power(spread / 3) <= spread / 3) * _power(spread / 3)
    rounded = [float(f"{round(value / step) * step:.6g}") for value in found]
    inside = values.min() <= rounded[0] and rounded[-1] <= values.max()
    shown = rounded if inside else [float(f"{value:.2g}") for value in found]
    named = dict(zip(shown, QUARTILES.values(), strict=True))
    labels = tuple(f"{value:g} ({name})" for value, name in named.items())
    return Choice(str(values.name), tuple(named), labels, len(named) // 2)


def _power(value: float) -> float:
    return 10.0 ** floor(log10(value))


def _informed(fit: Fit, name: str) -> Iterator[Any]:
    """Groups whose effect takes part in the hazard of some patient of theirs."""
    rows, groups = fit.design.rows, fit.design.training[name]
    for i, term in enumerate(fit.design.group_terms):
        if mentions(term.partition("|")[2], name):
            yield from groups[rows.group_value[:, i] != 0]


def _hold(found: Choices, choice: Choice) -> Choices:
    kept = tuple(each for each in found.offered if each is not choice)
    return Choices(found.arms, kept, (*found.still, choice))


def _spread(fit: Fit, found: Choices, choice: Choice) -> float:
    """Range of the mean linear predictor over the values of a covariate, others as first shown."""
    every = (*found.offered, *found.still)
    rows = [{c.name: c.values[c.start] for c in every} | {choice.name: v} for v in choice.values]
    first = next(found.given(fit, pd.DataFrame(rows)))
    return float(np.ptp(predictor(fit, first).mean(axis=(0, 1))))
