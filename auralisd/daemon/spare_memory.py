"""Memory that stations leave behind, given back to the system.

An instrument is tens of megabytes in blocks of all sizes. They are freed when a station goes off the air, but the
allocator of glibc keeps them for whichever thread had asked for them, and the next station is built by another thread:
without this, a daemon whose stations come and go grows by some 40 MB with each.
"""

from __future__ import annotations

import ctypes

import trio


class SpareMemory:
    """Remembers that something was left behind since it was last given back."""

    def __init__(self) -> None:
        """Nothing was yet."""
        self._left = trio.Event()

    def leave(self) -> None:
        """Somebody has gone who needed much of it."""
        self._left.set()

    async def wait_left(self) -> None:
        """Wait until something is left behind, and begin to remember anew."""
        await self._left.wait()
        self._left = trio.Event()


def give_back() -> None:
    """Return what is free to the system, where the C library knows how (glibc does); takes some milliseconds."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library, or Windows, where there is no CDLL(None)
        return
    trim(0)
