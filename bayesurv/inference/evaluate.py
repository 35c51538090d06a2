"""Evaluate a compiled model at many positions in one call of machine code, without the GIL."""

from typing import Any

import numba
import numpy as np
from numba.core.cgutils import ir
from numba.extending import intrinsic


def log_density(compiled: Any, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log density `(draw,)` and gradient `(draw, dim)` at unconstrained positions `(draw, dim)`.

    The log density is minus infinity where it or its gradient is not finite.
    """
    rows = np.ascontiguousarray(position, dtype=float)  # the machine code reads whole rows
    return _log_density(compiled.compiled_logp_func.address, compiled.user_data, rows)


def kept(compiled: Any, position: np.ndarray) -> np.ndarray:
    """All that a model computes of each position `(draw, dim)`, laid out as `shape_info` says."""
    rows = np.ascontiguousarray(position, dtype=float)
    return _expand(
        compiled.compiled_expand_func.address, compiled.user_data, rows, compiled.n_expanded
    )


def _calling(typing: Any, address: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    """Call the C function at an address with five 64-bit integers or pointers."""
    number = ir.IntType(64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(number, [number] * 5)
        return builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])

    return numba.int64(*[numba.int64] * 6), generate


_call: Any = intrinsic(_calling)


@numba.njit(nogil=True, cache=True)
def _log_density(code: int, table: Any, rows: Any) -> Any:
    draws, dim = rows.shape
    gradient = np.empty((draws, dim))
    value = np.empty((draws, 1))
    data = table.ctypes.data
    for i in range(draws):
        here = rows[i].ctypes.data
        if _call(code, dim, here, gradient[i].ctypes.data, value[i].ctypes.data, data):
            value[i, 0] = -np.inf
    return value[:, 0], gradient


@numba.njit(nogil=True, cache=True)
def _expand(code: int, table: Any, rows: Any, size: int) -> Any:
    draws, dim = rows.shape
    values = np.empty((draws, size))
    data = table.ctypes.data
    for i in range(draws):
        _call(code, dim, size, rows[i].ctypes.data, values[i].ctypes.data, data)
    return values
