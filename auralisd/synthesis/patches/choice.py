"""Which patch plays which note.

Each kind of note has several patches. A piece walks through them in an order its seed decides, one kind after
another and never all at once, staying with each for a couple of dozen chords: some minutes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from auralisd.score import Note
from auralisd.synthesis.chance import hashed
from auralisd.synthesis.patches import bells, drones, keys, leads, pads, percussion, textures
from auralisd.synthesis.patches.patch import Patch, Strand
from auralisd.synthesis.tones import Tone

CATALOGUE: Final[Mapping[str, tuple[Patch, ...]]] = {
    "drone": (drones.ROUND_DRONE, drones.BOWED_DRONE, drones.PIPE_DRONE, drones.NIGHT_DRONE),
    "pad": (pads.WARM_PAD, pads.CHOIR_PAD, pads.HOLLOW_PAD, pads.SILK_PAD),
    "loops": (keys.FELT_KEYS, keys.THUMB_PIANO, keys.NYLON_STRING, keys.MUSIC_BOX),
    "melody": (leads.SOFT_LEAD, leads.FLUTE_LEAD, leads.REED_LEAD, leads.NIGHT_LEAD),
    "bells": (bells.GLASS_BELL, bells.BRONZE_BELL, bells.SINGING_BOWL, bells.TUBE_CHIME),
    "texture": (textures.AIR_BED, textures.WIND_BED, textures.HUSH_BED),
    "grain": (textures.GRAIN, textures.DROP),
    "percussion": (percussion.FELT_DRUM, percussion.FRAME_DRUM, percussion.HEART_DRUM),
    "swell": (percussion.WAVE_SWELL, percussion.SURF_SWELL),
}
"""The patches of each kind of note; a kind is a layer, or a role that stands out in it."""

CHORDS_PER_PATCH: Final = 24
_OWN_KINDS: Final = frozenset({"grain", "swell"})


def kind_of(layer: str, role: str) -> str:
    """The row of the catalogue for a note of this layer and role."""
    return role if role in _OWN_KINDS else layer


def patch_for(note: Note, seed: int, *, plain: bool = False) -> Patch:
    """The patch ``note`` is played with in the piece ``seed``, or its plain version."""
    patch = _patch(kind_of(note.layer, note.role), note.chord_index, seed)
    return plain_version(patch) if plain else patch


@lru_cache(maxsize=1024)
def _patch(kind: str, chord_index: int, seed: int) -> Patch:
    start = hashed(seed, "patch", kind)
    turn = (chord_index + start % CHORDS_PER_PATCH) // CHORDS_PER_PATCH
    choice = CATALOGUE[kind]
    return choice[(start // CHORDS_PER_PATCH + turn) % len(choice)]


@lru_cache(maxsize=64)
def plain_version(patch: Patch) -> Patch:
    """``patch`` as loud and as bright as it is, but with one strand where several sound in unison."""
    unisons: dict[tuple[str, Tone | None, float], list[Strand]] = {}
    for strand in patch.strands:
        unisons.setdefault((strand.source, strand.tone, strand.ratio), []).append(strand)
    return replace(patch, strands=tuple(_in_one(strands) for strands in unisons.values()))


def _in_one(strands: list[Strand]) -> Strand:
    if len(strands) == 1:
        return strands[0]
    power = sum(10.0 ** (strand.gain_db / 10.0) for strand in strands)
    return replace(strands[0], gain_db=10.0 * math.log10(power), pan=0.0, detune_cents=0.0)
