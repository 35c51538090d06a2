"""Outcomes: 0/1 columns of some patients and the covariates of a model, checked once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from bayesurv.data.covariates import absent, check_needed, code_covariates
from bayesurv.data.faults import Checklist
from bayesurv.data.follow_up import Columns
from bayesurv.data.read import as_numbers, as_text

ALLOWED = (
    "write 1 where it happened and 0 where it did not (or true and false), and leave the cell "
    "empty where that is not known"
)
NO_FOLLOW_UP = Columns("", "")  # no column has a part in any


@dataclass(frozen=True, eq=False, repr=False)
class Outcomes:
    """What did or did not happen to each patient, of one kind: good outcomes or harmful ones.

    names : one for each outcome.
    values : (individual, outcome) 1.0 or 0.0; NaN where it is not known.
    harmful : whether more is worse, as of adverse events, or better, as of responses.
    covariates : DataFrame, (individual, covariate), without gaps.
    notes : what was dropped, and why.
    """

    names: tuple[str, ...]
    values: np.ndarray
    harmful: bool
    covariates: pd.DataFrame
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.values.setflags(write=False)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        names: Sequence[str],
        *,
        harmful: bool,
        covariates: Sequence[str],
        id: str | None = None,
        missing: str = "error",
        source: str = "DataFrame",
    ) -> Self:
        """Check a table of one row for each patient.

        Parameters
        ----------
        names
            Columns of 0 and 1 (or true and false); an empty cell is a patient whose outcome is not
            known, who leaves that outcome only.
        covariates
            Columns that the model needs; the others are not kept.
        id
            Column that names the patients, by which one who has several rows is found.
        missing
            "error", or "drop" to leave out patients without one of the covariates.

        Raises
        ------
        InputError
            Lists every fault with row and column.
        """
        check = Checklist(source, frame.index)
        columns = {name: _outcome(check, frame, name, covariates) for name in names}
        patient = _patients(check, frame, id)
        needed = [name for name in covariates if name in frame]
        coded = code_covariates(check, frame[needed], {}, {})
        check_needed(check, coded, needed, patient, NO_FOLLOW_UP, missing)
        check.finish()
        notes, lacking = tuple(frame.attrs.get("notes", ())), coded.isna()
        kept = ~lacking.any(axis=1).to_numpy()
        if not kept.all():
            counts = [f"{name} missing for {n}" for name, n in lacking.sum().items() if n]
            dropped = f"{(~kept).sum()} of {len(frame)} patients dropped: {', '.join(counts)}"
            notes, coded = (*notes, dropped), code_covariates(check, coded[kept], {}, {})
        return cls(
            tuple(columns), np.column_stack([*columns.values()])[kept], harmful, coded, notes
        )

    @property
    def n_patients(self) -> int:
        """Number of patients."""
        return len(self.values)


def _outcome(
    check: Checklist, frame: pd.DataFrame, name: str, covariates: Sequence[str]
) -> np.ndarray:
    """A column as 1.0, 0.0 and NaN; faults are noted."""
    if name not in frame:
        check.add(absent(name, frame, "named as an outcome"), column=name)
        return np.full(len(frame), np.nan)
    if name in covariates:
        check.add("this is an outcome; leave it out of the formula", column=name)
    values, wrong = as_numbers(frame[name], flags=True)
    wrong |= ~np.isin(values, (0, 1)) & ~np.isnan(values)
    check.refuse(wrong, name, f"{{value}} is neither 0 nor 1; {ALLOWED}", value=frame[name])
    if np.isnan(values).all() and not wrong.any():
        check.add("the column is empty", column=name)
    return values


def _patients(check: Checklist, frame: pd.DataFrame, id: str | None) -> np.ndarray:
    """What a person calls each patient; several rows of one are noted."""
    if id is None:
        return np.asarray(frame.index)
    if id not in frame:
        check.add(absent(id, frame, "named for id"), column=id)
        return np.asarray(frame.index)
    names = pd.Series(as_text(frame[id]), dtype=object)
    check.refuse(names.isna(), id, "is missing; name every patient")
    repeated = names.duplicated() & names.notna()
    message = "patient {value} has a row already; a patient has one, with all outcomes"
    check.refuse(repeated, id, message, value=names)
    return names.to_numpy()
