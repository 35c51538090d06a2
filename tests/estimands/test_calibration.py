"""Predictions of left-out patients, and measures of them by hand and on data that fit."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare

import bayesurv as bs
from bayesurv.estimands.calibration import bin_shares, calibrate
from bayesurv.estimands.curves import predictor
from bayesurv.estimands.left_out import LeftOut
from bayesurv.estimands.patients import Walk, follow_up
from bayesurv.inference.reweigh import smoothed
from bayesurv.refitting import refit


@pytest.fixture(scope="module")
def left_out(weibull_fit):
    return LeftOut.of(weibull_fit)


def measures(found, name):
    return found.table[found.table["measure"] == name]


# --- Left out ---


def test_prediction_is_that_of_a_fit_without_the_patient(weibull_fit, left_out):
    for patient in (0, 40):
        alone = refit(weibull_fit, without=[patient])
        walk = Walk(alone, follow_up(weibull_fit))
        for at in (3.0, 12.0):
            exact = np.exp(-walk.hazard(np.full(61, at)))[:, patient].mean()
            assert_allclose(left_out.survival(np.full(61, at))[patient], exact, atol=0.006)


def test_a_patient_s_own_outcome_does_not_help(weibull_fit, left_out):
    """Those who failed early are predicted worse without them than with them."""
    follow = left_out.follow
    with_all = np.exp(-Walk(weibull_fit, follow).hazard(follow.time)).mean(axis=0)
    early = follow.event & (follow.time < 2)
    late = follow.time > 25
    apart = left_out.survival(follow.time) - with_all
    assert (apart[early] > 0).all()
    assert (apart[late] < 0).all()


def test_patients_with_the_same_covariates_are_never_ranked(left_out, frame):
    """Were one patient left out of a pair, the one who failed early would seem less at risk."""
    riskier, arm = left_out.riskier(), frame["cti2"].to_numpy()
    same = arm[:, None] == arm
    assert (riskier[same] == 0.5).all()
    assert set(riskier[~same]) == {0.0, 1.0}
    assert_allclose(riskier + riskier.T, 1)


def test_pairs_are_predicted_without_both(grouped_fit):
    riskier = LeftOut.of(grouped_fit).riskier()
    pointwise = grouped_fit.draws["log_likelihood"]["time"].to_numpy()
    eta = predictor(grouped_fit, grouped_fit.design.rows)
    pairs = np.random.default_rng(1).choice(61, (40, 2))
    ahead = []
    for one, other in pairs:
        weights, _ = smoothed(-pointwise[..., one] - pointwise[..., other])
        ahead.append((weights * (eta[..., one] - eta[..., other])).sum())
    clear = np.abs(ahead) > 0.02
    assert clear.sum() > 20
    assert_array_equal(riskier[*pairs[clear].T], np.array(ahead)[clear] > 0)


# --- D-calibration ---


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20))
def test_each_patient_has_a_share_of_one(pairs):
    low, high = np.sort(np.array(pairs), axis=1).T
    shares = bin_shares(low, high)
    assert_allclose(shares.sum(axis=1), 1)
    assert (shares >= 0).all()


def test_shares_by_hand():
    low = np.array([0.05, 0.0, 0.3, 1.0])
    high = np.array([0.05, 0.5, 0.5, 1.0])
    by_hand = [[1, 0, 0, 0, 0], [0.4, 0.4, 0.2, 0, 0], [0, 0.5, 0.5, 0, 0], [0, 0, 0, 0, 1]]
    assert_allclose(bin_shares(low, high), by_hand, atol=1e-12)


def test_chi_squared_of_known_events():
    shares = bin_shares(*2 * [np.array([0.1, 0.15, 0.3, 0.5, 0.7, 0.95, 0.99])]).sum(axis=0)
    assert_allclose(shares, [2, 1, 1, 1, 2])


def test_chi_squared_is_that_of_scipy(weibull_fit):
    found = calibrate(weibull_fit)
    shares = measures(found, "d_calibration_share")["estimate"].to_numpy()
    test = measures(found, "d_calibration").iloc[0]
    statistic, p = chisquare(61 * shares)
    assert_allclose([test["estimate"], test["p_value"]], [statistic, p])


def test_the_censored_are_spread_over_all_below(exponential):
    fit = exponential(0.1)
    data = fit.draws["observed_data"]
    predicted = np.exp(-0.1 * data["time"].to_numpy())
    low = np.where(data["event"].to_numpy() > 0, predicted, 0)
    shares = measures(calibrate(fit), "d_calibration_share")["estimate"]
    assert_allclose(shares, bin_shares(low, predicted).mean(axis=0))


# --- All measures ---


def test_a_model_that_fits(weibull_fit):
    found = calibrate(weibull_fit)
    assert measures(found, "cox_snell_distance")["p_value"].item() > 0.05
    assert measures(found, "d_calibration")["p_value"].item() > 0.05
    intervals = found.table.dropna(subset=["lower"])
    assert intervals["estimate"].between(intervals["lower"], intervals["upper"]).all()
    assert measures(found, "brier_score")["time"].tolist() == [3, 6, 12]
    scores, scaled = measures(found, "brier_score"), measures(found, "scaled_brier_score")
    ratio = scores["estimate"].to_numpy() / scores["reference"].to_numpy()
    assert_allclose(scaled["estimate"], 1 - ratio)
    assert found.notes == ()


def test_the_same_seed_gives_the_same_numbers(weibull_fit):
    one, two = (calibrate(weibull_fit, seed=4).table for _ in range(2))
    pd.testing.assert_frame_equal(one, two)


def with_likelihood(fit):
    """Draws that are all alike weigh all alike."""
    shape = (fit.posterior.sizes["chain"], fit.posterior.sizes["draw"], fit.n_patients)
    pointwise = xr.Dataset({"time": (("chain", "draw", "individual"), np.zeros(shape))})
    fit.draws["log_likelihood"] = xr.DataTree(pointwise)
    return fit


@pytest.fixture(scope="module")
def exponential(known_fit):
    """Make a fit of a rate and an effect to 200 patients whose rate is 0.1, effect 1.2."""

    def make(rate, effect=0.0, **columns):
        random = np.random.default_rng(2)
        treated = np.resize([0, 1], 200)
        death = random.exponential(10 * np.exp(-1.2 * treated))
        lost = random.uniform(2, 40, 200)
        table = pd.DataFrame(
            {"time": np.minimum(death, lost), "event": death <= lost, "treated": treated}
        ).assign(**columns)
        numbers = {"intercept": np.log(rate), "coefficient": effect}
        return with_likelihood(known_fit(table, "treated", bs.Exponential(), 50, **numbers))

    return make


def test_the_true_model_is_calibrated_and_a_false_one_is_not(exponential):
    true, false = calibrate(exponential(0.1, 1.2)), calibrate(exponential(0.3, 1.2))
    for measure in ("d_calibration", "cox_snell_distance"):
        assert measures(true, measure)["p_value"].item() > 0.05
        assert measures(false, measure)["p_value"].item() < 0.01
    for time in range(3):
        good, bad = (measures(f, "brier_score")["estimate"].iloc[time] for f in (true, false))
        assert good < bad
    assert (measures(true, "scaled_brier_score")["lower"] > 0).all()


def test_the_right_and_the_wrong_way_round(exponential):
    right, wrong = (
        calibrate(exponential(0.1, sign * 1.2)).table.set_index("measure")["estimate"]
        for sign in (1, -1)
    )
    assert right["concordance"] > 0.6
    assert_allclose(right["concordance"] + wrong["concordance"], 1)
    assert_allclose(right["uno_concordance"] + wrong["uno_concordance"], 1)


def test_what_cannot_be_had_is_said(exponential):
    found = calibrate(exponential(0.1, 1.2, entry=0.001))
    assert "uno_concordance" not in set(found.table["measure"])
    assert "Uno's concordance does not allow delayed entry" in found.notes[0]
    upper = exponential(0.1).draws["observed_data"]["time"].to_numpy() + 1
    found = calibrate(exponential(0.1, 1.2, upper=upper, event=1))
    assert set(found.table["measure"]) == {
        "cox_snell_distance",
        "d_calibration_share",
        "d_calibration",
    }
    assert "need event times that are known" in found.notes[0]
