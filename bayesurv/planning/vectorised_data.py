"""The arrays of a batch of simulated studies, study by study, for a vectorised program."""

import numpy as np

from bayesurv.data.design import Rows
from bayesurv.models.baselines import Baseline
from bayesurv.models.build import Specification, hyperparameters
from bayesurv.models.compression import sums
from bayesurv.models.likelihood import Observed
from bayesurv.planning.studies import Studies

Named = dict[str, np.ndarray]


def study_arrays(
    specification: Specification, patterns: Rows, studies: Studies
) -> tuple[Named, Named]:
    """Arrays that each study has of its own, `(study, ..., row)`, and those that all share.

    Names are those of the compiled model. A row is a patient or, where events and person-time
    are all that the baseline needs, a covariate pattern.
    """
    baseline, fixed = specification.baseline, patterns.fixed
    shared = hyperparameters(specification)
    if baseline.additive:
        own = _by_pattern(baseline, studies, len(fixed))
        return own, shared | {"fixed": fixed}
    return _by_patient(baseline, studies) | {"fixed": fixed[studies.pattern]}, shared


def _by_patient(baseline: Baseline, studies: Studies) -> Named:
    """One row for each patient."""
    return _apart(_patients(baseline, studies), len(studies.time))


def _by_pattern(baseline: Baseline, studies: Studies, patterns: int) -> Named:
    """Events and person-time added up, one row for each covariate pattern."""
    count = len(studies.time)
    observed = _patients(baseline, studies)
    exposure = observed.time if observed.entry is None else observed.time - observed.entry
    member = (studies.pattern[..., None] == np.arange(patterns)).astype(float)

    def added(values: np.ndarray) -> np.ndarray:
        by_study = values.reshape(*values.shape[:-1], count, -1)
        summed = np.einsum("...si,sip->...sp", by_study, member)
        return summed.reshape(*values.shape[:-1], -1)

    exact, hazard = added(observed.exact), added(observed.hazard * observed.exact)
    return _apart(sums(exact, hazard, added(exposure)), count)


def _patients(baseline: Baseline, studies: Studies) -> Observed:
    """Every patient of every study in one row, each array `(..., study times patient)`."""
    delayed = studies.entry is not None
    entry = studies.entry if studies.entry is not None else np.zeros_like(studies.time)
    never = np.full_like(studies.time, np.inf)
    return Observed.from_times(
        entry.reshape(-1),
        studies.time.reshape(-1),
        never.reshape(-1),
        studies.event.reshape(-1),
        baseline,
        delayed=delayed,
    )


def _apart(observed: Observed, count: int) -> Named:
    """Arrays `(..., study times row)` as arrays `(study, ..., row)`."""
    return {
        name: np.moveaxis(value.reshape(*value.shape[:-1], count, -1), -2, 0)
        for name, value in observed.arrays().items()
    }
