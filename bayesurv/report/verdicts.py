"""A verdict on each statement of the founding paper, with its evidence; `MEANING` defines them."""

from collections.abc import Iterator

import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.data.published import wang_2025
from bayesurv.data.published.statements import Statement, statements
from bayesurv.data.reconstruct.summary import read_summary
from bayesurv.report import verdict_counts as counts
from bayesurv.report import verdict_members as members
from bayesurv.report import verdict_numbers as numbers
from bayesurv.report import verdict_p as p_values
from bayesurv.report import verdict_responders as responders
from bayesurv.report.answer import Answer
from bayesurv.report.verdict_material import (
    CONSISTENT,
    CONTRADICTED,
    NOT_REPRODUCIBLE,
    REPRODUCED,
    VERDICTS,
    Check,
    Material,
)

MEANING = {
    REPRODUCED: "recomputed from the printed numbers and rounding to what is printed",
    CONSISTENT: "some reconstructed cohorts that keep all the hard aggregates have it, or "
    "printed numbers that depend on each other agree",
    NOT_REPRODUCIBLE: "neither recomputed nor refuted from what is printed",
    CONTRADICTED: "it cannot hold together with other printed numbers",
}

NO_COHORT = "no cohort of this ensemble keeps all the hard aggregates of the summary cti2"

CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        p_values.p_of_counts,
        p_values.stated_test,
        p_values.two_p,
        p_values.not_significant,
        counts.patient_flow,
        counts.percentages,
        counts.share_of_deaths,
        counts.none_died,
        counts.seldom,
        counts.no_p_printed,
        counts.small_share,
        counts.refractory_by_response,
        counts.youngest,
        counts.printed_in,
        counts.relapse_times,
        counts.any_grade,
        counts.not_printed,
        numbers.none_below,
        numbers.centred,
        numbers.binary_factor,
        numbers.absence,
        numbers.same_in_both,
        numbers.median_limit,
        responders.best_responders,
        responders.breakdown,
        responders.regimen_alone,
        numbers.hazard_ratio_held,
        members.targets,
        members.score_test,
        members.entered,
        members.follow_up,
        members.guaranteed,
        members.regimens,
        members.within_arm,
        members.earlier_events,
        members.seen_at,
    )
}
"""By the name that statements.toml gives."""

MATTER = ("guaranteed", "median_limit", "binary_factor", "none_below", "absence", "best_responders")
"""Checks whose statements are told with their evidence, in this order."""


def verdicts(patients: pd.DataFrame) -> pd.DataFrame:
    """Judge every statement of the founding paper.

    Parameters
    ----------
    patients
        Cohorts reconstructed from its own summary, a column `member` telling them apart.

    Returns
    -------
    DataFrame
        One row for each statement: id, statement, where, source, verdict (a key of `MEANING`),
        printed, found, evidence (a sentence with the computed numbers), reason.

    Raises
    ------
    InputError
        No cohort keeps all the hard aggregates.
    """
    return _judged(_material(patients))


def _material(patients: pd.DataFrame) -> Material:
    members = tuple(rows.reset_index(drop=True) for _, rows in patients.groupby("member"))
    material = Material(wang_2025(), read_summary("cti2"), members)
    if not material.n:
        raise InputError([Fault(NO_COHORT)])
    return material


def _judged(material: Material) -> pd.DataFrame:
    return pd.DataFrame(_row(material, each) for each in statements())


def _row(material: Material, each: Statement) -> dict[str, str]:
    found = CHECKS[each.check](material, each.given)
    return {
        "id": each.id,
        "statement": each.statement,
        "where": "; ".join(each.where),
        "source": each.source,
        **found._asdict(),
        "reason": each.reason,
    }


def verdicts_answer(patients: pd.DataFrame) -> Answer:
    """Every verdict as a table, how many there are of each, and those that matter most."""
    material = _material(patients)
    table = _judged(material)
    kept = (
        f"Of {len(material.every)} reconstructed cohorts, {material.n} keep every hard aggregate "
        "as it is printed; only these are counted."
    )
    shown = table[["id", "statement", "verdict", "found"]]
    return Answer(sentence(table), shown, {"verdicts": table}, {}, (kept, *notes(table)))


def sentence(table: pd.DataFrame) -> str:
    """How many statements have each verdict, and what the verdicts mean."""
    count = table["verdict"].value_counts()
    said = [f"{count.get(verdict, 0)} {verdict} ({MEANING[verdict]})" for verdict in VERDICTS]
    return (
        f"Of {len(table)} statements of the paper and its conference abstract: {'; '.join(said)}."
    )


def notes(table: pd.DataFrame) -> Iterator[str]:
    """What matters most, with its evidence; what else is contradicted; what a verdict is about."""
    check = {each.id: each.check for each in statements()}
    told = [row for row in table.itertuples() if check[row.id] in MATTER]
    for row in sorted(told, key=lambda row: MATTER.index(check[row.id])):
        reason = f" {row.reason}" if row.reason else ""
        yield f"{row.id}, {row.verdict}: {row.statement}. {row.evidence}{reason}"
    others = table[(table["verdict"] == CONTRADICTED) & ~table["id"].isin(row.id for row in told)]
    said = [f"{row.id}, {row.statement} ({row.found})" for row in others.itertuples()]
    yield f"Contradicted too: {'; '.join(said) or 'nothing'}."
    yield (
        "A verdict is about what is written beside the numbers that are printed. It says nothing "
        "of what the patients' own data would show."
    )
