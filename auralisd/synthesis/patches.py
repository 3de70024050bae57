"""The sounds: every patch is a frozen value that says what a note is made of.

A patch is an envelope and a few *strands*: sources that sound together, each with its own level, place,
brightness response and decay. A strand's source is a table (see ``tones``), a sine, a soft saw, or three
saws behind a moving low-pass (see ``analogue``).
``patch_for`` picks the patch of a note by its layer and role.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from auralisd.synthesis.tones import (
    AIR,
    BREATH,
    DRONE_BRIGHT,
    DRONE_DARK,
    FELT,
    GLIMMER,
    PAD_BRIGHT,
    PAD_DARK,
    SWELL,
    Tone,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Attack, decay, sustain, release; the times in seconds, ``sustain`` as amplitude 0 to 1.

    Attributes:
        attack_seconds: shortest and longest; the note's draw lies between.
        decay_seconds: from full level to ``sustain``.
        release_seconds: from the note's end to silence.
        curve: 1 is linear, 2 starts attacks softly and lets releases die away.
        rings: the note's written end is ignored; it dies by its decay.
    """

    attack_seconds: tuple[float, float]
    decay_seconds: float = 1.0
    sustain: float = 1.0
    release_seconds: float = 1.0
    curve: float = 2.0
    rings: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Strand:
    """One source inside a note.

    Attributes:
        source: ``table``, ``sine``, ``saw`` or ``analogue``.
        tone: what the table holds.
        ratio: frequency as a multiple of the note's.
        detune_cents: added to it.
        gain_db: level of the strand at full velocity.
        at_dark: amplitude factor at brightness 0.
        at_bright: amplitude factor at brightness 1; in between it moves linearly.
        pan: place, -1 left to 1 right, within the patch's width.
        decay_seconds: time to fall by 60 dB on its own, 0 for never.
        movement: share of its level that wanders slowly, 0 to 1.
        drift_cents: how far its pitch wanders slowly.
        partials: edge of a saw: 0.5 is nearly a sine, 8 is bright.
        drop_semitones: how far above its pitch it begins.
        drop_seconds: time constant of that fall.
        spread_cents: how far the outer saws of an analogue strand lie from the middle one.
        cutoff_ratio: cutoff of its low-pass at brightness 0.5, as a multiple of its frequency.
        opening_octaves: how far the cutoff moves between brightness 0 and 1.
        sweep_octaves: how far it wanders slowly, up and down.
        q: resonance; 0.7 is flat, 2 rings.
    """

    source: Literal["table", "sine", "saw", "analogue"]
    tone: Tone | None = None
    ratio: float = 1.0
    detune_cents: float = 0.0
    gain_db: float = 0.0
    at_dark: float = 1.0
    at_bright: float = 1.0
    pan: float = 0.0
    decay_seconds: float = 0.0
    movement: float = 0.0
    drift_cents: float = 0.0
    partials: float = 1.5
    drop_semitones: float = 0.0
    drop_seconds: float = 0.05
    spread_cents: float = 8.0
    cutoff_ratio: float = 4.0
    opening_octaves: float = 3.0
    sweep_octaves: float = 0.5
    q: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """What a note of some layer and role sounds like.

    Attributes:
        name: for people.
        envelope: how it comes and goes.
        strands: what it is made of.
        gain_db: level of the whole patch; the balance of the layers is made here.
        width: how far its strands reach from the note's own place, 0 to 1.
        scatter: how far from the middle notes may be placed, 0 to 1.
        send_db: reverb send relative to the dry level.
        delay_db: delay send relative to the dry level, -120 for none.
        velocity_db: level between velocity 0 and 1.
        velocity_brightness: added to brightness between velocity 0 and 1, centred on 0.5.
        octave_db: level change per octave above MIDI 60, so that high notes do not stand out.
        vibrato_hz: rate, 0 for none.
        vibrato_cents: depth, reached after ``vibrato_delay_seconds``.
        vibrato_delay_seconds: time the vibrato takes to grow.
        lowest_midi: pitches are raised by octaves until they reach it.
        highest_midi: and lowered until they are not above it.
    """

    name: str
    envelope: Envelope
    strands: tuple[Strand, ...]
    gain_db: float
    width: float = 0.7
    scatter: float = 0.0
    send_db: float = -6.0
    delay_db: float = -120.0
    velocity_db: float = 9.0
    velocity_brightness: float = 0.3
    octave_db: float = -3.0
    vibrato_hz: float = 0.0
    vibrato_cents: float = 0.0
    vibrato_delay_seconds: float = 1.0
    lowest_midi: int = 12
    highest_midi: int = 108


