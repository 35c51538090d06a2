"""Posteriors of simulated studies against quadrature, NUTS and the power that theory gives."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from bayesurv.inference import laplace
from bayesurv.planning.analysis import LAPLACE, NUTS, analyse
from bayesurv.planning.batches import Batch, Simulation, run_batch
from bayesurv.planning.model import study_model
from bayesurv.planning.scenarios import scenarios, stated_baseline
from bayesurv.planning.simulation import simulation_of
from bayesurv.planning.studies import Studies, simulate_studies

EXPONENTIAL = {
    "truth": {"baseline": {"name": "exponential", "median": 6.0}},
    "analysis": {"baseline": "exponential"},
}


def simulated(design, count, patients=40):
    _, truth = design.study()
    return simulate_studies(
        design, stated_baseline(truth.baseline), scenarios(design)[0], patients, 0, count
    )


def analysed(design, studies, seeds, draws=1000):
    model = study_model(design, 6.0)
    return model, analyse(
        model.specification,
        model.patterns,
        studies,
        treatment="cti2",
        margin=1.0,
        ci_prob=0.95,
        draws=draws,
        seeds=seeds,
    )


def by_quadrature(specification, studies, i):
    """Mean, sd and P(log HR < 0) of one study under the exponential model, on a grid."""
    log_median = specification.median.distribution()
    coefficient = specification.priors.coefficients(("cti2",))[0]
    level = np.log(np.log(2)) - np.linspace(log_median.mu - 3, log_median.mu + 3, 201)
    effect = np.linspace(-4, 4, 801)
    arm = studies.pattern[i] % 2 == 1
    total = 0.0
    for member, add in ((~arm, 0.0), (arm, effect[None, :])):
        rate = level[:, None] + add
        events, exposure = studies.event[i][member].sum(), studies.time[i][member].sum()
        total = total + events * rate - exposure * np.exp(rate)
    total = total + log_median.frozen().logpdf(np.log(np.log(2)) - level)[:, None]
    total = total + coefficient.frozen().logpdf(effect)
    density = np.exp(total - total.max()).sum(axis=0)
    density /= density.sum()
    mean = density @ effect
    # The grid has a point at 0, half of which is below.
    below = density[effect < -1e-9].sum() + density[np.abs(effect) <= 1e-9].sum() / 2
    return mean, np.sqrt(density @ (effect - mean) ** 2), below


def test_posteriors_are_those_of_quadrature(make_design):
    design = make_design(**EXPONENTIAL)
    found = simulated(design, 25)
    model, answers = analysed(design, found.studies, found.seeds[0])
    expected = np.array([by_quadrature(model.specification, found.studies, i) for i in range(25)])
    error = expected[:, 1] / np.sqrt(answers.effective)
    assert (np.abs(answers.estimate - expected[:, 0]) < 5 * error).all()
    assert answers.sd == pytest.approx(expected[:, 1], rel=0.15)
    spread = np.sqrt(expected[:, 2] * (1 - expected[:, 2]) / answers.effective)
    assert (np.abs(answers.probability - expected[:, 2]) < 5 * spread + 0.003).all()
    assert set(answers.method) == {LAPLACE}
    assert (answers.pareto_k < 0.7).all()


def test_a_study_without_an_event_has_nearly_its_prior(make_design):
    design = make_design(**EXPONENTIAL)
    pattern = np.tile(np.arange(40) % 2, (2, 1))
    none = np.zeros((2, 40), dtype=bool)
    studies = Studies(pattern, np.stack([np.zeros(40), np.full(40, 0.01)]), none)
    _, answers = analysed(design, studies, np.array([1, 2]))
    assert answers.probability == pytest.approx(0.5, abs=0.1)
    assert answers.sd == pytest.approx(0.75, abs=0.1)


def test_patients_who_have_not_entered_add_nothing(make_design):
    for baseline in ("exponential", "weibull"):
        design = make_design(**{**EXPONENTIAL, "analysis": {"baseline": baseline}})
        found = simulated(design, 3)
        final = found.studies
        more = Studies(
            np.concatenate([final.pattern, np.ones((3, 9), dtype=int)], axis=1),
            np.concatenate([final.time, np.zeros((3, 9))], axis=1),
            np.concatenate([final.event, np.zeros((3, 9), dtype=bool)], axis=1),
        )
        _, answers = analysed(design, final, found.seeds[0])
        _, same = analysed(design, more, found.seeds[0])
        assert same.estimate == pytest.approx(answers.estimate, abs=1e-9)


def test_where_the_weights_fail_the_study_is_sampled(make_design, monkeypatch):
    design = make_design(**EXPONENTIAL)
    found = simulated(design, 2)
    _, answers = analysed(design, found.studies, found.seeds[0], draws=4000)
    usual = laplace.approximate
    monkeypatch.setattr(
        laplace, "approximate", lambda *a, **k: replace(usual(*a, **k), pareto_k=0.9)
    )
    _, again = analysed(design, found.studies, found.seeds[0])
    assert set(again.method) == {NUTS}
    assert (again.pareto_k == 0.9).all()
    assert again.estimate == pytest.approx(answers.estimate, abs=0.05)
    assert again.probability == pytest.approx(answers.probability, abs=0.03)


def test_a_study_does_not_depend_on_the_others(make_design):
    design = make_design(**EXPONENTIAL)
    found = simulated(design, 6)
    _, whole = analysed(design, found.studies, found.seeds[0])
    chosen = np.array([4, 1])
    _, part = analysed(design, found.studies.of(chosen), found.seeds[0][chosen])
    for name in ("estimate", "sd", "lower", "upper", "probability", "pareto_k"):
        assert (getattr(part, name) == getattr(whole, name)[chosen]).all()


def test_priors_of_two_families_and_covariates(make_design):
    """The treatment's coefficient is found whichever family the others have."""
    covariates = {"bulky": {"treated": 0.3, "control": 0.3, "hazard_ratio": 2.0}}
    truth = EXPONENTIAL["truth"] | {"covariates": covariates}
    estimates = []
    for priors in (
        {"coefficient": {"bulky": "Normal(0, 1)", "cti2": "Normal(0, 1)"}},
        {"coefficient": {"bulky": "Normal(0, 1)", "cti2": "StudentT(200, 0, 1)"}},
    ):
        design = make_design(truth=truth, analysis=EXPONENTIAL["analysis"], priors=priors)
        found = simulated(design, 5)
        _, answers = analysed(design, found.studies, found.seeds[0], draws=4000)
        estimates.append(answers.estimate)
    assert estimates[1] == pytest.approx(estimates[0], abs=0.04)


