"""Responses, adverse events and deaths with infection: shares of both arms, and how sure it is."""

import warnings
from collections.abc import Iterator
from typing import Any

import pandas as pd

from bayesurv.data.outcomes import Outcomes
from bayesurv.data.published import Counts, Published
from bayesurv.data.reconstruct.summary import Variable
from bayesurv.estimands.response import compare_risks, risk_contrasts
from bayesurv.fitting import CohortWarning
from bayesurv.frequentist.rules import RULES, TESTS
from bayesurv.frequentist.two_shares import TwoShares
from bayesurv.inference.sample import Progress, Sampling
from bayesurv.models.distributions import HalfNormal
from bayesurv.models.response import OutcomePriors
from bayesurv.report.published import RULE_COLUMNS
from bayesurv.report.reproduce_input import TREATMENT, Members
from bayesurv.responding import respond

RESPONSE, EVENT, DEATH, NOT_COUNTED = (
    "response",
    "adverse event",
    "death with infection",
    "CAR copies",
)
MODELLED = {
    "response at day 30": "day30_response",
    "best response, CR or PR": "best_response",
    "neutropenia, grade III/IV": "neutropenia",
    "anaemia, grade III/IV": "anaemia",
    "thrombocytopenia, grade III/IV": "thrombocytopenia",
    "hepatotoxicity, grade >= 2": "hepatotoxicity",
    "nephrotoxicity, grade >= 2": "nephrotoxicity",
    "cardiotoxicity, grade >= 2": "cardiotoxicity",
    "cytokine release syndrome, grade >= 3": "crs_grade3",
    "neurotoxicity, grade >= 2": "neurotoxicity",
    "infection, grade >= 3": "infection_grade3",
}
"""Outcomes of the Bayesian models, by the name of their row."""

GOOD = ("day30_response", "best_response")
PER = {
    "death with infection, of patients": "per patient: what a patient risks",
    "death with infection, of deaths": (
        "per death: what the paper calls infection-related mortality; a share of those who died, "
        "which falls where more die of something else"
    ),
    "death with infection, of infected": "per patient with an infection of grade 3 or more",
}
NO_PATIENT_EFFECT = OutcomePriors(patient_sd=HalfNormal(0.001))
"""Which events befell the same patient is not printed, so no patient has an effect of its own."""

SHORT = Sampling(chains=2, draws=1000, tune=500)


def response_table(
    members: Members, published: Published, seed: int, share: Progress
) -> pd.DataFrame:
    """Every binary outcome in both arms.

    Columns: outcome, kind, per arm events, patients, share with its exact interval;
    risk_difference (CTI2 less the others; Newcombe's interval), risk_ratio (Katz), odds_ratio
    (conditional, exact interval); printed_p, one P per rule of `rules.RULES`, and
    linear-by-linear; posterior_difference, posterior_odds_ratio with their limits and prob_worse
    (logistic models: each response by itself, adverse events partially pooled), remark.
    """
    rows = [_row(item, kind) for kind, item in _items(members, published)]
    table = pd.DataFrame(rows)
    posterior = _posteriors(members, seed, share)
    table = table.merge(posterior, how="left", on="outcome")
    return pd.concat([table, pd.DataFrame(list(_copies(published)))], ignore_index=True)


def _items(members: Members, published: Published) -> Iterator[tuple[str, Counts]]:
    """Counts of what did or did not happen, by kind."""
    yield RESPONSE, _named(published, "response at day 30")
    yield RESPONSE, _best_response(members, published)
    for item in published.counts:
        here = any(place.startswith("Table 2") for place in item.where)
        if here and item.levels == ("yes",) and item.name not in PER and item.name != "deaths":
            yield EVENT, item
        if item.ordered and item.name == "cytokine release syndrome":
            yield EVENT, _severe(item)
    for name in PER:
        yield DEATH, _named(published, name)


def _named(published: Published, name: str) -> Counts:
    item = published.named(name)
    if not isinstance(item, Counts):
        raise TypeError(f"{name} is no count")
    return item


