"""Counts are fitted as patients are: the same likelihood, and what needs patients is refused."""

import json
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.data.counts import Counts
from bayesurv.estimands.checks import check
from bayesurv.estimands.leave_one_out import leave_one_out
from bayesurv.fitting import compressed_cohort, prior, specify
from bayesurv.inference.sample import Sampling
from bayesurv.models.likelihood import Observed, linear_predictor, log_likelihood
from bayesurv.models.priors import MedianSurvival, Priors
from bayesurv.refitting import density, refit, total_log_likelihood, under_priors
from bayesurv.saved import load, save

CUTS = (3.0, 6.0, 12.0, 24.0)
FORMULA = "cti2 + bulky + (1 | centre)"
PRIORS = Priors(median_survival=MedianSurvival(2, 40))


@pytest.fixture(scope="module")
def patients():
    generator = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "cti2": generator.integers(0, 2, 200),
            "bulky": generator.integers(0, 2, 200),
            "centre": np.array(list("ABCDE"))[generator.integers(0, 5, 200)],
        }
    )
    hazard = np.exp(-0.5 * table["cti2"] + 0.4 * table["bulky"]) / 12
    time, end = generator.exponential(1 / hazard), generator.uniform(2, 40, 200)
    table = table.assign(time=np.minimum(time, end), event=(time <= end).astype(int))
    return bs.Cohort.from_frame(table, time="time", event="event", unit="months")


@pytest.fixture(scope="module")
def counts(patients):
    return Counts.from_cohort(patients, CUTS)


@pytest.fixture(scope="module")
def fitted(counts):
    sampling = Sampling(chains=4, draws=500, tune=500, seed=1)
    return bs.fit(counts, FORMULA, priors=PRIORS, sampling=sampling)


def totals(cohort, baseline, parameters):
    """Log-likelihood of a cohort or of counts at some draws."""
    specification = specify(cohort, FORMULA, baseline, PRIORS)
    observed, rows = compressed_cohort(specification, cohort)
    return _total(specification, observed, rows, parameters)


def _total(specification, observed, rows, parameters):
    predictor = linear_predictor(specification.design, rows, parameters, np)
    return log_likelihood(specification.baseline, observed, parameters, predictor, np).sum(axis=-1)


@pytest.mark.parametrize(
    "baseline",
    [
        bs.PiecewiseExponential(cuts=CUTS),
        bs.PiecewiseExponential(cuts=(6.0, 24.0)),
        bs.PiecewiseExponential(cuts=CUTS, smoothing="independent"),
        bs.Exponential(),
    ],
    ids=["all cuts", "some cuts", "independent", "no cuts"],
)
def test_the_likelihood_of_counts_is_that_of_the_patients(patients, counts, baseline):
    parameters = prior(patients, FORMULA, baseline=baseline, priors=PRIORS, draws=50).parameters()
    specification = specify(patients, FORMULA, baseline, PRIORS)
    plain = Observed.from_cohort(patients, baseline)
    expected = _total(specification, plain, specification.design.rows, parameters)
    np.testing.assert_allclose(totals(counts, baseline, parameters), expected, rtol=1e-10)


def test_the_posterior_is_that_of_the_patients(patients, fitted):
    sampling = Sampling(chains=4, draws=500, tune=500, seed=2)
    own = bs.fit(
        patients, FORMULA, baseline=bs.PiecewiseExponential(cuts=CUTS), priors=PRIORS,
        sampling=sampling,
    )  # fmt: skip
    first, second = (bs.hazard_ratios(each) for each in (own, fitted))
    columns = ["hazard_ratio", "lower", "upper"]
    np.testing.assert_allclose(np.log(first[columns]), np.log(second[columns]), atol=0.06)
    assert fitted.n_patients == own.n_patients
    assert fitted.n_events == own.n_events


