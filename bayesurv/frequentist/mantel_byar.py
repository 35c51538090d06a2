"""Treatment that starts during follow-up: the test of Mantel and Byar."""

import numpy as np

from bayesurv.data.faults import Fault, InputError
from bayesurv.data.read import as_text
from bayesurv.frequentist.log_rank import LogRank, log_rank
from bayesurv.frequentist.observations import Observations


def mantel_byar(observed: Observations, treatment: str) -> LogRank:
    """Log-rank test over start-stop rows: patients are compared by what they had at each event.

    `observed.cohort` holds the rows that `treatment_from` makes. Groups are the levels of the
    treatment; whoever starts it leaves the untreated and joins the treated.

    Source: Mantel and Byar, JASA 1974; Crowley and Hu, JASA 1977.

    Raises
    ------
    InputError
        The cohort has no such covariate.
    """
    cohort = observed.cohort
    if treatment not in cohort.covariates:
        raise InputError([Fault(f'there is no covariate "{treatment}"', column=treatment)])
    group = np.array(as_text(cohort.covariates[treatment]))
    return log_rank(observed.time, cohort.event, group, cohort.entry)
