"""Simulation on a cohort's own design, and calibration of right and of wrong models."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv import calibrating
from bayesurv.calibrating import SHORT, Experiment, calibrate_model, experiment
from bayesurv.data.cohort import Cohort
from bayesurv.data.person_time import taken
from bayesurv.estimands.patients import follow_up
from bayesurv.estimands.simulated import Visits
from bayesurv.fitting import compiled_survival
from bayesurv.inference.calibration import uniformity
from bayesurv.inference.sample import Sampling
from bayesurv.models.compression import compressed
from bayesurv.models.likelihood import Observed, linear_predictor, log_likelihood

PRIORS = bs.Priors(median_survival=bs.MedianSurvival(4, 40), coefficient=bs.Normal(0, 0.75))
FAST = replace(SHORT, method="laplace", draws=200)
REFITS = 120


def cohort_of(frame, **columns):
    return Cohort.from_frame(frame, time="os_months", event="os_event", unit="months", **columns)


def model_of(frame, formula="cti2 + bulky", baseline=None, priors=PRIORS, **columns):
    return experiment(
        cohort_of(frame, **columns), formula, baseline=baseline or bs.Exponential(),
        priors=priors, treatment="cti2", horizon=6, sampling=FAST,
    )  # fmt: skip


def delayed(frame):
    """Patients who are at risk from 2 to 10 months on."""
    entry = np.random.default_rng(4).uniform(2, 10, len(frame)).round(2)
    return frame.assign(enters=entry, os_months=frame["os_months"] + entry)


def between_visits(frame):
    """Events known to lie between visits that are three months apart."""
    before = 3 * np.floor(frame["os_months"] / 3)
    upper = (before + 3).where(frame["os_event"] == 1)
    return frame.assign(os_months=before.clip(lower=0.05), until=upper)


def in_two_rows(frame):
    """Treatment from three months on, in rows of their own; some are not seen for a month."""
    first = frame.assign(enters=0.0, cti2=0)
    later = (frame["cti2"] == 1) & (frame["os_months"] > 4)
    second = frame[later].assign(enters=np.where(frame["bulky"][later] == 1, 4.0, 3.0))
    first.loc[later, "os_months"] = 3.0
    first.loc[later, "os_event"] = 0
    return pd.concat([first, second], ignore_index=True)


DESIGNS = {
    "plain": (lambda frame: frame, {}),
    "entry": (delayed, {"entry": "enters"}),
    "rows": (in_two_rows, {"entry": "enters", "id": "pid"}),
}


# --- Simulation ---


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("baseline", [bs.Weibull(), bs.PiecewiseExponential(cuts=(3.0, 9.0))])
def test_events_come_at_the_rate_of_the_model(frame, design, baseline):
    """Events less the cumulative hazard while at risk: a martingale, of mean 0 for each row."""
    change, columns = DESIGNS[design]
    model = model_of(change(frame), baseline=baseline, **columns)
    settled = model.specification.baseline
    excess, expected = 0.0, 0.0
    for number in range(100):
        simulated, parameters = model.simulate(number), _true(model, number)
        predictor = linear_predictor(model.specification.design, simulated.rows, parameters, np)
        relative = np.exp(predictor)[0, 0]
        ends = np.stack([simulated.entry, simulated.time])
        until = [
            settled.cumulative_hazard(settled.cumulative_basis(end), parameters, np)[0, 0]
            for end in ends
        ]
        hazard = relative * (until[1] - until[0])
        assert (hazard >= 0).all()
        excess += float(simulated.event.sum() - hazard.sum())
        expected += float(hazard.sum())
    assert expected > 800
    assert abs(excess) < 4 * np.sqrt(expected)  # its variance is its expected number of events


def _true(model, number):
    return model.specification.parameters(model.truth(number))


@pytest.mark.parametrize("design", DESIGNS)
def test_follow_up_is_within_the_cohorts_own(frame, design):
    change, columns = DESIGNS[design]
    model = model_of(change(frame), **columns)
    follow = follow_up(model.template)
    for number in range(20):
        simulated = model.simulate(number)
        entry, time, upper, event = simulated.follow_up
        assert (time >= entry).all()
        assert (time <= follow.time.max()).all()
        assert np.isnan(upper).all()
        assert event.sum() <= len(follow.entry)
        assert len(simulated.rows.fixed) == len(entry)
    patients = len(follow.entry)
    assert model.simulate(0).entry.size >= patients


def test_whoever_was_censored_is_followed_no_longer(frame):
    model = model_of(frame)
    censored = frame["os_event"].to_numpy() == 0
    times = np.array([model.simulate(number).time for number in range(40)])
    own = frame["os_months"].to_numpy()
    assert (times[:, censored] <= own[censored]).all()
    assert times[:, ~censored].max() > own[~censored].max() / 2
    last = frame["os_months"].max()
    assert times.max() <= last


def test_rows_end_with_the_event_and_leave_no_gap_but_the_cohorts(frame):
    model = model_of(in_two_rows(frame), entry="enters", id="pid")
    for number in range(20):
        simulated = model.simulate(number)
        starts = np.flatnonzero(simulated.entry == 0)
        assert len(starts) == len(frame)  # every patient begins at 0
        own = np.split(np.arange(len(simulated.entry)), starts[1:])
        for rows in own:
            assert not simulated.event[rows[:-1]].any()
            if len(rows) == 2:
                assert simulated.time[rows[0]] == 3
                assert simulated.entry[rows[1]] in (3, 4)
                assert simulated.time[rows[1]] > simulated.entry[rows[1]]


def test_intervals_are_those_between_visits(frame):
    model = model_of(between_visits(frame), upper="until")
    visits = Visits.implied(follow_up(model.template))
    assert visits.between == 1
    assert visits.spacing == pytest.approx(3, abs=0.06)
    seen = 0
    for number in range(20):
        simulated = model.simulate(number)
        entry, time, upper, event = simulated.follow_up
        assert (np.isfinite(upper) == event).all()
        late = event & (time > 3)
        assert (upper - time)[late] == pytest.approx(visits.spacing[late])
        steps = (time - visits.anchor) / visits.spacing
        assert steps[time > entry] == pytest.approx(steps[time > entry].round(), abs=1e-9)
        seen += late.sum()
    assert seen > 100


def test_the_last_visit_before_a_time():
    follow = follow_up(
        experiment(
            Cohort.from_frame(
                pd.DataFrame(
                    {
                        "months": [4.0, 10.0, 7.0, 1.0],
                        "died": [1, 1, 0, 0],
                        "until": [6.0, 14.0, np.nan, np.nan],
                    }
                ),
                time="months", event="died", upper="until", unit="months",
            ),
            "1", baseline=bs.Exponential(),
        ).template
    )  # fmt: skip
    visits = Visits.implied(follow)
    assert visits.spacing.tolist() == [2, 4, 3, 3]
    assert visits.last(np.array([5.0, 5.0, 5.0, 5.0])).tolist() == [4, 2, 4, 4]
    assert visits.last(np.array([6.0, 1.9, 7.0, 0.5])).tolist() == [6, -2, 7, -2]


def test_wide_priors_give_data_all_the_same(frame):
    """Astronomically early or late events are simulated."""
    wide = bs.Priors(
        intercept=bs.Normal(0, 20), coefficient=bs.Normal(0, 5), shape=bs.LogNormal(0, 1)
    )
    model = model_of(frame, baseline=bs.Weibull(), priors=wide)
    events, smallest = [], []
    for number in range(60):
        simulated = model.simulate(number)
        assert np.isfinite(simulated.time).all()
        assert (simulated.time > 0).all()
        events.append(simulated.event.sum())
        smallest.append(simulated.time.min())
    assert min(events) == 0
    assert max(events) == len(frame)
    assert min(smallest) < 1e-30


def test_a_cohort_without_events_is_fitted(frame):
    model = model_of(frame, priors=bs.Priors(median_survival=bs.MedianSurvival(1e4, 1e6)))
    found = model.refit(0)
    assert found.record["events"] == 0
    assert found.record["passed"]
    assert np.isfinite(found.draws["intercept"]).all()


@pytest.mark.parametrize("baseline", [bs.Exponential(), bs.PiecewiseExponential(cuts=(3.0, 9.0))])
def test_a_cohort_of_intervals_alone_is_compressed(frame, baseline):
    """No row is left to be summed; the log likelihood is that of the rows all the same."""
    model = model_of(between_visits(frame), baseline=baseline, upper="until")
    each = model.simulate(0)
    chosen = np.flatnonzero(each.event)
    only = replace(
        each, rows=taken(each.rows, chosen), entry=each.entry[chosen], time=each.time[chosen],
        upper=each.upper[chosen], event=each.event[chosen],
    )  # fmt: skip
    settled, parameters = model.specification.baseline, _true(model, 0)
    row_wise = total(model, Observed.from_times(*only.follow_up, settled), only.rows, parameters)
    few = compressed(settled, only.rows, *only.follow_up, interval=True)
    assert len(chosen) > 10
    assert total(model, *few, parameters) == pytest.approx(row_wise, rel=1e-12)


def total(model, observed, rows, parameters):
    predictor = linear_predictor(model.specification.design, rows, parameters, np)
    return log_likelihood(model.specification.baseline, observed, parameters, predictor, np).sum()


# --- Calibration ---


class Unlike(Experiment):
    """An experiment whose fit sees other data than were simulated, or other priors."""

    change = staticmethod(lambda simulated: simulated)
    priors = None

    def compiled(self, simulated):
        seen = self.change(simulated)
        specification = self.specification
        if self.priors is not None:
            specification = replace(specification, priors=self.priors)
        data = compressed(specification.baseline, seen.rows, *seen.follow_up, delayed=True)
        return compiled_survival(specification, *data)


def planted(model, change=None, priors=None):
    kind = type("Planted", (Unlike,), {})
    if change is not None:
        kind.change = staticmethod(change)
    kind.priors = priors
    return kind(model.template, model.treatment, model.horizon, model.settings)


@pytest.fixture(scope="module")
def late(make_cohort):
    """24 patients with delayed entry, few enough for the prior to matter."""
    return model_of(delayed(make_cohort().iloc[::2][:24]), entry="enters")


def smallest_p(model, refits=REFITS):
    return uniformity(calibrate_model(model, refits, workers=2).ranks)["p_value"].min()


def test_a_right_model_is_calibrated(late):
    found = calibrate_model(late, REFITS, workers=2)
    table = uniformity(found.ranks)
    assert table["p_value"].min() > 1e-4
    assert found.failed < 0.1
    assert (table["refits"] == REFITS).all()
    names = ["intercept", "coefficient[cti2]", "coefficient[bulky]", "log_likelihood"]
    names += ["log_prior", "log_joint", "survival", "rmst", "survival_difference"]
    assert table["quantity"].tolist() == names


def test_the_same_without_a_change(late):
    """The planted errors below are errors because of what is changed, and of nothing else."""
    pd.testing.assert_frame_equal(
        calibrate_model(planted(late), 12, workers=1).ranks,
        calibrate_model(late, 12, workers=2).ranks,
    )


def test_dropped_log_hazards_of_events_are_found(late):
    wrong = planted(late, lambda each: replace(each, event=np.zeros_like(each.event)))
    assert smallest_p(wrong, 60) < 1e-9


def test_entry_that_is_ignored_is_found(late):
    wrong = planted(late, lambda each: replace(each, entry=np.zeros_like(each.entry)))
    assert smallest_p(wrong) < 1e-6


def test_a_prior_of_half_the_spread_is_found(late):
    narrow = replace(PRIORS, coefficient=bs.Normal(0, 0.375))
    assert smallest_p(planted(late, priors=narrow)) < 1e-4


def test_nuts_is_calibrated(make_cohort):
    model = model_of(make_cohort(), "cti2", bs.Weibull())
    model = replace(model, settings=Sampling(1, 300, 300, 0.9, seed=3))
    found = calibrate_model(model, 60, workers=2)
    assert uniformity(found.ranks)["p_value"].min() > 1e-4
    assert found.refits["attempts"].min() == 1
    assert (found.refits["effective_draws"] > 40).mean() > 0.9


def test_a_refit_that_cannot_start_is_kept_as_failed(late, monkeypatch):
    def none(*_, **__):
        raise RuntimeError("no point to start from")

    monkeypatch.setattr("bayesurv.inference.members.sample_members", none)
    found = calibrate_model(late, 3, workers=1)
    assert found.failed == 1
    assert found.refits["stopped"].tolist() == ["no point to start from"] * 3
    assert not len(found.ranks)


def test_the_horizon_is_checked(frame):
    with pytest.raises(bs.InputError, match="within the follow-up"):
        experiment(cohort_of(frame), "cti2", treatment="cti2", horizon=500)
    alone = experiment(cohort_of(frame), "cti2", baseline=bs.Exponential())
    assert alone.horizon == cohort_of(frame).end_of_follow_up
    quantities = alone.quantities(alone.truth(0), alone.simulate(0))
    assert "survival_difference" not in quantities
    assert calibrating.REFITS == 500
