"""Where a result comes from: the command that was typed, and the versions that made it."""

import json
import platform
import shlex
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bayesurv.report.folder import MARK

UNNAMED = "endpoint"  # the folder of an endpoint without a name

LIBRARIES = (
    "pymc",
    "pytensor",
    "nutpie",
    "numba",
    "numpy",
    "scipy",
    "pandas",
    "xarray",
    "formulae",
)


def command() -> str:
    """Command line as it can be typed again."""
    return shlex.join(["bayesurv", *sys.argv[1:]])


def versions() -> dict[str, str]:
    """Versions of Python and of every library that makes the numbers."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def write_provenance(folder: Path, **found: Any) -> None:
    """Write where the files of a folder come from, and their names: the last file that is written.

    `found` are further entries, such as seed and data.
    """
    mark = {
        "bayesurv": version("bayesurv"),
        "command": command(),
        "versions": versions(),
        **found,
        "files": sorted([*(path.name for path in folder.iterdir()), MARK]),
    }
    (folder / MARK).write_text(json.dumps(mark, indent=2) + "\n", encoding="utf-8")


def endpoint_name(provenance: Mapping[str, Any]) -> str | None:
    """The endpoint that a fit was saved as, such as "os"; None where it had no name of its own."""
    name = provenance.get("endpoint")
    return None if name == UNNAMED else name
