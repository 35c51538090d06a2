"""Left-out predictions against quadrature, brute-force refits and arviz."""

from dataclasses import replace

import arviz_stats
import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

import bayesurv as bs
from bayesurv.estimands.leave_one_out import leave_one_out
from bayesurv.inference.diagnostics import monte_carlo_error
from bayesurv.refitting import refit

CUTS = (6.0, 12.0)
MODELS = {
    "weibull": (
        bs.Weibull(),
        bs.Priors(
            median_survival=bs.MedianSurvival(6, 60),
            coefficient=bs.Normal(0, 0.75),
            shape=bs.LogNormal(0, 0.5),
        ),
    ),
    "piecewise": (
        bs.PiecewiseExponential(CUTS, smoothing="independent"),
        bs.Priors(log_hazard=bs.Normal(-3, 1), coefficient=bs.Normal(0, 0.75)),
    ),
}


def with_outlier(ovarian):
    """The oldest patient of all is the one who lives longest."""
    frame = ovarian.copy()
    frame.loc[0, ["time", "event", "age10"]] = [40, 0, 4.0]
    return frame


def without_each(evidence, size):
    """Log predictive density of each patient when left out, from log marginal likelihoods."""
    everyone = np.ones(size, dtype=bool)
    left = [everyone & (np.arange(size) != i) for i in range(size)]
    return np.array([evidence(everyone) - evidence(kept) for kept in left])


def weibull_evidence(frame, name, fit):
    """Log marginal likelihood of some patients under the Weibull model, up to a constant.

    By the trapezoid rule over log median, log shape and coefficient, on a grid along the
    principal axes of the fit's draws.
    """
    time, event, x = (frame[column].to_numpy() for column in ("time", "event", name))
    steps = np.linspace(-12, 12, 61)
    drawn = {name: values.ravel() for name, values in fit.parameters().items()}
    log_median = (np.log(np.log(2)) - drawn["intercept"]) / drawn["shape"]
    around = np.column_stack([log_median, np.log(drawn["shape"]), drawn["coefficient"]])
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    root = np.linalg.cholesky(np.cov(around, rowvar=False))
    median, log_shape, slope = (around.mean(axis=0) + grid @ root.T).T[..., None]
    spread = np.log(60 / 6) / 2 / norm.ppf(0.975)
    prior = norm(np.log(np.sqrt(6 * 60)), spread).logpdf(median)
    prior = (prior + norm(0, 0.5).logpdf(log_shape) + norm(0, 0.75).logpdf(slope))[:, 0]
    shape = np.exp(np.minimum(log_shape, 5))
    intercept = np.log(np.log(2)) - shape * median
    log_cumulative = np.minimum(intercept + slope * x + shape * np.log(time), 600)
    pointwise = event * (log_shape - np.log(time) + log_cumulative) - np.exp(log_cumulative)
    return lambda kept: logsumexp(prior + pointwise @ kept)


def piecewise_evidence(frame, name):
    """Log marginal likelihood of some patients under the piecewise model, up to a constant.

    Given the coefficient the intervals are independent, so one sum over each log hazard within
    one over the coefficient.
    """
    time, event, x = (frame[column].to_numpy() for column in ("time", "event", name))
    ends = np.array([0, *CUTS, np.inf])
    at_risk = np.clip(time[:, None], ends[:-1], ends[1:]) - ends[:-1]
    died = (event[:, None] == 1) & (time[:, None] > ends[:-1]) & (time[:, None] <= ends[1:])
    slope = np.linspace(-5, 6, 401)[:, None]
    rate = np.linspace(-13, 7, 401)[:, None, None]

    def evidence(kept):
        exposure = np.exp(slope * x[kept]) @ at_risk[kept]  # (slope, interval)
        events = died[kept].sum(axis=0)
        each = norm(-3, 1).logpdf(rate) + events * rate - np.exp(rate) * exposure
        scores = slope[:, 0] * (x * event)[kept].sum() + norm(0, 0.75).logpdf(slope[:, 0])
        return logsumexp(scores + logsumexp(each, axis=0).sum(axis=1))

    return evidence


@pytest.fixture(scope="module")
def weibull(ovarian, sampled):
    return sampled(ovarian, "age10", *MODELS["weibull"])


@pytest.fixture(scope="module")
def piecewise(ovarian, sampled):
    return sampled(ovarian, "age10", *MODELS["piecewise"])


@pytest.fixture(scope="module")
def outlying(ovarian, sampled):
    return sampled(with_outlier(ovarian), "age10", *MODELS["weibull"])


@pytest.fixture(scope="module")
def exact(ovarian, weibull):
    """Of the Weibull model, by quadrature."""
    return without_each(weibull_evidence(ovarian, "age10", weibull), 26)


def z(found, exact):
    """Errors in units of their Monte-Carlo standard error."""
    return (found.pointwise - exact) / found.mcse


def test_weibull_is_exact_leave_one_out(weibull, exact):
    found = leave_one_out(weibull)
    assert np.abs(z(found, exact)).max() < 4
    np.testing.assert_allclose(found.pointwise, exact, atol=0.05)
    assert found.elpd == pytest.approx(exact.sum(), abs=4 * found.total_mcse)
    assert found.total_mcse < 0.06
    assert not found.refitted.any()


def test_piecewise_is_exact_leave_one_out(ovarian, piecewise):
    found = leave_one_out(piecewise)
    exact = without_each(piecewise_evidence(ovarian, "age10"), 26)
    assert np.abs(z(found, exact)).max() < 4
    np.testing.assert_allclose(found.pointwise, exact, atol=0.05)
    assert found.elpd == pytest.approx(exact.sum(), abs=4 * found.total_mcse)


