"""PyMC and nutpie on patient rows: the same Weibull model, without compression or reuse."""

import sys
import warnings

import numpy as np
from timing import table, timed

warnings.simplefilter("ignore")
import nutpie  # noqa: E402
import pymc as pm  # noqa: E402
import pytensor.tensor as pt  # noqa: E402

frame = table(sys.argv[1])


def fit(seed):
    with pm.Model() as model:
        intercept = pm.Normal("intercept", -2, 2)
        shape = pm.LogNormal("shape", 0, 0.5)
        coefficient = pm.Normal("coefficient", 0, 0.75, shape=3)
        log_time = np.log(frame["time"].to_numpy())
        log_rate = intercept + frame[["cti2", "bulky", "stage"]].to_numpy(float) @ coefficient
        log_hazard = pt.log(shape) + (shape - 1) * log_time + log_rate
        event = frame["event"].to_numpy(float)
        pm.Potential("likelihood", (event * log_hazard - pt.exp(shape * log_time + log_rate)).sum())
    compiled = nutpie.compile_pymc_model(model)
    trace = nutpie.sample(
        compiled, draws=1000, tune=1000, chains=4, seed=seed, target_accept=0.95,
        progress_bar=False,
    )  # fmt: skip
    return float(trace.posterior["coefficient"].to_numpy()[..., 0].mean())


timed(fit)
