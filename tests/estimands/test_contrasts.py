"""Standardised curves are averages over patients inside each draw."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesurv as bs
from bayesurv.data.faults import InputError
from bayesurv.estimands.contrasts import (
    baseline_covariates,
    standardised_hazard,
    standardised_survival,
)
from bayesurv.estimands.population import distinct_rows

TIMES = [0.0, 3, 12, 30]
FORMULA = "cti2 + scale(age) + stage + (cti2 | centre)"


@pytest.fixture(scope="module")
def fit(prior):
    return prior(FORMULA, bs.Weibull())


@pytest.fixture(scope="module")
def population(fit):
    return fit.design.training


def test_standardised_survival_is_the_mean_over_patients_in_each_draw(fit, population):
    found = standardised_survival(fit, population, TIMES, label="everyone")
    expected = bs.survival(fit, population, TIMES).mean("individual")
    np.testing.assert_allclose(found.isel(individual=0), expected, rtol=1e-12)
    assert found.dims == ("chain", "draw", "individual", "time")
    assert found.individual.to_numpy().tolist() == ["everyone"]
    assert found.name == "survival"
    assert found.attrs == {"unit": "months", "end_of_follow_up": 30.0}


def test_patients_alike_are_counted_as_often_as_they_come(fit):
    one, other = (
        {"cti2": 0, "age": 60, "stage": "I", "centre": "A"},
        {"cti2": 1, "age": 60, "stage": "I", "centre": "A"},
    )
    found = standardised_survival(fit, [one, one, other], [12])
    each = bs.survival(fit, [one, other], [12])
    expected = each.isel(individual=0) * 2 / 3 + each.isel(individual=1) / 3
    np.testing.assert_allclose(found.isel(individual=0), expected, rtol=1e-12)
    rows, member = distinct_rows(fit.design.apply(pd.DataFrame([one, one, other])))
    assert sorted(np.bincount(member)) == [1, 2]
    assert len(rows.fixed) == len(rows.group_index) == len(rows.group_value) == 2


def test_patients_who_differ_only_by_group_are_not_alike(fit):
    same = {"cti2": 1, "age": 60, "stage": "I"}
    rows, _ = distinct_rows(fit.design.apply(pd.DataFrame([same | {"centre": c} for c in "ABCA"])))
    assert len(rows.fixed) == 3


def test_its_interval_speaks_of_the_mean_and_not_of_how_patients_differ(stated):
    """Two kinds of patients, far apart, and draws that hardly differ."""
    fit = stated(
        "cti2",
        bs.Exponential(),
        intercept=np.log(0.05) + np.linspace(-0.01, 0.01, 21),
        coefficient=np.full((21, 1), 2.0),
    )
    both = [{"cti2": 0}, {"cti2": 1}]
    mean = bs.summarise(standardised_survival(fit, both, [12]))
    pooled = np.quantile(bs.survival(fit, both, [12]), [0.025, 0.975])
    width = float((mean["upper"] - mean["lower"]).squeeze())
    assert width < 0.01
    assert pooled[1] - pooled[0] > 0.5
    half = (np.exp(-0.05 * 12) + np.exp(-0.05 * 12 * np.exp(2))) / 2
    assert mean["median"].item() == pytest.approx(half, rel=1e-6)


def test_standardised_hazard_is_that_of_those_still_at_risk(fit, population):
    times = np.array([3.0, 12.0])
    step = 1e-4
    after = np.log(standardised_survival(fit, population, times + step))
    before = np.log(standardised_survival(fit, population, times - step))
    slope = (before.to_numpy() - after.to_numpy()) / (2 * step)
    found = standardised_hazard(fit, population, times, label="arm")
    np.testing.assert_allclose(found, slope, rtol=1e-4)
    assert (found.name, found.individual.item()) == ("hazard", "arm")


def test_the_hazard_of_those_at_risk_is_a_number_when_hardly_anyone_is(stated):
    fit = stated("cti2", bs.Exponential(), intercept=[4.0], coefficient=[[6.0]])
    found = standardised_hazard(fit, [{"cti2": 0}, {"cti2": 1}], [0, 20])
    by_hand = [(np.exp(4) + np.exp(10)) / 2, np.exp(4)]
    np.testing.assert_allclose(found.to_numpy().ravel(), by_hand)


def test_a_population_of_one_has_its_own_curves(fit, population):
    one = population.iloc[[3]]
    np.testing.assert_allclose(
        standardised_survival(fit, one, TIMES), bs.survival(fit, one, TIMES), rtol=1e-12
    )
    np.testing.assert_allclose(
        standardised_hazard(fit, one, [1, 9]), bs.hazard(fit, one, [1, 9]), rtol=1e-12
    )


def test_no_silent_extrapolation(fit, population):
    for curve in (standardised_survival, standardised_hazard):
        with pytest.raises(InputError, match="time 31 is past the end of follow-up, 30 months"):
            curve(fit, population, [31])
        assert curve(fit, population, [31], extrapolate=True).shape == (1, 40, 1, 1)


def test_one_time_needs_no_list(fit, population):
    assert standardised_survival(fit, population, 12).time.to_numpy().tolist() == [12]
    assert standardised_hazard(fit, population, 12).time.to_numpy().tolist() == [12]


def test_a_patient_of_several_rows_counts_by_her_first(fit):
    individual = np.array([0, 0, 1, *range(2, 23)])
    constant = xr.Dataset({"individual": ("row", individual)})
    draws = xr.DataTree.from_dict({"constant_data": constant})
    found = baseline_covariates(replace(fit, draws=draws))
    assert found.equals(fit.design.training.drop(index=1))
