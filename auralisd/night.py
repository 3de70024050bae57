"""The night curve: how deep in the night a station is, by when it was told so and nothing else.

From the moment it is turned on the night deepens for an hour; turned off, the day is back within
a minute. Whole numbers of frames, so that the composer and whoever steers the sound agree exactly,
from the first frame on or after a jump to any hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from auralisd.controls import Controls
from auralisd.units import SAMPLE_RATE_HZ

DUSK_FRAMES: Final = 3_600 * SAMPLE_RATE_HZ
"""From bright day to the deepest night."""

DAWN_FRAMES: Final = 60 * SAMPLE_RATE_HZ
"""From the deepest night back to the day."""

DIMMED_SHARE: Final = 0.3
"""Of brightness, what the deepest night takes away."""

THINNED_SHARE: Final = 0.5
"""Of density, likewise."""

HUSHED_SHARE: Final = 0.25
"""Of what a player would begin even at that density, so many stay silent in the deepest night: about half are left."""

SOUND_STEP_FRAMES: Final = 2 * SAMPLE_RATE_HZ
"""The sound follows on this absolute grid: a glide of 1.5 s ends before the next one begins, so none leaves a trace."""


@dataclass(frozen=True, slots=True)
class Night:
    """The curve from its last turning point on; before that it stands still.

    Attributes:
        falling: whether the night deepens, or lifts.
        since_frames: the turning point.
        depth_frames: how deep it was there, 0 to ``DUSK_FRAMES``.
    """

    falling: bool = False
    since_frames: int = 0
    depth_frames: int = 0

    def turned(self, falling: bool, at_frames: int) -> Night:
        """The curve after the switch was set at ``at_frames``; it bends from where it is."""
        if falling == self.falling:
            return self
        return Night(falling, at_frames, self._depth_frames(at_frames))

    def depth(self, at_frames: int) -> float:
        """0 by day to 1 in the deepest night."""
        return self._depth_frames(at_frames) / DUSK_FRAMES

    def density_share(self, at_frames: int) -> float:
        """What the night leaves of the density, 1 to 0.5."""
        return 1.0 - THINNED_SHARE * self.depth(at_frames)

    def brightness_share(self, at_frames: int) -> float:
        """What the night leaves of the brightness, 1 to 0.7, in steps of ``SOUND_STEP_FRAMES``."""
        return 1.0 - DIMMED_SHARE * self.depth(at_frames // SOUND_STEP_FRAMES * SOUND_STEP_FRAMES)

    def _depth_frames(self, at_frames: int) -> int:
        elapsed = max(0, at_frames - self.since_frames)
        if self.falling:
            return min(DUSK_FRAMES, self.depth_frames + elapsed)
        return max(0, self.depth_frames - elapsed * (DUSK_FRAMES // DAWN_FRAMES))


def night_at(start: bool, switches: Iterable[tuple[int, bool]]) -> Night:
    """The curve after some switches, given as frame and setting in order of time; ``start`` holds from frame 0."""
    night = Night().turned(start, 0)
    for at_frames, falling in switches:
        night = night.turned(falling, at_frames)
    return night


def dimmed(controls: Controls, night: Night, at_frames: int) -> Controls:
    """The controls as the sound follows them at a frame; the same value while there is nothing to dim."""
    share = night.brightness_share(at_frames)
    return controls if share == 1.0 else replace(controls, brightness=controls.brightness * share)
