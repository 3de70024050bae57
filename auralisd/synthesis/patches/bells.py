"""Bells: single strokes whose partials are not harmonic."""

from __future__ import annotations

from typing import Final

from auralisd.synthesis.patches.patch import Envelope, Patch, Strand

GLASS_BELL: Final = Patch(
    name="Glass bell",
    character="A glass rod: partials of a free bar, each with its own decay.",
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

BRONZE_BELL: Final = Patch(
    name="Bronze bell",
    character="A church bell far down the valley: hum, prime, a faint tierce, nominal.",
    envelope=Envelope(attack_seconds=(0.008, 0.02), decay_seconds=7.5, sustain=0.0, release_seconds=2.5, curve=1.6),
    strands=(
        Strand(source="sine", gain_db=-4.0, decay_seconds=8.5, detune_cents=-1.0, pan=-0.3),
        Strand(source="sine", gain_db=-8.0, decay_seconds=7.5, detune_cents=1.4, pan=0.4),
        Strand(source="sine", ratio=0.5, gain_db=-12.0, decay_seconds=11.0, pan=0.1),
        Strand(source="sine", ratio=1.196, gain_db=-25.0, decay_seconds=3.0, at_dark=0.6, at_bright=1.3, pan=0.6),
        Strand(source="sine", ratio=2.004, gain_db=-12.0, decay_seconds=4.0, at_dark=0.5, at_bright=1.5, pan=-0.6),
        Strand(source="sine", ratio=3.01, gain_db=-20.0, decay_seconds=1.8, at_dark=0.3, at_bright=1.7, pan=0.3),
    ),
    gain_db=-26.6,
    width=0.7,
    scatter=0.6,
    send_db=0.0,
    delay_db=-8.0,
    octave_db=-3.5,
)

SINGING_BOWL: Final = Patch(
    name="Singing bowl",
    character="A bowl set ringing: pairs of partials that beat slowly, and no stroke to be heard.",
    envelope=Envelope(attack_seconds=(0.05, 0.12), decay_seconds=9.0, sustain=0.0, release_seconds=3.0, curve=1.5),
    strands=(
        Strand(source="sine", gain_db=-3.0, decay_seconds=12.0, detune_cents=-1.6, pan=-0.5),
        Strand(source="sine", gain_db=-4.0, decay_seconds=12.0, detune_cents=1.6, pan=0.5),
        Strand(source="sine", ratio=2.71, gain_db=-15.0, decay_seconds=7.0, detune_cents=-1.0, at_dark=0.5,
               at_bright=1.5, pan=0.6),
        Strand(source="sine", ratio=2.71, gain_db=-16.0, decay_seconds=7.0, detune_cents=1.0, at_dark=0.5,
               at_bright=1.5, pan=-0.6),
        Strand(source="sine", ratio=5.12, gain_db=-25.0, decay_seconds=3.5, at_dark=0.3, at_bright=1.7, pan=0.2),
    ),
    gain_db=-27.9,
    width=0.8,
    scatter=0.5,
    send_db=-2.0,
    delay_db=-9.0,
    octave_db=-3.5,
)  # fmt: skip

TUBE_CHIME: Final = Patch(
    name="Tube chime",
    character="Hanging tubes in hardly any wind: the pitch is one the ear makes of its overtones.",
    envelope=Envelope(attack_seconds=(0.006, 0.016), decay_seconds=6.0, sustain=0.0, release_seconds=2.2, curve=1.6),
    strands=(
        Strand(source="sine", gain_db=-4.0, decay_seconds=6.5, detune_cents=-0.8, pan=-0.4),
        Strand(source="sine", ratio=2.0, gain_db=-8.0, decay_seconds=6.0, detune_cents=1.0, pan=0.4),
        Strand(source="sine", ratio=3.011, gain_db=-13.0, decay_seconds=4.0, at_dark=0.6, at_bright=1.4, pan=-0.7),
        Strand(source="sine", ratio=4.166, gain_db=-19.0, decay_seconds=2.4, at_dark=0.4, at_bright=1.6, pan=0.7),
        Strand(source="sine", ratio=5.43, gain_db=-24.0, decay_seconds=1.4, at_dark=0.2, at_bright=1.8, pan=0.1),
    ),
    gain_db=-25.7,
    width=0.8,
    scatter=0.7,
    send_db=-0.5,
    delay_db=-7.0,
    octave_db=-3.5,
)
