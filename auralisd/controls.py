"""What a listener can turn: one frozen value, replaced whole, and the rules for changing it.

``Controls`` is read once per phrase and once per block. ``merge_change`` is the one
door by which anything from outside (REST, WebSocket, presets, files) becomes a
change: it refuses what is unknown or out of range, names the field, and changes
nothing when anything is wrong.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final

from auralisd.errors import ControlsError

MODES: Final = ("aeolian", "dorian", "lydian", "phrygian", "mixolydian", "ionian")
KEYS: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
LAYERS: Final = ("drone", "pad", "loops", "melody", "bells", "texture", "percussion")
OFF: Final = "off"

_KEY_PITCH_CLASS: Final[Mapping[str, int]] = MappingProxyType(
    {"C": 0, "B#": 0, "C#": 1, "Db": 1, "D": 2, "D#": 3, "Eb": 3, "E": 4, "Fb": 4, "F": 5, "E#": 5}
    | {"F#": 6, "Gb": 6, "G": 7, "G#": 8, "Ab": 8, "A": 9, "A#": 10, "Bb": 10, "B": 11, "Cb": 11}
)

type LayerLevel = float | str
"""Gain in dB (-60 to +6), or ``"off"``."""


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a numeric control, both included, and what it is measured in."""

    low: float
    high: float
    unit: str = ""

    @property
    def constraint(self) -> str:
        """The bounds as a person reads them."""
        return f"a number from {self.low:g} to {self.high:g}{' ' + self.unit if self.unit else ''}"


RANGES: Final[Mapping[str, Range]] = MappingProxyType(
    {
        "tempo_bpm": Range(40, 120, "bpm"),
        "intensity": Range(0, 1),
        "brightness": Range(0, 1),
        "space": Range(0, 1),
        "warmth": Range(0, 1),
        "melody_complexity": Range(0, 1),
        "chord_variety": Range(0, 1),
        "harmonic_density": Range(0, 1),
        "level_db": Range(-30, 0, "dB"),
    }
)
LAYER_RANGE: Final = Range(-60, 6, "dB")

SCORE_CONTROLS: Final = frozenset(
    {"key", "mode", "tempo_bpm", "intensity", "melody_complexity", "chord_variety", "harmonic_density", "night"}
)
"""Heard through the composer (``night`` in the sound as well); every other control acts on the next block."""

COLLAPSING_CONTROLS: Final = frozenset({"key", "mode", "melody_complexity", "chord_variety", "harmonic_density"})
"""Of these the first change acts at once; further ones within a second collapse to the last."""


def _default_layers() -> Mapping[str, LayerLevel]:
    return MappingProxyType(dict.fromkeys(LAYERS, 0.0))


@dataclass(frozen=True, slots=True)
class Controls:
    """Everything that steers one station.

    Attributes:
        key: tonic of the home region, one of ``KEYS`` (flats and sharps are normalised).
        mode: one of ``MODES``.
        tempo_bpm: beats per minute, 40 to 120.
        intensity: how much happens, 0 to 1.
        brightness: how high the spectrum reaches, 0 to 1.
        space: length and share of the reverb, 0 to 1.
        warmth: saturation and body, 0 to 1.
        melody_complexity: how far and how fast the melody moves, 0 to 1.
        chord_variety: how far the harmony wanders, 0 to 1.
        harmonic_density: how many notes a chord has, 0 to 1.
        layers: per layer a gain in dB (-60 to +6) or ``"off"``; always all seven.
        level_db: programme level, -30 to 0 dB.
        night: whether it grows darker and sparser over an hour (see ``auralisd.night``).
    """

    key: str = "A"
    mode: str = "aeolian"
    tempo_bpm: float = 60.0
    intensity: float = 0.5
    brightness: float = 0.5
    space: float = 0.5
    warmth: float = 0.5
    melody_complexity: float = 0.5
    chord_variety: float = 0.5
    harmonic_density: float = 0.5
    layers: Mapping[str, LayerLevel] = field(default_factory=_default_layers)
    level_db: float = 0.0
    night: bool = False

    @property
    def tonic_pitch_class(self) -> int:
        """0 for C to 11 for B."""
        return _KEY_PITCH_CLASS[self.key]

    def as_dict(self) -> dict[str, Any]:
        """The controls as JSON shows them, in the order of the documentation."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {"layers": dict(self.layers)}


def merge_change(current: Controls, change: Mapping[str, Any]) -> tuple[Controls, dict[str, Any]]:
    """Apply a change from outside, whole or not at all.

    Args:
        current: the controls now.
        change: any subset of the controls as JSON has them; ``bpm`` means ``tempo_bpm``;
            ``layers`` may hold any subset of the layers.

    Returns:
        The new controls, and the normalised part that was named (numbers as floats, keys in
        the spelling of ``KEYS``), fit for the controls log.

    Raises:
        ControlsError: for the first field that is unknown or out of range.
    """
    named: dict[str, Any] = {}
    for name, value in change.items():
        canonical = "tempo_bpm" if name == "bpm" else name
        if canonical in named:
            raise ControlsError(str(name), value, "given twice, as bpm and as tempo_bpm")
        named[canonical] = _validated(name, canonical, value)
    merged = {**named}
    if "layers" in named:
        merged["layers"] = MappingProxyType({**current.layers, **named["layers"]})
    return replace(current, **merged), named


def _validated(name: str, canonical: str, value: Any) -> Any:
    if canonical == "key":
        return _validated_key(value)
    if canonical == "mode":
        if not isinstance(value, str) or value.lower() not in MODES:
            raise ControlsError("mode", value, f"one of {', '.join(MODES)}")
        return value.lower()
    if canonical == "layers":
        return _validated_layers(value)
    if canonical == "night":
        if not isinstance(value, bool):
            raise ControlsError("night", value, "true or false")
        return value
    if canonical in RANGES:
        return _validated_number(name, value, RANGES[canonical])
    known = [f.name for f in fields(Controls)]
    nearest = difflib.get_close_matches(str(name), known, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"the controls are {', '.join(known)}"
    raise ControlsError(str(name), value, f"no such control; {hint}")


def _validated_key(value: Any) -> str:
    constraint = f"one of {', '.join(KEYS)}, in sharps or flats"
    if not isinstance(value, str) or not value:
        raise ControlsError("key", value, constraint)
    spelled = value[0].upper() + value[1:].replace("♯", "#").replace("♭", "b")
    if spelled not in _KEY_PITCH_CLASS:
        raise ControlsError("key", value, constraint)
    return KEYS[_KEY_PITCH_CLASS[spelled]]


def _validated_number(name: str, value: Any, bounds: Range) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ControlsError(name, value, bounds.constraint)
    if not bounds.low <= value <= bounds.high:  # NaN fails this comparison too
        shown = value if isinstance(value, int) or math.isfinite(value) else str(value)
        raise ControlsError(name, shown, bounds.constraint)
    return float(value)


def _validated_layers(value: Any) -> dict[str, LayerLevel]:
    if not isinstance(value, Mapping):
        raise ControlsError("layers", value, "an object from layer name to gain in dB or 'off'")
    levels: dict[str, LayerLevel] = {}
    for layer, level in value.items():
        if layer not in LAYERS:
            raise ControlsError(f"layers.{layer}", level, f"no such layer; there are {', '.join(LAYERS)}")
        if level is None or level is False or level == OFF:
            levels[layer] = OFF
        else:
            bounds = Range(LAYER_RANGE.low, LAYER_RANGE.high, f"{LAYER_RANGE.unit}, or 'off'")
            levels[layer] = _validated_number(f"layers.{layer}", level, bounds)
    return levels
