"""Where a result comes from: the command that was typed, and the versions that made it."""

import platform
import shlex
import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

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


def endpoint_name(provenance: Mapping[str, Any]) -> str | None:
    """The endpoint that a fit was saved as, such as "os"; None where it had no name of its own."""
    name = provenance.get("endpoint")
    return None if name == UNNAMED else name
