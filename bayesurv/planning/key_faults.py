"""What may stand in a DESIGN.toml, and what is said of its names."""

from collections.abc import Mapping
from typing import Any

from bayesurv.plan_checks import Place, Problem
from bayesurv.plan_faults import Vocabulary
from bayesurv.plan_file import toml
from bayesurv.plan_keys import Keys, RangeKeys
from bayesurv.planning.keys import INNER, SECTIONS


def _keys_at(above: list[str | int]) -> type[Keys]:
    if len(above) > 1:
        return INNER.get((str(above[0]), str(above[1])), RangeKeys)
    return SECTIONS[str(above[0])]


def _own(place: Place, found: Mapping[str, Any]) -> Problem | None:
    """What is said of names that a design gives itself."""
    if found["type"] != "string_pattern_mismatch" or found["ctx"]["pattern"] == r"\S":
        return None
    named = place[:-1] if place[-1] == "[key]" else place
    return named, f"{toml(found['input'])} is not a name of letters, digits and _"


VOCABULARY = Vocabulary(SECTIONS, _keys_at, _own)
