"""Checks of statements by the reconstructed cohorts that keep all the hard aggregates."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.published import rounds_to
from bayesurv.frequentist.cox import CoxFit, cox
from bayesurv.frequentist.guaranteed_time import IMPROBABLE, FirstExit, first_exit
from bayesurv.frequentist.kaplan_meier import reverse_kaplan_meier
from bayesurv.frequentist.log_rank import log_rank
from bayesurv.frequentist.quantiles import quantile
from bayesurv.frequentist.recomputed import Coding
from bayesurv.frequentist.rules import p_by_rule
from bayesurv.plots.style import number
from bayesurv.report.verdict_material import (
    NOT_REPRODUCIBLE,
    SIGNIFICANT,
    Finding,
    Material,
    consistent_if,
    fine,
    of_cohorts,
    plain,
    span,
)

Given = Mapping[str, Any]
ENTERED = 0.10


def targets(material: Material, given: Given) -> Finding:
    """Printed results that patients' data would give: in how many cohorts, and all at once."""
    quantity = given.get("quantity")
    results = pd.concat([material.of_target(name) for name in given["targets"]])
    results = results[results["quantity"] == quantity] if quantity else results
    met = results.groupby("member")["residual"].max() == 0
    told, printed, found = [], [], []
    for (name, what), rows in results.groupby(["target", "quantity"], sort=False):
        values, stated = span(rows["found"], _form(what)), rows["printed"].iloc[0]
        printed.append(stated)
        found.append(values)
        told.append(f"{name}, {what} {stated}: {(rows['residual'] == 0).sum()} ({values})")
    wanted = [name for name in given["targets"] if material.target(name).status != "unmet"]
    return Finding(
        consistent_if(int(met.sum())),
        "; ".join(printed),
        "; ".join(found),
        f"Of {material.n} reconstructed cohorts that keep the hard aggregates, {int(met.sum())} "
        f"have {'it' if len(told) == 1 else 'all of it'}. {'; '.join(told)}."
        + (" A target of the search: it shows only that this can hold with the rest."
           if wanted else ""),
    )  # fmt: skip


def _form(quantity: str) -> Any:
    return fine if quantity == "P" else number


def score_test(material: Material, given: Given) -> Finding:
    """P of a factor alone, by Wald's test of Cox's model, by the score test and by log-rank."""
    endpoint, printed = given["endpoint"], material.p_values([given["p_value"]])[0].p or ""
    wald, score = np.empty(material.n), np.empty(material.n)
    for i, cohort in enumerate(material.cohorts):
        fit = _alone(cohort, endpoint, material.summary.treatment)
        wald[i], score[i] = fit.p()[0], fit.p("score")[0]
    by_score, by_wald = (sum(rounds_to(p, printed) for p in values) for values in (score, wald))
    return Finding(
        consistent_if(int(by_score)),
        printed,
        f"score test {span(score, fine)}, Wald {span(wald, fine)}",
        f"Of {material.n} cohorts {by_score} give {printed} by the score test, which is the "
        f"log-rank test ({span(score, fine)}), and {by_wald} by Wald's test "
        f"({span(wald, fine)}), which is the usual P of a coefficient in Cox's model.",
    )


def _alone(cohort: Coding, endpoint: str, term: str) -> CoxFit:
    return cox(*cohort.times(endpoint), cohort.columns((term,)), [term], ties="breslow")


def entered(material: Material, given: Given) -> Finding:
    """A factor in a multivariable model that was not named among those significant alone."""
    endpoint, term = given["endpoint"], given["term"]
    p = material.over(lambda cohort: _alone(cohort, endpoint, term).p()[0])
    inside = int(((p > SIGNIFICANT) & (p <= ENTERED)).sum())
    return Finding(
        consistent_if(inside),
        f"above {SIGNIFICANT} and at most {ENTERED:.2f}, if the rule was kept",
        span(p),
        f"Alone it has P above {SIGNIFICANT} and at most {ENTERED:.2f} in "
        f"{of_cohorts(inside, material)} ({span(p)}). No univariable P between these is printed.",
    )


def follow_up(material: Material, given: Given) -> Finding:
    """Printed follow-up as the time observed, to death or last contact, and by reverse KM."""
    item = material.medians("follow-up")
    told, found, met = [], [], np.ones(material.n, dtype=bool)
    for arm, printed, dead in zip(
        item.groups, item.median, material.counts("deaths").counts[0], strict=True
    ):
        seen = material.over(partial(_median_time, arm=arm))
        reverse = material.over(partial(_reverse, arm=arm))
        met &= [rounds_to(value, f"{printed:.1f}") for value in seen]
        found.append(f"{arm} {span(reverse, plain)}")
        told.append(
            f"{arm}: median of all times observed, the {dead} deaths among them, "
            f"{span(seen, plain)}; reverse Kaplan-Meier, which is how long patients would have "
            f"been followed, {span(reverse, plain)}"
        )
    return Finding(
        consistent_if(int(met.sum())),
        " v ".join(f"{value:g}" for value in item.median),
        f"reverse Kaplan-Meier {'; '.join(found)} months",
        "Read as the time to death or last contact, it holds in "
        f"{of_cohorts(int(met.sum()), material)}, whose search took it so. {'; '.join(told)}. "
        "Read so, it is shorter where more die early: an outcome, not a length of follow-up.",
    )


