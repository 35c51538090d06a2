"""A file of counts: read as it was written, and every cell that cannot be true named."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bayesurv.data.counts import Counts, is_counts
from bayesurv.data.faults import InputError
from bayesurv.data.registry.agreement import Agreement
from bayesurv.data.registry.table import KEY, CountTable, Origin, read_counts, write_counts


def table_of(**changes):
    """Two patterns of four intervals: stage I and II, in months."""
    agreement = Agreement(
        unit="months",
        endpoints={"os": {"time": "os_months", "event": "os_event"}},
        covariates=("stage",),
        reference={},
        ordinal={},
        coding={},
        cuts=(3.0, 8.0, 15.0),
        clock={},
    )
    cells = pd.DataFrame(
        {
            "endpoint": "os",
            "stage": np.repeat(["I", "II"], 4),
            "interval": [1, 2, 3, 4] * 2,
            "start": [0.0, 3.0, 8.0, 15.0] * 2,
            "stop": [3.0, 8.0, 15.0, np.nan] * 2,
            "patients": [20, 15, 10, 5, 30, 25, 20, 10],
            "entered": [20, 0, 0, 0, 30, 0, 0, 0],
            "ended": [5, 5, 5, 5, 5, 5, 10, 10],
            "events": [2, 3, 5, 0, 4, 5, 1, 6],
            "person_time": [55.5, 60.0, 50.25, 33.0, 85.0, 110.0, 120.0, 60.5],
        }
    )
    made = CountTable(cells, agreement, {"os": 50}, (Origin("abc", "Rome"),), ("a note",))
    return replace(made, **changes)


def written(tmp_path, **changes):
    path = tmp_path / "counts.parquet"
    write_counts(table_of(**changes), path)
    return path


def with_cell(column, row, value):
    cells = table_of().cells
    if isinstance(value, float):
        cells = cells.astype({column: float})
    cells.loc[row, column] = value
    return cells


def test_a_file_is_read_as_it_was_written(tmp_path):
    path = written(tmp_path)
    assert is_counts(path)
    table, made = read_counts(path), table_of()
    pd.testing.assert_frame_equal(table.cells, made.cells, check_column_type=False)
    assert table.agreement == made.agreement
    assert table.agreement.hash == made.agreement.hash
    assert (table.patients, table.origins, table.notes) == (made.patients, made.origins, made.notes)
    assert [p.name for p in tmp_path.iterdir()] == ["counts.parquet"]


def test_counts_are_arrays_by_pattern_and_interval(tmp_path):
    shuffled = table_of().cells.sample(frac=1, random_state=2)
    counts = Counts.from_file(written(tmp_path, cells=shuffled))
    assert counts.covariates["stage"].tolist() == ["I", "II"]
    assert counts.events.tolist() == [[2, 3, 5, 0], [4, 5, 1, 6]]
    assert counts.at_risk[1].tolist() == [30, 25, 20, 10]
    assert counts.person_time[0].tolist() == [55.5, 60.0, 50.25, 33.0]
    assert (counts.n_patients, counts.n_events, counts.endpoint) == (50, 26, "os")
    assert counts.digest() == Counts.from_file(written(tmp_path)).digest()


def test_other_files_are_no_counts(tmp_path, frame):
    path = tmp_path / "cohort.parquet"
    frame.to_parquet(path)
    assert not is_counts(path)
    assert not is_counts(tmp_path / "nowhere.parquet")
    with pytest.raises(InputError, match="cohort.parquet: it holds no counts; make them with"):
        read_counts(path)
    with pytest.raises(InputError, match='no file .*Did you mean "cohort.parquet"'):
        read_counts(tmp_path / "cohorts.parquet")


# Row (from 0), column, value, and what is said; rows are told from 1.
IMPOSSIBLE = [
    (1, "person_time", -1.0, "row 2, column person_time: -1.0 is below 0"),
    (1, "person_time", np.nan, "row 2, column person_time: nan is no number"),
    (1, "person_time", 0.0, "row 2, column person_time: is 0, but there are 3 events"),
    (1, "person_time", 75.1, "row 2, column person_time: 75.1 is more than 15 patients can have"),
    (2, "events", 12, "row 3, column events: 12 events are more than the 10 patients at risk"),
    (0, "events", 6, "row 1, column events: 6 events are more than the 5 whose follow-up ended"),
    (2, "events", 4.5, "row 3, column events: 4.5 is not a whole number"),
    (3, "ended", 6, "row 4, column ended: 6 is more than the 5 patients"),
    (0, "interval", 9, "row 1, column interval: 9 is not an interval of the 4 that the cuts make"),
    (1, "stop", 9.0, "row 2, column stop: 9.0 is not 8.0, as the cuts say"),
    (1, "interval", 1, "row 2, column interval: interval 1 of this pattern is there already"),
    (5, "stage", None, "row 6, column stage: is missing"),
    (5, "endpoint", "pfs", 'row 6, column endpoint: "pfs" is not one of the endpoints os'),
]


@pytest.mark.parametrize(("row", "column", "value", "said"), IMPOSSIBLE)
def test_cells_that_cannot_be_true_are_named(tmp_path, row, column, value, said):
    path = written(tmp_path, cells=with_cell(column, row, value))
    with pytest.raises(InputError) as caught:
        read_counts(path)
    assert f"counts.parquet, {said}" in str(caught.value)


def test_a_pattern_without_an_interval_is_named(tmp_path):
    cells = table_of().cells.drop(index=6)
    with pytest.raises(InputError, match="row 5, column interval: this pattern has 3 intervals"):
        read_counts(written(tmp_path, cells=cells))


def test_columns_must_be_those_of_counts(tmp_path):
    path = written(tmp_path)
    content = pq.read_table(path)
    about = content.schema.metadata[KEY]
    renamed = content.rename_columns({"person_time": "persontime"})
    pq.write_table(renamed.replace_schema_metadata({KEY: about}), path)
    with pytest.raises(InputError) as caught:
        read_counts(path)
    said = str(caught.value)
    assert 'column person_time: no such column. Did you mean "persontime"?' in said
    assert "column persontime: is no column of counts" in said


def changed(path, change):
    content = pq.read_table(path)
    about = json.loads(content.schema.metadata[KEY])
    change(about)
    pq.write_table(content.replace_schema_metadata({KEY: json.dumps(about)}), path)
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda about: about.update(format=9), "its format is 9, and this version reads 1"),
        (lambda about: about["plan"].update(cuts=[3.0, 8.0]), "does not have the hash it states"),
        (lambda about: about.pop("origins"), "what it says of itself is damaged"),
        (lambda about: about.update(plan=3), "what it says of itself is damaged"),
    ],
)
def test_damaged_metadata_is_named(tmp_path, change, said):
    with pytest.raises(InputError, match=f"counts.parquet: .*{said}"):
        read_counts(changed(written(tmp_path), change))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_cut_short_is_refused(tmp_path, share):
    path = written(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert not is_counts(path)
    with pytest.raises(InputError, match="counts.parquet: it cannot be read as Parquet"):
        read_counts(path)


def test_metadata_that_is_no_json_is_refused(tmp_path):
    path = written(tmp_path)
    pq.write_table(pq.read_table(path).replace_schema_metadata({KEY: b"{"}), path)
    with pytest.raises(InputError, match="what it says of itself is damaged"):
        read_counts(path)


def test_declared_levels_type_the_covariates(tmp_path):
    agreement = replace(table_of().agreement, reference={"stage": "II"})
    counts = Counts.from_file(written(tmp_path, agreement=agreement))
    assert list(counts.covariates["stage"].cat.categories) == ["II", "I"]
    declared = {"ordinal": {"stage": ("II", "I")}, "coding": {"stage": "linear"}}
    counts = Counts.from_file(
        written(tmp_path, agreement=replace(table_of().agreement, **declared))
    )
    assert counts.covariates["stage"].cat.ordered
    lacking = written(tmp_path, agreement=replace(table_of().agreement, reference={"stage": "IV"}))
    with pytest.raises(InputError, match='column stage: no row has the reference level "IV"'):
        Counts.from_file(lacking)


def test_the_plan_of_a_fit_must_mean_the_same(tmp_path):
    counts = Counts.from_file(written(tmp_path))
    plan = table_of().agreement
    counts.check_plan(plan)
    counts.check_plan(replace(plan, covariates=()))
    other = replace(plan, unit="days", cuts=(3.0, 9.0), reference={"stage": "II"})
    with pytest.raises(InputError) as caught:
        counts.check_plan(other)
    said = str(caught.value)
    assert "the unit of time: months against days" in said
    assert "the cuts: 3, 8, 15 against 3, 9" in said
    assert "the reference levels: none against stage (II)" in said
    with pytest.raises(InputError, match="no such column, which the formula needs"):
        counts.check_plan(replace(plan, covariates=("bulky", "stage")))
    with pytest.raises(InputError, match="other columns for endpoint os"):
        counts.check_plan(replace(plan, endpoints={"os": {"time": "t", "event": "e"}}))


def test_the_endpoint_is_named_where_there_are_several(tmp_path):
    cells = pd.concat([table_of().cells, table_of().cells.assign(endpoint="pfs")])
    roles = {"time": "os_months", "event": "os_event"}
    agreement = replace(table_of().agreement, endpoints={"os": roles, "pfs": roles})
    path = written(tmp_path, cells=cells, agreement=agreement, patients={"os": 50, "pfs": 50})
    assert Counts.from_file(path, "pfs").n_events == 26
    with pytest.raises(InputError, match="name the endpoint; there are os, pfs"):
        Counts.from_file(path)
    with pytest.raises(InputError, match='no endpoint "efs". Did you mean "pfs"'):
        Counts.from_file(path, "efs")


def test_what_is_agreed_does_not_depend_on_the_form_of_the_formula():
    def hash_of(formula, **other):
        sections = {
            "cohort": {"file": "a.csv", "unit": "months"},
            "endpoint": {"os": {"time": "t", "event": "e", "entry": None}},
            "model": {"formula": formula, "cuts": (3, 8)},
        }
        return Agreement.from_plan(sections | other, ["cti2", "centre", "t"]).hash

    assert hash_of("cti2 + (1 | centre)") == hash_of("(cti2 | centre)")
    assert hash_of("cti2 + (1 | centre)") != hash_of("cti2")
    elsewhere = {"cohort": {"file": "b.parquet", "unit": "months", "id": "pid"}}
    assert hash_of("cti2", **elsewhere) == hash_of("cti2")
    declared = {"cohort": {"file": "b.csv", "unit": "months", "reference": {"cti2": "1"}}}
    assert hash_of("cti2", **declared) != hash_of("cti2")
    assert hash_of("cti2", sampling={"seed": 3}) == hash_of("cti2")


def test_arrow_text_is_text(tmp_path):
    path = written(tmp_path)
    assert pq.read_schema(path).field("stage").type in (pa.string(), pa.large_string())
