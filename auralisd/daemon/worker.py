"""The one door to threads.

Jobs are short (one packet of sound), one at a time per worker, and may run on a different
OS thread each time. A job that hangs is abandoned: its worker keeps its place for ever, so
each incarnation of a role opens a worker of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar, TypeVarTuple, Unpack

import trio

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class RunInWorker(Protocol):
    """Runs a blocking function somewhere and returns what it returns."""

    async def __call__(self, job: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
        """Run ``job(*args)`` off the loop; cancelling abandons it."""
        ...


class JobsUnderWay:
    """Which jobs run in threads just now; one that is still there at exit hangs."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._running: set[object] = set()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._running)

    def tracked(self, job: Callable[[Unpack[Ts]], T]) -> Callable[[Unpack[Ts]], T]:
        """``job``, on the list for as long as its thread runs it."""

        def run(*args: *Ts) -> T:
            ticket = object()
            self._running.add(ticket)
            try:
                return job(*args)
            finally:
                self._running.discard(ticket)

        return run


def open_worker(jobs: JobsUnderWay) -> RunInWorker:
    """A worker that runs one job at a time, tracked in ``jobs``."""
    limiter = trio.CapacityLimiter(1)

    async def run_in_worker(job: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
        return await trio.to_thread.run_sync(jobs.tracked(job), *args, limiter=limiter, abandon_on_cancel=True)

    return run_in_worker


async def run_inline[*Ts, T](job: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
    """Run the job at once on the loop: for tests under a virtual clock, which does not see threads."""
    await trio.lowlevel.checkpoint()
    return job(*args)
