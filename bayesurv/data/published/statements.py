"""What the founding paper and its abstract state, in our words, and how each may be checked."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

PAPER = "paper"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement that can be judged.

    id : S1, S2, ... in the order of the paper.
    statement : what it says, in our words.
    where : where it stands.
    check : name of the check that judges it.
    given : what the check looks at, by the names of the published numbers and of targets.
    reason : what else there is to say, which needs no number.
    """

    id: str
    statement: str
    where: tuple[str, ...]
    check: str
    source: str = PAPER
    given: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    reason: str = ""


@cache
def statements() -> tuple[Statement, ...]:
    """Every statement, in the order of the file."""
    text = (files(__package__) / "statements.toml").read_text(encoding="utf-8")
    return tuple(
        _statement(number, row) for number, row in enumerate(tomllib.loads(text)["statements"], 1)
    )


def _statement(number: int, row: dict[str, Any]) -> Statement:
    given = MappingProxyType(row.get("given", {}))
    return Statement(**row | {"id": f"S{number}", "where": tuple(row["where"]), "given": given})
