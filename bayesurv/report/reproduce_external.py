"""Overall survival under other priors: of several widths, and with what another cohort found."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.published.external import named_evidence
from bayesurv.estimands.borrowing import CONFLICT_TAIL, VAGUE, WEIGHT, borrow
from bayesurv.estimands.partial_posterior import partial_posterior
from bayesurv.estimands.summary import CI_PROB
from bayesurv.frequentist.members import (
    MULTIVARIABLE,
    UNIVARIABLE,
    Analysis,
    member_results,
    printed_models,
)
from bayesurv.frequentist.partial_likelihood import two_arms
from bayesurv.models.distributions import Normal
from bayesurv.models.evidence import log_hazard_ratio, read_ratio, treatment_prior
from bayesurv.models.mixture import NormalMixture
from bayesurv.report.reproduce_input import PRIMARY, TREATMENT, Members
from bayesurv.report.reproduce_pooling import REACH, middle_and_limits, mixture

EVIDENCE = "xue_2024_os"
PUBLISHED = "1.665 (0.883-3.141)"
PRIOR_SDS = (0.35, 0.5, 0.75, 1.0, 2.5)
USEFUL = 0.8
UNADJUSTED, ADJUSTED = "unadjusted", "adjusted"

type Estimates = dict[str, tuple[np.ndarray, np.ndarray]]


def log_ratios(members: Members) -> Estimates:
    """Cox's log hazard ratio of CTI2 for death and its standard error, each (member,), by model.

    Unadjusted, and adjusted as in the paper's multivariable analysis.
    """
    adjusted = printed_models(members.summary)[PRIMARY]
    found: Estimates = {}
    for name, kind, terms in (
        (UNADJUSTED, UNIVARIABLE, (TREATMENT,)),
        (ADJUSTED, MULTIVARIABLE, adjusted),
    ):
        asked = [Analysis(PRIMARY, kind, terms)]
        results = member_results(members.summary, members.cohorts, asked)
        own = results[results["term"] == TREATMENT]
        log, upper = (np.log(own[name].to_numpy()) for name in ("hazard_ratio", "upper"))
        found[name] = log, (upper - log) / REACH
    return found


def external_table(members: Members, ratios: Estimates) -> pd.DataFrame:
    """What a robust prior with the nearest external comparison makes of the answer.

    Columns: estimate (what the row is of: the members unadjusted and adjusted, or the published
    one), hazard_ratio, evidence, evidence_hazard_ratio, evidence_lower, evidence_upper,
    prior_weight, z_low and z_high (distance of estimate and evidence in prior predictive standard
    deviations), posterior_weight_low and posterior_weight_high, in_conflict (share of members),
    borrowing with its lower and upper, without, pooled (the evidence at full weight) and
    events_borrowed (medians over members), members.
    """
    [evidence] = named_evidence([EVIDENCE])
    published = log_hazard_ratio(read_ratio(PUBLISHED))
    estimates = {f"members, {name}": pair for name, pair in ratios.items()}
    estimates["as published, adjusted"] = np.array([published.mu]), np.array([published.sigma])
    treated, others = members.summary.patients
    about = {
        "evidence": evidence.source,
        "evidence_hazard_ratio": evidence.estimate,
        "evidence_lower": evidence.lower,
        "evidence_upper": evidence.upper,
        "prior_weight": WEIGHT,
    }
    rows = []
    for name, (estimate, error) in estimates.items():
        found = borrow(
            estimate,
            error,
            treatment_prior(evidence),
            WEIGHT,
            VAGUE,
            allocation=treated / (treated + others),
        )
        z, tail = (each[..., 0] for each in found.conflict)
        weight = found.weights()[..., 0]
        medians = {
            "hazard_ratio": np.exp(estimate),
            "borrowing": found.borrowing.hazard_ratio,
            "borrowing_lower": found.borrowing.lower,
            "borrowing_upper": found.borrowing.upper,
            "without": found.without.hazard_ratio,
            "pooled": found.pooled.hazard_ratio,
            "events_borrowed": found.events_borrowed,
        }
        row: dict[str, Any] = {"estimate": name, **about}
        row |= {column: float(np.median(values)) for column, values in medians.items()}
        row |= {"z_low": z.min(), "z_high": z.max()}
        row |= {"posterior_weight_low": weight.min(), "posterior_weight_high": weight.max()}
        in_conflict = float((tail < CONFLICT_TAIL).mean())
        rows.append(row | {"in_conflict": in_conflict, "members": len(estimate)})
    return pd.DataFrame(rows)


def prior_table(members: Members, ratios: Estimates) -> pd.DataFrame:
    """The hazard ratio of CTI2 for death under normal priors of several widths, members pooled.

    Columns: model (unadjusted: partial likelihood times prior; adjusted: the normal approximation
    of Cox's estimate times prior), prior_sd, hazard_ratio, lower, upper, prob_benefit (below 1),
    prob_harm (above 1), prob_useful (below 0.8), ci_prob, members.
    """
    rows = [*_unadjusted(members), *_adjusted(*ratios[ADJUSTED])]
    return pd.DataFrame(rows).assign(ci_prob=CI_PROB, members=members.count)


def _unadjusted(members: Members) -> Iterator[dict[str, Any]]:
    likelihoods = [
        two_arms(cohort.time, cohort.event, cohort.covariates[TREATMENT].to_numpy())
        for _, cohort in members.ensembles[PRIMARY].cohorts()
    ]
    for sd in PRIOR_SDS:
        pooled = mixture([partial_posterior(each, Normal(0, sd)) for each in likelihoods])
        below = [float(pooled.probability_below(ratio)) for ratio in (1.0, USEFUL)]
        yield _row(UNADJUSTED, sd, middle_and_limits(pooled), below)


def _adjusted(estimate: np.ndarray, error: np.ndarray) -> Iterator[dict[str, Any]]:
    for sd in PRIOR_SDS:
        precision = error**-2.0 + sd**-2.0
        means, share = estimate * error**-2.0 / precision, 1 / len(estimate)
        pooled = NormalMixture.of(share, means, precision**-0.5)
        below = [float(pooled.cdf(np.log(ratio))) for ratio in (1.0, USEFUL)]
        yield _row(ADJUSTED, sd, middle_and_limits(pooled), below)


def _row(model: str, sd: float, ratios: list[np.ndarray], below: list[float]) -> dict[str, Any]:
    numbers = dict(zip(("hazard_ratio", "lower", "upper"), map(float, ratios), strict=True))
    chances = {"prob_benefit": below[0], "prob_harm": 1 - below[0], "prob_useful": below[1]}
    return {"model": model, "prior_sd": sd, **numbers, **chances}
