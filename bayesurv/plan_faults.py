"""What is wrong with the keys of a TOML document, in plain words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from bayesurv.data.faults import listed, nearest
from bayesurv.plan_checks import Place, Problem
from bayesurv.plan_file import toml

SENTENCES = {
    "missing": "missing",
    "string_type": "{given} is not text in quotes",
    "string_pattern_mismatch": "must not be empty",
    "int_type": "{given} is not a whole number",
    "bool_type": "{given} is not true or false",
    "float_type": "{given} is not a number",
    "finite_number": "{given} is not a finite number",
    "tuple_type": "{given} is not a list in brackets",
    "too_short": "must not be empty",
    "dict_type": "{given} is not a table",
    "model_type": "{given} is not a table",
    "greater_than": "{given} is not above {gt:g}",
    "greater_than_equal": "{given} is below {ge:g}",
    "less_than": "{given} is not below {lt:g}",
    "less_than_equal": "{given} is above {le:g}",
    "value_error": "{error}",
}


@dataclass(frozen=True)
class Vocabulary:
    """What a kind of document may hold, and what it says in words of its own.

    sections : the keys of each section.
    keys_at : the keys that may stand at a place below the top.
    own : the problem in the document's own words, or None, of a fault as pydantic describes it.
    """

    sections: Mapping[str, type[BaseModel]]
    keys_at: Callable[[list[str | int]], type[BaseModel]]
    own: Callable[[Place, Mapping[str, Any]], Problem | None]


def checked[Kind: BaseModel](
    kind: type[Kind], document: Mapping[str, Any], vocabulary: Vocabulary
) -> tuple[Kind | None, list[Problem]]:
    """Check each key of a document by itself: the keys, or what is wrong."""
    try:
        return kind.model_validate(document), []
    except ValidationError as error:
        # A list of wrong items is called too short as well, though it is not empty.
        every = error.errors(include_url=False)
        shown = [each for each in every if each["type"] != "too_short" or not each["input"]]
        return None, [_problem(each, vocabulary) for each in shown]


def _problem(found: Mapping[str, Any], vocabulary: Vocabulary) -> Problem:
    place = tuple(part for part in found["loc"] if not str(part).startswith("<"))
    kind, given, context = found["type"], found["input"], found.get("ctx", {})
    if kind == "extra_forbidden":
        return place, _unknown(place, vocabulary)
    if kind == "literal_error":
        expected = context["expected"].replace("'", '"')
        hint = nearest(given, expected.split('"')[1::2])
        return place, f"{toml(given)} is not {expected}{hint and '.' + hint}"
    said = vocabulary.own(place, found)
    if said is not None:
        return said
    sentence = SENTENCES.get(kind, found["msg"].replace("{", "{{").replace("}", "}}"))
    return place, sentence.format(given=toml(given), **context)


def _unknown(place: Place, vocabulary: Vocabulary) -> str:
    *above, key = place
    sections = vocabulary.sections
    if not above:
        return f"unknown section.{nearest(key, sections)} Sections are {listed(sections)}"
    known = list(vocabulary.keys_at(above).model_fields)
    owners = [name for name, keys in sections.items() if key in keys.model_fields]
    moved = f" It belongs in [{owners[0]}]." if owners and len(above) == 1 else ""
    return f"unknown key.{moved or nearest(key, known)} Keys here are {listed(known)}"
