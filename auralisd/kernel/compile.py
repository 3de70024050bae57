"""The kernels through numba, as LLVM's assembly; imported only in the process that compiles them."""

from __future__ import annotations

from typing import Any, Final

from numba import float32, float64, int16, int64, njit, types

from auralisd.kernel.desk import mixed_strands
from auralisd.kernel.room import (
    dithered_rows,
    echoed_rows,
    filtered_rows,
    gathered_rows,
    mastered_rows,
    summed_partitions,
)
from auralisd.kernel.voices import FASTMATH, analogue_voices

_pointer: Any = types.CPointer
_DOUBLE, _SINGLE, _WHOLE = (_pointer(number) for number in (float64, float32, int64))
_ROOM: Final = (_SINGLE, _DOUBLE, _DOUBLE, _WHOLE)
_KERNELS: Final = {
    analogue_voices: types.void(_DOUBLE, _DOUBLE, _DOUBLE, _SINGLE, _SINGLE, _WHOLE, *_ROOM),
    mixed_strands: types.void(
        _DOUBLE, _DOUBLE, _WHOLE, _SINGLE, _DOUBLE, _DOUBLE, _DOUBLE, _SINGLE, _SINGLE, _SINGLE, _WHOLE,
        _SINGLE, _DOUBLE, _DOUBLE, _DOUBLE, _SINGLE, *_ROOM,
    ),
    summed_partitions: types.void(_SINGLE, _SINGLE, _SINGLE, _WHOLE),
    echoed_rows: types.void(
        _SINGLE, _SINGLE, _SINGLE, _WHOLE, _SINGLE, _DOUBLE, _SINGLE, _SINGLE, _SINGLE, _SINGLE, _WHOLE
    ),
    gathered_rows: types.void(_SINGLE, _SINGLE, _SINGLE, _SINGLE, _SINGLE, _WHOLE),
    mastered_rows: types.void(
        _SINGLE, _SINGLE, _DOUBLE, _SINGLE, _DOUBLE, _SINGLE, _SINGLE, _SINGLE, _SINGLE, _WHOLE
    ),
    filtered_rows: types.void(_SINGLE, _SINGLE, _SINGLE, _DOUBLE, _WHOLE),
    dithered_rows: types.void(_SINGLE, _SINGLE, _pointer(int16), _WHOLE),
}  # fmt: skip


def vector_code() -> dict[str, str]:
    """Each kernel compiled for this processor, as LLVM's assembly, by its name: some seconds of work."""
    bare: Any = njit  # its types do not know the last two options
    codes = {}
    for function, signature in _KERNELS.items():
        compiled = bare(
            signature, nogil=True, error_model="numpy", fastmath=FASTMATH,
            no_cpython_wrapper=True, no_cfunc_wrapper=True,
        )(function)  # fmt: skip
        codes[function.__name__] = str(compiled.inspect_llvm(compiled.signatures[0]))
    return codes
