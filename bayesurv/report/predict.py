"""Predicted survival of new patients from a saved fit."""

from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.data.faults import Checklist, Fault, InputError
from bayesurv.data.read import as_text, read_table
from bayesurv.estimands.curves import survival, time_grid
from bayesurv.estimands.summary import survival_table
from bayesurv.report.files import REMEDY, check_files, write_files
from bayesurv.saved import load

LABEL = "every patient needs a label of its own, or leave the column out to number them"


def run_predict(
    fit: Path, patients: Path, times: str | None, out: Path, *, extrapolate: bool = False
) -> tuple[pd.DataFrame, bool]:
    """Write survival of each new patient over time, with the columns of `survival.csv`.

    A patient is named by the column `label`, or else by the row of its table. Returns the
    predictions, and whether the fit had failed the sampler's checks.

    Raises
    ------
    InputError
        The fit or the table cannot be read, a level was never seen, a time is past follow-up, or
        the file cannot be written.
    """
    if out.is_dir() or out.suffix.lower() != ".csv":
        raise InputError([Fault(f"{out} is not the name of a .csv file; {REMEDY}")])
    check_files((out,), (fit, patients))
    fitted = load(fit)
    table = _labelled(read_patients(patients), patients.name)
    fitted.design.apply(table, source=patients.name)
    grid = time_grid(fitted, 25) if times is None else read_times(times)
    predicted = survival_table(survival(fitted, table, grid, extrapolate=extrapolate))
    write_files({out: predicted.to_csv(index=False)})
    return predicted, fitted.failed


def read_patients(path: Path) -> pd.DataFrame:
    """Read patients' covariates: cells as text, None where missing, from any kind of file."""
    table = read_table(path)
    texts = {str(name): as_text(table[name]) for name in table}
    return pd.DataFrame(texts, index=table.index, dtype=object)


def _labelled(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """The table with a label for each patient."""
    if "label" not in table:
        return table.assign(label=[f"row {i}" for i in table.index])
    labels = table["label"]
    check = Checklist(source, table.index)
    check.refuse(labels.isna(), "label", f"is missing; {LABEL}")
    again = labels.duplicated() & labels.notna()
    check.refuse(again, "label", f"{{value}} is given twice; {LABEL}", value=labels)
    check.finish()
    return table


def read_times(text: str) -> np.ndarray:
    """Read times separated by commas."""
    try:
        return np.array([float(part) for part in text.split(",")])
    except ValueError:
        message = f'--times reads like "3,6,12"; got {text!r}'
        raise InputError([Fault(message)]) from None
