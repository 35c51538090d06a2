"""Batches of simulated studies as one vectorised JAX program, on a GPU where JAX finds one."""

from collections.abc import Callable
from dataclasses import fields

import numpy as np

from bayesurv.data.design import Rows
from bayesurv.data.faults import Fault, InputError
from bayesurv.fitting import model_shape
from bayesurv.inference.reweigh import MAX_PARETO_K
from bayesurv.models.build import Specification
from bayesurv.planning import analysis
from bayesurv.planning.analysis import LAPLACE, Answers
from bayesurv.planning.studies import Studies
from bayesurv.planning.vectorised_data import Named, study_arrays
from bayesurv.planning.vectorised_density import Axes
from bayesurv.planning.vectorised_program import Program, Question

CELLS = 2**23  # of (study, draw, row) that one call of the program evaluates at most
MOST = 128  # studies in one call

_compiled: dict[tuple, Callable[..., Named]] = {}


def check(specification: Specification) -> None:
    """Say before a simulation what would stop `analyse`.

    Raises
    ------
    InputError
        JAX is not installed, or the model has group terms or monotone terms.
    """
    try:
        import jax  # noqa: F401
    except ImportError:
        message = "the vectorised engine needs JAX: pip install 'bayesurv[gpu]'"
        raise InputError([Fault(message)]) from None
    design = specification.design
    refused = (*design.group_terms, *design.monotone)
    if refused:
        message = "the vectorised engine has no group terms and no monotone terms: leave out "
        message += f"{', '.join(refused)}, or take the default engine"
        raise InputError([Fault(message)])


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
        See `check`.
    """
    check(specification)
    import jax

    axes = Axes(specification)
    with jax.enable_x64(True):
        own, shared = study_arrays(specification, patterns, studies)
        program = _program(axes, axes.coefficient(treatment), draws, own | shared)
        size = min(MOST, max(1, CELLS // (draws * own["exact"].shape[-1])))
        question = Question(axes.start(), axes.nodes(), np.log(margin), ci_prob)
        found = [
            program(question, shared, _of(own, some), seeds[some])
            for some in _calls(len(seeds), size)
        ]
        parts = jax.device_get(found)
    numbers = {
        each.name: np.concatenate([part[each.name] for part in parts])[: len(seeds)]
        for each in fields(Answers)
        if each.name != "method"
    }
    answers = Answers(**numbers, method=np.full(len(seeds), LAPLACE))
    doubtful = np.flatnonzero(answers.pareto_k > MAX_PARETO_K)
    if len(doubtful):
        again = analysis.analyse(
            specification,
            patterns,
            studies.of(doubtful),
            treatment=treatment,
            margin=margin,
            ci_prob=ci_prob,
            draws=draws,
            seeds=seeds[doubtful],
        )
        answers = _replaced(answers, doubtful, again)
    return answers


def _calls(count: int, size: int) -> list[np.ndarray]:
    """Positions of the studies of each call, always as many: the last one is repeated.

    Another number could be rounded differently, and a study's numbers would depend on it.
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


def _of(arrays: Named, chosen: np.ndarray) -> Named:
    return {name: array[chosen] for name, array in arrays.items()}


def _replaced(answers: Answers, chosen: np.ndarray, better: Answers) -> Answers:
    """Answers with those of the chosen studies replaced."""
    kept = np.setdiff1d(np.arange(len(answers.method)), chosen)
    order = np.argsort(np.concatenate([kept, chosen]))
    joined = {
        name: np.concatenate([value[kept], getattr(better, name)])[order]
        for name, value in vars(answers).items()
    }
    return Answers(**joined)
