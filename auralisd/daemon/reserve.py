"""The reserve: how far ahead of the air a renderer works, more on a machine that keeps it waiting.

A long reserve rides over a machine that stands still now and then; a short one lets a turned control be heard at
once. So it is short until packets come in late, grows before one is missed, and shrinks again when all is calm.
Pure: how early the packets were ready goes in, how far ahead to work comes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

USUAL_SECONDS: Final = 0.35
"""From a packet's beginning to its time on the air: two packets in hand while the third is made."""

LEAST_SECONDS: Final = 0.25
"""One in hand, where the machine has not kept anybody waiting for ``TRUSTED_AFTER_SECONDS``."""

TRUSTED_AFTER_SECONDS: Final = 600.0

MOST_SECONDS: Final = 1.15
"""Ten packets in hand; by then a control is heard a second late, and longer pauses are the bed's."""

LOW_SECONDS: Final = 0.1
"""A packet that is ready no sooner than this before it is needed says that the reserve is short."""

CALM_SECONDS: Final = 20.0
"""Nothing may have come near for so long before a step is given back."""

_STEP_SECONDS: Final = 0.1
_GROW_EVERY_SECONDS: Final = 0.2


@dataclass(slots=True)
class Reserve:
    """How far ahead one renderer works.

    Attributes:
        seconds: from the beginning of a packet's making to its time on the air.
    """

    seconds: float = USUAL_SECONDS
    _began_at: float = float("inf")
    _grown_at: float = float("-inf")
    _calm_since: float | None = None
    _lowest_seconds: float = float("inf")

    def packet_made(self, spare_seconds: float, *, now: float) -> float:
        """Take in how early a packet was ready and say how far ahead to begin the next.

        Args:
            spare_seconds: before it was needed; negative when it came too late.
            now: on the loop's clock, in seconds.
        """
        self._began_at = min(self._began_at, now)
        if spare_seconds < LOW_SECONDS:
            self._grow(now)
        elif self._calm_since is None:
            self._watch(now)
        self._lowest_seconds = min(self._lowest_seconds, spare_seconds)
        if self._calm_since is not None and now - self._calm_since >= CALM_SECONDS:
            if self._lowest_seconds > LOW_SECONDS + 1.5 * _STEP_SECONDS:
                trusted = now - max(self._grown_at, self._began_at) >= TRUSTED_AFTER_SECONDS
                least = LEAST_SECONDS if trusted else USUAL_SECONDS
                self.seconds = max(self.seconds - _STEP_SECONDS, min(self.seconds, least))
            self._watch(now)
        return self.seconds

    def broke_off(self, now: float) -> float:
        """The bed stands in, whatever the cause: say how far ahead to work, which is more than usual.

        With less, what has to be in hand before the bed may end never is.
        """
        self._grow(now)
        self.seconds = max(self.seconds, USUAL_SECONDS + _STEP_SECONDS)
        return self.seconds

    def _grow(self, now: float) -> None:
        self._calm_since = None
        if now - self._grown_at >= _GROW_EVERY_SECONDS:
            self.seconds = min(self.seconds + _STEP_SECONDS, MOST_SECONDS)
            self._grown_at = now

    def _watch(self, now: float) -> None:
        self._calm_since, self._lowest_seconds = now, float("inf")
