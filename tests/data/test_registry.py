"""Counting where the patients are: as a cohort would be counted, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.cohort import Cohort
from bayesurv.data.counts import Counts
from bayesurv.data.faults import InputError
from bayesurv.data.registry.aggregate import count, fingerprint, table_of
from bayesurv.data.registry.engine import Engine, opened
from bayesurv.data.registry.patterns import Limits
from bayesurv.data.time_zero import delayed_entry, landmark

CUTS = (3.0, 8.0, 15.0)
COUNTED = ("at_risk", "entered", "ended", "events")


@pytest.fixture
def sections():
    """A plan's sections, as Plan.model_dump() has them."""
    return {
        "cohort": {"file": "here.csv", "unit": "months", "missing": "error"},
        "endpoint": {"os": {"time": "os_months", "event": "os_event"}},
        "model": {"formula": "cti2 + stage", "cuts": CUTS},
    }


@pytest.fixture
def many():
    """1,500 patients, times with all their decimals, some at a cut."""
    random = np.random.default_rng(11)
    size = 1500
    time = random.exponential(9.0, size) + 0.01
    time[:40] = random.choice(CUTS, 40)
    return pd.DataFrame(
        {
            "cti2": random.integers(0, 2, size),
            "bulky": random.random(size) < 0.3,
            "stage": random.choice(["I", "II", "10"], size),
            "os_months": time,
            "os_event": random.integers(0, 2, size),
        }
    )


def counts_of(path, sections, endpoint="os", table=None, **options):
    with opened(str(path), table) as engine:
        counted = count(engine, sections, **options)
    made = table_of(counted, counted.tallies, ())
    return Counts.from_table(made, "counts", endpoint), made


def assert_same(found, expected):
    order = list(expected.covariates)
    assert found.covariates[order].astype(str).equals(expected.covariates.astype(str))
    for name in COUNTED:
        assert (getattr(found, name) == getattr(expected, name)).all(), name
    assert found.person_time == pytest.approx(expected.person_time, rel=1e-12)
    assert found.n_patients == expected.n_patients


def written(frame, tmp_path, kind):
    path = tmp_path / f"patients.{kind}"
    frame.to_parquet(path) if kind == "parquet" else frame.to_csv(path, index=False)
    return path


# --- The same as the cohort's ---


@pytest.mark.parametrize("kind", ["parquet", "csv"])
@pytest.mark.parametrize("formula", ["cti2 + bulky + stage", "1"])
def test_a_source_is_counted_as_its_cohort(tmp_path, many, sections, kind, formula):
    sections["model"]["formula"] = formula
    found, _ = counts_of(written(many, tmp_path, kind), sections)
    cohort = Cohort.from_frame(many, time="os_months", event="os_event", unit="months")
    names = [] if formula == "1" else ["bulky", "cti2", "stage"]
    assert_same(found, Counts.from_cohort(cohort, CUTS, names))


def test_the_numbers_do_not_depend_on_the_order_the_parts_or_the_kind(tmp_path, many, sections):
    first = counts_of(written(many, tmp_path, "csv"), sections)[1].origins
    folder = tmp_path / "parts"
    folder.mkdir()
    for i in range(7):
        part = many.iloc[i::7].sample(frac=1, random_state=i)
        part.to_parquet(folder / f"part{i}.parquet")
    assert counts_of(folder, sections)[1].origins == first
    assert counts_of(folder / "part*.parquet", sections)[1].origins == first


def test_a_table_of_a_database_is_counted(tmp_path, many, sections):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(tmp_path / "registry.duckdb") as connection:
        connection.execute("CREATE TABLE patients AS SELECT * FROM many")
    address = f"duckdb://{tmp_path}/registry.duckdb"
    found, _ = counts_of(address, sections, table="patients")
    cohort = Cohort.from_frame(many, time="os_months", event="os_event", unit="months")
    assert_same(found, Counts.from_cohort(cohort, CUTS, ["cti2", "stage"]))
    again, _ = counts_of(address, sections, table="main.patients")
    assert again.digest() == found.digest()
    with pytest.raises(InputError, match='no table "patient".*Did you mean "patients"'):
        counts_of(address, sections, table="patient")
    with pytest.raises(InputError, match="name the table: --table TABLE"):
        counts_of(address, sections)


