"""What `bayesurv reconstruct` writes and says."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.faults import InputError
from bayesurv.data.reconstruct import draw
from bayesurv.data.reconstruct.summary import read_summary
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.identified import identified, largest_gaps, quantities
from bayesurv.frequentist.log_rank import log_rank
from bayesurv.frequentist.recomputed import residual
from bayesurv.plots.reconstruct import plot_identified
from bayesurv.report.reconstruct import run_reconstruct

SUMMARY = Path(__file__).parents[1] / "reference" / "data" / "small_trial.toml"
SIBLINGS = {
    "small.parquet", "small.targets.csv", "small.residuals.csv", "small.identified.csv",
    "small.identified.png", "small.identified.svg", "small.identified.pdf", "small.provenance.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reconstruct")
    answer = run_reconstruct(str(SUMMARY), 4, 3, folder / "small.parquet")
    return folder, answer


def test_the_files(written):
    folder, _ = written
    assert {path.name for path in folder.iterdir()} == SIBLINGS
    mark = json.loads((folder / "small.provenance.json").read_text(encoding="utf-8"))
    assert (mark["seed"], mark["members"]) == (3, 4)
    assert set(mark["files"]) == SIBLINGS
    patients = pd.read_parquet(folder / "small.parquet")
    assert list(patients.columns[:4]) == ["member", "patient", "synthetic", "new"]
    assert patients["synthetic"].all()
    assert patients.groupby("member").size().tolist() == [33] * 4


def test_residuals_are_those_of_the_patients(written):
    folder, _ = written
    patients = pd.read_parquet(folder / "small.parquet")
    table = pd.read_csv(folder / "small.residuals.csv", dtype={"printed": str})
    for member, rows in patients.groupby("member"):
        own = table[table["member"] == member].set_index("target")
        test = log_rank(rows["os_months"], rows["os_event"], rows["new"])
        assert own.loc["OS, log-rank", "found"] == pytest.approx(test.p)
        columns = rows[["bulky", "new"]].to_numpy(float)
        fit = cox(rows["pfs_months"], rows["pfs_event"], columns, ["bulky", "new"], ties="breslow")
        ratio = own.loc["PFS by bulky"].set_index("quantity")
        assert ratio.loc["hazard ratio", "found"] == pytest.approx(np.exp(fit.coefficient[0]))
        assert ratio.loc["P", "found"] == pytest.approx(fit.p()[0])
    assert (table["residual"] == 0).all()


def test_targets_say_what_members_have(written):
    folder, answer = written
    table = pd.read_csv(folder / "small.targets.csv", dtype={"printed": str})
    assert (table["met"] == 4).all()
    assert (table["lowest"] <= table["highest"]).all()
    median = table.set_index("target").loc["OS, median of the old"]
    assert 10.15 <= median["lowest"] <= median["highest"] <= 10.25
    assert "4 synthetic cohorts of 33 patients" in answer.sentence
    assert f"{len(table)} of {len(table)} printed results" in answer.sentence
    assert any("none of them is the patients" in note for note in answer.notes)
    assert any("not one solution" in note for note in answer.notes)


def test_the_same_command_gives_the_same_cohorts(written, tmp_path):
    folder, _ = written
    run_reconstruct(str(SUMMARY), 4, 3, tmp_path / "small.parquet")
    pd.testing.assert_frame_equal(
        pd.read_parquet(folder / "small.parquet"), pd.read_parquet(tmp_path / "small.parquet")
    )


def test_what_it_refuses(tmp_path, written):
    folder, _ = written
    with pytest.raises(InputError, match=r"not the name of a \.parquet file"):
        run_reconstruct(str(SUMMARY), 4, 3, tmp_path / "small.csv")
    with pytest.raises(InputError, match="--members: 0 is not above 0"):
        run_reconstruct(str(SUMMARY), 0, 3, tmp_path / "small.parquet")
    (tmp_path / "other.parquet").write_bytes(b"somebody's")
    with pytest.raises(InputError, match="bayesurv did not write it"):
        run_reconstruct(str(SUMMARY), 4, 3, tmp_path / "other.parquet")
    assert (tmp_path / "other.parquet").read_bytes() == b"somebody's"


def test_the_command(tmp_path, monkeypatch, bayesurv):
    monkeypatch.setattr(draw, "ATTEMPTS", 1)
    out = tmp_path / "small.parquet"
    ran = bayesurv("reconstruct", SUMMARY, "--members", 2, "--seed", 5, "--out", out)
    assert ran.code == 0, ran.error
    assert "met in" in ran.out
    assert out.exists()
    assert not list(tmp_path.glob(".*"))  # nothing is left of a run that ended well


# --- What is identified ---


def frame(seed, n=40):
    random = np.random.default_rng(seed)
    time = np.round(random.exponential(10, 33) + 0.1, 2)
    return pd.DataFrame(
        {
            "new": np.repeat([1, 0], [15, 18]),
            "os_months": time,
            "os_event": (random.random(33) < 0.6).astype(int),
            "pfs_months": time / 2,
            "pfs_event": 1,
            "bulky": random.integers(0, 2, 33),
            "response": random.choice(["CR", "PR", "none"], 33),
        }
    )


def test_quantities_of_one_cohort():
    summary, patients = read_summary(SUMMARY), frame(1)
    found = quantities(summary, patients)
    fit = cox(patients["os_months"], patients["os_event"], patients[["new"]].to_numpy(float), ["x"])
    assert found["OS: hazard ratio of new"] == pytest.approx(np.exp(fit.coefficient[0]))
    treated = patients[patients["new"] == 1]
    assert found["OS: events, new"] == treated["os_event"].sum()
    assert found["response = CR, new"] == (treated["response"] == "CR").sum()
    assert found["PFS: median, new"] == pytest.approx(treated["pfs_months"].median())


def test_what_varies_as_starts_do_is_left_open():
    random = np.random.default_rng(0)
    starts = [{"open": x, "pinned": x, "fixed": x} for x in random.normal(0, 1, 200)]
    members = [{"open": x, "pinned": 0.1 * x, "fixed": 3.0} for x in random.normal(0, 1, 200)]
    table = identified(members, starts).set_index("quantity")
    assert table["verdict"].to_dict() == {
        "open": "left open",
        "pinned": "pinned down",
        "fixed": "fixed",
    }
    assert table.loc["pinned", "share"] == pytest.approx(0.1, rel=0.3)
    axes = plot_identified(table.reset_index())
    assert [text.get_text() for text in axes.get_yticklabels()] == ["open", "pinned", "fixed"]


def test_gaps_between_cohorts():
    summary, first, second = read_summary(SUMMARY), frame(1), frame(2)
    gaps = largest_gaps(summary, [first, first, second], [(0, 1), (0, 2)])
    assert gaps[0] == 0
    assert 0 < gaps[1] <= 1


@pytest.mark.parametrize(
    ("value", "printed", "expected"),
    [
        (0.0484, "0.048", 0),
        (0.0475, "0.048", 0),
        (0.0486, "0.048", 0.0001),
        (0.0004, "<0.001", 0),
        (0.002, "<0.001", 0.001),
        (0.04, ">0.05", 0.01),
        (1.67, "1.665", 0.0045),
    ],
)
def test_residuals(value, printed, expected):
    assert residual(value, printed) == pytest.approx(expected, abs=1e-8)
