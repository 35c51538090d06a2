"""The same counts, to the last bit, from Spark in local mode as from DuckDB."""

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.registry.aggregate import count, table_of
from bayesurv.data.registry.engine import opened

pytestmark = [
    # Sockets that pyspark's gateway leaves to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def spark():
    """A session of two threads."""
    from pyspark.sql import SparkSession

    options = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    session = SparkSession.builder.master("local[2]").config(map=options).getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


def test_spark_gives_the_same_counts(tmp_path, spark):
    random = np.random.default_rng(3)
    size = 800
    time = random.exponential(9.0, size) + 0.01
    patients = pd.DataFrame(
        {
            "pid": [f"P{i % 600}" for i in range(size)],
            "cti2": random.integers(0, 2, size),
            "bulky": random.random(size) < 0.4,
            "stage": random.choice(["I", " II", "III"], size),
            "start": 0.0,
            "stop": time,
            "died": 0,
        }
    )
    later = patients.index >= 600  # a second row, touching the first one's end
    patients.loc[later, "start"] = time[:200]
    patients.loc[later, "stop"] = time[:200] + time[later]
    patients.loc[patients.index >= 200, "died"] = random.integers(0, 2, 600)
    path = str(tmp_path / "patients.parquet")
    patients.to_parquet(path)
    spark.read.parquet(path).createOrReplaceTempView("patients")
    sections = {
        "cohort": {"file": "here", "unit": "months", "id": "pid"},
        "endpoint": {"os": {"time": "stop", "event": "died", "entry": "start"}},
        "model": {"formula": "cti2 + bulky + stage + (1 | centre)", "cuts": (3.0, 8.0, 15.0)},
    }
    found = []
    for source, table in ((path, None), ("pyspark://", "patients")):
        with opened(source, table) as engine:
            counted = count(engine, sections, centre="Rome")
        found.append(table_of(counted, counted.tallies, ()))
    assert found[0].patients["os"] == 600
    assert found[0].origins == found[1].origins
    pd.testing.assert_frame_equal(found[0].cells, found[1].cells, check_exact=True)
