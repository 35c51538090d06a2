"""Every member of an ensemble fitted by one compiled model, with short chains."""

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.data.ensemble import Ensemble
from bayesurv.data.faults import InputError
from bayesurv.ensembles import fit_ensemble, member_elements, member_seed
from bayesurv.estimands.pooled import pooled_hazard_ratios
from bayesurv.inference import members
from bayesurv.inference.diagnostics import SamplingError, elements
from bayesurv.inference.members import effective_draws, short_chains

OS = {"time": "os_months", "event": "os_event", "unit": "months", "id": "pid"}
STATED = bs.Priors(median_survival=bs.MedianSurvival(4, 40))
LONG = bs.Sampling(chains=4, draws=2000, tune=1000, target_accept=0.98)


def test_members_share_parameters_and_weight(ensemble_fit):
    posterior = ensemble_fit.posterior
    assert posterior["coefficient"].dims == ("member", "chain", "draw", "term")
    assert dict(posterior.sizes) | {"member": 6, "chain": 2, "draw": 1000} == dict(posterior.sizes)
    stacked = ensemble_fit.stacked.posterior["shape"].to_numpy()
    np.testing.assert_array_equal(ensemble_fit.by_member(stacked), posterior["shape"])
    assert list(posterior["member"]) == list(ensemble_fit.members)
    assert not ensemble_fit.failed
    assert ensemble_fit.diagnostics["passed"].all()
    assert (ensemble_fit.n_members, ensemble_fit.n_patients) == (6, 61)


def test_a_level_that_a_member_lacks_stays_at_its_prior(ensemble_fit):
    """No patient of member 0 was treated in Turin: its effect there is that of a new centre."""
    effects = ensemble_fit.posterior["group_effect"].sel(group="1|centre[Turin]")
    spread = ensemble_fit.posterior["group_sd"].isel(group_term=0)
    ratio = (effects / spread).isel(member=0).to_numpy()
    assert ratio.mean() == pytest.approx(0, abs=0.25)
    assert ratio.std() == pytest.approx(1, abs=0.2)
    rows = ensemble_fit.of("0").design.rows
    assert 3 not in rows.group_index
    assert 3 in ensemble_fit.of("1").design.rows.group_index


def test_short_chains_agree_with_long_ones(ensemble, ensemble_fit):
    """Means of short chains are within Monte-Carlo error of those of long runs by themselves."""
    far = []
    for label in ("0", "3"):
        alone = bs.fit(
            ensemble.one(label), "cti2 + (1 | centre)", priors=STATED, sampling=LONG, seed=2
        )
        expected = dict(elements(alone.posterior))
        position = ensemble_fit.members.index(label)
        for name, draws in member_elements(ensemble_fit).items():
            short, long = draws[position], expected[name]
            effective = effective_draws(draws) / len(draws)
            error = short.std() * np.sqrt(1 / effective + 1 / 2000)
            far.append((short.mean() - long.mean()) / error)
            assert short.std() == pytest.approx(long.std(), rel=0.35), name
    far = np.array(far)
    assert np.abs(far).max() < 4
    assert np.sqrt(np.square(far).mean()) < 1.6


def test_draws_do_not_depend_on_workers_or_on_other_members(make_ensemble, ensemble_fit):
    again = fit_ensemble(
        Ensemble.from_frame(make_ensemble(4), **OS),
        "cti2 + (1 | centre)",
        priors=STATED,
        sampling=short_chains(6),
        seed=1,
        workers=1,
    )
    for name in ("coefficient", "group_effect", "intercept"):
        expected = ensemble_fit.posterior[name].isel(member=slice(4)).to_numpy()
        np.testing.assert_array_equal(again.posterior[name], expected)
    seeds = {member_seed(seed, label) for seed in (1, 2) for label in ensemble_fit.members}
    assert len(seeds) == 12


def test_equal_members_give_the_answer_of_one(make_cohort, weibull_fit):
    """The variance between copies of one cohort is Monte-Carlo noise, and is taken off."""
    one = make_cohort()
    copies = pd.concat([one.assign(member=f"copy {i}") for i in range(12)], ignore_index=True)
    fitted = fit_ensemble(Ensemble.from_frame(copies, **OS), "cti2", seed=4)
    pooled = pooled_hazard_ratios(fitted).iloc[0]
    alone = bs.hazard_ratios(weibull_fit).iloc[0]
    for name in ("hazard_ratio", "lower", "upper"):
        assert pooled[name] == pytest.approx(alone[name], rel=0.06), name
    assert pooled["prob_below_1"] == pytest.approx(alone["prob_below_1"], abs=0.02)
    assert pooled["share_between"] < 0.02
    assert fitted.stacked.baseline == weibull_fit.baseline
    assert fitted.stacked.specification.median.centre == pytest.approx(
        weibull_fit.specification.median.centre
    )


def test_a_member_by_itself(ensemble, ensemble_fit):
    own = ensemble_fit.of(3)
    assert (own.n_patients, own.n_events) == (61, ensemble.events[3])
    assert own.end_of_follow_up == ensemble.end_of_follow_up
    np.testing.assert_array_equal(own.draws["observed_data"]["time"], ensemble.one(3).time)
    np.testing.assert_array_equal(own.posterior["shape"], ensemble_fit.posterior["shape"][3])
    assert ensemble_fit.stacked.end_of_follow_up == ensemble.end_of_follow_up
    with pytest.raises(InputError, match="no member 9"):
        ensemble_fit.of(9)


def test_what_the_reader_must_know(make_ensemble):
    table = make_ensemble(3)
    table.loc[(table["member"] == 1) & (table["stage"] == "I"), "os_event"] = 0
    ensemble = Ensemble.from_frame(table, **OS)
    with pytest.warns(bs.CohortWarning):
        notes = fit_ensemble(ensemble, "cti2 + C(stage)", priors=STATED, seed=1).notes
    assert [note for note in notes if "No events" in note] == [
        "In 1 of 3 members: No events among the patients with stage = I: the maximum-likelihood "
        "hazard ratio is infinite or 0, and the posterior rests on the prior."
    ]
    assert "Reference median survival: 4 to 40 months with probability 0.95, as stated." in notes
    assert notes[-1].startswith("Pooled over 3 members of equal weight.")


def test_a_member_that_fails_its_checks_is_named(make_ensemble, monkeypatch):
    ensemble = Ensemble.from_frame(make_ensemble(2), **OS)
    monkeypatch.setattr(members, "MAX_R_HAT", 0.99)
    monkeypatch.setattr(members, "ATTEMPTS", 1)
    with pytest.raises(SamplingError, match=r"R-hat of .* of member [01] is 1\.\d+, above 0.99"):
        fit_ensemble(ensemble, "cti2 + (1 | centre)", priors=STATED, seed=1)
    forced = fit_ensemble(ensemble, "cti2 + (1 | centre)", priors=STATED, seed=1, force=True)
    assert forced.failed
    assert not forced.diagnostics.set_index("check").loc["r_hat", "passed"]


def test_settings_say_how_many_were_sampled_again(ensemble_fit):
    settings = ensemble_fit.stacked.settings
    assert settings["draws"] == short_chains(6).draws == 1000
    assert settings["members"] == 6
    assert 0 <= settings["sampled_again"] <= 6


def test_progress_is_the_share_of_members(make_ensemble):
    told = []
    fit_ensemble(Ensemble.from_frame(make_ensemble(4), **OS), "cti2", seed=1, progress=told.append)
    assert told == [0.25, 0.5, 0.75, 1.0]