def _ensemble(dark: Tone, bright: Tone, movement: float = 0.35) -> tuple[Strand, ...]:
    """Two brightness frames, each read twice far apart in its table: a wide, moving body of sound."""
    return tuple(
        Strand(source="table", tone=tone, at_dark=low, at_bright=high, pan=pan, movement=movement, gain_db=-3.0)
        for tone, low, high in ((dark, 1.0, 0.25), (bright, 0.0, 1.0))
        for pan in (-1.0, 1.0)
    )


WARM_PAD: Final = Patch(
    name="Warm pad",
    envelope=Envelope(attack_seconds=(1.2, 3.2), decay_seconds=4.0, sustain=0.85, release_seconds=5.5, curve=1.7),
    strands=(
        *_ensemble(PAD_DARK, PAD_BRIGHT),
        Strand(source="table", tone=BREATH, gain_db=-21.0, at_dark=0.3, at_bright=1.7, movement=0.7),
    ),
    gain_db=-25.0,
    width=0.48,
    scatter=0.3,
    send_db=-4.0,
)

ROUND_DRONE: Final = Patch(
    name="Round drone",
    envelope=Envelope(attack_seconds=(3.0, 6.0), decay_seconds=8.0, sustain=0.9, release_seconds=7.0, curve=1.6),
    strands=(
        Strand(source="sine", gain_db=-3.0, movement=0.15),
        Strand(source="saw", detune_cents=-3.5, gain_db=-9.0, at_dark=0.6, at_bright=1.3, pan=-0.5, movement=0.4,
               drift_cents=2.0, partials=1.2),
        Strand(source="saw", detune_cents=3.1, gain_db=-9.0, at_dark=0.6, at_bright=1.3, pan=0.5, movement=0.4,
               drift_cents=2.0, partials=1.2),
        *_ensemble(DRONE_DARK, DRONE_BRIGHT, movement=0.5),
    ),
    gain_db=-24.5,
    width=0.7,
    send_db=-12.0,
    octave_db=-2.0,
)  # fmt: skip

SOFT_LEAD: Final = Patch(
    name="Soft lead",
    envelope=Envelope(attack_seconds=(0.06, 0.14), decay_seconds=1.6, sustain=0.55, release_seconds=2.2),
    strands=(
        Strand(source="sine", gain_db=-2.0, drift_cents=1.5),
        Strand(source="saw", detune_cents=4.0, gain_db=-7.0, at_dark=0.4, at_bright=1.5, pan=0.4, partials=2.6,
               drift_cents=2.5, movement=0.3),
        Strand(source="saw", detune_cents=-4.0, gain_db=-8.0, at_dark=0.4, at_bright=1.5, pan=-0.4, partials=2.0,
               drift_cents=2.5, movement=0.3),
        Strand(source="sine", ratio=2.0, gain_db=-17.0, at_dark=0.5, at_bright=1.6, decay_seconds=4.0),
    ),
    gain_db=-17.5,
    width=0.6,
    scatter=0.25,
    send_db=-3.0,
    delay_db=-8.0,
    octave_db=-2.0,
    vibrato_hz=4.6,
    vibrato_cents=6.0,
)  # fmt: skip

FELT_KEYS: Final = Patch(
    name="Felt keys",
    envelope=Envelope(
        attack_seconds=(0.012, 0.03), decay_seconds=3.5, sustain=0.12, release_seconds=3.0
    ),
    strands=(
        Strand(source="sine", gain_db=-2.0, drift_cents=1.0),
        Strand(source="saw", detune_cents=3.0, gain_db=-14.0, at_dark=0.4, at_bright=1.6, pan=0.6, partials=1.4,
               decay_seconds=3.0),
        Strand(source="sine", ratio=2.0, detune_cents=-2.0, gain_db=-13.0, at_dark=0.6, at_bright=1.4, pan=-0.6,
               decay_seconds=3.2),
        Strand(source="sine", ratio=3.98, gain_db=-22.0, at_dark=0.3, at_bright=1.7, pan=0.3, decay_seconds=0.9),
    ),
    gain_db=-22.0,
    width=0.7,
    scatter=0.45,
    send_db=-3.0,
    delay_db=-9.0,
    octave_db=-2.5,
)  # fmt: skip

