"""The compressed likelihood is the row-wise one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bayesurv as bs
from bayesurv.data.design import Design
from bayesurv.data.person_time import Distinct
from bayesurv.models.build import Specification
from bayesurv.models.compression import compressed
from bayesurv.models.likelihood import Observed, linear_predictor, log_likelihood
from bayesurv.models.priors import MedianSurvival, Priors

BASELINES = {
    "exponential": bs.Exponential(),
    "weibull": bs.Weibull(),
    "gompertz": bs.Gompertz(scale=10.0),
    "piecewise": bs.PiecewiseExponential(cuts=(2.0, 5.0, 11.0)),
    "independent": bs.PiecewiseExponential(cuts=(4.0,), smoothing="independent"),
    "m-spline": bs.MSpline(inner=(3.0, 7.0), boundary=15.0),
}


def cohort(seed, size, *, entry, interval, ties):
    """Patients with three binary covariates and a centre; times on a grid where there are ties."""
    generator = np.random.default_rng(seed)
    time = generator.weibull(1.2, size) * 8 + 0.5
    time = np.ceil(time) if ties else time
    table = pd.DataFrame(
        {
            "time": time,
            "event": generator.integers(0, 2, size) | (np.arange(size) < 6),
            "centre": np.array(list("ABC"))[np.arange(size) % 3],
            **{name: generator.integers(0, 2, size) for name in ("cti2", "bulky")},
            "stage": generator.integers(1, 5, size),
        }
    )
    table.loc[:3, ["cti2", "bulky"]] = [[0, 1], [1, 0], [0, 0], [1, 1]]
    table.loc[:1, "stage"] = [1, 4]
    if entry:
        table["entry"] = np.where(generator.random(size) < 0.5, 0.0, np.floor(time / 3))
    if interval:
        late = (table["event"] == 1) & (generator.random(size) < 0.5)
        table["upper"] = np.where(late, time + 1, np.nan)
    return bs.Cohort.from_frame(
        table, time="time", event="event", unit="months",
        entry="entry" if entry else None, upper="upper" if interval else None,
    )  # fmt: skip


def draws(specification, seed, count=5):
    """Sampled quantities from wide distributions, and the parameters they make."""
    generator = np.random.default_rng(seed)
    coords, drawn = specification.coords(), {}
    for quantity in specification.sampled():
        size = (1, count, len(coords[quantity.dim])) if quantity.dim else (1, count)
        values = generator.normal(0, 0.7, size)
        drawn[quantity.name] = np.exp(values) if quantity.priors[0].positive else values
    for name, dim in specification.standard_normals():
        drawn[name] = generator.standard_normal((1, count, len(coords[dim])))
    return specification.assemble(drawn, np)


def total(specification, observed, rows, parameters):
    """Log-likelihood of all rows together, one number for each draw."""
    predictor = linear_predictor(specification.design, rows, parameters, np)
    return log_likelihood(specification.baseline, observed, parameters, predictor, np).sum(axis=-1)


def both(baseline, patients, formula, seed=0, **asked):
    """Log-likelihood compressed and row by row, and the numbers of rows of the two."""
    design = Design.from_cohort(formula, patients)
    specification = Specification(baseline, design, Priors(), MedianSurvival(3, 30))
    parameters = draws(specification, seed)
    times = patients.entry, patients.time, patients.upper, patients.event
    observed, rows = compressed(baseline, design.rows, *times, **asked)
    found = total(specification, observed, rows, parameters)
    plain = Observed.from_cohort(patients, baseline)
    return found, total(specification, plain, design.rows, parameters), len(observed.exact)


@pytest.mark.parametrize("name", BASELINES)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    size=st.integers(8, 200),
    entry=st.booleans(),
    interval=st.booleans(),
    ties=st.booleans(),
    group=st.booleans(),
)
def test_the_log_likelihood_is_that_of_the_rows(name, seed, size, entry, interval, ties, group):
    patients = cohort(seed, size, entry=entry, interval=interval, ties=ties)
    formula = "cti2 + bulky" + " + (cti2 | centre)" * group
    found, plain, rows = both(BASELINES[name], patients, formula, seed)
    np.testing.assert_allclose(found, plain, rtol=1e-10)
    assert rows <= patients.n_rows


def test_an_additive_baseline_needs_one_row_for_each_pattern():
    patients = cohort(1, 4000, entry=True, interval=False, ties=False)
    for baseline in (BASELINES["piecewise"], BASELINES["exponential"]):
        found, plain, rows = both(baseline, patients, "cti2 + bulky + stage")
        np.testing.assert_allclose(found, plain, rtol=1e-10)
        assert rows == 2 * 2 * 4


def test_other_baselines_need_one_row_for_each_pattern_time_and_end():
    patients = cohort(2, 4000, entry=False, interval=False, ties=True)
    found, plain, rows = both(BASELINES["weibull"], patients, "cti2 + bulky")
    np.testing.assert_allclose(found, plain, rtol=1e-10)
    assert rows <= 2 * 2 * 2 * len(np.unique(patients.time)) < 4000 / 5


def test_rows_that_all_differ_stay_as_they_are():
    patients = cohort(3, 61, entry=False, interval=False, ties=False)
    design = Design.from_cohort("cti2 + bulky", patients)
    times = patients.entry, patients.time, patients.upper, patients.event
    observed, rows = compressed(bs.Weibull(), design.rows, *times)
    np.testing.assert_array_equal(rows.fixed, design.rows.fixed)
    plain = Observed.from_cohort(patients, bs.Weibull())
    np.testing.assert_array_equal(observed.time, plain.time)
    np.testing.assert_array_equal(observed.count, np.ones(61))


@pytest.mark.parametrize("name", ["weibull", "piecewise"])
def test_arrays_that_no_row_needs_are_there_when_asked_for(name):
    patients = cohort(4, 50, entry=False, interval=False, ties=True)
    found, plain, _ = both(BASELINES[name], patients, "cti2", delayed=True, interval=True)
    np.testing.assert_allclose(found, plain, rtol=1e-10)
    design = Design.from_cohort("cti2", patients)
    times = patients.entry, patients.time, patients.upper, patients.event
    observed, _ = compressed(BASELINES[name], design.rows, *times, delayed=True, interval=True)
    assert {"entry", "upper", "between", "count"} <= set(observed.arrays())


def test_distinct_lines_keep_their_order_and_count_all_lines():
    table = np.array([3.0, np.nan, 3.0, 1.0, np.nan, 3.0])
    known = Distinct.of(table)
    np.testing.assert_array_equal(known.first, [0, 1, 3])
    np.testing.assert_array_equal(known.member, [0, 1, 0, 2, 1, 0])
    np.testing.assert_array_equal(known.count, [3, 2, 1])


def test_without_covariates_all_lines_are_one_pattern():
    known = Distinct.of(np.empty((4, 0)))
    np.testing.assert_array_equal(known.count, [4])
