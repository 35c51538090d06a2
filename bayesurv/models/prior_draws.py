"""Draws from the prior, with numpy alone: no model needs compiling to see what priors imply."""

import numpy as np

from bayesurv.models.build import Specification
from bayesurv.models.likelihood import increment_name
from bayesurv.models.priors import Distribution
from bayesurv.models.response import OutcomeSpecification


def prior_draws(
    specification: Specification | OutcomeSpecification, draws: int, seed: int
) -> dict[str, np.ndarray]:
    """Parameters drawn from the prior, each of shape `(1, draw, ...)`."""
    return specification.parameters(sampled_draws(specification, draws, seed))


def sampled_draws(
    specification: Specification | OutcomeSpecification, draws: int, seed: int
) -> dict[str, np.ndarray]:
    """Sampled quantities drawn from the prior, each of shape `(1, draw, ...)`.

    Each element of a quantity has a random stream of its own, so that one prior more or less
    changes no other draw.
    """
    coords = specification.coords()

    def stream(name: str) -> np.random.Generator:
        return np.random.default_rng([seed, *name.encode()])

    def draw(prior: Distribution, name: str) -> np.ndarray:
        return prior.frozen().rvs((1, draws), random_state=stream(name))

    drawn = {}
    for quantity in specification.sampled():
        name, priors = quantity.name, quantity.priors
        if quantity.dim is None:
            drawn[name] = draw(priors[0], name)
        else:
            labels = coords[quantity.dim]
            each = priors * len(labels) if len(priors) == 1 else priors
            columns = [draw(p, f"{name}[{k}]") for p, k in zip(each, labels, strict=True)]
            drawn[name] = np.stack(columns, axis=-1)
    for name, dim in specification.standard_normals():
        drawn[name] = stream(name).standard_normal((1, draws, len(coords[dim])))
    for term, steps in specification.design.monotone.items():
        name = increment_name(term)
        drawn[name] = stream(name).dirichlet(np.ones(len(steps)), (1, draws))
    return drawn
