"""Answer to `bayesurv classical`: the classical analysis of every endpoint of a plan, by itself."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.frequentist.competing_risks import CumulativeIncidence, aalen_johansen
from bayesurv.frequentist.guaranteed_time import guaranteed_time
from bayesurv.frequentist.observations import Observations, event_causes
from bayesurv.frequentist.screening import AVOID, Screening, screen
from bayesurv.plan import Plan
from bayesurv.plots.style import limits, number, p_value
from bayesurv.report.answer import Answer
from bayesurv.report.benefit_words import survival_name
from bayesurv.report.classical import classical_table, observations, regular_cox
from bayesurv.report.folder import staged
from bayesurv.report.origin import write_provenance
from bayesurv.report.rehearse import rehearse

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = ("cox", "cox-firth", "kaplan-meier", "log-rank", "gray")


def run_classical(plan: Plan, out: Path, threshold: float, resamples: int, seed: int) -> Answer:
    """Write tables, figures and sentences of the classical analysis under `out`.

    `threshold` and `resamples` are those of `screen`.

    Raises
    ------
    InputError
        Cohort, formula, treatment, horizon or output folder cannot be used; lists every fault.
    """
    if not 0 < threshold < 1:
        message = f"--threshold: {threshold:g} is not above 0 and below 1; the custom is 0.10"
        raise InputError([Fault(message, value=threshold)])
    with staged(out) as staging:
        cohorts = plan.cohorts()
        rehearse(plan, cohorts)
        observed = {name: observations(plan, cohort) for name, cohort in cohorts.items()}
        found = classical_table(plan, observed)
        screened = {
            name: _screened(each, plan.estimand.treatment, threshold, resamples, seed)
            for name, each in observed.items()
            if each.terms
        }
        answer = Answer(
            sentence="\n".join(_sentences(plan, observed, found)),
            shown=_shown(found),
            tables={"classical": found, **_screening_tables(screened)},
            figures=_figures(plan, observed, found),
            notes=(*_cohort_notes(plan, observed), *_screening_notes(screened)),
        )
        answer.write(staging, "classical")
        (staging / "plan.toml").write_text(plan.to_toml(), encoding="utf-8")
        data = {name: {"sha256": cohort.digest()} for name, cohort in cohorts.items()}
        write_provenance(staging, seed=seed, data=data)
    return answer


def _screened(
    observed: Observations, treatment: str | None, threshold: float, resamples: int, seed: int
) -> Screening:
    """The rule of univariable P, over what the formula names."""
    variables = {
        name: observed.covariates[:, [observed.terms.index(term) for term in terms]]
        for name, terms in observed.components().items()
    }
    one = treatment in variables and variables[treatment].shape[1] == 1
    return screen(
        observed.time,
        observed.cohort.event,
        variables,
        entry=observed.cohort.entry,
        patient=observed.cohort.patient,
        treatment=treatment if one else None,
        threshold=threshold,
        resamples=resamples,
        seed=seed,
    )


def _screening_tables(screened: dict[str, Screening]) -> dict[str, pd.DataFrame]:
    if not screened:
        return {}
    tables = {
        "screening": {name: each.variables for name, each in screened.items()},
        "screening_sets": {name: each.sets for name, each in screened.items()},
    }
    return {
        stem: pd.concat(parts, names=["endpoint"]).reset_index("endpoint")
        for stem, parts in tables.items()
    }


def _cohort_notes(plan: Plan, observed: dict[str, Observations]) -> Iterator[str]:
    """Who was left out and where the clock starts, once; and arms that nobody leaves early."""
    yield from dict.fromkeys(note for each in observed.values() for note in each.cohort.notes)
    for endpoint, each in observed.items():
        for warning in guaranteed_time(each, plan.estimand.treatment):
            yield f"{endpoint}: {warning}"


def _screening_notes(screened: dict[str, Screening]) -> Iterator[str]:
    for endpoint, each in screened.items():
        yield f"{endpoint}: {each.found()}"
    if screened:
        yield AVOID


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of most use on a screen, as text."""
    kept = table[table["method"].isin(SHOWN)]
    ends = zip(kept["lower"], kept["upper"], strict=True)
    causes = kept["quantity"].where(kept["method"] == "gray", "").str.rpartition(" of ")[2]
    return pd.DataFrame(
        {
            "endpoint": kept["endpoint"],
            "term": kept["term"],
            "method": (kept["method"] + " " + causes).str.strip(),
            "estimate": kept["estimate"].map(_or_empty),
            "95% CI": [_limits(low, high) for low, high in ends],
            "P": kept["p"].map(lambda p: "" if pd.isna(p) else p_value(p)),
        }
    )


