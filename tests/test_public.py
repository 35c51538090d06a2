"""The public names, and what importing the package costs."""

import subprocess
import sys
from pathlib import Path

import pytest

import bayesurv

HEAVY = ("pymc", "pytensor", "nutpie", "numba", "pandas", "numpy", "scipy", "matplotlib")


def python(code):
    """What a fresh interpreter prints."""
    run = [sys.executable, "-c", code]
    return subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("name", bayesurv.__all__)
def test_public_name(name):
    assert getattr(bayesurv, name).__name__ == name


def test_names_are_few_and_known_to_the_type_checker():
    assert 20 < len(bayesurv.__all__) <= 40
    source = Path(bayesurv.__file__).read_text(encoding="utf-8")
    assert [name for name in bayesurv.__all__ if f"import {name} as {name}\n" not in source] == []


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'hazzard'"):
        _ = bayesurv.hazzard


def test_command_line_imports_nothing_heavy():
    code = f"import sys, bayesurv.cli; print([m for m in {HEAVY} if m in sys.modules])"
    assert python(code) == "[]"
    assert python(code.replace("bayesurv.cli", "bayesurv.fitting")) != "[]"


@pytest.mark.parametrize(
    "first", ["import bayesurv.fitting", "from bayesurv import prior", "import bayesurv.saved"]
)
def test_fit_and_prior_are_functions_whatever_came_first(first):
    code = f"{first}\nimport bayesurv as bs\nprint(bs.fit.__module__, bs.prior.__module__)"
    assert python(code) == "bayesurv.fitting bayesurv.fitting"
