"""Counts that cannot be true, each named with its row, column and value."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayesurv.data.faults import Checklist, listed, nearest
from bayesurv.data.registry.agreement import Agreement

AGAIN = "aggregate again where the patients are"
ROUNDING = 1e-9


def check_cells(
    cells: pd.DataFrame, agreement: Agreement, columns: Sequence[str], source: str
) -> None:
    """Refuse cells that no patients could give; rows count from 1.

    Raises
    ------
    InputError
        Lists every fault.
    """
    check = Checklist(source, np.arange(1, len(cells) + 1))
    expected = [*columns, *agreement.covariates]
    for name in expected:
        if name not in cells:
            check.add(f"no such column.{nearest(name, cells)}", column=name)
    for name in cells.columns.difference(expected):
        check.add(f"is no column of counts; there are {listed(expected)}", column=str(name))
    if cells.empty:
        check.add(f"there are no rows; {AGAIN}")
    check.finish()
    _check_numbers(check, cells, columns[4:])
    check.finish()
    _check_truth(check, cells, agreement)
    _check_grid(check, cells, agreement)
    check.finish()


def _check_numbers(check: Checklist, cells: pd.DataFrame, counted: Sequence[str]) -> None:
    for name in ("interval", "start", "stop", *counted):
        if not pd.api.types.is_numeric_dtype(cells[name]):
            check.add(f"holds {cells[name].dtype}, not numbers; {AGAIN}", column=name)
            continue
        values = cells[name].to_numpy(dtype=float, na_value=np.nan)
        if name == "stop":
            continue
        check.refuse(~np.isfinite(values), name, f"{{value}} is no number; {AGAIN}", value=values)
        check.refuse(values < 0, name, f"{{value}} is below 0; {AGAIN}", value=values)
        if name not in ("person_time", "start"):
            broken = np.isfinite(values) & (values != np.round(values))
            check.refuse(broken, name, f"{{value}} is not a whole number; {AGAIN}", value=values)


def _check_truth(check: Checklist, cells: pd.DataFrame, agreement: Agreement) -> None:
    """No more events than patients, and no more person-time than they could have had."""
    patients, events, time = cells["patients"], cells["events"], cells["person_time"]
    for name in ("entered", "ended"):
        message = f"{{value}} is more than the {{patients}} patients at risk; {AGAIN}"
        check.refuse(cells[name] > patients, name, message, value=cells[name], patients=patients)
    message = f"{{value}} events are more than the {{patients}} patients at risk; {AGAIN}"
    check.refuse(events > patients, "events", message, value=events, patients=patients)
    message = f"{{value}} events are more than the {{ended}} whose follow-up ended here; {AGAIN}"
    late = (events > cells["ended"]) & (events <= patients)
    check.refuse(late, "events", message, value=events, ended=cells["ended"])
    message = f"is 0, but there are {{events}} events and {{patients}} patients at risk; {AGAIN}"
    wrong = (time == 0) & ((events > 0) | (patients > 0))
    check.refuse(wrong, "person_time", message, events=events, patients=patients)
    width = (cells["stop"] - cells["start"]).fillna(np.inf).to_numpy(dtype=float)
    most = np.where(patients > 0, patients * width, 0.0)
    message = "{value} is more than {patients} patients can have in an interval of {width}; "
    check.refuse(
        time > most * (1 + ROUNDING),
        "person_time",
        f"{message}{AGAIN}",
        value=time,
        patients=patients,
        width=width,
    )


def _check_grid(check: Checklist, cells: pd.DataFrame, agreement: Agreement) -> None:
    """Every pattern has every interval once, as the cuts say."""
    edges = np.array(agreement.edges)
    interval = cells["interval"].to_numpy(dtype=float)
    message = f"{{value}} is not an interval of the {len(edges)} that the cuts make; {AGAIN}"
    inside = (interval >= 1) & (interval <= len(edges))
    check.refuse(~inside, "interval", message, value=cells["interval"])
    position = np.where(inside, interval, 1).astype(int) - 1
    for name, expected in (("start", edges), ("stop", np.append(edges[1:], np.nan))):
        given = cells[name].to_numpy(dtype=float, na_value=np.nan)
        same = (given == expected[position]) | (np.isnan(given) & np.isnan(expected[position]))
        message = f"{{value}} is not {{expected}}, as the cuts say; {AGAIN}"
        check.refuse(inside & ~same, name, message, value=given, expected=expected[position])
    unknown = cells["endpoint"].map(lambda name: name not in agreement.endpoints).to_numpy()
    message = f"{{value}} is not one of the endpoints {listed(agreement.endpoints)}"
    check.refuse(unknown, "endpoint", message, value=cells["endpoint"])
    for name in agreement.covariates:
        check.refuse(cells[name].isna(), name, f"is missing; {AGAIN}")
    pattern = ["endpoint", *agreement.covariates]
    again = cells.duplicated([*pattern, "interval"]).to_numpy()
    message = "interval {value} of this pattern is there already; remove the repeated row"
    check.refuse(again, "interval", message, value=cells["interval"])
    known = cells.groupby(pattern, dropna=False)["interval"].transform("nunique").to_numpy()
    first = ~cells.duplicated(pattern).to_numpy()
    message = f"this pattern has {{value}} intervals, not {len(edges)}; {AGAIN}"
    check.refuse(first & (known < len(edges)), "interval", message, value=known)
    for name in agreement.endpoints:
        if not cells["endpoint"].eq(name).any():
            check.add(f"endpoint {name} has no rows; {AGAIN}", column="endpoint")