def _or_empty(value: float) -> str:
    return "" if pd.isna(value) else number(value)


def _limits(lower: float, upper: float) -> str:
    if pd.isna(lower) and pd.isna(upper):
        return ""
    return " to ".join("?" if pd.isna(end) else number(end) for end in (lower, upper))


def _sentences(plan: Plan, observed: dict[str, Observations], table: pd.DataFrame) -> Iterator[str]:
    """Of each endpoint patients, events, what separates, and what is known of the treatment."""
    treatment = plan.estimand.treatment
    for endpoint, each in observed.items():
        cohort = each.cohort
        said = [
            f"{survival_name(endpoint).capitalize()}: {cohort.n_patients} patients, "
            f"{cohort.n_events} events.",
            *regular_cox(each)[1],
        ]
        of = (table["endpoint"] == endpoint) & (table["term"] == treatment)
        known = table[of & table[["estimate", "p"]].notna().any(axis=1)]
        rows = {row.method: row for row in known[::-1].itertuples()}
        if "e-value" in rows:
            beside = "beside the other terms" if len(each.terms) > 1 else "alone"
            said.append(_ratio(rows.get("cox", rows.get("cox-firth")), rows["e-value"], beside))
        if "log-rank" in rows:
            said.append(f"Log-rank test of {treatment}: P {p_value(rows['log-rank'].p)}.")
        yield " ".join(said)


def _ratio(row: Any, strength: Any, beside: str) -> str:
    """Hazard ratio of the treatment, with its E-value."""
    return (
        f"Hazard ratio of {row.term} {number(row.estimate)} (95% CI "
        f"{limits(number(row.lower), number(row.upper))}, P {p_value(row.p)}; {row.method}, "
        f"{beside}); unmeasured confounding could explain it if it went with "
        f"treatment and event by risk ratios of {strength.estimate:.2f} each "
        f"(E-value; {strength.lower:.2f} for the limit nearer to 1)."
    )


# --- Figures ---


def _figures(
    plan: Plan, observed: dict[str, Observations], table: pd.DataFrame
) -> "dict[str, Axes]":
    """Kaplan-Meier curves of each endpoint, and cumulative incidence of each of its causes."""
    from bayesurv.plots.cumulative_incidence import plot_cumulative_incidence
    from bayesurv.plots.kaplan_meier import plot_kaplan_meier

    drawn = {}
    for endpoint, each in observed.items():
        unit, arms = each.cohort.unit, each.arms(plan.estimand.treatment)
        curves = {name: each.kaplan_meier(rows, 0.95) for name, rows in arms.items()}
        label, rows = survival_name(endpoint).capitalize(), table[table["endpoint"] == endpoint]
        drawn[f"kaplan_meier_{endpoint}"] = plot_kaplan_meier(
            curves, unit=unit, label=label, caption=_p(rows, "log-rank", "Log-rank test")
        )
        for cause, incidence in _incidences(each, arms, plan.endpoint[endpoint].cause).items():
            of = rows[rows["quantity"] == f"cumulative incidence of {cause}"]
            drawn[f"incidence_{endpoint}_{_file_name(cause)}"] = plot_cumulative_incidence(
                incidence,
                unit=unit,
                label=f"Cumulative incidence of {cause}",
                caption=_p(of, "gray", "Gray's test"),
            )
    return drawn


def _p(rows: pd.DataFrame, method: str, name: str) -> str:
    """The test in words; nothing where it was not done."""
    found = rows.loc[rows["method"] == method, "p"]
    return f"{name}: P {p_value(found.iloc[0])}" if len(found) else ""


def _file_name(cause: str) -> str:
    return re.sub(r"\W+", "_", cause)


def _incidences(
    observed: Observations, arms: dict[str, np.ndarray], column: str | None
) -> dict[str, dict[str, CumulativeIncidence]]:
    """By cause, its cumulative incidence in each arm that has an event of it."""
    if column is None:
        return {}
    cause, entry = event_causes(observed.cohort, column), observed.cohort.entry
    found: dict[str, dict[str, CumulativeIncidence]] = {}
    for arm, rows in arms.items():
        for name, curve in aalen_johansen(observed.time[rows], cause[rows], entry[rows]).items():
            found.setdefault(name, {})[arm] = curve
    return found
