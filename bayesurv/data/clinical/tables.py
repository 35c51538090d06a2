"""Clinical tables from CSV files or a workbook: every cell typed by the schema, faults listed."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from zipfile import BadZipFile

import pandas as pd

from bayesurv.data.clinical.cells import typed_cells
from bayesurv.data.clinical.checks import UNREAD, check_patients, check_records
from bayesurv.data.clinical.dates import parse_format
from bayesurv.data.clinical.schema import TABLES
from bayesurv.data.faults import Checklist, Fault, InputError, listed, nearest
from bayesurv.data.read import read_table

MISSPELT = 0.85  # how alike a name must be to a column that is absent
DICTIONARY = "dictionary"  # the sheet of a template that is not a table


@dataclass(frozen=True)
class Tables:
    """Clinical tables that passed every check; made by `read_tables` or `check_tables`.

    Parameters
    ----------
    frames : mapping of DataFrame
        By table, every column of the schema: dates, numbers and text, None where missing. The
        index is the line of each row in its file.
    given : mapping of tuple of str
        The columns of each table that have a value in any row.
    sources : mapping of str
        Name of each table's file.
    notes : tuple of str
        What was ignored, and how a file was read where that was not plain.
    """

    frames: Mapping[str, pd.DataFrame]
    given: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, str]
    notes: tuple[str, ...] = ()


def read_tables(
    files: Iterable[str | Path], *, date_format: str = "YYYY-MM-DD", cutoff: date | None = None
) -> Tables:
    """Read and check clinical tables.

    Parameters
    ----------
    files : iterable of str or Path
        Files named after their table (patients.csv) or given as patients=PATH; or one .xlsx
        workbook with a sheet for each table.
    date_format : str
        Of every date that is text.
    cutoff : date, optional
        No date may be later.

    Raises
    ------
    InputError
        A file cannot be read, or its content is at fault.
    """
    frames, sources = {}, {}
    notes: list[str] = []
    for name, path, sheet in _places(list(map(str, files))):
        frame = read_table(path, sheet, rows_needed=name == "patients")
        if frame.empty:
            notes.append(f"{path.name} has no rows and was left aside")
            continue
        frames[name] = frame
        sources[name] = f"{path.name}, sheet {sheet}" if sheet else path.name
        notes.extend(frames[name].attrs.get("notes", ()))
    return check_tables(
        frames, date_format=date_format, cutoff=cutoff, sources=sources, notes=tuple(notes)
    )


def check_tables(
    frames: Mapping[str, pd.DataFrame],
    *,
    date_format: str = "YYYY-MM-DD",
    cutoff: date | None = None,
    sources: Mapping[str, str] | None = None,
    notes: tuple[str, ...] = (),
) -> Tables:
    """Check clinical tables, all faults at once.

    Parameters
    ----------
    frames : mapping of DataFrame
        By table: patients, and any of assessments, adverse_events and labs.
    date_format, cutoff
        As `read_tables`.
    sources : mapping of str, optional
        What to call each table in a message; else its name.
    notes : tuple of str
        Kept with the tables.

    Raises
    ------
    InputError
        A column or cell is missing, unknown or out of range; dates contradict each other; a patient
        is absent, or there twice.
    """
    sources = dict(sources or {name: name for name in frames})
    _check_names(frames)
    frames = {
        name: frame if frame.index.is_unique else frame.reset_index(drop=True)
        for name, frame in frames.items()
    }
    pattern = parse_format(date_format)
    remarks: list[str] = []
    checks = {name: Checklist(sources[name], frames[name].index) for name in frames}
    typed = {}
    for name, check in checks.items():
        remarks += _check_columns(check, name, frames[name])
        typed[name] = typed_cells(check, name, frames[name], pattern)
    check_patients(checks["patients"], typed["patients"], cutoff)
    for name, check in checks.items():
        if name != "patients":
            check_records(check, name, typed[name], typed["patients"], cutoff)
    faults = [fault for name in TABLES if name in checks for fault in checks[name].faults]
    if faults:
        raise InputError(faults)
    sound = {name: frame.drop(columns=UNREAD) for name, frame in typed.items()}
    given = {name: tuple(frame.columns[frame.notna().any()]) for name, frame in sound.items()}
    return Tables(sound, given, sources, (*notes, *remarks))


def named(file: str) -> tuple[str, Path]:
    """Name and path of a table that is given as patients.csv, or as patients=PATH."""
    name, given, place = file.partition("=")
    return (name, Path(place)) if given else (Path(file).stem, Path(file))


def _places(files: list[str]) -> list[tuple[str, Path, str | None]]:
    """Table, file and sheet of everything that is to be read."""
    if len(files) == 1 and files[0].lower().endswith(".xlsx") and "=" not in files[0]:
        path = Path(files[0])
        return [(sheet, path, sheet) for sheet in _sheets(path)]
    places: list[tuple[str, Path, str | None]] = []
    faults = []
    for name, path in map(named, files):
        if name not in TABLES:
            message = f"not the name of a table.{nearest(name, TABLES)} Name the file after its "
            message += f"table ({listed(TABLES)}), or write e.g. patients={path}"
            faults.append(Fault(message, path.name))
        elif name in [known for known, *_ in places]:
            faults.append(Fault(f"the table {name} is given twice", path.name))
        places.append((name, path, None))
    if faults:
        raise InputError(faults)
    return places


def _sheets(path: Path) -> list[str]:
    """The sheets of a workbook that hold a table with rows."""
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            pd.ExcelFile(path, engine="openpyxl") as book,
        ):
            pages = {page.title: page.max_row for page in book.book.worksheets}
    except (BadZipFile, ImportError, KeyError, OSError, ValueError):
        read_table(path)  # says why it cannot be read
        raise
    unknown = [name for name in pages if name not in (*TABLES, DICTIONARY)]
    faults = [
        Fault(f'the sheet "{name}" is none of {listed(TABLES)}.{nearest(name, TABLES)}', path.name)
        for name in unknown
    ]
    if faults:
        raise InputError(faults)
    return [name for name in TABLES if pages.get(name, 0) > 1]


def _check_names(frames: Mapping[str, pd.DataFrame]) -> None:
    faults = [
        Fault(f'"{name}" is not a clinical table.{nearest(name, TABLES)}')
        for name in frames
        if name not in TABLES
    ]
    for name, frame in frames.items():
        for column in frame.columns[frame.columns.duplicated()].unique():
            message = "several columns have this name; give each its own"
            faults.append(Fault(message, name, column=str(column)))
    if "patients" not in frames:
        faults.append(Fault("the table patients is missing; the others cannot do without it"))
    if faults:
        raise InputError(faults)


def _check_columns(check: Checklist, name: str, frame: pd.DataFrame) -> list[str]:
    """Refuse absent columns and misspelt ones; return a note on those that are ignored."""
    known = [column.name for column in TABLES[name]]
    absent = [column for column in known if column not in frame]
    for column in TABLES[name]:
        if column.required and column.name in absent:
            check.add("the column is missing", column=column.name)
    ignored = []
    for other in map(str, frame):
        if other in known:
            continue
        if get_close_matches(other.lower(), absent, n=1, cutoff=MISSPELT):
            hint = nearest(other, absent)
            check.add(f"not a column of {name}.{hint} Rename it, or leave it out", column=other)
        else:
            ignored.append(other)
    return [f"Columns of {name} that are not in the schema: {listed(ignored)}"] if ignored else []