def test_everyone_is_counted_when_survival_is_averaged(patients, fitted):
    """A pattern weighs as many patients as it has, in means and in the Bayesian bootstrap."""
    own = prior(
        patients, FORMULA, baseline=bs.PiecewiseExponential(cuts=CUTS), priors=PRIORS, draws=200
    )
    other = prior(Counts.from_cohort(patients, CUTS), FORMULA, priors=PRIORS, draws=200)
    tables = [bs.benefit(each, "cti2", horizon=12) for each in (own, other)]
    pd.testing.assert_frame_equal(
        *(table.set_index("quantity")[["estimate", "lower", "upper"]] for table in tables)
    )
    assert bs.benefit(fitted, "cti2", horizon=12, bootstrap=1)["estimate"].notna().any()


def test_the_end_of_follow_up_is_the_last_cut_that_someone_was_followed_beyond(counts, fitted):
    assert fitted.end_of_follow_up == counts.end_of_follow_up == 24.0
    with pytest.raises(bs.InputError, match="the largest allowed is 24"):
        bs.benefit(fitted, "cti2", horizon=30)


def test_what_needs_patients_is_refused(fitted):
    for ask in (leave_one_out, lambda fit: refit(fit, without=[0]), check):
        with pytest.raises(bs.InputError, match="made from counts"):
            ask(fitted)


def test_other_priors_can_be_tried(fitted):
    other = Priors(median_survival=MedianSurvival(2, 40), coefficient=bs.Normal(0, 0.2))
    moved = under_priors(fitted, other)
    kept = refit(fitted, priors=other)
    ratio = moved.quantiles(moved.fit.posterior["coefficient"].to_numpy()[..., 0], [0.5])
    refitted = np.median(kept.posterior["coefficient"].to_numpy()[..., 0])
    assert ratio == pytest.approx(refitted, abs=0.05)
    assert abs(refitted) < abs(np.log(bs.hazard_ratios(fitted)["hazard_ratio"][0]))


def test_a_saved_fit_of_counts_answers_the_same(fitted, tmp_path):
    save(fitted, tmp_path / "posterior.nc")
    again = load(tmp_path / "posterior.nc")
    assert again.counted
    pd.testing.assert_frame_equal(
        bs.benefit(again, "cti2", horizon=12), bs.benefit(fitted, "cti2", horizon=12)
    )


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        (bs.Weibull(), "weibull needs the patients' own times"),
        (bs.PiecewiseExponential(cuts=(3.0, 7.0)), "no counts begin at 7"),
    ],
)
def test_baselines_that_counts_cannot_tell_are_refused(counts, baseline, message):
    with pytest.raises(bs.InputError, match=message):
        bs.fit(counts, FORMULA, baseline=baseline, priors=PRIORS)


def test_counts_without_events_are_refused(counts):
    nothing = replace(counts, events=np.zeros_like(counts.events))
    with pytest.raises(bs.InputError, match="no events are counted"):
        bs.fit(nothing, FORMULA)


def test_the_prior_weight_is_asked_of_counts_too(fitted):
    """Powers of the likelihood need its sum over patients alone, which counts give."""
    total = total_log_likelihood(fitted)
    assert total.shape == (4, fitted.posterior.sizes["draw"])
    one = {name: values[0, 0] for name, values in fitted.parameters().items()}
    specification = fitted.specification
    observed, rows = density(fitted).observed, fitted.design.rows
    assert total[0, 0] == pytest.approx(_total(specification, observed, rows, one), rel=1e-9)


def test_the_page_is_refused_and_sensitivity_answered(fitted, tmp_path, bayesurv):
    folder = tmp_path / "results" / "os" / "piecewise-exponential"
    folder.mkdir(parents=True)
    save(fitted, folder / "posterior.nc", treatment="cti2", horizon=12)
    mark = {"bayesurv": version("bayesurv"), "files": ["os", "provenance.json"], "data": {}}
    (tmp_path / "results" / "provenance.json").write_text(json.dumps(mark))
    page = bayesurv("report", tmp_path / "results")
    assert (page.code, "the page needs the patients" in page.error) == (2, True)
    asked = bayesurv("sensitivity", folder, "--out", tmp_path / "sensitivity")
    assert asked.code == 0, asked.error
