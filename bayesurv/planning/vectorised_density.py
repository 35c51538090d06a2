"""The log posterior density of a survival model on JAX arrays.

Baselines, likelihood and priors are those of the PyMC model: the formulas of `models` are called
with JAX as their array namespace, on the arrays that a compiled model takes by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bayesurv.data.design import Rows
from bayesurv.models.baselines import Array
from bayesurv.models.build import Specification
from bayesurv.models.distributions import Sampled
from bayesurv.models.likelihood import Observed, linear_predictor, log_likelihood

SCALE = "smoothing_sd"
NODES = 16
OUTSIDE = 1e-5  # of the prior, on each side of the grid

type Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Axes:
    """Where each sampled quantity stands in a position; a positive one as its logarithm."""

    specification: Specification

    def pieces(self) -> dict[str, slice]:
        """Axes of each quantity by name, in the order of the compiled model."""
        specification = self.specification
        named = [(quantity.name, quantity.dim) for quantity in specification.sampled()]
        named += specification.standard_normals()
        coords = specification.coords()
        found, start = {}, 0
        for name, dim in named:
            stop = start + (len(coords[dim]) if dim else 1)
            found[name] = slice(start, stop)
            start = stop
        return found

    def coefficient(self, term: str) -> int:
        """Axis of a term's coefficient."""
        return self.pieces()["coefficient"].start + self.specification.design.terms.index(term)

    @property
    def hierarchical(self) -> int | None:
        """Axis of the random walk's sd, which scales other axes, if there is one."""
        piece = self.pieces().get(SCALE)
        return piece.start if piece else None

    def nodes(self) -> np.ndarray:
        """Grid over the random walk's log sd: all but 2e-5 of its prior; `(0,)` without one."""
        for quantity in self.specification.sampled():
            if quantity.name == SCALE:
                lowest, highest = quantity.priors[0].frozen().ppf([OUTSIDE, 1 - OUTSIDE])
                return np.linspace(np.log(lowest), np.log(highest), NODES)
        return np.empty(0)

    def start(self) -> np.ndarray:
        """Position of the prior medians, shape `(axis,)`."""
        pieces = self.pieces()
        position = np.zeros(max(piece.stop for piece in pieces.values()))
        for quantity in self.specification.sampled():
            position[pieces[quantity.name]] = quantity.start()
        return position

    def quantities(self, position: Array, xp: Any) -> dict[str, Array]:
        """The sampled quantities at positions `(..., axis)`, each `(..., element)` or `(...)`."""
        sampled = {quantity.name: quantity for quantity in self.specification.sampled()}
        found = {}
        for name, piece in self.pieces().items():
            values, quantity = position[..., piece], sampled.get(name)
            if quantity is not None and quantity.priors[0].positive:
                values = xp.exp(values)
            scalar = quantity is not None and quantity.dim is None
            found[name] = values[..., 0] if scalar else values
        return found

    def log_density(self, position: Array, arrays: Arrays) -> Array:
        """Log prior plus log likelihood at positions `(..., axis)`, up to a constant, `(...)`.

        The log prior has the Jacobian of the logarithms. `arrays` are the data and
        hyperparameters of one study, `data_arrays(...) | hyperparameters(...)` of models.build.
        """
        import jax.numpy as jnp

        specification = self.specification
        constants = {name: arrays[name] for name in specification.baseline.constants}
        baseline = specification.baseline.with_constants(constants)
        specification = replace(specification, baseline=baseline)
        parameters = specification.assemble(self.quantities(position, jnp), jnp)
        known: dict[str, Any] = {**dict.fromkeys(Rows.__dataclass_fields__), **arrays}
        rows = Rows(**{name: known[name] for name in Rows.__dataclass_fields__})
        times = {name: arrays.get(name) for name in Observed.__dataclass_fields__}
        observed = Observed(**times)
        predictor = linear_predictor(specification.design, rows, parameters, jnp)
        terms = log_likelihood(baseline, observed, parameters, predictor, jnp)
        return terms.sum(axis=-1) + self._log_prior(position, arrays)

    def _log_prior(self, position: Array, arrays: Arrays) -> Array:
        pieces = self.pieces()
        total = 0.0
        for quantity in self.specification.sampled():
            total = total + _quantity_log_prior(
                quantity, position[..., pieces[quantity.name]], arrays
            )
        for name, _ in self.specification.standard_normals():
            total = total - (position[..., pieces[name]] ** 2).sum(axis=-1) / 2
        return total


def _quantity_log_prior(quantity: Sampled, axis: Array, arrays: Arrays) -> Array:
    """Log prior of one quantity at `(..., element)`, each family with its own members."""
    total = 0.0
    for label, members in quantity.families().items():
        own = axis[..., np.array(members)] if len(quantity.priors) > 1 else axis
        prefix = f"{quantity.name}_{label}_"
        numbers = {key: arrays[prefix + key] for key in quantity.priors[members[0]].numbers()}
        total = total + LOG_PRIORS[label](own, **numbers).sum(axis=-1)
    return total


def _normal(x: Array, mu: Array, sigma: Array) -> Array:
    from jax.scipy.stats import norm

    return norm.logpdf(x, mu, sigma)


def _student_t(x: Array, nu: Array, mu: Array, sigma: Array) -> Array:
    from jax.scipy.stats import t

    return t.logpdf(x, nu, mu, sigma)


def _robust(x: Array, mu: Array, sigma: Array, weight: Array, vague: Array) -> Array:
    import jax.numpy as jnp

    known = jnp.log(weight) + _normal(x, mu, sigma)
    return jnp.logaddexp(known, jnp.log1p(-weight) + _normal(x, 0.0, vague))


def _half_normal(log_x: Array, sigma: Array) -> Array:
    import jax.numpy as jnp

    return _normal(jnp.exp(log_x), 0.0, sigma) + log_x


def _half_cauchy(log_x: Array, beta: Array) -> Array:
    import jax.numpy as jnp
    from jax.scipy.stats import cauchy

    return cauchy.logpdf(jnp.exp(log_x), 0.0, beta) + log_x


def _gamma(log_x: Array, alpha: Array, beta: Array) -> Array:
    import jax.numpy as jnp

    return alpha * log_x - beta * jnp.exp(log_x)


# Log density along the axis of a quantity, up to a constant; LogNormal is normal on the log axis.
LOG_PRIORS: dict[str, Callable[..., Array]] = {
    "Normal": _normal,
    "StudentT": _student_t,
    "Robust": _robust,
    "LogNormal": _normal,
    "HalfNormal": _half_normal,
    "HalfCauchy": _half_cauchy,
    "Gamma": _gamma,
}
