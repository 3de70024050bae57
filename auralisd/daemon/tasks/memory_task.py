"""Gives memory back after stations have gone off the air."""

from __future__ import annotations

from collections.abc import Callable

import trio

from auralisd.daemon.spare_memory import SpareMemory
from auralisd.daemon.worker import RunInWorker

SETTLED_SECONDS = 3.0  # the last block is rendered and forgotten by then, and who leaves together is seen to at once


async def run_memory(spare: SpareMemory, give_back: Callable[[], None], run_in_worker: RunInWorker) -> None:
    """Give back whenever something was left, once for all who left it within a few seconds; until cancelled."""
    while True:
        await spare.wait_left()
        await trio.sleep(SETTLED_SECONDS)
        await run_in_worker(give_back)