def test_delayed_entry_and_rows_that_touch(tmp_path, sections):
    rows = pd.DataFrame(
        {
            "id": ["A", "A", "A", "B", "C", "C"],
            "cti2": [0, 0, 1, 1, 0, 0],
            "start": [0.0, 2.0, 5.0, 4.0, 1.0, 9.0],
            "stop": [2.0, 5.0, 9.0, 20.0, 3.0, 16.0],
            "died": [0, 0, 1, 0, 0, 1],
        }
    )
    sections["cohort"]["id"] = "id"
    sections["endpoint"] = {"os": {"time": "stop", "event": "died", "entry": "start"}}
    sections["model"]["formula"] = "cti2"
    found, _ = counts_of(written(rows, tmp_path, "csv"), sections)
    cohort = Cohort.from_frame(
        rows, time="stop", event="died", entry="start", id="id", unit="months"
    )
    by_row = Counts.from_cohort(cohort, CUTS, ["cti2"])
    assert found.person_time == pytest.approx(by_row.person_time, rel=1e-12)
    assert (found.events == by_row.events).all()
    assert found.n_patients == 3
    # Untreated: A in one spell (0, 5] of two rows that touch, C in two spells.
    assert found.entered.tolist() == [[2, 0, 1, 0], [0, 2, 0, 0]]
    assert found.ended.tolist() == [[1, 1, 0, 1], [0, 0, 1, 1]]
    assert found.at_risk.tolist() == [[2, 1, 1, 1], [0, 2, 2, 1]]


@pytest.mark.parametrize(("key", "moved"), [("landmark", landmark), ("enter_at", delayed_entry)])
def test_the_clock_is_moved_as_for_a_cohort(tmp_path, many, sections, key, moved):
    sections["time_zero"] = {key: 2.5}
    found, _ = counts_of(written(many, tmp_path, "parquet"), sections)
    cohort = Cohort.from_frame(many, time="os_months", event="os_event", unit="months")
    expected = Counts.from_cohort(moved(cohort, 2.5), CUTS, ["cti2", "stage"])
    assert_same(found, expected)
    assert found.notes == (f"[time_zero] {key} = 2.5",)


def test_missing_covariates_are_counted_refused_or_left_out(tmp_path, many, sections):
    many["stage"] = many["stage"].where(many.index % 10 != 0, " NA ")
    path = written(many, tmp_path, "csv")
    with pytest.raises(InputError, match="missing in 150 of 1500 rows"):
        counts_of(path, sections)
    sections["cohort"]["missing"] = "drop"
    found, _ = counts_of(path, sections)
    known = many[many["stage"] != " NA "]
    cohort = Cohort.from_frame(known, time="os_months", event="os_event", unit="months")
    assert_same(found, Counts.from_cohort(cohort, CUTS, ["cti2", "stage"]))
    assert found.notes == ("Left out: stage is missing in 150 of 1500 rows",)


def test_a_patient_without_a_covariate_is_left_out_whole(tmp_path, sections):
    rows = pd.DataFrame(
        {
            "id": ["A", "A", "B", "C"],
            "cti2": [0, None, 1, 0],
            "start": [0.0, 2.0, 0.0, 0.0],
            "stop": [2.0, 5.0, 9.0, 20.0],
            "died": [0, 1, 1, 0],
        }
    )
    sections["cohort"] |= {"id": "id", "missing": "drop"}
    sections["endpoint"] = {"os": {"time": "stop", "event": "died", "entry": "start"}}
    sections["model"]["formula"] = "cti2"
    found, _ = counts_of(written(rows, tmp_path, "parquet"), sections)
    assert found.n_patients == 2
    assert found.person_time.sum() == 29
    assert found.notes == ("Left out: 1 of 3 patients without a covariate",)


def test_the_centre_is_added_where_no_column_has_it(tmp_path, many, sections):
    sections["model"]["formula"] = "cti2 + (cti2 | centre)"
    path = written(many, tmp_path, "parquet")
    found, table = counts_of(path, sections, centre="7")
    assert found.covariates["centre"].tolist() == ["7", "7"]
    assert [origin.centre for origin in table.origins] == ["7"]
    other = counts_of(path, sections, centre="Rome")[1]
    assert other.origins[0].fingerprint == table.origins[0].fingerprint
    with pytest.raises(InputError, match="no column 'centre'.* --centre NAME"):
        counts_of(path, sections)
    sections["model"]["formula"] = "cti2 + (1 | stage)"
    with pytest.raises(InputError, match="the source has stage already"):
        counts_of(path, sections, centre="Rome")


