"""The published numbers: whole, consistent with each other, and read with their decimals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesurv.data.published import denominators, rounding_interval, rounds_to, wang_2025

PAPER = wang_2025()
PRINTED = (*PAPER.counts, *PAPER.medians, *PAPER.p_values, *PAPER.hazard_ratios, *PAPER.flow)


def test_how_much_is_there():
    assert PAPER.arms == ("CTI2", "non-CTI2")
    assert PAPER.patients == (27, 34)
    by_kind = {kind: sum(x.p is not None for x in getattr(PAPER, kind))
               for kind in ("counts", "medians", "p_values", "hazard_ratios")}  # fmt: skip
    assert by_kind == {"counts": 25, "medians": 3, "p_values": 23, "hazard_ratios": 1}


def test_every_number_says_where_it_is_printed_and_by_whom():
    assert all(item.where and all(item.where) for item in PRINTED)
    assert {item.source for item in PRINTED} == set(PAPER.sources)
    assert "CC BY-NC-ND 4.0" in PAPER.sources["paper"]["licence"]


@pytest.mark.parametrize("item", PAPER.counts, ids=lambda item: item.name)
def test_counts_fill_their_groups(item):
    assert item.table.shape == (len(item.table), len(item.groups))
    assert (item.table.sum(axis=0) == item.of).all()
    assert (item.table >= 0).all()
    assert len(item.table) in (len(item.levels), len(item.levels) + 1)
    for count, percent, of in zip(item.counts[0], item.percent, item.of, strict=bool(item.percent)):
        assert rounds_to(100 * count / of, str(percent))


def test_counts_agree_with_each_other():
    response, failure = PAPER.named("best response to CTI1"), PAPER.named("failure of CTI1")
    assert np.array_equal(response.table[:2].sum(axis=0), failure.table[0])
    assert np.array_equal(response.table[2], failure.table[1])
    infected = PAPER.named("infection, grade >= 3")
    assert PAPER.named("type of infection").of == infected.counts[0]
    assert PAPER.named("death with infection, of deaths").of == PAPER.named("deaths").counts[0]
    before, palliative, included = (step.patients for step in PAPER.flow)
    assert before - palliative == included == sum(PAPER.patients)


def test_medians_lie_in_their_ranges():
    for item in PAPER.medians:
        for lower, middle, upper in zip(item.lower, item.median, item.upper, strict=True):
            assert lower <= middle <= upper
        assert len(item.groups) == len(item.median)


def test_contradictions_are_about_numbers_that_are_there():
    known = {item.name for item in (*PAPER.counts, *PAPER.medians)}
    known |= {item.factor for item in PAPER.hazard_ratios}
    assert {name for each in PAPER.contradictions for name in each.about} <= known


def test_a_name_gives_the_papers_own_numbers_first():
    assert PAPER.named("response at day 30").p == "0.014"
    with pytest.raises(StopIteration):
        PAPER.named("no such item")


@pytest.mark.parametrize(
    ("value", "printed", "same"),
    [
        (0.0136, "0.014", True),
        (0.0135, "0.014", True),
        (0.0145, "0.014", True),
        (0.0134, "0.014", False),
        (0.9996, "1.000", True),
        (0.9994, "1.000", False),
        (0.0009, "<0.001", True),
        (0.0011, "<0.001", False),
        (42.1, "42", True),
    ],
)
def test_rounding_to_the_printed_decimals(value, printed, same):
    assert rounds_to(value, printed) is same


@given(st.floats(0, 1), st.integers(1, 5))
def test_a_number_lies_in_the_interval_of_its_rounding(value, decimals):
    printed = f"{value:.{decimals}f}"
    lower, upper = rounding_interval(printed)
    assert lower - 1e-9 <= value <= upper + 1e-9
    assert upper - lower == pytest.approx(10**-decimals)


def test_percentages_of_igg_have_one_denominator_each():
    assert denominators(8, 42, 27) == [19]
    assert denominators(4, 16, 34) == [25]
    assert denominators(1, 50, 10) == [2]
    assert denominators(1, 99, 10) == []
    assert denominators(0, 0, 3) == [1, 2, 3]
