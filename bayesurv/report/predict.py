"""Predicted survival of new patients from a saved fit."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.data.read import read_table
from bayesurv.estimands.curves import survival, time_grid
from bayesurv.estimands.summary import survival_table
from bayesurv.saved import load


def run_predict(
    fit: Path, patients: Path, times: str | None, out: Path, *, extrapolate: bool = False
) -> pd.DataFrame:
    """Write survival of each new patient over time, with the columns of `survival.csv`.

    A patient is named by the column `label`, or else by the row of its table.

    Raises
    ------
    InputError
        The fit or the table cannot be read, a level was never seen, or a time is past follow-up.
    """
    fitted = load(fit)
    table = read_table(patients)
    if not len(table):
        raise InputError([Fault("no patients", file=patients.name)])
    fitted.design.apply(table, source=patients.name)
    grid = time_grid(fitted, 25) if times is None else read_times(times)
    named = table if "label" in table else table.assign(label=[f"row {i}" for i in table.index])
    if named["label"].isna().any() or named["label"].duplicated().any():
        message = "every patient needs a label of its own; remove the column to number them"
        raise InputError([Fault(message, file=patients.name, column="label")])
    predicted = survival_table(survival(fitted, named, grid, extrapolate=extrapolate))
    _write(predicted, out)
    return predicted


def read_times(text: str) -> np.ndarray:
    """Read times separated by commas."""
    try:
        return np.array([float(part) for part in text.split(",")])
    except ValueError:
        message = f'--times reads like "3,6,12"; got {text!r}'
        raise InputError([Fault(message)]) from None


def _write(table: pd.DataFrame, out: Path) -> None:
    partial = out.with_name(f".{out.name}.partial")
    try:
        table.to_csv(partial, index=False)
        os.replace(partial, out)
    except OSError as error:
        raise InputError([Fault(f"{out} cannot be written: {error.strerror}")]) from None
    finally:
        partial.unlink(missing_ok=True)
