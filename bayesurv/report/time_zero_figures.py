"""Figures of `bayesurv time-zero`: the selection analysis, and survival from the landmark."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bayesurv.estimands.summary import CI_PROB
from bayesurv.estimands.time_zero import Row, TimeZero
from bayesurv.frequentist.observations import Observations
from bayesurv.plots.style import p_value
from bayesurv.report.benefit_words import survival_name
from bayesurv.report.origin import UNNAMED
from bayesurv.report.time_zero_words import arms_between

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayesurv.report.time_zero import Found


def figures(found: "Mapping[str, Found]", asked: TimeZero, treatment: str) -> "dict[str, Axes]":
    """By the stem of the file; the endpoint is part of it where there are several."""
    from bayesurv.plots.selection import plot_selection

    drawn = {}
    for endpoint, each in found.items():
        stem = "" if len(found) == 1 else f"_{endpoint}"
        name = None if endpoint == UNNAMED else endpoint
        if each.selection is not None:
            given = next(iter(each.observed.values()))
            arm, between = arms_between(each.selection, given, treatment)
            drawn[f"selection{stem}"] = plot_selection(
                each.selection.table(),
                arm=arm,
                between=between,
                prior=str(asked.prior),
                label=(name or "").upper(),
            )
        for row in each.rows:
            if row["analysis"].startswith("landmark") and "prob_benefit" in row:  # not adjusted
                observed = each.observed[row["analysis"]]
                figure = _landmark(row, observed, asked, treatment, name)
                drawn[f"kaplan_meier_landmark{stem}"] = figure
    return drawn


def _landmark(
    row: Row, observed: Observations, asked: TimeZero, treatment: str, endpoint: str | None
) -> "Axes":
    """Kaplan-Meier curves of the arms as they were at the landmark."""
    from bayesurv.plots.kaplan_meier import plot_kaplan_meier

    arms = observed.arms(treatment)
    return plot_kaplan_meier(
        {name: observed.kaplan_meier(rows, CI_PROB) for name, rows in arms.items()},
        unit=observed.cohort.unit,
        label=survival_name(endpoint).capitalize(),
        origin=f"the landmark at {asked.landmark:g}",
        caption=f"Log-rank test: P {p_value(row['p'])}",
    )
