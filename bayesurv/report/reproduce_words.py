"""The paper reproduced, in words that claim no more than the numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from bayesurv.frequentist.members import LOG_RANK, MULTIVARIABLE
from bayesurv.plots.style import duration, limits, number, p_value, percent, probability
from bayesurv.report.reproduce_classical import ORDINAL_NAME as ORDINAL
from bayesurv.report.reproduce_index import BASELINES, ORDER, PUT_BACK, interval, ratio_rows
from bayesurv.report.reproduce_input import Members

TOPICS = (
    "headline", "endpoints", "classical", "time zero", "selection", "external", "responses",
    "verdicts", "members",
)  # fmt: skip
"""What each paragraph of the answer is about, in their order."""


def answer_sentences(
    members: Members, tables: Mapping[str, pd.DataFrame], verdicts: str
) -> Iterator[str]:
    """The headline, and then what it depends on, each a paragraph."""
    yield _headline(members, tables)
    yield _other_endpoints(tables)
    yield _classical(tables["classical"])
    yield _time_zero(tables)
    yield _selection(tables["selection"])
    yield _external(tables["external"])
    yield _responses(tables["responses"])
    yield verdicts
    yield (
        "The members are synthetic: cohorts consistent with what the paper and its abstract print, "
        "none of them the patients. What the print does not settle differs between them, and that "
        "is counted as uncertainty; what a wrong reading of the print would change is not. CTI2 "
        "was given to those with a product, no antigen loss and time to wait for it, so every "
        "difference here is an association."
    )


def _headline(members: Members, tables: Mapping[str, pd.DataFrame]) -> str:
    own = [
        row for row in ratio_rows(tables) if row["endpoint"] == "os" and row["model"] == "adjusted"
    ]
    said = [
        f"{number(row['estimate'])} ({BASELINES[row['baseline']]}; 95% CrI "
        f"{limits(number(row['lower']), number(row['upper']))}; posterior probability that CTI2 "
        f"had the lower hazard {probability(row['probability_of_benefit'])})"
        for row in own
    ]
    most = max(row["share_between"] for row in own)
    ends = f"{number(own[0]['member_low'])} to {number(own[0]['member_high'])}"
    return (
        f"Overall survival, 27 patients with CTI2 and 34 with other salvage, {members.count} "
        f"synthetic cohorts pooled: adjusted hazard ratio of death {' and '.join(said)}. "
        f"Adjusted for bulky disease, stage and response to CTI1, the other regimens partially "
        f"pooled. Of the variance of its logarithm {percent(most)} or less is missing data; "
        f"medians of single members run from {ends}. {_difference(tables['variance'])}"
    )


def _difference(variance: pd.DataFrame) -> str:
    own = variance[(variance["endpoint"] == "os") & (variance["model"] == "adjusted")]
    rmst = own[own["quantity"] == "rmst difference"].iloc[0]
    alive = own[own["quantity"] == "survival difference"].iloc[0]
    at = duration(rmst["horizon"], "months")
    points = [f"{100 * alive[name]:.0f}" for name in ("estimate", "lower", "upper")]
    return (
        f"With CTI2, mean survival up to {at} differed by {rmst['estimate']:.1f} months (95% CrI "
        f"{limits(f'{rmst["lower"]:.1f}', f'{rmst["upper"]:.1f}')}), and survival at "
        f"{duration(alive['horizon'], 'months')} by {points[0]} percentage points (95% CrI "
        f"{limits(points[1], points[2])})."
    )


def _other_endpoints(tables: Mapping[str, pd.DataFrame]) -> str:
    rows = [r for r in ratio_rows(tables) if r["endpoint"] != "os" and r["baseline"] == "weibull"]
    said = [
        f"{ORDER[row['endpoint']]} {interval(row, 'estimate')}, probability of a lower hazard "
        f"{probability(row['probability_of_benefit'])}"
        for row in rows
    ]
    return (
        f"Adjusted hazard ratio of the other endpoints (Weibull, 95% CrI): {'; '.join(said)}. How "
        "many events of EFS and PFS there were is not printed, nor what counts as one; see "
        "variance.csv."
    )


def _classical(table: pd.DataFrame) -> str:
    log_rank = table[table["analysis"] == LOG_RANK].set_index("endpoint")
    same = [
        f"{ORDER[str(name)]} {p_value(row['p_median'])} ({row['published_p']} printed)"
        for name, row in log_rank.iterrows()
    ]
    cox = table[(table["analysis"] == MULTIVARIABLE) & (table["stage"] == ORDINAL)]
    adjusted = cox[(cox["endpoint"] == "os") & (cox["term"] == "cti2")].iloc[0]
    return (
        f"Log-rank P, median of the members: {', '.join(same)}. Adjusted hazard ratio of death by "
        f"Cox, which has no prior: {number(adjusted['hazard_ratio_median'])} "
        f"({adjusted['published_hazard_ratio']} printed in the abstract). {_stage(table)}"
    )


def _stage(table: pd.DataFrame) -> str:
    """How stage must have been entered for its printed P, and where it has no finite estimate."""
    printed = table[
        table["published_p"].notna() & ~table["published_p"].str.startswith(">", na=True)
    ]
    steps = printed[(printed["stage"] == ORDINAL) & (printed["term"] == "stage")]
    cut = printed[(printed["term"] == printed["stage"]) & (printed["stage"] != "")]
    plain = cut[~cut["firth"] & (cut["endpoint"] == "os")].iloc[0]
    infinite = f"in {percent(plain['infinite'])}" if plain["infinite"] else "in none"
    return (
        f"Each of the {len(steps)} printed P of stage is given by at least "
        f"{100 * steps['same_p'].min():.0f}% of the members where stage is entered as I to IV, and "
        f"by at most {100 * cut['same_p'].max():.0f}% where it is cut at III, as Table 1 prints "
        "it, with 4 patients on one side. P for OS by stage alone then runs from "
        f"{p_value(plain['p_low'])} to {p_value(plain['p_high'])} "
        f"({plain['published_p']} printed), and {infinite} of the members its estimate is "
        "infinite, which Firth's penalty mends."
    )


def _time_zero(tables: Mapping[str, pd.DataFrame]) -> str:
    zero, arms = tables["time_zero"].set_index("analysis"), tables["detector"]
    late = arms.loc[arms["first_exit_low"].idxmax()]
    given = zero.iloc[0]
    landmark = next(zero.loc[name] for name in zero.index if name.startswith("landmark"))
    return (
        f"Time zero: none of the {late['patients']} patients without CTI2 left before "
        f"{late['first_exit_low']:g} months; at their own hazard just after, no death before has "
        f"probability {number(late['prob_no_event_before_low'])} to "
        f"{number(late['prob_no_event_before_high'])}, compatible with guaranteed time or "
        f"selection into that arm. Unadjusted hazard ratio (Cox, 95% CI) as given "
        f"{interval(given)}; from a landmark at 3 months {interval(landmark)} with "
        f"{landmark['events']} deaths left, {percent(landmark['share_between'])} of the variance "
        "of its logarithm missing data."
    )


def _selection(table: pd.DataFrame) -> str:
    rows = table.set_index("added")
    said = [
        f"with {count} deaths it is {interval(rows.loc[count])}, probability of a lower hazard "
        f"{probability(rows.loc[count, 'prob_benefit'])}"
        for count in PUT_BACK
    ]
    return (
        f"Selection: if deaths before 3 months are put back into the arm without CTI2, its "
        f"unadjusted hazard ratio moves from {interval(rows.loc[0])}, probability "
        f"{probability(rows.loc[0, 'prob_benefit'])}, towards 1: {'; '.join(said)}."
    )


def _external(table: pd.DataFrame) -> str:
    own = table[table["estimate"] == "members, adjusted"].iloc[0]
    return (
        f"External evidence: {own['evidence']} found {own['evidence_hazard_ratio']} "
        f"({own['evidence_lower']}-{own['evidence_upper']}) for another product against other "
        f"salvage. That is {own['z_low']:.1f} standard deviations or more from every member; of "
        f"the weight {own['prior_weight']:g} that a robust prior gives it, "
        f"{own['posterior_weight_high']:.1g} is left, so that it is dropped and not averaged in: "
        f"adjusted hazard ratio {number(own['borrowing'])} with it, {number(own['without'])} "
        f"without, {number(own['pooled'])} were it pooled outright."
    )


def _responses(table: pd.DataFrame) -> str:
    rows = table.set_index("outcome")
    per = [
        f"{_share(rows.loc[f'death with infection, of {whom}'])} of {whom}"
        for whom in ("patients", "deaths", "infected")
    ]
    response = rows.loc["response at day 30"]
    points = [f"{100 * response[f'risk_difference_{end}']:.0f}" for end in ("lower", "upper")]
    return (
        f"Response at day 30: {_share(response)}, difference "
        f"{100 * response['risk_difference']:.0f} percentage points (95% CI "
        f"{limits(*points)}); P {response['printed_p']} printed, "
        f"{p_value(response['fisher'])} by Fisher's test, {p_value(response['linear-by-linear'])} "
        f"linear-by-linear. Deaths with infection, CTI2 against the others: {', '.join(per)}; what "
        "the paper calls mortality is the second, a share of deaths."
    )


def _share(row: Any) -> str:
    arms = [
        f"{row[f'{arm} events']:.0f}/{row[f'{arm} patients']:.0f}" for arm in ("CTI2", "non-CTI2")
    ]
    return " v ".join(arms)
