"""The method "laplace": the same posterior as NUTS, and NUTS where its weights are no good."""

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.data.ensemble import Ensemble
from bayesurv.ensembles import fit_ensemble
from bayesurv.inference import sample as sampling_module
from bayesurv.inference.sample import Sampling
from bayesurv.inference.weighted import Weighted
from bayesurv.models.distributions import Robust

PRIORS = bs.Priors(median_survival=bs.MedianSurvival(2, 40))


@pytest.fixture(scope="module")
def patients():
    generator = np.random.default_rng(5)
    table = pd.DataFrame({name: generator.integers(0, 2, 61) for name in ("cti2", "bulky")})
    table["centre"] = np.array(list("ABC"))[np.arange(61) % 3]
    hazard = np.exp(-0.6 * table["cti2"] + 0.5 * table["bulky"]) / 10
    time, end = generator.exponential(1 / hazard), generator.uniform(2, 30, 61)
    table = table.assign(time=np.minimum(time, end), event=(time <= end).astype(int))
    return bs.Cohort.from_frame(table, time="time", event="event", unit="months")


@pytest.mark.parametrize(
    ("formula", "baseline"),
    [
        ("cti2 + bulky", bs.Weibull()),
        ("cti2 + bulky + (1 | centre)", bs.Weibull()),
        ("cti2", bs.PiecewiseExponential(cuts=(3.0, 9.0))),
    ],
    ids=["weibull", "centres", "random walk"],
)
def test_the_posterior_is_that_of_nuts(patients, formula, baseline):
    fits = [
        bs.fit(patients, formula, baseline=baseline, priors=PRIORS, seed=1, method=method)
        for method in ("nuts", "laplace")
    ]
    assert [fit.settings["method"] for fit in fits] == ["nuts", "laplace"]
    one, other = (fit.posterior["coefficient"].to_numpy()[..., 0].ravel() for fit in fits)
    assert other.mean() == pytest.approx(one.mean(), abs=0.12 * one.std())
    assert other.std() == pytest.approx(one.std(), rel=0.12)
    assert [set(fit.posterior.data_vars) for fit in fits][0] == set(fits[1].posterior.data_vars)
    probabilities = [bs.benefit(fit, "cti2", horizon=12)["probability"][0] for fit in fits]
    assert probabilities[1] == pytest.approx(probabilities[0], abs=0.03)
    checks = fits[1].diagnostics.set_index("check")
    assert set(checks.index) == {"pareto_k", "effective_draws"}
    assert checks["passed"].all()
    assert any("not from MCMC" in note for note in fits[1].notes)
    assert not any("MCMC" in note for note in fits[0].notes)


def test_the_same_seed_gives_the_same_numbers(patients):
    fits = [
        bs.fit(patients, "cti2", priors=PRIORS, seed=seed, method="laplace") for seed in (3, 3, 4)
    ]
    first, second, other = (fit.posterior["coefficient"].to_numpy() for fit in fits)
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


@pytest.mark.parametrize(("k", "effective"), [(0.9, 1e6), (np.inf, 1e6), (0.1, 10.0)])
def test_bad_weights_are_not_used(patients, monkeypatch, k, effective):
    real = sampling_module.weighted_draws

    def bad(*given):
        return Weighted(real(*given).parameters, k, effective)

    monkeypatch.setattr(sampling_module, "weighted_draws", bad)
    short = Sampling(chains=4, draws=400, tune=400, seed=1)
    fit = bs.fit(patients, "cti2", priors=PRIORS, sampling=short, method="laplace")
    assert fit.settings["method"] == "nuts"
    assert any("draws come from NUTS" in note for note in fit.notes)
    assert "r_hat" in set(fit.diagnostics["check"])


def test_an_unknown_method_is_refused(patients):
    with pytest.raises(bs.InputError, match='nuts, laplace. Did you mean "laplace"'):
        bs.fit(patients, "cti2", priors=PRIORS, method="laplac")


def test_members_of_an_ensemble(patients):
    table = patients.covariates.assign(time=patients.time, event=patients.event.astype(int))
    members = pd.concat([table.assign(member=label) for label in ("a", "b")], ignore_index=True)
    ensemble = Ensemble.from_frame(
        members, member="member", time="time", event="event", unit="months"
    )
    sampling = Sampling(chains=2, draws=400, tune=400, method="laplace")
    pooled = fit_ensemble(ensemble, "cti2", priors=PRIORS, sampling=sampling, seed=1)
    assert set(pooled.diagnostics["check"]) == {"ess_bulk", "ess_tail", "pareto_k"}
    assert pooled.diagnostics["passed"].all()
    alone = bs.fit(patients, "cti2", priors=PRIORS, seed=2, method="laplace")
    of_members = pooled.posterior["coefficient"].to_numpy()
    own = alone.posterior["coefficient"].to_numpy()
    assert of_members.mean() == pytest.approx(own.mean(), abs=0.25 * own.std())


def test_a_prior_of_two_parts_is_sampled(patients):
    robust = bs.Priors(
        median_survival=bs.MedianSurvival(2, 40), coefficient=Robust(-1, 0.2, 0.5, 1)
    )
    short = Sampling(chains=4, draws=400, tune=400, seed=1)
    fit = bs.fit(patients, "cti2", priors=robust, sampling=short, method="laplace")
    assert fit.settings["method"] == "nuts"
    assert any("draws come from NUTS" in note for note in fit.notes)
