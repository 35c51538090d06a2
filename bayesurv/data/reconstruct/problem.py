"""A summary as two searches: first times and what tests of times look at, then all else."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm

from bayesurv.data.published import rounding_interval
from bayesurv.data.reconstruct import targets as kinds
from bayesurv.data.reconstruct.search import Structure
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


@dataclass(frozen=True)
class Stage:
    """One search.

    names : variables in the order of their codes; conditions on times, as columns, come last.
    printed : the target of the summary that each target of the search belongs to, or -1 for one
        that makes members possible at all.
    """

    structure: Structure
    targets: Targets
    names: tuple[str, ...]
    printed: np.ndarray


def stages(summary: Summary) -> tuple[Stage, ...]:
    """The searches: of each endpoint, the outermost first, then of each set of other variables.

    A variable is searched with the outermost endpoint whose tests look at it. What an inner
    endpoint's tests say is left to that endpoint's own times, which outer ones do not depend on.
    Other variables are in one set if a target or a condition links them.
    """
    found: list[Stage] = []
    frozen: list[Variable] = []
    for e in range(len(summary.endpoint)):
        names = _looked_at(summary, e) - {v.name for v in frozen}
        moving = [v for v in summary.variable if v.name in names]
        found.append(_stage(summary, moving, frozen, e))
        frozen = [*frozen, *moving]
    early = {v.name for v in frozen}
    for linked in _linked(summary, [v.name for v in summary.variable if v.name not in early]):
        moving = [v for v in summary.variable if v.name in linked]
        found.append(_stage(summary, moving, frozen, -1))
    return tuple(found)


def _looked_at(summary: Summary, e: int) -> set[str]:
    """Variables in the tests of an endpoint."""
    own = [target for target in summary.target if target.endpoint == summary.endpoint[e].name]
    terms = [term for target in own for term in (*target.terms, target.term or "")]
    return {term.partition("=")[0] for term in terms} - {"", summary.treatment}


def _linked(summary: Summary, names: list[str]) -> list[set[str]]:
    """Sets of variables that targets or conditions link."""
    sets = [{name} for name in names]
    links = [{each.partition("=")[0] for each in target.variables} for target in summary.target]
    links += [set(c) for v in summary.variable for c in (*v.never, *v.together)]
    for link in links:
        met = [each for each in sets if each & link]
        if len(met) > 1:
            sets = [each for each in sets if not each & link] + [set().union(*met)]
    return sets


def times_flags(summary: Summary) -> list[str]:
    """Columns that follow from the times, for conditions."""
    return [*(f"{e.name}_event" for e in summary.endpoint), *(flag.name for flag in summary.flag)]


def _stage(summary: Summary, moving: list[Variable], frozen: list[Variable], e: int) -> Stage:
    """The search of an endpoint, or of variables alone where e is -1."""
    variables = [*moving, *frozen]
    flags = times_flags(summary) if e < 0 else []
    book = _Book(summary, variables, flags)
    own = {v.name for v in moving}
    for number, target in enumerate(summary.target):
        if _stage_of(summary, target) == e and (e >= 0 or _named(target) & own):
            book.add(number, target)
    if e >= 0:
        book.counts(e)
    for variable in moving if e < 0 else []:
        for condition in variable.never:
            book.both(condition, 0)
        for condition in variable.together:
            counted = dict(condition)
            book.both(counted, counted.pop("count"))
    targets = book.targets()
    looked_at = np.flatnonzero(np.vstack([targets.on_variable, targets.model_variable]).any(axis=0))
    movable = looked_at[looked_at < len(moving)]
    structure = _structure(summary, variables, len(flags), movable, e)
    names = (*(v.name for v in variables), *flags)
    return Stage(structure, targets, names, np.array(book.printed, dtype=int))


def _named(target: Target) -> set[str]:
    """What a target names besides an endpoint."""
    return {*(v.partition("=")[0] for v in target.variables), target.variable or ""} - {""}


def _stage_of(summary: Summary, target: Target) -> int:
    """The endpoint whose search is for this target, or -1."""
    names = [each.name for each in summary.endpoint]
    of_times = target.endpoint or next((name for name in names if target.variable == name), None)
    return -1 if of_times is None else names.index(of_times)


def _structure(
    summary: Summary, variables: list[Variable], flags: int, movable: np.ndarray, moving: int
) -> Structure:
    size = np.array(summary.patients)
    follow_up = summary.follow_up
    count = len(variables) + flags
    levels = np.full(count, 2)
    most = max((len(v.levels) for v in variables), default=2)
    block = np.zeros((count, most), dtype=int)
    limits = np.full((count, 2, 3), -1)
    for i, variable in enumerate(variables):
        levels[i] = len(variable.levels)
        for b, (group, _) in enumerate(groups(variable, summary.patients)):
            for level in group:
                block[i, level] = b
        if variable.number:
            ends = (variable.lower, [2 * m for m in variable.median or ()], variable.upper)
            limits[i] = np.array(ends, dtype=int).T
    outer = summary.endpoint[0].events
    return Structure(
        arm=np.repeat([0, 1], size),
        first=np.array([0, size[0]]),
        size=size,
        shortest=np.array(follow_up.lower),
        middle=np.array(follow_up.median or (np.nan, np.nan)),
        longest=np.array(follow_up.upper),
        events=np.array((-1, -1) if outer is None else outer),
        inner=len(summary.endpoint) - 1,
        levels=levels,
        pooled=np.zeros(count, dtype=bool),
        block=block,
        least=np.array([v.least for v in variables] + [0] * flags, dtype=int),
        limits=limits,
        movable=movable,
        moving=moving,
    )


def groups(
    variable: Variable, patients: tuple[int, ...]
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Positions of the levels that are counted together, and their counts by arm."""
    if variable.groups is not None:
        place = {level: i for i, level in enumerate(variable.levels)}
        return [(tuple(place[x] for x in g.levels), g.counts) for g in variable.groups]
    if variable.counts is not None:
        return [((i,), counts) for i, counts in enumerate(variable.counts)]
    if variable.number:
        return []
    yes = variable.yes or ()
    return [((0,), tuple(n - y for n, y in zip(patients, yes, strict=True))), ((1,), yes)]


