"""What waits on the manuscript, carried into another region degree for degree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from auralisd.composition import bells, drone, loops, melody
from auralisd.composition.manuscript import Manuscript
from auralisd.composition.pitch import Region
from auralisd.score import Note

REGISTERS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        drone.LAYER: (drone.LOWEST, drone.LOWEST + 11),
        loops.LAYER: loops.RANGE,
        melody.LAYER: melody.RANGE,
        bells.LAYER: bells.RANGE,
    }
)
"""Where each layer stays; each is an octave wide at least, so that every degree has its place there."""


def carry_over(sheet: Manuscript, left: Region, arrived: Region, chord_index: int, at_frames: int) -> None:
    """Put all that waits on the same degree of ``arrived``, in its layer's register.

    Two are left to others: the pad, whose player leads its voices, and a melody note that resolves a
    neighbour which has sounded already: it steps from there.
    """
    spoken = sheet.latest(melody.LAYER, at_frames)
    resolution = next(iter(sheet.waiting(melody.LAYER, at_frames)), None)
    if spoken is None or spoken.role != "neighbour":
        resolution = None

    def carried(note: Note) -> Note:
        if note.unpitched or note.layer not in REGISTERS:
            return note
        if spoken is not None and note == resolution:
            pitch = arrived.resolution(spoken.pitch_midi, note.pitch_midi)
        else:
            pitch = left.carried(note.pitch_midi, arrived, REGISTERS[note.layer])
        return replace(note, pitch_midi=pitch, chord_index=chord_index)

    sheet.carry(carried, at_frames)
