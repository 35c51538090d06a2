"""Time zero and selection in every member, pooled: landmark, entry, early deaths put back."""

from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.cohort import Cohort
from bayesurv.estimands.selection import SelectionCurve, pooled_selection, selection_curve
from bayesurv.estimands.summary import CI_PROB
from bayesurv.estimands.time_zero import TimeZero, analyses
from bayesurv.frequentist.guaranteed_time import detector_table, first_exits
from bayesurv.frequentist.observations import Observations
from bayesurv.models.mixture import NormalMixture
from bayesurv.report.reproduce_input import PRIMARY, TREATMENT, Members
from bayesurv.report.reproduce_pooling import REACH, middle_and_limits, rubin

FORMULA = "cti2 + stage + bulky + hsct_bridging + cti1_response"  # the paper's model of OS
AT = 3.0  # months: the shortest follow-up printed of the patients without CTI2
REPLICATES = 20
POSTERIOR = ("posterior_median", "posterior_lower", "posterior_upper")


def time_zero_members(members: Members, seed: int) -> dict[str, pd.DataFrame]:
    """Tables time_zero, detector and selection of overall survival.

    time_zero: analysis, hazard_ratio (geometric mean over members) and the columns of
    `reproduce_pooling.rubin`, posterior_median, posterior_lower, posterior_upper (mixture of the
    members' posteriors, each taken as normal), prob_benefit (mean over members; the adjusted have
    none), range of it and of P, patients and events (range over members), members, and how many of
    them have no finite estimate.

    detector: each arm's first exit, how probable it is that nobody had the event before, and the
    share of members in which that is improbable.

    selection: as `estimands.selection.pooled_selection`, with within_sd, between_sd and
    share_between.
    """
    asked = TimeZero(landmark=AT, enter_at=AT, seed=seed)
    rows: list[dict[str, Any]] = []
    exits, curves = [], []
    for label, cohort in members.ensembles[PRIMARY].cohorts():
        found = list(analyses(cohort, _observed, TREATMENT, asked))
        rows += [{"member": label, **row} for row, _ in found]
        given = found[0][1]
        exits.append(detector_table(first_exits(given, TREATMENT)))
        curves.append(_selection(cohort, asked))
    return {
        "time_zero": _pooled_rows(pd.DataFrame(rows)),
        "detector": _detector(pd.concat(exits)),
        "selection": _with_spread(pooled_selection(curves), len(curves)),
    }


def _observed(cohort: Cohort) -> Observations:
    return Observations.of(cohort, FORMULA)


def _selection(cohort: Cohort, asked: TimeZero) -> SelectionCurve:
    return selection_curve(
        cohort.time,
        cohort.event,
        cohort.covariates[TREATMENT].to_numpy(),
        most=asked.most_added,
        replicates=REPLICATES,
        prior=asked.prior,
        seed=asked.seed,
    )


def _pooled_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Each analysis over the members; those without a finite estimate are left out, and counted."""
    found = []
    for analysis, own in rows.groupby("analysis", sort=False):
        known = own[np.isfinite(own["hazard_ratio"])]
        log, upper = (np.log(known[name].to_numpy()) for name in ("hazard_ratio", "upper"))
        chance = known["prob_benefit"]
        found.append(
            {
                "analysis": analysis,
                **rubin(log, (upper - log) / REACH),
                **_posterior(known),
                "prob_benefit": chance.mean(),
                "prob_low": chance.min(),
                "prob_high": chance.max(),
                "p_low": known["p"].min(),
                "p_median": known["p"].median(),
                "p_high": known["p"].max(),
                "patients": _span(own["patients"]),
                "events": _span(own["events"]),
                "members": len(known),
                "not_finite": len(own) - len(known),
                "ci_prob": CI_PROB,
            }
        )
    return pd.DataFrame(found)


def _posterior(rows: pd.DataFrame) -> dict[str, float]:
    """Quantiles of the mixture of the members' posteriors; NaN where there are none."""
    if rows[POSTERIOR[0]].isna().any():
        return dict.fromkeys(POSTERIOR, np.nan)
    middle, lower, upper = (np.log(rows[name].to_numpy()) for name in POSTERIOR)
    pooled = NormalMixture.of(1 / len(rows), middle, (upper - lower) / (2 * REACH))
    return dict(zip(POSTERIOR, map(float, middle_and_limits(pooled)), strict=True))


def _span(counts: pd.Series) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low}" if low == high else f"{low}-{high}"


def _detector(rows: pd.DataFrame) -> pd.DataFrame:
    """Ranges over the members of what `detector_table` says of each arm."""
    found = []
    for arm, own in rows.groupby("arm", sort=False):
        row: dict[str, Any] = {"arm": arm, "patients": int(own["patients"].iloc[0])}
        for name in ("first_exit", "hazard_after", "prob_no_event_before"):
            row |= {f"{name}_low": own[name].min(), f"{name}_high": own[name].max()}
        found.append(row | {"improbable": own["improbable"].mean(), "members": len(own)})
    return pd.DataFrame(found)


def _with_spread(table: pd.DataFrame, members: int) -> pd.DataFrame:
    """A pooled table with within_sd, between_sd and share_between of the log hazard ratio.

    They follow from its interval and Monte-Carlo error, see `pooled_selection`.
    """
    log, upper = np.log(table["hazard_ratio"]), np.log(table["upper"])
    between = (table["hazard_ratio_mcse"] / table["hazard_ratio"]) ** 2 * members
    total = ((upper - log) / REACH) ** 2
    added = between * (1 + 1 / members)
    return table.assign(
        within_sd=np.sqrt(total - added),
        between_sd=np.sqrt(added),
        share_between=added / total,
    )
