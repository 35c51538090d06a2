"""Classical analysis of every member: what is asked, what is printed, and lifelines beside it."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.statistics import logrank_test

from bayesurv.data.published.ensemble import MEMBERS, shipped_ensemble
from bayesurv.data.reconstruct.summary import read_summary
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.members import (
    LOG_RANK,
    MULTIVARIABLE,
    UNIVARIABLE,
    Analysis,
    analyses,
    member_results,
    printed_result,
)

OS = ("stage", "bulky", "hsct_bridging", "cti1_response", "cti2")


@pytest.fixture(scope="module")
def summary():
    return read_summary("cti2")


@pytest.fixture(scope="module")
def cohorts():
    table = shipped_ensemble()
    return [rows for _, rows in table[table["member"] < 4].groupby("member")]


def coded(patients):
    scores = {"CR": 0, "PR": 1, "NR": 2}
    return patients.assign(
        cti1_response=patients["cti1_response"].map(scores), stage=patients["stage"] - 1
    )


def test_the_shipped_ensemble_is_of_the_papers_patients():
    table = shipped_ensemble()
    assert table["synthetic"].all()
    arms = table.groupby("member")["cti2"].agg(["sum", "size"])
    assert (arms["sum"] == 27).all()
    assert (arms["size"] == 61).all()
    assert list(arms.index) == list(range(len(arms)))
    assert len(arms) == MEMBERS


def test_what_is_asked(summary):
    asked = analyses(summary, "stage", "stage=3|4")
    kinds = [(each.endpoint, each.kind, each.terms, each.firth) for each in asked]
    assert len(set(kinds)) == len(kinds)
    assert kinds.count(("os", MULTIVARIABLE, OS, False)) == 1
    cut = ("stage=3|4", *OS[1:])
    assert [("os", MULTIVARIABLE, cut, firth) in kinds for firth in (False, True)] == [True, True]
    assert ("pfs", MULTIVARIABLE, ("bulky", "cti2"), False) in kinds
    assert sum(kind == LOG_RANK for _, kind, _, _ in kinds) == 3
    assert sum(kind == UNIVARIABLE for _, kind, _, _ in kinds) == 3 * (5 + 2)


@pytest.mark.parametrize(
    ("analysis", "term", "p", "ratio"),
    [
        (Analysis("efs", LOG_RANK, ("cti2",)), "cti2", "0.007", None),
        (Analysis("os", MULTIVARIABLE, OS), "cti2", "0.115", "1.665"),
        (Analysis("os", MULTIVARIABLE, OS), "stage", "0.029", "1.970"),
        (Analysis("os", MULTIVARIABLE, ("stage=3|4", *OS[1:])), "stage=3|4", "0.029", "1.970"),
        (Analysis("os", UNIVARIABLE, ("bulky",)), "bulky", "0.001", None),
    ],
)
def test_what_is_printed(summary, analysis, term, p, ratio):
    target = printed_result(summary, analysis, term)
    assert (target.p, target.ratio) == (p, ratio)


def test_nothing_is_printed_of_other_models(summary):
    assert printed_result(summary, Analysis("os", UNIVARIABLE, ("age",)), "age") is None
    assert (
        printed_result(summary, Analysis("pfs", MULTIVARIABLE, ("bulky", "cti2")), "cti2") is None
    )


def test_log_rank_is_that_of_lifelines(summary, cohorts):
    for endpoint in ("os", "pfs", "efs"):
        found = member_results(summary, cohorts, [Analysis(endpoint, LOG_RANK, ("cti2",))])
        for member, patients in enumerate(cohorts):
            treated = patients["cti2"] == 1
            time, event = patients[f"{endpoint}_months"], patients[f"{endpoint}_event"]
            beside = logrank_test(time[treated], time[~treated], event[treated], event[~treated])
            own = found.loc[found["member"] == member, "p"]
            assert own.tolist() == pytest.approx([beside.p_value])


def test_cox_is_near_lifelines(summary, cohorts):
    """Lifelines knows Efron's ties alone, and there are few."""
    found = member_results(summary, cohorts, [Analysis("os", MULTIVARIABLE, OS)])
    for member, patients in enumerate(cohorts):
        table = coded(patients)[["os_months", "os_event", *OS]]
        beside = CoxPHFitter().fit(table, "os_months", "os_event").summary.loc[list(OS)]
        own = found[found["member"] == member]
        np.testing.assert_allclose(own["hazard_ratio"], beside["exp(coef)"], rtol=0.02)
        np.testing.assert_allclose(own["upper"], beside["exp(coef) upper 95%"], rtol=0.04)


def test_every_member_has_the_log_rank_p_that_is_printed(summary, cohorts):
    for endpoint, printed in {"os": 0.048, "pfs": 0.057, "efs": 0.007}.items():
        found = member_results(summary, cohorts, [Analysis(endpoint, LOG_RANK, ("cti2",))])
        assert (abs(found["p"] - printed) <= 0.0005).all()


def test_an_infinite_estimate_has_no_p_and_firths_has(summary, cohorts):
    """The four patients below stage III live: nothing bounds the hazard of the others."""
    patients = cohorts[0].copy()
    low = (patients["stage"] < 3).to_numpy()
    dead = patients["os_event"].to_numpy() > 0
    patients.loc[low, "os_event"] = 0
    patients["os_event"] = patients["os_event"].where(~low, 0)
    asked = [Analysis("os", UNIVARIABLE, ("stage=3|4",), firth) for firth in (False, True)]
    plain, firth = member_results(summary, [patients], asked).to_dict("records")
    assert dead.any()
    assert (plain["infinite"], firth["infinite"]) == (True, False)
    assert np.isnan([plain["p"], plain["hazard_ratio"]]).all()
    high = (~low)[:, None].astype(float)
    times = patients["os_months"], patients["os_event"]
    fit = cox(*times, high, ["high"], ties="breslow", firth=True)
    assert firth["p"] == pytest.approx(fit.p("likelihood-ratio")[0])
    assert firth["hazard_ratio"] == pytest.approx(np.exp(fit.coefficient[0]))


def test_results_are_a_row_for_each_term(summary, cohorts):
    asked = [Analysis("os", MULTIVARIABLE, OS), Analysis("os", LOG_RANK, ("cti2",))]
    found = member_results(summary, cohorts, asked)
    assert len(found) == len(cohorts) * (len(OS) + 1)
    assert pd.Series(found["term"][: len(OS)]).tolist() == list(OS)
