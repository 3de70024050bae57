"""The characters that come with the house."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from auralisd.controls import OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """What a listener asks for by one name.

    Attributes:
        description: what it is like, in one sentence of a listener's.
        loudness_lufs: integrated loudness it is mixed for, over any ten minutes.
        controls: every control but the key, which stays as the listener has it.
    """

    description: str
    loudness_lufs: float
    controls: Mapping[str, Any]


def _character(
    description: str,
    mode: str,
    tempo_bpm: float,
    intensity: float,
    *,
    layers: Mapping[str, Any],
    loudness_lufs: float = -18.0,
    **rest: float,
) -> Character:
    controls = {"mode": mode, "tempo_bpm": tempo_bpm, "intensity": intensity, **rest}
    return Character(
        description=description,
        loudness_lufs=loudness_lufs,
        controls=MappingProxyType({**controls, "layers": MappingProxyType(dict(layers))}),
    )


CHARACTERS: Final[Mapping[str, Character]] = MappingProxyType(
    {
        "Focus": _character(
            "Steady and warm: enough going on to carry you through a page of work, nothing that asks for an answer.",
            "dorian", 60.0, 0.5,
            brightness=0.5, space=0.5, warmth=0.5,
            melody_complexity=0.4, chord_variety=0.5, harmonic_density=0.5, level_db=0.0,
            layers={"drone": 0.0, "pad": 0.0, "loops": 0.0, "melody": -2.0, "bells": -2.0, "texture": 0.0,
                    "percussion": 0.0},
        ),
        "Meditation": _character(
            "Slow chords that breathe in and out, with room between them to sit and be quiet.",
            "aeolian", 50.0, 0.3,
            brightness=0.4, space=0.75, warmth=0.6,
            melody_complexity=0.3, chord_variety=0.35, harmonic_density=0.5, level_db=0.0,
            layers={"drone": 0.4, "pad": -0.6, "loops": -0.6, "melody": -1.6, "bells": -0.6, "texture": -0.6,
                    "percussion": -6.6},
        ),
        "Sleep": _character(
            "Dark and soft and a little quieter than the rest, with nothing in it to wake up for.",
            "phrygian", 40.0, 0.2,
            brightness=0.38, space=0.8, warmth=0.75,
            melody_complexity=0.15, chord_variety=0.25, harmonic_density=0.4, level_db=-4.0, loudness_lufs=-22.0,
            layers={"drone": 0.3, "pad": -0.7, "loops": -2.7, "melody": -4.7, "bells": -8.7, "texture": 1.3,
                    "percussion": OFF},
        ),
        "Bright": _character(
            "Morning with the windows open: clear chords, a lively melody, and bells.",
            "lydian", 70.0, 0.6,
            brightness=0.8, space=0.55, warmth=0.4,
            melody_complexity=0.6, chord_variety=0.65, harmonic_density=0.6, level_db=0.0,
            layers={"drone": -2.0, "pad": 0.0, "loops": 0.0, "melody": 0.0, "bells": 1.0, "texture": 0.0,
                    "percussion": 0.0},
        ),
        "Still": _character(
            "Wide chords that hang in the air and change only now and then; nothing else moves.",
            "mixolydian", 40.0, 0.15,
            brightness=0.4, space=0.9, warmth=0.6,
            melody_complexity=0.0, chord_variety=0.4, harmonic_density=0.1, level_db=0.0,
            layers={"drone": 0.5, "pad": 0.0, "loops": OFF, "melody": OFF, "bells": OFF, "texture": 1.0,
                    "percussion": OFF},
        ),
        "Rain": _character(
            "Rain that passes the window: air and small drops come and go in front of slow chords.",
            "dorian", 54.0, 0.45,
            brightness=0.55, space=0.65, warmth=0.5,
            melody_complexity=0.2, chord_variety=0.4, harmonic_density=0.5, level_db=0.0,
            layers={"drone": 0.5, "pad": 0.0, "loops": -1.5, "melody": OFF, "bells": -5.0, "texture": 6.0,
                    "percussion": OFF},
        ),
        "Wander": _character(
            "A melody takes the lead and goes for a walk, never in a hurry and never the same way twice.",
            "ionian", 76.0, 0.7,
            brightness=0.6, space=0.45, warmth=0.5,
            melody_complexity=0.8, chord_variety=0.7, harmonic_density=0.5, level_db=0.0,
            layers={"drone": -1.0, "pad": -1.5, "loops": 1.0, "melody": 3.5, "bells": -1.0, "texture": -4.0,
                    "percussion": -3.0},
        ),
        "Tides": _character(
            "Soft low drums that come and go like waves on a beach, over wide dark chords.",
            "aeolian", 90.0, 0.65,
            brightness=0.4, space=0.7, warmth=0.7,
            melody_complexity=0.2, chord_variety=0.4, harmonic_density=0.4, level_db=0.0,
            layers={"drone": 0.0, "pad": 0.0, "loops": -8.0, "melody": -9.0, "bells": -8.0, "texture": 3.0,
                    "percussion": 6.0},
        ),
        "Glass": _character(
            "High, clear and glittering: thin light over very little ground, and a bell now and then.",
            "lydian", 64.0, 0.5,
            brightness=0.95, space=0.8, warmth=0.15,
            melody_complexity=0.5, chord_variety=0.6, harmonic_density=0.7, level_db=0.0,
            layers={"drone": -3.0, "pad": 1.0, "loops": 2.0, "melody": -2.0, "bells": 4.0, "texture": 2.0,
                    "percussion": OFF},
        ),
        "Deep": _character(
            "The bottom of the sea: low drones, hardly any light, and now and then a far-off thud.",
            "phrygian", 45.0, 0.3,
            brightness=0.37, space=0.7, warmth=0.75,
            melody_complexity=0.1, chord_variety=0.3, harmonic_density=0.4, level_db=0.0,
            layers={"drone": 1.0, "pad": -2.0, "loops": -8.0, "melody": -10.0, "bells": OFF, "texture": 1.0,
                    "percussion": -2.0},
        ),
    }
)  # fmt: skip
"""By name, in the order they are shown; Sleep plays 4 dB softer than the others."""

BUILT_IN: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {name: character.controls for name, character in CHARACTERS.items()}
)
"""Name to change of controls."""
