"""Waiting for what nobody announces: what another process does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

LOOK_SECONDS: Final = 0.05


async def until(holds: Callable[[], bool]) -> None:
    """Return as soon as ``holds()``, looked at every 50 ms."""
    while True:
        if holds():
            return
        await trio.sleep(LOOK_SECONDS)
