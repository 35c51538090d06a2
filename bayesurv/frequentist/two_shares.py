"""Two shares of patients compared: difference and ratios, with intervals for small numbers."""

from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class TwoShares:
    """How many of `patients` had it, `events`, in two arms; the second is compared with the first.

    events, patients : (arm,)
    """

    events: tuple[int, int]
    patients: tuple[int, int]

    def exact(self, arm: int, ci_prob: float = 0.95) -> tuple[float, float]:
        """Exact interval of one arm's share.

        Source: Clopper and Pearson, Biometrika 1934.
        """
        found = stats.binomtest(self.events[arm], self.patients[arm]).proportion_ci(
            ci_prob, "exact"
        )
        return float(found.low), float(found.high)

    @property
    def difference(self) -> float:
        """Share of the second arm less that of the first."""
        first, second = self._shares
        return second - first

    def difference_interval(self, ci_prob: float = 0.95) -> tuple[float, float]:
        """Interval of the difference from Wilson's of the two shares.

        Source: Newcombe, Statistics in Medicine 1998, method 10.
        """
        (low1, high1), (low2, high2) = (self._wilson(arm, ci_prob) for arm in (0, 1))
        first, second = self._shares
        below = np.hypot(second - low2, high1 - first)
        above = np.hypot(high2 - second, first - low1)
        return float(self.difference - below), float(self.difference + above)

    @property
    def ratio(self) -> float:
        """Share of the second arm over that of the first; infinite where the first has none."""
        first, second = self._shares
        return second / first if first else np.inf if second else np.nan

    def ratio_interval(self, ci_prob: float = 0.95) -> tuple[float, float]:
        """Interval of the ratio on the log scale; NaN where an arm has none.

        Source: Katz, Baptista, Azen and Pike, Biometrics 1978.
        """
        if not all(self.events):
            return np.nan, np.nan
        first, second = zip(self.events, self.patients, strict=True)
        found = stats.contingency.relative_risk(*second, *first).confidence_interval(ci_prob)
        return float(found.low), float(found.high)

    def odds_ratio(self, ci_prob: float = 0.95) -> tuple[float, float, float]:
        """Conditional odds ratio of the second arm against the first, with its exact interval.

        Source: Fisher, The Design of Experiments 1935; Cornfield, Berkeley Symposium 1956.
        """
        without = [n - x for x, n in zip(self.events, self.patients, strict=True)]
        table = np.array([self.events[::-1], without[::-1]])
        found = stats.contingency.odds_ratio(table, kind="conditional")
        limits = found.confidence_interval(ci_prob)
        return float(found.statistic), float(limits.low), float(limits.high)

    @property
    def _shares(self) -> tuple[float, float]:
        first, second = (x / n for x, n in zip(self.events, self.patients, strict=True))
        return first, second

    def _wilson(self, arm: int, ci_prob: float) -> tuple[float, float]:
        found = stats.binomtest(self.events[arm], self.patients[arm])
        low, high = found.proportion_ci(ci_prob, "wilson")
        return float(low), float(high)
