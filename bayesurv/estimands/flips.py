"""The fewest patients without whom the conclusion about a treatment would be another.

Weights for several patients are products of those for each, so that every single patient and
every pair is looked at; a larger set grows by the patient who moves it most, from a refit without
those before. Whatever is reported comes from a refit without the whole set.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bayesurv.data.faults import InputError
from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.conclusion import ERRORS, Aim, Conclusion, threshold_faults
from bayesurv.estimands.influence import each_left_out
from bayesurv.fitting import Fit
from bayesurv.inference.reweigh import MAX_PARETO_K, smoothed
from bayesurv.refitting import Reweighed, refit

MOST_REMOVED = 10
TRIED = 3  # sets of one size that are refitted, where their weights say that they suffice
FURTHEST = 10  # sets of one size that are refitted where their weights are not reliable


@dataclass(frozen=True)
class Removal:
    """The answer of a refit without some patients, given as positions from 0."""

    patients: tuple[int, ...]
    asked: Comparison
    conclusion: Conclusion

    def reaches(self, aim: Aim) -> bool:
        """Whether the refit is past the aim's bound by more than Monte-Carlo error."""
        passed = aim.beyond(self.conclusion.prob_benefit) > ERRORS * self.conclusion.mcse
        return passed and not self.asked.fit.failed


@dataclass(frozen=True)
class Guesses:
    """P(benefit) without each of several sets of patients, as weights say.

    sets : (set, patient) positions from 0; prob_benefit : (set,); unsure : (set,) sets whose
    weights are not to be relied on.
    """

    sets: np.ndarray
    prob_benefit: np.ndarray
    unsure: np.ndarray

    def promising(self, aim: Aim) -> Iterator[Sequence[int]]:
        """The set furthest towards the aim, the next where they reach it, and those unsure."""
        beyond = aim.beyond(self.prob_benefit)
        order = np.argsort(-beyond, kind="stable")
        reaching = [place for place in order[:TRIED] if beyond[place] > 0]
        unsure = [place for place in order[:FURTHEST] if self.unsure[place]]
        for place in dict.fromkeys([order[0], *reaching, *unsure]):
            yield self.sets[place].tolist()


@dataclass(frozen=True)
class Search:
    """Looks for the fewest patients whose removal leads to an aim, from guesses for one and two."""

    asked: Comparison
    threshold: float
    alone: Guesses
    pairs: Guesses
    seed: int = 0

    @classmethod
    def of(
        cls, asked: Comparison, left_out: Sequence[Reweighed], threshold: float, seed: int = 0
    ) -> "Search":
        """Start from the posteriors without each patient."""
        refits = {i: replace(asked, fit=e.fit) for i, e in enumerate(left_out) if e.refitted}
        helps = asked.hazard_ratio < 1
        alone = [
            each.probability(refits[i].hazard_ratio < 1 if i in refits else helps)
            for i, each in enumerate(left_out)
        ]
        single = np.arange(len(alone))[:, None]
        singles = Guesses(single, np.array(alone), np.zeros(len(alone), dtype=bool))
        return cls(asked, threshold, singles, without_pairs(asked, refits), seed)

    def without(self, patients: Sequence[int]) -> Removal:
        """Refit without some patients."""
        chosen = tuple(sorted(patients))
        asked = replace(self.asked, fit=refit(self.asked.fit, without=chosen, seed=self.seed))
        return Removal(chosen, asked, Conclusion.of(asked.hazard_ratio, self.threshold))

    def fewest(self, aim: Aim, most: int) -> Removal:
        """The fewest patients, or the set found to come nearest to the aim where none gets there.

        One patient and two are all looked at; beyond two, there may be a smaller set than that
        found, unless it is of three.
        """
        best = self._nearest(aim, self.alone)
        if not best.reaches(aim) and most > 1:
            best = self._nearest(aim, self.pairs)
        while not best.reaches(aim) and len(best.patients) < most:
            best = self._nearest(aim, without_one_more(best))
        return best

    def _nearest(self, aim: Aim, guesses: Guesses) -> Removal:
        """The first promising set that reaches the aim, or the one nearest to it."""
        tried: list[Removal] = []
        for patients in guesses.promising(aim):
            tried.append(self.without(patients))
            if tried[-1].reaches(aim):
                return tried[-1]
        return max(tried, key=lambda each: aim.beyond(each.conclusion.prob_benefit))


