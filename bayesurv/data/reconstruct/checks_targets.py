"""Printed results that contradict themselves or the aggregates beside them."""

import re
from collections.abc import Iterator

import numpy as np
from scipy.stats import norm

from bayesurv.data.faults import listed, nearest
from bayesurv.data.published import rounding_interval
from bayesurv.data.reconstruct.summary import Summary, Target
from bayesurv.data.reconstruct.targets import WALD

NEEDED = {
    "log-rank": ("endpoint", "term", "p"),
    "cox": ("endpoint", "terms", "of"),
    "median": ("endpoint", "value"),
    "median-limit": ("endpoint", "value"),
    "survival": ("endpoint", "time", "value"),
    "events": ("endpoint", "value"),
    "rank-sum": ("variable", "p"),
    "association": ("variables", "p"),
}
PRINTED = re.compile(r"[<>]?(\d+\.?\d*|\.\d+)")


def target_clashes(summary: Summary, target: Target) -> Iterator[str]:
    """What is wrong with one target."""
    place = f'[target] "{target.name}"'
    lacking = [key for key in NEEDED[target.kind] if getattr(target, key) in (None, ())]
    if lacking:
        yield f"{place}: a {target.kind} needs {listed(lacking)}"
        return
    if target.status == "unmet" and not target.reason:
        yield f"{place}: an unmet target states its reason"
    printed = {key: getattr(target, key) for key in ("p", "ratio", "lower", "upper", "value")}
    wrong = [f"{k} = {v!r}" for k, v in printed.items() if v and not PRINTED.fullmatch(v)]
    if wrong:
        yield f'{place}: {listed(wrong)} is not as printed, such as "0.014" or "<0.001"'
        return
    named = list(_names(summary, target, place))
    yield from named
    if named or target.status == "unmet":
        return
    yield from _p_value(target, place)
    yield from _ratio(target, place)
    yield from _value(summary, target, place)


def _names(summary: Summary, target: Target, place: str) -> Iterator[str]:
    """Names of endpoints, arms and columns that are not there."""
    endpoints = [each.name for each in summary.endpoint]
    if target.endpoint is not None and target.endpoint not in endpoints:
        yield f'{place}: no endpoint "{target.endpoint}"; there are {listed(endpoints)}'
    if target.arm is not None and target.arm not in summary.arms:
        yield f'{place}: no arm "{target.arm}"; there are {listed(summary.arms)}'
    if target.kind == "rank-sum":
        numbers = [*(v.name for v in summary.variable if v.number), endpoints[0]]
        if target.variable not in numbers:
            yield f'{place}: "{target.variable}" is no number; there are {listed(numbers)}'
    if target.kind == "cox" and target.of not in target.terms:
        yield f'{place}: of = "{target.of}" is none of its terms'
    if target.kind == "association" and len(target.variables) != 2:
        yield f"{place}: an association is of two variables"
    for term in (*target.terms, *target.variables, *([target.term] if target.term else [])):
        yield from _term(summary, term, place, of_levels=target.kind == "association")


def _term(summary: Summary, term: str, place: str, *, of_levels: bool) -> Iterator[str]:
    """A term that names no column, or no level of it."""
    name, equals, levels = term.partition("=")
    if name == summary.treatment:
        return
    variable = summary.named(name)
    if variable is None:
        yield f'{place}: no variable "{name}".{nearest(name, [v.name for v in summary.variable])}'
    elif of_levels and variable.number:
        yield f'{place}: "{name}" is a number; an association is of levels'
    elif equals:
        known = [str(level) for level in variable.levels]
        unknown = [level for level in levels.split("|") if level not in known]
        if unknown:
            yield f'{place}: "{name}" has no level {listed(unknown)}; it has {listed(known)}'


def _p_value(target: Target, place: str) -> Iterator[str]:
    if target.p is None:
        return
    low, high = rounding_interval(target.p)
    if target.p[0] not in "<>" and float(target.p) == 0:
        yield f'{place}: no test gives P = {target.p}; write "<0.001", or what was meant'
    elif low > 1 or high <= 0:
        yield f"{place}: P = {target.p} is not between 0 and 1"
    elif float(target.p.strip("<>")) == 1 and target.kind != "association":
        yield f"{place}: P = {target.p} says nothing that can be searched for; leave it out"


def _ratio(target: Target, place: str) -> Iterator[str]:
    """A ratio outside its limits, limits that are not centred on it, or a P that is another's."""
    if target.kind != "cox":
        return
    if target.ratio is not None and target.higher is not None:
        if (float(target.ratio) > 1) != target.higher:
            yield f"{place}: a ratio of {target.ratio} and higher = {str(target.higher).lower()}"
    if target.lower is None or target.upper is None:
        return
    low, high = (
        np.log(np.maximum(rounding_interval(x), 1e-9)) for x in (target.lower, target.upper)
    )
    if low.min() >= high.max():
        yield f"{place}: the limits {target.lower} to {target.upper} are no interval"
        return
    if target.ratio is not None:
        ratio = np.log(rounding_interval(target.ratio))
        middle = (low + high) / 2
        if middle[0] > ratio[1] or middle[1] < ratio[0]:
            yield (
                f"{place}: the limits {target.lower} to {target.upper} are not centred on "
                f"{target.ratio} but on {np.exp(middle.mean()):.3f}; call it unmet, or correct it"
            )
            return
    if target.p is not None:
        most = max(abs(low + high)) / (high[0] - low[1]) * WALD
        least = min(abs(low + high)) / (high[1] - low[0]) * WALD
        p = np.sort(2 * norm.sf([least, most]))
        printed = rounding_interval(target.p)
        if p[1] < printed[0] or p[0] > printed[1]:
            yield (
                f"{place}: P = {target.p}, but the limits {target.lower} to {target.upper} give "
                f"{p.mean():.3f}"
            )


def _value(summary: Summary, target: Target, place: str) -> Iterator[str]:
    if target.value is None:
        return
    value, follow_up = float(target.value.strip("<>")), summary.follow_up
    last = max(follow_up.upper)
    arms = [summary.arms.index(target.arm)] if target.arm else [0, 1]
    if target.kind == "median" and not min(follow_up.lower) <= value <= last:
        span = f"{min(follow_up.lower):g} to {last:g}"
        yield f"{place}: the median {target.value} is outside the follow-up, {span}"
    if target.kind == "survival" and not 0 <= value <= 1:
        yield f"{place}: a survival of {target.value} is not between 0 and 1"
    if target.kind == "survival" and (target.time or 0) > last:
        yield f"{place}: {target.time:g} is past the follow-up, {last:g}"
    if target.kind == "events" and value > sum(summary.patients[a] for a in arms):
        yield f"{place}: {target.value} events are more than there are patients"
