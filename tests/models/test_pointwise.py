"""Log density of each prior at draws; a patient's log-likelihood stands in test_likelihood.py."""

import numpy as np
import pandas as pd

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
    drawn = {
        "log_median": random.normal(size=(2, 5)),
        "shape": random.gamma(2, size=(2, 5)),
        "coefficient": random.normal(size=(2, 5, 2)),
    }
    found = log_prior(specification, drawn)
    assert set(found) == set(drawn)
    priors_of = {
        "log_median": bs.MedianSurvival(2, 20).distribution(),
        "shape": bs.LogNormal(0, 0.5),
    }
    for name, prior in priors_of.items():
        np.testing.assert_allclose(found[name], prior.frozen().logpdf(drawn[name]))
    for i, prior in enumerate((bs.Normal(0, 0.75), bs.StudentT(3, 0, 2))):
        at = drawn["coefficient"][..., i]
        np.testing.assert_allclose(found["coefficient"][..., i], prior.frozen().logpdf(at))
