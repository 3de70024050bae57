"""Where a station's programme is held between two packets."""

from __future__ import annotations

import trio


class Gate:
    """Stands between continuity and the encoders.

    Attributes:
        enters_at: programme frame before which packets are made to nobody.
        parked: whether continuity waits here.
        unpublished: packets that have passed and are not on the air yet.
    """

    def __init__(self) -> None:
        """Open."""
        self.enters_at = 0
        self.parked = False
        self.unpublished = 0
        self._hold_at: int | None = None
        self._released = trio.Event()

    async def reach(self, position: int) -> None:
        """Return at once, or as soon as the packet at ``position`` may be made."""
        while self._hold_at is not None and position >= self._hold_at:
            self.parked = True
            await self._released.wait()
        self.parked = False

    def hold(self, position: int) -> None:
        """Let no packet at or after ``position`` be made."""
        self._hold_at = position

    def release(self) -> None:
        """Let everything go on."""
        self._hold_at = None
        self._released.set()
        self._released = trio.Event()
