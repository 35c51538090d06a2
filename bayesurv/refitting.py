"""Fit a saved posterior again, without some patients or under other priors, with numpy alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bayesurv.data.faults import Fault, InputError, listed
from bayesurv.data.person_time import taken
from bayesurv.fitting import Fit, compiled_survival
from bayesurv.inference.diagnostics import diagnose
from bayesurv.inference.reweigh import (
    MAX_PARETO_K,
    smoothed,
    weighted_error,
    weighted_quantile,
)
from bayesurv.inference.tempering import temper
from bayesurv.models.compression import compressed
from bayesurv.models.counted import observed_counts
from bayesurv.models.density import Density
from bayesurv.models.likelihood import Observed
from bayesurv.models.priors import Priors
from bayesurv.posterior import groups

if TYPE_CHECKING:
    import xarray as xr


LEFT_OUT = "left_out"  # attribute of a refit's draws: who was left out


def refit(
    fit: Fit, *, without: Sequence[int] = (), priors: Priors | None = None, seed: int = 0
) -> Fit:
    """Fit the same model again, without some patients or under other priors.

    Without some patients, by the method "laplace"; where its weights are no good, and under other
    priors, the draws of the fit are moved to the new posterior, see `inference.tempering`. A saved
    fit is enough. Baseline, coding, cuts and the reference median of the
    prior stay those of the fit. The log likelihood is given for all patients, also those left
    out, for whom it is predictive.

    Parameters
    ----------
    without
        Positions from 0, in the cohort's order, of the patients to leave out, besides those that
        the fit was made without.
    priors
        In place of those of the fit; the level of the hazard must keep its kind of prior.

    Raises
    ------
    InputError
        The fit holds no draws of a posterior, there is no such patient, or the priors change what
        is sampled.
    """
    if without:
        needs_patients(fit, "leaving patients out")
    start = _stored(fit, "positions", "position")
    changed = fit if priors is None else with_priors(fit, priors)
    old, new = density(fit), density(changed)
    before = _present(fit, fit.draws.attrs.get(LEFT_OUT, ()))
    kept = before & _present(fit, without)

    def ends(position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pointwise = old.log_likelihood(position)
        prior = old.log_prior(position)
        other = prior if priors is None else new.log_prior(position)
        return prior + pointwise[:, before].sum(axis=-1), other + pointwise[:, kept].sum(axis=-1)

    entropy = [seed, *np.flatnonzero(~kept).tolist()]
    by_draws = priors is not None or fit.specification.two_modes
    drawn = None if by_draws else _approximated(fit, kept, start.shape[:2], entropy)
    settled = True
    if drawn is None:
        generator = np.random.default_rng(entropy)
        moved = temper(start.reshape(-1, start.shape[-1]), ends, generator)
        drawn = new.sampled(moved.position.reshape(start.shape))
        settled = moved.settled
    tree = _tree(fit.draws, groups(new, drawn, pointwise=not fit.counted))
    tree.attrs[LEFT_OUT] = np.flatnonzero(~kept).tolist()
    checks = diagnose(tree)
    failed = fit.failed or not (settled and checks["passed"].all())
    return replace(changed, draws=tree, diagnostics=checks, failed=failed)


@dataclass(frozen=True)
class Reweighed:
    """Draws of another posterior: those of a fit with weights, or of a refit with equal ones.

    weights : `(chain, draw)`, adding up to 1.
    pareto_k : of the weights that were tried first; above 0.7 they are not used.
    refitted : whether `fit` is a refit.
    """

    fit: Fit
    weights: np.ndarray
    pareto_k: float
    refitted: bool

    def probability(self, true: np.ndarray) -> float:
        """Posterior probability of what is true in some draws, shape `(chain, draw)`."""
        return float((self.weights * true).sum())

    def quantiles(self, values: np.ndarray, probabilities: Sequence[float]) -> np.ndarray:
        """Posterior quantiles of draws of shape `(chain, draw)`."""
        return weighted_quantile(values, self.weights, probabilities)

    def error(self, values: np.ndarray) -> float:
        """Monte-Carlo standard error of the posterior mean of draws of shape `(chain, draw)`."""
        return weighted_error(values, self.weights)


def leave_out(fit: Fit, patients: Sequence[int], seed: int = 0, *, exact: bool = True) -> Reweighed:
    """The posterior without some patients, by importance weights, or a refit where k > 0.7.

    `patients` are positions from 0 in the cohort's order. Unless `exact`, the weights are taken
    whatever k is.

    Raises
    ------
    InputError
        The fit holds no draws of a posterior.
    """
    pointwise = _stored(fit, "log_likelihood", "time")
    present = [i for i in patients if i not in fit.draws.attrs.get(LEFT_OUT, ())]
    log_ratio = -pointwise[..., present].sum(axis=-1)
    again = (lambda: refit(fit, without=patients, seed=seed)) if exact else None
    return _reweighed(fit, log_ratio, again)


def under_priors(fit: Fit, priors: Priors, seed: int = 0) -> Reweighed:
    """The posterior under other priors, by importance weights, or a refit where k > 0.7."""
    position = _stored(fit, "positions", "position")
    log_ratio = density(with_priors(fit, priors)).log_prior(position)
    log_ratio = log_ratio - density(fit).log_prior(position)
    found = _reweighed(fit, log_ratio, lambda: refit(fit, priors=priors, seed=seed))
    return found if found.refitted else replace(found, fit=with_priors(fit, priors))


def with_priors(fit: Fit, priors: Priors) -> Fit:
    """The same draws, said to be under other priors.

    Raises
    ------
    InputError
        The priors change what is sampled: they put the level of the hazard in other terms.
    """
    changed = replace(fit, specification=replace(fit.specification, priors=priors))
    if changed.specification.level != fit.specification.level:
        message = "these priors put the level of the hazard in other terms; fit the cohort again"
        raise InputError([Fault(message)])
    return changed


def _stored(fit: Fit, group: str, name: str) -> np.ndarray:
    """What a fit keeps of each draw of a posterior, `(chain, draw, ...)`."""
    if group == "log_likelihood":
        needs_patients(fit, "leaving one out")
    if group not in fit.draws.children:
        message = "draws of a prior know nothing of the patients; fit the cohort first"
        raise InputError([Fault(message)])
    return fit.draws[group][name].to_numpy()


def _reweighed(fit: Fit, log_ratio: np.ndarray, again: Callable[[], Fit] | None) -> Reweighed:
    weights, k = smoothed(log_ratio)
    if k <= MAX_PARETO_K or again is None:
        return Reweighed(fit, weights, k, refitted=False)
    other = again()
    return Reweighed(other, np.full(weights.shape, 1 / weights.size), k, refitted=True)


def density(fit: Fit) -> Density:
    """The fit's model and data as a density over positions."""
    if fit.counted:
        data = fit.draws["observed_data"]
        counted = (data[name].to_numpy() for name in ("events", "person_time", "start"))
        events, person_time, start = counted
        observed = observed_counts(fit.baseline, events, person_time, start[1:])
    else:
        observed = Observed.from_times(*_follow_up(fit), fit.baseline)
    patients = fit.draws["constant_data"]["individual"].to_numpy()
    return Density(fit.specification, observed, fit.design.rows, patients)


