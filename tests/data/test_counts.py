"""Counts: what they hold of a cohort, and that the piecewise likelihood needs nothing else."""

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.cohort import Cohort
from bayesurv.data.counts import Counts
from bayesurv.data.design import Design
from bayesurv.data.faults import InputError
from bayesurv.models.baselines import PiecewiseExponential
from bayesurv.models.likelihood import Observed, linear_predictor, log_likelihood

CUTS = (3.0, 8.0, 15.0)
ROLES = {"time": "os_months", "event": "os_event", "unit": "months"}


def cohort_of(frame, **options):
    return Cohort.from_frame(frame[["cti2", "stage", "os_months", "os_event"]], **ROLES, **options)


def log_likelihood_of(counts, design, parameters):
    """Sum over cells of events (l + x'b) - person-time exp(l + x'b), as the formula has it."""
    predictor = linear_predictor(design, design.rows, parameters, np)
    log_hazard = parameters["log_hazard"] + predictor[:, None]
    return (counts.events * log_hazard - counts.person_time * np.exp(log_hazard)).sum()


def by_row(cohort, design, parameters):
    baseline = PiecewiseExponential(cuts=CUTS)
    observed = Observed.from_cohort(cohort, baseline)
    rows = design.apply(cohort.covariates)
    predictor = linear_predictor(design, rows, parameters, np)
    return log_likelihood(baseline, observed, parameters, predictor, np).sum()


def test_counts_add_up_to_the_cohort(frame):
    cohort = cohort_of(frame)
    counts = Counts.from_cohort(cohort, CUTS)
    assert counts.n_patients == counts.patients.sum() == counts.ended.sum() == 61
    assert counts.n_events == cohort.n_events
    assert counts.person_time.sum() == pytest.approx(cohort.time.sum(), rel=1e-14)
    assert counts.n_rows == len(counts.covariates.drop_duplicates()) == 8
    assert (counts.at_risk[:, 0] == counts.patients).all()
    assert counts.end_of_follow_up == 15


def test_a_time_at_a_cut_ends_in_the_interval_before_it():
    frame = pd.DataFrame({"os_months": [3.0, 3.5, 8.0, 20.0], "os_event": [1, 0, 1, 0]})
    counts = Counts.from_cohort(Cohort.from_frame(frame, **ROLES), CUTS)
    assert counts.events.tolist() == [[1, 1, 0, 0]]
    assert counts.ended.tolist() == [[1, 2, 0, 1]]
    assert counts.at_risk.tolist() == [[4, 3, 1, 1]]
    assert counts.person_time.tolist() == [[12.0, 10.5, 7.0, 5.0]]
    hazard = PiecewiseExponential(cuts=CUTS).hazard_basis(frame["os_months"].to_numpy())
    assert (hazard.sum(axis=1) == counts.ended[0]).all()


@pytest.mark.parametrize("delayed", [False, True])
def test_the_likelihood_of_counts_is_that_of_the_rows(frame, delayed):
    options = {}
    given = frame[["cti2", "stage", "os_months", "os_event"]]
    if delayed:
        given = given.assign(entry=(given["os_months"] * 0.4).where(given["cti2"] == 1, 0.0))
        options = {"entry": "entry"}
    cohort = Cohort.from_frame(given, **ROLES, **options)
    counts = Counts.from_cohort(cohort, CUTS)
    design = Design.from_frame("cti2 + stage", counts.covariates)
    parameters = {
        "log_hazard": np.array([-3.0, -2.0, -2.5, -4.0]),
        "coefficient": np.array([0.6, -0.2, 0.1, 0.4]),
    }
    expected = by_row(cohort, design, parameters)
    assert log_likelihood_of(counts, design, parameters) == pytest.approx(expected, rel=1e-12)


def test_terms_are_those_of_the_patients(frame):
    stated = {"stage": "III"}
    cohort = cohort_of(frame, reference=stated)
    counts = Counts.from_cohort(cohort, CUTS)
    terms = Design.from_cohort("cti2 + stage", cohort).terms
    assert Design.from_frame("cti2 + stage", counts.covariates).terms == terms
    assert counts.reference == stated


def test_counts_without_covariates_are_one_pattern(frame):
    counts = Counts.from_cohort(cohort_of(frame), CUTS, columns=())
    assert counts.n_rows == 1
    assert counts.patients.tolist() == [61]


def test_nothing_in_counts_can_be_changed(frame):
    counts = Counts.from_cohort(cohort_of(frame), CUTS)
    with pytest.raises(ValueError, match="read-only"):
        counts.events[0, 0] = 5


def test_the_digest_is_of_what_is_analysed(frame):
    counts = Counts.from_cohort(cohort_of(frame), CUTS)
    shuffled = frame.sample(frac=1, random_state=3)
    assert Counts.from_cohort(cohort_of(shuffled), CUTS).digest() == counts.digest()
    assert Counts.from_cohort(cohort_of(frame), (3.0, 8.0)).digest() != counts.digest()
    changed = frame.assign(os_event=1 - frame["os_event"])
    assert Counts.from_cohort(cohort_of(changed), CUTS).digest() != counts.digest()


def test_what_cannot_be_counted_is_refused(frame):
    with pytest.raises(InputError, match="cuts must be above 0, finite and increasing"):
        Counts.from_cohort(cohort_of(frame), (8.0, 3.0))
    given = frame[["os_months", "os_event"]].assign(upper=frame["os_months"] + 1)
    given["upper"] = given["upper"].where(given["os_event"] == 1)
    interval = Cohort.from_frame(given, upper="upper", **ROLES)
    with pytest.raises(InputError, match="known only to an interval"):
        Counts.from_cohort(interval, CUTS)
    counts = Counts.from_cohort(cohort_of(frame), CUTS)
    assert counts.complete(["cti2"]) is counts
    with pytest.raises(InputError, match='no such column, .* Did you mean "stage"'):
        counts.complete(["stagg"])
