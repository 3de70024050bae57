"""Fast voices: what ``synthesis.analogue`` does in torch, compiled for the processor at hand. Never needed.

``python -m auralisd.kernel DIRECTORY`` compiles ``voices`` with numba (4 s) and leaves an object file behind. A
daemon loads that with llvmlite alone (0.1 s): numba is never imported where sound is made, since its import takes
1.5 s, most of it holding the interpreter lock. ctypes lets go of that lock for each call.
"""

from auralisd.kernel.shelf import KernelError, KernelShelf

__all__ = ["KernelError", "KernelShelf"]
