"""Pads: the chords."""

from __future__ import annotations

from typing import Final

from auralisd.synthesis.patches.patch import Envelope, Patch, Strand, ensemble
from auralisd.synthesis.tones import (
    BREATH,
    CHOIR_BRIGHT,
    CHOIR_DARK,
    HOLLOW_BRIGHT,
    HOLLOW_DARK,
    PAD_BRIGHT,
    PAD_DARK,
    SILK_BRIGHT,
    SILK_DARK,
)

WARM_PAD: Final = Patch(
    name="Warm pad",
    character="Strings without bows: two tables of an ensemble and a breath.",
    envelope=Envelope(attack_seconds=(1.2, 3.2), decay_seconds=4.0, sustain=0.85, release_seconds=5.5, curve=1.7),
    strands=(
        *ensemble(PAD_DARK, PAD_BRIGHT),
        Strand(source="table", tone=BREATH, gain_db=-21.0, at_dark=0.3, at_bright=1.7, movement=0.7),
    ),
    gain_db=-25.0,
    width=0.48,
    scatter=0.3,
    send_db=-4.0,
)

CHOIR_PAD: Final = Patch(
    name="Choir",
    character="Many voices on a dark vowel that opens with brightness; nobody says a word.",
    envelope=Envelope(attack_seconds=(1.6, 3.6), decay_seconds=4.0, sustain=0.85, release_seconds=5.0, curve=1.7),
    strands=(
        *ensemble(CHOIR_DARK, CHOIR_BRIGHT, movement=0.45),
        Strand(source="table", tone=BREATH, gain_db=-19.0, at_dark=0.4, at_bright=1.6, movement=0.7),
    ),
    gain_db=-24.3,
    width=0.5,
    scatter=0.35,
    send_db=-3.0,
)

HOLLOW_PAD: Final = Patch(
    name="Hollow pad",
    character="Odd partials only, like a clarinet the size of a room.",
    envelope=Envelope(attack_seconds=(1.0, 2.8), decay_seconds=4.0, sustain=0.85, release_seconds=5.0, curve=1.7),
    strands=(
        *ensemble(HOLLOW_DARK, HOLLOW_BRIGHT, movement=0.3),
        Strand(source="sine", gain_db=-9.0, drift_cents=1.5, movement=0.2),
    ),
    gain_db=-23.7,
    width=0.5,
    scatter=0.35,
    send_db=-4.0,
)

SILK_PAD: Final = Patch(
    name="Silk",
    character="Thin and high in its overtones, wide apart: light rather than weight.",
    envelope=Envelope(attack_seconds=(1.8, 4.0), decay_seconds=5.0, sustain=0.8, release_seconds=6.5, curve=1.8),
    strands=(
        *ensemble(SILK_DARK, SILK_BRIGHT, movement=0.55),
        Strand(source="sine", gain_db=-11.0, drift_cents=2.0, movement=0.3),
    ),
    gain_db=-25.5,
    width=0.6,
    scatter=0.3,
    send_db=-3.0,
)
