"""Covariates: numbers, categories and ordered categories, with their checks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayesurv.data.faults import Checklist, listed, nearest
from bayesurv.data.follow_up import Columns
from bayesurv.data.read import MISSING, as_numbers, as_text

CODINGS = ("monotone", "linear")


def read_ordinal(
    check: Checklist, declared: Mapping[str, Any]
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Levels and coding of each column declared ordinal."""
    levels, coding = {}, {}
    for name, given in declared.items():
        form = dict(given) if isinstance(given, Mapping) else {"levels": given}
        levels[name] = tuple(level or "" for level in as_text(form.pop("levels", ())))
        coding[name] = form.pop("coding", CODINGS[0])
        for key in form:
            hint = nearest(key, ("levels", "coding"))
            check.add(f'"{key}" is not understood; state levels and coding.{hint}', column=name)
        if coding[name] not in CODINGS:
            hint = nearest(coding[name], CODINGS)
            check.add(f'coding "{coding[name]}" is not monotone or linear.{hint}', column=name)
        if len(set(levels[name]) - {""}) < max(2, len(levels[name])):
            check.add("ordinal needs two or more levels, all different, none empty", column=name)
    return levels, coding


def code_covariates(
    check: Checklist,
    frame: pd.DataFrame,
    levels: Mapping[str, tuple[str, ...]],
    reference: Mapping[str, str],
) -> pd.DataFrame:
    """Covariates as numbers, categories, ordered categories, or (numbers with text) text."""
    coded: dict[str, Any] = {}
    for name in frame:
        if name in levels:
            coded[name] = _ordered(check, frame[name], levels[name])
        elif name in reference or is_category(frame[name]):
            coded[name] = _categories(check, frame[name], reference.get(name))
        else:
            coded[name] = _undeclared(check, frame[name])
    return pd.DataFrame(coded, index=pd.RangeIndex(len(frame)))


def _ordered(check: Checklist, values: pd.Series, levels: tuple[str, ...]) -> pd.Categorical:
    texts = as_text(values)
    unknown = np.array([text is not None and text not in levels for text in texts])
    message = f"{{value}} is not one of the levels {listed(levels)}"
    check.refuse(unknown, str(values.name), message, value=values)
    known = [text if text in levels else None for text in texts]
    return pd.Categorical(known, categories=list(dict.fromkeys(levels)), ordered=True)


def _categories(check: Checklist, values: pd.Series, reference: str | None) -> pd.Categorical:
    texts = as_text(values)
    seen = {text for text in texts if text is not None}
    order = as_text(values.cat.categories) if is_category(values) else sorted(seen, key=_natural)
    levels = [level for level in dict.fromkeys(order) if level in seen]
    if reference is not None and reference not in levels:
        hint = nearest(reference, levels)
        message = f'no row has the reference level "{reference}".{hint} There are {listed(levels)}'
        check.add(message, column=str(values.name), value=reference)
    elif reference is not None:
        levels.sort(key=lambda level: level != reference)
    return pd.Categorical(texts, categories=levels)


def _natural(level: str) -> tuple[float, str]:
    """Sorting key by which 2 comes before 10, and numbers before words."""
    number = as_numbers(pd.Series([level], dtype=object))[0][0]
    return (np.inf if np.isnan(number) else number, level)


def _undeclared(check: Checklist, values: pd.Series) -> ArrayLike | pd.Categorical:
    numbers, wrong = as_numbers(values, flags=True)
    if not wrong.any():
        whole = np.isfinite(numbers) & (np.abs(numbers) < 2**53) & (numbers == np.round(numbers))
        return numbers.astype(np.int64) if whole.all() else numbers
    if wrong.sum() <= np.count_nonzero(~np.isnan(numbers)):
        return np.array(as_text(values), dtype=object)
    return _categories(check, values, None)


def check_needed(
    check: Checklist,
    covariates: pd.DataFrame,
    needed: Sequence[str],
    patient: np.ndarray,
    columns: Columns,
    missing: str,
) -> None:
    """Needed covariates must be there, of one kind, finite and (unless dropped) complete."""
    if missing not in ("error", "drop"):
        hint = nearest(missing, ("error", "drop"))
        check.add(f'missing = "{missing}" is not "error" or "drop".{hint}')
    for name in needed:
        if not check_covariate(check, name, list(covariates), columns):
            continue
        values = covariates[name]
        if not is_category(values):
            numbers, wrong = as_numbers(values, flags=True)
            check.refuse(
                wrong,
                name,
                "{value} is not a number, as most of the column is; correct it, or leave the cell "
                f"empty (or {listed(MISSING[1:])}) if it is missing, or state a reference level "
                "if these are categories",
                value=values,
            )
            check.refuse(np.isinf(numbers), name, "{value} is not finite", value=values)
        if missing == "error":
            message = "is missing for patient {patient}; fill it in, or ask to leave out such "
            message += 'patients: missing = "drop" (--missing drop)'
            check.refuse(values.isna(), name, message, patient=patient)


def check_covariate(check: Checklist, name: str, known: Iterable[str], columns: Columns) -> bool:
    """Whether there is a covariate of this name; a fault is noted if not."""
    if name in columns.roles and name != columns.id:
        check.add(f"this is the {columns.roles[name]} column, not a covariate", column=name)
    elif name not in known:
        check.add(absent(name, known, "named as a covariate"), column=name)
    else:
        return True
    return False


def absent(name: str, known: Iterable[str], use: str) -> str:
    """Say that a column is not there, with the nearest and all that are."""
    return f"no such column, {use}.{nearest(name, known)} The columns are {listed(known)}"


def is_category(values: pd.Series) -> bool:
    """Whether a column holds categories."""
    return isinstance(values.dtype, pd.CategoricalDtype)
