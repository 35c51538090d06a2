"""Whether the truth lies in the range of reconstructed cohorts: a study on public cohorts.

Of samples of 60 patients of public cohorts nothing is published but what papers print: patients,
events, range and median of follow-up by arm, a covariate's counts, the log-rank P, the median of
all, the covariate's P, and the adjusted hazard ratio of the arms. Members are drawn
from that, and it is looked at whether what was not published lies within their range: the
unadjusted hazard ratio, the arms' medians and their curves. The result is kept in tests/reference;
after a change of what it rests on, from the root of the repository:

    python scripts/reconstruct_study.py        # about ten minutes
"""

import ast
import datetime
import hashlib
import inspect
import json
from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.data.reconstruct import book, draw, moves, problem, search, state, statistics, targets
from bayesurv.data.reconstruct.checks import clashes
from bayesurv.data.reconstruct.ensemble import reconstruct
from bayesurv.data.reconstruct.summary import Summary
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.kaplan_meier import kaplan_meier
from bayesurv.frequentist.log_rank import log_rank
from bayesurv.frequentist.quantiles import quantile
from bayesurv.frequentist.recomputed import recomputed

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "reference" / "data"
RESULT = ROOT / "tests" / "reference" / "reconstruct_study"
PATIENTS, SAMPLES, MEMBERS = 60, 3, 30
POINTS = 20  # times at which curves are looked at
SETTINGS = {"patients": PATIENTS, "samples": SAMPLES, "members": MEMBERS, "points": POINTS}
MODULES = (book, draw, moves, problem, search, state, statistics, targets)


def sources():
    """Months, event, arm and a covariate (0 or 1) of public cohorts."""
    lung, veteran, ovarian, bmt = (
        pd.read_csv(DATA / f"{name}.csv") for name in ("lung", "veteran", "ovarian", "bmt")
    )
    chosen = {
        "lung by sex": (lung["time"], lung["event"], lung["female"], lung["age10"] > 0),
        "veteran by treatment": (
            veteran["time"], veteran["event"], veteran["trt"], veteran["karno10"] < 0,
        ),
        "ovarian by treatment": (
            ovarian["time"], ovarian["event"], ovarian["rx2"], ovarian["residual"],
        ),
        "bmt by methotrexate": (bmt["time"], bmt["cause"].notna(), bmt["mtx"], bmt["group"] == 3),
    }  # fmt: skip
    return {
        name: pd.DataFrame(
            {
                "os_months": np.maximum(np.round(time.astype(float), 2), 0.01),
                "os_event": np.asarray(event, dtype=int),
                "treated": np.asarray(arm, dtype=int),
                "covariate": np.asarray(covariate, dtype=int),
            }
        )
        for name, (time, event, arm, covariate) in chosen.items()
    }


def samples(repeats):
    """Samples of at most 60 patients, by cohort and number."""
    for name, cohort in sources().items():
        for repeat in repeats:
            if len(cohort) <= PATIENTS and repeat:
                continue  # there is one sample of all
            random = np.random.default_rng([2026, *name.encode(), repeat])
            rows = random.permutation(len(cohort))[:PATIENTS]
            yield name, repeat, cohort.iloc[rows].reset_index(drop=True)


# --- What is published of a cohort ---


def published(cohort):
    """The summary that a paper would print."""
    arms = [cohort[cohort["treated"] == treated] for treated in (1, 0)]
    times = [arm["os_months"] for arm in arms]
    document = {
        "title": "a sample of a public cohort",
        "unit": "months",
        "treatment": "treated",
        "arms": ["treated", "not treated"],
        "patients": [len(arm) for arm in arms],
        "endpoint": [
            {
                "name": "os",
                "events": [int(arm["os_event"].sum()) for arm in arms],
                "follow_up": {
                    "median": [round(float(time.median()), 1) for time in times],
                    "lower": [max(round(float(time.min()), 1), 0.1) for time in times],
                    "upper": [round(float(time.max()), 1) for time in times],
                },
            }
        ],
        "variable": [{"name": "covariate", "yes": [int(arm["covariate"].sum()) for arm in arms]}],
        "target": list(printed(cohort)),
    }
    summary = Summary.model_validate(document)
    assert list(clashes(summary)) == []
    return summary


