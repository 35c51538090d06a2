"""Designs of small studies to simulate."""

import copy

import pytest

from bayesurv.planning.design import StudyDesign

DOCUMENT = {
    "design": {
        "unit": "months",
        "treatment": "cti2",
        "patients": [40],
        "ratio": [27, 34],
        "accrual": 24,
        "follow_up": 12,
    },
    "truth": {
        "baseline": {"name": "weibull", "median": 6.0, "shape": 0.8},
        "hazard_ratio": [0.5],
    },
}


def merged(document, changes):
    """A document with other keys; None takes one away."""
    found = copy.deepcopy(document)
    for section, keys in changes.items():
        for key, value in keys.items():
            table = found.setdefault(section, {})
            table.pop(key, None)
            if value is not None:
                table[key] = value
    return found


@pytest.fixture(scope="session")
def document():
    """The keys of a small design with some of them changed."""
    return lambda **changes: merged(DOCUMENT, changes)


@pytest.fixture(scope="session")
def make_design(document):
    """A small design with some keys changed."""
    return lambda **changes: StudyDesign.from_document(document(**changes))
