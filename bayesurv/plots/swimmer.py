"""The course of each patient: one bar from the start to the end of follow-up.

A row of this figure is a patient, so it is for those who may see the patients, never for a report.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayesurv.plots.style import INK, SMALL, legend_above, look, name_time, new_axes, root

MARGIN_HEIGHT = 1.35
TALLEST, SHORTEST = 0.14, 0.055  # inches of a row, of few patients and of many
BAR = 0.72
APART = 1.8  # rows between arms
# Of events in time: the column, what it is, marker, filled or not.
EVENTS = (
    ("response", "Response", "^", "white"),
    ("event", "EFS event", "o", "white"),
    ("progression", "Progression", "D", INK),
    ("death", "Death", "X", INK),
)
COLUMNS = ("arm", "end", "death", *(name for name, *_ in EVENTS[:3]))


def plot_swimmer(
    patients: pd.DataFrame, *, unit: str, origin: str = "origin", columns: int = 2
) -> Axes:
    """Draw the follow-up of each patient by arm, with a mark at each event.

    The longest follow-up of each arm is on top. Patients have no number.

    Parameters
    ----------
    patients : DataFrame
        A row for each patient: `arm`; `end` of follow-up; and, NaN or missing where there was
        none, the time of `response`, of the `event` that ended EFS, of `progression` and of
        `death`. Who has no death is alive at the end.
    unit, origin : str
        Unit of time, and what time counts from.
    columns : int
        Journal columns.

    Raises
    ------
    ValueError
        Column `arm` or `end` is missing, or an event is after the end of follow-up.
    """
    table = _checked(patients)
    arms = list(dict.fromkeys(table["arm"]))
    place = {arm: i for i, arm in enumerate(arms)}
    table = table.assign(order=table["arm"].map(place)).sort_values(
        ["order", "end"], ascending=[True, False], kind="stable", ignore_index=True
    )
    rows = table.index.to_numpy() + APART * table["order"].to_numpy()
    height = float(np.clip(7.2 / max(len(table), 1), SHORTEST, TALLEST))
    ax = new_axes(columns, MARGIN_HEIGHT + height * (len(table) + APART * len(arms)))
    for i, arm in enumerate(arms):
        own = (table["arm"] == arm).to_numpy()
        colour, _ = look(i)
        ax.barh(rows[own], table["end"][own], BAR, color=colour, alpha=0.45, lw=0)
        at = (0, rows[own][0] - 0.5)
        ax.annotate(f"{arm} (n = {own.sum()})", at, (0, 2), textcoords="offset points",
                    fontsize=SMALL, color=INK, fontweight="bold", va="bottom")  # fmt: skip
    size = float(np.clip(72 * height * 0.62, 2.6, 4.8))
    handles: list[Any] = [Patch(facecolor=look(i)[0], alpha=0.45) for i in range(len(arms))]
    names = list(map(str, arms))
    for name, label, marker, fill in EVENTS:
        seen = table[name].notna().to_numpy()
        if not seen.any():
            continue
        style: dict[str, Any] = {"mec": INK, "mfc": fill, "mew": 0.5, "ls": ""}
        ax.plot(table[name][seen], rows[seen], marker, ms=size, zorder=3, clip_on=False, **style)
        handles.append(Line2D([], [], marker=marker, ms=4.5, **style))
        names.append(label)
    alive = table["death"].isna().to_numpy()
    if alive.any():
        ax.plot(table["end"][alive], rows[alive], ">", ms=size, c=INK, mew=0, clip_on=False)
        handles.append(Line2D([], [], marker=">", ms=4.5, c=INK, mew=0, ls=""))
        names.append("Alive, follow-up ends")
    name_time(ax, 1.03 * float(table["end"].max()), unit, origin)
    ax.set(ylim=(rows[-1] + 1, -1.7), yticks=[])
    ax.spines.left.set_visible(False)
    legend_above(ax, handles, names, None, most=4 if root(ax).get_figwidth() > 5 else 2)
    return ax


def swimmer_patients(cohort: pd.DataFrame, *, treatment: str, unit: str) -> pd.DataFrame:
    """What `plot_swimmer` takes, from nested endpoints.

    Parameters
    ----------
    cohort : DataFrame
        As `bayesurv derive` writes it: columns os_<unit> and os_event, and, if there, those of
        efs and pfs. Progression is a PFS event before death; the event that ended EFS is shown
        where it is neither.
    treatment : str
        Column of the arms.
    unit : str
        Of the times.

    Raises
    ------
    ValueError
        A column is missing.
    """
    needed = [treatment, f"os_{unit}", "os_event"]
    missing = [name for name in needed if name not in cohort]
    if missing:
        raise ValueError(f"the cohort has no column {', '.join(missing)}")
    end = cohort[f"os_{unit}"].astype(float)
    times = {name: _event_time(cohort, name, unit) for name in ("efs", "pfs", "os")}
    progression = times["pfs"].where(~(times["pfs"] >= times["os"].fillna(np.inf)))
    event = times["efs"].where(~(times["efs"] >= times["pfs"].fillna(np.inf)))
    event = event.where(~(event >= times["os"].fillna(np.inf)))
    arm = cohort[treatment].map(lambda level: f"{treatment} = {level}")
    return pd.DataFrame(
        {"arm": arm, "end": end, "event": event, "progression": progression, "death": times["os"]}
    ).sort_values("arm", kind="stable", ignore_index=True)


def _event_time(cohort: pd.DataFrame, endpoint: str, unit: str) -> pd.Series:
    """Time of the event; NaN where it was not seen, or the endpoint is not there."""
    if f"{endpoint}_{unit}" not in cohort or f"{endpoint}_event" not in cohort:
        return pd.Series(np.nan, cohort.index)
    happened = cohort[f"{endpoint}_event"].astype(float) == 1
    return cohort[f"{endpoint}_{unit}"].astype(float).where(happened)


def _checked(patients: pd.DataFrame) -> pd.DataFrame:
    """The columns that are drawn, as numbers; absent ones empty."""
    missing = [name for name in ("arm", "end") if name not in patients]
    if missing:
        raise ValueError(f"the patients have no column {', '.join(missing)}")
    table = patients.reindex(columns=list(COLUMNS))
    times = [name for name in COLUMNS if name != "arm"]
    table[times] = table[times].astype(float)
    late = table[times[1:]].gt(table["end"] * (1 + 1e-9), axis=0).any()
    if late.any():
        raise ValueError(f"{', '.join(late.index[late])}: an event is after the end of follow-up")
    return table