# --- Against what theory gives ---

SCHOENFELD = 66  # events for 80% power at a hazard ratio of 0.5, 27 treated to 34 not


def success(make_design, ratio, count):
    """Share of studies without censoring and with a flat prior that succeed at 0.975."""
    design = make_design(
        design={"patients": [SCHOENFELD], "accrual": 0, "follow_up": 1e6},
        truth={"baseline": {"name": "exponential", "median": 6.0}, "hazard_ratio": [ratio]},
        analysis={"baseline": "exponential"},
        priors={"coefficient": "Normal(0, 10)"},
    )
    label = f"proportional {ratio:g}"
    table = run_batch(simulation_of(design), Batch(label, SCHOENFELD, 0, count))
    assert (table["events"] == SCHOENFELD).all()
    return (table["probability"][-1] >= 0.975).mean()


def test_power_is_schoenfelds(make_design):
    """Source: Schoenfeld, Biometrics 1983."""
    share = 27 / 61
    effect = np.log(2) * np.sqrt(SCHOENFELD * share * (1 - share))
    power = norm.cdf(effect - norm.ppf(0.975))
    assert power == pytest.approx(0.8, abs=0.01)
    assert success(make_design, 0.5, 400) == pytest.approx(power, abs=5 * 0.02)


def test_with_a_flat_prior_the_type_i_error_is_that_of_a_one_sided_test(make_design):
    assert success(make_design, 1.0, 400) == pytest.approx(0.025, abs=4 * 0.0078)


def test_two_simulations_of_the_same_digest_are_equal(make_design):
    one, other = (simulation_of(make_design()) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert isinstance(one, Simulation)
    assert simulation_of(make_design(), "jax") != one


@pytest.mark.slow
def test_200_studies_agree_with_nuts(make_design, monkeypatch):
    """P(benefit) and the decision of 61-patient Weibull studies, within Monte Carlo error."""
    covariates = {"bulky": {"treated": 0.26, "control": 0.15, "hazard_ratio": 2.0}}
    design = make_design(truth={"covariates": covariates, "hazard_ratio": [0.6]})
    found = simulated(design, 200, patients=61)
    _, fast = analysed(design, found.studies, found.seeds[0])
    usual = laplace.approximate
    monkeypatch.setattr(
        laplace, "approximate", lambda *a, **k: replace(usual(*a, **k), pareto_k=0.9)
    )
    _, slow = analysed(design, found.studies, found.seeds[0])
    p = np.clip(slow.probability, 0.001, 0.999)
    error = np.sqrt(p * (1 - p) * (1 / fast.effective + 1 / 1000)) + 0.001
    z = (fast.probability - slow.probability) / error
    assert np.abs(z).max() < 5
    assert np.abs(z.mean()) < 0.35
    unlike = (fast.probability >= 0.975) != (slow.probability >= 0.975)
    assert (np.abs(slow.probability - 0.975)[unlike] < 5 * error[unlike]).all()
