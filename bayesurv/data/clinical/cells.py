"""The cells of a clinical table, each read as its column of the schema says."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.clinical.checks import UNREAD
from bayesurv.data.clinical.dates import read_dates
from bayesurv.data.clinical.schema import EVERY_ROW, TABLES, Column
from bayesurv.data.faults import Checklist, Fault, nearest
from bayesurv.data.read import as_numbers, as_text


def typed_cells(check: Checklist, name: str, frame: pd.DataFrame, pattern: str) -> pd.DataFrame:
    """Every column of the schema, typed: text, level, number or date; None where missing.

    In the column UNREAD stand the names of those that could not be read, which has been noted.
    """
    noted, typed = len(check.faults), dict[str, list]()
    unread: list[set[str]] = [
        {column.name for column in TABLES[name] if column.required and column.name not in frame}
        for _ in frame.index
    ]
    for column in TABLES[name]:
        if column.name not in frame:
            typed[column.name] = [None] * len(frame)
            continue
        values = frame[column.name]
        texts = as_text(values)
        typed[column.name] = _cells(check, values, texts, column, pattern)
        for faults, text, cell in zip(unread, texts, typed[column.name], strict=True):
            if text is not None and cell is None:
                faults.add(column.name)
    who = dict(zip(check.rows, typed["patient_id"], strict=True))
    check.faults[noted:] = [_of_patient(fault, who) for fault in check.faults[noted:]]
    return pd.DataFrame({**typed, UNREAD: unread}, index=frame.index, dtype=object)


def _of_patient(fault: Fault, who: dict[Any, str | None]) -> Fault:
    """The fault with the patient's id."""
    patient = who.get(fault.row)
    return (
        fault if patient is None else replace(fault, message=f"patient {patient}: {fault.message}")
    )


def _cells(
    check: Checklist, values: pd.Series, texts: list[str | None], column: Column, pattern: str
) -> list:
    if column.required == EVERY_ROW:
        missing = [text is None for text in texts]
        check.refuse(missing, column.name, "is missing; every row needs it")
    if column.kind == "date":
        kept = [
            cell if isinstance(cell, date) else text
            for cell, text in zip(values, texts, strict=True)
        ]
        return list(read_dates(check, pd.Series(kept, name=column.name, dtype=object), pattern))
    if column.kind == "level":
        return _levels(check, texts, column)
    return texts if column.kind == "text" else _numbers(check, values, column)


def _levels(check: Checklist, texts: list[str | None], column: Column) -> list[str | None]:
    for row, text in zip(check.rows, texts, strict=True):
        if text is not None and text not in column.levels:
            hint = nearest(text, column.levels)
            message = f'"{text}" is not allowed; use {column.allowed}.{hint}'
            check.add(message, row=row, column=column.name, value=text)
    return [text if text in column.levels else None for text in texts]


def _numbers(check: Checklist, values: pd.Series, column: Column) -> list[float | int | None]:
    numbers, wrong = as_numbers(values)
    wrong |= np.isinf(numbers)
    message = f"{{value}} is not a {column.kind}; write {column.allowed}"
    if column.kind == "whole number":
        wrong |= np.isfinite(numbers) & (numbers != np.round(numbers))
    check.refuse(wrong, column.name, message, value=values)
    outside = ~wrong & ((numbers < column.lower) | (numbers > column.upper))
    message = f"{{value}} is out of range; it is {column.allowed}"
    check.refuse(outside, column.name, message, value=values)
    return [
        None if bad or np.isnan(number) else int(number) if number.is_integer() else float(number)
        for number, bad in zip(numbers, wrong | outside, strict=True)
    ]
