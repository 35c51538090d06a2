"""The posterior of one simulated study as a JAX program, and of a batch at once.

Newton's method finds the mode, a Student-t distribution with the mode's curvature proposes draws,
and Pareto-smoothed importance weights turn them into the posterior.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from bayesurv.models.baselines import Array
from bayesurv.planning.vectorised_density import Arrays, Axes
from bayesurv.planning.vectorised_weights import smoothed, weighted_quantiles

DEGREES = 7  # of freedom of the proposal
MAX_STEPS = 100
DECREMENT = 1e-12  # expected gain of a Newton step in log density, below which it is the last


class Mode(NamedTuple):
    """A point on the way to the mode.

    position, slope : (axis,); curvature : (axis, axis), minus the second derivatives.
    damping : added to the curvature's eigenvalues; steps : how many were tried.
    """

    position: Array
    value: Array
    slope: Array
    curvature: Array
    damping: Array
    steps: Array
    done: Array


@dataclass(frozen=True)
class Program:
    """Analysis of one study; `coefficient` is the axis of the treatment's log hazard ratio."""

    axes: Axes
    coefficient: int
    draws: int

    def batched(self) -> Callable[..., dict[str, Array]]:
        """Compile for batches: arrays of each study `(study, ...)`, shared arrays, seeds, ..."""
        import jax

        def answer(own: Arrays, shared: Arrays, *rest: Array) -> dict[str, Array]:
            return self.answer({**own, **shared}, *rest)

        return jax.jit(jax.vmap(answer, in_axes=(0, None, 0, None, None)))

    def answer(
        self, arrays: Arrays, seed: Array, log_margin: Array, ci_prob: Array
    ) -> dict[str, Array]:
        """Every number of `Answers` for one study, by name; k-hat is infinite where all fails."""
        import jax.numpy as jnp

        mode = self.mode(arrays)
        position, log_proposal = proposed(mode, seed, self.draws)
        log_ratio = self.axes.log_density(position, arrays) - log_proposal
        weight, k = smoothed(jnp.nan_to_num(log_ratio, nan=-jnp.inf, posinf=-jnp.inf))
        values = position[:, self.coefficient]
        mean = weight @ values
        tail = (1 - ci_prob) / 2
        lower, upper = weighted_quantiles(values, weight, jnp.stack([tail, 1 - tail]))
        return {
            "estimate": mean,
            "sd": jnp.sqrt(weight @ (values - mean) ** 2),
            "lower": lower,
            "upper": upper,
            "probability": weight @ (values < log_margin),
            "pareto_k": jnp.where(
                mode.done & jnp.isfinite(mean), jnp.nan_to_num(k, nan=jnp.inf), jnp.inf
            ),
            "effective": 1 / (weight**2).sum(),
        }

    def mode(self, arrays: Arrays) -> Mode:
        """Posterior mode by Newton's method, damped until every step goes up."""
        import jax
        import jax.numpy as jnp

        def density(position: Array) -> Array:
            return self.axes.log_density(position, arrays)

        def at(position: Array, damping: Array, steps: Array) -> Mode:
            value, slope = jax.value_and_grad(density)(position)
            curvature = -jax.hessian(density)(position)
            return Mode(position, value, slope, curvature, damping, steps, jnp.array(False))

        def unfinished(mode: Mode) -> Array:
            return ~mode.done & (mode.steps < MAX_STEPS)

        def stepped(mode: Mode) -> Mode:
            values, vectors = jnp.linalg.eigh(mode.curvature)
            stiffness = jnp.maximum(jnp.abs(values), 1e-8) + mode.damping
            along = vectors.T @ mode.slope
            tried = at(
                mode.position + vectors @ (along / stiffness), mode.damping / 10, mode.steps + 1
            )
            decrement = (along**2 / stiffness).sum()
            better = tried.value >= mode.value
            kept = mode._replace(damping=jnp.maximum(10 * mode.damping, 1e-3), steps=mode.steps + 1)
            chosen = jax.tree.map(lambda a, b: jnp.where(better, a, b), tried, kept)
            return chosen._replace(done=(decrement < DECREMENT) & (values[0] > 0))

        start = jnp.asarray(self.axes.start())
        return jax.lax.while_loop(unfinished, stepped, at(start, jnp.array(1e-3), jnp.array(0)))


def proposed(mode: Mode, seed: Array, draws: int) -> tuple[Array, Array]:
    """Draws `(draw, axis)` around a mode and their log density up to a constant, `(draw,)`.

    Student-t with `DEGREES` of freedom: Z / sqrt(chi-squared / DEGREES), scaled by the inverse
    square root of the curvature.
    """
    import jax
    import jax.numpy as jnp

    dim = mode.position.shape[0]
    normal = jax.random.normal(jax.random.key(seed), (draws, dim + DEGREES))
    spread = jnp.sqrt((normal[:, dim:] ** 2).mean(axis=-1, keepdims=True))
    student = normal[:, :dim] / spread
    values, vectors = jnp.linalg.eigh(mode.curvature)
    root = vectors / jnp.sqrt(jnp.maximum(values, 1e-8))
    log_density = -(DEGREES + dim) / 2 * jnp.log1p((student**2).sum(axis=-1) / DEGREES)
    return mode.position + student @ root.T, log_density
