"""Small cells: what would tell of single patients is found, and wider intervals remove it."""

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.registry.aggregate import count, table_of
from bayesurv.data.registry.engine import opened
from bayesurv.data.registry.small_cells import (
    coarsened,
    list_small,
    never_enough,
    quantities,
    small,
)

CUTS = (1.0, 2.0, 4.0, 8.0, 16.0)


@pytest.fixture
def tallies_of(tmp_path):
    def counted(frame, cuts=CUTS, formula="cti2", **endpoint):
        path = tmp_path / "patients.parquet"
        frame.to_parquet(path)
        sections = {
            "cohort": {"file": "here", "unit": "months"},
            "endpoint": {"os": {"time": "time", "event": "event"} | endpoint},
            "model": {"formula": formula, "cuts": cuts},
        }
        with opened(str(path)) as engine:
            return count(engine, sections)

    return counted


def patients(size, seed=4, scale=6.0):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "cti2": random.integers(0, 2, size),
            "time": random.exponential(scale, size) + 0.01,
            "event": random.integers(0, 2, size),
        }
    )


def test_one_leaver_is_found_though_many_are_at_risk(tallies_of):
    """Of 21 at risk one ends at 1.7182818: person-time less that of the others is its time."""
    time = [20.0] * 20 + [1.7182818]
    frame = pd.DataFrame({"cti2": 0, "time": time, "event": [1] * 20 + [0]})
    tally = tallies_of(frame, formula="1").tallies["os"]
    assert tally.at_risk[0, 1] == 21
    assert tally.person_time[0, 1] - 20 * 1.0 == pytest.approx(0.7182818, abs=1e-12)
    [found] = list_small({"os": tally}, 5)
    assert (found.interval, found.levels) == ("(1, 2]", "everyone")
    assert found.what == "1 ending, 1 ending within, 1 ending without it"


def test_one_leaver_among_those_censored_at_the_cut_is_found(tallies_of):
    """Twenty end at the cut 2 exactly: their person-time is known, so the other's is too."""
    frame = pd.DataFrame({"cti2": 0, "time": [2.0] * 20 + [1.7], "event": [0] * 15 + [1] * 6})
    tally = tallies_of(frame, formula="1").tallies["os"]
    assert tally.ended[0, 1] == 21
    [found] = list_small({"os": tally}, 5)
    assert found.what == "1 ending within"


def test_one_late_entry_is_found(tallies_of):
    entry = [0.0] * 20 + [1.3]
    frame = pd.DataFrame({"cti2": 0, "time": 20.0, "event": [1, 1, 1, 1, 1] + [0] * 16})
    tally = tallies_of(frame.assign(entry=entry), formula="1", entry="entry").tallies["os"]
    [found] = list_small({"os": tally}, 5)
    assert (found.interval, found.what) == ("(1, 2]", "1 beginning, 1 beginning within")


@pytest.mark.parametrize("fewest", [3, 5, 10])
def test_wider_intervals_leave_no_small_cell(tallies_of, fewest):
    tallies = tallies_of(patients(400), cuts=tuple(np.arange(1.0, 25.0))).tallies
    assert small(tallies["os"], fewest).any()
    wider = coarsened(tallies, fewest)
    assert list_small(wider, fewest) == []
    cuts = wider["os"].cuts
    assert set(cuts) < set(np.arange(1.0, 25.0))
    # In every set of fewer cuts nothing is small either: hospitals can take what all have left.
    for position in range(len(cuts)):
        assert not small(wider["os"].merged(position), fewest).any()


def test_wider_intervals_are_what_counting_with_those_cuts_gives(tallies_of):
    frame = patients(300)
    frame.loc[:30, "time"] = 4.0
    frame["entry"] = np.where(frame.index % 3 == 0, frame["time"] * 0.6, 0.0)
    merged = tallies_of(frame, entry="entry").tallies["os"].merged(2)
    again = tallies_of(frame, cuts=(1.0, 2.0, 8.0, 16.0), entry="entry").tallies["os"]
    assert merged.cuts == again.cuts
    assert (quantities(merged) == quantities(again)).all()
    assert merged.person_time == pytest.approx(again.person_time, rel=1e-12)


def test_a_pattern_that_is_too_small_is_named_and_does_not_cost_the_others(tallies_of):
    frame = patients(400)
    frame.loc[frame.index[:3], "cti2"] = 2
    tallies = tallies_of(frame).tallies
    assert never_enough(tallies["os"], 5).tolist() == [False, False, True]
    wider = coarsened(tallies, 5)
    assert len(wider["os"].cuts) > 0
    assert {cell.levels for cell in list_small(wider, 5)} == {"cti2 2"}


def numbers_in(table):
    """Every number of a file of counts, also those in its notes and its plan."""
    cells = table.cells.select_dtypes("number").to_numpy().ravel()
    return cells[np.isfinite(cells)]


def test_no_exported_number_is_a_patients(tallies_of):
    """Times, and what cells tell of those who leave them, with unique times of many decimals."""
    frame = patients(600)
    counted = tallies_of(frame, cuts=tuple(np.arange(1.0, 25.0)))
    table = table_of(counted, coarsened(counted.tallies, 5), ())
    assert list(table.cells.columns) == [
        *("endpoint", "cti2", "interval", "start", "stop"),
        *("patients", "entered", "ended", "events", "person_time"),
    ]
    numbers, times = numbers_in(table), frame["time"].to_numpy()
    assert np.abs(numbers[:, None] - times).min() > 1e-9
    text = repr((table.agreement, table.origins, table.notes, table.patients))
    assert not any(f"{time:.4f}" in text for time in times)
    # What is left of a cell's person-time without those who stay is a sum over 5 patients or more.
    width = table.cells["stop"] - table.cells["start"]
    stay = table.cells["patients"] - table.cells["ended"]
    left = table.cells["person_time"] - (stay * width).fillna(0)
    leaving = table.cells.loc[left > 1e-9, "ended"]
    assert len(leaving) > 4
    assert leaving.min() >= 5
    inside = left.to_numpy()[:, None] - (times - table.cells["start"].to_numpy()[:, None])
    assert np.abs(inside).min() > 1e-9
