"""The file of counts: one row for each endpoint, pattern and interval, and what they rest on."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bayesurv.data.faults import Fault, InputError, nearest
from bayesurv.data.registry.agreement import Agreement
from bayesurv.data.registry.checks import check_cells

FORMAT = 1
KEY = b"bayesurv_counts"
WHOLE = ("patients", "entered", "ended", "events")
COUNTED = (*WHOLE, "person_time")
COLUMNS = ("endpoint", "interval", "start", "stop", *COUNTED)


@dataclass(frozen=True)
class Origin:
    """One file of patients that was counted.

    fingerprint : str
        SHA-256 of its counts, without the name of the centre; it says no more than they do.
    centre : str or None
        As named by --centre.
    """

    fingerprint: str
    centre: str | None = None


@dataclass(frozen=True, eq=False)
class CountTable:
    """Counts as a file holds them; immutable.

    cells : DataFrame
        Columns `endpoint`, the covariates (numbers or text), `interval` from 1, `start`, `stop`
        (NaN: open), `patients` (at risk in the interval), `entered` and `ended` (whose follow-up
        begins, or ends, in it), `events`, `person_time` (in the agreement's unit).
    agreement : Agreement
    patients : mapping
        Number of patients of each endpoint.
    origins : tuple of Origin
    notes : tuple of str
    """

    cells: pd.DataFrame
    agreement: Agreement
    patients: Mapping[str, int]
    origins: tuple[Origin, ...]
    notes: tuple[str, ...] = ()


def write_counts(table: CountTable, path: Path) -> None:
    """Write a file of counts: it appears whole or not at all."""
    agreement = table.agreement
    about = {
        "format": FORMAT,
        "bayesurv": version("bayesurv"),
        "plan_hash": agreement.hash,
        "plan": agreement.content(),
        "patients": dict(table.patients),
        "origins": [asdict(origin) for origin in table.origins],
        "notes": list(table.notes),
    }
    order = ["endpoint", *agreement.covariates, *COLUMNS[1:]]
    content = pa.Table.from_pandas(table.cells[order], preserve_index=False)
    content = content.replace_schema_metadata({KEY: json.dumps(about).encode()})
    partial = path.with_name(f".{path.name}.partial")
    try:
        pq.write_table(content, partial, compression="zstd")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def is_counts(path: str | Path) -> bool:
    """Whether a file holds counts, by its metadata alone."""
    path = Path(path)
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return False
    try:
        return KEY in (pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return False


def read_counts(path: str | Path) -> CountTable:
    """Read a file of counts and check every cell.

    Raises
    ------
    InputError
        It is missing, damaged, of another format, or lists every cell that cannot be true.
    """
    path = Path(path)
    content, about = _content(path)
    if about.get("format") != FORMAT:
        message = f"its format is {about.get('format')}, and this version reads {FORMAT}; "
        message += "aggregate again with the same version of bayesurv in every hospital"
        raise _refused(path, message)
    try:
        agreement = Agreement.from_content(about["plan"])
        origins = tuple(Origin(**origin) for origin in about["origins"])
        patients = {name: int(about["patients"][name]) for name in agreement.endpoints}
        notes = tuple(map(str, about["notes"]))
        kept = about["plan_hash"] == agreement.hash
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _refused(path, "what it says of itself is damaged; aggregate again") from None
    if not kept:
        raise _refused(path, "its plan does not have the hash it states; aggregate again")
    cells = content.to_pandas()
    check_cells(cells, agreement, COLUMNS, path.name)
    whole = dict.fromkeys(("interval", *WHOLE), "int64")
    return CountTable(cells.astype(whole), agreement, patients, origins, notes)


def _content(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    try:
        content = pq.read_table(path)
        about = (content.schema.metadata or {}).get(KEY)
    except FileNotFoundError:
        beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        raise _refused(path, f"no file {path}.{nearest(path.name, beside)}") from None
    except (OSError, pa.ArrowException):
        message = "it cannot be read as Parquet: it is damaged, or of another kind"
        raise _refused(path, f"{message}; copy it anew, or aggregate again") from None
    if about is None:
        raise _refused(path, "it holds no counts; make them with bayesurv aggregate")
    try:
        return content, dict(json.loads(about))
    except ValueError:
        raise _refused(path, "what it says of itself is damaged; aggregate again") from None


def _refused(path: Path, message: str) -> InputError:
    return InputError([Fault(message, path.name)])
