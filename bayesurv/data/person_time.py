"""Exact compression of follow-up: patients alike in all that a model sees become one row."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesurv.data.design import Rows


@dataclass(frozen=True, eq=False)
class Distinct:
    """Distinct lines of a table, in the order in which each first appears.

    first : (distinct,) position of the first line like it.
    member : (row,) position among the distinct lines of each line.
    count : (distinct,) number of lines that are like it.
    """

    first: np.ndarray
    member: np.ndarray
    count: np.ndarray

    @classmethod
    def of(cls, *columns: np.ndarray) -> "Distinct":
        """Find the distinct lines of columns, each `(row,)` or `(row, ...)`; NaN equals NaN."""
        table = np.column_stack([np.asarray(column, dtype=float) for column in columns])
        frame = pd.DataFrame(table)
        if not frame.shape[1]:
            member = np.zeros(len(table), dtype=int)
        else:
            by = list(frame)
            member = frame.groupby(by, sort=False, dropna=False).ngroup().to_numpy()
        _, first = np.unique(member, return_index=True)
        return cls(first, member, np.bincount(member, minlength=len(first)))


def distinct_follow_up(
    rows: Rows, entry: np.ndarray, time: np.ndarray, upper: np.ndarray, event: np.ndarray
) -> Distinct:
    """Rows with the same covariates, the same times and the same end as one, with their number."""
    return Distinct.of(*vars(rows).values(), entry, time, upper, event)


def covariate_patterns(rows: Rows) -> Distinct:
    """Rows with the same covariates as one."""
    return Distinct.of(*vars(rows).values())


def taken(rows: Rows, chosen: np.ndarray) -> Rows:
    """Some of the rows, by position."""
    return Rows(*(array[chosen] for array in vars(rows).values()))
