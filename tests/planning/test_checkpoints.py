"""Finished batches on disk: whole or as good as none, and of one design only."""

import os

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from bayesurv.data.faults import InputError
from bayesurv.planning.batches import STUDIES, Batch
from bayesurv.planning.checkpoints import Checkpoints
from bayesurv.planning.cluster import Here, place
from bayesurv.planning.simulation import run, simulation_of

TABLE = {
    "log_ratio": np.array([0.1, 0.2]),
    "probability": np.array([[0.5, np.nan], [0.9, 0.95]]),
    "method": np.array([["laplace", ""], ["laplace", "nuts"]]),
}
BATCH = Batch("proportional 0.5", 40, 0, 2)


@pytest.fixture
def simulation(make_design):
    return simulation_of(make_design(simulation={"replicates": 2}))


@pytest.fixture
def checkpoints(tmp_path, simulation):
    found = Checkpoints(tmp_path / "out", simulation)
    found.open()
    return found


def test_what_is_written_is_read(checkpoints):
    assert checkpoints.read(BATCH) is None
    checkpoints.write(BATCH, TABLE)
    found = checkpoints.read(BATCH)
    assert found.keys() == TABLE.keys()
    for name, values in TABLE.items():
        assert_array_equal(found[name], values)


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_damaged_file_is_as_good_as_none(checkpoints, keep):
    checkpoints.write(BATCH, TABLE)
    file = checkpoints.folder / BATCH.name
    content = file.read_bytes()
    file.write_bytes(content[: keep if keep in (0, 10) else int(keep * len(content))])
    assert checkpoints.read(BATCH) is None


def test_flipped_bits_are_found(checkpoints):
    checkpoints.write(BATCH, TABLE)
    file = checkpoints.folder / BATCH.name
    content = bytearray(file.read_bytes())
    start = content.index(b"probability.npy") + len(b"probability.npy")
    content[start + 40] ^= 0xFF
    file.write_bytes(bytes(content))
    assert checkpoints.read(BATCH) is None


def test_batches_of_another_design_are_refused_by_name(tmp_path, checkpoints, make_design):
    checkpoints.write(BATCH, TABLE)
    other = Checkpoints(tmp_path / "out", simulation_of(make_design(simulation={"seed": 5})))
    with pytest.raises(InputError) as refused:
        other.check()
    said = str(refused.value)
    for words in (str(other.folder), checkpoints.digest, other.digest, "delete", "--out"):
        assert words in said
    checkpoints.check()
    assert checkpoints.read(BATCH) is not None


def test_a_folder_of_unknown_origin_is_refused_too(checkpoints):
    checkpoints.write(BATCH, TABLE)
    (checkpoints.folder / "design.json").write_text("{")
    with pytest.raises(InputError, match="design unknown"):
        checkpoints.check()


def test_an_empty_folder_is_taken_away_and_another_kept(checkpoints):
    checkpoints.write(BATCH, TABLE)
    checkpoints.withdraw()
    assert checkpoints.folder.is_dir()
    (checkpoints.folder / BATCH.name).unlink()
    checkpoints.withdraw()
    assert not checkpoints.folder.parent.exists()


def test_finished_batches_are_not_run_again(checkpoints, simulation):
    [null, half] = sorted(
        simulation.batches(), key=lambda batch: batch.scenario != "proportional 1"
    )
    whole = run(simulation, checkpoints, Here(), lambda done, batches: None)
    (checkpoints.folder / half.name).unlink()
    kept = checkpoints.read(null)
    checkpoints.write(null, kept | {"events": kept["events"] + 1000})
    heard = []
    again = run(
        simulation, checkpoints, Here(), lambda done, batches: heard.append((done, batches))
    )
    assert heard == [(1, 2), (2, 2)]
    assert (again[null.scenario, 40]["events"] > 1000).all()
    for name, values in whole[half.scenario, 40].items():
        assert_array_equal(again[half.scenario, 40][name], values)


def test_more_replicates_go_on_from_those_that_are_there(make_design):
    def first_files(replicates):
        design = make_design().with_options(replicates, None)
        batches = simulation_of(design).batches()
        return {batch.name for batch in batches if batch.count == STUDIES}

    assert first_files(2 * STUDIES) < first_files(3 * STUDIES)


def test_one_worker_is_this_process():
    with place(1, None, 100) as where:
        assert isinstance(where, Here)
    with place(None, None, 1) as where:
        assert isinstance(where, Here)


def test_nothing_half_written_is_left(checkpoints, monkeypatch):
    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.write(BATCH, TABLE)
    assert checkpoints.read(BATCH) is None