def printed(cohort):
    """P values, the median of all and the adjusted hazard ratio, as a paper prints them."""
    time, event = cohort["os_months"], cohort["os_event"]
    test = log_rank(time, event, cohort["treated"])
    yield {
        "name": "log-rank", "kind": "log-rank", "endpoint": "os", "term": "treated",
        "p": p_value(test.p), "higher": bool(test.z > 0),
    }  # fmt: skip
    median = quantile(kaplan_meier(time, event)).estimate
    if np.isfinite(median):
        yield {"name": "median", "kind": "median", "endpoint": "os", "value": f"{median:.1f}"}
    alone = fitted(cohort, ["covariate"])
    yield {
        "name": "covariate", "kind": "cox", "endpoint": "os", "terms": ["covariate"],
        "of": "covariate", "p": p_value(alone.p()[0]), "higher": bool(alone.coefficient[0] > 0),
    }  # fmt: skip
    both = fitted(cohort, ["covariate", "treated"])
    yield {
        "name": "adjusted", "kind": "cox", "endpoint": "os", "terms": ["covariate", "treated"],
        "of": "treated", "ratio": f"{np.exp(both.coefficient[1]):.2f}",
    }  # fmt: skip


def fitted(cohort, terms):
    return cox(
        cohort["os_months"], cohort["os_event"], cohort[terms].to_numpy(float), terms,
        ties="breslow",
    )  # fmt: skip


def p_value(p):
    return "<0.001" if p < 0.001 else f"{min(p, 0.999):.3f}"


# --- Whether the truth lies within the members ---


def looked_at(cohort, ends):
    """What was not published: hazard ratio, medians, and the curves at points of time."""
    found = {"log_hazard_ratio": fitted(cohort, ["treated"]).coefficient[0]}
    for treated, end in zip((1, 0), ends, strict=True):
        arm = cohort[cohort["treated"] == treated]
        curve = kaplan_meier(arm["os_months"], arm["os_event"])
        found[f"median_{treated}"] = quantile(curve).estimate
        for i, time in enumerate(np.linspace(0, end, POINTS + 2)[1:-1]):
            step = np.searchsorted(curve.time, time, side="right") - 1
            found[f"survival_{treated}_{i}"] = curve.survival[step]
    return found


def one(name, repeat, cohort):
    """Of each quantity: whether the truth is within the members' range, and how wide that is."""
    summary = published(cohort)
    drawn = reconstruct(summary, MEMBERS, 1)
    members = [rows for _, rows in drawn.patients.groupby("member")]
    missed = sum(any(each.residual > 0 for each in recomputed(summary, rows)) for rows in members)
    ends = summary.follow_up.upper
    true = looked_at(cohort, ends)
    error = float(fitted(cohort, ["treated"]).standard_error[0])
    found = pd.DataFrame([looked_at(rows, ends) for rows in members])
    for quantity, value in true.items():
        low, high = found[quantity].min(), found[quantity].max()
        yield {
            "cohort": name,
            "repeat": repeat,
            "quantity": quantity.partition("_")[0] if "survival" in quantity else quantity,
            "true": value,
            "lowest": low,
            "highest": high,
            "inside": bool(low - 1e-9 <= value <= high + 1e-9),
            "beside": max(low - value, value - high, 0.0) if np.isfinite(value) else np.nan,
            "standard_error": error,
            "members_with_a_miss": missed,
        }


def study(repeats):
    return pd.DataFrame(
        row for name, repeat, cohort in samples(repeats) for row in one(name, repeat, cohort)
    )


def summary_of(result):
    """Share of quantities whose truth lies within the members' range."""
    return result.groupby("quantity")["inside"].agg(["mean", "size"])


def fingerprint():
    """Of the code that reconstructs, whatever its comments and documentation."""
    digest = hashlib.sha256()
    for module in MODULES:
        tree = ast.parse(inspect.getsource(module))
        for node in ast.walk(tree):
            kinds = ast.Module | ast.FunctionDef | ast.ClassDef
            if isinstance(node, kinds) and ast.get_docstring(node):
                node.body = node.body[1:]
        digest.update(ast.unparse(tree).encode())
    return digest.hexdigest()


def main():
    result = study(range(SAMPLES))
    result.round(5).to_csv(RESULT.with_suffix(".csv"), index=False)
    made = SETTINGS | {"code": fingerprint(), "made_on": str(datetime.date.today())}
    RESULT.with_suffix(".json").write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    print(summary_of(result).round(3))


if __name__ == "__main__":
    main()