# --- What is refused ---

FAULTS = {
    "os_months": [
        ("abc", 'os_months: not a number in 1 row, such as "abc"'),
        ("", "os_months: missing in 1 row"),
        ("-2", r"os_months: below 0 in 1 row, the lowest -2\.0"),
        ("0", "os_months: 0 in 1 row, .* half a day"),
        ("inf", "os_months: not finite"),
    ],
    "os_event": [
        ("2", 'os_event: neither 0 nor 1 in 1 row, such as "2"; write 1 for an event'),
        ("yes", 'os_event: neither 0 nor 1 in 1 row, such as "yes"'),
        ("NA", "os_event: missing in 1 row"),
    ],
}


@pytest.mark.parametrize(
    ("column", "cell", "said"), [(c, cell, said) for c in FAULTS for cell, said in FAULTS[c]]
)
def test_faulty_cells_are_counted_and_named(tmp_path, many, sections, column, cell, said):
    many = many.astype({column: object})
    many.loc[7, column] = cell
    with pytest.raises(InputError, match=f"patients.csv, column {said}") as caught:
        counts_of(written(many, tmp_path, "csv"), sections)
    assert len(caught.value.faults) == 1


def test_every_kind_of_fault_is_listed_at_once(tmp_path, many, sections):
    sections["endpoint"]["os"] |= {"entry": "start", "upper": "upper"}
    many = many.assign(start=0.0, upper=many["os_months"])
    many.loc[[3, 4], "start"] = 400.0
    many.loc[5, "start"] = -1.0
    many.loc[6, "upper"] = 900.0
    many.loc[8, "os_months"] = np.nan
    with pytest.raises(InputError) as caught:
        counts_of(written(many, tmp_path, "parquet"), sections)
    told = [f"{fault.column}: {fault.message}" for fault in caught.value.faults]
    starts = ["os_months: missing in 1 row", "start: below 0", "start: not before os_months in 2"]
    starts += ["upper: other than os_months in 1 row"]
    assert len(told) == 4
    for beginning, line in zip(starts, told, strict=True):
        assert line.startswith(beginning)


def test_true_and_false_are_events(tmp_path, many, sections):
    expected = counts_of(written(many, tmp_path, "csv"), sections)[1].origins
    many["os_event"] = many["os_event"].map({1: "TRUE", 0: "False"})
    assert counts_of(written(many, tmp_path, "csv"), sections)[1].origins == expected


def test_patients_in_several_rows_are_refused(tmp_path, many, sections):
    sections["cohort"]["id"] = "pid"
    many["pid"] = many.index // 2
    with pytest.raises(InputError, match="750 patients have several rows for os"):
        counts_of(written(many, tmp_path, "parquet"), sections)
    sections["endpoint"]["os"]["entry"] = "start"
    many["start"] = 0.0
    with pytest.raises(InputError, match="750 rows overlap an earlier row"):
        counts_of(written(many.assign(os_event=0), tmp_path, "parquet"), sections)


def test_a_number_that_tells_patients_apart_is_refused(tmp_path, many, sections):
    sections["model"]["formula"] = "cti2 + age"
    many["age"] = 20 + 0.05 * many.index
    path = written(many, tmp_path, "csv")
    with pytest.raises(InputError, match="column age: has 1500 different values.*into groups"):
        counts_of(path, sections)
    with pytest.raises(InputError, match="make more than 50 patterns .*age has the most values"):
        counts_of(path, sections, limits=Limits(1, 50))


def test_the_plan_must_fit_counts(tmp_path, many, sections):
    path = written(many, tmp_path, "csv")
    bare = sections | {"model": {"formula": "cti2"}}
    with pytest.raises(InputError, match=r"no cuts are stated.*--cuts"):
        counts_of(path, bare)
    assert counts_of(path, bare, cuts=[4.0])[0].cuts == (4.0,)
    spread = sections | {"model": {"formula": "scale(cti2)", "cuts": CUTS}}
    with pytest.raises(InputError, match=r"scale\(\) is computed from the patients"):
        counts_of(path, spread)
    with pytest.raises(InputError, match="no column 'stagee'.*Did you mean \"stage\""):
        counts_of(path, sections | {"model": {"formula": "stagee", "cuts": CUTS}})
    lacking = sections | {"endpoint": {"os": {"time": "os_month", "event": "os_event"}}}
    with pytest.raises(InputError, match='os_month: no such column.*Did you mean "os_months"'):
        counts_of(path, lacking)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nowhere.csv", "no file"),
        ("empty", "no .parquet, .csv.* file in"),
        ("duckdb://nowhere.duckdb", "no file nowhere.duckdb"),
        ("duckdbb://x", 'Ibis knows no engine "duckdbb".*Did you mean "duckdb"'),
        ("notes.txt", "cannot be read here; use .parquet"),
        ("broken.parquet", "broken.parquet: cannot be read"),
    ],
)
def test_a_source_that_cannot_be_opened_is_named(tmp_path, monkeypatch, sections, source, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("a note")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said):
        counts_of(source, sections, table="patients" if "://" in source else None)


