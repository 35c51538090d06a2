"""Result files that appear together, beside others, or not at all."""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import mkdtemp

from bayesurv.data.faults import Fault, InputError
from bayesurv.report.folder import HIDDEN

REMEDY = "choose another with --out"


def check_files(files: Iterable[Path], inputs: Iterable[Path], mark: Path | None = None) -> None:
    """Refuse files that cannot be written, that are read, or that are of another origin.

    `mark` is the file in which an earlier run listed the names of what it wrote; without it any
    file may be replaced.

    Raises
    ------
    InputError
        There is such a file, or no folder for them.
    """
    read = [path for path in inputs if path.exists()]
    ours = None if mark is None else _written(mark)
    faults = []
    for file in files:
        folder = file.absolute().parent
        if not folder.is_dir():
            why = f"cannot be written: there is no folder {folder}"
        elif not os.access(folder, os.W_OK | os.X_OK):
            why = f"cannot be written: you may not write in {folder}"
        elif file.is_dir():
            why = "is a folder"
        elif file.exists() and any(file.samefile(path) for path in read):
            why = "is one of the files that are read"
        elif ours is not None and file.exists() and file.name not in ours:
            why = "is there already, and bayesurv did not write it"
        else:
            continue
        faults.append(Fault(f"{file} {why}; {REMEDY}"))
    if faults:
        raise InputError(faults)


def write_files(contents: Mapping[Path, str]) -> None:
    """Write text files of one folder: all are complete before the first takes its place."""
    staging = Path(mkdtemp(prefix=HIDDEN, dir=next(iter(contents)).absolute().parent))
    try:
        for file, text in contents.items():
            (staging / file.name).write_text(text, encoding="utf-8")
        for file in contents:
            os.replace(staging / file.name, file)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _written(mark: Path) -> list[str]:
    try:
        return list(json.loads(mark.read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return []
