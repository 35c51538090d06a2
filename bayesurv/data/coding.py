"""Codings of covariates: ordinal scores and steps, and new values typed as those of a cohort."""

import re
import tokenize
from collections.abc import Mapping
from io import StringIO

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError, nearest


def linear(values: pd.Series) -> np.ndarray:
    """Score the levels of an ordinal covariate 0, 1, 2, ..."""
    return _ordered(values).codes.astype(float)


def monotone(values: pd.Series) -> np.ndarray:
    """Code an ordinal covariate by the steps it has climbed: column k is 1 from level k + 1 on."""
    ordered = _ordered(values)
    return (ordered.codes[:, None] >= np.arange(1, len(ordered.categories))).astype(float)


def _ordered(values: pd.Series) -> pd.Categorical:
    if not (isinstance(values.dtype, pd.CategoricalDtype) and values.dtype.ordered):
        message = (
            f"linear() and monotone() need an ordinal covariate; declare {values.name!r} as one"
        )
        raise InputError([Fault(f'{message}, e.g. ordinal = {{stage = ["I", "II", "III"]}}')])
    return values.array


def with_codings(formula: str, coding: Mapping[str, str]) -> str:
    """Write `stage` as `monotone(stage)` wherever the ordinal column stands by its bare name."""
    pieces, done, before = [], 0, ("", "")
    try:
        for token in tokenize.generate_tokens(StringIO(formula).readline):
            inside_call = before[1] == "(" and re.fullmatch(r"\w+", before[0]) is not None
            if token.string in coding and not inside_call and before[1] != "|":
                name, start = token.string, token.start[1]
                pieces += [formula[done:start], f"{coding[name]}({name})"]
                done = token.end[1]
            before = (before[1], token.string)
    except tokenize.TokenError:  # formulae says what is wrong with it
        return formula
    return "".join(pieces) + formula[done:]


def factors_as_levels(formula: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Grouping columns as categories, also when the groups are numbered."""
    factors = " ".join(re.findall(r"\|([^)]*)\)", formula))
    numbered = [
        name
        for name in frame
        if mentions(factors, str(name)) and pd.api.types.is_numeric_dtype(frame[name])
    ]
    return frame.assign(
        **{name: frame[name].map("{:g}".format).astype("category") for name in numbered}
    )


def as_trained(
    given: pd.Series, trained: pd.Series, may_lack: bool, source: str, faults: list[Fault]
) -> pd.Series:
    """Read a new column with the type of the trained one, collecting what does not fit."""
    name = str(trained.name)
    for row in given.index[given.isna()] if not may_lack else ():
        message = "is missing; give a value"
        faults.append(Fault(message, file=source, row=row, column=name))
    if isinstance(trained.dtype, pd.CategoricalDtype):
        text = given.map(
            lambda v: f"{v:g}" if isinstance(v, float) else str(v).strip(), na_action="ignore"
        )
        levels = trained.cat.categories
        for row, value in text[~text.isin(levels) & given.notna()].items():
            message = f"level never seen in the cohort; known are {', '.join(levels)}."
            message += nearest(str(value), levels)
            faults.append(Fault(message, file=source, row=row, column=name, value=value))
        return pd.Series(pd.Categorical(text, dtype=trained.dtype)).reset_index(drop=True)
    numbers = pd.to_numeric(
        given.replace({"true": 1, "false": 0, "True": 1, "False": 0}), errors="coerce"
    )
    for row, value in given[numbers.isna() & given.notna()].items():
        faults.append(Fault("is no number", file=source, row=row, column=name, value=value))
    return numbers.astype(float).reset_index(drop=True)


def mentions(text: str, name: str) -> bool:
    """Whether a piece of a formula names a column."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
