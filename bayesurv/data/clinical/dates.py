"""Dates in one stated format; never a guess."""

import re
from datetime import date, datetime, time
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.faults import Checklist, Fault, InputError, shown

ISO = "%Y-%m-%d"
WORDS = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "MON": "%b"}
SHAPES = {"%Y": r"\d{4}", "%m": r"\d{1,2}", "%d": r"\d{1,2}", "%b": "[A-Za-z]{3}"}
COMMON = (ISO, "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d %b %Y")


def parse_format(stated: str) -> str:
    """A format such as DD/MM/YYYY, DD.MM.YYYY, DDMONYYYY or %d/%m/%Y, as `strptime` writes it.

    Raises
    ------
    InputError
        It does not name a year of four digits, a month and a day, once each.
    """
    pattern = re.sub("YYYY|MON|MM|DD", lambda word: WORDS[word[0]], stated)
    parts = sorted(re.findall("%.?", pattern))
    if parts not in (["%Y", "%d", "%m"], ["%Y", "%b", "%d"]):
        raise InputError(
            [
                Fault(
                    f"--date-format {shown(stated)} does not name a year of four digits, a month "
                    'and a day, once each; write e.g. "DD/MM/YYYY" or "%d.%m.%Y"'
                )
            ]
        )
    return pattern


def in_words(pattern: str) -> str:
    """A format as people write it: DD/MM/YYYY."""
    return re.sub("%.", lambda part: {v: k for k, v in WORDS.items()}[part[0]], pattern)


def read_dates(check: Checklist, values: pd.Series, pattern: str = ISO) -> np.ndarray:
    """Cells as dates, None where missing or where a fault was noted, shape (row,).

    A cell that is a date already, as in Excel, is taken as it is; text must be in the format.
    """
    found = np.full(len(values), None, dtype=object)
    strange: list[int] = []
    for position, cell in enumerate(values):
        if isinstance(cell, date):
            found[position] = _day(check, values, position)
        elif _fits(cell, pattern):
            found[position] = _parsed(cell, pattern)
            if found[position] is None:
                message = f"{shown(cell)} is not a day of the calendar"
                _add(check, values, position, message)
        elif cell is not None:
            strange.append(position)
    _report(check, values, strange, pattern, mixed=len(strange) < values.notna().sum())
    return found


def _day(check: Checklist, values: pd.Series, position: int) -> date | None:
    cell = values.iloc[position]
    if pd.isna(cell):
        return None
    if not isinstance(cell, datetime):
        return cell
    if cell.time() != time():
        _add(check, values, position, f"{cell} has a time of day; give the date alone")
    return cell.date()


def _fits(cell: Any, pattern: str) -> bool:
    shape = re.sub("%.", lambda part: SHAPES[part[0]], re.escape(pattern).replace(r"\%", "%"))
    return isinstance(cell, str) and re.fullmatch(shape, cell) is not None


def _parsed(cell: str, pattern: str) -> date | None:
    try:
        return datetime.strptime(cell, pattern).date()
    except ValueError:
        return None


def _report(
    check: Checklist, values: pd.Series, strange: list[int], pattern: str, *, mixed: bool
) -> None:
    """Note the cells in another format: each in a mixed column, once for a column of one format."""
    cells = [values.iloc[position] for position in strange]
    others = [other for other in COMMON if all(_parsed(str(cell), other) for cell in cells)]
    if not strange:
        return
    if others and not mixed:
        choices = " or ".join(f'--date-format "{in_words(other)}"' for other in others)
        others_too = ", nor are the others in this column" if len(strange) > 1 else ""
        message = (
            f"{shown(cells[0])} is not a date like {in_words(pattern)}{others_too}; write dates "
            f"so, or state the format: {choices}"
        )
        _add(check, values, strange[0], message)
        return
    why = "; the column has dates in more than one format" if mixed else ""
    for position, cell in zip(strange, cells, strict=True):
        message = f"{shown(cell)} is not a date like {in_words(pattern)}{why}"
        _add(check, values, position, message)


def _add(check: Checklist, values: pd.Series, position: int, message: str) -> None:
    row, cell = check.rows[position], values.iloc[position]
    check.add(message, row=row, column=str(values.name), value=cell)
