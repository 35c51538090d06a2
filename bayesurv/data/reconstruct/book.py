"""Targets of a search, collected from those of a summary."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import norm

from bayesurv.data.published import rounding_interval
from bayesurv.data.reconstruct import targets as kinds
from bayesurv.data.reconstruct.summary import Condition, Summary, Target, Variable
from bayesurv.data.reconstruct.targets import FAR, Targets

ROOM = 0.02  # share of an interval that is kept clear on each side
TESTS = {"pearson": kinds.PEARSON, "fisher": kinds.FISHER, "spss": kinds.SPSS}
# What one unit outside its interval counts: about one standard error of the estimate.
SCALE = {"z": 1.0, "log ratio": 1.0, "median": 0.3, "survival": 0.1, "log p": 1.0, "count": 2.0}
FIRST = 20.0  # weight of what times alone decide, and of conditions, so that these settle first
OF_TIMES = (
    kinds.LOG_RANK, kinds.MEDIAN, kinds.SURVIVAL, kinds.RANK_SUM_TIME, kinds.EVENTS
)  # fmt: skip
OF_MODELS = (kinds.COX_Z, kinds.COX_LOG_RATIO, kinds.COX_LOWER, kinds.COX_UPPER)
CURVES = {
    "median": (kinds.MEDIAN, "median"),
    "survival": (kinds.SURVIVAL, "survival"),
    "events": (kinds.EVENTS, "count"),
}
FIELDS = (
    ("kind", 0, int), ("endpoint", 0, int), ("first", -1, int), ("second", -1, int),
    ("third", 0, int), ("at", 0.0, float), ("lower", 0.0, float), ("upper", 0.0, float),
    ("unsigned", False, bool), ("scale", 1.0, float), ("counted", True, bool),
)  # fmt: skip


@dataclass
class Book:
    """Columns, models and targets of a search, as they are added."""

    summary: Summary
    variables: list[Variable]
    flags: list[str]
    columns: list[str] = field(default_factory=list)
    models: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    printed: list[int] = field(default_factory=list)

    def add(self, number: int, target: Target) -> None:
        """The rows of one target of the summary."""
        kinds_of = {
            "log-rank": self._log_rank,
            "cox": self._cox,
            "rank-sum": self._rank_sum,
            "association": self._association,
            "median": self._of_curve,
            "survival": self._of_curve,
            "events": self._of_curve,
        }
        if target.kind in kinds_of:
            kinds_of[target.kind](number, target)

    def _log_rank(self, number: int, target: Target) -> None:
        place = {
            "endpoint": self._endpoint(target.endpoint),
            "first": self.column(target.term or ""),
        }
        self._z(number, kinds.LOG_RANK, target, place)

    def _rank_sum(self, number: int, target: Target) -> None:
        if target.variable == self.summary.endpoint[0].name:
            self._z(number, kinds.RANK_SUM_TIME, target, {"endpoint": 0})
        else:
            place = [v.name for v in self.variables].index(target.variable or "")
            self._z(number, kinds.RANK_SUM, target, {"first": place})

    def _association(self, number: int, target: Target) -> None:
        first, second = (self.column(each) for each in target.variables)
        lower, upper = np.log(np.maximum(rounding_interval(target.p or ""), 1e-12))
        place = {"first": first, "second": second, "third": TESTS[target.test]}
        counted = target.status != "unmet"
        self.row(number, kinds.ASSOCIATION, "log p", lower, upper, counted=counted, **place)

    def _of_curve(self, number: int, target: Target) -> None:
        kind, what = CURVES[target.kind]
        arm = -1 if target.arm is None else self.summary.arms.index(target.arm)
        place = {"endpoint": self._endpoint(target.endpoint), "first": arm}
        lower, upper = rounding_interval(target.value or "")
        at, counted = target.time or np.inf, target.status != "unmet"
        self.row(number, kind, what, lower, upper, at=at, counted=counted, **place)

    def _cox(self, number: int, target: Target) -> None:
        e, counted = self._endpoint(target.endpoint), target.status != "unmet"
        columns = tuple(self.column(term) for term in target.terms)
        if (e, columns) not in self.models:
            self.models.append((e, columns))
        place = {
            "endpoint": e,
            "first": self.models.index((e, columns)),
            "second": target.terms.index(target.of or ""),
        }
        if target.p is not None:
            self._z(number, kinds.COX_Z, target, place)
        ends = {
            kinds.COX_LOG_RATIO: target.ratio,
            kinds.COX_LOWER: target.lower,
            kinds.COX_UPPER: target.upper,
        }
        for kind, printed in ends.items():
            if printed is not None:
                limits = np.log(np.maximum(rounding_interval(printed), 1e-9))
                self.row(number, kind, "log ratio", *limits, counted=counted, **place)

    def _z(self, number: int, kind: int, target: Target, place: dict[str, int]) -> None:
        upper, lower = norm.isf(np.array(rounding_interval(target.p or "")) / 2)
        upper = min(upper, FAR)
        if target.higher is False:
            lower, upper = -upper, -lower
        signs = {"unsigned": target.higher is None, "counted": target.status != "unmet"}
        self.row(number, kind, "z", lower, upper, **signs, **place)

    def counts(self, e: int) -> None:
        """Events of an inner endpoint where they are printed, and at most so many early ones."""
        endpoint = self.summary.endpoint[e]
        for arm, count in enumerate(endpoint.events or () if e else ()):
            place = {"endpoint": e, "first": arm, "at": np.inf}
            self.row(-1, kinds.EVENTS, "count", count, count, **place)
        for flag in self.summary.flag:
            for arm, most in enumerate(flag.most or () if flag.endpoint == endpoint.name else ()):
                place = {"endpoint": e, "first": arm, "at": flag.before}
                self.row(-1, kinds.EVENTS, "count", 0, most, **place)

    def both(self, condition: Condition, count: int) -> None:
        """How many patients fulfil two conditions."""
        first, second = (
            self.column(f"{name}={'|'.join(map(str, levels))}")
            for name, levels in condition.items()
        )
        self.row(-1, kinds.BOTH, "count", count, count, first=first, second=second)

    def row(
        self, number: int, kind: int, what: str, lower: float, upper: float, **place: object
    ) -> None:
        """One target of the search."""
        room = ROOM * (min(upper, lower + 1) - lower)
        ends = {"lower": lower + room, "upper": upper - room}
        scale = SCALE[what] * (lower if what == "median" else 1)
        if kind in OF_TIMES or number < 0:
            scale /= FIRST
        self.rows.append({"kind": kind, "scale": scale, **ends, **place})
        self.printed.append(number)

    def column(self, term: str) -> int:
        """Position of a coded column, made when it is first named."""
        if term not in self.columns:
            self.columns.append(term)
        return self.columns.index(term)

    def _endpoint(self, name: str | None) -> int:
        names = [each.name for each in self.summary.endpoint]
        return names.index(name) if name is not None else 0

    def targets(self) -> Targets:
        """All of it as arrays."""
        names = [*(v.name for v in self.variables), *self.flags]
        coded = [self._coding(term, names) for term in self.columns]
        variable = np.array([place for place, _ in coded], dtype=int)
        rows = {
            name: np.array([row.get(name, default) for row in self.rows], dtype=dtype)
            for name, default, dtype in FIELDS
        }
        chosen = [columns for _, columns in self.models]
        return Targets(
            column_variable=variable,
            column_score=_padded([scores for _, scores in coded], 0.0, 2),
            model_endpoint=np.array([e for e, _ in self.models], dtype=int),
            model_size=np.array([len(columns) for columns in chosen], dtype=int),
            model_columns=_padded(chosen, -1, 1),
            model_variable=_marked([variable[list(columns)] for columns in chosen], len(names)),
            of_model=np.where(np.isin(rows["kind"], OF_MODELS), rows["first"], -1),
            on_variable=_marked([_looked_at(row, variable) for row in self.rows], len(names)),
            arm=np.repeat([0, 1], self.summary.patients),
            **rows,
        )

    def _coding(self, term: str, names: list[str]) -> tuple[int, list[float]]:
        """Variable of a term, -1 for the treatment, and the score of each of its levels."""
        name, _, chosen = term.partition("=")
        if name == self.summary.treatment:
            return -1, [1.0, 0.0]
        place = names.index(name)
        if place >= len(self.variables):
            levels: Iterable = (0, 1)
        elif self.variables[place].number:
            return place, [float(x) for x in range(max(self.variables[place].upper or ()) + 1)]
        else:
            levels = self.variables[place].levels
        if chosen or "=" in term:
            wanted = chosen.split("|")
            return place, [float(str(level) in wanted) for level in levels]
        return place, [float(i) for i, _ in enumerate(levels)]


def _padded(lists: Sequence[Sequence[float]], empty: float, least: int) -> np.ndarray:
    """Lists of numbers as the rows of an array."""
    width = max([len(each) for each in lists] + [least])
    table = np.full((len(lists), width), empty, dtype=type(empty))
    for i, each in enumerate(lists):
        table[i, : len(each)] = each
    return table


def _marked(places: Sequence[Sequence[int] | np.ndarray], count: int) -> np.ndarray:
    """Which variables each row is of; place -1, the treatment, never changes."""
    table = np.zeros((len(places), count + 1), dtype=bool)
    for i, each in enumerate(places):
        table[i, list(each)] = True
    return table


def _looked_at(row: dict[str, Any], variable: np.ndarray) -> list[int]:
    """Variables that a row which is of no model depends on."""
    if row["kind"] == kinds.RANK_SUM:
        return [row["first"]]
    if row["kind"] == kinds.LOG_RANK:
        return [variable[row["first"]]]
    if row["kind"] in (kinds.ASSOCIATION, kinds.BOTH):
        return [variable[row["first"]], variable[row["second"]]]
    return []
