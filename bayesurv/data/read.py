"""Read a table from a file, every cell as it stands there; and say what one cell means."""

import csv
import io
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, time
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from bayesurv.data.faults import Checklist, Fault, InputError, listed, nearest

MISSING = ("", "NA", "NaN", "nan", ".")
"""Text that means "no value", besides an empty cell; nothing else is taken as missing."""

FLAGS = {"true": "1", "false": "0"}
DELIMITERS = {".csv": ",;\t", ".tsv": "\t", ".txt": "\t;,"}
DELIMITER_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs"}
WHOLE_NUMBER = re.compile(r"([+-]?\d+)\.0+")

Line = tuple[int, list]


def read_table(
    path: str | Path, sheet: str | None = None, *, rows_needed: bool = True
) -> pd.DataFrame:
    """Read CSV, TSV, Parquet or Excel; cells of text files stay text, nothing is guessed.

    Parameters
    ----------
    path : str or Path
        A .csv, .tsv, .txt, .parquet or .xlsx file; text is UTF-8, the first line names the columns.
    sheet : str, optional
        Which sheet of an Excel workbook; needed where there are several.
    rows_needed : bool
        Whether a table with a header alone is refused.

    Returns
    -------
    DataFrame
        Its index is the line of each row in the file (header: line 1); rows of a Parquet file count
        from 1. ``attrs["notes"]`` says how the file was read where that was not plain.

    Raises
    ------
    InputError
        The file is missing, unreadable, empty, malformed, wrongly encoded, or of another kind.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in READERS:
        raise _refused(path.name, f'a "{kind}" file cannot be read; use {listed(READERS)}')
    if sheet is not None and kind != ".xlsx":
        raise _refused(path.name, f'sheet "{sheet}" was asked for, but only Excel has sheets')
    content = _content(path)
    if not content.strip():
        raise _refused(path.name, "the file is empty")
    table = READERS[kind](path, content, sheet)
    if rows_needed and table.empty:
        raise _refused(path.name, "the file names its columns but has no rows")
    return table


def _refused(file: str, message: str, row: int | None = None) -> InputError:
    return InputError([Fault(message, file, row)])


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise _refused(path.name, f"{path} is a folder, not a file")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        raise _refused(path.name, f"no file {path}.{nearest(path.name, beside)}") from None
    except OSError as error:
        raise _refused(path.name, f"{path} cannot be read: {error.strerror}") from None


def _read_text(path: Path, content: bytes, sheet: None) -> pd.DataFrame:
    text = _decoded(path.name, content)
    header = re.sub(r'"[^"]*"', "", text.lstrip().partition("\n")[0])
    choices = DELIMITERS[path.suffix.lower()]
    delimiter = next((choice for choice in choices if choice in header), choices[0])
    check = Checklist(path.name)
    table = _assembled(check, _records(check, text, delimiter))
    if delimiter != choices[0]:
        table.attrs["notes"] = (f"{path.name} has {DELIMITER_NAMES[delimiter]} between columns",)
    return table


def _decoded(file: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _refused(
            file,
            f"the byte at position {error.start} (0x{content[error.start]:02x}) is not UTF-8; "
            'save the file as UTF-8 (in Excel: "CSV UTF-8")',
            line,
        ) from None


def _records(check: Checklist, text: str, delimiter: str) -> Iterator[Line]:
    """Each record with the line it starts on; a quoted field may run over several lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    try:
        for fields in reader:
            yield start, fields
            start = reader.line_num + 1
    except csv.Error as error:
        check.add(f'a quotation mark (") is not closed or stands alone: {error}', row=start)


def _assembled(check: Checklist, lines: Iterable[Line]) -> pd.DataFrame:
    """Header and rows as a table, without blank lines and without blank, unnamed columns."""
    filled = [(line, cells) for line, cells in lines if not all(map(_blank, cells))]
    if not filled:
        check.add("the file is empty")
        check.finish()
    (top, header), rows = filled[0], filled[1:]
    names = ["" if _blank(name) else str(name).strip() for name in header]
    _check_shape(check, top, names, rows)
    check.finish()
    columns = {}
    for place, name in enumerate(names):
        cells = [cells[place] for _, cells in rows]
        if name or not all(map(_blank, cells)):
            columns[name or f"column {place + 1}"] = cells
    return pd.DataFrame(columns, index=pd.Index([line for line, _ in rows]), dtype=object)


