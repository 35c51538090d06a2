"""An output folder that appears whole or not at all."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bayesurv.data.faults import Fault, InputError

MARK = "provenance.json"


def check_output(out: Path) -> None:
    """Refuse an output folder that cannot be written, or that holds something else.

    Raises
    ------
    InputError
        It is a file, its place is not writable, or it holds files of another origin.
    """
    if out.exists() and not out.is_dir():
        raise InputError([Fault(f"output folder {out} is a file; choose another name")])
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        message = f"output folder {out} holds files that bayesurv did not write; choose another"
        raise InputError([Fault(message)])
    place = next(p for p in [out, *out.absolute().parents] if p.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        message = f"output folder {out} cannot be written ({place} is not writable)"
        raise InputError([Fault(f"{message}; choose another with --out")])


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Give a hidden folder beside `out` to write into, and move it into place at the end.

    Results of an earlier run in `out` are replaced; other files in it stay. On an error or an
    interrupt nothing of `out` has changed.
    """
    check_output(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        message = f"output folder {out} cannot be written ({error.strerror})"
        raise InputError([Fault(f"{message}; choose another with --out")]) from None
    try:
        yield staging
        staging.chmod(0o755)
        _move_into_place(staging, out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _move_into_place(staging: Path, out: Path) -> None:
    """Replace what an earlier run wrote by what this one did, the marker file last."""
    if not out.exists():
        os.rename(staging, out)
        return
    for name in _written(out):
        _remove(out / name)
    for path in sorted(staging.iterdir(), key=lambda p: p.name == MARK):
        _remove(out / path.name)
        os.rename(path, out / path.name)


def _written(out: Path) -> list[str]:
    """Top-level names that the earlier run in this folder recorded."""
    try:
        return list(json.loads((out / MARK).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError):
        return []


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
