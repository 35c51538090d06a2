"""Benefit against published and classical numbers: restricted means of R, normal approximations."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.estimands.contrasts import contrast

REFERENCE = Path(__file__).parents[1] / "reference"

# --- Restricted mean survival of the lung cohort by sex (scripts/reference/rmst.R) ---


@pytest.fixture(scope="module")
def restricted_means():
    """Draws of the RMST of men and of women, by a piecewise model of each that follows its data."""
    lung = pd.read_csv(REFERENCE / "data" / "lung.csv")
    baseline = bs.PiecewiseExponential(intervals=12, smoothing="independent")
    priors = bs.Priors(log_hazard=bs.Normal(-3, 3))
    draws = []
    for female in (0, 1):
        patients = lung[lung["female"] == female]
        cohort = bs.Cohort.from_frame(patients, time="time", event="event", unit="months")
        fit = bs.fit(cohort, "1", baseline=baseline, priors=priors, seed=1)
        draws.append(bs.rmst(fit, [{"label": f"female={female}"}], 31.7))
    return draws


@pytest.mark.filterwarnings("ignore::bayesurv.CohortWarning")
def test_restricted_means_of_a_model_that_follows_the_data_are_those_of_kaplan_meier(
    restricted_means,
):
    """The posterior's mean and sd against R's estimate and standard error."""
    expected = pd.read_csv(REFERENCE / "rmst.csv").set_index("group")
    found = [*restricted_means, contrast(*reversed(restricted_means))]
    for (group, row), draws in zip(expected.iterrows(), found, strict=True):
        assert draws.mean().item() == pytest.approx(row["rmst"], abs=0.25 * row["se"]), group
        assert draws.std().item() == pytest.approx(row["se"], rel=0.1), group


def test_the_reference_is_the_published_one_but_for_one_patient():
    """Days of 228 patients: 324.05 (22.30), 455.90 (32.92) and 131.86 (39.76), survRM2."""
    days = 30.4375 * pd.read_csv(REFERENCE / "rmst.csv").set_index("group")[["rmst", "se"]]
    published = {"female=0": (324.05, 22.30), "female=1": (455.90, 32.92)}
    published |= {"difference": (131.86, 39.76)}
    for group, (rmst, se) in published.items():
        assert days.loc[group].tolist() == pytest.approx([rmst, se], rel=0.01)


# --- How far a prior pulls: the normal approximation, for 61 patients ---

# Prior sd, then hazard ratio, its 95% interval and P(HR > 1) where log HR is 0.623 (SE 0.315), as
# unadjusted, and 0.540 (SE 0.324), as adjusted: precision-weighted means, to two or three digits.
ANCHORS = {
    "unadjusted": {
        0.35: (1.41, 0.89, 2.23, 0.929),
        0.5: (1.56, 0.93, 2.63, 0.953),
        0.75: (1.70, 0.96, 3.00, 0.966),
        1.0: (1.76, 0.98, 3.18, 0.970),
        2.5: (1.85, 1.00, 3.41, 0.975),
    },
    "adjusted": {
        0.35: (1.32, 0.83, 2.10, 0.876),
        0.5: (1.43, 0.84, 2.44, 0.907),
        0.75: (1.54, 0.86, 2.75, 0.926),
        1.0: (1.59, 0.87, 2.90, 0.933),
        2.5: (1.65, 0.88, 3.10, 0.941),
    },
}
BUILT = {"unadjusted": (22, 0.623), "adjusted": (19, 0.540)}  # deaths of 27 treated, log ratio


def exponential_cohort(treated_deaths, log_ratio):
    """34 and 27 patients with 19 and so many deaths, whose person-time gives that log ratio."""
    arms = []
    for cti2, (patients, deaths) in enumerate(((34, 19), (27, treated_deaths))):
        time = np.linspace(1, 10, patients)
        person_time = deaths / (0.05 * np.exp(log_ratio * cti2))
        event = np.arange(patients) < deaths
        scaled = time * person_time / time.sum()
        arms.append(pd.DataFrame({"time": scaled, "event": event, "cti2": cti2}))
    frame = pd.concat(arms, ignore_index=True)
    return bs.Cohort.from_frame(frame, time="time", event="event", unit="months")


@pytest.mark.parametrize("analysis", ANCHORS)
def test_the_cohort_has_the_estimate_and_the_error_that_it_was_built_for(analysis):
    """An exponential model's log ratio is that of the rates; its variance, 1/d0 + 1/d1."""
    deaths, log_ratio = BUILT[analysis]
    cohort = exponential_cohort(deaths, log_ratio)
    treated = cohort.covariates["cti2"].to_numpy() == 1
    rates = [cohort.event[arm].sum() / cohort.time[arm].sum() for arm in (~treated, treated)]
    assert np.log(rates[1] / rates[0]) == pytest.approx(log_ratio)
    error = np.sqrt(1 / deaths + 1 / 19)
    assert error == pytest.approx({"unadjusted": 0.315, "adjusted": 0.324}[analysis], abs=0.002)


@pytest.mark.parametrize("analysis", ANCHORS)
@pytest.mark.parametrize("sd", [0.35, 0.5, 0.75, 1.0, 2.5])
def test_the_posterior_is_the_normal_approximation(analysis, sd):
    cohort = exponential_cohort(*BUILT[analysis])
    priors = bs.Priors(coefficient=bs.Normal(0, sd))
    sampling = bs.Sampling(draws=2000, seed=1)
    fit = bs.fit(cohort, "cti2", baseline=bs.Exponential(), priors=priors, sampling=sampling)
    found = bs.benefit(fit, "cti2").iloc[0]
    ratio, lower, upper, harm = ANCHORS[analysis][sd]
    assert found.quantity == "hazard_ratio"
    assert found.estimate == pytest.approx(ratio, abs=0.1)
    assert found.lower == pytest.approx(lower, abs=0.1)
    assert found.upper == pytest.approx(upper, abs=0.3)
    assert 1 - found.probability == pytest.approx(harm, abs=0.015)
    useful = bs.benefit(fit, "cti2").query("quantity == 'hazard_ratio' and margin == 0.8")
    assert useful["probability"].item() < 0.03
