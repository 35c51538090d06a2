"""Cells of a table for a paper, in one style."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.plots.style import number, p_value, probability

NONE = "–"
NOT_ESTIMABLE, NOT_REACHED = "not estimable", "not reached"
DECIMALS = {"days": 0, "weeks": 1, "months": 1, "years": 2}

type Printed = Callable[[float], str]


def estimate(found: Sequence[float], shown: Printed, beyond: str) -> str:
    """An estimate, lower and upper limit: 1.54 (0.86–2.75), -0.8 (-2.3 to 0.9).

    `beyond` is what an infinite number is called.
    """
    _, lower, upper = found
    if all(math.isnan(each) for each in found):
        return NONE
    if all(math.isinf(each) for each in found):
        return beyond
    middle, low, high = (_cell(each, shown, beyond) for each in found)
    if math.isnan(lower) and math.isnan(upper):
        return middle
    between = " to " if "−" in low + high or not math.isfinite(lower + upper) else "–"
    return f"{middle} ({low}{between}{high})"


def _cell(value: float, shown: Printed, beyond: str) -> str:
    if math.isnan(value):
        return NONE
    return shown(value) if math.isfinite(value) else beyond


def ratio(found: Sequence[float]) -> str:
    """A ratio with its interval."""
    return estimate(found, number, NOT_ESTIMABLE)


def points(value: float) -> str:
    """A difference of survival in percentage points."""
    return _signed(100 * value, 1)


def duration_in(unit: str) -> Printed:
    """How a time, or a difference of two, is printed: months with one decimal."""
    return lambda value: _signed(value, DECIMALS.get(unit, 1))


def _signed(value: float, decimals: int) -> str:
    text = f"{abs(value):.{decimals}f}"
    return f"−{text}" if value < 0 and float(text) else text


def chance(value: float) -> str:
    """A posterior probability, or a dash where there is none."""
    return NONE if math.isnan(value) else probability(value)


def p(value: float) -> str:
    """A P value, or a dash where there is none."""
    return NONE if math.isnan(value) else p_value(value)


def p_range(middle: float, low: float, high: float) -> str:
    """Median and range of the members' P values, the range left out where it shows nothing."""
    if math.isnan(middle):
        return NONE
    ends = p_value(low), p_value(high)
    between = "" if set(ends) == {p_value(middle)} else f" ({ends[0]}–{ends[1]})"
    return p_value(middle) + between


def term(name: str) -> str:
    """A model's term as one prints it: stage[IV] is stage = IV, I(stage - 3) is stage."""
    plain = re.sub(r"^I\((\w+) [-+] [\d.]+\)$", r"\1", name)
    return re.sub(r"\[([^\]]*)\]", r" = \1", plain).replace(":", " × ")


def signs(text: object) -> str:
    """Text with the sign for "at least"."""
    return str(text).replace(">=", "≥")


def credible(table: pd.DataFrame | None, default: float = 0.95) -> str:
    """The name of the intervals of a table: 95% CrI."""
    given = None if table is None else table.get("ci_prob")
    known = [] if given is None else pd.to_numeric(given).dropna().to_list()
    return f"{100 * (known[0] if known else default):g}% CrI"


def numbers(row: Any, *names: str) -> tuple[float, ...]:
    """Cells of a row; NaN where there is no such column."""
    return tuple(float(row.get(name, np.nan)) for name in names)