@dataclass
class _Book:
    """Columns, models and targets of a search, as they are added."""

    summary: Summary
    variables: list[Variable]
    flags: list[str]
    columns: list[str] = field(default_factory=list)
    models: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    rows: list[dict] = field(default_factory=list)
    printed: list[int] = field(default_factory=list)

    def add(self, number: int, target: Target) -> None:
        """The rows of one target of the summary."""
        e = self._endpoint(target.endpoint)
        counted = target.status != "unmet"
        if target.kind == "log-rank":
            place = {"endpoint": e, "first": self.column(target.term or "")}
            self._z(number, kinds.LOG_RANK, target, place, counted)
        elif target.kind == "cox":
            self._cox(number, target, e, counted)
        elif target.kind == "rank-sum":
            outer = target.variable in [each.name for each in self.summary.endpoint]
            kind = kinds.RANK_SUM_TIME if outer else kinds.RANK_SUM
            names = [v.name for v in self.variables]
            place = (
                {"endpoint": self._endpoint(target.variable)}
                if outer
                else {"first": names.index(target.variable)}
            )
            self._z(number, kind, target, place, counted)
        elif target.kind == "association":
            first, second = (self.column(each) for each in target.variables)
            ends = np.log(np.maximum(rounding_interval(target.p or ""), 1e-12))
            place = {"first": first, "second": second, "third": TESTS[target.test]}
            self.row(number, kinds.ASSOCIATION, "log p", *ends, counted=counted, **place)
        elif target.kind in ("median", "survival", "events"):
            kind = {"median": kinds.MEDIAN, "survival": kinds.SURVIVAL, "events": kinds.EVENTS}
            what = {"events": "count"}.get(target.kind, target.kind)
            arm = -1 if target.arm is None else self.summary.arms.index(target.arm)
            ends = rounding_interval(target.value or "")
            place = {"endpoint": e, "first": arm, "at": target.time or np.inf}
            self.row(number, kind[target.kind], what, *ends, counted=counted, **place)

    def _cox(self, number: int, target: Target, e: int, counted: bool) -> None:
        columns = tuple(self.column(term) for term in target.terms)
        if (e, columns) not in self.models:
            self.models.append((e, columns))
        place = {
            "endpoint": e,
            "first": self.models.index((e, columns)),
            "second": target.terms.index(target.of or ""),
        }
        if target.p is not None:
            self._z(number, kinds.COX_Z, target, place, counted)
        ends = {
            kinds.COX_LOG_RATIO: target.ratio,
            kinds.COX_LOWER: target.lower,
            kinds.COX_UPPER: target.upper,
        }
        for kind, printed in ends.items():
            if printed is not None:
                limits = np.log(np.maximum(rounding_interval(printed), 1e-9))
                self.row(number, kind, "log ratio", *limits, counted=counted, **place)

    def _z(self, number: int, kind: int, target: Target, place: dict, counted: bool) -> None:
        upper, lower = norm.isf(np.array(rounding_interval(target.p or "")) / 2)
        upper = min(upper, FAR)
        if target.higher is False:
            lower, upper = -upper, -lower
        unsigned = target.higher is None
        self.row(number, kind, "z", lower, upper, unsigned=unsigned, counted=counted, **place)

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
        most = max([len(score) for _, score in coded] + [2])
        score = np.zeros((len(coded), most))
        for i, (_, values) in enumerate(coded):
            score[i, : len(values)] = values
        variable = np.array([place for place, _ in coded], dtype=int)
        terms = max([len(columns) for _, columns in self.models] + [1])
        columns = np.full((len(self.models), terms), -1)
        for i, (_, chosen) in enumerate(self.models):
            columns[i, : len(chosen)] = chosen
        values = {
            name: np.array([row.get(name, default) for row in self.rows], dtype=dtype)
            for name, default, dtype in _FIELDS
        }
        is_model = np.isin(
            values["kind"], [kinds.COX_Z, kinds.COX_LOG_RATIO, kinds.COX_LOWER, kinds.COX_UPPER]
        )
        on = np.zeros((len(self.rows), len(names) + 1), dtype=bool)
        for t, row in enumerate(self.rows):
            if row["kind"] in (kinds.LOG_RANK, kinds.ASSOCIATION, kinds.BOTH):
                on[t, variable[row["first"]]] = True
            if row["kind"] in (kinds.ASSOCIATION, kinds.BOTH):
                on[t, variable[row["second"]]] = True
            if row["kind"] == kinds.RANK_SUM:
                on[t, row["first"]] = True
        of_model = np.zeros((len(self.models), len(names) + 1), dtype=bool)
        for i, (_, chosen) in enumerate(self.models):
            of_model[i, variable[list(chosen)]] = True
        return Targets(
            column_variable=variable,
            column_score=score,
            model_endpoint=np.array([e for e, _ in self.models], dtype=int),
            model_size=np.array([len(c) for _, c in self.models], dtype=int),
            model_columns=columns,
            model_variable=of_model,
            of_model=np.where(is_model, values["first"], -1),
            on_variable=on,
            arm=np.repeat([0, 1], self.summary.patients),
            **values,
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


_FIELDS = (
    ("kind", 0, int), ("endpoint", 0, int), ("first", -1, int), ("second", -1, int),
    ("third", 0, int), ("at", 0.0, float), ("lower", 0.0, float), ("upper", 0.0, float),
    ("unsigned", False, bool), ("scale", 1.0, float), ("counted", True, bool),
)  # fmt: skip
