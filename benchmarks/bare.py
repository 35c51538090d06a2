"""The least that does the job: PyMC and nutpie, Weibull, 61 rows, no tables and no figures."""

import sys

import numpy as np
import nutpie
import pandas as pd
import pymc as pm
import pytensor.tensor as pt

frame = pd.read_csv(sys.argv[1])
with pm.Model(coords={"term": ["cti2", "bulky"]}) as model:
    covariates = pm.Data("covariates", frame[["cti2", "bulky"]].to_numpy(float))
    log_time = pm.Data("log_time", np.log(frame["os_months"].to_numpy()))
    event = pm.Data("event", frame["os_event"].to_numpy(float))
    intercept = pm.Normal("intercept", -2, 2)
    shape = pm.LogNormal("shape", 0, 0.5)
    coefficient = pm.Normal("coefficient", 0, 0.75, dims="term")
    log_rate = intercept + covariates @ coefficient
    log_hazard = pt.log(shape) + (shape - 1) * log_time + log_rate
    pm.Potential("likelihood", (event * log_hazard - pt.exp(shape * log_time + log_rate)).sum())
compiled = nutpie.compile_pymc_model(model)
print(nutpie.sample(compiled, draws=1000, tune=1000, chains=4, seed=1, progress_bar=False))