GLASS_BELL: Final = Patch(
    name="Glass bell",
    envelope=Envelope(
        attack_seconds=(0.006, 0.02), decay_seconds=6.5, sustain=0.0, release_seconds=2.5, curve=1.6
    ),
    strands=(
        Strand(source="sine", gain_db=-3.0, decay_seconds=9.0, detune_cents=-1.3, pan=-0.4),
        Strand(source="sine", gain_db=-6.0, decay_seconds=8.0, detune_cents=1.7, pan=0.5),
        Strand(source="sine", ratio=2.003, gain_db=-12.0, decay_seconds=5.5, at_dark=0.6, at_bright=1.4, pan=0.3),
        Strand(source="sine", ratio=2.756, gain_db=-17.0, decay_seconds=3.8, at_dark=0.5, at_bright=1.5, pan=-0.7),
        Strand(source="sine", ratio=4.07, gain_db=-21.0, decay_seconds=2.2, at_dark=0.3, at_bright=1.7, pan=0.8),
        Strand(source="sine", ratio=5.404, gain_db=-25.0, decay_seconds=1.3, at_dark=0.2, at_bright=1.8, pan=-0.2),
    ),
    gain_db=-27.0,
    width=0.8,
    scatter=0.6,
    send_db=-1.0,
    delay_db=-7.0,
    octave_db=-3.5,
)  # fmt: skip

AIR_BED: Final = Patch(
    name="Air",
    envelope=Envelope(attack_seconds=(2.5, 4.0), decay_seconds=4.0, sustain=0.9, release_seconds=5.0),
    strands=tuple(
        Strand(source="table", tone=AIR, gain_db=-3.0, at_dark=0.45, at_bright=1.5, pan=pan, movement=0.75)
        for pan in (-1.0, 1.0)
    ),
    gain_db=-34.0,
    width=0.8,
    send_db=-4.0,
    octave_db=-2.0,
)

GRAIN: Final = Patch(
    name="Grain",
    envelope=Envelope(attack_seconds=(0.08, 0.25), decay_seconds=0.9, sustain=0.0, release_seconds=0.5, rings=True),
    strands=(
        Strand(source="table", tone=GLIMMER, gain_db=-2.0, at_dark=0.6, at_bright=1.4, pan=-0.3),
        Strand(source="table", tone=GLIMMER, gain_db=-5.0, at_dark=0.6, at_bright=1.4, pan=0.5, ratio=2.83),
    ),
    gain_db=-29.0,
    width=0.5,
    scatter=0.9,
    send_db=0.0,
    delay_db=-6.0,
    octave_db=-3.0,
)

FELT_DRUM: Final = Patch(
    name="Felt drum",
    envelope=Envelope(
        attack_seconds=(0.006, 0.012), decay_seconds=1.8, sustain=0.0, release_seconds=0.4, curve=2.2, rings=True
    ),
    strands=(
        Strand(source="sine", gain_db=0.0, drop_semitones=7.0, drop_seconds=0.045, decay_seconds=1.6),
        Strand(source="sine", ratio=1.593, gain_db=-16.0, decay_seconds=0.5, at_dark=0.6, at_bright=1.4),
        Strand(source="table", tone=FELT, gain_db=-17.0, decay_seconds=0.28, at_dark=0.4, at_bright=1.6),
    ),
    gain_db=-15.5,
    width=0.3,
    send_db=-9.0,
    octave_db=-2.0,
    lowest_midi=29,
    highest_midi=40,
)

WAVE_SWELL: Final = Patch(
    name="Wave",
    envelope=Envelope(attack_seconds=(1.4, 2.4), decay_seconds=2.5, sustain=0.5, release_seconds=3.0),
    strands=tuple(
        Strand(source="table", tone=SWELL, gain_db=-3.0, at_dark=0.6, at_bright=1.4, pan=pan, movement=0.5)
        for pan in (-1.0, 1.0)
    ),
    gain_db=-32.0,
    width=0.9,
    send_db=-2.0,
    octave_db=0.0,
)

_BY_ROLE: Final = {
    ("texture", "grain"): GRAIN,
    ("percussion", "swell"): WAVE_SWELL,
}
_BY_LAYER: Final = {
    "drone": ROUND_DRONE,
    "pad": WARM_PAD,
    "loops": FELT_KEYS,
    "melody": SOFT_LEAD,
    "bells": GLASS_BELL,
    "texture": AIR_BED,
    "percussion": FELT_DRUM,
}


def patch_for(layer: str, role: str, *, plain: bool = False) -> Patch:
    """The patch a note of this layer and role is played with, or its plain version."""
    patch = _BY_ROLE.get((layer, role), _BY_LAYER[layer])
    return _plain(patch) if plain else patch


@lru_cache(maxsize=64)
def _plain(patch: Patch) -> Patch:
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
