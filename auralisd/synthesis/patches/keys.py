"""Keys and strings that are struck or plucked: the loops."""

from __future__ import annotations

from typing import Final

from auralisd.synthesis.patches.patch import Envelope, Patch, Strand

FELT_KEYS: Final = Patch(
    name="Felt keys",
    character="A felted piano: a soft stroke, a short gleam, a long fade.",
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

THUMB_PIANO: Final = Patch(
    name="Thumb piano",
    character="A tongue of steel on a box: a round note with a short bright crack above it.",
    envelope=Envelope(attack_seconds=(0.006, 0.014), decay_seconds=2.6, sustain=0.06, release_seconds=1.8),
    strands=(
        Strand(source="sine", gain_db=-1.0, drift_cents=1.0),
        Strand(source="sine", ratio=2.0, detune_cents=3.0, gain_db=-18.0, pan=0.5, decay_seconds=1.6),
        Strand(source="sine", ratio=5.43, gain_db=-19.0, at_dark=0.3, at_bright=1.7, pan=-0.5, decay_seconds=0.5),
        Strand(source="sine", ratio=8.9, gain_db=-27.0, at_dark=0.2, at_bright=1.8, pan=0.3, decay_seconds=0.22),
    ),
    gain_db=-21.6,
    width=0.7,
    scatter=0.5,
    send_db=-3.0,
    delay_db=-8.0,
    octave_db=-2.5,
)

NYLON_STRING: Final = Patch(
    name="Nylon string",
    character="Plucked near the middle: a few partials, the high ones gone at once.",
    envelope=Envelope(attack_seconds=(0.008, 0.018), decay_seconds=3.0, sustain=0.08, release_seconds=2.2),
    strands=(
        Strand(source="sine", gain_db=-2.0, detune_cents=-0.8, drift_cents=0.8),
        Strand(source="sine", ratio=2.001, gain_db=-11.0, at_dark=0.6, at_bright=1.4, pan=-0.4, decay_seconds=2.8),
        Strand(source="sine", ratio=3.004, gain_db=-15.0, at_dark=0.5, at_bright=1.5, pan=0.5, decay_seconds=1.8),
        Strand(source="sine", ratio=4.01, gain_db=-20.0, at_dark=0.4, at_bright=1.7, pan=-0.6, decay_seconds=1.0),
        Strand(source="sine", ratio=6.03, gain_db=-27.0, at_dark=0.2, at_bright=1.8, pan=0.2, decay_seconds=0.5),
    ),
    gain_db=-20.2,
    width=0.7,
    scatter=0.5,
    send_db=-3.5,
    delay_db=-9.0,
    octave_db=-2.5,
)

MUSIC_BOX: Final = Patch(
    name="Music box",
    character="A comb of steel in the next room: clear, small, a little out of tune with itself.",
    envelope=Envelope(attack_seconds=(0.006, 0.012), decay_seconds=3.4, sustain=0.05, release_seconds=2.4),
    strands=(
        Strand(source="sine", gain_db=-3.0, detune_cents=-1.5, pan=-0.5, drift_cents=1.0),
        Strand(source="sine", gain_db=-6.0, detune_cents=1.8, pan=0.5, drift_cents=1.0),
        Strand(source="sine", ratio=4.02, gain_db=-19.0, at_dark=0.4, at_bright=1.6, pan=0.4, decay_seconds=1.2),
        Strand(source="sine", ratio=6.27, gain_db=-24.0, at_dark=0.3, at_bright=1.7, pan=-0.3, decay_seconds=0.7),
    ),
    gain_db=-22.1,
    width=0.7,
    scatter=0.5,
    send_db=-2.5,
    delay_db=-8.0,
    octave_db=-2.5,
)
