"""The paper's log-rank tests and Cox models in every member, beside what is printed."""

from typing import Any

import numpy as np
import pandas as pd

from bayesurv.data.published import rounds_to
from bayesurv.frequentist.members import (
    LOG_RANK,
    Analysis,
    analyses,
    member_results,
    printed_result,
)
from bayesurv.report.reproduce_input import Members

ORDINAL, HIGH = "stage", "stage=3|4"
ORDINAL_NAME = "I to IV"
NAMES = {HIGH: "stage >= III"}
CODINGS = {
    "stage": "I to IV as 0 to 3",
    HIGH: "1 for stage III or IV",
    "cti1_response": "CR, PR, NR as 0 to 2",
}


def classical_members(members: Members) -> pd.DataFrame:
    """Every term of every analysis over the members.

    Columns: endpoint, analysis, firth, stage (how it is coded, where it is a term of the model),
    term, coding, published_p, published_hazard_ratio, p_low, p_median, p_high,
    hazard_ratio_low, hazard_ratio_median, hazard_ratio_high, interval_low and interval_high (the
    members' lowest lower and highest upper 95% limit), same_p (share of the members whose P rounds
    to the published one), infinite (share of the members whose estimate is), members, remark.
    """
    asked = analyses(members.summary, ORDINAL, HIGH)
    results = member_results(members.summary, members.cohorts, asked)
    rows = []
    for (number, term), own in results.groupby(["analysis", "term"], sort=False):
        rows.append(_row(members, asked[int(str(number))], str(term), own))
    return pd.DataFrame(rows)


def _row(members: Members, analysis: Analysis, term: str, own: pd.DataFrame) -> dict[str, Any]:
    printed = printed_result(members.summary, analysis, term)
    p = own["p"].dropna().to_numpy()
    said = None if printed is None else printed.p
    same = np.nan if said is None else sum(rounds_to(each, said) for each in p) / len(own)
    cut = HIGH in analysis.terms
    return {
        "endpoint": analysis.endpoint,
        "analysis": analysis.kind,
        "firth": analysis.firth,
        "stage": NAMES[HIGH] if cut else ORDINAL_NAME if ORDINAL in analysis.terms else "",
        "term": NAMES.get(term, term),
        "coding": CODINGS.get(term, ""),
        "published_p": said,
        "published_hazard_ratio": None if printed is None else printed.ratio,
        **_range("p", p),
        **_range("hazard_ratio", own.get("hazard_ratio", pd.Series(dtype=float)).dropna()),
        "interval_low": own["lower"].min(),
        "interval_high": own["upper"].max(),
        "same_p": same,
        "infinite": own["infinite"].mean(),
        "members": len(own),
        "remark": _remark(analysis, printed),
    }


def _range(name: str, values: Any) -> dict[str, float]:
    found = [np.min(values), np.median(values), np.max(values)] if len(values) else [np.nan] * 3
    return dict(zip((f"{name}_low", f"{name}_median", f"{name}_high"), found, strict=True))


def _remark(analysis: Analysis, printed: Any) -> str:
    """How the print is read, and what an analysis is for that the paper may not have done."""
    said = "" if printed is None else printed.reason or printed.reading
    if HIGH in analysis.terms:
        put = "stage as Table 1 prints it; the published P need not be of this coding"
        said = "; ".join(filter(None, (put, said)))
    if analysis.kind == LOG_RANK:
        said = "; ".join(filter(None, (said, "searched for: every member has it")))
    return said
