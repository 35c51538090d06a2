"""Every printed P, recomputed: by which test, value by value, and how many a rule gives."""

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayesurv.data.published import wang_2025
from bayesurv.report.published import published_answer, reproduced

ANSWER = published_answer()
P_VALUES = ANSWER.tables["p_values"]
BY_TEST = {
    "sex": "Pearson",
    "diagnosis": "Fisher",
    "stage >= III at onset": "Fisher",
    "IPI >= 3 at onset": "Pearson",
    "bulky disease at onset": "Pearson",
    "TP53 disruption": "Pearson",
    "double hit": "Fisher",
    "bone marrow involved": "Pearson",
    "central nervous system involved": "Fisher",
    "HSCT before CTI1": "Pearson",
    "HSCT bridging CTI1": "Pearson",
    "best response to CTI1": "Pearson",
    "neutropenia, grade III/IV": "Pearson",
    "anaemia, grade III/IV": "Pearson",
    "thrombocytopenia, grade III/IV": "Pearson",
    "hepatotoxicity, grade >= 2": "Fisher",
    "nephrotoxicity, grade >= 2": "Fisher",
    "cardiotoxicity, grade >= 2": "Fisher",
    "neurotoxicity, grade >= 2": "Fisher",
    "infection, grade >= 3": "Fisher",
    "type of infection": "Fisher",
    "death with infection, of deaths": "Fisher",
}
DAY_30 = "response at day 30"
CRS = "cytokine release syndrome"


def given_by(item, source="paper"):
    row = P_VALUES[(P_VALUES["item"] == item) & (P_VALUES["source"] == source)].iloc[0]
    return set(row["reproduced_by"].split("; "))


@pytest.mark.parametrize("item", BY_TEST)
def test_pearson_or_fisher_gives_the_printed_p_and_not_both(item):
    assert given_by(item) & {"Pearson", "Fisher"} == {BY_TEST[item]}


def test_the_two_p_that_neither_gives():
    ranks = {"(N-1) chi-squared", "linear-by-linear", "rank sum", "Barnard"}
    assert given_by(DAY_30) == ranks
    assert given_by(CRS) == {"Fisher mid-P", "exact Pearson"}
    assert given_by(DAY_30, "conference abstract") == {"Fisher", "exact Pearson"}
    assert set(P_VALUES.loc[P_VALUES["printed"].notna(), "item"]) == {*BY_TEST, DAY_30, CRS}


def test_values_of_the_two_p_that_neither_gives():
    found = P_VALUES[P_VALUES["source"] == "paper"].set_index("item")
    tests = ["Pearson", "Yates", "likelihood ratio", "(N-1) chi-squared", "Fisher", "Barnard"]
    assert_allclose(found.loc[DAY_30, tests].astype(float),
                    [0.0128, 0.0323, 0.0114, 0.0136, 0.0171, 0.0137], atol=5e-5)  # fmt: skip
    tests = ["Pearson", "Fisher", "Fisher mid-P", "exact Pearson", "linear-by-linear", "rank sum"]
    assert_allclose(found.loc[CRS, tests].astype(float),
                    [0.8947, 0.9346, 0.9203, 0.9203, 0.6900, 0.7488], atol=5e-5)  # fmt: skip


def test_no_rule_gives_all():
    rules = ANSWER.tables["rules"].set_index("by")
    assert (rules["printed"] == 24).all()
    assert rules["reproduced"].to_dict() == {
        "rule spss": 19,
        "Pearson": 11,
        "Fisher": 11,
        "exact Pearson": 11,
        "rule fisher": 11,
        "rule pearson": 11,
        "likelihood ratio": 7,
        "Yates": 2,
        "(N-1) chi-squared": 1,
        "linear-by-linear": 1,
        "rank sum": 1,
        "Fisher mid-P": 1,
        "Barnard": 1,
        "rule linear-by-linear": 1,
        "Barnard unpooled": 0,
    }
    assert rules.loc[["Yates", "rank sum"], "suits"].tolist() == [20, 22]


def test_where_rule_spss_fails():
    own = P_VALUES[(P_VALUES["source"] == "paper") & P_VALUES["printed"].notna()]
    wrong = own[abs(own["rule spss"] - own["printed"].astype(float)) > 0.0005]
    assert set(wrong["item"]) == {
        "HSCT before CTI1", DAY_30, CRS, "infection, grade >= 3", "death with infection, of deaths",
    }  # fmt: skip


def test_deaths_with_infection_by_what_they_are_shares_of():
    found = P_VALUES.set_index("item")
    deaths = [f"death with infection, of {of}" for of in ("deaths", "patients", "infected")]
    assert_allclose(found.loc[deaths, "Fisher"], [0.0252, 0.0033, 0.0610], atol=5e-5)
    assert_allclose(found.loc["deaths", ["Fisher", "Pearson"]].astype(float), [0.0540, 0.0344],
                    atol=5e-5)  # fmt: skip
    assert "0.025 of deaths, 0.003 of patients, 0.061 of infected" in ANSWER.text()


def test_what_needs_every_patient_is_listed():
    rest = ANSWER.tables["not_recomputed"]
    assert len(rest) == 26
    assert rest["needs"].notna().all()
    assert "age" in set(rest["item"])
    assert "OS by salvage therapy, log-rank" in set(rest["item"])


def test_hazard_ratios_against_their_own_limits():
    salvage, stage = ANSWER.tables["hazard_ratios"].itertuples()
    assert_allclose([salvage.middle, salvage.p], [1.665, 0.115], atol=5e-4)
    assert stage.middle > 1.4 * stage.hazard_ratio


def test_the_answer_in_a_sentence():
    assert ANSWER.sentence == (
        "Of 24 P values that the paper prints beside counts, Fisher's exact test, which its "
        "Methods name, gives 11, Pearson's chi-squared 11, and rule spss most: 19. No single test "
        "or rule gives all. P values that no test here gives: none."
    )
    assert "8 (42%) of 19 and 4 (16%) of 25 patients" in ANSWER.text()
    assert wang_2025().sources["paper"]["doi"] in ANSWER.text()


def test_a_rule_that_gives_all_is_counted_so():
    tests = P_VALUES.drop(columns=["item", "source", "where", "derived", "reproduced_by"])
    one = tests[tests["printed"] == "0.351"]
    counted = reproduced(one).set_index("by")
    assert counted.loc["rule spss", "reproduced"] == counted.loc["rule spss", "printed"] == 1
    assert isinstance(counted, pd.DataFrame)
