"""Summaries of draws: the last step, from draws to tables."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.fitting import Fit
from bayesurv.inference.diagnostics import elements, summarise_chains

if TYPE_CHECKING:
    import xarray as xr

    from bayesurv.responding import ResponseFit

CI_PROB = 0.95


def summarise(draws: "xr.DataArray", ci_prob: float = CI_PROB) -> "xr.Dataset":
    """Mean, median and equal-tailed interval over chains and draws of each element.

    Variables mean, median, lower, upper over the remaining dims; the probability of the interval
    is the attribute `ci_prob`.
    """
    import xarray as xr

    values = draws.transpose("chain", "draw", ...)
    flat = values.to_numpy().reshape(-1, *values.shape[2:])
    lower, median, upper = quantiles(flat, ci_prob)
    kept = {k: v for k, v in values.coords.items() if k not in ("chain", "draw")}
    columns = {"mean": flat.mean(axis=0), "median": median, "lower": lower, "upper": upper}
    table = {name: (values.dims[2:], column) for name, column in columns.items()}
    return xr.Dataset(table, kept, {**draws.attrs, "ci_prob": ci_prob})


def quantiles(flat: np.ndarray, ci_prob: float = CI_PROB) -> np.ndarray:
    """Lower end, median and upper end of draws along the first axis, `(3, ...)`.

    Between an infinite draw ("not reached") and another there is nothing to interpolate.
    """
    tail = (1 - ci_prob) / 2
    method: Any = "linear" if np.isfinite(flat).all() else "inverted_cdf"
    return np.quantile(flat, [tail, 0.5, 1 - tail], axis=0, method=method)


def parameter_table(fit: "Fit | ResponseFit") -> pd.DataFrame:
    """Mean, sd, quantiles, effective sample sizes and R-hat of every parameter."""
    rows = {}
    for label, values in elements(fit.posterior):
        low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
        rows[label] = {
            "mean": values.mean(),
            "sd": values.std(ddof=1),
            "q2.5": low,
            "q50": middle,
            "q97.5": high,
        }
    table = pd.DataFrame.from_dict(rows, orient="index").join(summarise_chains(fit.posterior))
    return table.rename_axis("parameter").reset_index()


def hazard_ratios(fit: Fit, ci_prob: float = CI_PROB) -> pd.DataFrame:
    """Hazard ratio of each term: posterior median, equal-tailed interval and P(HR < 1).

    A hazard ratio is that of one unit of the covariate as coded, or of the level named against
    the reference; for a monotone term, of the last level against the first. It is conditional on
    the other terms and on the groups.
    """
    if not fit.design.terms:
        return pd.DataFrame(
            columns=["term", "hazard_ratio", "lower", "upper", "prob_below_1", "ci_prob"]
        )
    draws = fit.posterior["coefficient"]
    summary = summarise(draws, ci_prob)
    return pd.DataFrame(
        {
            "term": list(fit.design.terms),
            "hazard_ratio": np.exp(summary["median"].to_numpy()),
            "lower": np.exp(summary["lower"].to_numpy()),
            "upper": np.exp(summary["upper"].to_numpy()),
            "prob_below_1": (draws < 0).mean(("chain", "draw")).to_numpy(),
            "ci_prob": ci_prob,
        }
    )


def prior_hazard_ratios(fit: Fit, ci_prob: float = CI_PROB) -> pd.DataFrame:
    """Equal-tailed interval of each term's hazard ratio under the prior: term, lower, upper."""
    terms = fit.design.terms
    priors = [p.frozen() for p in fit.specification.priors.coefficients(terms)] if terms else []
    tail = (1 - ci_prob) / 2
    ends = np.exp([prior.ppf([tail, 1 - tail]) for prior in priors]).reshape(-1, 2)
    return pd.DataFrame({"term": list(terms), "lower": ends[:, 0], "upper": ends[:, 1]})


def survival_table(curve: "xr.DataArray", ci_prob: float = CI_PROB) -> pd.DataFrame:
    """Summary of a curve, one row for each profile and time."""
    summary = summarise(curve, ci_prob)
    frame = summary[["mean", "median", "lower", "upper"]].to_dataframe().reset_index()
    frame = frame.rename(columns={"individual": "profile"}).assign(ci_prob=ci_prob)
    return frame[["profile", "time", "mean", "median", "lower", "upper", "ci_prob"]]
