"""Risks in two arms and their contrasts, from draws that need no sampler."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from bayesurv.data.design import Design
from bayesurv.data.faults import InputError
from bayesurv.data.outcomes import Outcomes
from bayesurv.estimands.response import (
    classical_odds,
    compare_risks,
    risk_contrasts,
    risk_table,
    two_levels,
)
from bayesurv.estimands.summary import quantiles
from bayesurv.models.distributions import Beta
from bayesurv.models.response import OutcomePriors, OutcomeSpecification
from bayesurv.responding import ResponseFit, prior_of

COUNTS = {"infection": (18, 12), "response": (8, 2), "renal": (1, 0)}  # treated, untreated


def paper():
    """The paper's arms of 27 and 34 with counts of its tables, in an order made up."""
    columns = {n: np.r_[np.arange(27) < a, np.arange(34) < b] for n, (a, b) in COUNTS.items()}
    frame = pd.DataFrame({"cti2": np.repeat([1, 0], [27, 34]), **columns})
    return frame.assign(bulky=np.arange(61) % 3 == 0)


def drawn(formula="cti2 + bulky", names=tuple(COUNTS), harmful=True, frame=None, **priors):
    """A fit whose draws are those of the prior."""
    frame = paper() if frame is None else frame
    covariates = [name for name in frame if name in formula]
    outcomes = Outcomes.from_frame(frame, names, harmful=harmful, covariates=covariates)
    design = Design.from_frame(formula, outcomes.covariates)
    specification = OutcomeSpecification(design, outcomes.names, OutcomePriors(**priors))
    bare = ResponseFit(specification, outcomes, None, pd.DataFrame(), (), {})
    return prior_of(bare, draws=400, seed=7)


def row(table, outcome, quantity):
    [found] = table[(table["outcome"] == outcome) & (table["quantity"] == quantity)].itertuples()
    return found


def test_risks_are_averaged_over_the_patients_inside_each_draw():
    fit = drawn()
    found = compare_risks(fit, "cti2").risks
    parameters, bulky = fit.parameters(), fit.outcomes.covariates["bulky"].to_numpy()
    assert found.shape == (2, 1, 400, 3)
    for arm in (0, 1):
        for k in range(3):
            for draw in (0, 17, 399):
                own = {name: values[0, draw] for name, values in parameters.items()}
                treated, bulk = own["coefficient"].reshape(2, 3)[:, k]
                log_odds = own["intercept"][k] + treated * arm + bulk * bulky
                each = expit(log_odds + own["patient_effect"])
                assert found[arm, 0, draw, k] == pytest.approx(each.mean(), rel=1e-12)


def test_an_interaction_is_averaged_too():
    fit = drawn("cti2 * bulky", names=("infection",))
    found, own = compare_risks(fit, "cti2").risks[1, 0, :, 0], fit.parameters()
    terms = list(fit.design.terms)
    slope = dict(zip(terms, own["coefficient"][0].T, strict=True))
    share = fit.outcomes.covariates["bulky"].mean()
    without = expit(own["intercept"][0, :, 0] + slope["cti2"])
    bulky = expit(own["intercept"][0, :, 0] + sum(slope.values()))
    np.testing.assert_allclose(found, (1 - share) * without + share * bulky, rtol=1e-12)


def test_the_table_has_the_counts_and_quantiles_of_the_draws():
    fit = drawn("cti2", risk=Beta(1, 1))
    asked = compare_risks(fit, "cti2")
    table = risk_table(asked)
    assert list(table["arm"]) == ["cti2 = 0", "cti2 = 1"] * 3
    assert list(zip(table["events"], table["patients"], strict=True)) == [
        (12, 34), (18, 27), (2, 34), (8, 27), (0, 34), (1, 27),
    ]  # fmt: skip
    np.testing.assert_allclose(table["proportion"], table["events"] / table["patients"])
    expected = np.quantile(expit(fit.parameters()["intercept"][0, :, 1]), [0.025, 0.5, 0.975])
    found = table.loc[2, ["lower", "estimate", "upper"]].to_numpy(dtype=float)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("harmful", [True, False])
