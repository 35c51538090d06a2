"""What is wrong with a key of DESIGN.toml, in plain words."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bayesurv.data.faults import listed, nearest
from bayesurv.plan_checks import Place, Problem
from bayesurv.plan_file import toml
from bayesurv.plan_keys import SENTENCES, Keys, RangeKeys
from bayesurv.planning.keys import INNER, SECTIONS


def checked_keys[Kind: Keys](
    kind: type[Kind], document: Mapping[str, Any]
) -> tuple[Kind | None, list[Problem]]:
    """Check each key by itself: the keys, or what is wrong."""
    try:
        return kind.model_validate(document), []
    except ValidationError as error:
        every = error.errors(include_url=False)
        return None, [_problem(e) for e in every if e["type"] != "too_short" or not e["input"]]


def _problem(found: Mapping[str, Any]) -> Problem:
    place = tuple(part for part in found["loc"] if not str(part).startswith("<"))
    kind, given, context = found["type"], found["input"], found.get("ctx", {})
    if kind == "extra_forbidden":
        return place, _unknown(place)
    if kind == "literal_error":
        expected = context["expected"].replace("'", '"')
        hint = nearest(given, expected.split('"')[1::2])
        return place, f"{toml(given)} is not {expected}{hint and '.' + hint}"
    if kind == "string_pattern_mismatch" and context["pattern"] != r"\S":
        named = place[:-1] if place[-1] == "[key]" else place
        return named, f"{toml(given)} is not a name of letters, digits and _"
    sentence = MORE.get(kind) or SENTENCES.get(kind)
    if sentence is None:
        return place, str(found["msg"])
    return place, sentence.format(given=toml(given), **context)


MORE = {
    "less_than_equal": "{given} is above {le:g}",
}


def _unknown(place: Place) -> str:
    *above, key = place
    if not above:
        return f"unknown section.{nearest(key, SECTIONS)} Sections are {listed(SECTIONS)}"
    known = list(_keys_at(above).model_fields)
    owners = [name for name, keys in SECTIONS.items() if key in keys.model_fields]
    moved = f" It belongs in [{owners[0]}]." if owners and len(above) == 1 else ""
    return f"unknown key.{moved or nearest(key, known)} Keys here are {listed(known)}"


def _keys_at(above: list[str | int]) -> type[Keys]:
    if len(above) > 1:
        return INNER.get((str(above[0]), str(above[1])), RangeKeys)
    return SECTIONS[str(above[0])]
