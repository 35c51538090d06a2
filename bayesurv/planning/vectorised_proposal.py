"""Draws from a Student-t distribution at the mode, or from one at each node of a grid.

Given the sd of a random walk, the rest of a model is close to normal; their joint mode is far from
the bulk of the posterior. The logarithm of that sd is therefore drawn from a density that is linear
between the nodes of a grid over its prior, and the rest from a multivariate t whose centre and
scale are interpolated between the nodes. Every draw's density is known, so importance weights
make the draws right whatever the grid is.
"""

from typing import NamedTuple

import numpy as np

from bayesurv.models.baselines import Array
from bayesurv.planning.vectorised_mode import Climb

DEGREES = 6  # of freedom, even


class Peaks(NamedTuple):
    """Laplace's approximation at a mode, or at those of all nodes of a grid, `(node, ...)`.

    log_mass : log of the integral of the density, up to a constant.
    centre : (free,) mode; root : (free, free) lower Cholesky factor of the covariance.
    settled : whether the mode was found.
    """

    log_mass: Array
    centre: Array
    root: Array
    settled: Array


def peak(top: Climb) -> Peaks:
    """Laplace's approximation where a climb ended; a unit root where the curvature has none."""
    import jax
    import jax.numpy as jnp

    unit = jnp.eye(len(top.position))
    factor = jnp.linalg.cholesky(top.curvature)
    inverse = jax.scipy.linalg.solve_triangular(factor, unit, lower=True)
    root = jnp.linalg.cholesky(inverse.T @ inverse)
    finite = jnp.isfinite(root).all() & jnp.isfinite(top.value)
    root = jnp.where(finite, root, unit)
    log_mass = jnp.where(finite, top.value + _log_volume(root), -jnp.inf)
    return Peaks(log_mass, top.position, root, top.done & finite)


def students(peak: Peaks, key: Array, draws: int) -> tuple[Array, Array]:
    """Draws `(draw, free)` around one mode and their log density, up to a constant."""
    standard, log_density = _standard(key, draws, len(peak.centre))
    return peak.centre + standard @ peak.root.T, log_density


def gridded(peaks: Peaks, nodes: Array, key: Array, draws: int) -> tuple[Array, Array, Array]:
    """Draws of the gridded axis `(draw,)`, of the rest `(draw, free)`, and their log density."""
    import jax
    import jax.numpy as jnp

    below, apart = jax.random.split(key)
    uniform = jax.random.uniform(below, (draws, 3))
    mass = jax.nn.softmax(peaks.log_mass)
    node = jnp.searchsorted(jnp.cumsum(mass)[:-1], uniform[:, 0])
    place = node + uniform[:, 1] + uniform[:, 2] - 1  # triangular around its node
    last = len(nodes) - 1
    density = jnp.interp(place, np.arange(-1, last + 2), jnp.pad(mass, 1))
    within = jnp.clip(place, 0, last)
    left = jnp.minimum(jnp.floor(within).astype(int), last - 1)
    share = within - left
    centre = _between(peaks.centre, left, share[:, None])
    root = _between(peaks.root, left, share[:, None, None])
    standard, log_density = _standard(apart, draws, centre.shape[-1])
    rest = centre + jnp.einsum("dij,dj->di", root, standard)
    step = nodes[1] - nodes[0]
    return nodes[0] + place * step, rest, jnp.log(density) + log_density - _log_volume(root)


def _between(values: Array, left: Array, share: Array) -> Array:
    return (1 - share) * values[left] + share * values[left + 1]


def _log_volume(root: Array) -> Array:
    import jax.numpy as jnp

    return jnp.log(jnp.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)


def _standard(key: Array, draws: int, dim: int) -> tuple[Array, Array]:
    """Standard multivariate t, normal over sqrt(chi-squared / degrees), and its log density.

    Numbers of single precision are random enough, and made faster.
    """
    import jax
    import jax.numpy as jnp

    first, second = jax.random.split(key)
    normal = jax.random.normal(first, (draws, dim), dtype="float32").astype(float)
    uniform = jax.random.uniform(second, (draws, DEGREES // 2), dtype="float32").astype(float)
    chi_squared = -2 * jnp.log1p(-uniform).sum(axis=-1, keepdims=True)
    standard = normal / jnp.sqrt(chi_squared / DEGREES)
    distance = (standard**2).sum(axis=-1)
    return standard, -(DEGREES + dim) / 2 * jnp.log1p(distance / DEGREES)
