"""The statements of the paper: each says where it stands, and what it looks at is there."""

import re
from importlib.resources import files

import pytest

from bayesurv.data.published import wang_2025
from bayesurv.data.published.statements import statements
from bayesurv.data.reconstruct.summary import read_summary

PAPER = wang_2025()
STATED = statements()
NAMES = {
    "items": {item.name for item in PAPER.counts},
    "targets": {target.name for target in read_summary("cti2").target},
    "p_values": {item.name for item in PAPER.p_values},
    "ratio": {item.name for item in PAPER.hazard_ratios},
    "median": {item.name for item in PAPER.medians},
    "arm": set(PAPER.arms),
}
NAMES |= {"item": NAMES["items"] | {"death with infection"}, "p_value": NAMES["p_values"]}
NAMES |= {"counts": NAMES["items"], "target": NAMES["targets"], "failure": NAMES["items"]}
NAMES |= {"ranked": NAMES["median"], "times": NAMES["median"], "groups": NAMES["arm"]}
NAMES |= {"sources": set(PAPER.sources)}


def test_they_are_numbered_in_order():
    assert [each.id for each in STATED] == [f"S{n}" for n in range(1, len(STATED) + 1)]
    assert len({each.statement for each in STATED}) == len(STATED) > 60


@pytest.mark.parametrize("each", STATED, ids=lambda each: each.id)
def test_each_says_where_it_stands_and_looks_at_what_is_there(each):
    assert each.where
    assert all(each.where)
    assert each.source in PAPER.sources
    assert each.check
    for key in NAMES.keys() & each.given.keys():
        asked = each.given[key]
        assert set([asked] if isinstance(asked, str) else asked) <= NAMES[key]


def test_every_printed_p_is_judged():
    looked_at = " ".join(str(each.given) for each in STATED)
    of_counts = [item.name for item in PAPER.counts if item.p]
    assert [name for name in of_counts if f"'{name}'" not in looked_at] == []
    wanted = {f"{item.outcome} by {item.factor}" for item in PAPER.p_values}
    looked_at = looked_at.replace("salvage,", "salvage therapy,")
    assert [name for name in wanted if name not in looked_at] == []


def test_they_are_frozen():
    with pytest.raises(TypeError):
        STATED[0].given["failure"] = "another"
    with pytest.raises(AttributeError):
        STATED[0].statement = "another"


def test_no_result_stands_in_the_file():
    text = (files("bayesurv.data.published") / "statements.toml").read_text(encoding="utf-8")
    assert not re.search(r"reproduced|consistent|contradict", text)
