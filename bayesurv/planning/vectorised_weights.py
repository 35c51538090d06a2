"""Pareto-smoothed importance weights and weighted summaries of one study, on JAX arrays.

The same rules as `inference.reweigh`, written for programs that JAX compiles and vectorises.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesurv.models.baselines import Array

PRIOR_K, PRIOR_WEIGHT = 0.5, 10  # k-hat is drawn towards 0.5, as by 10 draws of the tail


@dataclass(frozen=True)
class Tail:
    """Generalised Pareto distribution of the largest weights, above a cutoff."""

    k: Array
    scale: Array

    def quantiles(self, probability: np.ndarray, xp: Any) -> Array:
        """Distance from the cutoff at each probability."""
        decay = -xp.log1p(-probability)
        flat = xp.abs(self.k) < 1e-12
        k = xp.where(flat, 1.0, self.k)
        return self.scale * xp.where(flat, decay, xp.expm1(k * decay) / k)


def tail_length(draws: int) -> int:
    """Number of largest weights to which the tail is fitted."""
    return int(min(0.2 * draws, 3 * np.sqrt(draws)))


def smoothed(log_ratio: Array) -> tuple[Array, Array]:
    """Smoothed weights `(draw,)` that add up to 1, of log ratios `(draw,)`, and Pareto k.

    k is nan where no tail could be fitted; the weights then stand as they are.

    Source: Vehtari et al., JMLR 2024.
    """
    import jax.numpy as jnp

    length = tail_length(log_ratio.shape[-1])
    relative = log_ratio - log_ratio.max()
    order = jnp.argsort(relative)
    last = order[-length:]
    cutoff = jnp.exp(relative[order[-length - 1]])
    tail = fitted_tail(jnp.exp(relative[last]) - cutoff)
    middle = (np.arange(length) + 0.5) / length
    replaced = jnp.minimum(jnp.log(cutoff + tail.quantiles(middle, jnp)), 0.0)
    usable = jnp.isfinite(tail.k) & (tail.scale > 0)
    relative = relative.at[last].set(jnp.where(usable, replaced, relative[last]))
    weight = jnp.exp(relative - relative.max())
    return weight / weight.sum(), tail.k


def fitted_tail(excess: Array) -> Tail:
    """Fit a generalised Pareto distribution to ascending excesses `(draw,)` above a cutoff.

    Source: Zhang and Stephens, Technometrics 2009; prior of k by Vehtari et al., JMLR 2024.
    """
    import jax.numpy as jnp
    from jax.nn import softmax

    count = excess.shape[-1]
    points = 30 + int(np.sqrt(count))
    quartile = excess[int(count / 4 + 0.5) - 1]
    grid = 1 - np.sqrt(points / (np.arange(1, points + 1) - 0.5))
    theta = grid / (3 * quartile) + 1 / excess[-1]
    k = jnp.log1p(-theta[:, None] * excess).mean(axis=-1)
    chosen = softmax(count * (jnp.log(-theta / k) - k - 1)) @ theta
    k = jnp.log1p(-chosen * excess).mean()
    shrunk = (count * k + PRIOR_WEIGHT * PRIOR_K) / (count + PRIOR_WEIGHT)
    fits = (quartile > excess[0]) & jnp.isfinite(shrunk)
    return Tail(jnp.where(fits, shrunk, jnp.nan), -k / chosen)


def weighted_quantiles(values: Array, weight: Array, probabilities: Array) -> Array:
    """Quantiles of weighted draws, both `(draw,)`, as `inference.reweigh` has them."""
    import jax.numpy as jnp

    order = jnp.argsort(values)
    middle = jnp.cumsum(weight[order]) - weight[order] / 2
    return jnp.interp(probabilities, middle, values[order])
