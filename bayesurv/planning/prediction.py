"""The predictive probability that a running study will succeed."""

from dataclasses import asdict

import numpy as np
import pandas as pd

from bayesurv.inference.reweigh import MAX_PARETO_K
from bayesurv.planning.analysis import LAPLACE
from bayesurv.planning.batches import Table
from bayesurv.planning.keys import DecisionKeys
from bayesurv.planning.monte_carlo import Estimate, mean, median, share
from bayesurv.planning.running import RunningStudy

PREDICTIVE = "predictive probability of success"
NOW, FINAL = "now", "final analysis"


def prediction(running: RunningStudy, table: Table, keys: DecisionKeys) -> pd.DataFrame:
    """What a running study has found so far, and what it is predicted to find.

    Columns at ("now" or "final analysis"), quantity, threshold, estimate, mcse, lower, upper (95%,
    of the Monte Carlo error; empty where there is none), studies.

    Source: Spiegelhalter, Freedman and Blackburn, Controlled Clinical Trials 1986.
    """
    final = {name: value[-1] for name, value in table.items() if name != "log_ratio"}
    events = int(running.event.sum())
    below = float((running.log_ratio < np.log(keys.margin)).mean())
    rows = [
        (NOW, "patients", np.nan, _known(len(running.time))),
        (NOW, "still followed", np.nan, _known(int(running.ongoing.sum()))),
        (NOW, "events", np.nan, _known(events)),
        (NOW, "P(benefit)", np.nan, _known(below)),
    ]
    for threshold in keys.threshold:
        success = final["probability"] >= threshold
        rows.append((FINAL, PREDICTIVE, threshold, share(success)))
    rows += [
        (FINAL, "patients", np.nan, mean(final["entered"])),
        (FINAL, "mean events", np.nan, mean(final["events"])),
        (FINAL, "median events", np.nan, median(final["events"])),
        (FINAL, "mean P(benefit)", np.nan, mean(final["probability"])),
        (FINAL, "share with k-hat below 0.7", np.nan, share(final["pareto_k"] < MAX_PARETO_K)),
        (FINAL, "share sampled by NUTS", np.nan, share(final["method"] != LAPLACE)),
    ]
    return pd.DataFrame(
        {"at": at, "quantity": quantity, "threshold": threshold, **asdict(estimate)}
        for at, quantity, threshold, estimate in rows
    )


def _known(value: float) -> Estimate:
    return Estimate(value, np.nan, np.nan, np.nan, 0)
