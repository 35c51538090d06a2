"""Fit every member of an ensemble with one compiled model, to be pooled as a mixture."""

import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.data.cohort import Cohort
from bayesurv.data.design import Design, Rows, variables
from bayesurv.data.ensemble import Ensemble
from bayesurv.fitting import CohortWarning, Fit, compiled_survival, specify
from bayesurv.models.baselines import Baseline
from bayesurv.models.build import Specification
from bayesurv.models.compression import compressed
from bayesurv.models.likelihood import Observed
from bayesurv.models.priors import Priors
from bayesurv.models.remarks import covariate_remarks, few_events, prior_remark
from bayesurv.posterior import data, dataset

if TYPE_CHECKING:
    import xarray as xr

    from bayesurv.inference.members import Drawn
    from bayesurv.inference.sample import Progress, Sampling


@dataclass(frozen=True)
class EnsembleFit:
    """The posteriors of all members of an ensemble, of the same parameters.

    stacked : one fit whose chains are those of all members, in order; what takes profiles takes
        it, and gives draws of the mixture, in which every member has the same weight.
    ensemble : the members that were fitted.
    """

    stacked: Fit
    ensemble: Ensemble

    @property
    def members(self) -> tuple[str, ...]:
        """Label of each member."""
        return self.ensemble.members

    @property
    def n_members(self) -> int:
        """Number of members."""
        return self.ensemble.n_members

    @property
    def n_patients(self) -> int:
        """Number of patients of one member."""
        return self.ensemble.n_patients

    @property
    def events(self) -> np.ndarray:
        """Number of events of each member, `(member,)`."""
        return self.ensemble.events

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row for each check of the sampler, over all members."""
        return self.stacked.diagnostics

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader must know, in sentences."""
        return self.stacked.notes

    @property
    def failed(self) -> bool:
        """Whether the draws failed the checks."""
        return self.stacked.failed

    def by_member(self, draws: np.ndarray) -> np.ndarray:
        """Stacked draws `(member x chain, draw, ...)` as `(member, chain, draw, ...)`."""
        return draws.reshape(self.n_members, -1, *draws.shape[1:])

    @cached_property
    def posterior(self) -> "xr.Dataset":
        """Posterior draws by parameter, dims `(member, chain, draw, ...)`."""
        import xarray as xr

        stacked = self.stacked.posterior
        table = {
            name: (("member", *variable.dims), self.by_member(variable.to_numpy()))
            for name, variable in stacked.data_vars.items()
        }
        labels = {k: v.to_numpy() for k, v in stacked.coords.items() if k != "chain"}
        chains = np.arange(stacked.sizes["chain"] // self.n_members)
        return xr.Dataset(table, {"member": list(self.members), "chain": chains, **labels})

    def thinned(self, step: int) -> "EnsembleFit":
        """The same fit with every step-th draw."""
        return replace(self, stacked=self.stacked.thinned(step)) if step > 1 else self

    def of(self, label: object) -> Fit:
        """The fit of one member: its draws and its patients, coded as all members are.

        Raises
        ------
        InputError
            There is no such member.
        """
        import xarray as xr

        cohort = self.ensemble.one(label)
        position = self.members.index(str(label))
        design = member_design(self.stacked.design, self.ensemble.slices[position])
        specification = replace(self.stacked.specification, design=design)
        own = self.posterior.isel(member=position, drop=True)
        tree = xr.DataTree.from_dict({"posterior": own, **data(specification, cohort)})
        return replace(
            self.stacked,
            specification=specification,
            draws=tree,
            end_of_follow_up=self.stacked.end_of_follow_up,
            n_patients=cohort.n_patients,
            n_events=cohort.n_events,
        )


def fit_ensemble(
    ensemble: Ensemble,
    formula: str,
    *,
    baseline: Baseline | None = None,
    priors: Priors | None = None,
    missing: str = "error",
    sampling: "Sampling | None" = None,
    seed: int | None = None,
    progress: "Progress | None" = None,
    workers: int | None = None,
    force: bool = False,
) -> EnsembleFit:
    """Fit one model to every member of an ensemble by MCMC.

    The model is compiled once. What a cohort would settle is settled for all members by their
    rows together: the levels of covariates, cuts or knots that were not given (quantiles of the
    event times of all members) and the reference median of the prior. The end of follow-up is the
    last time that is within the follow-up of every member; one in which the last patient had the
    event is followed to its end.

    Parameters
    ----------
    ensemble, formula
        The members, and the right-hand side of the model in formulae's language.
    baseline, priors, missing
        As for `fit`.
    sampling, seed
        Settings for each member, `inference.members.short_chains` unless given; the members'
        seeds follow from `seed` and their labels.
    progress
        Called with the share of the members that are done.
    workers
        Members sampled at a time, as many as there are processors unless given; the draws do not
        depend on it.
    force
        Return the draws even when they fail the checks; they are marked as failed.

    Raises
    ------
    InputError
        Formula, covariates or priors that cannot be used.
    SamplingError
        A member fails its checks after two retries with stricter settings, see
        `inference.members`.
    """
    from bayesurv.inference.diagnostics import SamplingError, failures
    from bayesurv.inference.members import diagnose_members, sample_members, short_chains

    ensemble = ensemble.complete(variables(formula, ensemble.cohort.covariates), missing)
    cohort = ensemble.cohort
    specification = specify(cohort, formula, baseline, priors)

    def make(position: int) -> Any:
        return compiled_survival(specification, *_member(specification, cohort, rows[position]))

    rows = ensemble.slices
    make(0)  # compiled before the members are shared out among threads
    settings = short_chains(ensemble.n_members) if sampling is None else sampling
    settings = settings if seed is None else replace(settings, seed=seed)
    settings = replace(settings, method="nuts") if specification.two_modes else settings
    seeds = [member_seed(settings.seed, label) for label in ensemble.members]
    drawn = sample_members(make, seeds, settings, progress, workers)
    parameters = specification.parameters(_stacked(drawn))
    fit = EnsembleFit(_fit(specification, ensemble, parameters, drawn, settings), ensemble)
    checks = diagnose_members(drawn, ensemble.members, member_elements(fit))
    wrong = failures(checks)
    if wrong and not force:
        raise SamplingError(wrong)
    for note in fit.notes[:-2]:  # the last two say what was done
        warnings.warn(note, CohortWarning, stacklevel=2)
    stacked = replace(fit.stacked, diagnostics=checks, failed=bool(wrong))
    return replace(fit, stacked=stacked)


def member_elements(fit: EnsembleFit) -> dict[str, np.ndarray]:
    """Every scalar of the posterior by label, each `(member, chain, draw)`."""
    from bayesurv.inference.diagnostics import elements

    return {label: fit.by_member(values) for label, values in elements(fit.stacked.posterior)}


def member_seed(seed: int, label: str) -> int:
    """Seed of a member, which depends on the seed of all and on its own label."""
    return int(np.random.SeedSequence([seed, zlib.crc32(label.encode())]).generate_state(1)[0])


def member_design(design: Design, rows: slice) -> Design:
    """The coding of all members with the rows of one."""
    own = Rows(*(array[rows] for array in vars(design.rows).values()))
    training = design.training.iloc[rows].reset_index(drop=True)
    return replace(design, training=training, rows=own)


def _member(specification: Specification, cohort: Cohort, rows: slice) -> tuple[Observed, Rows]:
    """Follow-up and covariates of one member, with every array that any of them needs."""
    follow_up = (each[rows] for each in (cohort.entry, cohort.time, cohort.upper, cohort.event))
    return compressed(
        specification.baseline,
        member_design(specification.design, rows).rows,
        *follow_up,
        delayed=cohort.delayed,
        interval=bool(cohort.interval.any()),
    )


def _stacked(drawn: "list[Drawn]") -> dict[str, np.ndarray]:
    """Draws of all members one after the other, `(member x chain, draw, ...)`."""
    names = drawn[0].posterior
    return {name: np.concatenate([each.posterior[name] for each in drawn]) for name in names}


def _fit(
    specification: Specification,
    ensemble: Ensemble,
    parameters: Mapping[str, np.ndarray],
    drawn: "list[Drawn]",
    settings: "Sampling",
) -> Fit:
    import xarray as xr

    posterior = dataset(specification, parameters)
    cohort = ensemble.cohort
    retried = sum(each.attempts > 1 for each in drawn)
    return Fit(
        specification=specification,
        draws=xr.DataTree.from_dict({"posterior": posterior, **data(specification, cohort)}),
        diagnostics=pd.DataFrame(),
        unit=cohort.unit,
        end_of_follow_up=ensemble.end_of_follow_up,
        n_patients=cohort.n_patients,
        n_events=cohort.n_events,
        notes=tuple(_notes(specification, ensemble)),
        settings=settings.describe() | {"members": ensemble.n_members, "sampled_again": retried},
    )


def _notes(specification: Specification, ensemble: Ensemble) -> Iterator[str]:
    """What the reader must know, each thing once, with the number of members it is true of."""
    design, total = specification.design, ensemble.n_members
    yield from ensemble.cohort.notes
    events = ensemble.events
    for note in few_events(int(events.min()), len(design.terms)):
        most = "" if events.min() == events.max() else f" (up to {events.max()} in other members)"
        yield note.replace(" events for", f" events{most} for", 1)
    found: Counter[str] = Counter()
    for rows in ensemble.slices:
        found.update(covariate_remarks(member_design(design, rows), ensemble.cohort.event[rows]))
    for note, count in found.items():
        yield note if count == total else f"In {count} of {total} members: {note}"
    yield prior_remark(specification, ensemble.cohort.unit)
    yield (
        f"Pooled over {total} members of equal weight. Levels, cuts or knots that were not given, "
        "and the reference median are those of all members' rows together."
    )
