"""The characters that come with the house."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from auralisd.controls import OFF


def _preset(
    mode: str, tempo_bpm: float, intensity: float, *, layers: Mapping[str, Any], **rest: float
) -> Mapping[str, Any]:
    return MappingProxyType(
        {"mode": mode, "tempo_bpm": tempo_bpm, "intensity": intensity, **rest, "layers": MappingProxyType(dict(layers))}
    )


BUILT_IN: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "Focus": _preset(
            "dorian", 60.0, 0.5,
            brightness=0.5, space=0.5, warmth=0.5,
            melody_complexity=0.4, chord_variety=0.5, harmonic_density=0.5, level_db=0.0,
            layers={"drone": 0.0, "pad": 0.0, "loops": 0.0, "melody": -2.0, "bells": -2.0, "texture": 0.0,
                    "percussion": 0.0},
        ),
        "Meditation": _preset(
            "aeolian", 50.0, 0.3,
            brightness=0.4, space=0.75, warmth=0.6,
            melody_complexity=0.3, chord_variety=0.35, harmonic_density=0.5, level_db=0.0,
            layers={"drone": 1.0, "pad": 0.0, "loops": 0.0, "melody": -1.0, "bells": 0.0, "texture": 0.0,
                    "percussion": -6.0},
        ),
        "Sleep": _preset(
            "phrygian", 40.0, 0.2,
            brightness=0.15, space=0.8, warmth=0.75,
            melody_complexity=0.15, chord_variety=0.25, harmonic_density=0.4, level_db=-4.0,
            layers={"drone": 1.0, "pad": 0.0, "loops": -2.0, "melody": -4.0, "bells": -8.0, "texture": 0.0,
                    "percussion": OFF},
        ),
        "Bright": _preset(
            "lydian", 70.0, 0.6,
            brightness=0.8, space=0.55, warmth=0.4,
            melody_complexity=0.6, chord_variety=0.65, harmonic_density=0.6, level_db=0.0,
            layers={"drone": -2.0, "pad": 0.0, "loops": 0.0, "melody": 0.0, "bells": 1.0, "texture": 0.0,
                    "percussion": 0.0},
        ),
    }
)  # fmt: skip
"""Name to change of controls. The key stays as the listener has it; Sleep plays 4 dB softer than the others."""
