"""How a posterior moves when its prior or its likelihood is scaled by a power near 1."""

from dataclasses import dataclass

import numpy as np

ALPHAS = (0.99, 1.01)
SENSITIVE = 0.05
CONFLICT = "potential prior-data conflict"
STRONG_PRIOR = "strong prior or weak data"
NOT_SENSITIVE = "not sensitive"


@dataclass(frozen=True)
class PowerScaling:
    """Weights of draws when one part of the density is raised to the powers 0.99 and 1.01.

    lower, upper : `(chain, draw)`, each adding up to 1.
    """

    lower: np.ndarray
    upper: np.ndarray

    @classmethod
    def of(cls, log_density: np.ndarray) -> "PowerScaling":
        """Weights density^(alpha - 1), Pareto-smoothed, of a part's log density `(chain, draw)`."""
        from arviz_stats.base import array_stats

        def weights(alpha: float) -> np.ndarray:
            log_weight = array_stats.power_scale_lw(log_density, alpha=alpha, axis=(0, 1))
            weight = np.exp(log_weight - log_weight.max())
            return weight / weight.sum()

        return cls(*map(weights, ALPHAS))

    def sensitivity(self, draws: np.ndarray) -> float:
        """Distance that a quantity's distribution moves for each doubling of the power.

        The gradient in log2(alpha) of the cumulative Jensen-Shannon distance between the draws
        `(chain, draw)` and the weighted draws.

        Source: Kallioinen et al., Statistics and Computing 2024, through arviz-stats.
        """
        from arviz_stats.base import array_stats

        found = array_stats.power_scale_sense(
            draws, self.lower, self.upper, *ALPHAS, chain_axis=0, draw_axis=1
        )
        return float(found)


def diagnosis(prior: float, likelihood: float) -> str:
    """What the sensitivities to prior and likelihood together say, 0.05 being sensitive."""
    if not prior >= SENSITIVE:
        return NOT_SENSITIVE
    return CONFLICT if likelihood >= SENSITIVE else STRONG_PRIOR