def test_a_password_is_never_shown(sections):
    address = "postgres://anna:s3cret%21@127.0.0.1:1/registry"
    with pytest.raises(InputError, match="postgres://anna@127.0.0.1:1/registry: cannot be") as told:
        counts_of(address, sections, table="patients")
    assert "s3cret" not in str(told.value)


class Failing:
    """An expression whose engine fails, as psycopg's does when the server goes away."""

    def __init__(self, error):
        self.error = error

    def to_pyarrow(self):
        raise self.error


def test_a_database_that_disappears_is_named_without_its_password():
    engine = Engine(None, "postgres://anna@host/registry", "s3cret")
    gone = ConnectionError("server of anna:s3cret closed the connection\nRow: P1, 3.25")
    with pytest.raises(InputError) as caught:
        engine.ask(Failing(gone))
    said = str(caught.value)
    assert said.startswith("postgres://anna@host/registry: failed while it was asked (Connection")
    assert "server of anna:*** closed the connection); nothing was written" in said
    assert "P1" not in said
    with pytest.raises(KeyboardInterrupt):
        engine.ask(Failing(RuntimeError("Query interrupted")))


HEADER = b"cti2,stage,os_months,os_event\n"


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (b"1,II,SECRET\n", "line 5002: 3 cells where there are 4 columns"),
        (b"1,SECRET\xe9,2.5,1\n", "line 5002: not UTF-8"),
        (b'1,"SECRET,2.5,1\n', "line 5002: a quotation mark"),
    ],
)
def test_a_broken_line_is_named_without_its_content(tmp_path, sections, last, said):
    path = tmp_path / "patients.csv"
    path.write_bytes(HEADER + b"0,I,3.5,1\n" * 5000 + last)
    with pytest.raises(InputError, match=f"patients.csv: {said}") as caught:
        counts_of(path, sections)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (HEADER, "there are no rows"),
        (b"cti2,cti2,os_months,os_event\n", "column cti2: several columns have this name"),
        (b"cti\xe9\n", "not UTF-8"),
    ],
)
def test_a_text_file_without_a_table_is_named(tmp_path, sections, content, said):
    (tmp_path / "patients.csv").write_bytes(content)
    with pytest.raises(InputError, match=f"patients.csv.*{said}"):
        counts_of(tmp_path / "patients.csv", sections)


def test_semicolons_a_byte_order_mark_and_gzip_are_read(tmp_path, many, sections):
    expected = counts_of(written(many, tmp_path, "csv"), sections)[1].origins
    path = tmp_path / "excel.csv"
    many.to_csv(path, index=False, sep=";", encoding="utf-8-sig", lineterminator="\r\n")
    assert counts_of(path, sections)[1].origins == expected
    many.to_csv(tmp_path / "packed.csv.gz", index=False)
    assert counts_of(tmp_path / "packed.csv.gz", sections)[1].origins == expected


def test_files_of_a_folder_have_the_same_columns(tmp_path, many, sections):
    folder = tmp_path / "parts"
    folder.mkdir()
    many.to_csv(folder / "a.csv", index=False)
    many.iloc[:, ::-1].to_csv(folder / "b.csv", index=False)
    with pytest.raises(InputError, match="b.csv: has other columns, or another delimiter, than a"):
        counts_of(folder, sections)


def test_a_fingerprint_is_of_the_numbers():
    cells = pd.DataFrame({"endpoint": ["os"], "events": [3], "person_time": [4.25]})
    assert fingerprint(cells) == fingerprint(cells.copy())
    assert fingerprint(cells) != fingerprint(cells.assign(person_time=4.25 + 1e-15))
