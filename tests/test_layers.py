"""Imports point one way, and PyMC and nutpie are used where they belong."""

import ast
from pathlib import Path

import bayesurv

PACKAGE = Path(bayesurv.__file__).parent
FIT = "data models inference posterior fitting refitting responding"
ALLOWED = {
    "data": "data",
    "models": "data models",
    "inference": "inference",
    "frequentist": "data frequentist",
    "posterior": "data models posterior",
    "fitting": "data models inference posterior fitting",
    "refitting": FIT,
    "responding": "data models inference posterior fitting responding",
    "ensembles": "data models inference posterior fitting refitting ensembles",
    "estimands": f"{FIT} ensembles frequentist estimands",
    "calibrating": "data models inference posterior fitting estimands calibrating",
    "saved": f"{FIT} saved",
    "plots": "frequentist estimands plots",
    "plan": "data models inference plan",
    "planning": f"{FIT} estimands saved plan planning",
    "report": f"{FIT} calibrating ensembles estimands saved frequentist plots plan planning report",
    "cli": f"{FIT} ensembles estimands saved frequentist plots plan planning report cli",
    "__init__": f"{FIT} ensembles estimands saved",
}
PYMC = ("models/build.py", "inference/")


def layer(name):
    return next((part for part in ("plan", "cli") if name.startswith(f"{part}_")), name)


def imported(tree):
    """Modules that a source imports, also inside functions and under TYPE_CHECKING."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def violations(path, source):
    """What the source of a file, by its path in the package, imports or opens against the rules."""
    here = layer(path.removesuffix(".py").partition("/")[0])
    found = ["pm.Model("] if "pm.Model(" in source and path != "models/build.py" else []
    for name in imported(ast.parse(source)):
        top, _, rest = name.partition(".")
        if top == "bayesurv" and layer(rest.partition(".")[0]) not in ALLOWED[here].split():
            found.append(name)
        if top == "nutpie" and here != "inference":
            found.append(name)
        if top in ("pymc", "pytensor") and not path.startswith(PYMC):
            found.append(name)
    return found


def test_every_file_keeps_to_its_layer():
    files = {p.relative_to(PACKAGE).as_posix(): p.read_text("utf-8") for p in PACKAGE.rglob("*.py")}
    assert len(files) > 30
    found = {path: violations(path, source) for path, source in files.items()}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_a_planted_violation_is_found():
    assert violations("data/cohort.py", "def f():\n    from bayesurv.models.build import build")
    assert violations("inference/sample.py", "from bayesurv.data import cohort")
    assert violations("plots/curves.py", "from bayesurv.plan_keys import Keys")
    assert violations("models/priors.py", "import pymc as pm")
    assert violations("fitting.py", "import nutpie")
    assert violations("models/baselines.py", "with pm.Model() as model:\n    pass")
    assert not violations("inference/sample.py", "import nutpie\nimport pymc")
    assert not violations("models/build.py", "import pymc as pm\nwith pm.Model() as model:\n    1")
