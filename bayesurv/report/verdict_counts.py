"""Checks of statements by the printed counts, ranges and places."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import binomtest

from bayesurv.data.faults import listed
from bayesurv.data.published import Counts, denominators
from bayesurv.plots.style import p_value
from bayesurv.report.verdict_material import (
    CONTRADICTED,
    NOT_REPRODUCIBLE,
    REPRODUCED,
    Finding,
    Material,
    fraction,
    plain,
)

Given = Mapping[str, Any]


def patient_flow(material: Material, given: Given) -> Finding:
    """Whether steps, arms and ways of failing add up."""
    before, palliative, included = (step.patients for step in material.published.flow)
    response, failure = material.counts("best response to CTI1"), material.counts(given["failure"])
    first = list(response.table[:2].sum(axis=0)) == list(failure.table[0])
    adds = before - palliative == included == sum(material.published.patients)
    whole = list(failure.table.sum(axis=0)) == list(material.published.patients)
    relapsed, refractory = failure.table
    return Finding(
        REPRODUCED if first and adds and whole else CONTRADICTED,
        f"{before} - {palliative} = {included}",
        f"{before - palliative}",
        f"{before} less {palliative} is {before - palliative}; the arms have "
        f"{sum(material.published.patients)}; {relapsed.sum()} relapsed and {refractory.sum()} "
        f"were refractory. Those relapsed are {'' if first else 'not '}as many, arm by arm, as had "
        "a complete or partial response to CTI1.",
    )


def percentages(material: Material, given: Given) -> Finding:
    """Whether printed percentages follow from counts, and from what number of patients."""
    item = material.counts(given["item"])
    most = given.get("most", material.published.patients)
    pairs = list(zip(item.counts[0], item.percent, item.of, most, strict=False))
    allowed = [denominators(count, percent, limit) for count, percent, _, limit in pairs]
    right = all(of in held for (_, _, of, _), held in zip(pairs, allowed, strict=True))
    return Finding(
        REPRODUCED if right and pairs else CONTRADICTED,
        "; ".join(f"{count} ({percent}%)" for count, percent, _, _ in pairs),
        "; ".join(f"{fraction(count, of)} = {100 * count / of:.1f}%" for count, _, of, _ in pairs),
        "; ".join(
            f"{count} are {percent}% of {listed(held) or 'no whole number'} patients"
            for (count, percent, _, _), held in zip(pairs, allowed, strict=True)
        )
        + ".",
    )


def share_of_deaths(material: Material, given: Given) -> Finding:
    """A mortality whose denominators are not the patients of the arms."""
    shares = {of: material.counts(f"{given['item']}, of {of}") for of in given["of"]}
    printed = shares["deaths"]
    of_patients = printed.of == material.published.patients
    p = {of: material.row(item.name)["Fisher"] for of, item in shares.items()}
    told = [
        f"{' v '.join(map(fraction, item.counts[0], item.of))} of {of}, P {p_value(p[of])}"
        for of, item in shares.items()
    ]
    return Finding(
        REPRODUCED if of_patients else CONTRADICTED,
        " v ".join(map(fraction, printed.counts[0], printed.of)),
        f"of patients {' v '.join(_percent(shares['patients']))}",
        f"The denominators {' and '.join(map(str, printed.of))} are not the arms "
        f"({' and '.join(map(str, material.published.patients))} patients) but their deaths. "
        f"Fisher's test: {'; '.join(told)}.",
    )


def _percent(item: Counts) -> list[str]:
    return [f"{100 * a / b:.0f}%" for a, b in zip(item.counts[0], item.of, strict=True)]


def none_died(material: Material, given: Given) -> Finding:
    """That nobody died of something, beside the printed deaths with it."""
    item = material.counts(given["item"])
    groups = given.get("groups", item.groups)
    counts = {arm: count for arm, count in zip(item.groups, item.counts[0], strict=True)
              if arm in groups}  # fmt: skip
    printed = ", ".join(f"{count} in {arm}" for arm, count in counts.items())
    return Finding(
        CONTRADICTED if any(counts.values()) else REPRODUCED,
        "none",
        printed,
        f"{item.where[0]} counts deaths with infection: {printed}.",
    )


def seldom(material: Material, given: Given) -> Finding:
    """That something was not frequent, beside the shares of the arms that had it."""
    most, told = 0.0, []
    for item in map(material.counts, given["items"]):
        for arm, count, of in zip(item.groups, item.counts[0], item.of, strict=True):
            limits = binomtest(count, of).proportion_ci()
            most = max(most, count / of)
            told.append(
                f"{item.name} {fraction(count, of)} with {arm} ({100 * count / of:.0f}%, 95% "
                f"exact CI {100 * limits.low:.0f}% to {100 * limits.high:.0f}%)"
            )
    return Finding(
        CONTRADICTED if most > 0.5 else NOT_REPRODUCIBLE,
        "not frequent",
        f"up to {100 * most:.0f}% of an arm",
        f"{'; '.join(told)}.",
    )


def no_p_printed(material: Material, given: Given) -> Finding:
    """A comparison in words, without P: what the counts give."""
    item = material.counts(given["item"])
    row = material.row(given["item"])
    shares = " v ".join(map(fraction, item.counts[0], item.of))
    unknown = np.subtract(material.published.patients, item.of)
    return Finding(
        NOT_REPRODUCIBLE,
        "no P",
        f"Fisher {row['Fisher']:.3f}, Pearson {row['Pearson']:.3f}",
        f"{shares} ({' v '.join(_percent(item))}) has P = {row['Fisher']:.3f} by Fisher and "
        f"{row['Pearson']:.3f} by Pearson; {' and '.join(map(str, unknown))} patients of the arms "
        "were not measured. That P is above 0.05 is not that there is no difference.",
    )


def small_share(material: Material, given: Given) -> Finding:
    """An outcome praised in a few patients: its exact interval, and the rest of their arm."""
    item = material.counts(given["item"])
    of = item.of[0]
    responders = sum(count for (count,) in item.counts)
    limits = binomtest(item.counts[0][0], of).proportion_ci()
    late = responders - material.counts("response at day 30").counts[0][1]
    return Finding(
        NOT_REPRODUCIBLE,
        f"{item.percent[0]}% of {of}",
        f"exact 95% CI {100 * limits.low:.0f}% to {100 * limits.high:.0f}%",
        f"{fraction(item.counts[0][0], of)} has an exact 95% CI of {100 * limits.low:.0f}% to "
        f"{100 * limits.high:.0f}%. With {responders} responders here, and no more responses than "
        f"printed at day 30 in the whole arm, at least {max(late, 0)} of them came later.",
    )


def refractory_by_response(material: Material, given: Given) -> Finding:
    """Whether the refractory are just those without response, whenever they were assessed."""
    response, failure = material.counts("best response to CTI1"), material.counts(given["failure"])
    same = list(response.table[2]) == list(failure.table[1])
    return Finding(
        NOT_REPRODUCIBLE if same else CONTRADICTED,
        "no response at an assessment after more than 3 months",
        f"refractory {listed(failure.table[1])}, without response {listed(response.table[2])}",
        f"By arm {listed(failure.table[1])} are refractory and {listed(response.table[2])} had no "
        "response: every patient without response was counted refractory, and whether all of them "
        "were assessed after 3 months, or progressed before, is not printed.",
    )


def relapse_times(material: Material, given: Given) -> Finding:
    """How many relapsed within what is called early, by the median alone."""
    item, failure = material.medians(given["times"]), material.counts(given["failure"])
    relapsed, early = int(failure.table[0].sum()), given["early"]
    least = (relapsed + 1) // 2 if item.median[0] < early else 0
    return Finding(
        NOT_REPRODUCIBLE,
        f"{item.median[0]:g} ({item.lower[0]:g}-{item.upper[0]:g}) {item.unit}",
        f"{least} of {relapsed} or more by {item.median[0]:g} {item.unit}",
        f"By the median, at least {least} of the {relapsed} who relapsed did so by "
        f"{item.median[0]:g} {item.unit}; early is defined as before {early:g}. Not printed: from "
        "which day relapse counts, every patient's time, and any result by early relapse.",
    )


def any_grade(material: Material, given: Given) -> Finding:
    """How many of each arm had something at all, where which treatment causes it is not told."""
    item = material.counts(given["item"])
    some = np.subtract(item.of, item.counts[0])
    shares = [f"{fraction(a, b)} with {arm}" for a, b, arm in
              zip(some, item.of, item.groups, strict=True)]  # fmt: skip
    return Finding(
        NOT_REPRODUCIBLE,
        "no difference",
        "; ".join(shares),
        f"Of any grade: {' and '.join(shares)}. Not printed: after which regimen, and when; "
        "effects of CTI1, or of cells or antibodies among the other regimens, would explain so "
        "many.",
    )


def youngest(material: Material, given: Given) -> Finding:
    """Whether the range of age begins where adults do."""
    item = material.medians("age")
    least = min(item.lower)
    return Finding(
        CONTRADICTED if least < given["adult"] else REPRODUCED,
        f"{given['adult']} or older",
        f"from {plain(least)}",
        f"The youngest is {plain(least)} years old ({listed(item.where)}).",
    )


def printed_in(material: Material, given: Given) -> Finding:
    """Whether numbers stand where the text sends its reader."""
    places = {material.counts(item).where[0].partition(",")[0] for item in given["items"]}
    return Finding(
        REPRODUCED if places == {given["place"]} else CONTRADICTED,
        given["place"],
        listed(sorted(places)),
        f"The counts of {listed(given['items'])} stand in {listed(sorted(places))}.",
    )


def not_printed(material: Material, given: Given) -> Finding:
    """What neither text nor tables allow to be computed, and what it would need."""
    return Finding(
        NOT_REPRODUCIBLE,
        given.get("printed", "no number"),
        "",
        f"Not printed: {given['lacking']}. It would need {given['needs']}.",
    )
