"""An output folder that appears whole or not at all."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bayesurv.data.faults import Fault, InputError

MARK = "provenance.json"
HIDDEN = ".bayesurv-"  # a folder of this name is one that a killed run was writing
REMEDY = "choose another with --out"


def check_output(out: Path) -> None:
    """Refuse an output folder that cannot be written, or that holds something else.

    Raises
    ------
    InputError
        It is a file, its place is not writable, or it holds files of another origin.
    """
    if out.is_dir():
        foreign = any(not name.startswith(HIDDEN) for name in os.listdir(out))
        if foreign and _written(out) is None:
            message = f"output folder {out} holds files that bayesurv did not write"
            raise InputError([Fault(f"{message}; {REMEDY}")])
    place = next(p for p in [out, *out.absolute().parents] if os.path.lexists(p))
    if not place.is_dir():
        raise _refused(out, f"{place} is a file")
    if not os.access(place, os.W_OK | os.X_OK):
        raise _refused(out, f"you may not write in {place}")


def _refused(out: Path, why: str | None) -> InputError:
    return InputError([Fault(f"output folder {out} cannot be written ({why}); {REMEDY}")])


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Give a hidden folder to write into, and move what is in it to `out` at the end.

    Results of an earlier run in `out` are replaced; other files in it stay. On an error or an
    interrupt nothing has changed.
    """
    check_output(out)
    # Inside an existing folder, so that nothing moves between disks (out may be mounted).
    place = out if out.is_dir() else out.absolute().parent
    missing = [folder for folder in (place, *place.parents) if not folder.exists()]
    staging = place / f"{HIDDEN}{secrets.token_hex(4)}"
    try:
        try:
            staging.mkdir(parents=True)
        except OSError as error:
            raise _refused(out, error.strerror) from None
        yield staging
        try:
            if place == out:
                _replace(staging, out)
            else:
                os.rename(staging, out)
        except OSError as error:
            raise _refused(out, f"{error.strerror}: {error.filename}") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for folder in missing:
            with suppress(OSError):  # the results are in it
                folder.rmdir()


def _replace(staging: Path, out: Path) -> None:
    """Swap what an earlier run wrote for what this one did; undone if it stops half-way."""
    new = sorted(os.listdir(staging), key=lambda name: name == MARK)
    old = [name for name in {*(_written(out) or ()), *new} if os.path.lexists(out / name)]
    aside = staging / f"{HIDDEN}old"
    aside.mkdir()
    moves = [(out / name, aside / name) for name in old]
    moves += [(staging / name, out / name) for name in new]
    try:
        for source, target in moves:
            os.rename(source, target)
    except BaseException:
        for source, target in reversed(moves):
            if not os.path.lexists(source):
                os.rename(target, source)
        raise


def _written(out: Path) -> list[str] | None:
    """Top-level names that an earlier run in this folder recorded; None if there was none."""
    try:
        mark = json.loads((out / MARK).read_text(encoding="utf-8"))
        if "bayesurv" not in mark:
            return None
        # A name leads nowhere else, whatever stands in a damaged file.
        return [name for name in mark["files"] if name != ".." and name == Path(name).name != ""]
    except (OSError, ValueError, KeyError, TypeError):
        return None
