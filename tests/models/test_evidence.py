"""Published numbers as normal distributions, against closed forms and simulated studies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import norm

from bayesurv.data.faults import InputError
from bayesurv.data.published.external import Evidence, external_evidence, named_evidence
from bayesurv.models.distributions import Normal
from bayesurv.models.evidence import (
    PrintedRatio,
    hazard_prior,
    log_hazard_of_median,
    log_hazard_of_survival,
    log_hazard_ratio,
    log_ratio_of_medians,
    read_medians,
    read_ratio,
    treatment_prior,
)

USABLE = {
    "xue_2024_os",
    "descar_t_late_2025_chemotherapy_pfs",
    "descar_t_late_2025_others_pfs",
    "gouni_2022_bone_marrow_pfs",
}
WITH_HAZARD = {
    "descar_t_late_2025_pfs",
    "descar_t_late_2025_os",
    "gouni_2022_pfs",
    "zurko_2022_os",
    "zurko_2022_pfs",
    "german_pola_br_pfs",
    "german_pola_br_os",
}


def refused(action, *given):
    with pytest.raises(InputError) as caught:
        action(*given)
    return str(caught.value)


# --- Hazard ratios ---


@pytest.mark.parametrize(
    "text",
    [
        "0.28 (0.16-0.51)",
        "0.28 (0.16–0.51)",  # noqa: RUF001
        " 0.28(0.16 — 0.51) ",
        "0.28 (0.16 to 0.51)",
        "0.28 [0.16, 0.51]",
        "0.28 (0.16; 0.51)",
        "HR 0.28 (95% CI 0.16-0.51)",
        "HR = 0.28 (95% CI: 0.16\u22120.51)",
    ],
)
def test_printed_forms(text):
    assert read_ratio(text) == PrintedRatio("0.28", "0.16", "0.51")


@pytest.mark.parametrize("text", ["", "0.28", "0,28 (0,16-0,51)", "0.28 (0.16)", "about 0.3", "()"])
def test_what_is_no_hazard_ratio_with_an_interval(text):
    said = refused(read_ratio, text)
    assert said == f'hazard ratio: write "0.28 (0.16-0.51)", not "{text}"'


def test_the_founding_abstract_and_xue():
    found = log_hazard_ratio(read_ratio("1.665 (0.883-3.141)"))
    assert found.mu == pytest.approx(np.log(1.665))
    assert found.sigma == pytest.approx(0.324, abs=0.0005)
    xue = treatment_prior(named_evidence(["xue_2024_os"])[0])
    assert xue.mu == pytest.approx(np.log(0.28))
    assert xue.sigma == pytest.approx(np.log(0.51 / 0.16) / (2 * norm.ppf(0.975)))


@given(st.floats(0.2, 4), st.floats(0.1, 0.6), st.integers(2, 4))
def test_printing_and_reading_keep_estimate_and_error_within_rounding(ratio, error, decimals):
    ends = (ratio, *(ratio * np.exp(sign * norm.ppf(0.975) * error) for sign in (-1, 1)))
    found = log_hazard_ratio(PrintedRatio(*(f"{end:.{decimals}f}" for end in ends)))
    coarse = 0.5 * 10.0**-decimals
    assert found.mu == pytest.approx(np.log(ratio), abs=2 * coarse / ratio)
    assert found.sigma == pytest.approx(error, abs=2 * coarse / ends[1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1.970 (1.944-3.997)", "the middle of the interval on the log scale is 2.79, not the"),
        ("5.0 (1.4-16)", "by more than rounding"),
        ("0.28 (0.51-0.16)", "limits are not above 0 and in order"),
        ("0.28 (0.00-0.51)", "limits are not above 0 and in order"),
        ("0.10 (0.16-0.51)", "the estimate does not lie in its interval"),
    ],
)
def test_intervals_that_do_not_fit_their_estimate(text, said):
    message = refused(log_hazard_ratio, read_ratio(text))
    assert message.startswith(f"hazard ratio {text}: ")
    assert said in message


# --- Medians and survival ---


def test_a_median_with_events_is_the_exponential_rate():
    """46 events: SE 0.147; 5.5 months: 0.126 a month."""
    found = log_hazard_of_median(5.5, events=46)
    assert np.exp(found.mu) == pytest.approx(0.126, abs=0.0005)
    assert found.sigma == pytest.approx(0.147, abs=0.0005)


def test_a_median_with_its_interval():
    found = log_hazard_of_median(13.2, (9.6, 18.0))
    assert found.mu == pytest.approx(np.log(np.log(2) / 13.2))
    assert found.sigma == pytest.approx(np.log(18 / 9.6) / 3.92, rel=1e-4)


def simulated(rate, patients, studies=4000, seed=1):
    return np.random.default_rng(seed).exponential(1 / rate, (studies, patients))


def test_the_error_of_a_median_is_that_of_studies():
    """The rate of 60 deaths varies as 1 / sqrt(60) says."""
    log_rates = -np.log(simulated(0.126, 60).mean(axis=1))
    assert log_rates.std() == pytest.approx(log_hazard_of_median(5.5, events=60).sigma, rel=0.04)


def test_the_error_of_survival_is_that_of_studies():
    share = (simulated(0.126, 150) > 6).mean(axis=1)
    log_rates = np.log(-np.log(share) / 6)
    found = log_hazard_of_survival(float(np.exp(-0.126 * 6)), 6, 150)
    assert found.mu == pytest.approx(np.log(0.126))
    assert found.sigma == pytest.approx(log_rates.std(), rel=0.04)


def test_two_medians_give_a_log_hazard_ratio():
    found = read_medians("8.15 (40 events) vs 3.02 (35)")
    assert found == log_ratio_of_medians(8.15, 40, 3.02, 35)
    assert found.mu == pytest.approx(np.log(3.02 / 8.15))
    assert found.sigma == pytest.approx(np.sqrt(1 / 40 + 1 / 35))
    first, second = simulated(0.08, 40), simulated(0.2, 35, seed=2)
    ratios = np.log(second.mean(axis=1) / first.mean(axis=1))
    assert found.sigma == pytest.approx(ratios.std(), rel=0.04)


@pytest.mark.parametrize(
    ("action", "numbers", "said"),
    [
        (log_hazard_of_median, (5.5,), "median: no interval or events"),
        (log_hazard_of_median, (5.5, (6.0, 9.0)), "in its interval"),
        (log_hazard_of_median, (5.5, None, 0), "have events"),
        (log_hazard_of_survival, (1.0, 6, 50), "has no hazard"),
        (log_hazard_of_survival, (0.5, 6, 0), "has no hazard"),
        (log_ratio_of_medians, (5.0, 0, 6.0, 10), "must be above 0"),
        (read_medians, ("8.15 vs 3.02",), 'write "8.15 (40 events) vs 3.02 (35 events)"'),
    ],
)
def test_numbers_that_give_no_standard_error(action, numbers, said):
    assert said in refused(action, *numbers)


# --- The external cohorts ---


def usable(convert):
    found = set()
    for each in external_evidence():
        try:
            convert(each)
        except InputError as error:
            assert str(error).startswith(each.name)  # noqa: PT017
        else:
            found.add(each.name)
    return found


def test_which_cohorts_can_be_priors_and_of_what():
    assert usable(treatment_prior) == USABLE
    assert usable(hazard_prior) == WITH_HAZARD


def test_a_hazard_is_one_a_month_whatever_the_unit():
    weeks = hazard_prior(named_evidence(["gouni_2022_pfs"])[0])
    assert np.exp(weeks.mu) == pytest.approx(np.log(2) / (10 * 7 / 30.4375))
    assert weeks.sigma == pytest.approx(46**-0.5)
    [shared] = named_evidence(["zurko_2022_os"])
    assert_allclose(np.exp(hazard_prior(shared).mu), -np.log(0.59) / 12)


def test_a_hazard_ratio_without_an_interval_is_no_prior():
    [xue] = named_evidence(["xue_2024_pfs"])
    said = refused(treatment_prior, xue)
    assert said == "xue_2024_pfs: the confidence interval is cut off, so that it is no prior"


def test_the_same_number_is_a_prior_whoever_found_it():
    mine = Evidence(
        name="mine", source="s", address="a", population="p", endpoint="os",
        measure="hazard ratio", estimate="0.5", lower="0.25", upper="1.0",
    )  # fmt: skip
    expected = Normal(np.log(0.5), np.log(4) / (2 * norm.ppf(0.975)))
    assert_allclose([*treatment_prior(mine).numbers().values()], [*expected.numbers().values()])
