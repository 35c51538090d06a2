"""Arms compared in every member of an ensemble, each over its own patients, inside each draw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from bayesurv.data.design import Rows
from bayesurv.data.ensemble import followed_until
from bayesurv.data.faults import Fault, InputError
from bayesurv.ensembles import EnsembleFit
from bayesurv.estimands.arms import (
    Arms,
    Comparison,
    checked_horizon,
    checked_milestones,
    treated,
    treatment_arms,
)
from bayesurv.estimands.curves import bounded_exp
from bayesurv.estimands.margins import NO_MARGINS, Margins
from bayesurv.estimands.population import Mixture, distinct_rows
from bayesurv.models.likelihood import linear_predictor

ENOUGH_DRAWS = 15_000  # of all members, for curves over their patients


@dataclass(frozen=True)
class MemberComparison(Comparison):
    """The arms of a treatment, every member's patients under each; see `Comparison`.

    `patients` are those of the first member; `curves`, ratios and medians are over each member's
    own, and have the members one after the other along the chains.
    """

    ensemble_fit: EnsembleFit | None = None

    @property
    def whole(self) -> EnsembleFit:
        """The members that are compared."""
        if self.ensemble_fit is None:
            raise ValueError("a comparison of members needs their fit")
        return self.ensemble_fit

    @cached_property
    def mixtures(self) -> list[Mixture]:
        """Each member's patients under each level of the treatment, in each draw."""
        treatment, levels = self.arms.treatment, self.arms.levels
        training = self.fit.design.training
        return [
            member_mixture(self.whole, treated(self.fit, training, treatment, level))
            for level in levels
        ]


def compare_members(
    fit: EnsembleFit,
    treatment: str,
    horizon: float | None = None,
    times: Sequence[float] | None = None,
    margins: Margins = NO_MARGINS,
) -> MemberComparison:
    """The two arms of a treatment in every member, over its own patients.

    Of the draws as many are used as make 15,000 of all members together. Unless given, the horizon
    is the last time that is within the follow-up of both arms in every member.

    Raises
    ------
    InputError
        Lists every fault, as `estimands.benefit.compare_arms`.
    """
    thin = thinned(fit)
    arms = member_arms(fit, treatment)
    faults: list[Fault] = []
    try:
        until = checked_horizon(arms, horizon, fit.stacked.unit)
        faults += margins.faults(until, fit.stacked.unit)
    except InputError as error:
        faults += error.faults
    try:
        milestones = checked_milestones(arms, times or (), fit.stacked.unit)
    except InputError as error:
        faults += error.faults
    if faults:
        raise InputError(
            replace(each, message=f"{each.message}, in every member") for each in faults
        )
    first = fit.stacked.design.training.iloc[fit.ensemble.slices[0]]
    return MemberComparison(thin.stacked, arms, until, milestones, first, ensemble_fit=thin)


def member_arms(fit: EnsembleFit, treatment: str) -> Arms:
    """The two arms; their end is within the follow-up of both in every member.

    An arm of a member whose last patient had the event is followed to its end, see
    `followed_until`; of few patients and many events that is the rule, not the exception.

    Raises
    ------
    InputError
        The treatment is not in the formula, or has not two levels.
    """
    arms = treatment_arms(fit.stacked, treatment)
    given = fit.stacked.design.training[treatment].to_numpy()
    ends = [fit.ensemble.end_of_follow_up]
    for rows in fit.ensemble.slices:
        for level in arms.levels:
            own = np.flatnonzero(given[rows] == level)
            ends += [followed_until(fit.ensemble.cohort, rows.start + own)] * bool(len(own))
    return replace(arms, end=min(ends))


def member_mixture(fit: EnsembleFit, patients: pd.DataFrame) -> Mixture:
    """Each member's patients in each of its draws, as one mixture for the stacked fit.

    `patients` are covariates of all members' rows. Members have different numbers of distinct
    patients; those with fewer are filled up with a share of 0.
    """
    rows = fit.stacked.design.apply(patients)
    individual = fit.stacked.draws["constant_data"]["individual"].to_numpy()
    firsts = np.unique(individual, return_index=True)[1]
    found = []
    for position in range(fit.n_members):
        own = firsts[fit.ensemble.position[firsts] == position]
        distinct, member = distinct_rows(Rows(*(array[own] for array in vars(rows).values())))
        found.append((distinct, np.bincount(member) / len(member)))
    most = max(len(share) for _, share in found)
    sizes = fit.stacked.posterior.sizes
    chains = sizes["chain"] // fit.n_members
    relative = np.empty((sizes["chain"], sizes["draw"], most))
    shares = np.zeros((sizes["chain"], 1, most))
    parameters = fit.stacked.parameters()
    for position, (distinct, share) in enumerate(found):
        here = slice(position * chains, (position + 1) * chains)
        own_draws = {name: values[here] for name, values in parameters.items()}
        predictor = linear_predictor(fit.stacked.design, distinct, own_draws, np)
        hazards = bounded_exp(predictor)
        relative[here] = hazards[..., :1]
        relative[here, :, : len(share)] = hazards
        shares[here, :, : len(share)] = share
    return Mixture(shares, relative)


def thinned(fit: EnsembleFit) -> EnsembleFit:
    """The fit with as many draws of each member as make 15,000 of all together."""
    sizes = fit.stacked.posterior.sizes
    return fit.thinned(max(1, sizes["chain"] * sizes["draw"] // ENOUGH_DRAWS))
