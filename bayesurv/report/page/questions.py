"""The thirteen questions of a reviewer, of a cohort that was given."""

from collections.abc import Iterator

import pandas as pd

from bayesurv.data.faults import listed
from bayesurv.frequentist.guaranteed_time import IMPROBABLE
from bayesurv.plots.influence import plot_influence
from bayesurv.plots.style import duration, number, probability
from bayesurv.report.benefit_words import survival_name
from bayesurv.report.page.analyses import Analyses, first_exits
from bayesurv.report.page.blocks import (
    ANSWERED,
    NOT_ANSWERABLE,
    PARTLY,
    Block,
    Section,
    drawn,
    plain_table,
)
from bayesurv.report.page.folder import Results

TITLES = (
    "Which estimand, and which time zero?",
    "Who could never have had the treatment?",
    "Where are the excluded, and those who died waiting?",
    "Does an arm lose nobody early?",
    "Which confounders are missing?",
    "Is the comparison arm one treatment?",
    "Is the endpoint ascertained alike in both arms?",
    "What of competing causes?",
    "How much is the prior?",
    "What do other assumptions change?",
    "Would one or two patients change the conclusion?",
    "How many comparisons were made?",
    "Code, seed and data",
)
RARE = 5
Answered = tuple[str, tuple[Block, ...]]


def questions(results: Results, analyses: Analyses | None) -> tuple[Section, ...]:
    """A section for each question: answered, in part, or not answerable from these data."""
    answers: tuple[Answered, ...] = (
        _estimand(results),
        _positivity(results),
        _missing("The data hold those who were analysed. How many were screened, excluded or died "
                 "before they could be treated has to come from the screening log."),
        _early(results),
        _confounders(results, analyses),
        _control(results),
        _ascertainment(results),
        _competing(results),
        _prior(analyses),
        _assumptions(results, analyses),
        _influence(analyses),
        _multiplicity(results),
        _provenance(results),
    )  # fmt: skip
    return tuple(
        Section(f"question-{i}", f"{i}. {title}", blocks, verdict)
        for i, (title, (verdict, blocks)) in enumerate(zip(TITLES, answers, strict=True), start=1)
    )


def _missing(why: str) -> Answered:
    return NOT_ANSWERABLE, (why,)


def _estimand(results: Results) -> Answered:
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


def _positivity(results: Results) -> Answered:
    if results.members:
        return _missing("Covariates that were not published differ between the cohorts.")
    table = overlap(results)
    if table is None:
        return _missing("No treatment of two arms was named, or the formula has no covariate.")
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
    from bayesurv.estimands.contrasts import baseline_covariates

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


def _early(results: Results) -> Answered:
    if results.treatment is None or results.members:
        return _missing("No treatment was named, or each cohort of the ensemble has its own.")
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


def _confounders(results: Results, analyses: Analyses | None) -> Answered:
    from bayesurv.estimands.contrasts import baseline_covariates

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


def _control(results: Results) -> Answered:
    groups = results.fit.design.group_terms
    if not groups:
        return _missing(
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


def _ascertainment(results: Results) -> Answered:
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
    return _missing(
        "Event times are taken as exact. If patients were assessed at visits, name the last visit "
        "without and the first with the event (--upper) for interval censoring."
    )


def _competing(results: Results) -> Answered:
    cause = results.plan["endpoint"][results.endpoint].get("cause")
    if not cause:
        return _missing("No column says what each event was (cause in the plan's endpoint).")
    found = results.table("classical.csv")
    said = f"Events by {cause} are in classical.csv: cumulative incidence and Gray's test."
    return (PARTLY, (said,)) if found is not None else (PARTLY, (f"Events have a cause, {cause}.",))


def _prior(analyses: Analyses | None) -> Answered:
    below = "Prior and posterior of each quantity are drawn under Priors, below."
    if analyses is None:
        return PARTLY, (below,)
    return ANSWERED, (analyses.sensitivity.sentence, below)


def _assumptions(results: Results, analyses: Analyses | None) -> Answered:
    if analyses is None:
        return _missing("No treatment of two arms was named, so that no answer can be varied.")
    figures = {
        "sensitivity": "The hazard ratio under other priors.",
        "tipping_point": "The prior at which the conclusion would be another.",
    }
    made = analyses.sensitivity
    pictures = [drawn(made.figures[stem], stem, words) for stem, words in figures.items()]
    others = "Other endpoints and baselines are in the explorer and in the tables below."
    zero = (
        "A landmark, delayed entry or another treatment start is asked for by bayesurv time-zero."
    )
    table = plain_table(made.shown, "The treatment under other priors")
    return ANSWERED, (*pictures, table, f"{others} {zero}")


def _influence(analyses: Analyses | None) -> Answered:
    if analyses is None:
        return _missing("No treatment of two arms was named.")
    table, flip = analyses.influence
    conclusion = analyses.conclusion
    ends = [
        f"{words} between {form(table[name].min())} and {form(table[name].max())} "
        f"({form(everyone)} with all)"
        for words, name, form, everyone in (
            ("P(HR < 1)", "prob_benefit", probability, conclusion.prob_benefit),
            ("the hazard ratio", "hazard_ratio", number, conclusion.hazard_ratio),
        )
    ]
    said = f"Leaving out any one of the {len(table)} patients moves {' and '.join(ends)}."
    picture = drawn(
        plot_influence(
            table,
            prob_benefit=conclusion.prob_benefit,
            hazard_ratio=conclusion.hazard_ratio,
            threshold=conclusion.threshold,
            arms=analyses.asked.arms.names,
        ),
        "influence",
        "The answer without each patient, in the order of how far it moves; nobody is named.",
    )
    return ANSWERED, (f"{said} {' '.join(_flips(flip, conclusion.word))}", picture)


def _flips(flip: pd.DataFrame, word: str) -> Iterator[str]:
    for row in flip.to_dict("records"):
        count = int(row["patients_removed"])
        who = "1 patient" if count == 1 else f"{count} patients"
        if row["flips"]:
            least = "and no fewer" if row["exact"] else "perhaps fewer"
            yield f'The conclusion "{word}" becomes "{row["direction"]}" without {who}, {least}.'
        else:
            yield f'No set of up to {who} that was tried makes it "{row["direction"]}".'


def _multiplicity(results: Results) -> Answered:
    fits = sum(len(models) for models in results.fits.values())
    classical = results.table("classical.csv")
    p = 0 if classical is None else int(classical.filter(regex="^p$|^p_value$").notna().sum().sum())
    models = "1 model" if fits == 1 else f"{fits} models"
    said = (
        f"Endpoints: {listed(results.fits)}; {models}. The headline is that of {results.place}, "
        "fixed by the order of the plan and not by the results. Posterior probabilities are not "
        "adjusted for the number of questions; the priors shrink each answer."
    )
    beside = f" The classical analysis beside them has {p} P values, none adjusted." if p else ""
    return ANSWERED, (said + beside,)


def _provenance(results: Results) -> Answered:
    made = results.provenance
    said = f"{made['command']}, seed {made.get('seed')}; plan.toml holds what was decided."
    horizon = results.horizon
    until = "" if horizon is None else f" Horizon {duration(horizon, results.fit.unit)}."
    return ANSWERED, (said + until + " Versions and the hash of the data are below.",)
