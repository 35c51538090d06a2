"""Comparison of models, and refusal of what cannot be compared."""

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.estimands.comparison import checked_same_data, compare, verdict

COLUMNS = (
    "model elpd_loo se mcse p_loo elpd_difference se_difference patients_refitted weight "
    "weight_lower weight_upper verdict"
)


@pytest.fixture(scope="module")
def fits(ovarian, sampled):
    """Two good models, the first once more with other draws, and one whose prior is far off."""
    pieces = bs.PiecewiseExponential((6, 12))
    hopeless = bs.Priors(median_survival=bs.MedianSurvival(0.1, 0.2))
    return {
        "weibull": sampled(ovarian, "age10", bs.Weibull()),
        "again": sampled(ovarian, "age10", bs.Weibull(), seed=1),
        "piecewise": sampled(ovarian, "age10 + rx2", pieces),
        "hopeless": sampled(ovarian, "age10", bs.Exponential(), hopeless),
    }


@pytest.fixture(scope="module")
def found(fits):
    return compare(fits)


def test_table(found):
    table = found.table
    assert list(table) == COLUMNS.split()
    rows = table.set_index("model")
    assert set(rows.index) == {"weibull", "again", "piecewise", "hopeless"}
    assert table["elpd_loo"].is_monotonic_decreasing
    assert table["model"][0] == found.best
    assert rows["weight"].sum() == pytest.approx(1)
    assert (rows["weight_lower"] <= rows["weight"] + 0.02).all()
    assert (rows["weight_upper"] >= rows["weight"] - 0.02).all()
    best, hopeless = found.models[found.best], found.models["hopeless"]
    apart = hopeless.pointwise - best.pointwise
    assert rows["elpd_difference"]["hopeless"] == pytest.approx(hopeless.elpd - best.elpd)
    assert rows["se_difference"]["hopeless"] == pytest.approx(np.sqrt(26) * apart.std(ddof=1))
    assert rows["mcse"]["weibull"] == found.models["weibull"].total_mcse


def test_verdicts(found):
    rows = found.table.set_index("model")
    assert rows["verdict"][found.best] == "best"
    assert rows["elpd_difference"][found.best] == 0
    assert rows["verdict"]["hopeless"] == "worse"
    assert rows["weight"]["hopeless"] < 0.05
    others = rows["verdict"].drop([found.best, "hopeless"])
    assert others.tolist() == ["indistinguishable"] * 2


def test_the_same_model_twice_differs_by_monte_carlo_error(found):
    first, second = found.models["weibull"], found.models["again"]
    allowed = 4 * np.hypot(first.total_mcse, second.total_mcse)
    assert first.elpd == pytest.approx(second.elpd, abs=allowed)


def test_names_do_not_matter(fits, found):
    turned = compare(dict(reversed(fits.items())))
    pd.testing.assert_series_equal(
        turned.table.set_index("model")["elpd_loo"], found.table.set_index("model")["elpd_loo"]
    )


@pytest.mark.parametrize(
    ("difference", "error", "expected"),
    [
        (-3.9, 0.1, "indistinguishable"),
        (-4.0, 1.9, "worse"),
        (-10, 5.1, "indistinguishable"),
        (-10, 4.9, "worse"),
        (0, 0, "indistinguishable"),
    ],
)
def test_verdict(difference, error, expected):
    assert verdict(difference, error) == expected


# --- What cannot be compared ---


def drawn(frame, formula="age10", seed=0, unit="months", **columns):
    cohort = bs.Cohort.from_frame(frame, time="time", event="event", unit=unit, **columns)
    return bs.prior(cohort, formula, draws=10, seed=seed)


@pytest.fixture(scope="module")
def first(ovarian):
    return drawn(ovarian)


def refused(first, other, *words):
    with pytest.raises(bs.InputError) as error:
        checked_same_data({"os/weibull": first, "os/other": other})
    assert len(error.value.faults) == 1
    message = str(error.value)
    assert message.startswith("os/other: ")
    for word in words:
        assert word in message


def test_fewer_patients_are_refused(first, ovarian):
    other = drawn(ovarian.drop(index=[3, 7]))
    refused(first, other, "different data", "24 patients and os/weibull has 26", "missing")


def test_other_follow_up_is_refused(first, ovarian):
    other = drawn(ovarian.assign(event=lambda d: d["event"].where(d.index != 4, 0)))
    refused(first, other, "different data", "1 of 26 patients", "one endpoint")


def test_later_entry_is_refused(first, ovarian):
    frame = ovarian.assign(entry=0.0)
    frame.loc[[2, 5], "entry"] = 0.5
    other = drawn(frame, entry="entry")
    refused(first, other, "different data", "2 of 26 patients")


def test_an_earlier_event_of_many_is_seen():
    """Patients who may have the event again differ in a row that is not their last."""
    rows = pd.DataFrame(
        {
            "pid": [1, 1, 1, 2, 2, 3],
            "entry": [0.0, 2, 5, 0, 4, 0],
            "time": [2.0, 5, 9, 4, 7, 8],
            "event": [1, 1, 0, 0, 1, 1],
            "age10": [0.1, 0.1, 0.1, 0.7, 0.7, -0.4],
        }
    )
    first, other = (
        drawn(frame, entry="entry", id="pid")
        for frame in (rows, rows.assign(event=[0, 1, 0, 0, 1, 1]))
    )
    refused(first, other, "different data", "1 of 3 patients")


def test_another_unit_is_refused(first, ovarian):
    other = drawn(ovarian.assign(time=lambda d: d["time"] * 30.4375), unit="days")
    refused(first, other, "different data", "days", "months")


def test_another_order_is_refused(first, ovarian):
    other = drawn(ovarian.iloc[::-1])
    refused(first, other, "different data", "another order")


def test_the_same_fit_twice_is_refused(first):
    refused(first, first, "same draws as os/weibull")


def test_one_fit_is_refused(first):
    with pytest.raises(bs.InputError, match="two different fits or more"):
        checked_same_data({"os/weibull": first})


def test_every_fit_that_differs_is_named(first, ovarian):
    fits = {"a": first, "b": drawn(ovarian[:20]), "c": drawn(ovarian, "rx2")}
    fits["d"] = drawn(ovarian.iloc[::-1])
    with pytest.raises(bs.InputError) as error:
        checked_same_data(fits)
    assert [fault.file for fault in error.value.faults] == ["b", "d"]


def test_follow_up_in_more_rows_is_the_same_data(first, ovarian):
    whole = ovarian.assign(pid=range(26), entry=0.0)
    late = whole[whole["time"] > 6]
    parts = [whole[whole["time"] <= 6], late.assign(time=6.0, event=0), late.assign(entry=6.0)]
    rows = pd.concat(parts).sort_values(["pid", "entry"])
    checked_same_data({"whole": first, "split": drawn(rows, seed=1, entry="entry", id="pid")})
