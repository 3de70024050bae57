"""What a patch is: an envelope and a few *strands*, sources that sound together.

Each strand has its own level, place, brightness response and decay. Its source is a table (see ``tones``), a sine, a
soft saw, or three saws behind a moving low-pass (see ``analogue``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from auralisd.synthesis.tones import Tone


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
        character: one line that says what it is and what it is like.
        envelope: how it comes and goes.
        strands: what it is made of.
        gain_db: level of the whole patch; the balance of the layers is made here.
        width: how far its strands reach from the note's own place, 0 to 1.
        scatter: how far from the middle notes may be placed, 0 to 1.
        send_db: reverb send relative to the dry level.
        delay_db: delay send relative to the dry level, -120 for none.
        velocity_db: level between velocity 0 and 1.
        velocity_brightness: added to brightness between velocity 0 and 1, centred on 0.5.
        velocity_send_db: change of the reverb send between velocity 0 and 1: what is soft is further away.
        octave_db: level change per octave above MIDI 60, so that high notes do not stand out.
        vibrato_hz: rate, 0 for none.
        vibrato_cents: depth, reached after ``vibrato_delay_seconds``.
        vibrato_delay_seconds: time the vibrato takes to grow.
        lowest_midi: pitches are raised by octaves until they reach it.
        highest_midi: and lowered until they are not above it.
    """

    name: str
    character: str
    envelope: Envelope
    strands: tuple[Strand, ...]
    gain_db: float
    width: float = 0.7
    scatter: float = 0.0
    send_db: float = -6.0
    delay_db: float = -120.0
    velocity_db: float = 9.0
    velocity_brightness: float = 0.3
    velocity_send_db: float = -4.0
    octave_db: float = -3.0
    vibrato_hz: float = 0.0
    vibrato_cents: float = 0.0
    vibrato_delay_seconds: float = 1.0
    lowest_midi: int = 12
    highest_midi: int = 108


def ensemble(dark: Tone, bright: Tone, *, movement: float = 0.35, gain_db: float = -3.0) -> tuple[Strand, ...]:
    """Two brightness frames, each read twice far apart in its table: a wide, moving body of sound."""
    return tuple(
        Strand(source="table", tone=tone, at_dark=low, at_bright=high, pan=pan, movement=movement, gain_db=gain_db)
        for tone, low, high in ((dark, 1.0, 0.25), (bright, 0.0, 1.0))
        for pan in (-1.0, 1.0)
    )
