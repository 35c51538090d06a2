"""What is wrong with the user's input, said so that a person can repair it."""

import difflib
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

MOST_LISTED = 20
LONGEST_VALUE = 40


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the input: where it stands, what is wrong, and what is allowed."""

    message: str
    file: str | None = None
    row: int | str | None = None
    column: str | None = None
    value: object = None

    def __str__(self) -> str:
        row = None if self.row is None else f"row {self.row}"
        column = None if self.column is None else f"column {self.column}"
        place = ", ".join(part for part in (self.file, row, column) if part)
        return f"{place}: {self.message}" if place else self.message


class InputError(ValueError):
    """The input cannot be used; lists every fault, up to 20, then how many more.

    Parameters
    ----------
    faults : iterable of Fault
        Kept whole in ``faults``, also beyond the 20 that are printed.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        if len(self.faults) == 1:
            return str(self.faults[0])
        lines = [f"{len(self.faults)} faults:", *map(str, self.faults[:MOST_LISTED])]
        if len(self.faults) > MOST_LISTED:
            lines.append(f"... and {len(self.faults) - MOST_LISTED} more")
        return "\n  ".join(lines)


@dataclass
class Checklist:
    """Collects the faults of one table, so that all are raised together.

    Parameters
    ----------
    source : str
        Name of the file, or "DataFrame".
    rows : sequence, (row,)
        What a person calls each row: its line in the file, or its index label.
    """

    source: str
    rows: Any = ()
    faults: list[Fault] = field(default_factory=list)

    def add(
        self,
        message: str,
        *,
        row: Hashable = None,
        column: str | None = None,
        value: object = None,
    ) -> None:
        """Note one fault; `row` is the row's label."""
        if row is not None:
            row = int(row) if isinstance(row, int | np.integer) else str(row)
        self.faults.append(Fault(message, self.source, row, column, value))

    def refuse(
        self, wrong: ArrayLike, column: str | None, message: str, **cells: ArrayLike
    ) -> None:
        """Note a fault at every row where `wrong`, shape (row,), is true.

        `message` may name each of the `cells`, shape (row,), in braces; the one called `value` is
        also kept in the fault.
        """
        columns = {name: np.asarray(cell, dtype=object) for name, cell in cells.items()}
        for position in np.flatnonzero(wrong):
            here = {name: cell[position] for name, cell in columns.items()}
            said = message.format(**{name: shown(cell) for name, cell in here.items()})
            self.add(said, row=self.rows[position], column=column, value=here.get("value"))

    def finish(self) -> None:
        """Raise InputError if anything was noted."""
        if self.faults:
            raise InputError(self.faults)


def nearest(name: object, allowed: Iterable[str]) -> str:
    """Suggest the allowed name most like `name`: ' Did you mean "weibull"?', or '' if none is."""
    by_lower = {str(known).lower(): known for known in allowed}
    match = difflib.get_close_matches(str(name).lower(), by_lower, n=1)
    return f' Did you mean "{by_lower[match[0]]}"?' if match else ""


def listed(names: Iterable[object]) -> str:
    """Names with commas between them, up to 20, then how many more."""
    every = [str(name) for name in names]
    more = f" and {len(every) - MOST_LISTED} more" if len(every) > MOST_LISTED else ""
    return ", ".join(every[:MOST_LISTED]) + more


def shown(value: object) -> str:
    """A cell as an error message prints it: text in quotes and cut at 40 characters."""
    if isinstance(value, str):
        cut = value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE] + "..."
        return f'"{cut}"'
    return str(value)
