"""Fits without MCMC: draws from a prior, or parameters as a test states them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import norm

import bayesurv as bs
from bayesurv.inference.diagnostics import diagnose
from bayesurv.inference.tempering import temper
from bayesurv.posterior import data, groups
from bayesurv.refitting import density

STAGES = ["I", "II", "III"]
TABLE = pd.DataFrame(
    {
        "time": np.linspace(1, 30, 24).round(1),
        "event": np.resize([1, 1, 0], 24),
        "cti2": np.resize([0, 1, 1, 0, 1], 24),
        "age": np.resize([51.0, 62, 68, 55, 70, 44, 60], 24),
        "stage": np.resize(["I", "III", "II", "III"], 24),
        "centre": np.resize(["A", "B", "C"], 24),
    }
)


@pytest.fixture(scope="session")
def prior():
    """Draw from the prior of a model of 24 patients, followed for 30 months."""

    def make(formula="cti2", baseline=None, *, draws=40, ordinal=None, **options):
        cohort = bs.Cohort.from_frame(
            TABLE, time="time", event="event", unit="months", ordinal=ordinal
        )
        return bs.prior(cohort, formula, baseline=baseline, draws=draws, seed=3, **options)

    return make


@pytest.fixture(scope="session")
def stated(prior):
    """A fit whose draws are stated: each parameter of shape (draw, ...), in one chain."""

    def make(formula, baseline, **parameters):
        fit = prior(formula, baseline, draws=1)
        count = len(next(iter(parameters.values())))
        dims = {name: fit.posterior[name].dims for name in parameters}
        values = {k: (dims[k], np.asarray(v, dtype=float)[None]) for k, v in parameters.items()}
        kept = {k: v for k, v in fit.posterior.coords.items() if k not in ("chain", "draw")}
        posterior = xr.Dataset(values, {"chain": [0], "draw": np.arange(count), **kept})
        return replace(fit, draws=xr.DataTree.from_dict({"posterior": posterior}))

    return make


# --- Posteriors without a compiler ---

OVARIAN = Path(__file__).parents[1] / "reference" / "data" / "ovarian.csv"


@pytest.fixture(scope="session")
def ovarian():
    """26 patients with ovarian cancer."""
    return pd.read_csv(OVARIAN)


@pytest.fixture(scope="session")
def sampled():
    """A fit whose draws come from tempering a normal distribution into the posterior."""
    return temper_posterior


def temper_posterior(
    frame, formula, baseline, priors=None, *, draws=1000, seed=0, unit="months", **columns
):
    cohort = bs.Cohort.from_frame(frame, time="time", event="event", unit=unit, **columns)
    fit = bs.prior(cohort, formula, baseline=baseline, priors=priors, draws=4)
    target = density(fit)
    axes = sum(block.size for block in target.blocks())
    generator = np.random.default_rng(seed)
    middle = np.zeros(axes)
    middle[0] = 2.0
    start = generator.normal(middle, 1.5, (4 * draws, axes))

    def ends(position):
        likelihood = target.log_likelihood(position).sum(axis=-1)
        normal = norm(middle, 1.5).logpdf(position).sum(axis=-1)
        return normal, target.log_prior(position) + likelihood

    position = temper(start, ends, generator).position.reshape(4, draws, axes)
    drawn = groups(target, target.sampled(position)) | data(fit.specification, cohort)
    tree = xr.DataTree.from_dict(drawn)
    return replace(fit, draws=tree, diagnostics=diagnose(tree))
