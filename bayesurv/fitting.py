"""Fit a cohort: the one place where data, models and inference meet."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.data.cohort import Cohort
from bayesurv.data.counts import Counts
from bayesurv.data.design import Design, Rows, variables
from bayesurv.data.faults import Fault, InputError, listed, nearest
from bayesurv.models.baselines import Baseline, Weibull
from bayesurv.models.build import (
    Specification,
    build,
    data_arrays,
    hyperparameters,
    step_error,
)
from bayesurv.models.compression import compressed
from bayesurv.models.counted import observed_counts, on_counts
from bayesurv.models.density import Density
from bayesurv.models.distributions import Sampled
from bayesurv.models.likelihood import Observed
from bayesurv.models.prior_draws import prior_draws
from bayesurv.models.priors import MEDIAN_SPREAD, MedianSurvival, Priors
from bayesurv.models.remarks import method_remark, prior_remark, remarks
from bayesurv.posterior import data, dataset, groups, happened, individuals

if TYPE_CHECKING:
    import xarray as xr

    from bayesurv.inference.sample import Progress, Run, Sampling


class CohortWarning(UserWarning):
    """Something about the cohort that a reader of the results must know."""


@dataclass(frozen=True)
class Fit:
    """A posterior and all that is needed to use it.

    Attributes
    ----------
    draws : DataTree
        Groups `posterior`, `sample_stats`, `log_likelihood` (per patient), `log_prior`,
        `observed_data` and `constant_data`.
    diagnostics : DataFrame
        One row for each check of the sampler.
    notes : tuple of str
        What the reader must know, in sentences.
    """

    specification: Specification
    draws: "xr.DataTree"
    diagnostics: pd.DataFrame
    unit: str
    end_of_follow_up: float
    n_patients: int
    n_events: int
    notes: tuple[str, ...]
    settings: Mapping[str, Any]
    failed: bool = False

    @property
    def design(self) -> Design:
        """Coding of the covariates."""
        return self.specification.design

    @property
    def baseline(self) -> Baseline:
        """Baseline hazard with its cuts, knots or scale."""
        return self.specification.baseline

    @property
    def posterior(self) -> "xr.Dataset":
        """Posterior draws by parameter, dims `(chain, draw, ...)`."""
        return self.draws["posterior"].to_dataset()

    @property
    def counted(self) -> bool:
        """Whether counts were fitted, so that nothing is known of single patients."""
        kept = self.draws.children
        return "observed_data" in kept and "person_time" in kept["observed_data"]

    def thinned(self, step: int) -> "Fit":
        """The same fit with every step-th draw."""
        tree = self.draws.copy()
        for name in tree.children:
            if "draw" in tree[name].dims:
                tree[name] = tree[name].isel(draw=slice(None, None, step))
        return replace(self, draws=tree)

    def parameters(self) -> dict[str, np.ndarray]:
        """Posterior draws as arrays of shape `(chain, draw, ...)`."""
        return {str(k): v.to_numpy() for k, v in self.posterior.data_vars.items()}


def specify(
    cohort: Cohort | Counts,
    formula: str,
    baseline: Baseline | None = None,
    priors: Priors | None = None,
) -> Specification:
    """Code a cohort by a formula and settle what the baseline and the priors left open.

    Raises
    ------
    InputError
        The formula or the priors cannot be used, or counts cannot tell what the baseline needs.
    """
    priors = priors if priors is not None else Priors()
    if isinstance(cohort, Counts):
        chosen = on_counts(baseline, cohort)
    else:
        chosen = baseline if baseline is not None else Weibull()
    median = priors.median_survival or MedianSurvival.around(crude_median(cohort), MEDIAN_SPREAD)
    if isinstance(cohort, Cohort):
        chosen = chosen.resolve(event_times(cohort), cohort.end_of_follow_up, median.centre)
    return Specification(chosen, Design.from_cohort(formula, cohort), priors, median)


def fit(
    cohort: Cohort | Counts,
    formula: str,
    *,
    baseline: Baseline | None = None,
    priors: Priors | None = None,
    missing: str = "error",
    sampling: "Sampling | None" = None,
    seed: int | None = None,
    method: str | None = None,
    progress: "Progress | None" = None,
    force: bool = False,
) -> Fit:
    """Fit one model to one cohort, or to counts in place of patients, by MCMC.

    Parameters
    ----------
    cohort, formula
        The patients, and the right-hand side of the model in formulae's language.
    baseline, priors
        Weibull and the table of defaults unless given; for counts, a hazard in each interval.
    missing
        "error", or "drop" to leave out patients with a missing covariate, which is noted.
    sampling, seed
        Settings of the sampler; the same seed gives the same numbers.
    method
        "nuts" unless the settings say otherwise; "laplace" approximates the posterior in
        milliseconds by weighted draws, and samples by NUTS where the weights are no good. A note
        says which it was.
    progress
        Called with the share of the draws that are done.
    force
        Return the draws even when they fail the checks twice; they are marked as failed.

    Raises
    ------
    InputError
        Formula, covariates or priors that cannot be used, or there is no such method.
    SamplingError
        The draws fail the checks after one retry with stricter settings.
    """
    settings = sampling_settings(sampling, seed, method)
    cohort = cohort.complete(variables(formula, cohort.covariates), missing)
    specification = specify(cohort, formula, baseline, priors)
    compiled = compiled_survival(specification, *compressed_cohort(specification, cohort))
    unseen = specification.two_modes  # by an approximation, so it is sampled
    used = replace(settings, method="nuts") if unseen else settings
    run = run_model(compiled, used, progress=progress, force=force)
    notes = (*cohort.notes, *remarks(specification, cohort.n_events, happened(cohort)))
    for note in notes:
        warnings.warn(note, CohortWarning, stacklevel=2)
    return Fit(
        specification=specification,
        draws=_tree(run.tree, specification, cohort),
        diagnostics=run.diagnostics,
        unit=cohort.unit,
        end_of_follow_up=cohort.end_of_follow_up,
        n_patients=cohort.n_patients,
        n_events=cohort.n_events,
        notes=(
            *notes,
            *method_remark(settings.method, run.settings.method),
            prior_remark(specification, cohort.unit),
        ),
        settings=run.settings.describe(),
        failed=bool(run.failures),
    )


def prior(
    cohort: Cohort | Counts,
    formula: str,
    *,
    baseline: Baseline | None = None,
    priors: Priors | None = None,
    missing: str = "error",
    draws: int = 4000,
    seed: int = 0,
) -> Fit:
    """Draw from the prior instead of the posterior: what the model believes before any outcome.

    The covariates are coded as the cohort's; of its times only those enter that the model takes
    from them, the crude median, cuts or knots where they were not stated. Every function of a
    fit shows what the prior implies.
    """
    import xarray as xr

    cohort = cohort.complete(variables(formula, cohort.covariates), missing)
    specification = specify(cohort, formula, baseline, priors)
    parameters = prior_draws(specification, draws, seed)
    posterior = dataset(specification, parameters)
    return Fit(
        specification=specification,
        draws=xr.DataTree.from_dict({"posterior": posterior, **data(specification, cohort)}),
        diagnostics=pd.DataFrame(),
        unit=cohort.unit,
        end_of_follow_up=cohort.end_of_follow_up,
        n_patients=cohort.n_patients,
        n_events=cohort.n_events,
        notes=(prior_remark(specification, cohort.unit),),
        settings={"draws": draws, "seed": seed},
    )


def run_model(
    compiled: Any,
    sampling: "Sampling | None" = None,
    seed: int | None = None,
    progress: "Progress | None" = None,
    force: bool = False,
) -> "Run":
    """Sample a compiled model; `seed` takes the place of that of the settings."""
    from bayesurv.inference.sample import sample

    return sample(compiled, sampling_settings(sampling, seed, None), progress, force)


def sampling_settings(
    sampling: "Sampling | None", seed: int | None, method: str | None
) -> "Sampling":
    """Settings of the sampler with another seed or method, where given.

    Raises
    ------
    InputError
        There is no such method.
    """
    from bayesurv.inference.sample import METHODS, Sampling

    settings = sampling if sampling is not None else Sampling()
    settings = settings if seed is None else replace(settings, seed=seed)
    settings = settings if method is None else replace(settings, method=method)
    if settings.method not in METHODS:
        message = f"method is one of {listed(METHODS)}.{nearest(settings.method, METHODS)}"
        raise InputError([Fault(message, value=settings.method)])
    return settings


def compressed_cohort(
    specification: Specification, cohort: Cohort | Counts
) -> tuple[Observed, Rows]:
    """A cohort's distinct rows, by which the likelihood is the same, and their covariates."""
    if isinstance(cohort, Counts):
        return _row_by_row(specification, cohort), specification.design.rows
    follow_up = cohort.entry, cohort.time, cohort.upper, cohort.event
    return compressed(specification.baseline, specification.design.rows, *follow_up)


