"""What a planned study could show, in plain words."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.faults import listed
from bayesurv.planning.batches import Simulation
from bayesurv.planning.characteristics import ASSURANCE, FINAL, TYPE_I
from bayesurv.planning.contradictions import PRIOR, PROPORTIONAL
from bayesurv.planning.design import StudyDesign, number_treated, share_treated
from bayesurv.planning.keys import DesignKeys
from bayesurv.planning.prediction import NOW, PREDICTIVE
from bayesurv.planning.scenarios import scenarios
from bayesurv.plots.operating import scenario_names
from bayesurv.plots.style import duration, number
from bayesurv.report.simulate_figures import benefit_name, success_rows

OPERATING, SIZES, RUNNING_TABLE = "operating_characteristics", "sample_size", "predictive"


def planned_text(
    design: StudyDesign, simulation: Simulation, tables: Mapping[str, pd.DataFrame]
) -> str:
    """The answer, a line for each of its parts."""
    lines: list[str] = []
    if OPERATING in tables:
        lines += _planned(design, tables[OPERATING], tables[SIZES])
    if RUNNING_TABLE in tables:
        lines += _running(design, tables[RUNNING_TABLE])
    return "\n".join(lines)


def _planned(design: StudyDesign, table: pd.DataFrame, sizes: pd.DataFrame) -> Iterator[str]:
    keys, _ = design.study()
    decision, threshold = design.decision, design.decision.threshold[0]
    yield _conduct(keys, design.simulation.replicates)
    rule = f"Success is {benefit_name(decision.margin)} of at least {threshold:g}"
    stops = decision.efficacy is not None
    looks = ", or a stop for success at a look before it" if stops else ""
    yield f"{rule} at the final analysis{looks}."
    success = success_rows(table, threshold)
    for patients in keys.patients:
        yield _size(keys, patients, success[success["patients"] == patients], table)
    asked = sizes[(sizes["threshold"] == threshold) & sizes["look"].isin(success["look"])]
    for row in asked.itertuples():
        yield _needed(row)


def _conduct(keys: DesignKeys, replicates: int) -> str:
    """How the study is run."""
    unit = keys.unit
    if keys.accrual_rate is not None:
        enter = f"enter at a rate of {keys.accrual_rate:g} per {unit.removesuffix('s')}"
    elif keys.accrual:
        enter = f"enter evenly over {duration(keys.accrual, unit)}"
    else:
        enter = "enter at the same time"
    ends = []
    if keys.follow_up is not None:
        ends.append(f"until {duration(keys.follow_up, unit)} after the last one")
    if keys.follow_up_each is not None:
        ends.append(f"for at most {duration(keys.follow_up_each, unit)}")
    lost = ""
    if keys.dropout_yearly:
        lost = f"; {100 * keys.dropout_yearly:g}% a year drop out"
    elif keys.dropout_hazard:
        lost = f"; they drop out at {keys.dropout_hazard:g} per {unit.removesuffix('s')}"
    followed = " and ".join(ends)
    return (
        f"{replicates:,} studies were simulated for each number of patients and each truth. "
        f"Patients {enter} and are followed {followed}{lost}."
    )


def _size(keys: DesignKeys, patients: int, rows: pd.DataFrame, table: pd.DataFrame) -> str:
    """What one number of patients could show."""
    treated = number_treated(keys, patients)
    arms = f"{treated} with {keys.treatment}, {patients - treated} without"
    if keys.allocation == "random":
        arms = f"each with {keys.treatment} with probability {share_treated(keys):.2g}"
    events = table[(table["quantity"] == "mean events") & (table["look"] == FINAL)]
    null = events[(events["patients"] == patients) & (events["hazard_ratio"] == 1)]
    said = f"With {patients} patients ({arms}), {null['estimate'].iloc[0]:.0f} events are "
    said += "expected where the treatment makes no difference. "
    return said + " ".join(_chances(rows))


def _chances(rows: pd.DataFrame) -> Iterator[str]:
    proportional = rows[rows["scenario"] == PROPORTIONAL]
    power = proportional[proportional["quantity"] != TYPE_I]
    if len(power):
        parts = [f"{_share(row)} at {row.hazard_ratio:g}" for row in power.itertuples()]
        yield f"By true hazard ratio, the study would succeed in {', '.join(parts)}."
    for row in proportional[proportional["quantity"] == TYPE_I].itertuples():
        ratio = f"a true hazard ratio of {row.hazard_ratio:g}"
        yield f"At {ratio} it would succeed wrongly in {_share(row)}."
    for row in rows[rows["quantity"] == ASSURANCE].itertuples():
        yield f"Averaged over the design prior, it would succeed in {_share(row)} (assurance)."
    others = rows[~rows["scenario"].isin([PROPORTIONAL, PRIOR])]
    for row in others.itertuples():
        yield f'Under "{row.scenario}" it would succeed in {_share(row)}.'


def _share(row: Any) -> str:
    """A probability of success with its Monte Carlo interval, in per cent."""
    return f"{_percent(row.estimate)} ({_percent(row.lower)} to {_percent(row.upper)})"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}%" if value < 0.1 else f"{100 * value:.0f}%"


def _needed(row: Any) -> str:
    """Patients needed under one truth."""
    truth = f"a true hazard ratio of {row.hazard_ratio:g}"
    if row.scenario != PROPORTIONAL:
        truth = f'"{row.scenario}"' if row.scenario != PRIOR else "the design prior"
    said = f"Success in {100 * row.target:g}% under {truth}: "
    if pd.isna(row.patients):
        return f"{said}{row.remark}."
    needed = f"{said}{row.patients:.0f} patients ({row.lower:.0f} to {row.upper:.0f})"
    return f"{needed}{f'; {row.remark}' if row.remark else ''}."


def _running(design: StudyDesign, table: pd.DataFrame) -> Iterator[str]:
    at = table.set_index(["at", "quantity"])["estimate"]
    name = benefit_name(design.decision.margin)
    yield (
        f"The running study has {at[NOW, 'patients']:.0f} patients, {at[NOW, 'events']:.0f} events "
        f"and {at[NOW, 'still followed']:.0f} patients still followed; {name} is now "
        f"{at[NOW, 'P(benefit)']:.2f}."
    )
    for row in table[table["quantity"] == PREDICTIVE].itertuples():
        yield (
            f"At the final analysis {name} will be at least {row.threshold:g} with a predictive "
            f"probability of {_share(row)}."
        )


def planned_notes(
    design: StudyDesign, simulation: Simulation, tables: Mapping[str, pd.DataFrame]
) -> tuple[str, ...]:
    """What a reader must know of the numbers."""
    notes = ["Intervals in brackets are 95% intervals of the Monte Carlo error alone."]
    if OPERATING in tables:
        notes += _truth_notes(design, simulation)
        notes.append(_computed(tables[OPERATING]))
    if design.running is not None:
        notes += _running_notes(design)
    return tuple(notes)


def _truth_notes(design: StudyDesign, simulation: Simulation) -> Iterator[str]:
    _, truth = design.study()
    baseline = simulation.baseline
    median = f"{number(baseline.median())} {design.study()[0].unit}" if baseline else ""
    who = "a control patient" + (" with none of the covariates" if truth.covariates else "")
    if truth.baseline.fit is not None:
        yield (
            f"Each study draws its baseline from the posterior of a saved fit (median survival of "
            f"{who} {median}, the median over draws): its uncertainty is in every number."
        )
    else:
        yield f"The median survival of {who} is {median}."
    model = simulation.model().specification
    if model.level is not None and model.priors.median_survival is None:
        yield "Each analysis has its reference median survival within a factor of 20 of that one."
    yield from _survival(design, simulation)
    if truth.non_proportional:
        yield (
            f"Under {listed(truth.non_proportional)} the hazard ratio changes with time, so that "
            "the estimated one has no single true value; its bias and coverage are left empty."
        )


def _survival(design: StudyDesign, simulation: Simulation) -> Iterator[str]:
    """What the hazard ratios mean for survival up to the horizon."""
    keys, _ = design.study()
    baseline = simulation.baseline
    if keys.horizon is None or baseline is None:
        return
    hazard = baseline.cumulative_hazard(np.full(baseline.draws, keys.horizon))
    shares = {
        s.hazard_ratio: np.exp(-s.ratios[0] * hazard).mean()
        for s in scenarios(design)
        if not np.isnan(s.hazard_ratio)
    }
    parts = [f"{_percent(share)} at {ratio:g}" for ratio, share in shares.items()]
    yield (
        "The share of patients without covariates who have had no event at "
        f"{duration(keys.horizon, keys.unit)} is, by true hazard ratio, {', '.join(parts)}."
    )


def _computed(table: pd.DataFrame) -> str:
    """How the posteriors were computed."""
    at = table[table["look"] == FINAL].groupby("quantity")
    good = at.get_group("share with k-hat below 0.7")["estimate"].mean()
    nuts = at.get_group("share sampled by NUTS")["estimate"].mean()
    failed = at.get_group("share that failed the sampler's checks")["estimate"].mean()
    said = "The posterior of each study is a Laplace approximation with importance weights; k-hat "
    said += f"was below 0.7 in {100 * good:.2f}%, and {100 * nuts:.2f}% were sampled by NUTS"
    return said + (f", of which {failed / nuts:.0%} failed its checks." if failed else ".")


def _running_notes(design: StudyDesign) -> Iterator[str]:
    keys = design.running
    if keys is not None and keys.under_observation is None:
        yield "Every censored patient of the running study is taken to be still followed."


def shown_table(design: StudyDesign, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The probability of success of each truth and size, as it is printed."""
    if OPERATING in tables:
        rows = success_rows(tables[OPERATING], design.decision.threshold[0])
        named = {"truth": scenario_names(rows), "patients": rows["patients"]}
    else:
        table = tables[RUNNING_TABLE]
        rows = table[table["quantity"] == PREDICTIVE]
        named = {"threshold": rows["threshold"]}
    return pd.DataFrame(
        {
            **named,
            "quantity": rows["quantity"],
            "probability": rows["estimate"].map("{:.3f}".format),
            "Monte Carlo error": rows["mcse"].map("{:.3f}".format),
        }
    )
