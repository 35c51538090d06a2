"""[time_zero] of a plan: landmark, entry and start of treatment in the cohort of every endpoint."""

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.faults import InputError
from bayesurv.plan import Plan, read_plan

DOCUMENT = {
    "cohort": {"file": "c.csv", "unit": "months"},
    "endpoint": {"os": {"time": "os", "event": "died"}, "pfs": {"time": "pfs", "event": "failed"}},
    "model": {"formula": "treated + age"},
    "estimand": {"treatment": "treated"},
}
FRAME = pd.DataFrame(
    {
        "os": [5.0, 7, 9, 12, 14, 20],
        "died": [1, 0, 1, 1, 0, 1],
        "pfs": [3.0, 7, 6, 10, 14, 15],
        "failed": [1, 0, 1, 1, 0, 1],
        "age": [40, 50, 60, 70, 65, 55],
        "start": [1, np.nan, 4, np.nan, 2, np.nan],
    }
)


@pytest.fixture
def plan(tmp_path):
    def make(frame=FRAME, **keys):
        frame.to_csv(tmp_path / "c.csv", index=False)
        return Plan.from_document(DOCUMENT | {"time_zero": keys}, source="p.toml", folder=tmp_path)

    return make


def test_every_endpoint_starts_at_the_landmark(plan):
    cohorts = plan(FRAME.assign(treated=[1, 0, 1, 0, 1, 0]), landmark=4).cohorts()
    np.testing.assert_array_equal(cohorts["os"].time, [1, 3, 5, 8, 10, 16])
    np.testing.assert_array_equal(cohorts["pfs"].time, [3, 2, 6, 10, 11])
    assert "1 of 6 patients" in cohorts["pfs"].notes[0]


def test_every_endpoint_is_entered_late(plan):
    cohorts = plan(FRAME.assign(treated=[1, 0, 1, 0, 1, 0]), enter_at=4).cohorts()
    assert (cohorts["os"].entry == 4).all()
    assert cohorts["os"].delayed


def test_treatment_starts_when_it_did(plan):
    made = plan(start="start")
    cohort = made.cohorts()["os"]
    assert (cohort.n_rows, cohort.n_patients) == (9, 6)
    np.testing.assert_array_equal(cohort.covariates["treated"], [0, 1, 0, 0, 1, 0, 0, 1, 0])
    given = made.cohorts(as_given=True)["os"]
    assert given.n_rows == 6
    np.testing.assert_array_equal(given.covariates["treated"], [1, 0, 1, 0, 1, 0])


def test_treatment_at_a_landmark_is_what_had_started_by_then(plan):
    cohort = plan(start="start", landmark=3.5).cohorts()["os"]
    by_patient = pd.Series(cohort.covariates["treated"].to_numpy()).groupby(cohort.patient).max()
    np.testing.assert_array_equal(by_patient.sort_index(key=lambda i: i.astype(int)),
                                  [1, 0, 0, 0, 1, 0])  # fmt: skip


def test_the_plan_is_written_and_read(plan, tmp_path):
    made = plan(start="start", enter_at=1)
    assert '[time_zero]\nenter_at = 1.0\nstart = "start"' in made.to_toml()
    (tmp_path / "p.toml").write_text(made.to_toml())
    assert read_plan(tmp_path / "p.toml") == made
    assert "time_zero" not in plan().to_toml()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"landmark": 0}, "landmark: 0 is not above 0"),
        ({"enter_at": "3"}, 'enter_at: "3" is not a number'),
        (
            {"landmark": 3, "enter_at": 3},
            "enter_at: contradicts landmark, which starts the clock anew; leave out one of them",
        ),
        (
            {"lndmark": 3},
            'lndmark: unknown key. Did you mean "landmark"? '
            "Keys here are landmark, enter_at, start",
        ),
    ],
)
def test_faults_of_keys(plan, keys, said):
    with pytest.raises(InputError) as caught:
        plan(**keys)
    assert str(caught.value) == f"p.toml: [time_zero] {said}"


def test_a_start_needs_a_treatment(tmp_path):
    document = DOCUMENT | {"time_zero": {"start": "start"}, "estimand": {}}
    with pytest.raises(InputError) as caught:
        Plan.from_document(document, source="p.toml", folder=tmp_path)
    assert str(caught.value) == (
        "p.toml: [time_zero] start: it says when treatment started, but no treatment is named; "
        "name it (treatment)"
    )


def test_faults_of_all_endpoints_are_listed(plan):
    with pytest.raises(InputError) as caught:
        plan(FRAME.assign(treated=[1, 0, 1, 0, 1, 0]), landmark=30).cohorts()
    assert [fault.message.split(";")[0] for fault in caught.value.faults] == [
        "nobody is at risk after 30 months",
        "nobody is at risk after 30 months",
    ]


def test_options_make_the_section(tmp_path):
    FRAME.to_csv(tmp_path / "c.csv", index=False)
    made = Plan.from_options(
        "os", file=str(tmp_path / "c.csv"), unit="months", time="os", event="died",
        formula="treated", treatment="treated", start="start", enter_at=2.0,
    )  # fmt: skip
    assert (made.time_zero.start, made.time_zero.enter_at) == ("start", 2)
    assert made.cohorts()["os"].delayed
