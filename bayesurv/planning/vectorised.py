"""Batches of simulated studies as one vectorised JAX program, on a GPU where JAX finds one."""

from collections.abc import Callable
from functools import partial
from types import ModuleType

import numpy as np

from bayesurv.data.design import Rows
from bayesurv.data.faults import Fault, InputError
from bayesurv.fitting import model_shape
from bayesurv.inference.reweigh import MAX_PARETO_K
from bayesurv.models.build import Specification
from bayesurv.planning import analysis
from bayesurv.planning.analysis import Answers
from bayesurv.planning.studies import Studies
from bayesurv.planning.vectorised_data import Named, study_arrays
from bayesurv.planning.vectorised_density import Axes
from bayesurv.planning.vectorised_program import Program

CELLS = 2**23  # of (study, draw, row) that one call of the program evaluates at most
MOST = 256  # studies in one call

_compiled: dict[tuple, Callable[..., Named]] = {}


def analyse(
    specification: Specification,
    patterns: Rows,
    studies: Studies,
    *,
    treatment: str,
    margin: float,
    ci_prob: float,
    draws: int,
    seeds: np.ndarray,
) -> Answers:
    """Analyse every study by the same model, many at once.

    Arguments and answers are those of `planning.analysis.analyse`, with which these agree within
    Monte-Carlo error. A study's numbers depend on its data and its seed, not on the other
    studies. Those with a Pareto k-hat above 0.7 are analysed again by `planning.analysis`.

    Raises
    ------
    InputError
        JAX is not installed, or the model has group terms or monotone terms.
    """
    jax = _jax()
    axes = Axes(specification)
    with jax.enable_x64(True):
        own, shared = study_arrays(specification, patterns, studies)
        program = _program(axes, axes.coefficient(treatment), draws, own | shared)
        size = min(MOST, max(1, CELLS // (draws * own["exact"].shape[-1])))
        found = [
            program(
                {name: own[name][some] for name in own},
                shared,
                seeds[some],
                np.log(margin),
                ci_prob,
            )
            for some in _batches(len(seeds), size)
        ]
        parts = jax.device_get(found)
    numbers = {
        name: np.concatenate([part[name] for part in parts])[: len(seeds)] for name in parts[0]
    }
    answers = Answers(**numbers, method=np.full(len(seeds), "laplace"))
    again = partial(
        analysis.analyse, treatment=treatment, margin=margin, ci_prob=ci_prob, draws=draws
    )
    poor = np.flatnonzero(answers.pareto_k > MAX_PARETO_K)
    if len(poor):
        better = again(specification, patterns, studies.of(poor), seeds=seeds[poor])
        return _replaced(answers, poor, better)
    return answers


def _batches(count: int, size: int) -> list[np.ndarray]:
    """Positions of the studies of each call, always as many: the last are repeated.

    A program of another size could round differently, so that a study's numbers would depend on
    how many there are.
    """
    padded = np.minimum(np.arange(-(-count // size) * size), count - 1)
    return list(padded.reshape(-1, size))


def _program(axes: Axes, coefficient: int, draws: int, arrays: Named) -> Callable[..., Named]:
    """The program of a model shape, compiled anew only for another number of rows."""
    shape = model_shape(axes.specification, arrays)
    key = (shape, coefficient, draws)
    if key not in _compiled:
        _compiled[key] = Program(axes, coefficient, draws).batched()
    return _compiled[key]


def _replaced(answers: Answers, chosen: np.ndarray, better: Answers) -> Answers:
    """Answers with those of the chosen studies replaced."""
    arrays = {}
    for name, value in vars(answers).items():
        arrays[name] = value.copy()
        arrays[name][chosen] = getattr(better, name)
    return Answers(**arrays)


def _jax() -> ModuleType:
    try:
        import jax
    except ImportError:
        message = "the vectorised engine needs JAX: pip install 'bayesurv[gpu]'"
        raise InputError([Fault(message)]) from None
    return jax
