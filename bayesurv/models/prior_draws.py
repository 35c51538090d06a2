"""Draws from the prior, with numpy alone: no model needs compiling to see what priors imply."""

import numpy as np

from bayesurv.models.build import PARAMETERS, Specification
from bayesurv.models.likelihood import increment_name


def prior_draws(specification: Specification, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Parameters drawn from the prior, each of shape `(1, draw, ...)`."""
    generator = np.random.default_rng(seed)
    coords = specification.coords()
    drawn = {}
    for quantity in specification.sampled():
        size = (1, draws) if quantity.dim is None else (1, draws, len(coords[quantity.dim]))
        if len(quantity.priors) == 1:
            drawn[quantity.name] = quantity.priors[0].frozen().rvs(size, random_state=generator)
        else:
            columns = [p.frozen().rvs(size[:2], random_state=generator) for p in quantity.priors]
            drawn[quantity.name] = np.stack(columns, axis=-1)
    for name, dim in specification.standard_normals():
        drawn[name] = generator.standard_normal((1, draws, len(coords[dim])))
    for term, steps in specification.design.monotone.items():
        drawn[increment_name(term)] = generator.dirichlet(np.ones(len(steps)), (1, draws))
    parameters = drawn | specification.assemble(drawn, np)
    increments = map(increment_name, specification.design.monotone)
    return {name: parameters[name] for name in (*PARAMETERS, *increments) if name in parameters}
