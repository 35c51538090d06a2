"""Fits over the published study's ensemble against posteriors known in closed form.

A normal likelihood of the log hazard ratio times a normal prior is normal. With the likelihood of
the published log-rank test (1.977 standard errors of 0.315) that is what the study itself says;
with the maximum of the model that is fitted, it is what the fit must say. The two differ: no
patient without CTI2 has an event in the first three months, to which a Weibull hazard, and six
intervals less so, cannot be fitted, and their maxima lie below that of Cox's model.
"""

import numpy as np
import pytest
from scipy.stats import norm

import bayesurv as bs
from bayesurv.data.ensemble import Ensemble
from bayesurv.data.published.ensemble import shipped_ensemble
from bayesurv.ensembles import fit_ensemble
from bayesurv.estimands.pooled import pooled_hazard_ratios
from bayesurv.frequentist.parametric import weibull

PUBLISHED = 1.977 * 0.315, 0.315  # log hazard ratio and its standard error
FROM_PUBLISHED, FROM_MAXIMUM = 0.2, 0.06  # in the hazard ratio
PRIOR_SDS = (0.35, 0.5, 0.75, 1.0, 2.5)


def normal_posterior(estimate, error, prior_sd):
    """Hazard ratio, 95% interval and P(HR > 1) of a normal likelihood under a normal prior."""
    precision = 1 / error**2 + 1 / prior_sd**2
    mean, sd = estimate / error**2 / precision, precision**-0.5
    return np.exp(mean), *np.exp(mean + norm.ppf([0.025, 0.975]) * sd), norm.sf(0, mean, sd)


def weibull_maximum(cohort, _):
    arm = cohort.covariates[["cti2"]].to_numpy()
    found = weibull(cohort.time, cohort.event, arm, ["cti2"])
    place = found.terms.index("cti2")
    return found.coefficient[place], found.standard_error[place]


def piecewise_maximum(cohort, baseline):
    """Maximum over every hazard that is constant between the cuts, profiled over them."""
    treated = cohort.covariates["cti2"].to_numpy() == 1
    events = baseline.hazard_basis(cohort.time) * cohort.event
    risk = baseline.cumulative_basis(cohort.time)
    log_ratio, information = 0.0, 1.0
    for _ in range(30):
        ours = np.exp(log_ratio) * risk[:, treated].sum(axis=1)
        share = ours / (ours + risk[:, ~treated].sum(axis=1))
        total = events.sum(axis=1)
        information = (total * share * (1 - share)).sum()
        log_ratio += (events[:, treated].sum() - (total * share).sum()) / information
    return log_ratio, information**-0.5


MODELS = {
    "weibull": (bs.Weibull(), weibull_maximum),
    "piecewise-exponential": (bs.PiecewiseExponential(), piecewise_maximum),
}


def overall_survival(members):
    table = shipped_ensemble()
    table = table[table["member"] < members]
    return Ensemble.from_frame(table, time="os_months", event="os_event", unit="months")


def compare(ensemble, name, prior_sd, sampling=None):
    """Hold the pooled hazard ratio of CTI2 to both closed forms."""
    baseline, maximum = MODELS[name]
    fitted = fit_ensemble(
        ensemble,
        "cti2",
        baseline=baseline,
        priors=bs.Priors(coefficient=bs.Normal(0, prior_sd)),
        sampling=sampling,
        seed=1,
    )
    pooled = pooled_hazard_ratios(fitted).iloc[0]
    own = [maximum(cohort, fitted.stacked.baseline) for _, cohort in ensemble.cohorts()]
    expected = np.mean([normal_posterior(*each, prior_sd) for each in own], axis=0)
    assert pooled["hazard_ratio"] == pytest.approx(expected[0], abs=FROM_MAXIMUM)
    assert 1 - pooled["prob_below_1"] == pytest.approx(expected[3], abs=0.02)
    published = normal_posterior(*PUBLISHED, prior_sd)
    assert pooled["hazard_ratio"] == pytest.approx(published[0], abs=FROM_PUBLISHED)
    assert pooled["hazard_ratio"] < published[0]


def test_the_table_that_the_fits_are_held_to():
    found = [normal_posterior(*PUBLISHED, sd) for sd in PRIOR_SDS]
    assert np.round([row[0] for row in found], 2).tolist() == [1.41, 1.56, 1.70, 1.76, 1.85]
    assert np.round([row[3] for row in found], 3).tolist() == [0.929, 0.953, 0.966, 0.970, 0.975]
    assert np.round(found[0][1:3], 2).tolist() == [0.89, 2.23]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("prior_sd", [0.35, 2.5])
def test_a_dozen_members(name, prior_sd):
    longer = bs.Sampling(chains=2, draws=1500, tune=500, target_accept=0.9)
    compare(overall_survival(12), name, prior_sd, longer)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("prior_sd", PRIOR_SDS)
def test_all_members(name, prior_sd):
    ensemble = overall_survival(10**6)
    assert ensemble.n_members >= 200
    compare(ensemble, name, prior_sd)
