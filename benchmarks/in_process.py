"""Time the parts of a fit inside one process, and refits; prints seconds as JSON."""

import json
import sys
import time
import warnings

begin = time.perf_counter()
import nutpie  # noqa: E402, F401
import pymc  # noqa: E402, F401

import bayesurv as bs  # noqa: E402

_ = bs.fit, bs.Cohort, bs.Sampling
imported = time.perf_counter()

from bayesurv.inference import compile as compiling  # noqa: E402
from bayesurv.inference import sample as sampling  # noqa: E402

warnings.simplefilter("ignore")
spent: dict[str, float] = {}


def timed(module, name, label):
    """Add up the seconds spent in a function."""
    original = getattr(module, name)

    def wrapped(*arguments, **options):
        start = time.perf_counter()
        try:
            return original(*arguments, **options)
        finally:
            spent[label] = spent.get(label, 0.0) + time.perf_counter() - start

    setattr(module, name, wrapped)


timed(compiling, "compile_model", "compile")
timed(sampling, "draw", "sample")
timed(sampling, "diagnose", "diagnose")


def fit(endpoint, seed):
    """Fit one endpoint and return its seconds."""
    start = time.perf_counter()
    roles = {"time": f"{endpoint}_months", "event": f"{endpoint}_event", "unit": "months"}
    found = bs.fit(bs.Cohort.from_file(sys.argv[1], **roles), "cti2 + bulky", seed=seed)
    assert not found.failed
    return time.perf_counter() - start


first = fit("os", 1)
parts = dict(spent)
refits = []
for number in range(12):
    spent.clear()
    total = fit(("efs", "pfs", "os")[number % 3], number)
    refits.append({"total": total, **spent})
refits.sort(key=lambda refit: refit["total"])
print(json.dumps({"import": imported - begin, "first fit": first, **parts, "refit": refits[6]}))
