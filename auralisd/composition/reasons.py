"""Why the music changed, in words a listener understands."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from auralisd.composition.form import SectionPlan
from auralisd.composition.pitch import Region

_NUMBERS: Final = ("no voice moves", "one voice moves", "two voices move", "three voices move", "four voices move")


def who(cause: str) -> str:
    """Who is behind a change with this cause."""
    return "the preset brings" if cause == "preset" else "you chose"


def region_chosen(cause: str, region: Region, voices_moved: int) -> str:
    """A new home, "you chose D dorian: two voices move"."""
    moves = _NUMBERS[voices_moved] if voices_moved < len(_NUMBERS) else "every voice moves"
    return f"{who(cause)} {region.name}: {moves}"


def controls_chosen(cause: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The other score controls of one change, "you chose a faster pulse, 72 bpm"."""
    phrases = [_PHRASES[name](before[name], value) for name, value in after.items() if name in _PHRASES]
    return f"{who(cause)} {' and '.join(phrases)}"


def _tempo(before: float, after: float) -> str:
    return f"a {'faster' if after > before else 'slower'} pulse, {after:g} bpm"


def _more_or_less(noun: str, verb: str = "") -> Any:
    def phrase(before: float, after: float) -> str:
        return f"{'more' if after > before else 'less'} {noun}{verb}, {after:.2f}"

    return phrase


_PHRASES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "tempo_bpm": _tempo,
        "intensity": _more_or_less("activity"),
        "melody_complexity": _more_or_less("movement in the melody"),
        "chord_variety": _more_or_less("variety of chords"),
        "harmonic_density": _more_or_less("fullness in the chords"),
    }
)


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
    many = len(layers) > 1 or layers[0] in ("loops", "bells")
    return f"{_listed(layers)} {plural if many else singular}"


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
