"""The posterior of one simulated study as a JAX program, and of a batch at once.

Newton's method finds the mode, a Student-t distribution of the mode's curvature proposes draws,
and Pareto-smoothed importance weights turn them into the posterior.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from bayesurv.models.baselines import Array
from bayesurv.planning.vectorised_density import Arrays, Axes
from bayesurv.planning.vectorised_mode import climb
from bayesurv.planning.vectorised_proposal import gridded, peak, students
from bayesurv.planning.vectorised_weights import smoothed, weighted_quantiles


class Question(NamedTuple):
    """What is the same for all studies: where to start, and what to ask of the posterior.

    start : (axis,) prior medians; nodes : (node,) of the axis with a grid, if the model has one.
    """

    start: Array
    nodes: Array
    log_margin: Array
    ci_prob: Array


@dataclass(frozen=True)
class Program:
    """Analysis of one study; `coefficient` is the axis of the treatment's log hazard ratio."""

    axes: Axes
    coefficient: int
    draws: int

    def batched(self) -> Callable[..., dict[str, Array]]:
        """Compile `answer` for batches.

        It takes the question, the arrays that all studies share, and those of each study and
        seeds, `(study, ...)`.
        """
        import jax

        def answer(question: Question, shared: Arrays, own: Arrays, seed: Array) -> Arrays:
            return self.answer(question, {**shared, **own}, seed)

        return jax.jit(jax.vmap(answer, in_axes=(None, None, 0, 0)))

    def answer(self, question: Question, arrays: Arrays, seed: Array) -> dict[str, Array]:
        """Every number of `Answers` for one study, by name; k-hat is infinite where all fails."""
        import jax.numpy as jnp

        position, log_proposal, settled = self.proposed(question, arrays, seed)
        log_ratio = self.axes.log_density(position, arrays) - log_proposal
        weight, k = smoothed(jnp.nan_to_num(log_ratio, nan=-jnp.inf, posinf=-jnp.inf))
        values = position[:, self.coefficient]
        mean = weight @ values
        ends = jnp.stack([(1 - question.ci_prob) / 2, (1 + question.ci_prob) / 2])
        lower, upper = weighted_quantiles(values, weight, ends)
        usable = settled & jnp.isfinite(mean) & ~jnp.isnan(k)
        return {
            "estimate": mean,
            "sd": jnp.sqrt(weight @ (values - mean) ** 2),
            "lower": lower,
            "upper": upper,
            "probability": jnp.clip(weight @ (values < question.log_margin), 0, 1),
            "pareto_k": jnp.where(usable, k, jnp.inf),
            "effective": 1 / (weight @ weight),
        }

    def proposed(
        self, question: Question, arrays: Arrays, seed: Array
    ) -> tuple[Array, Array, Array]:
        """Draws `(draw, axis)`, their log density, and whether every mode was found."""
        import jax
        import jax.numpy as jnp

        axis, key = self.axes.hierarchical, jax.random.key(seed)
        if axis is None:
            peaks = peak(climb(lambda x: self.axes.log_density(x, arrays), question.start))
            return *students(peaks, key, self.draws), peaks.settled

        def inserted(value: Array, rest: Array) -> Array:
            parts = rest[..., :axis], value[..., None], rest[..., axis:]
            return jnp.concatenate(parts, axis=-1)

        def at(node: Array) -> Array:
            start = jnp.delete(question.start, axis)
            return peak(climb(lambda x: self.axes.log_density(inserted(node, x), arrays), start))

        peaks = jax.vmap(at)(question.nodes)
        value, rest, log_density = gridded(peaks, question.nodes, key, self.draws)
        return inserted(value, rest), log_density, peaks.settled.all()
