"""Verdicts: numbers recomputed by other means, and every check can come out otherwise."""

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import median_survival_times
from numpy.testing import assert_allclose
from scipy import stats

from bayesurv.data.faults import InputError
from bayesurv.data.published import Counts, wang_2025
from bayesurv.data.published.ensemble import shipped_ensemble
from bayesurv.data.published.statements import statements
from bayesurv.data.reconstruct.statistics import cox, log_rank_z
from bayesurv.data.reconstruct.summary import read_summary
from bayesurv.frequentist.counts_of_p import counts_of_p, joint_counts
from bayesurv.report.verdict_material import VERDICTS, Material
from bayesurv.report.verdicts import CHECKS, MATTER, sentence, verdicts, verdicts_answer

PAPER = wang_2025()
SUMMARY = read_summary("cti2")
EVERY = shipped_ensemble()
COHORTS = EVERY[EVERY["member"] < 6]
MEMBERS = tuple(rows.reset_index(drop=True) for _, rows in COHORTS.groupby("member"))
MATERIAL = Material(PAPER, SUMMARY, MEMBERS)
TABLE = verdicts(COHORTS)
BY_CHECK = {each.check: each for each in reversed(statements())}


def found(check, material=MATERIAL, **given):
    """What a check finds for the first statement that it judges, or for what is given."""
    return CHECKS[check](material, {**BY_CHECK[check].given, **given})


def row(words):
    return TABLE[TABLE["statement"].str.contains(words, regex=False)].iloc[0]


def with_item(kind: str, name: str, **changed) -> Material:
    """Material with one printed item changed."""
    items = tuple(
        replace(item, **changed) if item.name == name else item for item in getattr(PAPER, kind)
    )
    return Material(replace(PAPER, **{kind: items}), SUMMARY, MEMBERS)


