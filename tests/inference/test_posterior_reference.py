"""Posteriors against Stan's, with exactly the same priors (scripts/reference_values.R)."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.inference.diagnostics import elements
from bayesurv.models.baselines import BASELINES
from bayesurv.models.priors import parse_prior
from bayesurv.refitting import refit

REFERENCE = Path(__file__).parents[1] / "reference"
MODELS = json.loads((REFERENCE / "posterior_models.json").read_text())
UNITS = {"channing": "years"}
ARGUMENTS = {"cuts": "cuts", "smoothing": "smoothing", "scale": "scale", "knots": "inner"}

pytestmark = pytest.mark.filterwarnings("ignore::bayesurv.CohortWarning")


@pytest.fixture(scope="module", params=list(MODELS))
def case(request: pytest.FixtureRequest) -> tuple[str, bs.Fit]:
    """Fit the model as posterior_models.json states it."""
    model = MODELS[request.param]
    cohort = bs.Cohort.from_file(
        REFERENCE / "data" / f"{model['data']}.csv",
        time="time",
        event="event",
        unit=UNITS.get(model["data"], "months"),
        entry=model.get("entry"),
        upper=model.get("upper"),
    )
    baseline = BASELINES[model["baseline"].replace("mspline", "m-spline")]
    given = {ours: model[theirs] for theirs, ours in ARGUMENTS.items() if theirs in model}
    given |= {"boundary": model["boundary"]} if "boundary" in model else {}
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    fit = bs.fit(
        cohort,
        model["formula"],
        baseline=baseline(**given),
        priors=bs.Priors(**{k: parse_prior(v) for k, v in model["priors"].items()}),
        sampling=bs.Sampling(draws=3000, seed=20261122),
    )
    return request.param, fit


def test_parameters(case: tuple[str, bs.Fit]) -> None:
    """Means within 0.1 posterior sd, sds within 7%."""
    name, fit = case
    table = pd.read_csv(REFERENCE / "posterior.csv").query("model == @name")
    ours = dict(elements(fit.posterior))
    assert len(table) >= 3
    for row in table.itertuples():
        draws = ours[row.parameter]
        assert draws.mean() == pytest.approx(row.mean, abs=0.1 * row.sd), row.parameter
        assert draws.std() == pytest.approx(row.sd, rel=0.07), row.parameter


def test_survival(case: tuple[str, bs.Fit]) -> None:
    """Posterior mean survival of profiles, groups at effect 0, within 0.01."""
    name, fit = case
    table = pd.read_csv(REFERENCE / "posterior_survival.csv").query("model == @name")
    assert len(table) == 6
    for profile, rows in table.groupby("profile"):
        curve = bs.survival(fit, [json.loads(profile)], rows["time"].to_numpy(), extrapolate=True)
        ours = curve.mean(("chain", "draw")).to_numpy()[0]
        np.testing.assert_allclose(ours, rows["mean"], atol=0.01)


def test_refit_there_and_back(case: tuple[str, bs.Fit]) -> None:
    """Moved to other priors, and from there back to Stan's: means within 0.1 sd, sds within 10%."""
    name, fit = case
    ours = fit.specification.priors
    scale = bs.HalfNormal(0.2)
    others = replace(ours, coefficient=bs.Normal(0.5, 0.2), smoothing_sd=scale, group_sd=scale)
    there = refit(fit.thinned(6), priors=others)
    back = refit(there, priors=ours)
    assert not there.failed
    assert not back.failed
    moved = dict(elements(back.posterior))
    table = pd.read_csv(REFERENCE / "posterior.csv").query("model == @name")
    for row in table.itertuples():
        draws = moved[row.parameter]
        assert draws.mean() == pytest.approx(row.mean, abs=0.1 * row.sd), row.parameter
        assert draws.std() == pytest.approx(row.sd, rel=0.1), row.parameter
