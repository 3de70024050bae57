"""How long the bed stays once it stands in: not in and out with every late packet, but until the live sound holds.

Pure: what continuity has in hand goes in, whether to return comes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LEAST_SECONDS: Final = 1.0
MOST_SECONDS: Final = 8.0
"""A stay is twice the one before when the live sound broke off again; so a starved machine plays a calm bed."""

RELAPSE_SECONDS: Final = 20.0
"""A live sound that broke off so soon after its return had returned too soon."""

PACKETS_IN_HAND: Final = 2
"""As many must be there behind the one that would bring the live sound back."""


@dataclass(slots=True)
class BedStay:
    """When the live sound of one station may come back."""

    _stay_seconds: float = LEAST_SECONDS
    _began_at: float = float("-inf")
    _returned_at: float = float("-inf")

    def begin(self, now: float) -> None:
        """The live sound broke off, ``now`` on the loop's clock."""
        relapsed = now - self._returned_at <= RELAPSE_SECONDS
        self._stay_seconds = min(2.0 * self._stay_seconds, MOST_SECONDS) if relapsed else LEAST_SECONDS
        self._began_at = now

    def may_end(self, now: float, packets_in_hand: int) -> bool:
        """Whether the live sound may come back with so many packets ready behind the first of it."""
        return now - self._began_at >= self._stay_seconds and packets_in_hand >= PACKETS_IN_HAND

    def end(self, now: float) -> None:
        """The live sound is back."""
        self._returned_at = now
