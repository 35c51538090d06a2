"""A fit as a whole: seeds, refits without compiling, labels, notes, retries and missing data."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.fitting import crude_median, event_times
from bayesurv.inference import compile as compiling
from bayesurv.inference import sample as sampling

pytestmark = pytest.mark.filterwarnings("ignore::bayesurv.CohortWarning")
QUICK = bs.Sampling(chains=2, draws=600, tune=400)
ENDPOINTS = ("efs", "pfs", "os")


def cohort(frame, endpoint="os", **options):
    roles = {"time": f"{endpoint}_months", "event": f"{endpoint}_event", "unit": "months"}
    return bs.Cohort.from_frame(frame, **(roles | options))


@pytest.fixture
def compilations(monkeypatch):
    """Names of the free variables of each model that is compiled."""
    compiled = []
    original = compiling.compile_model

    def counted(model):
        compiled.append([v.name for v in model.free_RVs])
        return original(model)

    monkeypatch.setattr(compiling, "compile_model", counted)
    fresh = sampling.ModelCache()
    monkeypatch.setattr(sampling, "model_cache", lambda: fresh)
    return compiled


@pytest.mark.parametrize("baseline", [bs.Weibull(), bs.PiecewiseExponential(), bs.Gompertz()])
def test_other_endpoints_compile_nothing(frame, compilations, baseline):
    for endpoint in ENDPOINTS:
        bs.fit(cohort(frame, endpoint), "cti2", baseline=baseline, sampling=QUICK, force=True)
    assert len(compilations) == 1


def test_other_priors_of_the_same_families_compile_nothing(frame, compilations):
    fits = [
        bs.fit(
            cohort(frame),
            "cti2",
            priors=bs.Priors(coefficient=bs.Normal(0, sigma)),
            sampling=QUICK,
            force=True,
        )
        for sigma in (0.75, 0.01)
    ]
    assert len(compilations) == 1
    wide, narrow = (f.posterior["coefficient"].std().item() for f in fits)
    assert narrow < 0.02 < wide


def test_a_refit_has_the_labels_and_data_of_its_own(frame, compilations):
    first = bs.fit(cohort(frame), "cti2 + bulky", sampling=QUICK, force=True)
    second = bs.fit(cohort(frame[:50]), "bulky + scale(age)", sampling=QUICK, force=True)
    assert len(compilations) == 1
    assert first.posterior.term.to_numpy().tolist() == ["cti2", "bulky"]
    assert second.posterior.term.to_numpy().tolist() == ["bulky", "scale(age)"]
    assert second.draws["log_likelihood"].sizes["individual"] == 50


def test_the_numbers_depend_on_the_seed_and_not_on_what_ran_before(frame, compilations):
    def draws(endpoint, seed):
        chosen = dataclasses.replace(QUICK, seed=seed)
        found = bs.fit(cohort(frame, endpoint), "cti2", sampling=chosen, force=True)
        return found.posterior["coefficient"].to_numpy()

    alone = draws("os", 1)
    draws("efs", 3)
    np.testing.assert_array_equal(draws("os", 1), alone)
    assert not np.array_equal(draws("os", 2), alone)


def test_seed_argument_overrides_the_settings(frame):
    found = bs.fit(cohort(frame), "cti2", sampling=QUICK, seed=7, force=True)
    assert found.settings["seed"] == 7


def test_failed_checks_are_tried_once_more_with_stricter_settings(frame, monkeypatch):
    tried = []
    original = sampling.draw

    def divergent(compiled, settings, progress=None):
        tried.append(settings)
        tree = original(compiled, QUICK)
        tree["sample_stats"]["diverging"][0, 0] = True
        return tree

    monkeypatch.setattr(sampling, "draw", divergent)
    with pytest.raises(bs.SamplingError, match="divergent") as caught:
        bs.fit(cohort(frame), "cti2", sampling=QUICK)
    assert "target_accept" in str(caught.value)
    assert [s.target_accept for s in tried] == [QUICK.target_accept, pytest.approx(0.995)]
    assert tried[1].tune > tried[0].tune
    assert bs.fit(cohort(frame), "cti2", sampling=QUICK, force=True).failed


def test_a_retry_that_passes_is_reported_with_its_settings(frame, monkeypatch):
    original, calls = sampling.draw, []

    def first_fails(compiled, settings, progress=None):
        calls.append(settings)
        tree = original(compiled, settings)
        tree["sample_stats"]["diverging"][0, 0] = len(calls) == 1
        return tree

    monkeypatch.setattr(sampling, "draw", first_fails)
    found = bs.fit(cohort(frame), "cti2")
    assert not found.failed
    assert found.settings["draws"] == found.posterior.sizes["draw"] == 2000


def test_progress_reaches_the_end(frame):
    shares = []
    bs.fit(cohort(frame), "cti2", sampling=QUICK, force=True, progress=shares.append)
    assert shares
    assert shares[-1] == pytest.approx(1, abs=0.35)
    assert shares == sorted(shares)


def test_missing_covariates_are_refused_or_dropped_and_reported(frame):
    frame = frame.assign(bulky=frame["bulky"].where(frame.index > 1))
    with pytest.raises(bs.InputError, match="missing"):
        bs.fit(cohort(frame), "bulky", sampling=QUICK)
    found = bs.fit(cohort(frame), "bulky", missing="drop", sampling=QUICK, force=True)
    assert found.n_patients == 59
    assert any("2 of 61 patients dropped" in note for note in found.notes)


def test_notes_say_what_the_reader_must_know(frame):
    frame = frame.assign(rare=0)
    frame.loc[frame["os_event"] == 0, "rare"] = [1] + [0] * (
        int((frame["os_event"] == 0).sum()) - 1
    )
    with pytest.warns(bs.CohortWarning):
        found = bs.fit(
            cohort(frame), "rare + bulky + age + cti2 + C(stage)", sampling=QUICK, force=True
        )
    text = "\n".join(found.notes)
    assert "events per coefficient" in text
    assert "No events among the patients with rare = 1" in text
    assert "age = 0, lies outside the data" in text
    assert "crude exponential median" in text
    assert f"{crude_median(cohort(frame)):.3g} months" in text


def test_a_stated_median_is_not_taken_from_the_data(frame):
    priors = bs.Priors(median_survival=bs.MedianSurvival(2, 50))
    found = bs.prior(cohort(frame), "cti2", priors=priors)
    assert "as stated" in found.notes[-1]
    assert found.specification.median == bs.MedianSurvival(2, 50)


def test_crude_median_and_event_times_take_the_middle_of_an_interval(frame):
    wide = frame.assign(upper=np.where(frame["os_event"] == 1, frame["os_months"] + 2, np.nan))
    made = cohort(wide, upper="upper")
    events = frame.loc[frame["os_event"] == 1, "os_months"]
    np.testing.assert_allclose(event_times(made), events + 1)
    person_time = frame["os_months"].sum() + len(events)
    assert crude_median(made) == pytest.approx(np.log(2) * person_time / len(events))


def test_log_likelihood_is_per_patient_and_splitting_follow_up_changes_nothing(frame):
    whole = bs.fit(
        cohort(frame.assign(pid=frame.index), id="pid"), "cti2", sampling=QUICK, force=True
    )
    half = frame["os_months"] / 2
    early = frame.assign(pid=frame.index, start=0.0, os_months=half, os_event=0)
    late = frame.assign(pid=frame.index, start=half)
    rows = pd.concat([early, late], ignore_index=True)
    made = cohort(rows, id="pid", entry="start")
    split = bs.fit(made, "cti2", sampling=QUICK, force=True)
    assert split.draws["log_likelihood"].sizes["individual"] == 61
    assert split.n_patients == 61
    ours = split.posterior["coefficient"].mean().item()
    spread = whole.posterior["coefficient"].std().item()
    assert ours == pytest.approx(whole.posterior["coefficient"].mean().item(), abs=0.15 * spread)
