"""The characters a section can have: how tense, how busy, how high, and with which layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from auralisd.composition.chance import Chance
from auralisd.controls import LAYERS

_INITIALS: Final = {"L": "loops", "M": "melody", "B": "bells", "T": "texture", "P": "percussion"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Archetype:
    """One character.

    Attributes:
        name: as the event stream shows it.
        words: completes "A aeolian, ..." for a listener.
        tension_percent: at its beginning and at its end.
        density_percent: likewise, in percent of what intensity alone would give.
        register_semitones: how far the upper layers' centre is shifted.
        companions: ten sets of layers that may join drone and pad, by initial; each has one that can state a motif.
    """

    name: str
    words: str
    tension_percent: tuple[int, int]
    density_percent: tuple[int, int]
    register_semitones: int
    companions: tuple[str, ...]

    def layers(self, chance: Chance, turn: int) -> tuple[str, ...]:
        """The layers of its ``turn``-th appearance; ten different sets before one comes back.

        The very first is always the first set listed, so that a new listener meets the melody at once.
        """
        later = chance.stream("layer sets " + self.name).shuffled(self.companions[1:])
        chosen = [self.companions[0], *later][turn % len(self.companions)]
        names = {"drone", "pad", *(_INITIALS[initial] for initial in chosen)}
        return tuple(layer for layer in LAYERS if layer in names)


def _archetype(
    name: str, words: str, tension: tuple[int, int], density: tuple[int, int], register: int, companions: str
) -> Archetype:
    return Archetype(
        name=name,
        words=words,
        tension_percent=tension,
        density_percent=density,
        register_semitones=register,
        companions=tuple(companions.split()),
    )


ARCHETYPES: Final[Mapping[str, Archetype]] = MappingProxyType(
    {
        archetype.name: archetype
        for archetype in (
            _archetype("emerge", "emerging", (15, 35), (70, 95), 0, "MTP LM MT MB LMT MP MBT LMP LMB MBP"),
            _archetype("settle", "settling", (35, 25), (100, 90), 0, "LMT MBP LMB MTP MBT LMP LM MB MP MT"),
            _archetype("lift", "lifting", (40, 80), (100, 125), 3, "LMP MBP LMB MBT LMT MTP LBP MB LM MP"),
            _archetype("suspend", "suspended", (70, 55), (85, 70), 2, "MT LBT BT LT MB LB LMT MBT B LM"),
            _archetype("thin", "thinning out", (30, 15), (60, 45), -2, "LT M B L BT LP MT LB MB BP"),
            _archetype("return", "returning", (35, 15), (90, 70), -1, "LM MT MBP MB LMT LMP MBT LMB MP MTP"),
        )
    }
)
