"""Drones: what lies under everything, low and slow."""

from __future__ import annotations

from typing import Final

from auralisd.synthesis.patches.patch import Envelope, Patch, Strand, ensemble
from auralisd.synthesis.tones import BOWED_BRIGHT, BOWED_DARK, DRONE_BRIGHT, DRONE_DARK

ROUND_DRONE: Final = Patch(
    name="Round drone",
    character="A sine as the floor, soft saws and a dark ensemble on it.",
    envelope=Envelope(attack_seconds=(3.0, 6.0), decay_seconds=8.0, sustain=0.9, release_seconds=7.0, curve=1.6),
    strands=(
        Strand(source="sine", gain_db=-3.0, movement=0.15),
        Strand(source="saw", detune_cents=-3.5, gain_db=-9.0, at_dark=0.6, at_bright=1.3, pan=-0.5, movement=0.4,
               drift_cents=2.0, partials=1.2),
        Strand(source="saw", detune_cents=3.1, gain_db=-9.0, at_dark=0.6, at_bright=1.3, pan=0.5, movement=0.4,
               drift_cents=2.0, partials=1.2),
        *ensemble(DRONE_DARK, DRONE_BRIGHT, movement=0.5),
    ),
    gain_db=-23.0,
    width=0.7,
    send_db=-12.0,
    octave_db=-2.0,
)  # fmt: skip

BOWED_DRONE: Final = Patch(
    name="Bowed drone",
    character="A bow that never turns on a low string: rough, full of overtones, far away.",
    envelope=Envelope(attack_seconds=(4.0, 7.0), decay_seconds=8.0, sustain=0.9, release_seconds=8.0, curve=1.6),
    strands=(
        Strand(source="sine", gain_db=-5.0, movement=0.1),
        *ensemble(BOWED_DARK, BOWED_BRIGHT, movement=0.6, gain_db=-2.0),
    ),
    gain_db=-24.0,
    width=0.75,
    send_db=-10.0,
    octave_db=-2.0,
)

PIPE_DRONE: Final = Patch(
    name="Pipe drone",
    character="A small organ with one key held: six stopped pipes that breathe against each other.",
    envelope=Envelope(attack_seconds=(2.5, 5.0), decay_seconds=6.0, sustain=0.92, release_seconds=6.0, curve=1.5),
    strands=(
        Strand(source="sine", gain_db=-2.0, movement=0.12),
        Strand(source="sine", ratio=2.0, detune_cents=1.2, gain_db=-9.0, movement=0.5, pan=-0.6, drift_cents=1.5),
        Strand(source="sine", ratio=2.0, detune_cents=-1.4, gain_db=-10.0, movement=0.5, pan=0.6, drift_cents=1.5),
        Strand(source="sine", ratio=3.0, gain_db=-14.0, movement=0.7, pan=0.4, at_dark=0.4, at_bright=1.5,
               drift_cents=1.5),
        Strand(source="sine", ratio=4.0, gain_db=-18.0, movement=0.8, pan=-0.3, at_dark=0.3, at_bright=1.7,
               drift_cents=2.0),
        Strand(source="sine", ratio=6.0, gain_db=-24.0, movement=0.9, pan=0.8, at_dark=0.1, at_bright=1.9,
               drift_cents=2.0),
    ),
    gain_db=-21.0,
    width=0.7,
    send_db=-11.0,
    octave_db=-2.0,
)  # fmt: skip

NIGHT_DRONE: Final = Patch(
    name="Night drone",
    character="Three saws behind a low-pass that opens and closes like slow breathing.",
    envelope=Envelope(attack_seconds=(3.0, 6.0), decay_seconds=8.0, sustain=0.9, release_seconds=7.0, curve=1.6),
    strands=(
        Strand(source="sine", gain_db=-4.0, movement=0.15),
        Strand(source="analogue", gain_db=-6.0, spread_cents=6.0, cutoff_ratio=3.5, opening_octaves=3.0,
               sweep_octaves=0.9, q=1.1, drift_cents=2.0, movement=0.2),
    ),
    gain_db=-21.7,
    width=0.5,
    send_db=-9.0,
    octave_db=-2.0,
)  # fmt: skip
