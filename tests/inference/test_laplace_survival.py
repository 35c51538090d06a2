"""The Laplace approximation of survival models against draws of the same posteriors by NUTS."""

import numpy as np
import pytest

import bayesurv as bs
from bayesurv.fitting import compiled_survival, compressed_cohort, specify
from bayesurv.inference.laplace import approximate, expanded

pytestmark = pytest.mark.filterwarnings("ignore::bayesurv.CohortWarning")
FITS = {
    "weibull_fit": "cti2",
    "piecewise_fit": "cti2",
    "grouped_fit": "cti2 + (1 | centre)",
}


def compiled(frame, formula, baseline):
    cohort = bs.Cohort.from_frame(frame, time="os_months", event="os_event", unit="months")
    specification = specify(cohort, formula, baseline)
    return compiled_survival(specification, *compressed_cohort(specification, cohort))


def moments(values, weight):
    mean = np.tensordot(weight, values, axes=1)
    return mean, np.sqrt(np.tensordot(weight, np.square(values - mean), axes=1))


@pytest.mark.parametrize("name", FITS)
def test_mean_and_spread_are_those_of_nuts(request, make_cohort, name):
    """Of every parameter that a posterior keeps, within Monte-Carlo error."""
    fit = request.getfixturevalue(name)
    model = compiled(make_cohort(), FITS[name], fit.baseline)
    found = approximate(model, draws=8000, seed=1)
    assert found.reliable
    assert found.effective_draws > 3000
    every = expanded(model, found.position)
    for parameter, drawn in fit.parameters().items():
        flat = drawn.reshape(-1, *drawn.shape[2:])
        mean, sd = moments(every[parameter], found.weight)
        assert np.abs((mean - flat.mean(axis=0)) / flat.std(axis=0)).max() < 0.2
        np.testing.assert_allclose(sd, flat.std(axis=0), rtol=0.2)


@pytest.mark.parametrize("name", FITS)
def test_probability_of_benefit_is_that_of_nuts(request, make_cohort, name):
    fit = request.getfixturevalue(name)
    found = approximate(compiled(make_cohort(), FITS[name], fit.baseline), draws=8000, seed=2)
    helps = found.weight @ (found.named("coefficient")[:, 0] < 0)
    assert helps == pytest.approx((fit.posterior["coefficient"] < 0).mean().item(), abs=0.03)


INDEPENDENT = bs.PiecewiseExponential(cuts=(3, 6, 12), smoothing="independent")


@pytest.mark.parametrize(
    ("formula", "baseline"),
    [
        ("cti2", bs.Weibull()),
        ("cti2", bs.PiecewiseExponential()),
        ("cti2 + (1 | centre)", bs.Weibull()),
        pytest.param("cti2 + bulky", INDEPENDENT, marks=pytest.mark.slow),
        pytest.param("cti2 + bulky", bs.Gompertz(), marks=pytest.mark.slow),
        pytest.param("cti2 + bulky", bs.MSpline(), marks=pytest.mark.slow),
    ],
    ids=lambda part: part if isinstance(part, str) else part.name,
)
def test_cohorts_of_61_patients_need_no_sampler(make_cohort, baseline, formula):
    for seed in range(12):
        found = approximate(compiled(make_cohort(seed), formula, baseline), seed=seed)
        assert found.reliable
        assert found.effective_draws > 100
