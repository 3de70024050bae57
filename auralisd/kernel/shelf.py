"""Where renderers find the kernel once it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

type Call = Callable[..., object]
"""Machine code behind ctypes; takes addresses."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """Functions in machine code, for any number of renderers at once; each is described where its source is.

    Attributes:
        engine: what the code lives in.
    """

    analogue_voices: Call
    mixed_strands: Call
    summed_partitions: Call
    echoed_rows: Call
    gathered_rows: Call
    filtered_rows: Call
    mastered_rows: Call
    dithered_rows: Call
    engine: object


class KernelError(Exception):
    """The compiled kernel cannot be made or used, and why; torch plays on."""


@dataclass(slots=True)
class KernelShelf:
    """Shared by all renderers of a process.

    Attributes:
        kernel: the machine code; None while torch plays alone.
        why: one line for people: what is used and why.
    """

    kernel: Kernel | None = None
    why: str = "torch alone: the kernel was not looked for"


def address(array: npt.NDArray[Any]) -> int:
    """Where the numbers of ``array`` begin."""
    return int(array.__array_interface__["data"][0])
