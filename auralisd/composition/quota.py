"""Keeping the shares of a melody's notes: 70 % chord tones, 25 % scale, 5 % neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from auralisd.composition.chance import Stream


class Kind(Enum):
    """What a melody note is to the chord under it."""

    CHORD = "chord tone"
    SCALE = "scale tone"
    NEIGHBOUR = "chromatic neighbour"


TWENTIETHS: Final[Mapping[Kind, int]] = MappingProxyType({Kind.CHORD: 14, Kind.SCALE: 5, Kind.NEIGHBOUR: 1})
"""The shares wanted, in twentieths of all notes."""

_CHORD_LEEWAY_TWENTIETHS: Final = 0
_SCALE_LEEWAY_TWENTIETHS: Final = 24
"""Motifs run through the scale and miss chord tones more often than they hit too many: lean against it."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What each kind is owed so far.

    Attributes:
        chord_owed: chord tones missing, in twentieths of a note; negative when there are too many.
        scale_owed: the same for scale tones.
        neighbour_owed: the same for neighbours.
    """

    chord_owed: int = 0
    scale_owed: int = 0
    neighbour_owed: int = 0

    @classmethod
    def starting(cls, stream: Stream) -> Quota:
        """A quota somewhere within a round, so that many short counts do not all round the same way."""
        neighbour, scale = stream.between(-10, 9), stream.between(-10, 9)
        return cls(-neighbour - scale, scale, neighbour)

    def counted(self, kind: Kind) -> Quota:
        """The quota after one more note of ``kind``."""
        return Quota(
            self.chord_owed + TWENTIETHS[Kind.CHORD] - (20 if kind is Kind.CHORD else 0),
            self.scale_owed + TWENTIETHS[Kind.SCALE] - (20 if kind is Kind.SCALE else 0),
            self.neighbour_owed + TWENTIETHS[Kind.NEIGHBOUR] - (20 if kind is Kind.NEIGHBOUR else 0),
        )

    def steered(self, natural: Kind) -> Kind:
        """``natural`` while the shares allow it, else the kind that has fallen behind."""
        if natural is Kind.CHORD and self.scale_owed > _SCALE_LEEWAY_TWENTIETHS:
            return Kind.SCALE
        if natural is Kind.SCALE and self.chord_owed > _CHORD_LEEWAY_TWENTIETHS:
            return Kind.CHORD
        return natural

    def owes_neighbour(self) -> bool:
        """Whether a chromatic neighbour is due."""
        return self.neighbour_owed >= 10
