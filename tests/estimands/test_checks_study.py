"""p-values of posterior predictive checks when the model is true: a simulation, and its result.

Parameters come from the prior, a cohort of 61 from the model, and the posterior is sampled. With
replicates from ONE posterior draw (and one completion of the censoring times) p is uniform, in the
mean over the prior (Johnson, Bayesian Analysis 2007; Gosselin, PLoS ONE 2011); with a new draw for
each replicate, as `check` has it, p is conservative: P(p < a) <= 2a (Meng, Annals of Statistics
1994). The result of all data sets is kept in tests/reference; after a change of what it rests on:

    python tests/estimands/test_checks_study.py        # a few minutes
"""

import ast
import datetime
import hashlib
import inspect
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

import bayesurv as bs
from bayesurv.estimands.checks import check
from bayesurv.estimands.patients import Walk, follow_up
from bayesurv.estimands.replicates import censoring_hazard, live_again, potential_censoring
from bayesurv.frequentist.kaplan_meier import kaplan_meier
from bayesurv.frequentist.log_rank import log_rank

RESULT = Path(__file__).parents[1] / "reference" / "check_p_values"
DATA_SETS, PATIENTS, REPLICATES = 200, 61, 200
ARM = np.repeat([0, 1], [34, 27])
PRIORS = bs.Priors(
    median_survival=bs.MedianSurvival(8, 16, 0.9),
    coefficient=bs.Normal(0, 0.5),
    shape=bs.LogNormal(0, 0.25),
)
SAMPLING = bs.Sampling(chains=4, draws=500, tune=500)
STATISTICS = {
    "survival": ("treated = 0", "survival", 12),
    "median": ("treated = 0", "median", 0),
    "early events": ("treated = 1", "events before", 6),
    "log-rank": ("between arms", "log-rank z", 0),
}


def cohort(time, event):
    table = pd.DataFrame({"time": time, "event": event, "treated": ARM})
    return bs.Cohort.from_frame(table, time="time", event="event", unit="months")


def simulated(random):
    """A cohort from parameters of the prior, randomly censored."""
    blank = cohort(np.full(PATIENTS, 10.0), np.ones(PATIENTS))
    prior = bs.prior(blank, "treated", priors=PRIORS, draws=1, seed=int(random.integers(2**31)))
    death = Walk(prior, follow_up(prior)).time(random.standard_exponential((1, PATIENTS)))[0]
    lost = random.uniform(5, 40, PATIENTS)
    return cohort(np.minimum(death, lost), death <= lost)


def statistics(time, event):
    first = kaplan_meier(time[ARM == 0], event[ARM == 0])
    at_12 = first.survival[np.searchsorted(first.time, 12, side="right") - 1]
    below = first.survival <= 0.5
    median = first.time[np.argmax(below)] if below.any() else np.inf
    early = (event & (time <= 6) & (ARM == 1)).sum()
    return np.round([at_12, median, early, log_rank(time, event, ARM).z], 12)


def one_draw_p(fit, random):
    """P(replicated above observed) at one posterior draw, ties broken at random."""
    size = fit.posterior.sizes["draw"]
    tree = fit.draws.copy()
    one = {"chain": [int(random.integers(4))], "draw": [int(random.integers(size))] * REPLICATES}
    tree["posterior"] = tree["posterior"].isel(one)
    follow = follow_up(fit)
    walk = Walk(replace(fit, draws=tree), follow)
    limit = potential_censoring(follow, ARM, 1, random)
    again, _ = live_again(walk, np.tile(limit, (REPLICATES, 1)), random)
    seen = statistics(follow.time, follow.event)
    drawn = np.array([statistics(t, e) for t, e in zip(again.time, again.event, strict=True)])
    ties = random.uniform(size=len(seen)) * (1 + (drawn == seen).sum(axis=0))
    return ((drawn > seen).sum(axis=0) + ties) / (REPLICATES + 1)


def one_data_set(number):
    random = np.random.default_rng([2026, number])
    fit = bs.fit(simulated(random), "treated", priors=PRIORS, sampling=SAMPLING, seed=number)
    table = check(fit, "treated", times=[6, 12], draws=2 * REPLICATES, seed=number).table
    found = table.fillna({"time": 0}).set_index(["arm", "statistic", "time"])["prob_above"]
    pairs = zip(STATISTICS, one_draw_p(fit, random), strict=True)
    return [
        {"data_set": number, "statistic": name, "one_draw": p, "posterior": found[STATISTICS[name]]}
        for name, p in pairs
    ]


def study(data_sets):
    return pd.DataFrame([row for number in data_sets for row in one_data_set(number)])


def fingerprint():
    """Of the code that replicates, whatever its comments and documentation."""
    digest = hashlib.sha256()
    for code in (follow_up, Walk, live_again, potential_censoring, censoring_hazard):
        tree = ast.parse(inspect.getsource(code))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
                node.body = node.body[1:]
        digest.update(ast.unparse(tree).encode())
    return digest.hexdigest()


SETTINGS = {
    "data_sets": DATA_SETS,
    "patients": PATIENTS,
    "replicates": REPLICATES,
    "priors": [str(PRIORS.median_survival), str(PRIORS.coefficient), str(PRIORS.shape)],
}


def main():
    result = study(range(DATA_SETS))
    result.round(5).to_csv(RESULT.with_suffix(".csv"), index=False)
    made = SETTINGS | {"code": fingerprint(), "made_on": str(datetime.date.today())}
    RESULT.with_suffix(".json").write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    print(judged(result))


def judged(result):
    """p of uniformity at one draw, and how often the posterior's two-sided p is small."""
    two_sided = 2 * np.minimum(result["posterior"], 1 - result["posterior"])
    groups = result.assign(two_sided=two_sided).groupby("statistic")
    return pd.DataFrame(
        {
            "uniform": groups["one_draw"].agg(lambda p: kstest(p, "uniform").pvalue),
            **{
                f"below_{a:g}": groups["two_sided"].agg(partial(share_below, a))
                for a in (0.05, 0.1, 0.2)
            },
        }
    )


def share_below(limit, values):
    return float((values < limit).mean())


def assert_conservative(result, slack=0.0):
    """P(p < a) <= 2a, and far from it in practice."""
    for a in (0.05, 0.1, 0.2):
        for p in (result["posterior"], 1 - result["posterior"]):
            shares = p.lt(a).groupby(result["statistic"]).mean()
            assert (shares <= 2 * a + slack).all(), (a, shares)


def test_the_result_that_is_kept():
    result = pd.read_csv(RESULT.with_suffix(".csv"))
    made = json.loads(RESULT.with_suffix(".json").read_text(encoding="utf-8"))
    stale = "the replicates have changed: run python tests/estimands/test_checks_study.py"
    assert {k: made[k] for k in SETTINGS} == SETTINGS, stale
    assert made["code"] == fingerprint(), stale
    assert len(result) == DATA_SETS * len(STATISTICS)
    assert (judged(result)["uniform"] > 0.01).all()
    assert_conservative(result)


def test_a_dozen_data_sets():
    """Only a gross error of the replicates puts a dozen p-values this far from uniform."""
    result = study(range(12))
    assert (judged(result)["uniform"] > 1e-4).all()
    assert_conservative(result, slack=0.35)


@pytest.mark.slow
def test_all_data_sets():
    result = study(range(DATA_SETS))
    assert (judged(result)["uniform"] > 0.01).all()
    assert_conservative(result)


if __name__ == "__main__":
    main()
