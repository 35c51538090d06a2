"""Answer to `bayesurv published`: every printed P that counts allow, recomputed by every test."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from bayesurv.data.faults import listed
from bayesurv.data.published import (
    Counts,
    Medians,
    Printed,
    Published,
    PValue,
    denominators,
    rounds_to,
    wang_2025,
)
from bayesurv.frequentist.rules import RULES, TESTS, applies, p_by_rule
from bayesurv.report.answer import Answer

RULE_COLUMNS = {f"rule {name}": name for name in RULES}
SHOWN = ("Pearson", "Fisher")


def published_answer() -> Answer:
    """Which test gives each P that the founding paper prints, and how many each rule gives."""
    published = wang_2025()
    found = recomputed(published)
    printed = found[found["printed"].notna()]
    rules = reproduced(printed[printed["source"] == "paper"])
    tables = {
        "p_values": found,
        "rules": rules,
        "not_recomputed": not_recomputed(published),
        "hazard_ratios": hazard_ratios(published),
        "contradictions": contradictions(published),
    }
    told = notes(published, found, tables["not_recomputed"])
    return Answer(sentence(rules, printed), shown(printed), tables, {}, told)


def recomputed(published: Published) -> pd.DataFrame:
    """P of the counts of two arms by every test that suits them, and by every rule.

    Columns: item, source, where, derived, printed, one per test and rule (NaN where a test does
    not suit), and reproduced_by, the tests that round to what is printed.
    """
    both = [item for item in published.counts if len(item.groups) > 1]
    return pd.DataFrame([_recomputed(item) for item in both])


def _recomputed(item: Counts) -> dict[str, object]:
    by_test = {
        name: test(item.table) if applies(name, item.table, ordered=item.ordered) else np.nan
        for name, test in TESTS.items()
    }
    by_rule = {
        column: p_by_rule(item.table, rule, ordered=item.ordered).p
        for column, rule in RULE_COLUMNS.items()
    }
    same = [name for name, p in by_test.items() if item.p and rounds_to(p, item.p)]
    return {**_printed(item.name, item), **by_test, **by_rule, "reproduced_by": "; ".join(same)}


def _printed(name: str, item: Printed) -> dict[str, object]:
    return {
        "item": name,
        "source": item.source,
        "where": "; ".join(item.where),
        "derived": item.derived,
        "printed": item.p,
    }


def reproduced(printed: pd.DataFrame) -> pd.DataFrame:
    """How many of the printed P each test and each rule gives.

    Columns: by, reproduced, suits (the tables that a test can be used on), printed; most first.
    """
    rows = []
    for name in (*TESTS, *RULE_COLUMNS):
        suited = printed[printed[name].notna()]
        same = [rounds_to(*pair) for pair in zip(suited[name], suited["printed"], strict=True)]
        rows.append((name, sum(same), len(same), len(printed)))
    table = pd.DataFrame(rows, columns=["by", "reproduced", "suits", "printed"])
    return table.sort_values("reproduced", ascending=False, kind="stable", ignore_index=True)


def not_recomputed(published: Published) -> pd.DataFrame:
    """Printed P that counts do not give, and what each would need."""
    items: tuple[Medians | PValue, ...] = (*published.medians, *published.p_values)
    printed = [item for item in items if item.p is not None]
    rows = [{**_printed(item.name, item), "needs": _needs(item)} for item in printed]
    return pd.DataFrame(rows).drop(columns="derived")


def _needs(item: Medians | PValue) -> str:
    if isinstance(item, Medians) or item.test == "rank sum":
        return "every patient's value"
    if item.test == "not stated":
        return "the test, and every patient's response and factors"
    return "every patient's time, event and factors"


def hazard_ratios(published: Published) -> pd.DataFrame:
    """Printed hazard ratios beside what their limits imply on the log scale.

    Columns: item, source, where, printed, hazard_ratio, lower, upper, middle (the geometric mean
    of the limits) and p (Wald's, by the limits).
    """
    rows = []
    for item in published.hazard_ratios:
        lower, upper = np.log([item.lower, item.upper])
        standard_error = (upper - lower) / (2 * norm.isf(0.025))
        rows.append(
            {
                **_printed(item.name, item),
                "hazard_ratio": item.estimate,
                "lower": item.lower,
                "upper": item.upper,
                "middle": np.exp((lower + upper) / 2),
                "p": 2 * norm.sf(abs(np.log(item.estimate)) / standard_error),
            }
        )
    return pd.DataFrame(rows).drop(columns="derived")


def contradictions(published: Published) -> pd.DataFrame:
    """What the printed numbers say that cannot all be so. Columns: about, finding."""
    rows = [("; ".join(each.about), each.finding) for each in published.contradictions]
    return pd.DataFrame(rows, columns=["about", "finding"])


def sentence(rules: pd.DataFrame, printed: pd.DataFrame) -> str:
    """How many printed P the test that the Methods name gives, which gives most, and which all."""
    given, every = rules.set_index("by")["reproduced"], rules["printed"].iloc[0]
    best, whole = (given.index[given == wanted] for wanted in (given.max(), every))
    by_none = printed.loc[printed["reproduced_by"] == "", "item"]
    return (
        f"Of {every} P values that the paper prints beside counts, Fisher's exact test, which its "
        f"Methods name, gives {given['Fisher']}, Pearson's chi-squared {given['Pearson']}, and "
        f"{listed(best)} most: {given.max()}. {listed(whole) or 'No single test or rule'} gives "
        f"all. P values that no test here gives: {listed(by_none) or 'none'}."
    )


def shown(printed: pd.DataFrame) -> pd.DataFrame:
    """The printed P beside the two usual tests, and all the tests that give it."""
    cells = {name: [f"{p:.4f}" for p in printed[name]] for name in SHOWN}
    where = [text.partition(";")[0].partition(",")[0] for text in printed["where"]]
    return pd.DataFrame(
        {
            "item": list(printed["item"]),
            "where": where,
            "printed": list(printed["printed"]),
            **cells,
            "reproduced by": list(printed["reproduced_by"]),
        }
    )


def notes(published: Published, found: pd.DataFrame, rest: pd.DataFrame) -> tuple[str, ...]:
    """How to read the table, what follows from the counts, and where the numbers come from."""
    paper = published.sources["paper"]
    return (
        "A test that gives a printed P need not be the one used: of so many tests, some agree in "
        "three decimals by chance.",
        f"{len(rest)} more printed P values need every patient's data; they are listed in "
        "not_recomputed.csv.",
        _mortality(found),
        *_measured(published),
        f"Numbers: {paper['citation']}, doi {paper['doi']} ({paper['licence']}).",
    )


def _mortality(found: pd.DataFrame) -> str:
    deaths = found[found["item"].str.startswith("death with infection")]
    by = [f"{row.Fisher:.3f} {row.item.partition(', ')[2]}" for row in deaths.itertuples()]
    return f"Deaths with infection, P of Fisher's exact test for them as shares: {listed(by)}."


def _measured(published: Published) -> list[str]:
    """How many patients the printed percentages of an arm allow."""
    told = []
    for item in published.counts:
        if item.percent and item.groups == published.arms:
            allowed = [
                f"{count} ({percent}%) of {listed(denominators(count, percent, most))}"
                for count, percent, most in zip(
                    item.counts[0], item.percent, published.patients, strict=True
                )
            ]
            told.append(f"{item.name}: by the rounding, {' and '.join(allowed)} patients.")
    return told
