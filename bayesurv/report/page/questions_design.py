"""What a reviewer asks of the design, answered as far as the data and the plan say."""

import pandas as pd

from bayesurv.data.faults import listed
from bayesurv.estimands.contrasts import baseline_covariates
from bayesurv.frequentist.guaranteed_time import IMPROBABLE
from bayesurv.plots.style import number, probability
from bayesurv.report.benefit_words import survival_name
from bayesurv.report.page.analyses import Analyses, first_exits
from bayesurv.report.page.blocks import (
    ANSWERED,
    NOT_ANSWERABLE,
    PARTLY,
    Block,
    plain_table,
)
from bayesurv.report.page.folder import Results

RARE = 5
Answered = tuple[str, tuple[Block, ...]]


def missing(why: str) -> Answered:
    """A question that these data cannot answer, and why."""
    return NOT_ANSWERABLE, (why,)


def estimand(results: Results) -> Answered:
    """Endpoint, comparison, population, summary measures, and where the clock starts."""
    columns = results.plan["endpoint"][results.endpoint]
    zero = results.plan.get("time_zero") or {}
    stated = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in zero.items())
    what = f"{survival_name(results.endpoint)} ({columns['time']}, {columns['event']})"
    arms = f"difference by {results.treatment}" if results.treatment else "no treatment is compared"
    said = (
        f"Endpoint: {what}. Comparison: {arms}. Population: the {results.fit.n_patients} patients "
        "of the cohort, whatever treatment they had later (treatment policy). Summary measures: "
        "difference of restricted mean survival and of survival, standardised over the cohort, and "
        "the hazard ratio at equal covariates."
    )
    zero_words = (
        f"Time zero as the plan states it: {stated}."
        if stated
        else "Time 0 is that of the column; which day it was the file does not say. If it is not "
        "the same day in a patient's course in both arms, the comparison is not of treatments."
    )
    return (ANSWERED if stated else PARTLY), (said, zero_words)


def positivity(results: Results) -> Answered:
    """Which levels of the covariates hardly occur in an arm."""
    if results.members:
        return missing("Covariates that were not published differ between the cohorts.")
    table = overlap(results)
    if table is None:
        return missing("No treatment of two arms was named, or the formula has no covariate.")
    thin = [row[0] for row in table.itertuples(index=False) if "fewer than" in " ".join(row)]
    said = (
        f"Levels with fewer than {RARE} patients in an arm: {listed(thin)}. There the comparison "
        "rests on the model and not on patients."
        if thin
        else f"Every level of every covariate has {RARE} patients or more in both arms."
    )
    eligible = "Who was not eligible for the treatment at all cannot be seen in the data."
    return PARTLY, (said, eligible, plain_table(table, "Patients by arm and covariate"))


def overlap(results: Results) -> pd.DataFrame | None:
    """Counts of each level by arm, small ones masked; of numbers whether the ranges overlap."""
    patients, treatment = baseline_covariates(results.fit), results.treatment
    if treatment is None or patients[treatment].nunique() != 2 or patients.shape[1] < 2:
        return None
    rows = []
    by_arm = [part for _, part in patients.groupby(treatment, observed=True)]
    names = [f"{treatment} = {part[treatment].iloc[0]}" for part in by_arm]
    for name in patients.columns.drop(treatment):
        if patients[name].nunique() > RARE and pd.api.types.is_numeric_dtype(patients[name]):
            middle = [part[name].quantile([0.25, 0.5, 0.75]) for part in by_arm]
            cells = [
                f"median {number(q[0.5])} ({number(q[0.25])}-{number(q[0.75])})" for q in middle
            ]
            rows.append((f"{name} (median, quartiles)", *cells))
            continue
        for level in sorted(patients[name].dropna().unique(), key=str):
            counts = [int((part[name] == level).sum()) for part in by_arm]
            rows.append((f"{name} = {level}", *(_masked(count) for count in counts)))
    return pd.DataFrame(rows, columns=["covariate", *names])


