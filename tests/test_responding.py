"""Binary outcomes fitted: against the conjugate posterior, JAGS, and a truth that is known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.special import expit

from bayesurv.data.faults import InputError
from bayesurv.data.outcomes import Outcomes
from bayesurv.estimands.response import compare_risks
from bayesurv.fitting import CohortWarning
from bayesurv.inference.diagnostics import elements, monte_carlo_error
from bayesurv.inference.sample import Sampling
from bayesurv.models.distributions import Beta
from bayesurv.models.response import OutcomePriors
from bayesurv.responding import prior_of, respond

REFERENCE = Path(__file__).parent / "reference"
pytestmark = pytest.mark.filterwarnings("ignore::bayesurv.fitting.CohortWarning")


def outcomes_of(frame, names, covariates=("cti2",), harmful=True):
    return Outcomes.from_frame(frame, names, harmful=harmful, covariates=covariates)


def two_arms(treated, untreated):
    """One outcome in the paper's arms of 27 and 34."""
    column = np.concatenate([np.arange(27) < treated, np.arange(34) < untreated])
    return pd.DataFrame({"cti2": np.repeat([1, 0], [27, 34]), "outcome": column})


@pytest.mark.parametrize(
    ("treated", "untreated", "prior"),
    [(8, 2, Beta(1, 1)), (18, 12, Beta(0.5, 0.5)), (1, 0, Beta(1, 1))],
    ids=["response at day 30", "infection", "nephrotoxicity"],
)
def test_two_arms_have_the_conjugate_posterior(treated, untreated, prior):
    """Means, sds and quantiles within 4 Monte-Carlo errors, and so the chance of more."""
    fit = respond(
        outcomes_of(two_arms(treated, untreated), ["outcome"]), "cti2",
        priors=OutcomePriors(risk=prior), sampling=Sampling(draws=2500, seed=5),
    )  # fmt: skip
    found = compare_risks(fit, "cti2")
    counts = [(untreated, 34), (treated, 27)]
    exact = [stats.beta(prior.alpha + x, prior.beta + n - x) for x, n in counts]
    for draws, expected in zip(found.risks[..., 0], exact, strict=True):
        error = monte_carlo_error(draws)
        assert draws.mean() == pytest.approx(expected.mean(), abs=4 * error)
        squared = (draws - expected.mean()) ** 2
        assert squared.mean() == pytest.approx(expected.var(), abs=4 * monte_carlo_error(squared))
        for share in (0.025, 0.5, 0.975):
            below = draws <= expected.ppf(share)
            assert below.mean() == pytest.approx(share, abs=4 * monte_carlo_error(below))
    more, _ = integrate.quad(lambda p: exact[1].sf(p) * exact[0].pdf(p), 0, 1)
    worse = found.worse[..., 0]
    assert worse.mean() == pytest.approx(more, abs=4 * monte_carlo_error(worse))


@pytest.fixture(scope="module")
def shared():
    """Several outcomes, some not known, as scripts/reference/response.R has them."""
    frame = pd.read_csv(REFERENCE / "data" / "outcomes.csv")
    outcomes = outcomes_of(frame, list(frame)[2:], ("cti2", "bulky"))
    return frame, respond(outcomes, "cti2 + bulky", sampling=Sampling(draws=2500, seed=3))


def against_jags(fit, model):
    """Means within 0.1 posterior sd, sds within 7%."""
    table = pd.read_csv(REFERENCE / "response.csv").query("model == @model")
    difference = np.diff(compare_risks(fit, "cti2").risks, axis=0)[0]
    ours = dict(elements(fit.posterior))
    ours |= {f"difference[{n}]": difference[..., k] for k, n in enumerate(fit.outcomes.names)}
    assert set(table["parameter"]) == set(ours)
    for row in table.itertuples():
        draws = ours[row.parameter]
        assert draws.mean() == pytest.approx(row.mean, abs=0.1 * row.sd), row.parameter
        assert draws.std() == pytest.approx(row.sd, rel=0.07), row.parameter


def test_several_outcomes_against_jags(shared):
    against_jags(shared[1], "shared")


