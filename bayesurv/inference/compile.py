"""Compile a PyMC model for nutpie so that machine code is kept on disk and data can be swapped.

nutpie compiles two small C entry points around PyTensor's functions anew in every process, which
takes seconds. Here the same entry points are generated as source with a stable name, registered
with PyTensor's own numba cache, and so compiled once for each model shape and machine.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from nutpie.compile_pymc import (
    CompiledPyMCModel,
    _make_functions,
    _prepare_dims_and_coords,
    address_as_void_pointer,
)
from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS, compile_numba_function_src

if TYPE_CHECKING:
    import pymc as pm

_LOG_DENSITY = """\
def log_density(dim, x_, gradient_, value_, data_):
    table = carray(data_, ({table},), intp)
    x = carray(x_, ({dim},))
    gradient = carray(gradient_, ({dim},))
    value = carray(value_, (1,))
{unpack}
    logp, slope = inner({arguments})
    value[0] = logp.item()
    gradient[...] = slope
    for i in range({dim}):
        if not isfinite(gradient[i]):
            return 3
    return 0 if isfinite(value[0]) else 4
"""

_EXPAND = """\
def expand(dim, size, x_, out_, data_):
    table = carray(data_, ({table},), intp)
    x = carray(x_, ({dim},))
    out = carray(out_, ({size},))
{unpack}
    (values,) = inner({arguments})
    out[...] = values
    return 0
"""


@dataclasses.dataclass(frozen=True)
class CompiledModel(CompiledPyMCModel):
    """A compiled PyMC model whose data arrays are reached through a table of pointers."""

    unused: frozenset[str] = frozenset()

    def with_data(self, **arrays: np.ndarray) -> "CompiledModel":
        """Return the same machine code on other data of the same names and ranks."""
        used = {name: value for name, value in arrays.items() if name not in self.unused}
        shared = self.shared_data | {
            name: _fixed(value, self.shared_data[name]) for name, value in used.items()
        }
        replacement: Any = dataclasses.replace  # mypy does not see the fields of nutpie's class
        return replacement(self, shared_data=shared, user_data=_table(shared))

    def starting_at(self, start: Mapping[str, np.ndarray]) -> "CompiledModel":
        """Start chains around unconstrained values by variable name, 0 where none is named."""
        names, slices, _ = self.shape_info
        centre = np.zeros(self.n_dim)
        for name, piece in zip(names, slices, strict=True):
            variable = name.partition("_log__")[0]
            if piece.stop <= self.n_dim and variable in start:
                centre[piece] = start[variable]

        def initial(seed: int) -> np.ndarray:
            return centre + np.random.default_rng(seed).uniform(-0.5, 0.5, len(centre))

        replacement: Any = dataclasses.replace
        return replacement(self, initial_point_func=initial)


def compile_model(model: "pm.Model") -> CompiledModel:
    """Compile log density, gradient and deterministics of a model with continuous variables."""
    dim, size, density, expand, _, shape_info, reparameterised = _make_functions(
        model, mode="NUMBA", compute_grad=True, join_expanded=True, pymc_initial_point_fn=_unused
    )
    variables = list(dict.fromkeys([*density.get_shared(), *expand.get_shared()]))
    shared = {str(v.name): _fixed(v.get_value(), v.get_value()) for v in variables}
    number, pointer = numba.types.uint64, numba.types.CPointer(numba.types.double)
    data = numba.types.voidptr
    entry_points = [
        _entry_point(_LOG_DENSITY, density, shared, (number, pointer, pointer, pointer, data), dim),
        _entry_point(_EXPAND, expand, shared, (number, number, pointer, pointer, data), dim, size),
    ]
    dims, coords = _prepare_dims_and_coords(model, shape_info, reparameterised)
    return CompiledModel(
        compiled_logp_func=entry_points[0],
        compiled_expand_func=entry_points[1],
        initial_point_func=_unused,
        shared_data=shared,
        shared_var_keys={v: str(v.name) for v in variables},
        user_data=_table(shared),
        n_expanded=size,
        shape_info=shape_info,
        logp_func=density,
        expand_func=expand,
        reparameterized_names=reparameterised,
        dims=dims,
        unused=frozenset(str(v.name) for v in model.data_vars) - frozenset(shared),
        _n_dim=dim,
        _shapes={name: tuple(shape) for name, _, shape in zip(*shape_info, strict=True)},
        _coords=coords,
    )


def _unused(seed: int | None = None) -> Any:
    raise RuntimeError("call starting_at() before sampling")


def _entry_point(
    template: str,
    function: Any,
    shared: dict[str, np.ndarray],
    types: tuple,
    dim: int,
    size: int = 0,
) -> Any:
    """Compile a C function that unpacks the pointer table and calls PyTensor's machine code."""
    inner = function.vm.jit_fn
    offsets = dict(zip(shared, _offsets(shared), strict=True))
    unpack, arguments = [], ["x"]
    scope: dict[str, Any] = {}
    for variable in function.get_shared():
        value, start = shared[str(variable.name)], offsets[str(variable.name)]
        shape = "".join(f"table[{start + 1 + axis}], " for axis in range(value.ndim))
        kind = value.dtype.name
        scope[kind] = value.dtype.type
        argument = f"array_{start}"
        unpack.append(f"    {argument} = carray(as_pointer(table[{start}]), ({shape}), {kind})")
        arguments.append(argument)
    source = template.format(
        table=max(len(_table(shared)), 1),
        dim=dim,
        size=size,
        unpack="\n".join(unpack),
        arguments=", ".join(arguments),
    )
    key = CACHED_SRC_FUNCTIONS.get(inner.py_func)
    digest = hashlib.sha256(f"{key}{source}".encode()).hexdigest()
    scope |= {
        "__name__": __name__,  # numba rebuilds a cached function's environment from its module
        "carray": numba.carray,
        "as_pointer": address_as_void_pointer,
        "intp": np.intp,
        "isfinite": np.isfinite,
        "inner": inner,
    }
    name = template[len("def ") : template.index("(")]
    python = compile_numba_function_src(
        source, name, scope, cache_key=f"bayesurv_{digest}" if key else None
    )
    return numba.cfunc(numba.types.int64(*types), cache=key is not None)(python)


def _offsets(shared: Mapping[str, np.ndarray]) -> list[int]:
    """Position of each array's pointer in the table; its shape follows."""
    sizes = [1 + value.ndim for value in shared.values()]
    return np.cumsum([0, *sizes])[:-1].tolist()


def _table(shared: Mapping[str, np.ndarray]) -> np.ndarray:
    """Pointers and shapes of the arrays, which must outlive the table."""
    entries = [number for value in shared.values() for number in (value.ctypes.data, *value.shape)]
    return np.array(entries or [0], dtype=np.intp)


def _fixed(value: Any, like: np.ndarray) -> np.ndarray:
    """Copy an array into contiguous, read-only memory of the dtype and rank it was compiled for."""
    fixed = np.array(value, dtype=like.dtype, order="C", copy=True)
    if fixed.ndim != like.ndim:
        raise ValueError(f"data of rank {fixed.ndim} where the model was compiled for {like.ndim}")
    fixed.flags.writeable = False
    return fixed
