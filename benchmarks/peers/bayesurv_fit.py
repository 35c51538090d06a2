"""bayesurv: a Weibull fit by NUTS, and by the method "laplace"."""

import sys
import warnings

from timing import table, timed

warnings.simplefilter("ignore")
import bayesurv as bs  # noqa: E402

frame = table(sys.argv[1])
method = sys.argv[2]


def fit(seed):
    cohort = bs.Cohort.from_frame(frame, time="time", event="event", unit="months")
    found = bs.fit(cohort, "cti2 + bulky + stage", seed=seed, method=method)
    return float(found.posterior["coefficient"].to_numpy()[..., 0].mean())


timed(fit)
