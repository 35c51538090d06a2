"""A baseline table as one prints it."""

import numpy as np
import pandas as pd

from bayesurv.frequentist.baseline_table import MISSING, BaselineTable
from bayesurv.plots.style import p_value

SUMMARIES = {
    "median-range": ("median", "minimum", "maximum"),
    "median-quartiles": ("median", "lower_quartile", "upper_quartile"),
    "mean-sd": ("mean", "sd"),
}
"""What is shown of numbers: the first, and the others in brackets."""


def formatted(table: BaselineTable, summary: str = "median-range") -> pd.DataFrame:
    """The table as one prints it, all text: a row per level, a column per group, SMD, P and test.

    `summary`, a key of SUMMARIES, says what is shown of numbers. Of categories 0 and 1, the row of
    0 is left out.
    """
    compared = table.comparisons.set_index("variable")
    rows = []
    for variable, block in table.values.groupby("variable", sort=False):
        levels = list(block["level"].unique())
        if [level for level in levels if level != MISSING] == ["0", "1"]:
            levels.remove("0")
        for place, level in enumerate(levels):
            cells = block[block["level"] == level].set_index("group")
            row = {"variable": variable if place == 0 else "", "level": level}
            for group, size in table.groups.items():
                row[f"{group} (N={size})"] = _cell(cells.loc[group], summary)
            rows.append({**row, **_comparison(compared.loc[variable], first=place == 0)})
    return pd.DataFrame(rows)


def _cell(cell: pd.Series, summary: str) -> str:
    if cell["level"]:
        return f"{cell['count']:.0f} ({cell['percent']:.1f}%)"
    if not cell["count"]:
        return ""
    middle, *others = (number(cell[name]) for name in SUMMARIES[summary])
    return f"{middle} ({' to '.join(others)})"


def _comparison(row: pd.Series, first: bool) -> dict[str, str]:
    if not first:
        return dict.fromkeys(("SMD", "95% CI", "P", "test"), "")
    limits = [f"{row[name]:.2f}" for name in ("smd_lower", "smd_upper") if not np.isnan(row[name])]
    return {
        "SMD": "" if np.isnan(row["smd"]) else f"{row['smd']:.2f}",
        "95% CI": " to ".join(limits),
        "P": "" if np.isnan(row["p"]) else p_value(row["p"]),
        "test": row["test"],
    }


def number(value: float) -> str:
    """Three digits, or all before the decimal point."""
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
