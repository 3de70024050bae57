"""Textures: air without a pitch, and small grains in it."""

from __future__ import annotations

from typing import Final

from auralisd.synthesis.patches.patch import Envelope, Patch, Strand
from auralisd.synthesis.tones import AIR, CRACKLE, GLIMMER, HUSH, WIND

AIR_BED: Final = Patch(
    name="Air",
    character="Moving air, wide and without a pitch.",
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

WIND_BED: Final = Patch(
    name="Wind",
    character="Lower and darker than air, and it comes and goes.",
    envelope=Envelope(attack_seconds=(3.0, 5.0), decay_seconds=4.0, sustain=0.9, release_seconds=6.0),
    strands=tuple(
        Strand(source="table", tone=WIND, gain_db=-3.0, at_dark=0.55, at_bright=1.4, pan=pan, movement=0.9)
        for pan in (-1.0, 1.0)
    ),
    gain_db=-31.8,
    width=0.9,
    send_db=-5.0,
    octave_db=-2.0,
)

HUSH_BED: Final = Patch(
    name="Hush",
    character="Rain so fine that it is only a brightness of the silence.",
    envelope=Envelope(attack_seconds=(2.5, 4.5), decay_seconds=4.0, sustain=0.9, release_seconds=5.0),
    strands=tuple(
        Strand(source="table", tone=HUSH, gain_db=-3.0, at_dark=0.35, at_bright=1.5, pan=pan, movement=0.5)
        for pan in (-1.0, 1.0)
    ),
    gain_db=-34.0,
    width=1.0,
    send_db=-6.0,
    octave_db=-2.0,
)

GRAIN: Final = Patch(
    name="Grain",
    character="Small glints of filtered noise, each somewhere else.",
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

DROP: Final = Patch(
    name="Drop",
    character="A drop on a leaf: a small pitch that falls, and nothing after it.",
    envelope=Envelope(attack_seconds=(0.01, 0.03), decay_seconds=0.5, sustain=0.0, release_seconds=0.3, rings=True),
    strands=(
        Strand(source="sine", gain_db=-5.0, ratio=2.0, drop_semitones=5.0, drop_seconds=0.05, decay_seconds=0.45,
               at_dark=0.7, at_bright=1.3),
        Strand(source="table", tone=CRACKLE, gain_db=-9.0, ratio=0.5, decay_seconds=0.18, pan=0.4,
               at_dark=0.4, at_bright=1.6),
    ),
    gain_db=-16.0,
    width=0.5,
    scatter=0.95,
    send_db=0.0,
    delay_db=-6.0,
    octave_db=-3.0,
)  # fmt: skip
