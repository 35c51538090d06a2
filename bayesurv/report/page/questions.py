"""The thirteen questions of a reviewer, of a cohort that was given."""

from collections.abc import Iterator

import pandas as pd

from bayesurv.data.faults import listed
from bayesurv.plots.influence import plot_influence
from bayesurv.plots.style import duration, number, probability
from bayesurv.report.page.analyses import Analyses
from bayesurv.report.page.blocks import (
    ANSWERED,
    PARTLY,
    Section,
    drawn,
    plain_table,
)
from bayesurv.report.page.folder import Results
from bayesurv.report.page.questions_design import (
    Answered,
    ascertainment,
    competing_causes,
    confounders,
    control_arm,
    early_exits,
    estimand,
    missing,
    positivity,
)

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

NO_COMPARISON = "No treatment of two arms was named, or its draws failed the sampler's checks."


def questions(results: Results, analyses: Analyses | None) -> tuple[Section, ...]:
    """A section for each question: answered, in part, or not answerable from these data."""
    answers: tuple[Answered, ...] = (
        estimand(results),
        positivity(results),
        missing("The data hold those who were analysed. How many were screened, excluded or died "
                 "before they could be treated has to come from the screening log."),
        early_exits(results),
        confounders(results, analyses),
        control_arm(results),
        ascertainment(results),
        competing_causes(results),
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


def _prior(analyses: Analyses | None) -> Answered:
    below = "Prior and posterior of each quantity are drawn under Priors, below."
    if analyses is None:
        return PARTLY, (below,)
    return ANSWERED, (analyses.sensitivity.sentence, below)


def _assumptions(results: Results, analyses: Analyses | None) -> Answered:
    if analyses is None:
        return missing(NO_COMPARISON)
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
        return missing(NO_COMPARISON)
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
