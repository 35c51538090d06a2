"""The cohort of a comparison, and how a peer's fit is timed: the first and the median of others."""

import json
import statistics
import sys
import time

import pandas as pd


def table(path):
    """The patients, as every peer gets them."""
    return pd.read_csv(path)


def timed(fit, runs=5):
    """Time a fit, given a seed, that returns the log hazard ratio of cti2; prints JSON."""
    seconds = []
    for seed in range(runs + 1):
        begin = time.perf_counter()
        estimate = fit(seed + 1)
        seconds.append(time.perf_counter() - begin)
    found = {"first": seconds[0], "again": statistics.median(seconds[1:])}
    json.dump(found | {"log hazard ratio of cti2": estimate}, sys.stdout)