def _masked(count: int) -> str:
    return str(count) if count >= RARE else f"fewer than {RARE}"


def early_exits(results: Results) -> Answered:
    """When the first patient left each arm, and whether that is late."""
    if results.treatment is None or results.members:
        return missing("No treatment was named, or each cohort of the ensemble has its own.")
    unit, said, told = results.fit.unit, [], False
    for arm, found in first_exits(results.fit, results.treatment).items():
        told = told or found.improbable
        chance = probability(found.probability)
        warned = f", which is improbable (below {IMPROBABLE})" if found.improbable else ""
        said.append(
            f"{arm}: the first exit is at {found.first_exit:.1f} {unit}; at the arm's own hazard "
            f"just after, no event before it has probability {chance}{warned}."
        )
    remedy = (
        "Such an arm may be credited with time in which nobody could leave it; see bayesurv "
        "time-zero for a landmark and for early deaths put back."
    )
    return ANSWERED, (" ".join(said), *((remedy,) if told else ()))


def confounders(results: Results, analyses: Analyses | None) -> Answered:
    """What was adjusted for, and how strong what is missing would have to be."""
    held = [name for name in baseline_covariates(results.fit) if name != results.treatment]
    given = listed(held) if held else "nothing"
    said = (
        f"Adjusted for: {given}. Whatever else decides both treatment and outcome is not in the "
        "model: performance status, LDH, tumour burden at the time of the decision, the interval "
        "since the last treatment and the calendar year are usual candidates."
    )
    if analyses is None:
        return NOT_ANSWERABLE, (said,)
    found = analyses.e_value
    strength = (
        f"E-value {number(found.estimate)}, of the interval's nearer limit "
        f"{number(found.limit)}: by so large a risk ratio would an unmeasured confounder have to "
        "go with both treatment and outcome to explain the estimate, or its interval, away."
    )
    return PARTLY, (said, strength)


def control_arm(results: Results) -> Answered:
    """Whether the treatments within an arm are told apart."""
    groups = results.fit.design.group_terms
    if not groups:
        return missing(
            "The model has no group term, so that all treatments within an arm count as one. If "
            "the comparison arm is several, add (1 | type) to the formula."
        )
    table = results.table(f"{results.place}/parameters.csv")
    spread = () if table is None else (_group_spread(table),)
    return ANSWERED, (f"Partially pooled by {listed(groups)}.", *spread)


def _group_spread(table: pd.DataFrame) -> str:
    own = table[table["parameter"].str.startswith("group_sd")]
    said = [
        f"{row['parameter']} {row['q50']:.2f} (95% CrI {row['q2.5']:.2f}–{row['q97.5']:.2f})"
        for row in own.to_dict("records")
    ]
    return f"Standard deviation between groups on the log hazard: {listed(said)}."


def ascertainment(results: Results) -> Answered:
    """Whether events are found alike, as far as the columns say."""
    columns = results.plan["endpoint"][results.endpoint]
    if columns.get("upper"):
        return PARTLY, (
            f"Events are taken to lie between two visits ({columns['time']} to "
            f"{columns['upper']}), so that visits at unequal intervals do not by themselves move "
            "the hazard ratio. Whether both arms were looked at alike the data do not say.",
        )
    if results.endpoint.lower() == "os":
        return PARTLY, (
            "Death is ascertained alike however often patients are seen; whether the loss to "
            "follow-up is alike in both arms the numbers at risk and censored show.",
        )
    return missing(
        "Event times are taken as exact. If patients were assessed at visits, name the last visit "
        "without and the first with the event (--upper) for interval censoring."
    )


def competing_causes(results: Results) -> Answered:
    """Whether events have causes."""
    cause = results.plan["endpoint"][results.endpoint].get("cause")
    if not cause:
        return missing("No column says what each event was (cause in the plan's endpoint).")
    found = results.table("classical.csv")
    said = f"Events by {cause} are in classical.csv: cumulative incidence and Gray's test."
    return (PARTLY, (said,)) if found is not None else (PARTLY, (f"Events have a cause, {cause}.",))
