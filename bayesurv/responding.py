"""Fit binary outcomes: the one place where they, their model and inference meet."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.data.design import Design
from bayesurv.data.outcomes import Outcomes
from bayesurv.fitting import CohortWarning, compiled_model, run_model
from bayesurv.models.build import build_response
from bayesurv.models.prior_draws import prior_draws
from bayesurv.models.response import OutcomePriors, OutcomeSpecification, outcome_arrays

if TYPE_CHECKING:
    import xarray as xr

    from bayesurv.inference.sample import Progress, Sampling

POOLED = (
    "The outcomes share their priors: a term's odds ratios are drawn towards their mean "
    "(group_mean, group_sd), and a patient may be more or less prone to all of them (patient_sd)."
)


@dataclass(frozen=True)
class ResponseFit:
    """A posterior of binary outcomes and all that is needed to use it.

    draws : DataTree with groups `posterior`, `patients` (the effect of each, where outcomes share
        one), `sample_stats`, `log_likelihood` (per patient, given the effect) and `observed_data`.
    diagnostics : one row for each check of the sampler.
    notes : what the reader must know, in sentences.
    """

    specification: OutcomeSpecification
    outcomes: Outcomes
    draws: "xr.DataTree"
    diagnostics: pd.DataFrame
    notes: tuple[str, ...]
    settings: Mapping[str, Any]
    failed: bool = False

    @property
    def design(self) -> Design:
        """Coding of the covariates."""
        return self.specification.design

    @property
    def posterior(self) -> "xr.Dataset":
        """Draws by parameter, dims `(chain, draw, ...)`; without the effects of the patients."""
        return self.draws["posterior"].to_dataset()

    def parameters(self) -> dict[str, np.ndarray]:
        """Draws as arrays of shape `(chain, draw, ...)`, with the effects of the patients."""
        groups = [self.draws[name] for name in ("posterior", "patients") if name in self.draws]
        return {str(k): v.to_numpy() for group in groups for k, v in group.data_vars.items()}


def respond(
    outcomes: Outcomes,
    formula: str,
    *,
    priors: OutcomePriors | None = None,
    sampling: "Sampling | None" = None,
    seed: int | None = None,
    progress: "Progress | None" = None,
    force: bool = False,
) -> ResponseFit:
    """Fit one or several outcomes of the same patients by MCMC; several share their priors.

    Parameters
    ----------
    outcomes, formula
        The patients, and the right-hand side of the model in formulae's language.
    priors
        The table of defaults unless given.
    sampling, seed
        Settings of the sampler; the same seed gives the same numbers.
    progress
        Called with the share of the draws that are done.
    force
        Return the draws even when they fail the checks twice; they are marked as failed.

    Raises
    ------
    InputError
        Formula, covariates or priors that cannot be used.
    SamplingError
        The draws fail the checks after one retry with stricter settings.
    """
    import xarray as xr

    design = Design.from_frame(formula, outcomes.covariates)
    specification = OutcomeSpecification(design, outcomes.names, priors or OutcomePriors())
    data, sampled = outcome_arrays(design, outcomes.values), specification.sampled()
    compiled = compiled_model(
        sampled,
        data | {k: v for quantity in sampled for k, v in quantity.hyperparameters().items()},
        _shape(specification),
        lambda: build_response(specification, data),
    )
    run = run_model(compiled, sampling, seed, progress, force)
    notes = (*outcomes.notes, *remarks(outcomes, specification))
    for note in notes:
        warnings.warn(note, CohortWarning, stacklevel=2)
    drawn = run.tree["posterior"].to_dataset()
    parameters = specification.parameters({str(k): v.to_numpy() for k, v in drawn.items()})
    groups = _groups(specification, outcomes, parameters)
    groups["sample_stats"] = run.tree["sample_stats"].to_dataset()
    return ResponseFit(
        specification=specification,
        outcomes=outcomes,
        draws=xr.DataTree.from_dict(groups),
        diagnostics=run.diagnostics,
        notes=notes,
        settings=run.settings.describe(),
        failed=bool(run.failures),
    )


def prior_of(fit: ResponseFit, draws: int = 4000, seed: int = 0) -> ResponseFit:
    """The same model with draws from its prior: what it believes before any outcome."""
    import xarray as xr

    parameters = prior_draws(fit.specification, draws, seed)
    groups = _groups(fit.specification, fit.outcomes, parameters)
    return replace(fit, draws=xr.DataTree.from_dict(groups), failed=False)


def remarks(outcomes: Outcomes, specification: OutcomeSpecification) -> list[str]:
    """How outcomes are tied together, which are not known of all, and arms without or with only."""
    notes = [POOLED] if specification.pooled else []
    if len(outcomes.names) > 1 and not specification.pooled:
        notes.append("Each risk has a prior of its own: nothing is shared between outcomes.")
    for name, values in zip(outcomes.names, outcomes.values.T, strict=True):
        unknown = int(np.isnan(values).sum())
        if unknown:
            who = f"{unknown} of {outcomes.n_patients} patients"
            notes.append(f"{name} is not known of {who}, who leave this outcome only.")
        for _, levels in specification.design.training.items():
            if levels.nunique() == 2:
                notes += _one_sided(name, values, levels, specification)
    return notes


def _one_sided(
    name: str, values: np.ndarray, levels: pd.Series, specification: OutcomeSpecification
) -> Iterator[str]:
    """Say where nobody, or everybody, with a level of a covariate had the outcome."""
    others = " and on the other outcomes" if specification.pooled else ""
    for level in levels.unique():
        known = values[(levels == level).to_numpy() & ~np.isnan(values)]
        if len(known) and np.ptp(known) == 0:
            who = "Every patient" if known[0] else "No patient"
            yield (
                f"{who} with {levels.name} = {level} had {name}: there is no finite "
                f"maximum-likelihood odds ratio, and the posterior rests on the prior{others}."
            )


def _shape(specification: OutcomeSpecification) -> tuple:
    """What a compiled model depends on besides the values of its data."""
    sampled, coords = specification.sampled(), specification.coords()
    families = tuple((q.name, q.dim, tuple(type(p) for p in q.priors)) for q in sampled)
    dims = [q.dim for q in sampled] + [dim for _, dim in specification.standard_normals()]
    sizes = tuple((dim, len(coords[dim])) for dim in dims if dim is not None)
    return ("outcomes", families, sizes)


def _groups(
    specification: OutcomeSpecification, outcomes: Outcomes, parameters: Mapping[str, np.ndarray]
) -> "dict[str, xr.Dataset]":
    """Draws, each `(chain, draw, ...)`, as groups with their likelihood and the outcomes."""
    import xarray as xr

    coords = specification.coords()

    def dataset(values: Mapping[str, np.ndarray]) -> xr.Dataset:
        table: dict[str, Any] = {}
        labels: dict[str, list] = {}
        for name, array in values.items():
            dim = specification.dim(name)
            table[name] = (("chain", "draw", *([dim] if dim else [])), array)
            labels |= {dim: coords[dim]} if dim else {}
        return xr.Dataset(table, labels)

    data = outcome_arrays(specification.design, outcomes.values)
    groups = {
        "posterior": {k: v for k, v in parameters.items() if k != "patient_effect"},
        "patients": {k: v for k, v in parameters.items() if k == "patient_effect"},
        "log_likelihood": {"outcomes": specification.log_likelihood(data, parameters)},
    }
    observed = xr.Dataset({"outcomes": (("individual", "outcome"), outcomes.values)})
    return {name: dataset(group) for name, group in groups.items() if group} | {
        "observed_data": observed.assign_coords(outcome=coords["outcome"])
    }
