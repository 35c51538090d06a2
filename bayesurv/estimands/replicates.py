"""Cohorts replicated from the posterior, each patient under their own follow-up and censoring."""

from dataclasses import dataclass, replace

import numpy as np

from bayesurv.estimands.patients import FollowUp, Walk, follow_up
from bayesurv.fitting import Fit

DRAWS, SEED = 500, 0
CERTAIN = 1e3  # a cumulative hazard that nobody escapes


@dataclass(frozen=True, eq=False)
class Ends:
    """How follow-up ended: the time, and whether it was the event; `(replicate, patient)`."""

    time: np.ndarray
    event: np.ndarray

    def of(self, chosen: np.ndarray) -> "Ends":
        """Of some patients, given as a mask."""
        return Ends(self.time[:, chosen], self.event[:, chosen])


@dataclass(frozen=True, eq=False)
class Replicates:
    """Follow-up of the cohort's patients as the model would have it happen again.

    again : as replicated.
    observed : what each replicate is compared with; one row where every event time is known.
    hazard : (replicate, patient) cumulative hazard from entry to the end, in the same draw.
    entry : (patient,) as observed.
    chains : number of chains; replicates of one chain follow each other.
    """

    again: Ends
    observed: Ends
    hazard: np.ndarray
    entry: np.ndarray
    chains: int


def replicate(
    fit: Fit,
    draws: int = DRAWS,
    seed: int = SEED,
    *,
    groups: np.ndarray | None = None,
) -> Replicates:
    """Replicate the cohort, each time from a posterior draw of its own.

    A patient's event is drawn given survival to their own entry, through their own rows. It is
    censored where the patient was; where the patient had the event, the time at which follow-up
    would have ended is unknown and is drawn, in each replicate, from the reverse Kaplan-Meier
    estimate of the patient's group beyond the event, at the latest at the group's last time. Where
    an event is known only to an interval, the observed data are completed from the same draw.

    Parameters
    ----------
    draws
        Number of replicates, rounded up to the same number from each chain.
    groups
        Shape `(patient,)`: whose censoring is alike; all patients' unless given.

    Source: Gelman, Meng and Stern, Statistica Sinica 1996.
    """
    random = np.random.default_rng(seed)
    thin = spread(fit, draws)
    follow = follow_up(fit)
    walk = Walk(thin, follow)
    count = thin.posterior.sizes["chain"] * thin.posterior.sizes["draw"]
    alike = np.zeros(len(follow.entry), dtype=int) if groups is None else groups
    completed = complete(walk, random)
    limit = potential_censoring(follow, alike, count, random)
    again, hazard = live_again(walk, limit, random)
    return Replicates(
        again=again,
        observed=Ends(completed, np.broadcast_to(follow.event, completed.shape)),
        hazard=hazard,
        entry=follow.entry,
        chains=thin.posterior.sizes["chain"],
    )


def live_again(
    walk: Walk, limit: np.ndarray, random: np.random.Generator
) -> tuple[Ends, np.ndarray]:
    """Draw each patient's event from the model, censored at a limit, both `(replicate, patient)`.

    With the cumulative hazard from entry to the end.
    """
    reached = walk.hazard(limit)
    drawn = random.standard_exponential(limit.shape)
    event = drawn <= reached
    time = np.where(event, np.minimum(walk.time(drawn), limit), limit)
    return Ends(time, event), np.minimum(drawn, reached)


def spread(fit: Fit, draws: int) -> Fit:
    """The same fit with so many draws, evenly spread over the chains."""
    sizes = fit.posterior.sizes
    each = -(-draws // sizes["chain"])
    chosen = np.linspace(0, sizes["draw"] - 1, each).round().astype(int)
    tree = fit.draws.copy()
    tree["posterior"] = tree["posterior"].isel(draw=chosen)
    return replace(fit, draws=tree)


def complete(walk: Walk, random: np.random.Generator) -> np.ndarray:
    """Times observed, with events in (time, upper] drawn from the model given that they are there.

    Shape `(replicate, patient)`, or one row where every event time is known.
    """
    follow = walk.follow
    if not follow.interval.any():
        return follow.time[None]
    low, high = walk.hazard(follow.time), walk.hazard(follow.upper)
    share = random.random(low.shape) * -np.expm1(low - high)
    time = np.clip(walk.time(low - np.log1p(-share)), follow.time, follow.upper)
    return np.where(follow.interval, time, follow.time)


def potential_censoring(
    follow: FollowUp, groups: np.ndarray, count: int, random: np.random.Generator
) -> np.ndarray:
    """Times at which follow-up would end without the event, `(replicate, patient)`.

    A censored patient's is the one observed. A patient's with the event is drawn given that it is
    not before the event; where the estimate leaves some beyond, that is the group's last time.
    """
    times = np.tile(follow.time, (count, 1))
    for group in np.unique(groups):
        member = groups == group
        ends = follow.upper[member]
        at, hazard = censoring_hazard(follow.entry[member], ends, follow.event[member])
        lost = member & follow.event
        passed = np.append(0, hazard)[np.searchsorted(at, follow.upper[lost])]
        target = passed + random.standard_exponential((count, lost.sum()))
        # Beyond the last time of censoring everyone alive is seen until the group's last time.
        times[:, lost] = np.append(at, ends.max())[np.searchsorted(hazard, target)]
    return times


def censoring_hazard(
    entry: np.ndarray, time: np.ndarray, event: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative hazard of being censored, at the times at which someone was.

    exp(-hazard) is the reverse Kaplan-Meier estimate; an event comes before a censoring at the
    same time.
    """
    at, lost = np.unique(time[~event], return_counts=True)
    earlier = np.searchsorted(np.sort(time[~event]), at)
    gone = earlier + np.searchsorted(np.sort(time[event]), at, side="right")
    at_risk = np.searchsorted(np.sort(entry), at) - gone
    with np.errstate(divide="ignore"):
        hazard = np.minimum(-np.log1p(-lost / at_risk), CERTAIN)
    return at, np.cumsum(hazard)
