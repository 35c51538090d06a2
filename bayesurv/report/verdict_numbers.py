"""Checks of statements by printed P values, ratios and intervals that must hold together."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import norm

from bayesurv.data.faults import listed
from bayesurv.data.published import HazardRatio, Medians, PValue, rounding_interval, rounds_to
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.intervals import INTERVALS
from bayesurv.frequentist.kaplan_meier import kaplan_meier
from bayesurv.frequentist.quantiles import quantile
from bayesurv.frequentist.recomputed import Coding
from bayesurv.report.verdict_material import (
    CONSISTENT,
    CONTRADICTED,
    NOT_REPRODUCIBLE,
    REPRODUCED,
    SIGNIFICANT,
    Finding,
    Material,
    of_cohorts,
    plain,
    span,
)

Given = Mapping[str, Any]
Z = norm.isf(0.025)


def none_below(material: Material, given: Given) -> Finding:
    """That there was no difference, or no other factor, beside printed P below 0.05."""
    items = material.p_values(given["p_values"])
    below = [item for item in items if rounding_interval(item.p or "")[1] <= SIGNIFICANT]
    said = "; ".join(f"{item.name} {_equals(item.p)}" for item in items)
    return Finding(
        CONTRADICTED if below else REPRODUCED,
        f"no P below {SIGNIFICANT}",
        f"{len(below)} of {len(items)} P below {SIGNIFICANT}",
        f"Printed elsewhere: {said}.",
    )


def _equals(p: str | None) -> str:
    return f"P {p}" if p and p[0] in "<>" else f"P = {p}"


def centred(material: Material, given: Given) -> Finding:
    """Whether a ratio is in the middle of its limits, on the log scale, and fits its P."""
    item = material.ratio(given["ratio"])
    middle, error = _middle(item)
    p = 2 * norm.sf(abs(np.log(item.estimate)) / error)
    right = rounds_to(middle, f"{item.estimate:.3f}")
    other = item.estimate**2 / item.upper
    tail = "" if item.p is None else f" and P = {p:.3f} (printed {item.p})"
    evidence = (
        f"The middle of {item.lower:.3f} and {item.upper:.3f} on the log scale is {middle:.3f}; "
        f"the ratio is printed as {item.estimate:.3f}. The limits give a standard error of "
        f"{error:.3f}{tail}."
    )
    if not right:
        evidence += f" A lower limit centred with the upper would be {other:.3f}."
    fits = right and (item.p is None or rounds_to(p, item.p))
    return Finding(
        CONSISTENT if fits else CONTRADICTED,
        f"{item.estimate:.3f} ({item.lower:.3f}-{item.upper:.3f})",
        f"middle {middle:.3f}",
        evidence,
    )


def _middle(item: HazardRatio) -> tuple[float, float]:
    """The geometric mean of the limits, and the standard error (log) that they imply."""
    lower, upper = np.log([item.lower, item.upper])
    return float(np.exp((lower + upper) / 2)), float((upper - lower) / (2 * Z))


def binary_factor(material: Material, given: Given) -> Finding:
    """Whether a factor of two levels can have a ratio with so small a P, by the events there are.

    In Cox's model each event adds q (1 - q) <= 1/4 to the information on a factor of two levels,
    q its weighted share at risk, and other factors only take from it: the standard error is
    2 / sqrt(events) at least.
    """
    item = material.ratio(given["ratio"])
    printed = material.p_values([given["p_value"]])[0].p or ""
    events = sum(material.counts("deaths").counts[0])
    least = 2 / np.sqrt(events)
    ratio, largest = (rounding_interval(text)[1] for text in (f"{item.estimate:.3f}", printed))
    needed = np.log(ratio) / norm.isf(largest / 2)
    best = 2 * norm.sf(np.log(ratio) / least)
    rows = material.counts(given["counts"])
    low = sum(rows.of) - sum(rows.counts[0])
    errors = material.over(partial(_error, term=given["term"], endpoint=given["endpoint"]))
    return Finding(
        CONTRADICTED if needed < least else NOT_REPRODUCIBLE,
        f"HR {item.estimate:.3f}, P = {printed}",
        f"P of {best:.4f} or more",
        f"A hazard ratio of {item.estimate:.3f} with P = {printed} needs a standard error of "
        f"{needed:.4f} at most. With {events} deaths that of any factor of two levels is "
        f"{least:.4f} at least; with {low} of {sum(rows.of)} patients in the lower one it is "
        f"{span(errors, plain, 'no finite estimate')} over {material.n} cohorts. "
        "If ratio and P are of one model, stage was entered otherwise, such as I to IV in order.",
    )


def _error(cohort: Coding, term: str, endpoint: str) -> float:
    """Standard error of the log hazard ratio of one factor alone."""
    fit = cox(*cohort.times(endpoint), cohort.columns((term,)), [term], ties="breslow")
    return float(fit.standard_error[0])


def absence(material: Material, given: Given) -> Finding:
    """That a treatment cannot help, inferred from a P above 0.05: what the interval leaves."""
    item = material.ratio(given["ratio"])
    holds_one = item.lower < 1 < item.upper
    return Finding(
        NOT_REPRODUCIBLE if holds_one else CONSISTENT,
        f"P = {item.p}",
        f"{item.lower:.3f} to {item.upper:.3f}",
        f"The adjusted ratio {item.estimate:.3f} has the interval {item.lower:.3f} to "
        f"{item.upper:.3f}, which {'includes' if holds_one else 'leaves out'} 1; if it is that of "
        f"CTI2 against the others, hazards from {100 * (1 - item.lower):.0f}% lower to "
        f"{item.upper:.1f} times as high fit it.",
    )


def same_in_both(material: Material, given: Given) -> Finding:
    """Which results stand in the conference abstract and, the same, in the paper."""
    items: tuple[Medians | PValue, ...] = (
        *material.published.p_values,
        *material.published.medians,
    )
    both = [item for item in items if "Conference abstract" in item.where and len(item.where) > 1]
    said = [f"{item.name} ({item.p})" for item in both]
    return Finding(
        NOT_REPRODUCIBLE,
        "long-term follow-up",
        f"{len(both)} results the same in abstract and paper",
        f"The same in the conference abstract and in the paper: {listed(said)}. The paper shows no "
        "longer follow-up than the abstract, and no date of data cut-off.",
    )


def median_limit(material: Material, given: Given) -> Finding:
    """Whether the interval of the median can begin where it is printed to begin."""
    item, seen = material.medians(given["median"]), material.medians("follow-up")
    first = max(seen.lower)
    early = int(np.argmin(seen.lower))
    n, size = sum(material.published.patients), material.published.patients[early]
    gone = size // 2 if first <= seen.median[early] else size
    least = _least_lower(n, gone)
    limits = {kind: material.over(partial(_limit, interval=kind)) for kind in INTERVALS}
    upper = material.over(partial(_limit, interval=INTERVALS[0], end="upper"))
    possible = item.lower[0] >= first or least <= 0.5
    around = (upper <= item.upper[0]).any() and (upper >= item.upper[0]).any()
    printed = f"{item.lower[0]:g}"
    met = int(sum(rounds_to(value, printed) for values in limits.values() for value in values))
    said = "; ".join(f"{name} {span(values, plain)}" for name, values in limits.items())
    return Finding(
        NOT_REPRODUCIBLE if possible else CONTRADICTED,
        f"{item.median[0]:g} ({item.lower[0]:g}-{item.upper[0]:g})",
        f"begins at {span(np.concatenate([*limits.values()]), plain)}",
        f"Nobody with {material.published.arms[1 - early]} left before {first:g} months, and with "
        f"{material.published.arms[early]} at most {gone} of {size} left before "
        f"{seen.median[early]:g}: at most {gone} of {n} left before {first:g} months, so that "
        f"survival was {1 - gone / n:.3f} or more and the lower end of its 95% interval there "
        f"{least:.3f} or more. An interval of the median begins where that end is 0.5. In "
        f"{material.n} reconstructed cohorts it begins (by scale of the interval): {said}; at "
        f"{printed} in {met}. It ends ({INTERVALS[0]}) at {span(upper, plain)}"
        f"{', so that the upper end alone could be as printed' if around else ''}.",
    )


def _least_lower(n: int, gone: int) -> float:
    """The lowest lower end of survival after so many exits, events or not, by any interval."""
    found = [1.0]
    for censored in range(gone):
        time = np.repeat([1.0, 2.0, 3.0], [censored, gone - censored, n - gone])
        for interval in INTERVALS:
            found.append(kaplan_meier(time, time == 2.0, interval=interval).lower[-1])
    return float(min(found))


def _limit(cohort: Coding, interval: str, end: str = "lower") -> float:
    """Lower or upper limit of the median of all patients."""
    found = quantile(kaplan_meier(*cohort.times("os"), interval=interval))
    return found.lower if end == "lower" else found.upper


def hazard_ratio_held(material: Material, given: Given) -> Finding:
    """A printed ratio: by its own limits, and by the cohorts that have the same model."""
    own = centred(material, given)
    results = material.of_target(given["target"])
    pairs = [
        f"{quantity} {span(rows['found'], '{:.3f}'.format)} ({rows['printed'].iloc[0]} in "
        f"{(rows['residual'] == 0).sum()})"
        for quantity, rows in results.groupby("quantity", sort=False)
    ]
    all_met = int((results.groupby("member")["residual"].max() == 0).sum())
    return own._replace(
        found=f"{own.found}; all at once in {of_cohorts(all_met, material)}",
        evidence=f"{own.evidence} As salvage in the multivariable model of OS, over "
        f"{material.n} cohorts: {'; '.join(pairs)}; all at once in {all_met}. A target of the "
        "search, which shows at most that they can hold together.",
    )
