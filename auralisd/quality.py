"""How much of the sound is made: what is left out, in which order, when a machine is too slow for all of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final


class Quality(IntEnum):
    """Each step leaves out what the one before it does, and one thing more: the least missed goes first."""

    FULL = 0
    WITHOUT_TEXTURE = 1
    PLAIN_VOICES = 2
    SHORT_ROOM = 3
    FEW_VOICES = 4

    def lowered(self, steps: int = 1) -> Quality:
        """So many steps further down, as far as there are any."""
        return Quality(min(self + steps, Quality.FEW_VOICES))

    def raised(self) -> Quality:
        """One step back up."""
        return Quality(max(self - 1, Quality.FULL))


LEFT_OUT: Final[Mapping[Quality, str]] = MappingProxyType(
    {
        Quality.WITHOUT_TEXTURE: "the texture rests",
        Quality.PLAIN_VOICES: "new notes are plainer, without their chorus",
        Quality.SHORT_ROOM: "the room is smaller",
        Quality.FEW_VOICES: "fewer notes sound together",
    }
)
"""What a listener misses from each step on."""

BROUGHT_BACK: Final[Mapping[Quality, str]] = MappingProxyType(
    {
        Quality.WITHOUT_TEXTURE: "the texture may come back",
        Quality.PLAIN_VOICES: "new notes have their chorus again",
        Quality.SHORT_ROOM: "the room is as large as before",
        Quality.FEW_VOICES: "more notes sound together again",
    }
)
"""What a listener has again once a step is taken back."""
