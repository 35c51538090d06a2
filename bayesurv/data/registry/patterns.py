"""What patients are told apart by: the covariates of groups, read as a Cohort would read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesurv.data.covariates import code_covariates, is_category
from bayesurv.data.faults import Checklist, listed
from bayesurv.data.read import MISSING, as_text
from bayesurv.data.registry.agreement import Agreement

MOST_VALUES = 12  # of a number, before it counts as one that tells patients apart


@dataclass(frozen=True)
class Limits:
    """Fewest patients for each value of a number, and most patterns."""

    fewest: int = 5
    most_patterns: int = 10_000


def known(
    check: Checklist, raw: pd.DataFrame, rows: np.ndarray, drop: bool
) -> tuple[np.ndarray, list[str]]:
    """Groups, (group,), that have every covariate, and what is missing: `rows` are each group's.

    Unless rows without a covariate are to be dropped, each such covariate is a fault.
    """
    complete = np.ones(len(raw), dtype=bool)
    said = []
    for name in raw:
        lacking = np.array([cell is None for cell in as_text(raw[name])], dtype=bool)
        if not lacking.any():
            continue
        complete &= ~lacking
        said.append(f"{name} is missing in {rows[lacking].sum()} of {rows.sum()} rows")
        if not drop:
            message = f"missing in {rows[lacking].sum()} of {rows.sum()} rows; fill it in (empty, "
            message += f"{listed(MISSING[1:])} mean missing), or leave out such patients: "
            check.add(f'{message}missing = "drop" under [cohort]', column=str(name))
    return complete, said


def read_patterns(
    check: Checklist,
    raw: pd.DataFrame,
    agreement: Agreement,
    as_levels: Sequence[str],
    rows: int,
    limits: Limits,
) -> pd.DataFrame:
    """Covariates of groups as numbers or text; faults are noted, and too many values.

    Those named in `as_levels`, and those declared in the agreement, hold levels even when these
    are numbers.
    """
    declared = {*agreement.reference, *agreement.ordinal, *as_levels}
    made = pd.DataFrame(
        {n: _read(check, raw[n], agreement.ordinal, n in declared) for n in raw}, index=raw.index
    )
    values = made.nunique()
    number = len(made.drop_duplicates()) if len(values) else 1
    if number > limits.most_patterns:
        check.add(
            f"the covariates make more than {limits.most_patterns} patterns (--max-patterns); "
            f"{values.idxmax()} has the most values: cut it into groups, and name those in the "
            "plan",
            column=str(values.idxmax()),
        )
        return made
    for name in made.select_dtypes("number"):
        if values[name] > MOST_VALUES and rows / values[name] < limits.fewest:
            check.add(
                f"has {values[name]} different values among {rows} rows, so that counts by it "
                "would be the patients themselves; cut it into groups, and name those in the plan",
                column=str(name),
            )
    return made


def _read(
    check: Checklist, values: pd.Series, ordinal: Mapping[str, tuple[str, ...]], declared: bool
) -> pd.Series:
    name = str(values.name)
    if declared:
        text = pd.Series(as_text(values), index=values.index, dtype=object)
        for level in sorted(set(text) - set(ordinal.get(name, text))):
            message = f'"{level}" is not one of the levels {listed(ordinal[name])}'
            check.add(message, column=name, value=level)
        return text
    coded = code_covariates(Checklist(""), values.to_frame(), {}, {})[name].set_axis(values.index)
    if is_category(coded):
        return coded.astype(object)
    if not pd.api.types.is_numeric_dtype(coded):
        message = "holds numbers and text; correct it, or state a reference level in the plan if "
        check.add(f"{message}these are categories", column=name)
        return coded
    if np.isinf(coded).any():
        check.add("is not finite in some rows; correct it, or leave it empty", column=name)
    return coded.astype(float)