def test_an_outlier_is_refitted(ovarian, outlying):
    found = leave_one_out(outlying)
    assert np.flatnonzero(found.pareto_k > 0.7).tolist() == [0]
    assert np.flatnonzero(found.refitted).tolist() == [0]
    assert not found.failed.any()
    exact = without_each(weibull_evidence(with_outlier(ovarian), "age10", outlying), 26)
    assert np.abs(z(found, exact)).max() < 4
    assert found.pointwise[0] < found.within[0] - 2
    [row] = found.table().to_dict("records")
    assert row["patients_above_0.7"] == 1
    assert row["pareto_k_max"] == found.pareto_k[0]


def test_a_patients_rows_are_one_patient(ovarian, sampled, exact):
    """Follow-up cut at six months into two rows predicts as it does whole."""
    whole = ovarian.assign(pid=range(26), entry=0.0)
    late = whole[whole["time"] > 6]
    first = late.assign(time=6.0, event=0)
    rows = pd.concat([whole[whole["time"] <= 6], first, late.assign(entry=6.0)])
    split = rows.sort_values(["pid", "entry"])
    fit = sampled(split, "age10", *MODELS["weibull"], entry="entry", id="pid")
    found = leave_one_out(fit)
    assert np.abs(z(found, exact)).max() < 4


def test_arviz_agrees(weibull):
    found = leave_one_out(weibull)
    expected = arviz_stats.loo(weibull.draws, var_name="time", pointwise=True, reff=1.0)
    np.testing.assert_allclose(found.pointwise, expected.elpd_i)
    np.testing.assert_allclose(found.pareto_k, expected.pareto_k)
    [row] = found.table().to_dict("records")
    assert row["elpd_loo"] == pytest.approx(expected.elpd)
    assert row["se"] == pytest.approx(expected.se)
    assert row["p_loo"] == pytest.approx(expected.p)
    assert list(row) == ("elpd_loo se p_loo pareto_k_max patients_above_0.7 patients".split())


def mean_density(again, patient):
    """Log of the mean density of a patient over the draws of a fit without, and its error."""
    logs = again.draws["log_likelihood"]["time"].to_numpy()[..., patient]
    density = np.exp(logs - logs.max())
    error = monte_carlo_error(density) / density.mean()
    return logs.max() + np.log(density.mean()), error


@pytest.mark.parametrize("model", MODELS)
def test_refits_agree(model, request):
    fit = request.getfixturevalue(model)
    found = leave_one_out(fit)
    for patient in np.argsort(found.pareto_k)[-3:]:
        expected, error = mean_density(refit(fit, without=[patient]), patient)
        allowed = 4 * np.hypot(error, found.mcse[patient])
        assert found.pointwise[patient] == pytest.approx(expected, abs=allowed)


def test_refits_of_a_failed_fit_are_failed(outlying):
    found = leave_one_out(replace(outlying, failed=True))
    assert np.flatnonzero(found.failed).tolist() == [0]


def test_draws_of_a_prior_are_refused(prior):
    with pytest.raises(bs.InputError, match="fit the cohort first"):
        leave_one_out(prior())


@pytest.mark.slow
def test_monte_carlo_errors_are_of_the_size_they_say(ovarian, sampled, exact):
    repeats = [
        leave_one_out(sampled(ovarian, "age10", *MODELS["weibull"], draws=500, seed=seed))
        for seed in range(40)
    ]
    each = np.stack([z(found, exact) for found in repeats])
    total = np.array([(found.elpd - exact.sum()) / found.total_mcse for found in repeats])
    assert np.sqrt(np.square(each).mean()) == pytest.approx(1, abs=0.15)
    assert np.sqrt(np.square(total).mean()) == pytest.approx(1, abs=0.35)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::bayesurv.CohortWarning")
@pytest.mark.parametrize(
    ("model", "outlier"), [*((model, False) for model in MODELS), ("weibull", True)]
)
def test_nuts_without_each_patient(ovarian, model, outlier):
    """Twenty-six fits of 25 patients: importance weights, refits and NUTS say the same."""
    frame = with_outlier(ovarian) if outlier else ovarian
    baseline, priors = MODELS[model]
    options = {"baseline": baseline, "priors": priors, "seed": 1}
    fit = bs.fit(cohort(frame), "age10", **options)
    found = leave_one_out(fit)
    beside = []
    for patient in range(26):
        again = bs.fit(cohort(frame.drop(index=patient)), "age10", **options)
        expected, error = predicted(again, frame.loc[[patient]])
        own, own_error = mean_density(refit(fit, without=[patient]), patient)
        assert own == pytest.approx(expected, abs=4 * np.hypot(own_error, error))
        beside.append((found.pointwise[patient] - expected) / np.hypot(error, found.mcse[patient]))
    assert np.abs(beside).max() < 4
    assert np.sqrt(np.square(beside).mean()) < 1.5


def cohort(frame):
    return bs.Cohort.from_frame(frame, time="time", event="event", unit="months")


def predicted(again, row):
    """As `mean_density`, by survival and hazard that a fit without the patient predicts."""
    time = row["time"].tolist()
    alive = bs.survival(again, row[["age10"]], time, extrapolate=True).to_numpy()[..., 0, 0]
    rate = bs.hazard(again, row[["age10"]], time, extrapolate=True).to_numpy()[..., 0, 0]
    density = alive * np.where(row["event"].item(), rate, 1)
    return np.log(density.mean()), monte_carlo_error(density) / density.mean()
