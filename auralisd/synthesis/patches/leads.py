"""Leads: what plays the melody."""

from __future__ import annotations

from typing import Final

from auralisd.synthesis.patches.patch import Envelope, Patch, Strand
from auralisd.synthesis.tones import BREATH

SOFT_LEAD: Final = Patch(
    name="Soft lead",
    character="Sines and soft saws, a flute one cannot place.",
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

FLUTE_LEAD: Final = Patch(
    name="Wooden flute",
    character="Nearly a sine, with the air that makes it.",
    envelope=Envelope(attack_seconds=(0.09, 0.2), decay_seconds=1.2, sustain=0.7, release_seconds=1.6),
    strands=(
        Strand(source="sine", gain_db=-1.0, drift_cents=2.0, movement=0.15),
        Strand(source="sine", ratio=2.0, gain_db=-13.0, at_dark=0.5, at_bright=1.6, drift_cents=2.0, pan=0.2),
        Strand(source="sine", ratio=3.0, gain_db=-19.0, at_dark=0.3, at_bright=1.8, drift_cents=2.0, pan=-0.3),
        Strand(source="table", tone=BREATH, gain_db=-29.0, at_dark=0.5, at_bright=1.6, movement=0.5),
    ),
    gain_db=-18.9,
    width=0.5,
    scatter=0.25,
    send_db=-2.5,
    delay_db=-9.0,
    octave_db=-2.0,
    vibrato_hz=4.9,
    vibrato_cents=9.0,
    vibrato_delay_seconds=1.2,
)

REED_LEAD: Final = Patch(
    name="Far reed",
    character="A reed across a lake: odd partials, a slow start, hardly any vibrato.",
    envelope=Envelope(attack_seconds=(0.1, 0.22), decay_seconds=1.8, sustain=0.65, release_seconds=2.0),
    strands=(
        Strand(source="sine", gain_db=-2.0, drift_cents=1.5),
        Strand(source="sine", ratio=3.0, gain_db=-11.0, at_dark=0.5, at_bright=1.5, pan=-0.3, drift_cents=1.5),
        Strand(source="sine", ratio=5.0, gain_db=-18.0, at_dark=0.2, at_bright=1.8, pan=0.4, drift_cents=2.0),
        Strand(source="saw", detune_cents=3.0, gain_db=-12.0, at_dark=0.4, at_bright=1.5, pan=0.5, partials=1.8,
               drift_cents=2.5, movement=0.3),
    ),
    gain_db=-18.4,
    width=0.6,
    scatter=0.25,
    send_db=-2.0,
    delay_db=-9.0,
    octave_db=-2.0,
    vibrato_hz=4.2,
    vibrato_cents=4.0,
)  # fmt: skip

NIGHT_LEAD: Final = Patch(
    name="Night lead",
    character="Three saws, closed to a murmur; a firm note opens them.",
    envelope=Envelope(attack_seconds=(0.06, 0.16), decay_seconds=1.8, sustain=0.6, release_seconds=2.2),
    strands=(
        Strand(source="analogue", gain_db=-5.0, spread_cents=7.0, cutoff_ratio=2.5, opening_octaves=3.4,
               sweep_octaves=0.5, q=1.3, drift_cents=2.0),
        Strand(source="sine", gain_db=-6.0, drift_cents=1.5),
    ),
    gain_db=-17.2,
    width=0.4,
    scatter=0.3,
    send_db=-3.0,
    delay_db=-8.0,
    velocity_brightness=0.45,
    octave_db=-2.5,
    vibrato_hz=4.6,
    vibrato_cents=5.0,
)  # fmt: skip