def _median_time(cohort: Coding, arm: str) -> float:
    return float(np.median(cohort.times("os")[0][cohort.arm(arm)]))


def _reverse(cohort: Coding, arm: str) -> float:
    time, event = (values[cohort.arm(arm)] for values in cohort.times("os"))
    return quantile(reverse_kaplan_meier(time, event)).estimate


def guaranteed(material: Material, given: Given) -> Finding:
    """Whether it is probable that nobody left an arm before its first exit."""
    arm = given["arm"]
    exits = [_first(cohort, arm) for cohort in material.cohorts]
    chance = np.array([each.probability for each in exits])
    early = sum(each.improbable for each in exits)
    place = material.published.arms.index(arm)
    first = material.medians("follow-up").lower[place]
    size = material.published.patients[place]
    return Finding(
        NOT_REPRODUCIBLE,
        f"from {first:g} months",
        f"probability {span(chance)}",
        f"None of {size} with {arm} left before {first:g} months. By the arm's own hazard soon "
        f"after, that has probability {span(chance)} over {material.n} cohorts, below {IMPROBABLE}"
        f" in {early}: compatible with guaranteed time, that is, with patients who had to live "
        "that long to be counted in this arm, and then comparisons from time 0 may favour it for "
        "that reason alone. Improbable is not impossible.",
    )


def _first(cohort: Coding, arm: str) -> FirstExit:
    time, event = (values[cohort.arm(arm)] for values in cohort.times("os"))
    return first_exit(time, event)


def regimens(material: Material, given: Given) -> Finding:
    """Whether survival, and best response, differ between the regimens of one arm."""
    arm = given["arm"]
    times, responses = np.empty(material.n), np.empty(material.n)
    for i, cohort in enumerate(material.cohorts):
        rows = cohort.arm(arm)
        time, event = (values[rows] for values in cohort.times("os"))
        regimen = cohort.patients["salvage_type"][rows]
        times[i] = log_rank(time, event, regimen).p
        responses[i] = _by_fisher_or_pearson(cohort, rows, regimen)
    both = int(((times > SIGNIFICANT) & (responses > SIGNIFICANT)).sum())
    return Finding(
        consistent_if(both),
        f"P above {SIGNIFICANT}",
        f"OS {span(times)}; best response {span(responses)}",
        f"Both P are above {SIGNIFICANT} in {of_cohorts(both, material)} (OS, log-rank: "
        f"{span(times)}; best response, Pearson: {span(responses)}). Their sizes, but for that of "
        "PV+BR, are not printed and differ from cohort to cohort.",
    )


def _by_fisher_or_pearson(cohort: Coding, rows: np.ndarray, groups: pd.Series) -> float:
    responded = cohort.column("best_response=CR|PR")[rows]
    return p_by_rule(pd.crosstab(responded, groups.to_numpy()).to_numpy(), "pearson").p


def within_arm(material: Material, given: Given) -> Finding:
    """Whether response differs, within an arm, between those relapsed and those refractory."""
    p = np.empty(material.n)
    for i, cohort in enumerate(material.cohorts):
        rows = cohort.arm(given["arm"])
        responded = cohort.column("best_response=CR|PR")[rows]
        table = pd.crosstab(responded, cohort.patients["failure"][rows].to_numpy()).to_numpy()
        p[i] = p_by_rule(table, "fisher").p
    above = int((p > SIGNIFICANT).sum())
    return Finding(
        consistent_if(above),
        f"P above {SIGNIFICANT}",
        span(p),
        f"Fisher's test of best response has P above {SIGNIFICANT} in {of_cohorts(above, material)}"
        f" ({span(p)}). No count is printed.",
    )


def earlier_events(material: Material, given: Given) -> Finding:
    """Events that end EFS before PFS, which would be severe adverse effects by the definition."""
    counts = {arm: material.over(partial(_earlier, arm=arm)) for arm in material.published.arms}
    said = "; ".join(f"{arm} {span(values, plain)}" for arm, values in counts.items())
    return Finding(
        NOT_REPRODUCIBLE,
        "severe adverse effects are events of EFS",
        said,
        f"Patients whose EFS ends with an event before their PFS does, over {material.n} cohorts: "
        f"{said}. Which adverse effects are severe enough is not defined, nor what a recurrence "
        "is in patients who never responded.",
    )


def _earlier(cohort: Coding, arm: str) -> float:
    (inner, event), (outer, _) = cohort.times("efs"), cohort.times("pfs")
    return float((event & (inner < outer) & cohort.arm(arm)).sum())


def seen_at(material: Material, given: Given) -> Finding:
    """How many of an arm are still there when something is measured."""
    arm, month = given["arm"], given["month"]
    left = material.over(partial(_left, arm=arm, month=month))
    size = material.published.patients[material.published.arms.index(arm)]
    printed = material.p_values([given["p_value"]])[0].p
    return Finding(
        NOT_REPRODUCIBLE,
        f"P = {printed}",
        f"{span(left, plain)} of {size} left at {month:g} months",
        f"Only who lived to be measured can be compared: of {size}, {span(left, plain)} are still "
        f"observed at {month:g} months over {material.n} cohorts. Copies, and how many were "
        "measured, are not printed.",
    )


def _left(cohort: Coding, arm: str, month: float) -> float:
    return float((cohort.times("os")[0][cohort.arm(arm)] >= month).sum())
