"""The fewest patients whose removal changes the conclusion, against trying every set."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.conclusion import Aim, Conclusion, threshold_faults, verdict
from bayesurv.estimands.flips import (
    Guesses,
    Removal,
    Search,
    flip_table,
    flips,
    most_removed,
    without_one_more,
    without_pairs,
)
from bayesurv.estimands.influence import each_left_out
from bayesurv.inference.diagnostics import monte_carlo_error
from bayesurv.refitting import refit

PRIORS = bs.Priors(
    median_survival=bs.MedianSurvival(6, 60),
    coefficient=bs.Normal(0, 0.75),
    shape=bs.LogNormal(0, 0.5),
)


@pytest.fixture(scope="module")
def weibull(sampled):
    """A Weibull model of a table, without a compiler."""

    def make(frame, formula="cti2", **columns):
        return sampled(frame, formula, bs.Weibull(), PRIORS, **columns)

    return make


def alike(size=30):
    """Two arms with the same times of death."""
    time = np.repeat(np.linspace(1, 12, size // 2), 2)
    return pd.DataFrame({"cti2": np.arange(size) % 2, "time": time, "event": 1})


def survivors(count, size=30):
    """The same with some more treated patients, numbered from size + 1, who live for long."""
    more = pd.DataFrame({"cti2": 1, "time": 40.0, "event": 0}, index=range(count))
    return pd.concat([alike(size), more], ignore_index=True)


def search(fit, threshold):
    asked = compare_arms(fit, "cti2", None)
    return Search.of(asked, each_left_out(fit), threshold)


def test_one_patient_on_whom_the_conclusion_hangs(weibull):
    frame = survivors(1, 16)
    table = flips(weibull(frame), "cti2", threshold=0.6)
    row = table.iloc[0]
    assert len(table) == 1
    assert (row.direction, row.patients, row.patients_removed) == ("undecided", "17", 1)
    assert row.flips
    assert row.exact
    assert row.prob_benefit < 0.6 - 2 * row.mcse


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::bayesurv.fitting.CohortWarning")
@pytest.mark.parametrize(("count", "threshold"), [(1, 0.6), (2, 0.75), (3, 0.75)])
def test_the_conclusion_is_another_by_nuts_without_the_patients_named(weibull, count, threshold):
    frame = survivors(count, 16)
    row = flips(weibull(frame), "cti2", threshold=threshold).iloc[0]
    assert row.flips
    probability = {}
    for name, left_out in {"all": [], "fewest": [int(n) - 1 for n in row.patients.split()]}.items():
        cohort = bs.Cohort.from_frame(
            frame.drop(index=left_out), time="time", event="event", unit="months"
        )
        fit = bs.fit(cohort, "cti2", priors=PRIORS, seed=4)
        helps = compare_arms(fit, "cti2", None).hazard_ratio < 1
        probability[name] = helps.mean(), monte_carlo_error(helps)
    assert probability["all"][0] > threshold
    value, error = probability["fewest"]
    assert value < threshold
    assert abs(value - row.prob_benefit) < 4 * np.hypot(error, row.mcse)


def test_several_patients_on_whom_it_hangs(weibull):
    """Four who hide one another; those named are no more, though one of them may be another."""
    fit = weibull(survivors(4))
    row = flips(fit, "cti2", threshold=0.8).iloc[0]
    assert row.flips
    assert 1 < row.patients_removed == len(row.patients.split()) <= 4
    assert len({"31", "32", "33", "34"} & set(row.patients.split())) >= row.patients_removed - 1
    chosen = [int(number) - 1 for number in row.patients.split()]
    again = compare_arms(refit(fit, without=chosen), "cti2").hazard_ratio
    assert row.prob_benefit == (again < 1).mean()
    assert row.hazard_ratio == pytest.approx(np.median(again))


def test_a_conclusion_that_no_few_patients_change(weibull):
    frame = survivors(0, 20).assign(time=lambda f: np.where(f["cti2"] == 1, 10, 1) * f["time"])
    row = flips(weibull(frame), "cti2", threshold=0.95).iloc[0]
    assert not row.flips
    assert not row.exact
    assert row.patients_removed == 4
    assert row.direction == "undecided"
    assert row.prob_benefit > 0.95


def test_undecided_is_looked_at_in_both_directions(weibull):
    table = flips(weibull(survivors(2, 20)), "cti2", threshold=0.85)
    assert set(table["direction"]) == {"benefit", "harm"}
    shortest = table.loc[table["flips"], "patients_removed"].min()
    assert (table["patients_removed"] <= shortest).all() or not table["flips"].any()


def test_harm_that_hangs_on_one_patient(weibull):
    fit = weibull(survivors(1, 16).assign(cti2=lambda frame: 1 - frame["cti2"]))
    assert Conclusion.of(compare_arms(fit, "cti2", None).hazard_ratio, 0.75).word == "harm"
    row = flips(fit, "cti2", threshold=0.75).iloc[0]
    assert (row.direction, row.patients) == ("undecided", "17")
    assert row.flips
    assert row.prob_benefit > 0.25 + 2 * row.mcse


# --- Pairs ---


SMALL = 9


@pytest.fixture(scope="module")
def small(weibull):
    treated = np.arange(SMALL) % 2
    time = np.random.default_rng(11).exponential(np.where(treated, 20, 9)).round(1) + 0.1
    return weibull(pd.DataFrame({"cti2": treated, "time": time, "event": 1}))


@pytest.fixture(scope="module")
def brute(small):
    """P(benefit) of a refit without each pair, in the order of the pairs."""
    asked = compare_arms(small, "cti2", None)
    refits = (refit(small, without=pair) for pair in combinations(range(SMALL), 2))
    return np.array([(replace(asked, fit=each).hazard_ratio < 1).mean() for each in refits])


def test_every_pair_by_weights_as_by_refits(small, brute):
    guesses = search(small, 0.95).pairs
    assert [tuple(each) for each in guesses.sets] == list(combinations(range(SMALL), 2))
    np.testing.assert_allclose(guesses.prob_benefit, brute, atol=0.05)
    assert np.sqrt(np.mean((guesses.prob_benefit - brute) ** 2)) < 0.02


@pytest.mark.parametrize(("bound", "sign"), [(1.0, 1), (0.0, -1)])
def test_the_pair_found_is_the_furthest_of_all(small, brute, bound, sign):
    """The bound is out of reach, so that the search ends with the nearest pair."""
    best = search(small, 0.95).fewest(Aim("none", bound, sign), 2)
    assert len(best.patients) == 2
    assert sign * best.conclusion.prob_benefit >= (sign * brute).max() - 0.03


def test_pairs_are_products_of_weights(small):
    asked = compare_arms(small, "cti2", None)
    pointwise = small.draws["log_likelihood"]["time"].to_numpy()
    weight = np.exp(-pointwise[..., 2] - pointwise[..., 7])
    expected = (weight * (asked.hazard_ratio < 1)).sum() / weight.sum()
    pairs = without_pairs(asked, {})
    own = (pairs.sets == (2, 7)).all(axis=1)
    assert pairs.prob_benefit[own] == pytest.approx(expected, rel=1e-9)
    assert not pairs.unsure.any()


def test_pairs_with_a_refitted_patient_come_from_the_refit(small):
    asked = compare_arms(small, "cti2", None)
    alone = {i: replace(asked, fit=refit(small, without=[i])) for i in (1, 4)}
    pairs, weights_only = without_pairs(asked, alone), without_pairs(asked, {})
    touched = np.isin(pairs.sets, (1, 4)).any(axis=1)
    same = pairs.prob_benefit == weights_only.prob_benefit
    assert (same == ~touched).all()
    assert pairs.sets[pairs.unsure].tolist() == [[1, 4]]
    ratio = alone[4].hazard_ratio
    weight = np.exp(-alone[4].fit.draws["log_likelihood"]["time"].to_numpy()[..., 6])
    own = (pairs.sets == (4, 6)).all(axis=1)
    expected = (weight * (ratio < 1)).sum() / weight.sum()
    assert pairs.prob_benefit[own] == pytest.approx(expected, rel=1e-9)


def test_one_more_patient_by_weights_on_the_refit(small):
    found = search(small, 0.95).without([2, 5])
    more = without_one_more(found)
    assert more.sets.tolist() == [[2, 5, i] for i in (0, 1, 3, 4, 6, 7, 8)]
    weight = np.exp(-found.asked.fit.draws["log_likelihood"]["time"].to_numpy()[..., 3])
    helps = found.asked.hazard_ratio < 1
    expected = (weight * helps).sum() / weight.sum()
    assert more.prob_benefit[2] == pytest.approx(expected, rel=1e-9)


def test_sets_are_tried_where_they_reach_the_aim_or_are_unsure():
    sets = np.arange(6)[:, None]
    probability = np.array([0.96, 0.9, 0.99, 0.5, 0.97, 0.98])
    unsure = np.array([False, False, True, True, False, False])
    aim = Aim("benefit", 0.95, 1)
    assert list(Guesses(sets, probability, unsure).promising(aim)) == [[2], [5], [4], [3]]
    assert list(Guesses(sets, probability - 0.5, ~unsure[::-1]).promising(aim))[0] == [2]
    assert list(Guesses(sets, probability - 0.5, unsure & False).promising(aim)) == [[2]]
    down = Aim("harm", 0.05, -1)
    assert list(Guesses(sets, probability, unsure & False).promising(down)) == [[3]]


# --- The search, from what it is told ---


def said(search, told):
    """A search whose refits give stated probabilities by set, and what it asked for."""
    asked = []

    class Told(Search):
        def without(self, patients):
            chosen = tuple(sorted(patients))
            asked.append(chosen)
            conclusion = Conclusion(told.get(chosen, 0.9), 0.005, 1.0, self.threshold)
            return Removal(chosen, self.asked, conclusion)

    return Told(**vars(search)), asked


@pytest.fixture(scope="module")
def found(small):
    return search(small, 0.95)


def guessed(guesses, **values):
    """The guesses with stated ones for some sets, 0.9 for the others, all of them sure."""
    probability = np.full(len(guesses.sets), 0.9)
    for name, value in values.items():
        chosen = [int(i) for i in name[1:].split("_")]
        probability[(guesses.sets == chosen).all(axis=1)] = value
    return Guesses(guesses.sets, probability, np.zeros(len(probability), dtype=bool))


def test_a_single_patient_is_looked_for_before_pairs(found):
    alone = guessed(found.alone, _3=0.96, _6=0.97)
    told, asked = said(replace(found, alone=alone), {(3,): 0.962, (6,): 0.955})
    best = told.fewest(Aim("benefit", 0.95, 1), 4)
    assert asked == [(6,), (3,)]
    assert best.patients == (3,)


def test_a_pair_is_found_where_no_single_patient_suffices(found):
    known = replace(found, alone=guessed(found.alone), pairs=guessed(found.pairs, _2_8=0.97))
    told, asked = said(known, {(2, 8): 0.97})
    assert told.fewest(Aim("benefit", 0.95, 1), 4).patients == (2, 8)
    assert len(asked) == 2


def test_beyond_pairs_one_patient_is_added_at_a_time_up_to_the_most(found):
    known = replace(found, alone=guessed(found.alone), pairs=guessed(found.pairs))
    told, asked = said(known, {})
    best = told.fewest(Aim("benefit", 0.95, 1), 4)
    assert [len(each) for each in asked][:2] == [1, 2]
    assert {len(each) for each in asked} == {1, 2, 3, 4}
    assert all(set(asked[1]) < set(each) for each in asked[2:])
    assert len(best.patients) == 4
    assert not best.reaches(Aim("benefit", 0.95, 1))


@pytest.mark.parametrize(("size", "exact"), [(1, True), (2, True), (3, True), (4, False)])
def test_a_table_says_which_numbers_are_exact(found, size, exact):
    told, _ = said(found, {each: 0.99 for each in combinations(range(SMALL), size)})
    row = flip_table(told, 4).set_index("direction").loc["benefit"]
    assert (row.patients_removed, row.flips, row.exact) == (size, True, exact)
    assert len(row.patients.split()) == size


def test_a_table_without_a_flip_holds_the_nearest_set(found):
    told, _ = said(found, {})
    table = flip_table(told, 4)
    assert not table["flips"].any()
    assert not table["exact"].any()
    assert (table["patients_removed"] == 4).all()


@pytest.mark.parametrize(
    ("probability", "mcse", "reaches"),
    [(0.96, 0.004, True), (0.96, 0.006, False), (0.94, 0, False)],
)
def test_a_probability_within_two_errors_of_its_bound_is_no_flip(small, probability, mcse, reaches):
    asked = compare_arms(small, "cti2", None)
    for value, aim in (
        (probability, Aim("benefit", 0.95, 1)),
        (1 - probability, Aim("harm", 0.05, -1)),
    ):
        removal = Removal((1,), asked, Conclusion(value, mcse, 1.0, 0.95))
        assert removal.reaches(aim) == reaches


def test_a_refit_that_failed_its_checks_is_no_flip(small):
    asked = compare_arms(replace(small, failed=True), "cti2", None)
    removal = Removal((1,), asked, Conclusion(0.99, 0.001, 0.5, 0.95))
    assert not removal.reaches(Aim("benefit", 0.95, 1))


# --- Conclusions ---


@pytest.mark.parametrize(
    ("probability", "word"),
    [(0.95, "benefit"), (0.9499, "undecided"), (0.0501, "undecided"), (0.04, "harm")],
)
def test_what_is_concluded(probability, word):
    assert verdict(probability, 0.95) == word
    assert Conclusion(probability, 0.01, 1.0, 0.95).word == word


@pytest.mark.parametrize(
    ("probability", "aims"),
    [
        (0.97, [Aim("undecided", 0.95, -1)]),
        (0.01, [Aim("undecided", pytest.approx(0.05), 1)]),
        (0.8, [Aim("benefit", 0.95, 1), Aim("harm", pytest.approx(0.05), -1)]),
        (0.2, [Aim("harm", pytest.approx(0.05), -1), Aim("benefit", 0.95, 1)]),
    ],
)
def test_the_nearest_other_conclusion_is_aimed_at_first(probability, aims):
    assert Conclusion(probability, 0.01, 1.0, 0.95).aims() == aims


def test_a_conclusion_close_to_its_threshold():
    assert Conclusion(0.943, 0.004, 1.0, 0.95).close
    assert Conclusion(0.057, 0.004, 1.0, 0.95).close
    assert not Conclusion(0.94, 0.004, 1.0, 0.95).close


@pytest.mark.parametrize(("patients", "most"), [(3, 1), (12, 2), (26, 5), (49, 9), (61, 10)])
def test_at_most_ten_patients_and_a_fifth_are_left_out(patients, most):
    assert most_removed(patients) == most


@pytest.mark.parametrize("threshold", [0.5, 1.0, 95, -0.1, float("nan")])
def test_a_threshold_that_is_none(small, threshold):
    assert len(threshold_faults(threshold)) == 1
    with pytest.raises(bs.InputError, match="above 0.5 and below 1"):
        flips(small, "cti2", threshold=threshold)
