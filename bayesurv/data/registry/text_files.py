"""Text files that DuckDB is to read: their header and delimiter, and why it could not."""

import csv
import gzip
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bayesurv.data.faults import Fault, InputError
from bayesurv.data.read import DELIMITERS

TEXT = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
LINE = re.compile(r"CSV Error on Line: (\d+)")
# What DuckDB says of a line without quoting it, and in other words.
REASONS = {
    r"Expected Number of Columns: (\d+) Found: (\d+)": "{1} cells where there are {0} columns",
    r"Invalid unicode|not utf-8": 'not UTF-8; save the file as UTF-8 (in Excel: "CSV UTF-8")',
    r"[Uu]nterminated quote|quote should be followed": 'a quotation mark (") is not closed',
    r"Maximum line size": "a line of more than 2 million characters; is a quotation mark open?",
}


def read_text(connection: Any, paths: Sequence[str]) -> Any:
    """A table of text files with the same columns, every cell as text: nothing is guessed.

    Raises
    ------
    InputError
        A file is empty, not UTF-8, names a column twice, or has other columns than the first.
    """
    faults: list[Fault] = []
    headers: list[tuple[str, list[str]]] = []
    for path in paths:
        try:
            headers.append(_header(Path(path)))
        except InputError as error:
            faults += error.faults
            continue
        _, names = headers[-1]
        faults += [
            Fault("several columns have this name; give each its own", Path(path).name, column=name)
            for name in dict.fromkeys(n for n in names if names.count(n) > 1)
        ]
        if headers[-1] != headers[0]:
            message = f"has other columns, or another delimiter, than {Path(paths[0]).name}"
            faults.append(Fault(message, Path(path).name))
    if faults:
        raise InputError(faults)
    delimiter, names = headers[0]
    form = {"delim": delimiter, "quote": '"', "escape": '"', "auto_detect": False, "header": True}
    return connection.read_csv(list(paths), columns=dict.fromkeys(names, "VARCHAR"), **form)


def _header(path: Path) -> tuple[str, list[str]]:
    """The delimiter of a file and its columns."""
    opening = gzip.open if path.suffix == ".gz" else open
    try:
        with opening(path, "rt", encoding="utf-8-sig", newline="") as file:
            line = file.readline()
    except UnicodeDecodeError:
        message = 'not UTF-8; save the file as UTF-8 (in Excel: "CSV UTF-8")'
        raise InputError([Fault(message, path.name)]) from None
    except (OSError, EOFError) as error:
        raise InputError([Fault(f"{path} cannot be read: {error}", path.name)]) from None
    if not line.strip():
        raise InputError([Fault("the file is empty, or its first line is", path.name)])
    bare = re.sub(r'"[^"]*"', "", line)
    choices = DELIMITERS[".tsv" if ".tsv" in path.suffixes else ".csv"]
    delimiter = next((choice for choice in choices if choice in bare), choices[0])
    names = next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter))
    return delimiter, [name.strip() for name in names]


def reason(error: Exception) -> str | None:
    """Why a text file could not be read, and where, without a word of its content."""
    said = str(error)
    line = LINE.search(said)
    if line is None:
        return None
    for pattern, words in REASONS.items():
        if found := re.search(pattern, said):
            return f"line {line[1]}: {words.format(*found.groups())}"
    return f"line {line[1]} is not as the others are"
