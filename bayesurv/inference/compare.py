"""Leave-one-patient-out predictive fit by Pareto-smoothed importance sampling."""

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import xarray as xr

MAX_PARETO_K = 0.7


def loo_table(draws: "xr.DataTree") -> pd.DataFrame:
    """Expected log predictive density of a left-out patient's data, summed over patients.

    One row: elpd_loo and its standard error, the effective number of parameters p_loo, the
    largest Pareto k, and how many patients are above 0.7, for whom the estimate is unreliable.
    Elements of the log likelihood are patients, also where a patient has several rows.

    Source: Vehtari, Gelman and Gabry, Statistics and Computing 2017, through arviz-stats.
    """
    from arviz_stats import loo

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # high k is a column of the table
        found = loo(draws, var_name="time", pointwise=True)
    k = np.nan_to_num(found.pareto_k.to_numpy(), nan=np.inf)  # no tail could be fitted
    row = {
        "elpd_loo": found.elpd,
        "se": found.se,
        "p_loo": found.p,
        "pareto_k_max": k.max(),
        "patients_above_0.7": int((k > MAX_PARETO_K).sum()),
        "patients": k.size,
    }
    return pd.DataFrame([row])
