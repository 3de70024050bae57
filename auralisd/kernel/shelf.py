"""Where renderers find the kernel once it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

type Call = Callable[..., object]
"""Machine code behind ctypes; takes addresses."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """Both functions in machine code, for any number of renderers at once.

    Attributes:
        voices: ``kernel.voices.analogue_voices``.
        mix: ``kernel.desk.mixed_strands``.
        engine: what the code lives in.
    """

    voices: Call
    mix: Call
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