def test_contrasts_are_those_of_the_risks(harmful):
    asked = compare_risks(drawn(harmful=harmful), "cti2")
    table = risk_contrasts(asked)
    for k, outcome in enumerate(COUNTS):
        first, second = asked.risks[..., k]
        worse = second > first if harmful else second < first
        expected = {
            "risk_difference": second - first,
            "risk_ratio": second / first,
            "odds_ratio": (second / (1 - second)) / (first / (1 - first)),
        }
        for quantity, draws in expected.items():
            found = row(table, outcome, quantity)
            limits = np.quantile(draws, [0.025, 0.5, 0.975])
            np.testing.assert_allclose([found.lower, found.estimate, found.upper], limits)
            assert found.prob_worse == pytest.approx(worse.mean())
            assert 0 < found.mcse < 0.1


@pytest.mark.parametrize("harmful", [True, False])
def test_a_number_is_needed_only_where_there_is_a_gain_or_a_loss(harmful):
    asked = compare_risks(drawn(harmful=harmful), "cti2")
    table = risk_contrasts(asked)
    difference, worse = np.diff(asked.risks, axis=0)[0, 0, :, 0], asked.worse[0, :, 0]
    for quantity, helped in (("treat", ~worse), ("harm", worse)):
        needed = np.full(400, np.inf)
        needed[helped] = 1 / np.abs(difference[helped])
        found = row(table, "infection", f"number_needed_to_{quantity}")
        expected = quantiles(needed)
        assert expected[2] == np.inf
        np.testing.assert_allclose([found.lower, found.estimate, found.upper], expected)


def test_worse_is_the_other_way_round_for_a_good_outcome():
    bad, good = (risk_contrasts(compare_risks(drawn(harmful=h), "cti2")) for h in (True, False))
    np.testing.assert_allclose(bad["prob_worse"] + good["prob_worse"], 1)


def test_fisher_is_that_of_the_counts():
    """Those of R's fisher.test."""
    table = risk_contrasts(compare_risks(drawn(), "cti2"))
    found = table.drop_duplicates("outcome").set_index("outcome")["fisher_p"]
    assert found.round(4).to_dict() == {"infection": 0.0209, "response": 0.0171, "renal": 0.4426}


def test_patients_whose_outcome_is_not_known_are_not_counted():
    frame = paper().astype(object)
    frame.loc[[0, 30], "infection"] = None
    fit = drawn(names=("infection",), formula="cti2", frame=frame)
    table = risk_table(compare_risks(fit, "cti2"))
    assert list(zip(table["events"], table["patients"], strict=True)) == [(12 - 1, 33), (17, 26)]


def test_the_first_level_of_a_category_is_the_arm_without_the_treatment():
    frame = paper()
    frame["arm"] = pd.Categorical(frame["cti2"].map({0: "usual", 1: "again"}), ["usual", "again"])
    named, coded = (drawn(t, frame=frame) for t in ("arm", "cti2"))
    one, two = compare_risks(named, "arm"), compare_risks(coded, "cti2")
    assert one.names == ("arm = usual", "arm = again")
    np.testing.assert_array_equal(one.counts, two.counts)


def test_logistic_regression_beside_it_and_firth_where_it_has_no_estimate():
    frame = paper().assign(never=0)
    table = classical_odds(compare_risks(drawn("cti2", (*COUNTS, "never"), frame=frame), "cti2"))
    plain = [("infection", "logistic"), ("response", "logistic"), ("renal", "logistic")]
    found = list(zip(table["outcome"], table["method"], strict=True))
    assert found == [*plain, ("renal", "logistic-firth")]
    sample = [(18 / 9) / (12 / 22), (8 / 19) / (2 / 32), np.inf]
    np.testing.assert_allclose(table["odds_ratio"][:3], sample, rtol=1e-6)
    # Firth's estimate of two arms adds half a patient to every cell.
    assert table["odds_ratio"][3] == pytest.approx((1.5 / 26.5) / (0.5 / 34.5), rel=1e-6)
    assert (table["lower"] < table["odds_ratio"]).all()
    assert list(table["upper"] == np.inf) == [False, False, True, False]
    assert table["p"].between(0.001, 0.5).all()


@pytest.mark.parametrize(
    ("treatment", "message"),
    [("cti3", 'not in the formula. Did you mean "cti2"?'), ("stage", "has 3 levels"),
     ("age", "has 61 levels")],
)  # fmt: skip
def test_a_treatment_has_two_levels(treatment, message):
    frame = paper().assign(stage=pd.Categorical(["I", "II", "III"] * 20 + ["I"]), age=range(61))
    with pytest.raises(InputError) as caught:
        two_levels(frame, treatment)
    assert message in str(caught.value)