def with_members(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Material:
    return Material(PAPER, SUMMARY, tuple(change(patients.copy()) for patients in MEMBERS))


def limits_after(words, text):
    """Both numbers of "0.051 to 0.053" after some words."""
    return [float(number) for number in re.findall(r"[\d.]*\d", text.partition(words)[2])[:2]]


def os_of(patients, arm=None):
    rows = patients if arm is None else patients[patients["cti2"] == (arm == "CTI2")]
    return rows["os_months"].to_numpy(), rows["os_event"].to_numpy(dtype=bool)


# --- The table as a whole ---


def test_every_statement_has_a_verdict_and_its_evidence():
    assert list(TABLE["id"]) == [each.id for each in statements()]
    assert set(TABLE["verdict"]) == set(VERDICTS)
    for column in ("statement", "where", "source", "printed", "evidence"):
        assert (TABLE[column].str.strip() != "").all()
    assert not TABLE["evidence"].str.contains(r"\bnan\b|\binf\b|= None").any()
    assert {each.check for each in statements()} == set(CHECKS)


def test_what_can_be_computed_is_shown_with_its_number():
    silent = TABLE[TABLE["found"] == ""]
    assert set(silent["verdict"]) == {"not reproducible"}
    assert silent["evidence"].str.startswith("Not printed").all()


def test_counts_of_the_sentence_and_what_is_told():
    said = sentence(TABLE)
    for verdict, count in TABLE["verdict"].value_counts().items():
        assert f"{count} {verdict} (" in said
    told = verdicts_answer(COHORTS).text()
    assert f"Of 6 reconstructed cohorts, {MATERIAL.n} keep every hard aggregate" in told
    assert all(each.id in told for each in statements() if each.check in MATTER)
    contradicted = TABLE.loc[TABLE["verdict"] == "contradicted", "id"]
    assert len(contradicted) > 10
    assert all(f"{name}, " in told for name in contradicted)
    assert "compatible with guaranteed time" in told


def test_cohorts_that_break_a_hard_aggregate_are_not_counted():
    def earlier(patients):
        return patients.assign(os_months=patients["os_months"].where(patients["member"] > 0, 1.0))

    kept = with_members(earlier)
    assert 0 in MATERIAL.sound
    assert set(kept.sound) == set(MATERIAL.sound) - {0}
    revived = with_members(lambda patients: patients.assign(os_event=0))
    assert revived.sound == ()
    with pytest.raises(InputError, match="no cohort of this ensemble keeps all the hard"):
        verdicts(COHORTS.assign(os_event=0))


# --- P beside counts ---

PEARSON = {
    "sex": "0.624", "IPI >= 3 at onset": "0.351", "TP53 disruption": "0.084",
    "HSCT before CTI1": "0.930", "best response to CTI1": "0.794",
    "neutropenia, grade III/IV": "0.266",
}  # fmt: skip
FISHER = {
    "stage >= III at onset": "0.313", "double hit": "0.066", "hepatotoxicity, grade >= 2": "0.647",
    "infection, grade >= 3": "0.021", "death with infection, of deaths": "0.025",
}  # fmt: skip


@pytest.mark.parametrize("item", [*PEARSON, *FISHER])
def test_p_of_counts_by_scipy(item):
    table = PAPER.named(item).table
    by, p = (
        ("Pearson", stats.chi2_contingency(table, correction=False).pvalue)
        if item in PEARSON
        else ("Fisher", stats.fisher_exact(table).pvalue)
    )
    printed = (PEARSON | FISHER)[item]
    assert f"{p:.3f}" == printed
    own = found("p_of_counts", items=[item])
    assert own.verdict == "reproduced"
    assert own.found == f"{item}: {printed} by {by}"


def test_day_30_by_closed_forms():
    table = PAPER.named("response at day 30").table
    squared = stats.chi2_contingency(table, correction=False).statistic
    p = stats.chi2.sf(squared * 60 / 61, 1)
    assert f"{p:.4f}" == "0.0136"
    assert f"(N-1) chi-squared {p:.4f}" in row("At day 30 more responded")["evidence"]
    assert row("At day 30 more responded")["verdict"] == "reproduced"
    assert row("The same comparison has P = 0.017")["found"].endswith("0.017 by Fisher")
    assert row("has one P")["verdict"] == "contradicted"


def test_another_count_or_p_is_not_reproduced():
    changed = with_item("counts", "sex", counts=((16, 21), (11, 13)))
    assert found("p_of_counts", changed, items=["sex"]).verdict == "not reproducible"
    changed = with_item("counts", "sex", p="0.625")
    assert found("p_of_counts", changed, items=["sex"]).verdict == "not reproducible"
    assert "none gives sex" in found("p_of_counts", changed, items=["sex"]).evidence
    assert found("two_p", with_item("counts", "response at day 30", p="0.017")).verdict == (
        "reproduced"
    )


def test_a_stated_test_that_gives_all_is_not_contradicted():
    assert found("stated_test").verdict == "contradicted"
    fisher = tuple(
        replace(item, p=f"{stats.fisher_exact(item.table).pvalue:.3f}")
        if item.p and item.table.shape == (2, 2)
        else replace(item, p=None)
        for item in PAPER.counts
    )
    kept = Material(replace(PAPER, counts=fisher), SUMMARY, MEMBERS)
    assert found("stated_test", kept).verdict == "reproduced"


def test_standardised_differences_by_their_formula():
    assert row("Baseline characteristics did not differ")["verdict"] == "reproduced"
    first, second = 1 / 27, 7 / 34
    spread = (first * (1 - first) + second * (1 - second)) / 2
    evidence = row("Baseline characteristics did not differ")["evidence"]
    assert f"double hit {(second - first) / spread**0.5:.2f} (more with non-CTI2)" in evidence
    assert found("not_significant", with_item("counts", "double hit", p="0.049")).verdict == (
        "contradicted"
    )


# --- Counts, ranges and words ---


@pytest.mark.parametrize(
    ("check", "kind", "name", "changed", "verdict"),
    [
        ("patient_flow", "counts", "failure of CTI1", {"counts": ((15, 20), (12, 14))},
         "contradicted"),
        ("refractory_by_response", "counts", "failure of CTI1", {"counts": ((15, 20), (12, 14))},
         "contradicted"),
        ("youngest", "medians", "age", {"lower": (25, 18)}, "reproduced"),
        ("none_died", "counts", "death with infection, of deaths", {"counts": ((0, 0),)},
         "reproduced"),
        ("share_of_deaths", "counts", "death with infection, of deaths", {"of": (27, 34)},
         "reproduced"),
        ("seldom", "counts", "infection, grade >= 3", {"counts": ((2, 1),)}, "contradicted"),
        ("percentages", "counts", "response to polatuzumab vedotin with BR", {"percent": (66,)},
         "contradicted"),
        ("printed_in", "counts", "infection, grade >= 3", {"where": ("Table 3, x",)},
         "contradicted"),
        ("none_below", "p_values", "OS by salvage therapy, log-rank", {"p": "0.480"},
         "contradicted"),
        ("centred", "hazard_ratios", "survival by stage", {"lower": 0.971}, "consistent"),
        ("hazard_ratio_held", "hazard_ratios", "survival by salvage therapy", {"lower": 0.783},
         "contradicted"),
        ("absence", "hazard_ratios", "survival by salvage therapy", {"lower": 1.1}, "consistent"),
        ("binary_factor", "p_values", "OS by stage, Cox, multivariable", {"p": "0.040"},
         "not reproducible"),
        ("median_limit", "medians", "overall survival", {"lower": (4.6,)}, "not reproducible"),
        ("best_responders", "p_values", "best overall response by bulky disease, not stated",
         {"p": "0.018"}, "contradicted"),
        ("breakdown", "p_values", "best overall response by best response to CTI1, not stated",
         {"p": "0.060"}, "contradicted"),
    ],
)  # fmt: skip
def test_a_verdict_follows_the_printed_number(check, kind, name, changed, verdict):
    material = with_item(kind, name, **changed)
    assert found(check, material).verdict == verdict
    assert found(check, material) != found(check)


def test_checks_of_two_numbers_need_both():
    assert found("none_below").verdict == "contradicted"
    both = replace(
        PAPER, p_values=tuple(replace(item, p="0.480") for item in PAPER.p_values)
    )  # fmt: skip
    assert found("none_below", Material(both, SUMMARY, MEMBERS)).verdict == "reproduced"
    few = tuple(
        replace(item, counts=((2, 1),)) if isinstance(item, Counts) and len(item.counts) == 1 and
        len(item.groups) == 2 else item for item in PAPER.counts
    )  # fmt: skip
    seldom = Material(replace(PAPER, counts=few), SUMMARY, MEMBERS)
    assert found("seldom", seldom).verdict == "not reproducible"


def test_exact_interval_of_two_in_three():
    lower, upper = stats.beta.ppf(0.025, 2, 2), stats.beta.ppf(0.975, 3, 1)
    assert row("PV+BR was surprisingly")["found"] == (
        f"exact 95% CI {100 * lower:.0f}% to {100 * upper:.0f}%"
    )
    assert "at least 1 of them came later" in row("PV+BR was surprisingly")["evidence"]


def test_deaths_with_infection_of_patients():
    evidence = row("the infection-related mortality")["evidence"]
    assert "13/27 v 4/34 of patients, P 0.003" in evidence
    assert stats.fisher_exact([[13, 4], [14, 30]]).pvalue == pytest.approx(0.003, abs=5e-4)
    assert row("Nobody died of treatment")["found"] == "13 in CTI2, 4 in non-CTI2"


# --- Ratios and the interval of the median ---


def test_a_ratio_by_its_limits():
    assert row("hazard ratio of stage is")["found"] == f"middle {(1.944 * 3.997) ** 0.5:.3f}"
    evidence = row("adjusted hazard ratio of salvage")["evidence"]
    error = np.log(3.141 / 0.883) / (2 * 1.959964)
    assert f"standard error of {error:.3f} and P = 0.115" in evidence


def test_no_factor_of_two_levels_has_a_smaller_standard_error_than_the_events_allow():
    evidence = row("Stage, as Table 1 has it")["evidence"]
    assert f"{2 / 41**0.5:.4f} at least" in evidence
    needed = np.log(1.9705) / stats.norm.isf(0.0295 / 2)
    assert f"needs a standard error of {needed:.4f} at most" in evidence
    assert needed < 2 / 41**0.5
    random = np.random.default_rng(41)
    for _ in range(200):
        time, factor = random.exponential(size=61), (random.random(61) < 0.5).astype(float)
        event = np.isin(np.arange(61), random.choice(61, 41, replace=False))
        columns = np.vstack([factor, random.normal(size=61)])
        _, error = cox(time, event, np.argsort(time), columns, np.zeros(2))
        assert error[0] > 2 / 41**0.5


def test_lower_end_of_survival_after_thirteen_exits_whatever_their_order():
    evidence = row("95% confidence interval of that median")["evidence"]
    least = float(evidence.partition("of its 95% interval there ")[2].split()[0])
    random = np.random.default_rng(13)
    ends = []
    for _ in range(100):
        exits = random.random(13) < random.random()
        time = np.append(np.arange(1.0, 14.0), np.full(48, 20.0))
        fitted = KaplanMeierFitter().fit(time, np.append(exits, np.zeros(48)))
        ends.append(fitted.confidence_interval_.iloc[-1, 0])
    assert least <= min(ends)
    assert 0.5 < least < min(ends) + 0.05
    assert "at most 13 of 61 left before 3 months" in evidence
    assert f"survival was {48 / 61:.3f} or more" in evidence


def test_limits_of_the_median_in_cohorts_by_lifelines():
    limits = []
    for member in MATERIAL.sound:
        fitted = KaplanMeierFitter().fit(*os_of(MEMBERS[member]))
        limits.append(median_survival_times(fitted.confidence_interval_).iloc[0, 0])
    evidence = row("95% confidence interval of that median")["evidence"]
    assert f"log-log {min(limits):.3g} to {max(limits):.3g}" in evidence
    assert "at 2.5 in 0" in evidence


# --- Reconstructed cohorts ---


def test_log_rank_p_of_cohorts_by_lifelines():
    inside = 0
    for member in MATERIAL.sound:
        treated, others = (os_of(MEMBERS[member], arm) for arm in PAPER.arms)
        p = logrank_test(treated[0], others[0], treated[1], others[1]).p_value
        inside += 0.0475 <= p <= 0.0485
    results = MATERIAL.of_target("OS by salvage, log-rank")
    assert inside == (results["residual"] == 0).sum() == MATERIAL.n > 3
    assert row("log-rank P")["verdict"] == "consistent"
    assert "target of the search" in row("log-rank P")["evidence"]


def test_score_and_wald_by_the_compiled_functions():
    wald, score = [], []
    for member in MATERIAL.sound:
        patients = MEMBERS[member]
        time, event = os_of(patients)
        order, group = np.argsort(time), patients["cti2"].to_numpy(dtype=float)
        beta, error = cox(time, event, order, group[None], np.zeros(1))
        wald.append(2 * stats.norm.sf(abs(beta[0] / error[0])))
        score.append(2 * stats.norm.sf(abs(log_rank_z(time, event, order, group))))
    evidence = found("score_test").evidence
    assert f"by Wald's test ({min(wald):.4f} to {max(wald):.4f})" in evidence
    assert sum(abs(p - 0.048) > 5e-4 for p in wald) == MATERIAL.n
    low, high = limits_after("log-rank test (", evidence)
    # The two are one test but for tied times, of which each has its own variance.
    assert_allclose([low, high], [min(score), max(score)], atol=6e-4)


def test_follow_up_by_reverse_kaplan_meier():
    medians = []
    for member in MATERIAL.sound:
        time, event = os_of(MEMBERS[member], "CTI2")
        # lifelines knows no reverse estimate: deaths leave before those last seen at their time.
        medians.append(KaplanMeierFitter().fit(time + 1e-6 * ~event, ~event).median_survival_time_)
    said = found("follow_up")
    assert said.verdict == "consistent"
    known = [median for median in medians if np.isfinite(median)]
    assert_allclose(limits_after("CTI2 ", said.found), [min(known), max(known)], rtol=0.01)
    lacking = len(medians) - len(known)
    assert f"(not reached in {lacking})" in said.found if lacking else "reached" not in said.found
    assert min(medians) > 4.7


def test_guaranteed_time_by_its_formula():
    chances = []
    for member in MATERIAL.sound:
        time, event = os_of(MEMBERS[member], "non-CTI2")
        assert time.min() == 3.0
        late = event & (time > 3) & (time <= 12)
        exposure = (np.minimum(time, 12) - 3).sum()
        chances.append((exposure / (exposure + 34 * 3)) ** (late.sum() + 0.5))
    said = found("guaranteed")
    assert said.verdict == "not reproducible"
    assert f"below 0.01 in {sum(p < 0.01 for p in chances)}" in said.evidence
    assert sum(p < 0.01 for p in chances) == MATERIAL.n


def test_no_exit_that_is_probable_is_not_told_so():
    calm = with_members(
        lambda patients: patients.assign(
            os_event=patients["os_event"].where(patients["cti2"] == 1, 0)
        )
    )
    object.__setattr__(calm, "sound", tuple(range(len(MEMBERS))))
    assert "below 0.01 in 0" in found("guaranteed", calm).evidence


def test_a_cohort_that_does_not_have_it_is_not_counted():
    stage = MEMBERS[MATERIAL.sound[0]]["member"].iloc[0]
    reversed_ages = with_members(
        lambda patients: patients.assign(age=patients["age"].where(patients["member"] != stage, 40))
    )
    words = "age by salvage, rank sum"
    before, after = (
        found("targets", material, targets=[words]) for material in (MATERIAL, reversed_ages)
    )
    met = (MATERIAL.of_target(words)["residual"] == 0).sum()
    assert f"{met} have it" in before.evidence
    assert f"{met - 1} have it" in after.evidence
    none = with_members(lambda patients: patients.assign(age=40))
    assert found("targets", none, targets=[words]).verdict == "not reproducible"


def test_entered_and_within_the_arm_by_scipy():
    above = 0
    for member in MATERIAL.sound:
        treated = MEMBERS[member].query("cti2 == 1")
        table = pd.crosstab(treated["best_response"] != "none", treated["failure"])
        above += stats.fisher_exact(table).pvalue > 0.05
    assert f"P above 0.05 in {above} of {MATERIAL.n}" in found("within_arm").evidence
    inside = 0
    for member in MATERIAL.sound:
        patients = MEMBERS[member]
        time, event = (patients[f"efs_{what}"].to_numpy() for what in ("months", "event"))
        score = patients["cti1_response"].map({"CR": 0.0, "PR": 1.0, "NR": 2.0}).to_numpy()
        beta, error = cox(time, event == 1, np.argsort(time), score[None], np.zeros(1))
        inside += 0.05 < 2 * stats.norm.sf(abs(beta[0] / error[0])) <= 0.10
    assert f"in {inside} of {MATERIAL.n}" in found("entered").evidence


# --- Best response, told from two P ---


def spss(table):
    """Pearson's P, or Fisher's where fewer than 5 are expected, by scipy alone."""
    table = np.asarray(table)
    table = table[table.any(axis=1)]
    if len(table) < 2:
        return 1.0
    pearson = stats.chi2_contingency(table, correction=False)
    least = pearson.expected_freq.min()
    return pearson.pvalue if least >= 5 else stats.fisher_exact(table).pvalue


def prints(counts, sizes, p):
    return abs(spss([counts, np.subtract(sizes, counts)]) - p) <= 0.0005 + 1e-9


def test_one_pair_of_tables_gives_both_p_with_fewer_responders_among_the_bulky():
    by_arm = [a for a in product(range(28), range(35)) if prints(a, (27, 34), 0.279)]
    by_bulky = [b for b in product(range(13), range(50)) if prints(b, (12, 49), 0.019)]
    pairs = [(a, b) for a in by_arm for b in by_bulky if sum(a) == sum(b)]
    assert sorted(pairs) == [((9, 16), (1, 24)), ((18, 18), (11, 25))]
    assert joint_counts((27, 34), "0.279", (12, 49), "0.019") == sorted(pairs)
    fewer = [(a, b) for a, b in pairs if b[0] / 12 < b[1] / 49]
    assert fewer == [((9, 16), (1, 24))]
    said = row("Best response differs by bulky disease")
    assert said["found"] == "9/27 and 16/34 by arm, 1/12 with and 24/49 without bulky disease"
    assert (MATERIAL.of_target("best response by salvage")["residual"] == 0).all()


def test_breakdowns_by_response_to_the_first_infusion():
    sizes = (16, 18, 27)
    by_scipy = [
        (a, b, 25 - a - b)
        for a, b in product(range(17), range(19))
        if 0 <= 25 - a - b <= 27
        and abs(stats.chi2_contingency([[a, b, 25 - a - b],
                [16 - a, 18 - b, 2 + a + b]]).pvalue - 0.006) <= 0.0005 + 1e-9
    ]  # fmt: skip
    assert list(counts_of_p(sizes, "0.006", total=25)) == by_scipy
    assert len(by_scipy) == 6
    said = row("Best response is better the better")
    assert said["found"] == "10/16, 10/18, 5/27"
    falling = [c for c in by_scipy if c[0] / 16 > c[1] / 18 > c[2] / 27]
    assert falling == [(10, 10, 5)]


def test_a_few_of_the_arm_against_its_rest():
    p = stats.fisher_exact([[3, 13], [0, 18]]).pvalue
    assert row("PV+BR probably has")["found"] == f"3/3 v 13/31, P {p:.3f}"
