"""Log prior and log likelihood of a model anywhere among its parameters, with numpy alone.

A refit from a saved posterior needs no compiler: it reweighs and moves the draws that are there.
The likelihood is the one of `models.likelihood`, the priors are those of the specification, and
tests hold both to the compiled model.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesurv.data.design import Rows
from bayesurv.models.build import Specification
from bayesurv.models.likelihood import Observed, increment_name
from bayesurv.models.pointwise import patient_log_likelihood
from bayesurv.models.priors import Distribution, Normal

SMALLEST = 1e-60  # root of a positive quantity


@dataclass(frozen=True)
class Block:
    """The axes of one sampled quantity: their names and priors; a simplex has one axis less."""

    name: str
    dim: str | None
    labels: tuple[str, ...]
    priors: tuple[Distribution, ...] = ()

    @property
    def simplex(self) -> bool:
        """Shares that add up to 1, uniform over the simplex, rather than quantities with priors."""
        return not self.priors

    @property
    def size(self) -> int:
        """Number of axes."""
        return len(self.labels) - self.simplex


@dataclass(frozen=True)
class Density:
    """A model's log density at positions of shape `(..., axis)`.

    A positive quantity stands there as its cube root, which makes a half-normal nearly normal
    (the logarithm gives small group sds a long tail, in which draws move slowly), and a simplex
    as the log ratios of its shares to the last one. The log prior is -inf where a root is not
    above 0.
    """

    specification: Specification
    observed: Observed
    rows: Rows
    patients: np.ndarray

    def blocks(self) -> list[Block]:
        """Sampled quantities in the order of the axes."""
        specification = self.specification
        coords = specification.coords()
        found = []
        for quantity in specification.sampled():
            labels = tuple(coords[quantity.dim]) if quantity.dim else ("",)
            priors = quantity.priors if len(quantity.priors) > 1 else quantity.priors * len(labels)
            found.append(Block(quantity.name, quantity.dim, labels, priors))
        for name, dim in specification.standard_normals():
            labels = tuple(coords[dim])
            found.append(Block(name, dim, labels, (Normal(0, 1),) * len(labels)))
        for term, steps in specification.design.monotone.items():
            found.append(Block(increment_name(term), f"step[{term}]", tuple(steps)))
        return [block for block in found if block.size]

    def position(self, drawn: Mapping[str, np.ndarray]) -> np.ndarray:
        """Sampled quantities `(..., element)`, or scalars `(...)`, as a position `(..., axis)`."""
        parts = []
        for block in self.blocks():
            values = np.asarray(drawn[block.name], dtype=float)
            values = values if block.dim else values[..., None]
            if block.simplex:
                values = np.log(np.maximum(values, np.finfo(float).tiny))
                parts.append(values[..., :-1] - values[..., -1:])
            else:
                parts.append(np.cbrt(values) if block.priors[0].positive else values)
        return np.concatenate(parts, axis=-1)

    def sampled(self, position: np.ndarray) -> dict[str, np.ndarray]:
        """The quantities at a position, the inverse of `position`."""
        found, start = {}, 0
        for block in self.blocks():
            values = position[..., start : start + block.size]
            start += block.size
            if block.simplex:
                values = _shares(values)
            elif block.priors[0].positive:
                values = np.maximum(values, SMALLEST) ** 3
            found[block.name] = values if block.dim else values[..., 0]
        return found

    def parameters(self, position: np.ndarray) -> dict[str, np.ndarray]:
        """The model's parameters at a position, each `(..., element)`."""
        return self.specification.assemble(self.sampled(position), np)

    def log_prior(self, position: np.ndarray) -> np.ndarray:
        """Log prior density at a position, with the Jacobian of the axes, shape `(...)`."""
        total, start = np.zeros(position.shape[:-1]), 0
        for block in self.blocks():
            values = position[..., start : start + block.size]
            start += block.size
            if block.simplex:
                total += np.log(np.maximum(_shares(values), np.finfo(float).tiny)).sum(axis=-1)
                continue
            for prior in dict.fromkeys(block.priors):
                own = values[..., [prior == each for each in block.priors]]
                total += _log_density(prior, own).sum(axis=-1)
        return total

    def log_likelihood(self, position: np.ndarray) -> np.ndarray:
        """Log likelihood of each patient at a position, shape `(..., individual)`."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            values = patient_log_likelihood(
                self.specification,
                self.observed,
                self.rows,
                self.patients,
                self.parameters(position),
            )
        return np.nan_to_num(values, nan=-np.inf, posinf=-np.inf, neginf=-np.inf)


def _log_density(prior: Distribution, axis: np.ndarray) -> np.ndarray:
    """Log density along an axis, with the Jacobian of the cube root of a positive quantity."""
    if not prior.positive:
        return prior.frozen().logpdf(axis)
    root = np.maximum(axis, SMALLEST)
    density = prior.frozen().logpdf(root**3) + np.log(3 * root**2)
    return np.where(axis > 0, density, -np.inf)


def _shares(ratios: np.ndarray) -> np.ndarray:
    """Shares of a simplex from the log ratios to its last one."""
    logs = np.concatenate([ratios, np.zeros((*ratios.shape[:-1], 1))], axis=-1)
    shares = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)
