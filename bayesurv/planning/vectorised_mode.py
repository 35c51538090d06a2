"""Newton's method to the mode of a log density, as a JAX program."""

from collections.abc import Callable
from typing import NamedTuple

from bayesurv.models.baselines import Array

MAX_STEPS = 100
SMALL_GAIN = 1e-4  # in log density, expected of a Newton step: the last one
LEAST_DAMPING = 1e-3  # of a step after one that was refused


class Climb(NamedTuple):
    """A point on the way to a mode.

    position, slope : (axis,); curvature : (axis, axis), minus the second derivatives.
    damping : added to the curvature's diagonal; steps : how many were tried.
    """

    position: Array
    value: Array
    slope: Array
    curvature: Array
    damping: Array
    steps: Array
    done: Array


def climb(density: Callable[[Array], Array], start: Array) -> Climb:
    """Climb from `start` `(axis,)` to a mode, each step damped until it goes up.

    `done` says whether the climb came to an end with all curvatures positive.
    """
    import jax
    import jax.numpy as jnp

    def unfinished(here: Climb) -> Array:
        return ~here.done & (here.steps < MAX_STEPS)

    def stepped(here: Climb) -> Climb:
        damped = here.curvature + here.damping * jnp.eye(len(start))
        factor = jnp.linalg.cholesky(damped)  # nan where it is not positive
        step = jax.scipy.linalg.cho_solve((factor, True), here.slope)
        position = here.position + step
        value, slope = jax.value_and_grad(density)(position)
        curvature = -jax.hessian(density)(position)
        small = (here.damping <= LEAST_DAMPING) & (here.slope @ step / 2 < SMALL_GAIN)
        done = small & jnp.isfinite(here.value)
        steps = here.steps + 1
        there = Climb(position, value, slope, curvature, here.damping / 10, steps, done)
        damping = jnp.maximum(10 * here.damping, LEAST_DAMPING)
        stayed = here._replace(damping=damping, steps=steps, done=done)
        better = value >= here.value
        return jax.tree.map(lambda new, old: jnp.where(better, new, old), there, stayed)

    # The first step goes nowhere and evaluates the start, so that the density is compiled once.
    nowhere = jnp.zeros_like(start), jnp.eye(len(start))
    begin = Climb(start, -jnp.inf, *nowhere, LEAST_DAMPING, 0, False)
    return jax.lax.while_loop(unfinished, stepped, jax.tree.map(jnp.asarray, begin))
