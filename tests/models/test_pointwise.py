"""Log density of each prior at draws; a patient's log-likelihood stands in test_likelihood.py."""

import numpy as np
import pandas as pd
import xarray as xr

import bayesurv as bs
from bayesurv.fitting import specify
from bayesurv.models.pointwise import log_prior


def test_each_stated_prior_has_its_density_at_the_draws():
    table = pd.DataFrame(
        {"time": [1.0, 2, 3, 4], "event": [1, 1, 0, 1], "a": [0, 1, 1, 0], "b": [1, 2, 4, 3]}
    )
    cohort = bs.Cohort.from_frame(table, time="time", event="event", unit="months")
    priors = bs.Priors(
        median_survival=bs.MedianSurvival(2, 20), coefficient={"b": bs.StudentT(3, 0, 2)}
    )
    specification = specify(cohort, "a + b", bs.Weibull(), priors)
    random = np.random.default_rng(1)
    values = {
        "log_median": (("chain", "draw"), random.normal(size=(2, 5))),
        "shape": (("chain", "draw"), random.gamma(2, size=(2, 5))),
        "coefficient": (("chain", "draw", "term"), random.normal(size=(2, 5, 2))),
    }
    drawn = xr.Dataset(values, {"term": ["a", "b"]})
    found = log_prior(specification, drawn)
    assert set(found) == set(values)
    priors_of = {
        "log_median": bs.MedianSurvival(2, 20).distribution(),
        "shape": bs.LogNormal(0, 0.5),
    }
    for name, prior in priors_of.items():
        np.testing.assert_allclose(found[name], prior.frozen().logpdf(drawn[name]))
    for term, prior in (("a", bs.Normal(0, 0.75)), ("b", bs.StudentT(3, 0, 2))):
        at = drawn["coefficient"].sel(term=term)
        np.testing.assert_allclose(found["coefficient"].sel(term=term), prior.frozen().logpdf(at))
