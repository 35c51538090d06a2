"""Refits of a fit, against NUTS on the changed data or priors."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.fitting import specify
from bayesurv.inference.diagnostics import monte_carlo_error
from bayesurv.refitting import density, leave_out, refit, under_priors, with_priors

PRIORS = bs.Priors(median_survival=bs.MedianSurvival(2, 60))
SAMPLING = bs.Sampling(seed=3)

pytestmark = pytest.mark.filterwarnings("ignore::bayesurv.CohortWarning")


def cohort(frame):
    return bs.Cohort.from_frame(frame, time="os_months", event="os_event", unit="months", id="pid")


@pytest.fixture(scope="module")
def frame(make_cohort):
    return make_cohort()


@pytest.fixture(scope="module", params=["weibull", "piecewise"])
def case(request, frame):
    """A baseline with nothing left to the data, and its fit."""
    baseline = bs.Weibull() if request.param == "weibull" else bs.PiecewiseExponential((2, 6, 12))
    formula = "cti2 + bulky"
    return baseline, formula, bs.fit(
        cohort(frame), formula, baseline=baseline, priors=PRIORS, sampling=SAMPLING
    )  # fmt: skip


def log_ratio(fit):
    return fit.posterior["coefficient"].sel(term="cti2").to_numpy()


def close(ours, theirs, weights=None):
    """Mean and sd of the log hazard ratio agree within Monte-Carlo error (4 of them)."""
    weights = np.full(ours.shape, 1 / ours.size) if weights is None else weights
    mean, size = (weights * ours).sum(), 1 / np.square(weights).sum()
    error = np.hypot(ours.std() / np.sqrt(size / 4), monte_carlo_error(theirs))
    assert mean == pytest.approx(theirs.mean(), abs=4 * error)
    sd = np.sqrt((weights * (ours - mean) ** 2).sum())
    assert sd == pytest.approx(theirs.std(), rel=0.1)


@pytest.mark.parametrize("patients", [[40], [34, 35, 36, 37, 50, 51]])
def test_without_patients(case, frame, patients):
    baseline, formula, fit = case
    less = cohort(frame.drop(index=patients))
    brute = bs.fit(less, formula, baseline=baseline, priors=PRIORS, sampling=SAMPLING)
    again = refit(fit, without=patients)
    assert not again.failed
    close(log_ratio(again), log_ratio(brute))
    weighted = leave_out(fit, patients)
    close(log_ratio(weighted.fit), log_ratio(brute), weighted.weights)


def test_under_other_priors(case, frame):
    baseline, formula, fit = case
    priors = replace(PRIORS, coefficient=bs.Normal(0, 0.35), shape=bs.Gamma(8, 8))
    brute = bs.fit(cohort(frame), formula, baseline=baseline, priors=priors, sampling=SAMPLING)
    again = refit(fit, priors=priors)
    close(log_ratio(again), log_ratio(brute))
    assert again.specification.priors == priors
    weighted = under_priors(fit, priors)
    assert weighted.fit.specification.priors == priors
    close(log_ratio(weighted.fit), log_ratio(brute), weighted.weights)


def test_a_distant_prior_is_refitted(case):
    _, _, fit = case
    found = under_priors(fit, replace(PRIORS, coefficient=bs.Normal(2, 0.1)))
    assert found.refitted
    assert found.pareto_k > 0.7
    assert np.ptp(found.weights) == 0
    assert log_ratio(found.fit).mean() > 1


def test_the_same_posterior_again_has_equal_weights(case):
    _, _, fit = case
    found = under_priors(fit, PRIORS)
    assert not found.refitted
    assert np.ptp(found.weights) == 0
    close(log_ratio(refit(fit)), log_ratio(fit))


def test_a_left_out_patient_has_a_predictive_likelihood(case):
    """Not fitted to, an event is less likely than when it was."""
    _, _, fit = case
    worst = int(fit.draws["log_likelihood"]["time"].mean(("chain", "draw")).to_numpy().argmin())
    again = refit(fit, without=[worst])
    inside, outside = (f.draws["log_likelihood"]["time"][..., worst] for f in (fit, again))
    assert outside.shape == inside.shape
    assert outside.mean() < inside.mean()


def test_the_same_seed_gives_the_same_draws(case):
    _, _, fit = case
    first, second = (refit(fit.thinned(8), without=[3], seed=5) for _ in range(2))
    assert first.posterior.equals(second.posterior)
    assert not first.posterior.equals(refit(fit.thinned(8), without=[3], seed=6).posterior)


def test_a_loaded_fit_is_enough(case, tmp_path):
    _, _, fit = case
    bs.save(fit, tmp_path / "posterior.nc")
    loaded = bs.load(tmp_path / "posterior.nc")
    assert refit(loaded.thinned(8), without=[0]).posterior.equals(
        refit(fit.thinned(8), without=[0]).posterior
    )


def test_patients_with_several_rows_are_left_out_whole(make_cohort):
    frame = make_cohort()
    early = frame.assign(os_event=0, os_months=frame["os_months"] / 2, start=0.0)
    late = frame.assign(start=frame["os_months"] / 2)
    rows = pd.concat([early, late], ignore_index=True)
    split = bs.Cohort.from_frame(
        rows, time="os_months", event="os_event", entry="start", unit="months", id="pid"
    )
    fit = bs.fit(split, "cti2 + bulky", priors=PRIORS, sampling=SAMPLING)
    less = cohort(frame.drop(index=40))
    brute = bs.fit(less, "cti2 + bulky", priors=PRIORS, sampling=SAMPLING)
    close(log_ratio(refit(fit, without=[40])), log_ratio(brute))


def test_a_refit_of_a_refit_leaves_out_the_patients_of_both(case):
    _, _, fit = case
    together = refit(fit, without=[40, 50])
    one_by_one = refit(refit(fit, without=[40]), without=[50])
    close(log_ratio(one_by_one), log_ratio(together))
    narrow = replace(PRIORS, coefficient=bs.Normal(0, 0.3))
    wide_again = refit(refit(together, priors=narrow), priors=PRIORS)
    close(log_ratio(wide_again), log_ratio(together))
    assert wide_again.draws.attrs["left_out"] == [40, 50]
    assert np.ptp(leave_out(together, [40]).weights) == 0
    one_more = leave_out(together, [40, 41])
    np.testing.assert_array_equal(one_more.weights, leave_out(together, [41]).weights)


def test_refused(case, tmp_path):
    baseline, formula, fit = case
    with pytest.raises(bs.InputError, match="in other terms"):
        with_priors(fit, bs.Priors(intercept=bs.Normal(0, 5), log_hazard=bs.Normal(0, 5)))
    drawn = bs.prior(cohort_of_prior(), "a", draws=100)
    with pytest.raises(bs.InputError, match="draws of a prior"):
        refit(drawn)
    with pytest.raises(bs.InputError, match="no patients at 61, -1; positions run from 0 to 60"):
        refit(fit, without=[61, 3, -1])
    with pytest.raises(bs.InputError, match="a refit is not saved"):
        bs.save(refit(fit.thinned(8)), tmp_path / "refit.nc")


def cohort_of_prior():
    table = pd.DataFrame({"time": [1.0, 2, 3, 4], "event": [1, 1, 0, 1], "a": [0, 1, 1, 0]})
    return bs.Cohort.from_frame(table, time="time", event="event", unit="months")


def test_density_of_a_fit_is_that_of_its_cohort(case, frame):
    baseline, formula, fit = case
    stored = fit.draws["log_likelihood"]["time"].to_numpy()
    position = fit.draws["positions"]["position"].to_numpy()
    np.testing.assert_allclose(density(fit).log_likelihood(position), stored, rtol=1e-9)
    again = specify(cohort(frame), formula, baseline, PRIORS)
    assert density(fit).specification.sampled() == again.sampled()
