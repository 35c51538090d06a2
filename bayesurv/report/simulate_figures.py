"""Figures of a planned study, chosen from what was simulated."""

from typing import TYPE_CHECKING

import pandas as pd

from bayesurv.planning.characteristics import CHANCES, FINAL, OVERALL
from bayesurv.planning.contradictions import PROPORTIONAL
from bayesurv.planning.design import StudyDesign
from bayesurv.plots.operating import (
    plot_probability,
    plot_success_by_patients,
    plot_success_by_ratio,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def success_rows(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Probabilities of success at one threshold: with the looks where there are any."""
    rows = table[table["quantity"].isin(CHANCES) & (table["threshold"] == threshold)]
    look = OVERALL if (rows["look"] == OVERALL).any() else FINAL
    return rows[rows["look"] == look]


def benefit_name(margin: float) -> str:
    """The posterior probability that is decided by."""
    return f"P(HR < {margin:g})"


def operating_figures(
    table: pd.DataFrame, studies: pd.DataFrame, design: StudyDesign
) -> "dict[str, Axes]":
    """Success over patients and over the hazard ratio, and the probability of benefit, by stem."""
    decision = design.decision
    rows = success_rows(table, decision.threshold[0])
    figures = {}
    if rows["patients"].nunique() > 1:
        figures["success_by_patients"] = plot_success_by_patients(rows, decision.target)
    proportional = rows[rows["scenario"] == PROPORTIONAL]
    if len(proportional["hazard_ratio"].unique()) > 1:
        figures["success_by_hazard_ratio"] = plot_success_by_ratio(
            proportional, decision.target, decision.margin
        )
    final = studies[studies["look"] == FINAL]
    name = benefit_name(decision.margin)
    figures["probability_of_benefit"] = plot_probability(final, decision.threshold, name)
    return figures