def compiled_survival(specification: Specification, observed: Observed, rows: Rows) -> Any:
    """The compiled model of a specification on some follow-up, row by row or compressed.

    It is compiled once for each model shape in a process; another call with other data, other
    numbers in the priors or other cuts swaps arrays only.
    """
    arrays = data_arrays(rows, observed) | hyperparameters(specification)
    arrays |= step_error(specification, observed)
    return compiled_model(
        specification.sampled(),
        arrays,
        model_shape(specification, arrays),
        lambda: build(specification, observed, rows),
    )


def compiled_model(
    sampled: Sequence[Sampled],
    arrays: Mapping[str, np.ndarray],
    shape: tuple,
    make: Callable[[], Any],
) -> Any:
    """A model compiled before or now, on these arrays, whose chains start at its prior medians.

    `arrays` holds data and hyperparameters by name; `shape` is what the compiled model depends on
    besides their values, and `make` builds the PyMC model where none of this shape is compiled.
    """
    from bayesurv.inference.sample import model_cache

    start = {quantity.name: quantity.start() for quantity in sampled}
    return model_cache().compiled(shape, make).with_data(**arrays).starting_at(start)


def crude_median(cohort: Cohort | Counts) -> float:
    """Median survival if the hazard were constant: log 2 times person-time over events."""
    if isinstance(cohort, Counts):
        person_time = cohort.person_time.sum()
    else:
        person_time = (_ends(cohort) - cohort.entry).sum()
    return float(np.log(2) * person_time / cohort.n_events)