def test_one_outcome_against_jags(shared):
    outcomes = outcomes_of(shared[0], ["infection"], ("cti2", "bulky"))
    fit = respond(outcomes, "cti2 + bulky", sampling=Sampling(draws=2500, seed=3))
    against_jags(fit, "alone")


def test_the_order_of_patients_and_outcomes_is_of_no_account(shared):
    frame, fit = shared
    mixed = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    outcomes = outcomes_of(mixed, fit.outcomes.names[::-1], ("cti2", "bulky"))
    other = respond(outcomes, "cti2 + bulky", sampling=Sampling(draws=2500, seed=4))
    one, two = (dict(elements(each.posterior)) for each in (fit, other))
    assert set(one) == set(two)
    for name, draws in one.items():
        assert draws.mean() == pytest.approx(two[name].mean(), abs=0.1 * draws.std()), name


def test_the_same_seed_gives_the_same_numbers(shared):
    frame, fit = shared
    outcomes = outcomes_of(frame, fit.outcomes.names, ("cti2", "bulky"))
    again = respond(outcomes, "cti2 + bulky", sampling=Sampling(draws=2500), seed=3)
    assert again.draws.identical(fit.draws)
    assert again.settings == fit.settings


def test_a_truth_that_is_known_is_recovered():
    """240 patients, 6 outcomes: each parameter within 3 posterior sds of what made the data."""
    random, size = np.random.default_rng(11), 240
    frame = pd.DataFrame({"cti2": np.arange(size) % 2})
    effects, base = random.normal(1, 0.5, 6), random.normal(-0.5, 1, 6)
    prone = random.normal(0, 1.2, size)
    for k in range(6):
        risk = expit(base[k] + effects[k] * frame["cti2"] + prone)
        frame[f"event{k}"] = random.random(size) < risk
    sampling = Sampling(target_accept=0.8, seed=2)
    fit = respond(outcomes_of(frame, list(frame)[1:]), "cti2", sampling=sampling)
    truth = {f"coefficient[cti2, event{k}]": effect for k, effect in enumerate(effects)}
    truth |= {f"intercept[event{k}]": value for k, value in enumerate(base)}
    truth |= {"group_mean[cti2]": 1.0, "group_sd[cti2]": 0.5, "patient_sd": 1.2}
    away = {n: (d.mean() - truth[n]) / d.std() for n, d in elements(fit.posterior)}
    assert set(away) == set(truth)
    assert max(map(abs, away.values())) < 3
    assert fit.posterior["patient_sd"].std() < 0.25


def test_notes_say_what_is_shared_what_is_missing_and_what_has_no_estimate(shared):
    frame = shared[0].rename_axis(None)
    with pytest.warns(CohortWarning):
        fit = respond(outcomes_of(frame, ["infection", "renal"]), "cti2", seed=1)
    said = "\n".join(fit.notes)
    assert fit.notes[0].startswith("The outcomes share their priors")
    assert "infection is not known of 2 of 61 patients, who leave this outcome only." in said
    assert "No patient with cti2 = 0 had renal: there is no finite maximum-likelihood" in said
    assert len(fit.notes) == 3


def test_nothing_that_is_not_finite_comes_of_empty_cells():
    frame = two_arms(1, 0).assign(always=1, never=0)
    fit = respond(outcomes_of(frame, ["outcome", "always", "never"]), "cti2", seed=1)
    for _, draws in elements(fit.posterior):
        assert np.isfinite(draws).all()
        assert np.abs(draws).max() < 15
    assert sum(note.startswith("Every patient") for note in fit.notes) == 2
    assert sum(note.startswith("No patient") for note in fit.notes) == 3


def test_the_prior_of_a_fit_knows_nothing_of_its_outcomes(shared):
    before = prior_of(shared[1], draws=20_000)
    risks = compare_risks(before, "cti2").risks
    assert (risks[1] > risks[0]).mean() == pytest.approx(0.5, abs=0.02)
    assert not before.failed
    assert before.outcomes is shared[1].outcomes


def test_a_formula_that_cannot_be_used_is_refused(shared):
    outcomes = outcomes_of(shared[0], ["infection"])
    with pytest.raises(InputError, match="no column 'bulky'"):
        respond(outcomes, "cti2 + bulky")
