"""Where a result comes from: the command that was typed, and the versions that made it."""

import platform
import shlex
import sys
from importlib.metadata import version

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