def event_times(cohort: Cohort) -> np.ndarray:
    """Times of the events; the middle of the interval where it is interval-censored."""
    return _ends(cohort)[cohort.event]


def _ends(cohort: Cohort) -> np.ndarray:
    """End of each row's follow-up, the middle of the interval where there is one."""
    return np.where(cohort.interval, (cohort.time + cohort.upper) / 2, cohort.time)


def model_shape(specification: Specification, arrays: Mapping[str, np.ndarray]) -> tuple:
    """What a compiled model depends on besides the values of its data."""
    baseline, design = specification.baseline, specification.design
    sizes = tuple((k, tuple(v)) for k, v in specification.coords().items() if k != "group")
    return (
        type(baseline),
        getattr(baseline, "smoothing", None),
        specification.level,
        tuple((name, len(labels)) for name, labels in sizes),
        tuple(design.column_term),
        tuple(design.group_term_of),
        tuple((q.name, tuple(type(p) for p in q.priors)) for q in specification.sampled()),
        tuple((name, value.ndim) for name, value in arrays.items()),
    )


def _row_by_row(specification: Specification, cohort: Cohort | Counts) -> Observed:
    """Follow-up of each row of the design: a patient's, or all of a pattern of counts."""
    if isinstance(cohort, Counts):
        counted = cohort.events, cohort.person_time, np.array(cohort.cuts)
        return observed_counts(specification.baseline, *counted)
    return Observed.from_cohort(cohort, specification.baseline)


def _tree(
    sampled: "xr.DataTree", specification: Specification, cohort: Cohort | Counts
) -> "xr.DataTree":
    """Everything that is kept of a run: draws, likelihood, prior and data."""
    import xarray as xr

    observed = _row_by_row(specification, cohort)
    density = Density(specification, observed, specification.design.rows, individuals(cohort))
    posterior = sampled["posterior"].to_dataset()
    drawn = {block.name: posterior[block.name].to_numpy() for block in density.blocks()}
    stats = {"sample_stats": sampled["sample_stats"].to_dataset()}
    kept = groups(density, drawn, pointwise=isinstance(cohort, Cohort))
    return xr.DataTree.from_dict(kept | stats | data(specification, cohort))
