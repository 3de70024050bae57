"""Percussion: low, soft and rare."""

from __future__ import annotations

from typing import Final

from auralisd.synthesis.patches.patch import Envelope, Patch, Strand
from auralisd.synthesis.tones import FELT, SKIN, SURF, SWELL

FELT_DRUM: Final = Patch(
    name="Felt drum",
    character="A low drum under felt; its pitch falls as it is struck.",
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

FRAME_DRUM: Final = Patch(
    name="Frame drum",
    character="A wide skin touched with the flat hand: less fall, more skin.",
    envelope=Envelope(
        attack_seconds=(0.008, 0.016), decay_seconds=1.5, sustain=0.0, release_seconds=0.4, curve=2.0, rings=True
    ),
    strands=(
        Strand(source="sine", gain_db=-1.0, drop_semitones=3.0, drop_seconds=0.06, decay_seconds=1.3),
        Strand(source="sine", ratio=1.5, gain_db=-12.0, decay_seconds=0.7, at_dark=0.6, at_bright=1.4, pan=0.5),
        Strand(source="sine", ratio=2.14, gain_db=-17.0, decay_seconds=0.4, at_dark=0.5, at_bright=1.5, pan=-0.5),
        Strand(source="table", tone=SKIN, gain_db=-15.0, decay_seconds=0.35, at_dark=0.4, at_bright=1.6),
    ),
    gain_db=-13.5,
    width=0.35,
    send_db=-8.0,
    octave_db=-2.0,
    lowest_midi=29,
    highest_midi=40,
)

HEART_DRUM: Final = Patch(
    name="Heart",
    character="A pulse more felt than heard.",
    envelope=Envelope(
        attack_seconds=(0.012, 0.02), decay_seconds=1.4, sustain=0.0, release_seconds=0.4, curve=2.4, rings=True
    ),
    strands=(
        Strand(source="sine", gain_db=0.0, drop_semitones=5.0, drop_seconds=0.07, decay_seconds=1.2),
        Strand(source="sine", ratio=2.0, gain_db=-14.0, drop_semitones=3.0, drop_seconds=0.05, decay_seconds=0.6,
               at_dark=0.6, at_bright=1.4),
    ),
    gain_db=-14.6,
    width=0.2,
    send_db=-10.0,
    octave_db=-2.0,
    lowest_midi=29,
    highest_midi=40,
)  # fmt: skip

WAVE_SWELL: Final = Patch(
    name="Wave",
    character="Noise that rises and falls like a wave on a beach.",
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

SURF_SWELL: Final = Patch(
    name="Surf",
    character="The same wave from the top of the cliff: lower, broader, later.",
    envelope=Envelope(attack_seconds=(1.8, 3.0), decay_seconds=3.0, sustain=0.5, release_seconds=3.5),
    strands=tuple(
        Strand(source="table", tone=SURF, gain_db=-3.0, at_dark=0.6, at_bright=1.4, pan=pan, movement=0.6)
        for pan in (-1.0, 1.0)
    ),
    gain_db=-31.3,
    width=0.9,
    send_db=-3.0,
    octave_db=0.0,
)