def flips(
    fit: Fit, treatment: str, horizon: float | None = None, threshold: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """For each other conclusion, the fewest patients whose removal leads to it.

    The conclusion is "benefit" where P(hazard ratio < 1) is at least the threshold, "harm" where
    it is at most 1 - threshold, and else "undecided"; the hazard ratio is that of `influence`.

    Columns: `direction`, the other conclusion; `patients_removed` and `patients`, their numbers
    from 1 with spaces between; `prob_benefit` with its Monte-Carlo error `mcse`, and
    `hazard_ratio`, posterior median, of a refit without them; `flips`, whether P(benefit) passes
    its bound by more than two Monte-Carlo errors; `exact`, whether no smaller set does: up to
    three patients every smaller set was looked at, beyond that the number is an upper bound. A
    set that does not flip the conclusion is the nearest that was found, of at most 10 patients
    and a fifth of the cohort, or as many as flip it in the other direction.

    Raises
    ------
    InputError
        The threshold is not above 0.5 and below 1, or as for `influence`.
    """
    if faults := threshold_faults(threshold):
        raise InputError(faults)
    asked = compare_arms(fit, treatment, horizon)
    found = Search.of(asked, each_left_out(fit, seed), threshold, seed)
    return flip_table(found, most_removed(fit.n_patients))


def flip_table(search: Search, most: int) -> pd.DataFrame:
    """The columns of `flips`, from a search for sets of at most so many patients."""
    rows = []
    for aim in Conclusion.of(search.asked.hazard_ratio, search.threshold).aims():
        found = search.fewest(aim, most)
        reached = found.reaches(aim)
        most = len(found.patients) if reached else most
        rows.append(
            {
                "direction": aim.word,
                "patients_removed": len(found.patients),
                "patients": " ".join(str(i + 1) for i in found.patients),
                "prob_benefit": found.conclusion.prob_benefit,
                "mcse": found.conclusion.mcse,
                "hazard_ratio": found.conclusion.hazard_ratio,
                "flips": reached,
                "exact": reached and len(found.patients) <= 3,
            }
        )
    return pd.DataFrame(rows)


def most_removed(patients: int) -> int:
    """The most patients that are left out together: 10, or a fifth of fewer than 50."""
    return max(1, min(MOST_REMOVED, patients // 5))


def without_pairs(asked: Comparison, alone: Mapping[int, Comparison]) -> Guesses:
    """P(benefit) without each two patients, by weights.

    sum_s w_si w_sj [ratio_s < 1] / sum_s w_si w_sj over the draws s; from the refit without one
    of the two where there is one, `alone`. Where there are two, neither's weights are reliable.
    """
    weights = _weights(asked)
    helps = asked.hazard_ratio.reshape(-1, 1) < 1
    table = weights.T @ (helps * weights) / (weights.T @ weights)
    refitted = np.zeros(len(table), dtype=bool)
    for patient, other in alone.items():
        table[patient] = table[:, patient] = _without_each(other)
        refitted[patient] = True
    first, second = np.triu_indices(len(table), 1)
    sets = np.column_stack([first, second])
    return Guesses(sets, table[first, second], refitted[first] & refitted[second])


def without_one_more(removal: Removal) -> Guesses:
    """P(benefit) without the patients of a removal and each other one, by weights on its refit."""
    pointwise = removal.asked.fit.draws["log_likelihood"]["time"].to_numpy()
    others = np.setdiff1d(np.arange(pointwise.shape[-1]), removal.patients)
    unsure = [smoothed(-pointwise[..., i])[1] > MAX_PARETO_K for i in others]
    sets = np.column_stack([np.tile(removal.patients, (len(others), 1)), others])
    return Guesses(sets, _without_each(removal.asked)[others], np.array(unsure))


def _without_each(asked: Comparison) -> np.ndarray:
    """P(benefit) without each patient further, `(patient,)`, by weights on the fit's draws."""
    weights = _weights(asked)
    helps = asked.hazard_ratio.reshape(-1) < 1
    return helps @ weights / weights.sum(axis=0)


def _weights(asked: Comparison) -> np.ndarray:
    """Importance weights for leaving out each patient, `(draw, patient)`, 1 at the largest."""
    pointwise = asked.fit.draws["log_likelihood"]["time"].to_numpy()
    log_weight = -pointwise.reshape(-1, pointwise.shape[-1])
    return np.exp(log_weight - log_weight.max(axis=0))
