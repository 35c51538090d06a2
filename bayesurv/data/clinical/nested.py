"""Nested endpoints: progression or death comes no later than death, and so on inwards."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayesurv.data.faults import Checklist, listed
from bayesurv.data.read import as_numbers, as_text

TOLERANCE = 1e-6  # what rounding may leave between two times


def check_nested(
    frame: pd.DataFrame,
    endpoints: Sequence[str] = ("efs", "pfs", "os"),
    *,
    unit: str = "months",
    id: str | None = None,
    source: str = "DataFrame",
) -> None:
    """Refuse a cohort whose endpoints are not nested: each time at most that of the next.

    Where two times are equal, an event of the wider endpoint (a death) is one of the narrower too.

    Parameters
    ----------
    frame : DataFrame
        Columns such as os_months and os_event; endpoints without them are left out.
    endpoints : sequence of str
        From the first to occur to the last.
    unit : str
        The end of the names of the columns of time.
    id : str, optional
        Column of the patient, for the message.
    source : str
        What to call the table.

    Raises
    ------
    InputError
        A list of every violation with the two values.
    """
    check = Checklist(source, frame.index)
    who = as_text(frame[id]) if id else [None] * len(frame)
    known = [name for name in endpoints if {f"{name}_{unit}", f"{name}_event"} <= set(frame)]
    if len(known) < 2:
        columns = listed(f"{name}_{unit}, {name}_event" for name in endpoints)
        check.add(f"fewer than two endpoints to compare; the columns are called {columns}")
    for inner, outer in zip(known, known[1:], strict=False):
        time, later = (as_numbers(frame[f"{name}_{unit}"])[0] for name in (inner, outer))
        event, death = (as_numbers(frame[f"{n}_event"], flags=True)[0] for n in (inner, outer))
        for position in _places(time > later + TOLERANCE):
            message = f"{time[position]:g} is after {outer}_{unit} {later[position]:g}"
            _add(check, position, who[position], f"{inner}_{unit}", message)
        unlike = (np.abs(time - later) <= TOLERANCE) & (event == 0) & (death == 1)
        for position in _places(unlike):
            message = f"0, but {outer}_event is 1 at the same time {time[position]:g}"
            _add(check, position, who[position], f"{inner}_event", message)
    check.finish()


def _places(wrong: np.ndarray) -> list[int]:
    return np.flatnonzero(wrong).tolist()


def _add(check: Checklist, position: int, who: str | None, column: str, message: str) -> None:
    said = f"patient {who}: {message}" if who else message
    check.add(said, row=check.rows[position], column=column)
