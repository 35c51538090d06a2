"""lifelines: Cox regression, or Weibull regression by maximum likelihood."""

import sys
import warnings

from timing import table, timed

warnings.simplefilter("ignore")
from lifelines import CoxPHFitter, WeibullAFTFitter  # noqa: E402

frame = table(sys.argv[1])[["time", "event", "cti2", "bulky", "stage"]]


def cox(_):
    return float(CoxPHFitter().fit(frame, "time", "event").params_["cti2"])


def weibull(_):
    found = WeibullAFTFitter().fit(frame, "time", "event").params_
    shape = 2.718281828459045 ** found["rho_"]["Intercept"]
    return float(-found["lambda_"]["cti2"] * shape)


timed({"cox": cox, "weibull": weibull}[sys.argv[2]])