def _best_response(members: Members, published: Published) -> Counts:
    """Not printed; the members' numbers, which follow from two printed P values."""
    variable = members.summary.named("best_response") or Variable(name="best_response", yes=(0, 0))
    groups = variable.groups or ()
    return Counts(
        name="best response, CR or PR",
        where=("Results, Factors associated with the efficacy",),
        groups=published.arms,
        levels=("CR or PR",),
        counts=(groups[0].counts,),
        of=published.patients,
        p="0.279",
        derived=variable.reading,
    )


def _severe(item: Counts) -> Counts:
    return Counts(
        name=f"{item.name}, grade >= 3",
        where=item.where,
        groups=item.groups,
        levels=("yes",),
        counts=(item.counts[-1],),
        of=item.of,
        derived="its last level; the printed P is of all four",
    )


def _row(item: Counts, kind: str) -> dict[str, Any]:
    """One outcome; the second of the compared shares is that of the treated, who stand first."""
    (treated, others), (n_treated, n_others) = item.counts[0], item.of
    shares = TwoShares((others, treated), (n_others, n_treated))
    row: dict[str, Any] = {"outcome": item.name, "kind": kind}
    for arm, position in zip(item.groups, (1, 0), strict=True):
        lower, upper = shares.exact(position)
        events, patients = shares.events[position], shares.patients[position]
        row |= {f"{arm} events": events, f"{arm} patients": patients}
        row |= {f"{arm} share": events / patients, f"{arm} lower": lower, f"{arm} upper": upper}
    odds = shares.odds_ratio()
    for name, numbers in {
        "risk_difference": (shares.difference, *shares.difference_interval()),
        "risk_ratio": (shares.ratio, *shares.ratio_interval()),
        "odds_ratio": odds,
    }.items():
        row |= dict(zip((name, f"{name}_lower", f"{name}_upper"), numbers, strict=True))
    row["printed_p"] = item.p
    row |= {rule: RULES[rule](item.table, item.ordered).p for rule in RULE_COLUMNS.values()}
    row["(N-1) chi-squared"] = TESTS["(N-1) chi-squared"](item.table)
    return row | {"remark": PER.get(item.name, item.derived or "")}


def _posteriors(members: Members, seed: int, share: Progress) -> pd.DataFrame:
    """Each response by itself, and adverse events partially pooled, by the first member's counts.

    Every member has the same counts of each arm, and the models see nothing else of it. The two
    responses are not pooled: one is within the other, and they point different ways.
    """
    patients = members.cohorts[0]
    coded = patients.assign(
        best_response=(patients["best_response"] != "none").astype(int),
        crs_grade3=(patients["crs_grade"] >= 3).astype(int),
    )
    harmful = [name for name in MODELLED.values() if name not in GOOD]
    rows = []
    for names, bad in (*(((name,), False) for name in GOOD), (tuple(harmful), True)):
        outcomes = Outcomes.from_frame(coded, names, harmful=bad, covariates=[TREATMENT])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CohortWarning)
            fit = respond(
                outcomes, TREATMENT, priors=NO_PATIENT_EFFECT, sampling=SHORT, seed=seed,
                progress=share,
            )  # fmt: skip
        contrasts = risk_contrasts(compare_risks(fit, TREATMENT))
        labels = {column: label for label, column in MODELLED.items()}
        for column, own in contrasts.groupby("outcome", sort=False):
            found = own.set_index("quantity")
            row: dict[str, Any] = {"outcome": labels[str(column)]}
            for name in ("risk_difference", "odds_ratio"):
                put = name.replace("risk_", "")
                numbers = found.loc[name, ["estimate", "lower", "upper"]]
                ends = (f"posterior_{put}", f"posterior_{put}_lower", f"posterior_{put}_upper")
                row |= dict(zip(ends, numbers, strict=True))
            rows.append(row | {"prob_worse": found["prob_worse"].iloc[0]})
    return pd.DataFrame(rows)


def _copies(published: Published) -> Iterator[dict[str, Any]]:
    """CAR copies, of which only P values are printed."""
    for item in published.p_values:
        if "copies" in f"{item.outcome} {item.factor}":
            yield {
                "outcome": item.name,
                "kind": NOT_COUNTED,
                "printed_p": item.p,
                "remark": "as published only: no patient's copies are printed",
            }
