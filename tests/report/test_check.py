"""The answer of `check`: what it writes, and what it says."""

from dataclasses import replace

import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.data.faults import InputError
from bayesurv.estimands.checks import COLUMNS, EXPECTED, check
from bayesurv.plots.style import KINDS
from bayesurv.report.check import CONSERVATIVE, calibration_sentence, check_answer, check_sentence


@pytest.fixture(scope="module")
def answer(weibull_fit):
    return check_answer(weibull_fit, "cti2", replicates=200)


def test_a_saved_fit_is_enough(weibull_fit, answer, tmp_path):
    bs.save(weibull_fit, tmp_path / "posterior.nc", endpoint="os")
    again = check_answer(bs.load(tmp_path), "cti2", replicates=200)
    for name, table in answer.tables.items():
        pd.testing.assert_frame_equal(table, again.tables[name])
    assert again.figures["checks"].get_ylabel() == "Survival (OS)"
    assert answer.figures["checks"].get_ylabel() == "Survival"


def test_files(answer, tmp_path):
    answer.write(tmp_path, "check")
    assert {path.name for path in tmp_path.iterdir()} == {
        "checks.csv",
        "calibration.csv",
        *(f"{name}.{k}" for name in ("checks", "statistics", "calibration") for k in KINDS),
        "check.txt",
    }
    written = pd.read_csv(tmp_path / "checks.csv")
    assert tuple(written.columns) == COLUMNS
    calibration = pd.read_csv(tmp_path / "calibration.csv")
    columns = ["measure", "time", "estimate", "lower", "upper", "reference", "p_value"]
    assert list(calibration.columns) == columns
    assert (tmp_path / "check.txt").read_text().startswith(answer.sentence)


def test_sentence_where_nothing_is_outside(answer):
    assert (answer.tables["checks"]["verdict"] == EXPECTED).all()
    count = len(answer.tables["checks"])
    assert answer.sentence == (
        f"All {count} statistics of the observed follow-up lie within the central 95% of 200 "
        "cohorts replicated from the model."
    )


def test_sentence_names_what_is_outside(weibull_fit):
    checks = check(weibull_fit, draws=200)
    table = checks.table.copy()
    early = table.index[table["statistic"] == "events before"][0]
    table.loc[early, ["observed", "lower", "upper", "p_value"]] = [0, 1, 9, 0.004]
    table.loc[early, "verdict"] = "fewer than the model expects"
    found = check_sentence(replace(checks, table=table), "months")
    assert found == (
        f"1 of {len(table)} statistics of the observed follow-up lies outside the central 95% of "
        "200 cohorts replicated from the model: events before 3 months in cti2 = 0, fewer than "
        "the model expects (observed 0, replicates 1–9, p = 0.004)."
    )
    table["verdict"] = "fewer than the model expects"
    found = check_sentence(replace(checks, table=table), "months")
    assert found.count("p =") == 3
    assert ": first of all events before 3 months in cti2 = 0" in found


def test_notes_say_how_to_read_it(answer):
    start = "Each patient predicted by the others: no departure from calibration seen (D-cal"
    assert answer.notes[0].startswith(start)
    assert "Brier score at 12 months 0." in answer.notes[0]
    assert "concordance 0." in answer.notes[0]
    assert CONSERVATIVE in answer.notes
    assert "up to 5% lie outside by chance" in answer.text()


def test_predictions_that_are_not_calibrated_are_said_to_be():
    table = pd.DataFrame({"measure": ["d_calibration"], "p_value": [0.006]})
    assert calibration_sentence(table, "months") == (
        "Each patient predicted by the others: not calibrated (D-calibration p = 0.006)."
    )


def test_times_are_read(weibull_fit):
    answer = check_answer(weibull_fit, times="2, 8", replicates=100)
    table = answer.tables["checks"]
    assert sorted(set(table.loc[table["statistic"] == "survival", "time"])) == [2, 8]
    scores = answer.tables["calibration"]
    assert scores.loc[scores["measure"] == "brier_score", "time"].tolist() == [2, 8]


def test_events_by_month(weibull_fit):
    table = check_answer(weibull_fit, replicates=100, interval=1).tables["checks"]
    rows = table[table["statistic"] == "events in interval"]
    months = rows.groupby("arm")["time"].apply(list)
    assert months["cti2 = 0"][:5] == [1, 2, 3, 4, 5]
    data = weibull_fit.draws["observed_data"].to_dataset()
    first = (data["time"] <= 1) & (data["event"] > 0)
    assert rows.loc[rows["time"] == 1, "observed"].sum() == int(first.sum())


@pytest.mark.parametrize("interval", [0, -1, 0.01, 900])
def test_intervals_that_cannot_be(weibull_fit, interval):
    with pytest.raises(bs.InputError, match="--interval"):
        check_answer(weibull_fit, interval=interval)


def test_the_table_that_is_shown_is_short(answer):
    assert len(answer.shown) < len(answer.tables["checks"])
    said = set(answer.shown["statistic"])
    assert {"survival at 3 months", "median, months", "log-rank z"} <= said
    assert {"events before 3 months", "last time, months"} <= said
    assert not any("at risk" in each for each in said)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replicates": 10}, "--replicates: 10 is not from 100 to 10000"),
        ({"times": "3;6"}, "--times reads like"),
        ({"times": "3,999"}, "--times: 999 is not above 0 and within follow-up"),
        ({"treatment": "cti"}, '--treatment: "cti" is not in the formula. Did you mean "cti2"?'),
    ],
)
def test_options_that_cannot_be_used(weibull_fit, options, message):
    with pytest.raises(InputError) as found:
        check_answer(weibull_fit, **options)
    assert message in str(found.value)


def test_all_faults_at_once(weibull_fit):
    with pytest.raises(InputError) as found:
        check_answer(weibull_fit, "cti", "0,999", replicates=1)
    assert len(found.value.faults) == 4
