"""The benefit of a treatment in words: what is associated with it, how sure that is, and why.

"Associated with" unless the reader's own causal assumptions are stated; differences in time and
survival first, the hazard ratio after them and never called a risk.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bayesurv.data.faults import listed
from bayesurv.estimands.arms import Comparison, treatment_terms
from bayesurv.estimands.margins import Margins
from bayesurv.fitting import Fit
from bayesurv.plots.style import duration, limits, number, percent, probability

ENDPOINTS = {
    "os": "overall survival",
    "pfs": "progression-free survival",
    "efs": "event-free survival",
    "dfs": "disease-free survival",
    "rfs": "relapse-free survival",
}
DECIMALS = {"days": 0, "years": 2}


def survival_name(endpoint: str | None) -> str:
    """What survives, in words: "overall survival" for os."""
    name = endpoint or ""
    return ENDPOINTS.get(name.lower(), f"survival ({name})" if name else "survival")


def benefit_sentence(
    comparison: Comparison,
    table: pd.DataFrame,
    arms: pd.DataFrame,
    margins: Margins,
    *,
    endpoint: str | None,
    population: str,
    causal: str | None,
) -> str:
    """The answer in a few sentences, from the tables `benefit` and `arms`."""
    rows = {(r.quantity, r.margin): r for r in table[::-1].itertuples()}  # the horizon's row wins
    what = survival_name(endpoint)
    said = [
        _time_gained(comparison, rows, margins, what, causal),
        _survival(comparison, rows, arms, what),
        _medians(comparison, arms),
        _ratio(comparison, rows),
        f"Standardised over {population}; {prior_words(comparison)}.",
        _provided(causal),
    ]
    return " ".join(said).strip()


def ranking_sentence(
    comparison: Comparison,
    table: pd.DataFrame,
    *,
    endpoint: str | None,
    population: str,
    causal: str | None,
) -> str:
    """Which level ranks first, how sure that is, and over whom and under which prior."""
    unit, arms = comparison.fit.unit, comparison.arms
    ordered = table.sort_values("prob_best", ascending=False)
    said = [
        f"{row.level} {probability(row.prob_best)} ({_time(row.estimate, unit)} {unit}, "
        f"95% CrI {limits(_time(row.lower, unit), _time(row.upper, unit))})"
        for row in ordered.itertuples()
    ]
    text = (
        f"Posterior probability of the longest mean {survival_name(endpoint)} time over the first "
        f"{_first(comparison)} among the levels of {arms.treatment}: {'; '.join(said)}. "
        f"Standardised over {population}; {prior_words(comparison)}."
    )
    return f"{text} {_provided(causal)}".strip()


def _provided(causal: str | None) -> str:
    if causal is None:
        return ""
    return f"This is what the treatment would change, provided that: {causal.strip()}"


def _time_gained(
    asked: Comparison, rows: dict, margins: Margins, what: str, causal: str | None
) -> str:
    """Difference of RMST, and the probabilities of a gain."""
    unit = asked.fit.unit
    untreated, treated = asked.arms.names
    row = rows["rmst_difference", 0.0]
    size = _time(abs(row.estimate), unit)
    if not float(size):
        amount = f"about as much {what} time as"
    else:
        amount = f"{size} {unit} {'more' if row.estimate > 0 else 'less'} {what} time than"
    verb = "was associated with" if causal is None else "would give"
    ends = limits(_time(row.lower, unit), _time(row.upper, unit))
    gains = [f"of any gain {probability(row.probability)}"]
    if margins.rmst is not None:
        beyond = probability(rows["rmst_difference", margins.rmst].probability)
        gains.append(f"of a gain above {duration(margins.rmst, unit)} {beyond}")
    return (
        f"Over the first {_first(asked)}, {treated} {verb} {amount} {untreated} "
        f"(difference {_time(row.estimate, unit)} {unit}, 95% CrI {ends}); posterior "
        f"probability {', '.join(gains)}."
    )


def _survival(asked: Comparison, rows: dict, arms: pd.DataFrame, what: str) -> str:
    """Survival of both arms at the horizon, and its difference in points."""
    here = arms[(arms["quantity"] == "survival") & (arms["time"] == asked.horizon)]
    untreated, treated = (percent(value) for value in here["estimate"])
    row = rows["survival_difference", 0.0]
    points, lower, upper = (f"{_rounded(100 * v, 0)}" for v in (row.estimate, row.lower, row.upper))
    return (
        f"{what.capitalize()} at {duration(asked.horizon, asked.fit.unit)}: {treated} with "
        f"{asked.arms.names[1]} and {untreated} with {asked.arms.names[0]} "
        f"(difference {points} percentage points, 95% CrI {limits(lower, upper)})."
    )


def _medians(asked: Comparison, arms: pd.DataFrame) -> str:
    """Median of each arm; "not reached" with its probability."""
    unit, end = asked.fit.unit, f"{asked.arms.end:g}"
    said = []
    for row in arms[arms["quantity"] == "median"][::-1].itertuples():
        missed = f"probability {probability(row.prob_not_reached)}"
        if np.isinf(row.estimate):
            said.append(f"not reached by {end} {unit} ({missed}) with {row.arm}")
            continue
        upper = f"{_time(row.upper, unit)}"
        if np.isinf(row.upper):
            upper = f"not reached by {end}, {missed}"
        ends = limits(_time(row.lower, unit), upper)
        said.append(f"{_time(row.estimate, unit)} {unit} (95% CrI {ends}) with {row.arm}")
    return f"Median {' and '.join(said)}."


def _ratio(asked: Comparison, rows: dict) -> str:
    """The conditional hazard ratio, or the marginal one where there is no single conditional."""
    own = [key for key in rows if key[0] == "hazard_ratio"]
    name = "hazard_ratio" if own else "marginal_hazard_ratio"
    found = [row for (quantity, _), row in rows.items() if quantity == name][::-1]
    chances = [f"P(HR < {row.margin:g}) {probability(row.probability)}" for row in found]
    if own:
        same = next(r for (quantity, _), r in rows.items() if quantity.endswith("_equivalence"))
        chances.append(f"P(0.8 < HR < 1.25) {probability(same.probability)}")
        others = [n for n in asked.fit.design.variables if n != asked.arms.treatment]
        kind = f"Hazard ratio at equal {listed(others)}" if others else "Hazard ratio"
    else:
        terms = listed(treatment_terms(asked.fit, asked.arms))
        kind = f"No one hazard ratio holds for all ({terms}); the marginal hazard ratio up to "
        kind += f"{duration(asked.horizon, asked.fit.unit)} is"
    row = found[0]
    ends = limits(number(row.lower), number(row.upper))
    return f"{kind} {number(row.estimate)} (95% CrI {ends}); {', '.join(chances)}."


def prior_words(asked: Comparison) -> str:
    """Prior of the treatment's part in the model."""
    return "; ".join(_priors(asked.fit, treatment_terms(asked.fit, asked.arms)))


def _priors(fit: Fit, terms: list[str]) -> Iterator[str]:
    priors = fit.specification.priors
    own = [term for term in terms if term in fit.design.terms]
    if own:
        of = dict(zip(fit.design.terms, priors.coefficients(fit.design.terms), strict=True))
        said = {str(of[term]): [t for t in own if of[t] == of[term]] for term in own}
        for prior, which in said.items():
            named = f"log hazard ratio of {listed(which)}" if len(own) > 1 else "log hazard ratio"
            yield f"prior of the {named} {prior}"
    groups = [term for term in terms if term in fit.design.group_terms]
    if groups:
        yield f"prior of the standard deviation of {listed(groups)} {priors.group_sd}"


def _first(asked: Comparison) -> str:
    """The horizon after "the first": 12 months, but year and not 1 year."""
    return duration(asked.horizon, asked.fit.unit).removeprefix("1 ")


def _time(value: float, unit: str) -> str:
    return _rounded(value, DECIMALS.get(unit, 1))


def _rounded(value: float, decimals: int) -> str:
    """A number in plain digits; never -0."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}"