def _check_shape(check: Checklist, top: int, names: list[str], rows: list[Line]) -> None:
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        places = listed(place for place, other in enumerate(names, start=1) if other == name)
        check.add(
            f"the name is used {names.count(name)} times (columns {places}); "
            "give every column its own name",
            row=top,
            column=name,
        )
    for line, cells in rows:
        if len(cells) != len(names):
            check.add(
                f"{len(cells)} fields, but the header has {len(names)}; look for a delimiter too "
                "many or too few, and put text that contains one in double quotes",
                row=line,
            )


def _blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _read_parquet(path: Path, content: bytes, sheet: None) -> pd.DataFrame:
    import pyarrow as pa

    try:
        table = pd.read_parquet(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise _refused(path.name, f"not a readable Parquet file: {error}") from None
    if any(name is not None for name in table.index.names):
        table = table.reset_index()
    return table.set_axis(pd.RangeIndex(1, len(table) + 1), axis="index")


def _read_excel(path: Path, content: bytes, sheet: str | None) -> pd.DataFrame:
    # Not python-calamine: it returns error cells (#N/A, #VALUE!) as empty ones.
    try:
        from openpyxl import load_workbook
    except ImportError:
        remedy = "install what reads Excel with: pip install 'bayesurv[excel]'; or save it as CSV"
        raise _refused(path.name, remedy) from None
    try:
        with warnings.catch_warnings(action="ignore"):
            book = load_workbook(io.BytesIO(content), data_only=True)
    except (BadZipFile, KeyError, ValueError):
        raise _refused(
            path.name, "not a readable .xlsx workbook; save it anew, without a password"
        ) from None
    sheets = {page.title: page for page in book.worksheets}
    if sheet is None and len(sheets) > 1:
        raise _refused(path.name, f"name the sheet; the workbook has {listed(sheets)}")
    chosen = sheet or next(iter(sheets))
    if chosen not in sheets:
        suggestion = nearest(chosen, sheets)
        raise _refused(path.name, f'no sheet "{chosen}".{suggestion} It has {listed(sheets)}')
    lines = enumerate(map(list, sheets[chosen].iter_rows(values_only=True)), start=1)
    return _assembled(Checklist(path.name), lines)


READERS: dict[str, Callable[..., pd.DataFrame]] = {
    ".csv": _read_text,
    ".tsv": _read_text,
    ".txt": _read_text,
    ".parquet": _read_parquet,
    ".xlsx": _read_excel,
}


def as_text(values: Iterable) -> list[str | None]:
    """Cells as stripped text, None where missing; a whole number reads the same (1) in any type."""
    return [_text(cell) for cell in values]


def _text(cell: object) -> str | None:
    if isinstance(cell, str):
        stripped = cell.strip()
        whole = WHOLE_NUMBER.fullmatch(stripped)
        return whole[1] if whole else None if stripped in MISSING else stripped
    if pd.isna(cell) is True:
        return None
    if isinstance(cell, float | np.floating) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    return str(cell)


def as_numbers(values: pd.Series, *, flags: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Cells as floats, NaN where missing; and which cells, shape (row,), are no numbers at all.

    With `flags`, true and false, in any case, count as 1 and 0.
    """
    is_bool = pd.api.types.is_bool_dtype(values)
    if pd.api.types.is_numeric_dtype(values) and (flags or not is_bool):
        numbers = values.to_numpy(dtype=float, na_value=np.nan, copy=True)
        return numbers, np.zeros(len(values), dtype=bool)
    numbers = np.full(len(values), np.nan)
    wrong = np.zeros(len(values), dtype=bool)
    for position, text in enumerate(as_text(values)):
        if text is None:
            continue
        if flags:
            text = FLAGS.get(text.lower(), text)
        try:
            numbers[position] = float(text.replace("_", "?"))
        except ValueError:
            wrong[position] = True
    return numbers, wrong
