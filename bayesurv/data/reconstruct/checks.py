"""Aggregates that cannot all hold, each clash with what it is between."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from bayesurv.data.faults import listed, nearest
from bayesurv.data.reconstruct.checks_targets import target_clashes
from bayesurv.data.reconstruct.problem import groups, searched_with_times, times_flags
from bayesurv.data.reconstruct.state import GRID
from bayesurv.data.reconstruct.summary import Condition, Endpoint, FollowUp, Summary, Variable

OWN = ("member", "patient", "synthetic")


def clashes(summary: Summary) -> Iterator[str]:
    """Every clash, in words."""
    yield from _names(summary)
    if min(summary.patients) < 1:
        yield f"patients: an arm has {min(summary.patients)}; each needs some"
        return
    yield from _endpoints(summary)
    variables = [said for v in summary.variable for said in _variable(summary, v)]
    yield from variables
    if variables or summary.endpoint[0].follow_up is None:
        return  # what follows would be said of numbers that are wrong themselves
    yield from _conditions(summary)
    for target in summary.target:
        yield from target_clashes(summary, target)


def _names(summary: Summary) -> Iterator[str]:
    flags = times_flags(summary)
    times = [f"{each.name}_{summary.unit}" for each in summary.endpoint]
    columns = [*OWN, summary.treatment, *flags, *times, *(v.name for v in summary.variable)]
    for name, count in Counter(columns).items():
        if count > 1:
            yield f'"{name}" would be the name of {count} columns; give each its own'
    for what in ("endpoint", "target"):
        named = Counter(each.name for each in getattr(summary, what))
        for name, count in named.items():
            if count > 1:
                yield f'[{what}] "{name}" stands there {count} times'
    known = [each.name for each in summary.endpoint]
    for flag in summary.flag:
        if flag.endpoint not in known:
            yield f'[flag] "{flag.name}": no endpoint "{flag.endpoint}"; there are {listed(known)}'


# --- Endpoints ---


def _endpoints(summary: Summary) -> Iterator[str]:
    first, *inner = summary.endpoint
    if first.follow_up is None:
        yield f'[endpoint] "{first.name}": follow_up is missing; state at least upper, the longest'
    else:
        yield from _follow_up(summary, first.name, first.follow_up)
    for each in inner:
        if each.follow_up is not None:
            yield f'[endpoint] "{each.name}": follow-up is that of the first, "{first.name}"'
    before = None
    for each in summary.endpoint:
        yield from _events(summary, each, before)
        before = each if each.events is not None else before


def _events(summary: Summary, endpoint: Endpoint, around: Endpoint | None) -> Iterator[str]:
    """Events beyond the patients, or fewer than those of the endpoint around."""
    for arm, n, events in zip(
        summary.arms, summary.patients, endpoint.events or (0, 0), strict=True
    ):
        if not 0 <= events <= n:
            yield f'[endpoint] "{endpoint.name}": {events} events of {n} patients ({arm})'
    if around is None or endpoint.events is None or around.events is None:
        return
    for arm, own, outer in zip(summary.arms, endpoint.events, around.events, strict=True):
        if own < outer:
            yield (
                f'[endpoint] "{endpoint.name}" has {own} events and "{around.name}" {outer} '
                f'({arm}), but every "{around.name}" is a "{endpoint.name}" too'
            )


def _follow_up(summary: Summary, name: str, stated: FollowUp) -> Iterator[str]:
    place = f'[endpoint] "{name}", follow_up'
    medians = stated.median or (None, None)
    for arm, n, low, middle, high in zip(
        summary.arms, summary.patients, stated.lower, medians, stated.upper, strict=True
    ):
        inside = [low, *([] if middle is None else [middle]), high]
        if not 0 <= low < high:
            yield f"{place}: the range {low:g} to {high:g} ({arm}) is none"
        elif middle is not None and not low <= middle <= high:
            yield f"{place}: the median {middle:g} is outside the range {low:g} to {high:g} ({arm})"
        if any(abs(x * GRID - round(x * GRID)) > 1e-6 for x in inside):
            yield f"{place}: times are kept to {1 / GRID:g} {summary.unit}; round them ({arm})"
        if n < 4:
            yield f"{place}: {n} patients ({arm}) are too few to be drawn"


# --- Variables ---


def _variable(summary: Summary, variable: Variable) -> Iterator[str]:
    place = f'[variable] "{variable.name}"'
    if len({str(level) for level in variable.levels}) < len(variable.levels):
        yield f"{place}: a level stands there twice"
        return
    if variable.number:
        yield from _number(summary, variable, place)
        return
    if variable.counts is not None and len(variable.counts) != len(variable.levels):
        yield f"{place}: {len(variable.counts)} counts of {len(variable.levels)} levels"
        return
    if variable.groups is not None:
        grouped = Counter(level for group in variable.groups for level in group.levels)
        wrong = [level for level in grouped if level not in variable.levels or grouped[level] > 1]
        wrong += [level for level in variable.levels if level not in grouped]
        if wrong:
            yield f"{place}: each level belongs to one group; look at {listed(wrong)}"
            return
    if variable.percent is not None:
        unclear = list(_percentages(summary, variable, place))
        yield from unclear
        if unclear:
            return
    yield from _counts(summary, variable, place)


def _percentages(summary: Summary, variable: Variable, place: str) -> Iterator[str]:
    for arm, n, percent in zip(summary.arms, summary.patients, variable.percent or (), strict=True):
        found = variable.whole_counts(percent, n)
        if not found:
            near = round(percent * n / 100)
            yield (
                f"{place}: {percent:g}% of {n} ({arm}) is no whole count; {near} would be "
                f"{100 * near / n:.1f}%"
            )
        elif len(found) > 1:
            yield f"{place}: {percent:g}% of {n} ({arm}) may be {listed(found)}; state yes = [...]"


def _counts(summary: Summary, variable: Variable, place: str) -> Iterator[str]:
    found = groups(variable, summary.patients)
    for a, (arm, n) in enumerate(zip(summary.arms, summary.patients, strict=True)):
        counts = [counts[a] for _, counts in reversed(found)]  # of yes and no, first the yes
        outside = [count for count in counts if not 0 <= count <= n]
        if outside:
            yield f"{place}: {outside[0]} of {n} patients ({arm})"
        elif sum(counts) != n:
            yield f"{place}: the counts add up to {sum(counts)}, not to {n} patients ({arm})"
        for levels, per_arm in found:
            if 0 < per_arm[a] < variable.least * len(levels):
                yield (
                    f"{place}: {len(levels)} levels of {variable.least} patients at least do not "
                    f"fit into {per_arm[a]} ({arm})"
                )


def _number(summary: Summary, variable: Variable, place: str) -> Iterator[str]:
    for arm, n, low, middle, high in zip(
        summary.arms,
        summary.patients,
        variable.lower or (0, 0),
        variable.median or (0, 0),
        variable.upper or (0, 0),
        strict=True,
    ):
        if not 0 <= low <= high:
            yield f"{place}: the range {low} to {high} ({arm}) is none of numbers from 0"
        elif not low <= middle <= high:
            yield f"{place}: the median {middle:g} is outside the range {low} to {high} ({arm})"
        elif (2 * middle) % 1 or (n % 2 and middle % 1):
            yield f"{place}: no whole numbers of {n} patients have the median {middle:g} ({arm})"
        elif n < 4:
            yield f"{place}: {n} patients ({arm}) are too few to be drawn"


# --- Conditions on two columns ---


def _conditions(summary: Summary) -> Iterator[str]:
    early = searched_with_times(summary)
    for variable in summary.variable:
        for condition in (*variable.never, *variable.together):
            yield from _condition(summary, variable, condition, early)


def _condition(
    summary: Summary, variable: Variable, condition: Condition, early: set[str]
) -> Iterator[str]:
    place = f'[variable] "{variable.name}"'
    levels = {v.name: v.levels for v in summary.variable}
    levels |= {name: (0, 1) for name in times_flags(summary)}
    named = [name for name in condition if name != "count"]
    if len(named) != 2 or (condition in variable.together) != ("count" in condition):
        yield f"{place}: a condition names two columns, and one of together a count"
        return
    for name in named:
        if name not in levels:
            yield f'{place}: a condition names "{name}", no column.{nearest(name, levels)}'
            return
        unknown = [level for level in np.atleast_1d(condition[name]) if level not in levels[name]]
        if unknown or not isinstance(condition[name], list | tuple):
            yield f'{place}: levels of "{name}" are a list of {listed(levels[name])}'
            return
    if not set(named) - early - set(times_flags(summary)):
        yield (
            f"{place}: {listed(named)} are found together with the times, so that a condition on "
            "both cannot be searched for"
        )
