"""Codings of covariates: ordinal scores and steps, and new values typed as those of a cohort."""

import re
import tokenize
from collections.abc import Mapping
from io import StringIO

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError, nearest, shown
from bayesurv.data.read import as_numbers, as_text


def linear(values: pd.Series) -> np.ndarray:
    """Score the levels of an ordinal covariate 0, 1, 2, ..."""
    return values.array.codes.astype(float)


def monotone(values: pd.Series) -> np.ndarray:
    """Code an ordinal covariate by the steps it has climbed: column k is 1 from level k + 1 on."""
    levels = values.array.categories
    return (values.array.codes[:, None] >= np.arange(1, len(levels))).astype(float)


def check_ordinal(formula: str, frame: pd.DataFrame) -> None:
    """Refuse linear() and monotone() of a column whose levels have no declared order."""
    for name in frame:
        called = re.search(rf"\b(linear|monotone)\(\s*{re.escape(str(name))}\s*\)", formula)
        if called and not getattr(frame[name].dtype, "ordered", False):
            message = f"{called[1]}() needs an ordinal covariate; declare {name!r} as one"
            raise InputError([Fault(f'{message}, e.g. ordinal = {{stage = ["I", "II", "III"]}}')])


def in_stated_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Every category as ordered: formulae sorts the levels of others, and the reference is lost."""
    named = [n for n in frame if isinstance(frame[n].dtype, pd.CategoricalDtype)]
    return frame.assign(**{name: frame[name].cat.as_ordered() for name in named})


def with_codings(formula: str, coding: Mapping[str, str]) -> str:
    """Write `stage` as `monotone(stage)` wherever the ordinal column stands by its bare name."""
    pieces, done, before, in_factor = [], 0, ("", ""), False
    try:
        for token in tokenize.generate_tokens(StringIO(formula).readline):
            inside_call = before[1] == "(" and re.fullmatch(r"\w+", before[0]) is not None
            in_factor = token.string == "|" or (in_factor and token.string != ")")
            if token.string in coding and not inside_call and not in_factor:
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
    return frame.assign(**{name: _levels(frame[name]) for name in numbered})


def _levels(numbers: pd.Series) -> pd.Categorical:
    ordered = as_text(np.sort(numbers.dropna().unique()))
    return pd.Categorical(as_text(numbers), categories=ordered)


def as_trained(
    given: pd.Series, trained: pd.Series, may_lack: bool, source: str, faults: list[Fault]
) -> pd.Series:
    """Read a new column with the type of the trained one, collecting what does not fit."""
    if isinstance(trained.dtype, pd.CategoricalDtype):
        text = pd.Series(as_text(given), index=given.index, dtype=object)
        levels = trained.cat.categories
        missing, wrong = text.isna(), text.notna() & ~text.isin(levels)
        message = f"is a level never seen in the cohort; known are {', '.join(levels)}."
        message += " Left empty, the groups' centre is meant." if may_lack else ""
        coded = pd.Series(pd.Categorical(text.mask(wrong), dtype=trained.dtype))
    else:
        numbers, wrong = as_numbers(given, flags=True)
        missing, wrong = np.isnan(numbers) & ~wrong, wrong | np.isinf(numbers)
        levels, message = [], "is no finite number"
        coded = pd.Series(numbers)
    place = {"file": source, "column": str(trained.name)}
    if not may_lack:
        said = "is missing; give a value"
        faults += [Fault(said, row=row, **place) for row in given.index[missing]]
    for row, value in given[wrong].items():
        said = f"{shown(value)} {message}{nearest(value, levels)}"
        faults.append(Fault(said, row=row, value=value, **place))
    return coded


def mentions(text: str, name: str) -> bool:
    """Whether a piece of a formula names a column."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