def _approximated(
    fit: Fit, kept: np.ndarray, shape: tuple[int, ...], entropy: Sequence[int]
) -> dict[str, np.ndarray] | None:
    """Sampled quantities `(chain, draw, ...)` given those kept; None where not to be trusted."""
    from bayesurv.inference.weighted import weighted_draws

    own = density(fit)
    chosen = kept[own.patients]
    follow_up = _follow_up(fit)
    observed, rows = compressed(
        fit.baseline,
        taken(own.rows, chosen),
        *(each[chosen] for each in follow_up),
        delayed=own.observed.entry is not None,
        interval=own.observed.upper is not None,
    )
    compiled = compiled_survival(fit.specification, observed, rows)
    found = weighted_draws(compiled, int(np.prod(shape)), entropy)
    if not found.reliable:
        return None
    drawn = {block.name: found.parameters[block.name] for block in own.blocks()}
    return {name: values.reshape(*shape, *values.shape[1:]) for name, values in drawn.items()}


def _follow_up(fit: Fit) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Entry, time, upper and event of each row, as a Cohort holds them."""
    data = {k: v.to_numpy() for k, v in fit.draws["observed_data"].data_vars.items()}
    return data["entry"], data["time"], data["upper"], data["event"] > 0


def total_log_likelihood(fit: Fit) -> np.ndarray:
    """Log likelihood of all patients together at each draw of a fit, `(chain, draw)`."""
    if fit.counted:
        return density(fit).log_likelihood(_stored(fit, "positions", "position")).sum(axis=-1)
    return _stored(fit, "log_likelihood", "time").sum(axis=-1)


def needs_patients(fit: Fit, what: str) -> None:
    """Refuse what is worked out patient by patient for a fit of counts.

    Raises
    ------
    InputError
        The fit is one of counts.
    """
    if fit.counted:
        message = f"this fit was made from counts, and {what} needs the patients themselves"
        raise InputError([Fault(f"{message}; fit them where they are")])


def _tree(old: "xr.DataTree", new: "dict[str, xr.Dataset]") -> "xr.DataTree":
    """New draws with the data of the old ones."""
    import xarray as xr

    data = {name: old[name].to_dataset() for name in ("observed_data", "constant_data")}
    tree = xr.DataTree.from_dict(new | data)
    tree.attrs = dict(old.attrs)
    return tree


def _present(fit: Fit, without: Sequence[int]) -> np.ndarray:
    """Patients (of counts, patterns) who are not left out, as a mask."""
    size = int(fit.draws["constant_data"]["individual"].max()) + 1
    unknown = [i for i in without if not 0 <= i < size]
    if unknown:
        message = f"without: no patients at {listed(unknown)}; positions run from 0 to "
        raise InputError([Fault(f"{message}{size - 1}")])
    present = np.ones(size, dtype=bool)
    present[list(without)] = False
    return present
