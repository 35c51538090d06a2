"""What is concluded at looks and at the final analysis, and the errors of what is counted."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import binomtest, norm

from bayesurv.planning.characteristics import Found, characteristics, study_rows
from bayesurv.planning.decision import course
from bayesurv.planning.keys import DecisionKeys
from bayesurv.planning.monte_carlo import mean, median, share
from bayesurv.planning.sample_size import fit_curve, sample_sizes
from bayesurv.planning.scenarios import Scenario

NAN = np.nan


def test_the_first_look_that_stops_a_study_decides():
    keys = DecisionKeys(efficacy=(0.99, 0.98), futility=(0.1, 0.2))
    probability = np.array(
        [
            [0.995, 0.50, 0.05, 0.50, 0.50, NAN, NAN],
            [0.010, 0.98, 0.99, 0.20, 0.50, NAN, 0.15],
            [0.010, 0.01, 0.99, 0.99, 0.96, 0.975, 0.99],
        ]
    )
    went = course(probability, keys, 0.975)
    assert_array_equal(went.success, [True, True, False, False, False, True, False])
    assert_array_equal(went.stage, [0, 1, 0, 1, 2, 2, 1])


def test_without_bounds_only_the_final_analysis_decides():
    probability = np.array([[1.0, 0.0], [0.9, 0.99]])
    went = course(probability, DecisionKeys(), 0.975)
    assert_array_equal(went.success, [False, True])
    assert_array_equal(went.stage, [1, 1])


@pytest.mark.parametrize(("wins", "count"), [(0, 50), (7, 50), (50, 50), (975, 1000)])
def test_a_share_has_wilsons_interval(wins, count):
    found = share(np.arange(count) < wins)
    expected = binomtest(wins, count).proportion_ci(0.95, method="wilson")
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high))
    assert found.mcse == pytest.approx(np.sqrt(wins / count * (1 - wins / count) / count))


def test_means_and_medians_leave_out_what_was_not_looked_at():
    values = np.array([1.0, 2.0, 6.0, NAN])
    found = mean(values)
    assert (found.estimate, found.studies) == (3.0, 3)
    assert found.mcse == pytest.approx(np.std([1, 2, 6], ddof=1) / np.sqrt(3))
    assert median(values).estimate == 2.0
    assert mean(values[3:]).studies == median(values[3:]).studies == 0


def test_the_interval_of_a_median_covers_it():
    random = np.random.default_rng(1)
    covered = [
        (lambda m: m.lower <= 0 <= m.upper)(median(random.standard_normal(100))) for _ in range(400)
    ]
    assert 0.93 <= np.mean(covered) <= 0.995


# --- Tables ---


def found(patients=61, ratio=0.5, count=400, effect=0.3, looks=0, name="proportional", seed=0):
    """Studies whose estimates are normal around the truth, with a standard error of 0.3."""
    random = np.random.default_rng(seed)
    scenario = Scenario(name, (ratio,) if name == "proportional" else (1.0, ratio), ())
    truth = np.full(count, np.log(ratio) if name == "proportional" else NAN)
    shape = (1 + looks, count)
    estimate = np.log(ratio) + effect * random.standard_normal(shape)
    table = {
        "log_ratio": truth,
        "calendar": np.broadcast_to(np.arange(1.0, looks + 2)[:, None], shape).copy(),
        "entered": np.broadcast_to(
            np.linspace(patients / (looks + 1), patients, looks + 1)[:, None], shape
        ).copy(),
        "events": np.full(shape, 40.0),
        "estimate": estimate,
        "sd": np.full(shape, effect),
        "lower": estimate - 1.96 * effect,
        "upper": estimate + 1.96 * effect,
        "probability": norm.cdf(-estimate / effect),
        "pareto_k": np.full(shape, 0.2),
        "effective": np.full(shape, 800.0),
        "method": np.full(shape, "laplace", dtype="U32"),
    }
    return Found(scenario, patients, table)


def at(table, quantity, look="final", **where):
    rows = table[(table["quantity"] == quantity) & (table["look"] == look)]
    for name, value in where.items():
        rows = rows[rows[name] == value]
    [row] = rows.to_dict("records")
    return row


def test_power_bias_coverage_and_width_of_normal_estimates():
    table = characteristics([found(), found(ratio=1.0)], DecisionKeys())
    power = at(table, "power")
    expected = norm.cdf(-np.log(0.5) / 0.3 - norm.ppf(0.975))
    assert power["estimate"] == pytest.approx(expected, abs=5 * power["mcse"])
    assert at(table, "type I error")["estimate"] == pytest.approx(0.025, abs=0.03)
    bias = at(table, "bias of the log hazard ratio", hazard_ratio=0.5)
    assert bias["estimate"] == pytest.approx(0, abs=5 * 0.3 / 20)
    assert at(table, "coverage", hazard_ratio=0.5)["estimate"] == pytest.approx(0.95, abs=0.05)
    width = at(table, "mean width of the interval", hazard_ratio=1.0)
    assert width["estimate"] == pytest.approx(2 * 1.96 * 0.3)
    assert at(table, "share with k-hat below 0.7", hazard_ratio=1.0)["estimate"] == 1


def test_at_the_margin_and_above_it_success_is_an_error():
    table = characteristics(
        [found(ratio=r) for r in (0.5, 0.8, 1.0)], DecisionKeys(margin=0.8, threshold=(0.9, 0.975))
    )
    rows = table[table["quantity"].isin(["power", "type I error"])]
    by_ratio = rows.groupby("hazard_ratio")["quantity"].agg(["first", "size"])
    assert by_ratio["first"].tolist() == ["power", "type I error", "type I error"]
    assert by_ratio["size"].tolist() == [2, 2, 2]


def test_an_effect_over_time_has_no_bias_but_a_chance_of_success():
    table = characteristics([found(name="late")], DecisionKeys())
    assert at(table, "success")["estimate"] > 0
    bias = at(table, "bias of the log hazard ratio")
    assert np.isnan(bias["estimate"])
    assert "changes with time" in bias["remark"]


def test_looks_save_patients_and_are_counted():
    keys = DecisionKeys(efficacy=(0.99,), futility=(0.05,))
    one = found(looks=1)
    one.table["calendar"][0, :40] = NAN
    one.table["probability"][0, :40] = NAN
    one.table["entered"][0, :40] = NAN
    table = characteristics([one], keys)
    assert at(table, "takes place", look="1")["estimate"] == 0.9
    stopped = at(table, "stops for success", look="1")["estimate"]
    lost = at(table, "stops for futility", look="1")["estimate"]
    early = at(table, "stopped early", look="with looks")["estimate"]
    assert early == pytest.approx(stopped + lost)
    expected = 61 - early * 61 / 2
    assert at(table, "expected patients", look="with looks")["estimate"] == pytest.approx(expected)
    assert len(study_rows([one])) == 2 * 400 - 40


def test_every_number_has_its_error():
    table = characteristics([found(looks=1), found(name="late")], DecisionKeys(efficacy=(0.99,)))
    known = table[table["estimate"].notna()]
    assert known[["mcse", "lower", "upper"]].notna().all(axis=None)
    assert (known["lower"] <= known["estimate"]).all()
    assert (known["estimate"] <= known["upper"]).all()


# --- Patients needed ---


def chances(sizes, success, scenario="proportional", ratio=0.6, quantity="power"):
    return pd.DataFrame(
        {
            "scenario": scenario, "patients": sizes, "hazard_ratio": ratio, "look": "final",
            "quantity": quantity, "threshold": 0.975, "estimate": success, "studies": 1000,
        }
    )  # fmt: skip


SIZES = np.array([61.0, 100.0, 200.0])
POWER = norm.cdf(0.51 * np.sqrt(41 / 61 * SIZES / 4) - 1.96)


def test_the_curve_goes_through_the_power_of_a_test():
    """Phi(effect sqrt(events / 4) - 1.96), events in proportion to patients."""
    curve = fit_curve(SIZES, POWER, np.full(3, 1e7))
    assert curve.level == pytest.approx(-1.96, abs=0.001)
    needed = (1.96 + norm.ppf(0.8)) ** 2 / (0.51**2 * 41 / 61 / 4)
    assert curve.patients(0.8)[0] == pytest.approx(needed, rel=1e-3)


def test_the_interval_of_the_size_covers_it():
    random = np.random.default_rng(4)
    needed = (1.96 + norm.ppf(0.8)) ** 2 / (0.51**2 * 41 / 61 / 4)
    covered = []
    for _ in range(300):
        success = random.binomial(1000, POWER) / 1000
        _, lower, upper = fit_curve(SIZES, success, np.full(3, 1000.0)).patients(0.8)
        covered.append(lower <= needed <= upper)
    assert 0.91 <= np.mean(covered) <= 0.985


@pytest.mark.parametrize(
    ("rows", "patients", "said"),
    [
        (chances(SIZES, POWER), 180, ""),
        (chances(SIZES[:2], POWER[:2]), 180, "not reached with 100 patients"),
        (chances(SIZES, [0.05, 0.06, 0.08]), NAN, "not reached with 200 patients"),
        (chances(SIZES, [0.3, 0.2, 0.1]), NAN, "does not become more frequent"),
        (chances(SIZES, [0.9, 0.95, 1.0]), NAN, "reached with the fewest patients simulated, 61"),
        (chances(SIZES[:1], POWER[:1]), NAN, "simulate two numbers of patients or more"),
        (
            chances(SIZES, [0.5, 0.6, 0.65], "design prior", NAN, "assurance"),
            NAN,
            "not reached with 200 patients, the most that were simulated",
        ),
    ],
)
def test_patients_needed_or_an_honest_no(rows, patients, said):
    [row] = sample_sizes(rows, 0.8).to_dict("records")
    if np.isnan(patients):
        assert np.isnan(row["patients"])
    else:
        assert row["patients"] == pytest.approx(patients, abs=2)
        assert row["lower"] < row["patients"] < row["upper"]
    assert said in row["remark"]
    assert bool(said) == bool(row["remark"])


def test_type_i_errors_need_no_patients():
    assert sample_sizes(chances(SIZES, POWER, quantity="type I error"), 0.8).empty
