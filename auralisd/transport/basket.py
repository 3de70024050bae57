"""The way out for what does not write to a listener's socket: frames wait here until they are carried off."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import trio


class Basket:
    """A bounded queue of frames; whoever fills it never waits, whoever carries them off does.

    Attributes:
        ended_by: ``finished`` or ``gone`` once nothing more is put in; None before.
        skipped_packets: how many were left out because nobody came for them in time.
        descriptor: of no socket; every packet has to be offered.
    """

    descriptor = -1

    def __init__(self, *, packets: int, skipped: Callable[[int], None] = lambda _packets: None) -> None:
        """Begin empty.

        Args:
            packets: as many may wait; with one more, all of them are dropped, and it goes on at the live edge.
            skipped: told of every skip.
        """
        self.ended_by: str | None = None
        self.skipped_packets = 0
        self._packets = packets
        self._skipped = skipped
        self._kept: deque[bytes] = deque()  # must not be lost: headers and head starts
        self._waiting: deque[bytes] = deque()
        self._something = trio.Event()

    def offer(self, packet: bytes) -> None:
        """Put a packet in; if there is no room for it, it takes the place of all that wait."""
        if self.ended_by is not None:
            return
        if len(self._waiting) >= self._packets:
            self._drop_waiting()
        self._waiting.append(packet)
        self._something.set()

    def took(self, packet: bytes, result: int) -> None:
        """Nobody writes to what has no descriptor."""
        raise NotImplementedError

    def open(self, frames: Iterable[bytes]) -> None:
        """Put in what must not be lost, before any packet that is offered later."""
        if self.ended_by is None:
            self._kept.extend(frames)
            self._something.set()

    def start_over(self, frames: Iterable[bytes]) -> None:
        """Put ``frames`` in the place of everything that waits."""
        self._kept.clear()
        self._drop_waiting()
        self.open(frames)

    def push(self, frame: bytes) -> bool:
        """Put a frame of ours in its turn; False if there is no room for it."""
        if self.ended_by is not None or len(self._waiting) >= self._packets:
            return False
        self._waiting.append(frame)
        self._something.set()
        return True

    def finish(self) -> None:
        """Nothing more is put in; what waits can still be taken."""
        self._end("finished")

    def abort(self) -> None:
        """Nothing more is put in, and what waits is dropped."""
        self._kept.clear()
        self._waiting.clear()
        self._end("gone")

    async def take(self) -> list[bytes]:
        """Everything that waits, in order, as soon as there is anything; nothing once it has ended."""
        while not self._kept and not self._waiting and self.ended_by is None:
            self._something = trio.Event()
            await self._something.wait()
        await trio.lowlevel.checkpoint_if_cancelled()
        taken = [*self._kept, *self._waiting]
        self._kept.clear()
        self._waiting.clear()
        return taken

    def _drop_waiting(self) -> None:
        dropped = len(self._waiting)
        self._waiting.clear()
        if dropped:
            self.skipped_packets += dropped
            self._skipped(dropped)

    def _end(self, why: str) -> None:
        if self.ended_by is None:
            self.ended_by = why
        self._something.set()
