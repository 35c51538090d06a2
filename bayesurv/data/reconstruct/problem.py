"""A summary as two searches: first times and what tests of times look at, then all else."""

from dataclasses import dataclass

import numpy as np

from bayesurv.data.reconstruct.book import Book
from bayesurv.data.reconstruct.state import Structure
from bayesurv.data.reconstruct.summary import Condition, Summary, Target, Variable
from bayesurv.data.reconstruct.targets import Targets


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


def searched_with_times(summary: Summary) -> set[str]:
    """Variables that the tests of some endpoint look at."""
    return set().union(*(_looked_at(summary, e) for e in range(len(summary.endpoint))))


def _looked_at(summary: Summary, e: int) -> set[str]:
    """Variables in the tests of an endpoint."""
    own = [target for target in summary.target if target.endpoint == summary.endpoint[e].name]
    terms = [term for target in own for term in (*target.terms, target.term or "")]
    return {term.partition("=")[0] for term in terms} - {"", summary.treatment}


def _linked(summary: Summary, names: list[str]) -> list[set[str]]:
    """Sets of variables that targets or conditions link."""
    sets = [{name} for name in names]
    links = [{each.partition("=")[0] for each in target.variables} for target in summary.target]
    links += [set(condition) for condition, _ in _conditions(summary)]
    for link in links:
        met = [each for each in sets if each & link]
        if len(met) > 1:
            sets = [each for each in sets if not each & link] + [set().union(*met)]
    return sets


def times_flags(summary: Summary) -> list[str]:
    """Columns that follow from the times, for conditions."""
    return [*(f"{e.name}_event" for e in summary.endpoint), *(flag.name for flag in summary.flag)]


def _conditions(summary: Summary) -> list[tuple[Condition, int]]:
    """Every condition on two columns, and how many patients fulfil both."""
    found = []
    for variable in summary.variable:
        found += [(condition, 0) for condition in variable.never]
        for condition in variable.together:
            columns = {name: levels for name, levels in condition.items() if name != "count"}
            found.append((columns, condition["count"]))
    return found


def _stage(summary: Summary, moving: list[Variable], frozen: list[Variable], e: int) -> Stage:
    """The search of an endpoint, or of variables alone where e is -1."""
    variables = [*moving, *frozen]
    flags = times_flags(summary) if e < 0 else []
    book = Book(summary, variables, flags)
    own = {v.name for v in moving}
    for number, target in enumerate(summary.target):
        if _stage_of(summary, target) == e and (e >= 0 or _named(target) & own):
            book.add(number, target)
    if e >= 0:
        book.counts(e)
    for condition, count in _conditions(summary) if e < 0 else []:
        if own.intersection(condition):
            book.both(condition, count)
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
    yes = variable.yes_counts(patients)
    return [((0,), tuple(n - y for n, y in zip(patients, yes, strict=True))), ((1,), yes)]
