"""Why the music changed, in words a listener understands."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from auralisd.composition.form import SectionPlan
from auralisd.composition.pitch import Region
from auralisd.controls import LAYERS, OFF

BREATH: Final = "breath"
"""Cause of the pad's leaving off and coming back, so that a breath that is broken off can be taken back."""

PAD_RESTS: Final = "the pad rests, the drone is alone for a while"
PAD_RETURNS: Final = "the pad comes back"
PAD_RETURNS_FOR_YOU: Final = "the pad comes back, so that you hear what you changed"

_NUMBERS: Final = ("no voice moves", "one voice moves", "two voices move", "three voices move", "four voices move")
_MANY: Final = frozenset({"loops", "bells"})


def who(cause: str) -> str:
    """Who is behind a change with this cause."""
    return "the preset brings" if cause == "preset" else "you chose"


def region_chosen(cause: str, region: Region, voices_moved: int, through_open_fifth: bool) -> str:
    """A new home, "you chose D dorian: two voices move"."""
    moves = _NUMBERS[voices_moved] if voices_moved < len(_NUMBERS) else "every voice moves"
    way = "through an open fifth, " if through_open_fifth else ""
    return f"{who(cause)} {region.name}: {way}{moves}"


def controls_chosen(cause: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """Other controls of one change, "you chose a faster pulse, 72 bpm"; None where nothing became different.

    Args:
        cause: of the change.
        before: what they were; ``layers`` holds every layer.
        after: what was named; ``layers`` may hold some layers.
    """
    phrases = []
    for name, value in after.items():
        if name == "layers":
            phrases += _layers(before["layers"], value)
        elif name in _PHRASES and value != before[name]:
            phrases.append(_PHRASES[name](before[name], value))
    return f"{who(cause)} {_listed(phrases)}" if phrases else None


def preset_chosen(name: str) -> str:
    """A preset by its name; what it brings is told beside it."""
    return f"you chose the preset {name}"


def piece_begun(seed: int) -> str:
    """A new piece instead of the one that played."""
    return f"a new piece begins, number {seed}"


def _tempo(before: float, after: float) -> str:
    return f"a {'faster' if after > before else 'slower'} pulse, {after:g} bpm"


def _night(before: bool, after: bool) -> str:
    del before
    if after:
        return "the night: over an hour it grows darker and sparser"
    return "the day again: light and movement come back within a minute"


def _level(before: float, after: float) -> str:
    return f"a {'louder' if after > before else 'softer'} level, {after:g} dB"


def _turned(more: str, less: str) -> Any:
    def phrase(before: float, after: float) -> str:
        return f"{more if after > before else less}, {after:.2f}"

    return phrase


_PHRASES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "tempo_bpm": _tempo,
        "intensity": _turned("more activity", "less activity"),
        "melody_complexity": _turned("more movement in the melody", "less movement in the melody"),
        "chord_variety": _turned("more variety of chords", "less variety of chords"),
        "harmonic_density": _turned("more fullness in the chords", "less fullness in the chords"),
        "brightness": _turned("a brighter sound", "a darker sound"),
        "space": _turned("a wider room", "a closer room"),
        "warmth": _turned("a warmer tone", "a cooler tone"),
        "level_db": _level,
        "night": _night,
    }
)


def _layers(before: Mapping[str, float | str], after: Mapping[str, float | str]) -> list[str]:
    """What became of the layers: "no bells", "the bells again", "a softer melody"."""
    changed = [layer for layer in LAYERS if layer in after and after[layer] != before[layer]]
    return [_layer(layer, before[layer], after[layer]) for layer in changed]


def _layer(layer: str, before: float | str, after: float | str) -> str:
    if after == OFF:
        return f"no {layer}"
    if before == OFF:
        return f"the {layer} again"
    louder = float(after) > float(before)
    article = "" if layer in _MANY else "a "
    return f"{article}{'louder' if louder else 'softer'} {layer}, {float(after):g} dB"


def section_began(section: SectionPlan, before: SectionPlan | None, region: Region, moved: bool) -> str:
    """A new section, "section Lift began: melody joins, bells leave"."""
    opening = f"section {section.archetype.name.capitalize()} began"
    if before is None:
        return f"{opening} in {region.name} with {_listed(section.layers)}"
    parts = []
    if moved:
        parts.append(f"the music moves to {region.name}")
    joining = [layer for layer in section.layers if layer not in before.layers]
    leaving = [layer for layer in before.layers if layer not in section.layers]
    if joining:
        parts.append(_with_verb(joining, "joins", "join"))
    if leaving:
        parts.append(_with_verb(leaving, "leaves", "leave"))
    return f"{opening}: {', '.join(parts)}" if parts else f"{opening} with the same layers"


def _with_verb(layers: list[str], singular: str, plural: str) -> str:
    many = len(layers) > 1 or layers[0] in _MANY
    return f"{_listed(layers)} {plural if many else singular}"


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
