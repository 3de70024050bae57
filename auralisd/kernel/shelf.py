"""Where renderers find the kernel once it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

type Call = Callable[..., object]
"""Machine code behind ctypes; takes addresses."""


class KernelError(Exception):
    """The compiled kernel cannot be made or used, and why; torch plays on."""


@dataclass(slots=True)
class KernelShelf:
    """Shared by all renderers of a process.

    Attributes:
        call: the machine code; None while torch plays alone.
        why: one line for people: what is used and why.
    """

    call: Call | None = None
    why: str = "torch alone: the kernel was not looked for"
