"""The governor: gives up a little of the sound before a deadline is missed, and takes it back when there is time.

Pure: how long the packets took goes in, the quality to make the next ones in comes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auralisd.quality import Quality

SHED_LOAD: Final = 0.75
"""Share of real time that making a packet may take; above it something is left out."""

OVERLOAD: Final = 1.1
"""From here on two steps are taken at a time: the packets in hand are being used up."""

CLIMB_LOAD: Final = 0.5
"""Below it the step before is tried again; no step makes a packet half as expensive again."""

SHED_EVERY_SECONDS: Final = 0.5
"""What was left out shows in the load after some packets."""

CLIMB_AFTER_SECONDS: Final = 6.0
LONGEST_CLIMB_SECONDS: Final = 96.0
"""How long it has to be calm before a step is taken back; doubled whenever one was taken back too soon."""

RELAPSE_SECONDS: Final = 20.0
"""A step that is needed again so soon was taken back too soon."""

_SMOOTHING: Final = 0.1  # of the load, per packet: a second
_MOST_LOAD: Final = 2.0  # one packet that stood still with the whole machine is no trend


@dataclass(slots=True)
class Governor:
    """What one station can afford.

    Attributes:
        quality: in force.
        load: share of real time that packets took lately.
    """

    quality: Quality = Quality.FULL
    load: float = 0.0
    _changed_at: float = float("-inf")
    _climbed_at: float = float("-inf")
    _calm_since: float | None = None
    _patience_seconds: float = CLIMB_AFTER_SECONDS

    def packet_made(self, busy_seconds: float, *, packet_seconds: float, now: float) -> Quality:
        """Take in how long a packet took, waiting for a processor included, and say how to make the next.

        Args:
            busy_seconds: from the job's start to its end.
            packet_seconds: of sound that it made.
            now: on the loop's clock, in seconds.
        """
        self.load += _SMOOTHING * (min(busy_seconds / packet_seconds, _MOST_LOAD) - self.load)
        if self.load > SHED_LOAD and now - self._changed_at >= SHED_EVERY_SECONDS:
            self._shed(now)
        elif self.load >= CLIMB_LOAD or self.quality is Quality.FULL:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        elif now - self._calm_since >= self._patience_seconds:
            self.quality = self.quality.raised()
            self._changed_at = self._climbed_at = now
            self._calm_since = None
        if self.quality is Quality.FULL and now - self._climbed_at > RELAPSE_SECONDS:
            self._patience_seconds = CLIMB_AFTER_SECONDS
        return self.quality

    def _shed(self, now: float) -> None:
        if now - self._climbed_at <= RELAPSE_SECONDS:
            self._patience_seconds = min(2.0 * self._patience_seconds, LONGEST_CLIMB_SECONDS)
        self.quality = self.quality.lowered(2 if self.load > OVERLOAD else 1)
        self._changed_at = now
        self._calm_since = None
