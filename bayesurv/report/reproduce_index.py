"""What the folder of a reproduction holds, and the hazard ratio of CTI2 in all of its analyses."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bayesurv.plots.style import limits, number, probability
from bayesurv.report.reproduce_fits import FORMULA
from bayesurv.report.reproduce_input import Members

PUT_BACK = (4, 15)
BASELINES = {"weibull": "Weibull", "piecewise-exponential": "piecewise exponential"}
ORDER = {"efs": "EFS", "pfs": "PFS", "os": "OS"}
FILES = {
    "report.html": "all of it on one page, which loads nothing: the answer, an explorer, figures, "
    "tables, a reviewer's questions, checklists, methods",
    "tables": "the tables for a paper, as HTML, LaTeX and CSV",
    "README.txt": "this list",
    "answer.txt": "the answer in sentences, as on the screen",
    "verdicts.csv, verdicts.txt": "each statement of the paper, whether it can be reproduced, and "
    "on what evidence",
    "flow.csv": "patient flow",
    "table1.csv, table2.csv": "both tables as printed, with standardised differences, and P by "
    "every rule beside the printed one",
    "classical.csv": "log-rank tests and Cox models (ties by Breslow, P by Wald, as SPSS) over "
    "the members, with the published P beside them; stage as I to IV and cut at III, with Firth",
    "responses.csv": "responses, adverse events and deaths with infection, per patient, per death "
    "and per infected; CAR copies as published only",
    "<endpoint>/<baseline>/": "the hierarchical fits pooled over the members: parameters, hazard "
    "ratios, survival by profile and by arm, benefit, diagnostics, posterior.nc, figures",
    "os/<baseline>-unadjusted/": "the same with CTI2 alone",
    "variance.csv": "of each main estimand, how much of the uncertainty is the missing data",
    "hazard_ratios.csv, .png, .svg, .pdf": "the hazard ratio of CTI2 in every analysis",
    "time_zero.csv": "overall survival as given, from a landmark and with entry at 3 months (the "
    "same comparison of hazards, with two clocks)",
    "detector.csv": "how probable it is that an arm has no death before its first exit",
    "selection.csv, .png, .svg, .pdf": "the hazard ratio when 0 to 15 early deaths "
    "are put back into the arm without CTI2",
    "external.csv": "what another cohort adds under a robust prior",
    "prior_sensitivity.csv": "overall survival under priors of several widths",
    "provenance.json": "versions, seed, command, and where the ensemble comes from",
}


def forest(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Posterior hazard ratio of CTI2 in every analysis, as `plot_forest` takes it."""
    rows: list[dict[str, Any]] = []
    for row in ratio_rows(tables):
        name = f"{ORDER[row['endpoint']]}, {row['model']}, {BASELINES[row['baseline']]}"
        rows.append(_row(name, row, "estimate", "probability_of_benefit"))
    zero = tables["time_zero"].set_index("analysis")
    landmark = next(name for name in zero.index if name.startswith("landmark"))
    rows.append(_posterior("OS, unadjusted, partial likelihood", zero.iloc[0]))
    rows.append(_posterior(f"OS, unadjusted, {landmark}", zero.loc[landmark]))
    put_back = tables["selection"].set_index("added")
    for count in PUT_BACK:
        rows.append(
            _posterior(f"OS, unadjusted, {count} early deaths put back", put_back.loc[count])
        )
    return pd.DataFrame(rows)


def ratio_rows(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Rows of the hazard ratio of CTI2, the innermost endpoint first."""
    table = tables["variance"]
    own = table[table["quantity"].str.startswith("hazard ratio of")].to_dict("records")
    return sorted(own, key=lambda row: list(ORDER).index(row["endpoint"]))


def _row(name: str, row: Any, estimate: str, below: str) -> dict[str, Any]:
    return {
        "term": name,
        "hazard_ratio": row[estimate],
        "lower": row["lower"],
        "upper": row["upper"],
        "prob_below_1": row[below],
        "ci_prob": 0.95,
    }


def _posterior(name: str, row: Any) -> dict[str, Any]:
    ends = {"lower": row["posterior_lower"], "upper": row["posterior_upper"]}
    named = {"posterior_median": row["posterior_median"], "prob_benefit": row["prob_benefit"]}
    return _row(name, named | ends, "posterior_median", "prob_benefit")


def shown(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The hazard ratio of CTI2 in every analysis, as it is printed."""
    table = tables["hazard_ratios"]
    return pd.DataFrame(
        {
            "CTI2 against other salvage": table["term"],
            "HR (95% CrI)": [interval(row) for row in table.to_dict("records")],
            "P(HR < 1)": [probability(value) for value in table["prob_below_1"]],
        }
    )


def interval(row: Any, estimate: str = "hazard_ratio") -> str:
    """A ratio with its limits."""
    return f"{number(row[estimate])} ({limits(number(row['lower']), number(row['upper']))})"


def index(members: Members) -> str:
    """What each file holds, and on what all of it rests."""
    rebuilt = f", made by: {members.rebuilt_by}" if members.rebuilt_by else ""
    lines = [
        f"{members.summary.title}. {members.summary.source}; doi {members.summary.doi} "
        f"({members.summary.licence}).",
        f"{members.count} synthetic cohorts of {members.source}{rebuilt}.",
        "No row is a patient: the cohorts have what was printed, and differ in what was not.",
        f"Model of the fits: {FORMULA}. stage is I to IV as 1 to 4, cti1_response CR, PR, NR as 0, "
        "1, 2. The regimens without CTI2 are partially pooled among themselves; only PV+BR has a "
        "name in the paper, so that the labels regimen 2 to regimen 6 mean nothing across members.",
        "",
    ]
    width = max(map(len, FILES))
    return "\n".join(lines + [f"{name:<{width}}  {what}" for name, what in FILES.items()]) + "\n"
