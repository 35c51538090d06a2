"""bambi: Weibull regression of censored times by NUTS; its coefficients are of log time."""

import logging
import sys
import warnings

from timing import table, timed

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
import bambi  # noqa: E402

frame = table(sys.argv[1])
frame["status"] = ["none" if event else "right" for event in frame["event"]]


def fit(seed):
    formula = "censored(time, status) ~ cti2 + bulky + stage"
    model = bambi.Model(formula, frame, family="weibull", link={"mu": "log"})
    trace = model.fit(
        draws=1000, tune=1000, chains=4, cores=2, random_seed=seed, target_accept=0.95,
        progressbar=False,
    )  # fmt: skip
    posterior = trace.posterior
    return float((-posterior["cti2"] * posterior["alpha"]).mean())


timed(fit, runs=2)
