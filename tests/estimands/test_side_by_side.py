"""Bayes beside the classical analysis: the prior's pull is worked out, and misfit is told."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayesurv.data.cohort import Cohort
from bayesurv.estimands.patients import arms
from bayesurv.estimands.side_by_side import explained, side_by_side
from bayesurv.fitting import CohortWarning, fit
from bayesurv.frequentist.observations import Observations
from bayesurv.inference.sample import Sampling
from bayesurv.models.baselines import PiecewiseExponential, Weibull
from bayesurv.models.priors import Normal, Priors, StudentT
from bayesurv.report.classical import regular_cox
from bayesurv.report.results import observed_arm

SAMPLING = Sampling(chains=2, draws=500, tune=500, seed=3)


def beside(fitted, cohort, formula, horizon=10, times=(3, 10), cox=None):
    observed = Observations.of(cohort, formula)
    curves = {name: (who, observed_arm(fitted, who)) for name, who in arms(fitted, "cti2").items()}
    return side_by_side(fitted, cox or observed.cox(), curves, horizon, times)


def simulated(seed, hazard_power=1.0, reversal=0.0, size=61):
    """Two arms; `reversal` turns the hazard ratio round after 4 months."""
    random = np.random.default_rng(seed)
    cti2 = np.repeat([0, 1], [size - size * 27 // 61, size * 27 // 61])
    bulky = random.integers(0, 2, size)
    need = random.exponential(size=size) * np.exp(-0.4 * bulky)
    early, late = np.exp(reversal * cti2), np.exp(-reversal * cti2)
    first = 0.1 * 4 * early
    death = np.where(need < first, need / (0.1 * early), 4 + (need - first) / (0.1 * late))
    death = 10 * (death / 10) ** (1 / hazard_power)
    last = random.uniform(12, 40, size)
    return pd.DataFrame(
        {"cti2": cti2, "bulky": bulky, "time": np.minimum(death, last).clip(0.05),
         "event": (death <= last).astype(int)}
    )  # fmt: skip


def followed(frame):
    return Cohort.from_frame(frame, time="time", event="event", unit="months")


def test_explained_is_the_precision_weighted_mean(weibull_fit, frame):
    cohort = Cohort.from_frame(frame, time="os_months", event="os_event", unit="months", id="pid")
    cox = Observations.of(cohort, "cti2").cox()
    mean, covariance = explained(cox, weibull_fit)
    information, prior = 1 / cox.covariance[0, 0], 1 / 0.75**2
    assert_allclose(covariance, 1 / (information + prior), rtol=1e-12)
    assert_allclose(mean, information * cox.coefficient / (information + prior), rtol=1e-12)


def test_a_prior_without_a_variance_has_no_pull(weibull_fit, frame):
    cohort = Cohort.from_frame(frame, time="os_months", event="os_event", unit="months", id="pid")
    cox = Observations.of(cohort, "cti2").cox()
    priors = Priors(coefficient=StudentT(1, 5, 1))
    cauchy = replace(weibull_fit, specification=replace(weibull_fit.specification, priors=priors))
    mean, covariance = explained(cox, cauchy)
    assert_allclose(mean, cox.coefficient, rtol=1e-12)
    assert_allclose(covariance, cox.covariance, rtol=1e-12)


def test_a_strong_prior_is_explained_not_told_as_a_disagreement():
    cohort = followed(simulated(1, size=200))
    priors = Priors(coefficient=Normal(1.5, 0.1))
    fitted = fit(cohort, "cti2 + bulky", priors=priors, sampling=SAMPLING)
    row = beside(fitted, cohort, "cti2 + bulky").iloc[0]
    assert (row["quantity"], row["of"]) == ("hazard ratio", "cti2")
    assert row["bayesian"] > 2 > row["classical"]
    assert row["explained"] == pytest.approx(row["bayesian"], rel=0.1)
    assert not row["unexplained"]


def test_each_quantity_stands_beside_its_own():
    cohort = followed(simulated(2))
    fitted = fit(cohort, "cti2 + bulky", sampling=SAMPLING)
    table = beside(fitted, cohort, "cti2 + bulky")
    kinds = ["median survival", "restricted mean survival", "survival", "survival"]
    assert table["quantity"].tolist() == ["hazard ratio"] * 2 + 2 * kinds
    assert table["of"].tolist() == ["cti2", "bulky", *["cti2 = 0"] * 4, *["cti2 = 1"] * 4]
    assert table["time"].dropna().tolist() == [10, 3, 10] * 2
    assert (table["lower"] < table["bayesian"]).all()
    assert (table["bayesian"] < table["upper"]).all()
    assert table["excess"].isna().tolist() == (table["quantity"] == "median survival").tolist()
    # Smooth and stepped survival of the same patients are close, and no flag is put up.
    curves = table[table["quantity"] == "survival"]
    assert_allclose(curves["bayesian"], curves["classical"], atol=0.12)
    assert not table["unexplained"].any()


def test_a_model_of_the_wrong_form_is_told():
    cohort = followed(simulated(4, reversal=1.6, size=240))
    fitted = fit(cohort, "cti2", sampling=SAMPLING)
    table = beside(fitted, cohort, "cti2")
    assert table.loc[table["quantity"] == "survival", "unexplained"].any()


def test_separated_data_stand_beside_firths_estimate(frame):
    frame.loc[frame["bulky"] == 1, "os_event"] = 0
    cohort = Cohort.from_frame(frame, time="os_months", event="os_event", unit="months")
    cox, notes = regular_cox(Observations.of(cohort, "cti2 + bulky"))
    assert len(notes) == 1
    assert "bulky has no finite estimate: no event" in notes[0]
    with pytest.warns(CohortWarning, match="No events among the patients with bulky = 1"):
        fitted = fit(cohort, "cti2 + bulky", sampling=SAMPLING, force=True)
    table = beside(fitted, cohort, "cti2 + bulky", cox=cox)
    own = table[table["quantity"] == "hazard ratio"]
    assert (own["method"] == "cox-firth").all()
    assert np.isfinite(own[["classical", "classical_lower", "classical_upper"]]).all(axis=None)


@pytest.mark.slow
@pytest.mark.parametrize("baseline", [Weibull(), PiecewiseExponential()], ids=lambda b: b.name)
def test_true_models_are_seldom_told_to_disagree(baseline):
    """Weibull cohorts of 61, analysed as such: 0.05 and 0.07 of 60 on 2026-11-24."""
    told = []
    for seed in range(60):
        cohort = followed(simulated(seed, hazard_power=0.7 + 0.8 * seed / 60))
        settings = replace(SAMPLING, seed=seed)
        fitted = fit(cohort, "cti2 + bulky", baseline=baseline, sampling=settings, force=True)
        told.append(beside(fitted, cohort, "cti2 + bulky")["unexplained"].any())
    assert np.mean(told) <= 0.15


def test_interval_censored_events_stand_beside_turnbulls_estimate():
    frame = simulated(2)
    frame["seen"] = np.where(frame["event"] == 1, frame["time"] + 2, np.nan)
    cohort = Cohort.from_frame(frame, time="time", event="event", upper="seen", unit="months")
    table = beside(fit(cohort, "cti2", sampling=SAMPLING), cohort, "cti2")
    assert table["method"].tolist() == ["cox", *["turnbull"] * 8]
    assert table["excess"].isna().tolist() == [False, *[True] * 8]
